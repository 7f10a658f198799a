/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A level of the machine that stays up comes as one event for each event_rearm, no more and no
 * fewer.
 *
 * Background: a level that nobody has quieted interrupts again as soon as it is acknowledged.
 * Attack: bind a level and leave it up.
 * Vulnerable: a domain that does not quiet its device keeps a CPU busy with it for ever.
 * Fixed: the input is masked until the domain rearms its port.
 */
#include "pit.h"

#define QUIET 10 /* periods */
#define ROUNDS 500

static uint64_t port;

/* Until the port has fired @count times more. If the level is lost, the run times out. */
static void receive(uint64_t count)
{
	uint64_t target = guest_event_count[port] + count;

	while (guest_event_count[port] < target) {
		torc_block();
		torc_irq_off();
	}
	CHECK(guest_event_count[port] == target, "%lu events too many",
	      guest_event_count[port] - target);
}

static void expect_quiet(const char *what)
{
	uint64_t before = guest_event_count[port];

	guest_sleep_ns(QUIET * PIT_PERIOD_NS);
	CHECK(guest_event_count[port] == before, "%s: %lu events came", what,
	      guest_event_count[port] - before);
}

/* By edges each round would take a period. */
static void check_rearmed(void)
{
	uint64_t start = torc_clock_ns(TORC_CLOCK), took, round;

	for (round = 0; round < ROUNDS; round++) {
		expect_status("rearm", torc_event_rearm(port), TORC_OK);
		receive(1);
	}
	took = torc_clock_ns(TORC_CLOCK) - start;
	printf("%u rounds took %lu us\n", ROUNDS, took / 1000);
	CHECK(took < ROUNDS / 2 * PIT_PERIOD_NS, "%u rounds took %lu us, as if by edges", ROUNDS,
	      took / 1000);
}

void test_main(void)
{
	port = pit_open(TORC_PIRQ_LEVEL);
	receive(1);
	expect_quiet("not rearmed");
	check_rearmed();
	expect_quiet("not rearmed again");
	pit_close(port);
	expect_quiet("closed");
	port = pit_open(TORC_PIRQ_LEVEL);
	receive(1);
	pit_close(port);
	port = pit_open(0);
	receive(2);
	pit_close(port);
}
