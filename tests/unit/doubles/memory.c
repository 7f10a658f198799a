/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * An allocator that can be told when to fail. What is not handed out is forbidden memory, so the
 * use of a freed page shows.
 */
#include <stdlib.h>
#include <string.h>
#include "alloc.h"
#include "arena.h"
#include "doubles.h"
#include "layout.h"

#define MAX_FRAMES 16384

u64 memory_pages_out, memory_chunks_out, memory_fail_after = ~0ull;
unsigned int memory_failures;
bool memory_fail_once;
void (*memory_chunk_returns)(void);
u64 memory_ram_pages = 1 << 20;

static mfn_t pool[MAX_FRAMES], chunk_pool[64];
static u64 pool_count, chunk_count;
static bool out[MAX_FRAMES];

void memory_give(mfn_t first_page, u64 pages, mfn_t first_chunk, u64 chunks)
{
	u64 i;

	if (first_page + pages > MAX_FRAMES || chunks > ARRAY_SIZE(chunk_pool))
		abort();
	for (i = 0; i < pages; i++)
		pool[i] = first_page + pages - 1 - i;
	for (i = 0; i < chunks; i++)
		chunk_pool[i] = first_chunk + i * CHUNK_PAGES;
	pool_count = pages;
	chunk_count = chunks;
	memory_pages_out = memory_chunks_out = 0;
	memory_fail_after = ~0ull;
	memory_fail_once = false;
	memory_chunk_returns = NULL;
	memory_ram_pages = 1 << 20;
	memset(out, 0, sizeof(out));
	arena_forbid(first_page, pages);
	arena_forbid(first_chunk, chunks * CHUNK_PAGES);
}

u64 alloc_ram_pages(void)
{
	return memory_ram_pages;
}

/* Is this allocation one that must fail? */
static bool fails(void)
{
	if (memory_fail_after == ~0ull || memory_fail_after-- > 0)
		return false;
	memory_fail_after = memory_fail_once ? ~0ull : 0;
	memory_failures++;
	return true;
}

mfn_t page_alloc(void)
{
	mfn_t mfn;

	if (!pool_count || fails())
		return INVALID_MFN;
	mfn = pool[--pool_count];
	arena_allow(mfn, 1);
	memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
	out[mfn] = true;
	memory_pages_out++;
	return mfn;
}

void page_free(mfn_t mfn)
{
	if (mfn >= MAX_FRAMES || !out[mfn])
		abort(); /* not allocated, or freed twice */
	out[mfn] = false;
	arena_forbid(mfn, 1);
	pool[pool_count++] = mfn;
	memory_pages_out--;
}

mfn_t chunk_alloc(void)
{
	mfn_t mfn;

	if (!chunk_count || fails())
		return INVALID_MFN;
	mfn = chunk_pool[--chunk_count];
	arena_allow(mfn, CHUNK_PAGES);
	memset(mfn_to_virt(mfn), 0, CHUNK_SIZE);
	memory_chunks_out++;
	return mfn;
}

void chunk_free(mfn_t mfn)
{
	arena_forbid(mfn, CHUNK_PAGES);
	chunk_pool[chunk_count++] = mfn;
	memory_chunks_out--;
	if (memory_chunk_returns)
		memory_chunk_returns();
}
