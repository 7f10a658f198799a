/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the guests that measure share. Each prints one line for each figure:
 *
 *	bench NAME NANOSECONDS		(of which one is an instruction under -icount shift=0)
 */
#ifndef BENCH_H
#define BENCH_H

#include "conformance.h"

static inline uint64_t now(void)
{
	return torc_clock_ns(TORC_CLOCK);
}

/** report_cost() - @total ns for @count operations */
static inline void report_cost(const char *name, uint64_t total, uint64_t count)
{
	printf("bench %s %lu.%lu\n", name, total / count, total * 10 / count % 10);
}

#endif
