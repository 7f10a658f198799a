/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Locks of the hypervisor for tests: this stands in front of every source of it (Makefile). Each
 * acquisition is checked, see order.c.
 */
#ifndef DEBUG_LOCK_H
#define DEBUG_LOCK_H
#ifndef __ASSEMBLER__

#define lock_try plain_lock_try
#define lock_take plain_lock_take
#define lock_drop plain_lock_drop
#include "../../hypervisor/include/lock.h"
#undef lock_try
#undef lock_take
#undef lock_drop

/* @name: how the source names the lock */
bool order_try(struct lock *lock, const char *name);
void order_take(struct lock *lock, const char *name);
void order_drop(struct lock *lock, const char *name);

#define lock_try(lock) order_try(lock, #lock)
#define lock_take(lock) order_take(lock, #lock)
#define lock_drop(lock) order_drop(lock, #lock)

#endif
#endif
