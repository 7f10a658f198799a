/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Resuming a guest behind an edge, while timer interrupts and NMIs strike.
 *
 * Background: IRETQ pops what the processor itself pushed, and yet it can fault: an instruction
 * that ends at the edge of the lower half or of its code segment leaves RIP where nothing may be
 * loaded from.
 * Attack: sit on such an instruction until an interrupt comes behind it, or let the hypervisor
 * emulate one there.
 * Vulnerable: IRETQ raises #GP in ring 0, and the hypervisor panics.
 * Fixed: the guest gets the fault, as if the interrupt had not been.
 *
 * And behind an interrupt on a 16-bit stack segment IRETQ leaves ESP's upper half as ring 0 had it:
 * an address of the hypervisor, unless that returns from an alias of its stack.
 */
#include "conformance.h"

#define LAST_PAGE 0x00007ffffffff000UL
#define PHASE_NS 2000000000UL
#define CODE32 0x40fa /* 32-bit code in ring 3 */
#define SEGMENT_BYTES 0x100
#define DATA16 0x00f2 /* 16-bit data in ring 3 */
#define LDT_SELECTOR(index) ((index) << 3 | 7)
#define ESP 0x1234f000UL
#define NOP 0x90
#define CLI 0xfa

/* An interrupt of the hypervisor that raises no event: the timer's port is masked. */
static void interrupt_soon(uint64_t round)
{
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 20000 + round * 37 % 40009);
}

static void strike(uint64_t cs, uint64_t rip, const char *what)
{
	uint64_t round, i, end = torc_clock_ns(TORC_CLOCK) + PHASE_NS;

	for (round = 0; torc_clock_ns(TORC_CLOCK) < end; round++) {
		interrupt_soon(round);
		for (i = 0; i < 30; i++) {
			struct guest_regs regs = guest_user_regs(0);

			regs.rip = rip;
			if (cs)
				regs.cs = cs;
			guest_user_run(&regs, false);
			CHECK(regs.vector != GUEST_VECTOR_SYSCALL, "%s: vector %lu", what,
			      regs.vector);
		}
	}
	printf("%s: %lu rounds\n", what, round);
}

/* Waits long enough for many NMIs, then tells ESP in RCX. */
CODE(watch_esp, ".code32\n mov $200000, %eax\n"
		"1: cmp $0x1234f000, %esp\n jne 2f\n dec %eax\n jnz 1b\n"
		"2: mov %esp, %ecx\n int $0x80\n .code64");

static void check_esp(uint16_t stack)
{
	uint64_t round, end = torc_clock_ns(TORC_CLOCK) + PHASE_NS;

	memcpy(guest_user_memory(), watch_esp, CODE_BYTES(watch_esp));
	for (round = 0; torc_clock_ns(TORC_CLOCK) < end; round++) {
		struct guest_regs regs = guest_user_regs(0);

		interrupt_soon(round);
		regs.cs = TORC_SEL_USER_CS32;
		regs.ss = stack;
		regs.rsp = ESP;
		guest_user_run(&regs, false);
		CHECK(regs.vector == TORC_VECTOR_SYSCALL32 && regs.rcx == ESP,
		      "stack 0x%x: vector %lu, ESP 0x%lx", stack, regs.vector, regs.rcx);
	}
	printf("16-bit stack 0x%x: %lu rounds\n", stack, round);
}

static void call(void *at)
{
	((void (*)(void))at)();
}

/* row: rip-resume */
void test_main(void)
{
	uint8_t *last = guest_pages(1);
	uint64_t *ldt = guest_pages(1), pfn = page_of(ldt);
	struct guest_fault fault;

	TORC_SHIM_VCPU->event_mask[0] |= 1UL << TORC_PORT_TIMER;
	memset(last, NOP, TORC_PAGE_SIZE);
	memset(guest_user_memory(), NOP, TORC_PAGE_SIZE);
	ldt[0] = torc_descriptor(GUEST_USER_BASE, SEGMENT_BYTES - 1, CODE32);
	ldt[1] = torc_descriptor(GUEST_USER_BASE, 0xffff, DATA16);
	REQUIRE(torc_ldt_set(&pfn, 2) == TORC_OK, "LDT");
	torc_set_descriptor(TORC_GDT_LAST_FREE, ldt[1]);
	check_esp(LDT_SELECTOR(1));
	check_esp(torc_selector(TORC_GDT_LAST_FREE));
	memset(guest_user_memory(), NOP, TORC_PAGE_SIZE);
	strike(LDT_SELECTOR(0), SEGMENT_BYTES - 1, "limit of a code segment");

	REQUIRE(guest_map(LAST_PAGE, page_of(last), TORC_PTE_PRESENT | TORC_PTE_WRITE |
			  TORC_PTE_USER | TORC_PTE_ACCESSED) == TORC_OK, "map");
	strike(0, LAST_PAGE + TORC_PAGE_SIZE - 1, "end of the lower half");

	REQUIRE(guest_map(LAST_PAGE, page_of(last), TORC_PTE_PRESENT | TORC_PTE_WRITE |
			  TORC_PTE_ACCESSED) == TORC_OK, "map for ring 1");
	last[TORC_PAGE_SIZE - 1] = CLI;
	fault = guest_probe(call, (void *)(LAST_PAGE + TORC_PAGE_SIZE - 1));
	CHECK(fault.hit && (fault.vector == 13 || fault.vector == 14),
	      "CLI at the edge: hit %d, vector %lu", fault.hit, fault.vector);
}
