/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* The direct map covers what the arena has and does not forbid. */
#include <sanitizer/asan_interface.h>
#include "arena.h"
#include "boot.h"
#include "layout.h"

bool direct_map_covers(paddr_t start, u64 bytes)
{
	return start <= arena_size() && bytes <= arena_size() - start &&
	       !__asan_region_is_poisoned(phys_to_virt(start), bytes);
}
