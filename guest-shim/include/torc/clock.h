/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file clock.h
 * System time and wall clock from the time page, without a hypercall.
 *
 * The functions take the page's address, so that ring 3 can use them on its own mapping.
 */
#ifndef TORC_CLOCK_H
#define TORC_CLOCK_H

#include <torc/call.h>

#define TORC_CLOCK ((const volatile struct torc_time *)TORC_WINDOW_TIME)

/** torc_tsc() - the time-stamp counter, not before the loads in front of it */
static inline uint64_t torc_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/** torc_clock_scale() - nanoseconds in a number of ticks, by a time page's factors */
static inline uint64_t torc_clock_scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
	uint64_t low, high;

	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	__asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(ticks), "r"((uint64_t)mul) : "cc");
	return high << 32 | low >> 32;
}

/**
 * torc_clock_ns() - system time
 * @page: time page, usually TORC_CLOCK
 *
 * Return: nanoseconds since the domain started; never goes back.
 */
static inline uint64_t torc_clock_ns(const volatile struct torc_time *page)
{
	uint32_t sequence;
	uint64_t ns;

	do {
		sequence = page->sequence & ~1U;
		torc_barrier();
		ns = page->ns_base +
		     torc_clock_scale(torc_tsc() - page->tsc_base, page->mul, page->shift);
		torc_barrier();
	} while (torc_unlikely(sequence != page->sequence));
	return ns;
}

/** torc_clock_wall_ns() - UTC since 1970 in ns: as torc_clock_ns() */
static inline uint64_t torc_clock_wall_ns(const volatile struct torc_time *page)
{
	uint32_t sequence;
	uint64_t base;

	do {
		sequence = page->wall_sequence & ~1U;
		torc_barrier();
		base = page->wall_ns;
		torc_barrier();
	} while (torc_unlikely(sequence != page->wall_sequence));
	return base + torc_clock_ns(page);
}

#endif
