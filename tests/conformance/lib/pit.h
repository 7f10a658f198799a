/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * An interrupt of the machine that need not be driven, for a domain reaches no device: channel 0 of
 * the PIT, the tick of a PC, which firmware sets going and the hypervisor, when it has no watchdog,
 * lets go on. Its output is up but for one tick in 65536.
 */
#ifndef TORC_TESTS_PIT_H
#define TORC_TESTS_PIT_H

#include "conformance.h"

#define PIT_INPUT 2 /* ACPI tables of PCs move ISA's interrupt 0 here */
#define PIT_PERIOD_NS 54925415UL /* 65536 ticks of 1193182 Hz */

/* Port or error. @trigger: TORC_PIRQ_LEVEL, or 0 for edges. */
static inline int64_t pit_bind(uint64_t trigger)
{
	return torc_event_bind(TORC_EVENT_PIRQ, PIT_INPUT | trigger, 0);
}

/* The port; the test ends if there is none. */
static inline uint64_t pit_open(uint64_t trigger)
{
	int64_t port = pit_bind(trigger);

	if (port < TORC_PORT_FIRST_FREE) {
		FAILURE("bind: %ld", port);
		verdict_end();
	}
	return (uint64_t)port;
}

static inline void pit_close(uint64_t port)
{
	expect_status("close", torc_event_close(port), TORC_OK);
}

#endif
