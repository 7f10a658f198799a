/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A flood of events does not overflow the guest's stack.
 *
 * Background: turning interrupts on a moment before the frame is popped takes the next event on
 * top of the frame of the last one.
 * Attack: each return finds the next event pending.
 * Vulnerable: frames pile up, as many as there are events.
 * Fixed: the return call does both at once.
 */
#include "conformance.h"

#define EVENTS 50000

static volatile uint64_t count;
static uint64_t lowest = ~0UL, highest;

void guest_event(uint32_t port)
{
	uint64_t here = (uint64_t)__builtin_frame_address(0);

	if (port != TORC_PORT_TIMER)
		return;
	if (here < lowest)
		lowest = here;
	if (here > highest)
		highest = here;
	if (++count < EVENTS)
		torc_set_timer(1); /* in the past: pending before this handler returns */
}

static void flood(const char *what)
{
	CHECK(count == EVENTS, "%s: %lu events", what, count);
	CHECK(highest - lowest < 512, "%s: the stack went down by %lu bytes", what,
	      highest - lowest);
	count = 0;
	lowest = ~0UL;
	highest = 0;
}

void test_main(void)
{
	struct guest_regs regs = guest_user_regs(0);

	torc_irq_off();
	torc_set_timer(1);
	torc_irq_on();
	flood("ring 1, events call");

	torc_irq_off();
	torc_set_timer(1);
	torc_block();
	flood("ring 1, block");

	torc_irq_off();
	torc_set_timer(1);
	memcpy(guest_user_memory(), "\x0f\x05", 2);
	guest_user_run(&regs, false);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "ring 3: vector %lu", regs.vector);
	flood("ring 3");
}
