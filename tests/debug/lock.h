/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Locks of the hypervisor for tests: this stands in front of every source of it (Makefile), in the
 * place of include/lock.h. Each acquisition is checked, see order.c.
 */
#ifndef TORC_LOCK_H
#define TORC_LOCK_H
#ifndef __ASSEMBLER__

#include "types.h"

struct lock {
	bool taken;
};

/* @name: how the source names the lock */
void order_take(struct lock *lock, const char *name);
void order_drop(struct lock *lock, const char *name);

#define lock_take(lock) order_take(lock, #lock)
#define lock_drop(lock) order_drop(lock, #lock)

#endif
#endif
