/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A vCPU under a storm of machine NMIs, which the local APIC raises (the option nmi=HZ).
 *
 * NMIs are the one thing that interrupts the gate and the hypervisor: between SYSCALL and the
 * stack load, between two CR3 writes, in front of an IRETQ. Whatever they hit must go on as if
 * nothing had been.
 *
 * Attack: run loops of system calls, faults and hypercalls whose registers, fault addresses and
 * bases are all known, and compare every one each time.
 * Vulnerable: an NMI that leaves CR2, CR3, a GS base or a stack slot changed shows here as a wrong
 * register or fault address, or ends the machine.
 * Fixed: nothing is to be seen.
 *
 * test.conf wants at least 20,000 of them counted by the hypervisor.
 */
#include "conformance.h"

#define STORM_NS 10000000000UL
#define PATTERN(n) (0x1111111111111111UL * (n) ^ 0x4000000000000000UL)
#define USER_GS 0x7fff00001000UL
#define USER_FS 0x7ffe00002000UL
#define ABSENT_USER 0x700000000000UL /* not mapped; the round number is added */
#define ABSENT_KERNEL 0xffffc90000000000UL

/* Spins over registers that must not change, then calls; then touches (%rbx). */
CODE(user_loop,
     "mov $200, %rcx\n"
     "1: cmp %r12, %r13\n jne 2f\n"
     "rdgsbase %rax\n cmp %rax, %r14\n jne 2f\n"
     "rdfsbase %rax\n cmp %rax, %r15\n jne 2f\n"
     "push %r12\n pop %rax\n cmp %rax, %r13\n jne 2f\n"
     "dec %rcx\n jnz 1b\n"
     "syscall\n"
     "mov (%rbx), %rax\n"
     "2: ud2");

static void check_user(const struct guest_regs *regs, uint64_t round)
{
	CHECK(regs->rdx == PATTERN(1) && regs->rsi == PATTERN(2) && regs->rdi == PATTERN(3) &&
	      regs->rbp == PATTERN(4) && regs->r8 == PATTERN(5) && regs->r9 == PATTERN(6) &&
	      regs->r10 == PATTERN(7) && regs->r12 == PATTERN(8) && regs->r13 == PATTERN(8) &&
	      regs->r14 == USER_GS && regs->r15 == USER_FS && regs->rbx == ABSENT_USER + 8 * round,
	      "round %lu: a register of ring 3 changed", round);
	CHECK(torc_user_gs() == USER_GS, "round %lu: user GS base 0x%lx", round, torc_user_gs());
	CHECK(torc_read_fs_base() == USER_FS, "round %lu: FS base 0x%lx", round,
	      torc_read_fs_base());
}

static void ring3_round(uint64_t round)
{
	struct guest_regs regs = guest_user_regs(0);

	regs.rdx = PATTERN(1);
	regs.rsi = PATTERN(2);
	regs.rdi = PATTERN(3);
	regs.rbp = PATTERN(4);
	regs.r8 = PATTERN(5);
	regs.r9 = PATTERN(6);
	regs.r10 = PATTERN(7);
	regs.r12 = regs.r13 = PATTERN(8);
	regs.r14 = USER_GS;
	regs.r15 = USER_FS;
	regs.rbx = ABSENT_USER + 8 * round;
	torc_set_user_gs(USER_GS);
	guest_user_run(&regs, round & 1);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "round %lu: vector %lu instead of a system call",
	      round, regs.vector);
	check_user(&regs, round);
	guest_user_run(&regs, round & 1);
	CHECK(regs.vector == 14 && regs.cr2 == ABSENT_USER + 8 * round,
	      "round %lu: vector %lu, fault address 0x%lx", round, regs.vector, regs.cr2);
	check_user(&regs, round);
}

static void ring1_round(uint64_t round)
{
	uint64_t address = ABSENT_KERNEL + 8 * round;
	struct guest_fault fault = guest_probe_read(address);
	uint32_t i;

	CHECK(fault.hit && fault.vector == 14 && fault.cr2 == address,
	      "round %lu: vector %lu, fault address 0x%lx in ring 1", round, fault.vector,
	      fault.cr2);
	for (i = 0; i < 4; i++)
		CHECK(torc_version() == (TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR),
		      "round %lu: a hypercall gave another result", round);
}

void test_main(void)
{
	uint64_t end = torc_clock_ns(TORC_CLOCK) + STORM_NS;
	uint64_t round;

	memcpy(guest_user_memory(), user_loop, CODE_BYTES(user_loop));
	torc_write_fs_base(USER_FS);
	for (round = 0; torc_clock_ns(TORC_CLOCK) < end; round++) {
		ring3_round(round % 4096);
		ring1_round(round % 4096);
	}
	printf("%lu rounds\n", round);
}
