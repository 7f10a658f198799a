/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sanitizer/asan_interface.h>
#include "arena.h"
#include "layout.h"

#define GUARD CHUNK_SIZE

unsigned char *host_memory;
char __image_end[1];

static u64 size;

void arena_create(u64 bytes)
{
	unsigned char *at;

	if (host_memory) {
		arena_allow(0, size >> PAGE_SHIFT);
		munmap(host_memory, size);
	}
	/* One chunk more than the guards need, to align with. */
	at = mmap(NULL, bytes + 3 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		  -1, 0);
	if (at == MAP_FAILED)
		abort();
	host_memory = (unsigned char *)ALIGN_UP((u64)at + GUARD, CHUNK_SIZE);
	if (mprotect(host_memory, bytes, PROT_READ | PROT_WRITE))
		abort();
	size = bytes;
	memset(host_memory, 0xcc, bytes);
}

u64 arena_size(void)
{
	return size;
}

void arena_forbid(mfn_t first, u64 frames)
{
	ASAN_POISON_MEMORY_REGION(mfn_to_virt(first), frames << PAGE_SHIFT);
}

void arena_allow(mfn_t first, u64 frames)
{
	ASAN_UNPOISON_MEMORY_REGION(mfn_to_virt(first), frames << PAGE_SHIFT);
}
