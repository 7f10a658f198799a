/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Spinlocks. The hypervisor runs with interrupts off, so a lock needs no more than this; NMI
 * handlers take none. Nobody stands in line: where the machine is itself virtual, the CPU whose
 * turn it is may not be running, and all behind it would wait for it.
 *
 * Order, outermost first; a CPU that holds one takes only those behind it:
 *
 *	domains_lock	the list of domains, consoles and focus (domain.c, console.c)
 *	domain->lock	tables, frames and what was registered (mm/, state.c); of two the lower id
 *	domain_list	the list again, for those who only look (domain.c)
 *	sched		run queue, states and places of vCPUs (sched.c), event ports (port.c)
 *	alloc		free memory (alloc.c)
 *	log		the log and its port (log.c)
 */
#ifndef TORC_LOCK_H
#define TORC_LOCK_H

#include "types.h"

struct lock {
	bool taken;
};

/** lock_take - waits for @lock and takes it; not recursive */
static inline void lock_take(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->taken, true, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

/** lock_drop - lets another CPU have @lock */
static inline void lock_drop(struct lock *lock)
{
	__atomic_store_n(&lock->taken, false, __ATOMIC_RELEASE);
}

#endif
