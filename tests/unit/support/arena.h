/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The memory of the test's machine. Around it there is nothing, and any part of it can be made
 * forbidden: touching that ends the test with a report of the address sanitizer.
 */
#ifndef UNIT_ARENA_H
#define UNIT_ARENA_H

#include "types.h"

/** arena_create - makes a machine of @bytes of memory, filled with 0xcc; replaces an earlier one */
void arena_create(u64 bytes);
u64 arena_size(void);

void arena_forbid(mfn_t first, u64 frames);
void arena_allow(mfn_t first, u64 frames);

#endif
