/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Breakpoints and single steps: they work in ring 3 and ring 1, and never in ring 0.
 *
 * Background: a breakpoint on data that MOV SS reads is held back by one instruction; if that is
 * SYSCALL or INT, the trap comes in ring 0, at the first instruction of the entry (CVE-2018-8897).
 * Attack: just that, and TF set across the same instructions, from ring 3 and ring 1.
 * Vulnerable: ring 0 takes the trap for something else, on a stack or GS base of the guest's.
 * Fixed: the trap is absorbed or reported to the guest, and the entry is the usual one.
 */
#include "conformance.h"

#define DATA	    0x4000 /* offset in ring 3's memory */
#define DR7_EXECUTE 0x401UL
#define DR7_WRITE   0x10401UL
#define DR7_ACCESS  0xf0401UL /* 4 bytes, read or write */

CODE(nops, "nop\n nop\n syscall");
CODE(store, "mov %eax, (%rbx)\n syscall");
CODE(ss_syscall, "mov (%rbx), %ss\n syscall");
CODE(ss_int3, "mov (%rbx), %ss\n int3");
CODE(ss_int80, "mov (%rbx), %ss\n int $0x80");
CODE(ss_ud, "mov (%rbx), %ss\n ud2");
CODE(tf_syscall, "pushf\n orl $0x100, (%rsp)\n popf\n syscall");
CODE(tf_int80, "pushf\n orl $0x100, (%rsp)\n popf\n int $0x80");

static struct guest_regs run(const uint8_t *code, size_t bytes)
{
	struct guest_regs regs = guest_user_regs(0);
	uint8_t *memory = guest_user_memory();

	memcpy(memory, code, bytes);
	*(uint32_t *)(memory + DATA) = TORC_SEL_USER_SS;
	regs.rbx = GUEST_USER_BASE + DATA;
	guest_user_run(&regs, false);
	return regs;
}

static void arm(uint64_t address, uint64_t dr7)
{
	expect_status("DR0", torc_set_debugreg(0, address), TORC_OK);
	expect_status("DR7", torc_set_debugreg(7, dr7), TORC_OK);
}

static uint64_t dr6(void)
{
	uint64_t value;

	expect_status("get DR6", torc_get_debugreg(6, &value), TORC_OK);
	torc_set_debugreg(6, 0);
	return value;
}

static void check_breakpoints(void)
{
	struct guest_regs regs;
	uint64_t status;

	arm(GUEST_USER_BASE + 1, DR7_EXECUTE);
	regs = run(nops, CODE_BYTES(nops));
	expect_status("DR1", torc_set_debugreg(1, 0), TORC_OK); /* leaves DR6 alone */
	status = dr6();
	CHECK(regs.vector == 1 && regs.rip == GUEST_USER_BASE + 1 && (status & 0xf) == 1,
	      "breakpoint: vector %lu at 0x%lx, DR6 0x%lx", regs.vector, regs.rip, status);
	arm(GUEST_USER_BASE + DATA, DR7_WRITE);
	regs = run(store, CODE_BYTES(store));
	status = dr6();
	CHECK(regs.vector == 1 && regs.rip == GUEST_USER_BASE + 2 && (status & 0xf) == 1,
	      "watchpoint: vector %lu at 0x%lx, DR6 0x%lx", regs.vector, regs.rip, status);
	arm(0, 0x400);
	regs = run(nops, CODE_BYTES(nops));
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "without breakpoint: vector %lu", regs.vector);
}

/* row: mov-ss-debug */
static void check_held_back(const char *what, const uint8_t *code, size_t bytes, uint64_t vector)
{
	struct guest_regs regs;
	uint64_t gs = torc_read_gs_base();

	arm(GUEST_USER_BASE + DATA, DR7_ACCESS);
	regs = run(code, bytes);
	torc_set_debugreg(7, 0x400);
	dr6();
	CHECK(regs.vector == vector || regs.vector == 1, "%s: vector %lu", what, regs.vector);
	CHECK((regs.cs & 3) == 3 && regs.rip >= GUEST_USER_BASE && regs.rip < GUEST_USER_BASE + 64,
	      "%s: from 0x%lx:0x%lx", what, regs.cs, regs.rip);
	CHECK(torc_read_gs_base() == gs, "%s: GS base 0x%lx", what, torc_read_gs_base());
}

