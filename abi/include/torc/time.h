/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file time.h
 * The time page: system time from the time-stamp counter, readable from ring 3.
 *
 * System time counts nanoseconds since the domain started and never goes back. Reading:
 *   do { s = sequence (even); t = (((rdtsc - tsc_base) << shift) * mul >> 32) + ns_base; }
 *   while (sequence != s);   (a negative shift shifts right)
 * The first 32 bytes have the arrangement that Linux calls pvclock, so that its vDSO can read them.
 * The hypervisor rewrites base and offset when the domain resumes on another machine.
 */
#ifndef TORC_TIME_H
#define TORC_TIME_H

#include <torc/base.h>

#define TORC_TIME_STABLE 0x01 /* the counter is the same on all CPUs of the machine */

#ifndef __ASSEMBLER__

/**
 * struct torc_time - time page; written by the hypervisor only
 * @sequence: odd while the fields change
 * @tsc_base: counter value at @ns_base
 * @ns_base: system time at @tsc_base, ns
 * @mul: 32.32 fixed-point ns per shifted tick
 * @shift: power of two applied to the tick count first
 * @flags: TORC_TIME_*
 * @wall_ns: UTC since 1970 at system time 0, ns; changes with @wall_sequence
 * @wall_sequence: odd while @wall_ns changes
 * @tsc_khz: frequency of the counter
 */
struct torc_time {
	uint32_t sequence;
	uint32_t reserved0;
	uint64_t tsc_base;
	uint64_t ns_base;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t reserved1[2];
	uint64_t wall_ns;
	uint32_t wall_sequence;
	uint32_t tsc_khz;
};
TORC_SIZE(torc_time, 48);
TORC_OFFSET(torc_time, mul, 24);
TORC_OFFSET(torc_time, wall_ns, 32);

#endif
#endif
