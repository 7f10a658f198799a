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
 * struct torc_time - time page
 * @sequence: count of changes; odd while the fields up to @flags change
 * @size: of this structure as the hypervisor knows it, bytes
 * @tsc_base: counter value at @ns_base, ticks
 * @ns_base: system time at @tsc_base, ns
 * @mul: ns per shifted tick, as a multiple of 2^-32
 * @shift: power of two by which the tick count is multiplied first
 * @flags: TORC_TIME_*
 * @reserved0: 0
 * @wall_ns: UTC since 1970 at system time 0, ns; changes with @wall_sequence
 * @wall_sequence: count of changes; odd while @wall_ns changes
 * @tsc_khz: frequency of the counter, kHz
 *
 * All of it is the hypervisor's; the page is a guest's own that it must not write, and may map
 * read-only into ring 3.
 */
struct torc_time {
	uint32_t sequence;
	uint32_t size;
	uint64_t tsc_base;
	uint64_t ns_base;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t reserved0[2];
	uint64_t wall_ns;
	uint32_t wall_sequence;
	uint32_t tsc_khz;
};
TORC_SIZE(torc_time, 48);
TORC_OFFSET(torc_time, sequence, 0);
TORC_OFFSET(torc_time, size, 4);
TORC_OFFSET(torc_time, tsc_base, 8);
TORC_OFFSET(torc_time, ns_base, 16);
TORC_OFFSET(torc_time, mul, 24);
TORC_OFFSET(torc_time, shift, 28);
TORC_OFFSET(torc_time, flags, 29);
TORC_OFFSET(torc_time, wall_ns, 32);
TORC_OFFSET(torc_time, wall_sequence, 40);
TORC_OFFSET(torc_time, tsc_khz, 44);

#endif
#endif
