/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * System time never goes back, moves at the rate of the counter, is the same in ring 3, and stands
 * in a page that a guest cannot write.
 */
#include "conformance.h"

#define READS 200000

static void check_monotonic(void)
{
	uint64_t last = torc_clock_ns(TORC_CLOCK), now, i, same = 0;

	for (i = 0; i < READS; i++) {
		now = torc_clock_ns(TORC_CLOCK);
		if (now < last) {
			FAILURE("time went back by %lu ns", last - now);
			return;
		}
		same += now == last;
		last = now;
	}
	CHECK(same < READS / 2, "time stands still");
}

static void check_rate(void)
{
	uint64_t tsc = torc_tsc(), ns = torc_clock_ns(TORC_CLOCK), expected;

	while (torc_tsc() - tsc < guest_start->tsc_khz * 50UL)
		;
	ns = torc_clock_ns(TORC_CLOCK) - ns;
	expected = 50000000;
	CHECK(ns > expected * 99 / 100 && ns < expected * 3, "50 ms of ticks are %lu us",
	      ns / 1000);
	CHECK(TORC_CLOCK->tsc_khz == guest_start->tsc_khz, "TSC %u kHz and %u kHz",
	      TORC_CLOCK->tsc_khz, guest_start->tsc_khz);
	CHECK(torc_clock_scale(guest_start->tsc_khz * 1000UL, TORC_CLOCK->mul, TORC_CLOCK->shift) /
				      1000 -
			      999900 <
		      200,
	      "a second of ticks is %lu ns",
	      torc_clock_scale(guest_start->tsc_khz * 1000UL, TORC_CLOCK->mul, TORC_CLOCK->shift));
}

static void check_wall(void)
{
	uint64_t wall = torc_clock_wall_ns(TORC_CLOCK);

	CHECK(TORC_CLOCK->wall_ns == guest_start->wall_ns, "two wall clocks: %lu and %lu",
	      TORC_CLOCK->wall_ns, guest_start->wall_ns);
	CHECK(wall >= guest_start->wall_ns, "wall clock before the start");
}

static void check_ring3(void)
{
	uint64_t page = GUEST_USER_BASE + 64 * TORC_PAGE_SIZE;
	uint64_t entry;

	guest_user_memory();
	expect_status("time page read-only in ring 3",
		      guest_map(page, guest_start->time_page,
				TORC_PTE_PRESENT | TORC_PTE_USER | TORC_PTE_NX),
		      TORC_OK);
	CHECK(torc_clock_ns((void *)page) >= TORC_CLOCK->ns_base, "no time there");
	entry = guest_entry(guest_root, page, 1);
	CHECK(guest_op(TORC_OP_SET, entry, 0) == TORC_OK, "cannot unmap");
	expect_fault("write to the time page's window", guest_probe_write(TORC_WINDOW_TIME), 14);
}

void test_main(void)
{
	check_monotonic();
	check_rate();
	check_wall();
	check_ring3();
}
