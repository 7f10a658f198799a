/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Repeatable random numbers (xorshift64*). */
#ifndef UNIT_RANDOM_H
#define UNIT_RANDOM_H

#include "types.h"

struct random {
	u64 state; /* not 0 */
};

static inline u64 random_next(struct random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dull;
}

/* 0 .. @below - 1. */
static inline u64 random_below(struct random *random, u64 below)
{
	return (random_next(random) >> 16) % below;
}

/* True once in @times. */
static inline bool random_once_in(struct random *random, u64 times)
{
	return random_below(random, times) == 0;
}

#endif
