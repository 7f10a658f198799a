/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * CR2 belongs to the vCPU.
 *
 * Background: the frame of an exception that is no page fault carries what CR2 holds.
 * Attack: the domain "other" faults at an address that this one looks for behind UD2.
 * Vulnerable: the frame tells where another domain faulted last.
 * Fixed: it never does.
 */
#include "conformance.h"

#define SECRET 0x5ec4e7000123UL
#define TEST_NS 500000000UL

/* row: fault-address */
void test_main(void)
{
	bool faults = *(const char *)guest_linear(guest_start->cmdline) != '\0';
	uint64_t end = torc_clock_ns(TORC_CLOCK) + (faults ? 2 : 1) * TEST_NS;
	uint64_t seen = 0, rounds = 0;
	struct guest_fault fault;

	for (; torc_clock_ns(TORC_CLOCK) < end; rounds++) {
		torc_yield();
		if (faults) {
			guest_probe_read(SECRET);
			continue;
		}
		fault = guest_probe_code((const uint8_t *)"\x0f\x0b", 2, 0);
		seen += fault.cr2 == SECRET;
	}
	CHECK(!seen, "%lu of %lu times the other domain's fault address", seen, rounds);
}
