/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Time: the TSC scaled to nanoseconds since boot, and one one-shot timer.
 */
#ifndef TORC_TIMER_H
#define TORC_TIMER_H

#include "types.h"

#define TIMER_NEVER	(~0ul)

/**
 * struct tsc_scale - nanoseconds from ticks
 * @mul: 32-bit fraction, its top bit set
 * @shift: power of two applied first; negative shifts to the right
 *
 * ns = (shift(tsc - base, @shift) * mul) >> 32, computed in 96 bits; the time page of a
 * guest uses the same formula. @base is the TSC at time 0.
 */
struct tsc_scale {
	u64 base;
	u32 mul;
	s8 shift;
};

extern u64 tsc_khz;			/* TSC ticks per millisecond */
extern struct tsc_scale tsc_scale;
extern u64 wallclock_boot_ns;		/* UTC at time 0, ns since 1970, from the CMOS clock */

/**
 * timer_init() - calibrate TSC and local APIC timer against the PIT; needs apic_init()
 */
void timer_init(void);

/**
 * tsc_to_ns() - time since boot that corresponds to a TSC reading
 */
static inline u64 tsc_to_ns(u64 tsc)
{
	u64 ticks = tsc - tsc_scale.base;

	ticks = tsc_scale.shift < 0 ? ticks >> -tsc_scale.shift : ticks << tsc_scale.shift;
	return (u64)(((unsigned __int128)ticks * tsc_scale.mul) >> 32);
}

/**
 * time_now_ns() - nanoseconds since boot
 */
u64 time_now_ns(void);

/**
 * timer_arm() - raise VECTOR_TIMER on this CPU once
 * @deadline_ns: in time since boot; one that has passed fires at once; TIMER_NEVER disarms
 *
 * The interrupt may come early if the deadline is farther than the hardware counts:
 * look at the clock in the handler, and arm again. Replaces an earlier deadline.
 */
void timer_arm(u64 deadline_ns);

/**
 * timer_disarm() - no timer interrupt from now on (one already pending in the APIC still comes)
 */
void timer_disarm(void);

/**
 * rtc_read_ns() - the CMOS clock, ns since 1970, taken as UTC; 0 when it shows nonsense
 */
u64 rtc_read_ns(void);

#endif
