/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The one-shot timer: fires once, not before its deadline and not much after, can be moved and
 * disarmed, and a deadline in the past fires at once.
 */
#include "conformance.h"

#define MS 1000000UL

static uint64_t fired(void)
{
	return guest_event_count[TORC_PORT_TIMER];
}

static void wait_until(uint64_t ns)
{
	while (torc_clock_ns(TORC_CLOCK) < ns)
		;
}

static void check_once(uint64_t delay)
{
	uint64_t before = fired();
	uint64_t start = torc_clock_ns(TORC_CLOCK);
	uint64_t end;

	torc_set_timer(start + delay);
	while (fired() == before && torc_clock_ns(TORC_CLOCK) < start + delay + 2000 * MS)
		;
	end = torc_clock_ns(TORC_CLOCK);
	CHECK(fired() == before + 1, "timer of %lu us did not fire", delay / 1000);
	CHECK(end >= start + delay, "timer of %lu us fired after %lu us", delay / 1000,
	      (end - start) / 1000);
	printf("timer of %lu us fired after %lu us\n", delay / 1000, (end - start) / 1000);
	wait_until(end + delay);
	CHECK(fired() == before + 1, "timer fired again");
}

static void check_disarm(void)
{
	uint64_t before = fired();
	uint64_t now = torc_clock_ns(TORC_CLOCK);

	torc_set_timer(now + 20 * MS);
	torc_set_timer(0);
	wait_until(now + 60 * MS);
	CHECK(fired() == before, "a disarmed timer fired");
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 10000 * MS);
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 10 * MS);
	now = torc_clock_ns(TORC_CLOCK);
	wait_until(now + 60 * MS);
	CHECK(fired() == before + 1, "a moved timer fired %lu times", fired() - before);
}

static void check_extremes(void)
{
	static const uint64_t past[] = { 1, 2, 1000 };
	static const uint64_t far[] = { ~0UL, ~0UL - 1, 1UL << 63, 1UL << 62 };
	uint64_t before, now;
	uint32_t i;

	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		before = fired();
		expect_status("set_timer", torc_set_timer(past[i]), TORC_OK);
		CHECK(fired() == before + 1, "deadline %lu in the past: fired %lu times", past[i],
		      fired() - before);
	}
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		before = fired();
		expect_status("set_timer", torc_set_timer(far[i]), TORC_OK);
		now = torc_clock_ns(TORC_CLOCK);
		wait_until(now + 20 * MS);
		CHECK(fired() == before, "deadline 0x%lx fired", far[i]);
	}
	torc_set_timer(0);
}

void test_main(void)
{
	torc_irq_on();
	check_once(5 * MS);
	check_once(100 * MS);
	check_once(100000);
	check_disarm();
	check_extremes();
	torc_irq_off();
}
