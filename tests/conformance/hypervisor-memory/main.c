/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypervisor's part of the address space, from ring 1 and ring 3.
 *
 * Background: paging does not separate ring 1 from ring 0, so whatever is mapped in slots 256..271
 * under a guest's root can be read by its kernel, and written or executed unless the entry forbids
 * it.
 * Attack: read, write and execute every page there.
 * Vulnerable: something of the hypervisor or of another domain can be reached.
 * Fixed: ring 1 writes only the pages of its own vCPU (vCPU page and the stacks of its gate
 * region), executes only the gate's code, reads besides only tables of the gate and windows of its
 * own data; ring 3 reaches nothing.
 */
#include "conformance.h"

#define ALIASES	    (TORC_GATE_BASE + (4UL << 30))
#define GATE_PAGES  512
#define FIRST_STACK 5 /* pages 5..7 of the gate region: this vCPU's own stacks */
#define VCPU_PAGE   ((TORC_VCPU_PAGE - TORC_GATE_BASE) / TORC_PAGE_SIZE)
#define CODE_PAGES  3 /* pages 0..2 of the gate region: its code, the last one the hypercall page */

/* row: read-hypervisor, row: write-hypervisor, row: execute-hypervisor */
static void check_gate(void)
{
	struct guest_fault fault;
	uint64_t address;
	uint32_t page;
	bool own;

	for (page = 0; page < GATE_PAGES; page++) {
		address = TORC_GATE_BASE + page * TORC_PAGE_SIZE;
		own = page >= FIRST_STACK && page <= VCPU_PAGE;
		fault = guest_probe_write(address + 0x40);
		CHECK(own || fault.hit, "page %u of the gate region can be written", page);
		CHECK(!fault.hit || fault.vector == 14, "page %u: vector %lu", page, fault.vector);
		if (page < CODE_PAGES)
			continue;
		fault = guest_probe_execute(address + 0x40);
		CHECK(fault.hit && fault.vector == 14 && (fault.error & 0x10) &&
			      fault.cr2 == address + 0x40,
		      "page %u of the gate region: execution gives vector %lu error 0x%lx", page,
		      fault.vector, fault.error);
	}
}

/* Addresses of the hypervisor under its own root, and a sample of each slot. */
static void check_rest(void)
{
	static const uint64_t known[] = {
		0xffff800000200000,
		0xffff800040000000,
		0xffff800040100000,
		0xffff800040140000,
		0xffff80007fffffff,
		TORC_WINDOW_TIME - 1,
		TORC_WINDOW_TIME + TORC_PAGE_SIZE,
		TORC_WINDOW_P2M - 1,
		TORC_WINDOW_M2P - 1,
		TORC_WINDOW_RINGS,
		TORC_HOLE_END - 1,
	};
	uint64_t address, slot, step;
	uint32_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		expect_fault("read of the hypervisor", guest_probe_read(known[i]), 14);
	for (slot = TORC_SLOT_FIRST; slot <= TORC_SLOT_LAST; slot++) {
		for (step = 1; step < 16; step++) {
			address = TORC_HOLE_START + ((slot - TORC_SLOT_FIRST) << 39) + (step << 35);
			expect_fault("read of a hole", guest_probe_read(address), 14);
			expect_fault("execution of a hole", guest_probe_execute(address), 14);
		}
	}
	/* Aliases of the entry stack, see docs/architecture.md: never executable. */
	for (address = ALIASES; address < ALIASES + (4UL << 30); address += 0x31415000)
		expect_fault("execution of an alias", guest_probe_execute(address), 14);
}

/* row: windows - read-only, not executable, own data only. */
static void check_windows(void)
{
	uint64_t frame, own = 0, pfn;

	expect_fault("write to the time window", guest_probe_write(TORC_WINDOW_TIME), 14);
	expect_fault("write to the pfn window", guest_probe_write(TORC_WINDOW_P2M), 14);
	expect_fault("write to the mfn window", guest_probe_write(TORC_WINDOW_M2P), 14);
	expect_fault("execution of the pfn window", guest_probe_execute(TORC_WINDOW_P2M), 14);
	expect_fault(
		"read behind the pfn window",
		guest_probe_read(TORC_WINDOW_P2M + ((guest_start->pages * 8 + 0xfff) & ~0xfffUL)),
		14);
	for (frame = 0; frame < guest_start->machine_frames; frame++) {
		pfn = ((const volatile uint64_t *)TORC_WINDOW_M2P)[frame];
		if (pfn == TORC_INVALID_FRAME)
			continue;
		own++;
		CHECK(pfn < guest_start->pages && torc_pfn_to_mfn(pfn) == frame,
		      "frame 0x%lx: pfn 0x%lx is not its own", frame, pfn);
	}
	CHECK(own == guest_start->pages, "the mfn window shows %lu frames of %lu", own,
	      guest_start->pages);
}

/* row: ring3-hypervisor - the page fault says "present, user" or "not present", never success. */
static void check_ring3(void)
{
	static const uint8_t read[] = { 0x8a, 0x03, 0x0f, 0x05 }; /* mov al, [rbx]; syscall */
	static const uint8_t write[] = { 0x88, 0x03, 0x0f, 0x05 };
	static const uint8_t jump[] = { 0xff, 0xe3 }; /* jmp rbx */
	static const struct {
		const char *what;
		const uint8_t *code;
		size_t bytes;
	} tries[] = { { "read", read, 4 }, { "write", write, 4 }, { "execution", jump, 2 } };
	struct guest_regs regs;
	uint64_t page;
	uint32_t i;

	for (page = 0; page < 24; page++) {
		for (i = 0; i < 3; i++) {
			regs = guest_user_regs(0);
			memcpy(guest_user_memory(), tries[i].code, tries[i].bytes);
			regs.rbx = page < 18 ? TORC_GATE_BASE + page * TORC_PAGE_SIZE
					     : TORC_WINDOW_TIME + (page - 18) * (1UL << 39);
			guest_user_run(&regs, false);
			CHECK(regs.vector == 14 && (regs.error & 4) && regs.cr2 == regs.rbx,
			      "%s of 0x%lx from ring 3: vector %lu error 0x%lx", tries[i].what,
			      regs.rbx, regs.vector, regs.error);
		}
	}
}

void test_main(void)
{
	check_gate();
	check_rest();
	check_windows();
	check_ring3();
}