/* The same in ring 1. */
static void ss_int3_ring1(void *selector)
{
	__asm__ volatile("mov (%0), %%ss\n\tint3" : : "r"(selector) : "memory");
}

static void ss_ud_ring1(void *selector)
{
	__asm__ volatile("mov (%0), %%ss\n\tud2" : : "r"(selector) : "memory");
}

static void check_held_back_ring1(const char *what, void (*function)(void *), uint64_t vector)
{
	static uint32_t selector = TORC_SEL_KERNEL_SS;
	struct guest_fault fault;

	arm((uint64_t)&selector, DR7_ACCESS);
	fault = guest_probe(function, &selector);
	torc_set_debugreg(7, 0x400);
	dr6();
	CHECK(fault.hit && (fault.vector == vector || fault.vector == 1),
	      "%s in ring 1: vector %lu", what, fault.vector);
	CHECK(fault.regs.cs == TORC_SEL_KERNEL_CS && fault.regs.rip >= GUEST_VIRT_OFFSET,
	      "%s in ring 1: from 0x%lx:0x%lx", what, fault.regs.cs, fault.regs.rip);
	CHECK(torc_version() > 0, "no hypercall works any more");
}

/* row: single-step */
static void check_steps(void)
{
	struct guest_regs regs = run(tf_syscall, CODE_BYTES(tf_syscall));

	CHECK(regs.vector == GUEST_VECTOR_SYSCALL || regs.vector == 1, "TF and SYSCALL: vector %lu",
	      regs.vector);
	CHECK((regs.cs & 3) == 3, "TF and SYSCALL: from CS 0x%lx", regs.cs);
	regs = run(tf_int80, CODE_BYTES(tf_int80));
	CHECK(regs.vector == TORC_VECTOR_SYSCALL32 || regs.vector == 1, "TF and INT: vector %lu",
	      regs.vector);
	CHECK((regs.cs & 3) == 3, "TF and INT: from CS 0x%lx", regs.cs);
	dr6();
}

static uint64_t steps;

static bool step(struct guest_regs *regs)
{
	if (regs->vector != 1 || (regs->cs & 3) != 1)
		return false;
	steps++;
	CHECK(regs->rip < TORC_HOLE_START || regs->rip >= TORC_CALL_PAGE, "step in ring 0 at 0x%lx",
	      regs->rip);
	if (steps > 40)
		regs->rflags &= ~0x100UL;
	return true;
}

/* Ring 1 steps through hypercalls: the trap shows in ring 1 only. */
static void check_steps_ring1(void)
{
	int64_t result = 0;
	uint32_t i;

	guest_trap_hook = step;
	__asm__ volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf" : : : "memory", "cc");
	for (i = 0; i < 10; i++)
		result |= torc_version();
	__asm__ volatile("pushf\n\tandl $~0x100, (%%rsp)\n\tpopf" : : : "memory", "cc");
	guest_trap_hook = NULL;
	CHECK(result == torc_version(), "hypercalls while stepping: %ld", result);
	CHECK(steps > 0, "no step in ring 1");
	dr6();
}

void test_main(void)
{
	check_breakpoints();
	check_held_back("mov ss; syscall", ss_syscall, CODE_BYTES(ss_syscall),
			GUEST_VECTOR_SYSCALL);
	check_held_back("mov ss; int3", ss_int3, CODE_BYTES(ss_int3), 3);
	check_held_back("mov ss; int 0x80", ss_int80, CODE_BYTES(ss_int80), TORC_VECTOR_SYSCALL32);
	check_held_back("mov ss; ud2", ss_ud, CODE_BYTES(ss_ud), 6);
	check_held_back_ring1("mov ss; int3", ss_int3_ring1, 3);
	check_held_back_ring1("mov ss; ud2", ss_ud_ring1, 6);
	check_steps();
	check_steps_ring1();
}
