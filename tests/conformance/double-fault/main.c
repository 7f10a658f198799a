/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A fault while the synchronous frame is in use goes to the double-fault entry with its own frame,
 * and the first frame stays as it was. Once the guest has set double_fault.vector to zero the next
 * one works again.
 */
#include "conformance.h"

static struct guest_context context;
static struct torc_frame first, second;
static uint32_t count;

void guest_double_fault(struct guest_regs *regs)
{
	volatile struct torc_vcpu_page *page = TORC_SHIM_VCPU;

	first = *(struct torc_frame *)&page->sync;
	second = *(struct torc_frame *)&page->double_fault;
	CHECK(regs->vector == second.vector, "frame copied wrongly");
	page->double_fault.vector = 0;
	page->busy = 0;
	count++;
	guest_resume(&context, 1);
}

/* Makes the frame look uncopied, as it is between an entry and the end of the entry code. */
static void fault_while_busy(uint64_t address)
{
	TORC_SHIM_VCPU->sync.vector = 0x1234;
	TORC_SHIM_VCPU->sync.rip = 0x5678;
	if (guest_save(&context) == 0) {
		TORC_SHIM_VCPU->busy = 1;
		*(volatile uint8_t *)address;
	}
}

void test_main(void)
{
	uint32_t i;

	for (i = 1; i <= 100; i++) {
		fault_while_busy(0x700000 + i);
		CHECK(count == i, "double-fault entry entered %u times instead of %u", count, i);
		CHECK(first.vector == 0x1234 && first.rip == 0x5678,
		      "the first frame was overwritten");
		CHECK(second.vector == 14 && second.cr2 == 0x700000 + i, "vector %lu cr2 0x%lx",
		      second.vector, second.cr2);
		CHECK(second.cs == TORC_SEL_KERNEL_CS, "cs 0x%lx", second.cs);
	}
	/* #GP from ring 1 goes through the hypervisor: the same chain. */
	if (guest_save(&context) == 0) {
		TORC_SHIM_VCPU->busy = 1;
		__asm__ volatile("int $0x20");
	}
	CHECK(count == 101 && second.vector == 13 && (second.error & 2),
	      "#GP while busy: entered %u times, vector %lu error 0x%lx", count, second.vector,
	      second.error);
}
