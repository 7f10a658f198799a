/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Counts what it gets done. tests/system/fair-shares.test starts many of these and compares.
 *
 * The command line has two numbers, WARM and COUNT, both in ms of system time. The guest works all
 * the time, counts for COUNT ms after WARM ms, and goes on for another WARM ms: the domains do not
 * start at the same moment, and while one counts all of them must work.
 */
#include "conformance.h"

#define TURNS 20000

static uint64_t seed;

static uint64_t number(const char **text)
{
	uint64_t value = 0;

	while (**text == ' ')
		(*text)++;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		value = value * 10 + (uint64_t)(**text - '0');
	return value;
}

/*
 * Rings after 100 to 300 us. A single-threaded emulator goes on to the next processor when a timer
 * rings, so these must not be rare, and must not be regular.
 */
static void set_timer(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 100000 + (seed >> 33) % 200000);
}

void guest_event(uint32_t port)
{
	if (port == TORC_PORT_TIMER)
		set_timer();
}

/* Works until @end, ns; returns how much was done. */
static uint64_t work(uint64_t end)
{
	uint64_t done = 0;
	uint32_t turns;

	for (; torc_clock_ns(TORC_CLOCK) < end; done++)
		for (turns = TURNS; turns; turns--)
			__asm__ volatile("" : "+r"(turns));
	return done;
}

void test_main(void)
{
	const volatile struct torc_vcpu_page *page = TORC_SHIM_VCPU;
	const char *text = guest_linear(guest_start->cmdline);
	uint64_t warm = number(&text) * 1000000, count = number(&text) * 1000000, done;

	REQUIRE(warm && count, "no two numbers on the command line");
	seed = guest_start->domain;
	set_timer();
	torc_irq_on();
	work(warm);
	done = work(warm + count);
	work(2 * warm + count);
	printf("done %lu, ran %lu ms\n", done, page->run_ns / 1000000);
}
