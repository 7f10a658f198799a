/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Events are never lost: a million rounds of a timer with sequence numbers, while the guest turns
 * virtual interrupts off and on, blocks, spins, or goes to ring 3, at random.
 *
 * Background: an event that comes between a test and the sleep behind it finds nobody listening.
 * Attack: deadlines that lie anywhere around that moment, again and again.
 * Vulnerable: the guest sleeps for ever.
 * Fixed: block tests again after it turned interrupts on.
 *
 * A round arms the timer for a moment ago or from now, then waits in one of the ways until the
 * round's event has been counted; the handler counts into a sequence that must never skip or
 * repeat. The command line may give another number of rounds.
 */
#include "conformance.h"

#define ROUNDS 1000000UL

static volatile uint64_t sequence; /* events so far */
static uint64_t seed = 88172645463325252UL;

void guest_event(uint32_t port)
{
	if (port == TORC_PORT_TIMER)
		sequence++;
}

static uint64_t random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void spin(uint64_t turns)
{
	for (; turns; turns--)
		__asm__ volatile("pause");
}

static void to_ring3(void)
{
	struct guest_regs regs = guest_user_regs(0);

	guest_user_run(&regs, random() & 1);
	REQUIRE(regs.vector == GUEST_VECTOR_SYSCALL, "ring 3 ended by vector %lu", regs.vector);
}

/* Waits for event number @target. If it is lost, nobody ends the block and the run times out. */
static void wait_for(uint64_t target)
{
	while (sequence < target) {
		switch (random() % 8) {
		case 0:
			torc_irq_on();
			torc_irq_off();
			break;
		case 1:
			torc_irq_on();
			spin(random() % 64);
			torc_irq_off();
			break;
		case 2:
			to_ring3();
			break;
		case 3:
			torc_irq_off();
			spin(random() % 64);
			break;
		default:
			if (sequence >= target)
				break;
			torc_block();
			torc_irq_off();
		}
	}
}

static uint64_t rounds_wanted(void)
{
	const char *text = guest_linear(guest_start->cmdline);
	uint64_t rounds = next_number(&text);

	return rounds ? rounds : ROUNDS;
}

void test_main(void)
{
	uint64_t rounds = rounds_wanted();
	uint64_t round, now;

	memcpy(guest_user_memory(), "\x0f\x05", 2);
	for (round = 1; round <= rounds; round++) {
		now = torc_clock_ns(TORC_CLOCK);
		torc_set_timer(random() % 4 ? 1 : now + random() % 4000);
		wait_for(round);
		if (sequence != round) {
			FAILURE("round %lu: event number %lu", round, sequence);
			return;
		}
		if (round % (ROUNDS / 10) == 0)
			printf("%lu rounds\n", round);
	}
}
