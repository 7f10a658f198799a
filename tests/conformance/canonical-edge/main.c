/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The edges of the canonical address space.
 *
 * Background: SYSCALL in the last two bytes of the lower half leaves an address in RCX that is not
 * canonical. SYSRET to it faults in ring 0 on Intel processors, with the caller's stack
 * (CVE-2012-0217). Entries by exceptions can have such addresses too, and RSP and bases may hold
 * anything.
 * Attack: all of these, from ring 3 and ring 1.
 * Vulnerable: a fault in ring 0.
 * Fixed: the guest sees the address; returning to it is refused.
 */
#include "conformance.h"

#define LAST_PAGE     0x00007ffffffff000UL
#define NON_CANONICAL 0x0000800000000000UL
#define RWX	      (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_USER | TORC_PTE_ACCESSED)

static uint8_t *last; /* the last page of the lower half, as the kernel sees it */

/* row: rip-edge, row: rip-returns */
static void check_edge(const char *what, const char *code, uint64_t bytes, uint64_t vector)
{
	struct guest_regs regs, again;

	memset(last, 0x90, TORC_PAGE_SIZE);
	memcpy(last + TORC_PAGE_SIZE - bytes, code, bytes);
	regs = guest_user_regs(0);
	regs.rip = LAST_PAGE + TORC_PAGE_SIZE - bytes;
	guest_user_run(&regs, false);
	/* QEMU may end the page's last instruction by a fault at the edge itself. */
	CHECK(regs.vector == vector || regs.vector == 13 || regs.vector == 14, "%s: vector %lu",
	      what, regs.vector);
	if (regs.vector == vector)
		CHECK(regs.rip == NON_CANONICAL, "%s: rip 0x%lx", what, regs.rip);
	regs.rip = NON_CANONICAL;
	again = regs;
	guest_user_run(&again, true);
	CHECK(again.vector == GUEST_VECTOR_REFUSED, "%s: return by SYSRET: vector %lu", what,
	      again.vector);
	again = regs;
	guest_user_run(&again, false);
	CHECK(again.vector == GUEST_VECTOR_REFUSED, "%s: return by IRETQ: vector %lu", what,
	      again.vector);
}

/* row: rsp-not-canonical - in ring 3 it concerns nobody; in ring 1 only the guest. */
static struct guest_context context;
static uint64_t double_faults, inner_vector;

void guest_double_fault(struct guest_regs *regs)
{
	inner_vector = regs->vector;
	double_faults++;
	TORC_SHIM_VCPU->double_fault.vector = 0;
	TORC_SHIM_VCPU->busy = 0;
	guest_resume(&context, 1);
}

/* A call by a jump, so that nothing needs the stack before it: its RET then faults in ring 1. */
static void jump_with_stack(uint64_t rsp, uint64_t entry)
{
	uint64_t before = double_faults;

	if (guest_save(&context) == 0)
		__asm__ volatile("mov %0, %%rsp\n\tjmp *%1"
				 :
				 : "r"(rsp), "c"(TORC_CALL_PAGE + entry), "a"(TORC_HC_VERSION),
				   "D"(0), "d"(0)
				 : "memory");
	CHECK(double_faults == before + 1, "stack 0x%lx, entry 0x%lx: no double fault", rsp, entry);
	CHECK(inner_vector >= 12 && inner_vector <= 14, "stack 0x%lx: vector %lu", rsp,
	      inner_vector);
}

static void check_stacks(void)
{
	static const uint64_t stacks[] = { 2 * NON_CANONICAL,	    1UL << 63,
					   0xffff7fffffffffff,	    0,
					   TORC_GATE_BASE + 0x4000, 0xffff800040100000 };
	uint32_t i;

	for (i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		jump_with_stack(stacks[i], TORC_CALL_HYPERCALL);
		jump_with_stack(stacks[i], TORC_CALL_EVENTS);
		torc_irq_off();
		jump_with_stack(stacks[i], TORC_CALL_INVLPG);
		TORC_SHIM_VCPU->ret.rip = NON_CANONICAL;
		jump_with_stack(stacks[i], TORC_CALL_RETURN);
		jump_with_stack(stacks[i], TORC_CALL_RETURN_SYSCALL);
	}
}

/* row: bases - a base that is not canonical cannot be loaded, or does no harm. */
static void check_bases(void)
{
	static const uint8_t wrfsbase[] = { 0xf3, 0x48, 0x0f, 0xae, 0xd0 };
	static const uint8_t wrgsbase[] = { 0xf3, 0x48, 0x0f, 0xae, 0xd8 };
	uint64_t gs = torc_read_gs_base(), end;
	struct guest_fault fault;
	struct guest_regs regs;

	fault = guest_probe_code(wrfsbase, sizeof(wrfsbase), NON_CANONICAL);
	CHECK(!fault.hit || fault.vector == 13, "wrfsbase: vector %lu", fault.vector);
	torc_yield();
	torc_write_fs_base(0);
	expect_status("set_kernel_gs", torc_set_kernel_gs(NON_CANONICAL), TORC_EINVAL);
	/* Where the emulator takes it in ring 3, an event comes while it is in force. */
	regs = guest_user_regs(0);
	memcpy(guest_user_memory(), wrgsbase, sizeof(wrgsbase));
	memcpy(guest_user_memory() + sizeof(wrgsbase), "\x48\xff\xcb\x75\xfb\x0f\x05", 7);
	regs.rax = NON_CANONICAL;
	regs.rbx = 3000000;
	end = torc_clock_ns(TORC_CLOCK) + 1000000;
	torc_set_timer(end);
	guest_user_run(&regs, false);
	CHECK(regs.vector == 13 || regs.vector == GUEST_VECTOR_SYSCALL ||
		      regs.vector == GUEST_VECTOR_REFUSED,
	      "wrgsbase in ring 3: vector %lu", regs.vector);
	torc_set_user_gs(0);
	CHECK(torc_read_gs_base() == gs, "kernel GS base 0x%lx", torc_read_gs_base());
}

/* row: flush-not-canonical - INVLPG of any address does nothing worse than nothing. */
static void check_flush(void)
{
	torc_flush_local_page(NON_CANONICAL);
	torc_flush_local_page(1UL << 63);
	torc_flush_local_page(~0UL);
	torc_flush_local_page(TORC_GATE_BASE + 0x5000);
	CHECK(torc_version() > 0, "no hypercall works any more");
}

void test_main(void)
{
	last = guest_pages(1);
	REQUIRE(guest_map(LAST_PAGE, page_of(last), RWX) == TORC_OK, "cannot map the last page");
	check_edge("syscall", "\x0f\x05", 2, GUEST_VECTOR_SYSCALL);
	check_edge("int3", "\xcc", 1, 3);
	check_edge("int 0x80", "\xcd\x80", 2, TORC_VECTOR_SYSCALL32);
	check_edge("nop", "\x90", 1, 13);
	check_stacks();
	check_bases();
	check_flush();
}
