/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Counters and trace: see core/observe.c. */
#ifndef TORC_HV_OBSERVE_H
#define TORC_HV_OBSERVE_H

#include <torc/observe.h>
#include "domain.h"

extern u32 trace_kinds; /* set of TORC_TRACE_* that are recorded */

/** observe_prepare - gives @cpu its counters and its trace; false without memory */
bool observe_prepare(struct cpu *cpu);

/** count - adds @n to @counter of this CPU and of @domain */
static inline void count(struct domain *domain, unsigned int counter, u64 n)
{
	this_cpu()->counters[counter] += n;
	__atomic_fetch_add(&domain->counters[counter], n, __ATOMIC_RELAXED);
}

/** count_sized - counts a batch of @n operations, by the power of two it reaches */
static inline void count_sized(struct domain *domain, u64 n)
{
	count(domain, TORC_COUNTER_BATCH + (n ? 63 - __builtin_clzll(n) : 0), 1);
}

void trace_add(const struct vcpu *vcpu, unsigned int kind, u64 a, u64 b);

/** trace - records something about @vcpu if somebody wants to know */
static inline void trace(const struct vcpu *vcpu, unsigned int kind, u64 a, u64 b)
{
	if (unlikely(READ_ONCE(trace_kinds) >> kind & 1))
		trace_add(vcpu, kind, a, b);
}

#endif
