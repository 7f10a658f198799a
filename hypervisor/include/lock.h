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
 *	domain->lock	tables, frames and what was registered (mm/, state.c); domains_lock_pair()
 *	domain_list	the list again, for those who only look (domain.c)
 *	sched		run queue, states and places of vCPUs (sched.c), event ports (port.c)
 *	alloc		free memory (alloc.c)
 *	log		the log and its port (log.c)
 */
#ifndef TORC_LOCK_H
#define TORC_LOCK_H

#include "types.h"

#define LOCK_TAKEN 1
#define LOCK_WANTED 2 /* taken, and another CPU waits, or did when this one got it */

struct lock {
	u8 taken; /* 0 or LOCK_* */
};

/** lock_try - takes @lock unless another CPU has it; false then */
static inline bool lock_try(struct lock *lock)
{
	u8 free = 0;

	return __atomic_compare_exchange_n(&lock->taken, &free, LOCK_TAKEN, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/** lock_take - waits for @lock and takes it, and tells each that has it meanwhile; not recursive */
static inline void lock_take(struct lock *lock)
{
	if (lock_try(lock))
		return;
	while (__atomic_exchange_n(&lock->taken, LOCK_WANTED, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED) == LOCK_WANTED)
			__builtin_ia32_pause();
}

/** lock_wanted - does another CPU wait for @lock, which this one has? Long work stops then. */
static inline bool lock_wanted(const struct lock *lock)
{
	return __atomic_load_n(&lock->taken, __ATOMIC_RELAXED) == LOCK_WANTED;
}

/** lock_drop - lets another CPU have @lock */
static inline void lock_drop(struct lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

#endif
