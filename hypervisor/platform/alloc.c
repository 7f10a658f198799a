/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Physical memory. One record per 2 MiB chunk holds a bitmap of its pages. A chunk is
 *
 *	whole		all pages free: may go to a guest, or be broken up
 *	a guest's	taken by chunk_alloc(); its pages count as used
 *	broken		some pages used: page_alloc() takes the others first
 *
 * and becomes whole again when the last of its pages comes back. Guests take chunks from the top of
 * memory and the hypervisor pages from the bottom, so that the two seldom meet. Memory is scrubbed
 * when it is handed out: that covers what boot left behind as well as what a domain left behind.
 */
#include "alloc.h"
#include "layout.h"
#include "lib.h"
#include "lock.h"
#include "log.h"

#define BITMAP_WORDS	(CHUNK_PAGES / 64)
#define LOW_MEMORY	MIB(1)		/* BIOS data, and start-up code of other CPUs some day */
#define BOOT_MAP_END	GIB(4)		/* what is addressable while alloc_init() runs */

struct chunk {
	u64 used[BITMAP_WORDS];	/* 1: page in use, reserved or not RAM */
	u16 free;		/* zero bits in @used */
	bool guest;
};

extern char __image_end[];

static struct lock alloc_lock;
static struct chunk *chunks;
static u64 chunk_count;
static u64 ram_pages;
static u64 reserved_pages;
static u64 taken_pages;		/* by page_alloc() and boot_alloc() and @chunks itself */
static u64 most_taken_pages;
static u64 guest_chunks;
static u64 page_hint;		/* the chunk that gave a page last */
static u64 whole_hint;		/* one above the highest chunk that may be whole */

static struct range kept_ranges[BOOT_MAX_MODULES + 3];
static struct range_list kept = { kept_ranges, 0, ARRAY_SIZE(kept_ranges) };

static bool page_used(const struct chunk *chunk, unsigned int page)
{
	return chunk->used[page / 64] >> page % 64 & 1;
}

static void page_set_used(struct chunk *chunk, unsigned int page, bool used)
{
	u64 bit = 1ul << page % 64;

	if (page_used(chunk, page) == used)
		return;
	chunk->used[page / 64] ^= bit;
	if (used)
		chunk->free--;
	else
		chunk->free++;
}

/* Marks [start, end), page aligned, used or free. */
static void mark(paddr_t start, paddr_t end, bool used)
{
	for (paddr_t at = start; at < end; at += PAGE_SIZE) {
		struct chunk *chunk = &chunks[at >> CHUNK_SHIFT];

		if (IS_ALIGNED(at, CHUNK_SIZE) && end - at >= CHUNK_SIZE) {
			memset(chunk->used, used ? 0xff : 0, sizeof(chunk->used));
			chunk->free = used ? 0 : CHUNK_PAGES;
			at += CHUNK_SIZE - PAGE_SIZE;
			continue;
		}
		page_set_used(chunk, (at >> PAGE_SHIFT) % CHUNK_PAGES, used);
	}
}

static void keep(paddr_t start, paddr_t end)
{
	if (!range_list_add(&kept, ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE)))
		panic("alloc: too many boot modules");
}

/* A place for the chunk records, off everything that is kept. */
static paddr_t place_records(const struct boot_info *info, u64 bytes)
{
	for (unsigned int i = 0; i < info->ram.count; i++) {
		const struct range *ram = &info->ram.range[i], *obstacle;
		paddr_t at = ram->start;

		while ((obstacle = range_list_overlap(&kept, at, at + bytes)) != NULL)
			at = obstacle->end;
		if (at + bytes <= MIN(ram->end, BOOT_MAP_END))
			return at;
	}
	panic("alloc: no place for %lu KiB of records below 4 GiB", bytes >> 10);
}

/* How many pages of [start, end) are usable RAM. */
static u64 count_ram(const struct boot_info *info, paddr_t start, paddr_t end)
{
	u64 pages = 0;

	for (unsigned int i = 0; i < info->ram.count; i++) {
		paddr_t from = MAX(start, info->ram.range[i].start);
		paddr_t to = MIN(end, info->ram.range[i].end);

		if (from < to)
			pages += (to - from) >> PAGE_SHIFT;
	}
	return pages;
}

void alloc_init(const struct boot_info *info)
{
	u64 top = info->ram.range[info->ram.count - 1].end;
	u64 bytes;
	paddr_t place;

	chunk_count = ALIGN_UP(top, CHUNK_SIZE) >> CHUNK_SHIFT;
	bytes = ALIGN_UP(chunk_count * sizeof(*chunks), PAGE_SIZE);
	keep(0, LOW_MEMORY);
	keep(IMAGE_LOAD_ADDRESS, image_to_phys(__image_end));
	for (unsigned int i = 0; i < info->module_count; i++)
		keep(info->module[i].memory.start, info->module[i].memory.end);
	for (unsigned int i = 0; i < kept.count; i++)
		reserved_pages += count_ram(info, kept_ranges[i].start, kept_ranges[i].end);

	place = place_records(info, bytes);
	chunks = phys_to_virt(place);
	memset(chunks, 0, bytes);
	mark(0, chunk_count << CHUNK_SHIFT, true);
	for (unsigned int i = 0; i < info->ram.count; i++)
		mark(info->ram.range[i].start, info->ram.range[i].end, false);
	ram_pages = count_ram(info, 0, top);
	for (unsigned int i = 0; i < kept.count; i++)
		mark(kept_ranges[i].start, MIN(kept_ranges[i].end, chunk_count << CHUNK_SHIFT),
		     true);
	mark(place, place + bytes, true);
	taken_pages = bytes >> PAGE_SHIFT;
	whole_hint = chunk_count;
}

static mfn_t take_chunk(void)
{
	while (whole_hint > 0) {
		struct chunk *chunk = &chunks[whole_hint - 1];

		if (chunk->free == CHUNK_PAGES) {
			mfn_t mfn = (whole_hint - 1) << (CHUNK_SHIFT - PAGE_SHIFT);

			memset(chunk->used, 0xff, sizeof(chunk->used));
			chunk->free = 0;
			chunk->guest = true;
			guest_chunks++;
			return mfn;
		}
		whole_hint--;
	}
	return INVALID_MFN;
}

mfn_t chunk_alloc(void)
{
	mfn_t mfn;

	lock_take(&alloc_lock);
	mfn = take_chunk();
	lock_drop(&alloc_lock);
	if (mfn != INVALID_MFN)
		memset(mfn_to_virt(mfn), 0, CHUNK_SIZE);
	return mfn;
}

void chunk_free(mfn_t mfn)
{
	u64 index = mfn >> (CHUNK_SHIFT - PAGE_SHIFT);
	struct chunk *chunk = &chunks[index];

	assert(index < chunk_count && IS_ALIGNED(mfn, CHUNK_PAGES) && chunk->guest);
	lock_take(&alloc_lock);
	memset(chunk->used, 0, sizeof(chunk->used));
	chunk->free = CHUNK_PAGES;
	chunk->guest = false;
	guest_chunks--;
	whole_hint = MAX(whole_hint, index + 1);
	lock_drop(&alloc_lock);
}

/* The chunk to take the next page from: one that is broken already if there is any. */
static struct chunk *chunk_for_page(void)
{
	struct chunk *whole = NULL;

	if (chunks[page_hint].free > 0 && chunks[page_hint].free < CHUNK_PAGES)
		return &chunks[page_hint];
	for (u64 i = 0; i < chunk_count; i++) {
		if (chunks[i].free == 0)
			continue;
		if (chunks[i].free < CHUNK_PAGES)
			return &chunks[i];
		if (whole == NULL)
			whole = &chunks[i];
	}
	return whole;
}

static mfn_t take_page(void)
{
	struct chunk *chunk = chunk_for_page();
	unsigned int word = 0, page;

	if (chunk == NULL)
		return INVALID_MFN;
	page_hint = (u64)(chunk - chunks);
	while (chunk->used[word] == ~0ul)
		word++;
	page = word * 64 + (unsigned int)__builtin_ctzl(~chunk->used[word]);
	page_set_used(chunk, page, true);
	taken_pages++;
	most_taken_pages = MAX(most_taken_pages, taken_pages);
	return page_hint * CHUNK_PAGES + page;
}

mfn_t page_alloc(void)
{
	mfn_t mfn;

	lock_take(&alloc_lock);
	mfn = take_page();
	lock_drop(&alloc_lock);
	if (mfn != INVALID_MFN)
		memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
	return mfn;
}

void page_free(mfn_t mfn)
{
	u64 index = mfn >> (CHUNK_SHIFT - PAGE_SHIFT);

	assert(index < chunk_count && !chunks[index].guest &&
	       page_used(&chunks[index], mfn % CHUNK_PAGES));
	lock_take(&alloc_lock);
	page_set_used(&chunks[index], mfn % CHUNK_PAGES, false);
	taken_pages--;
	if (chunks[index].free == CHUNK_PAGES)
		whole_hint = MAX(whole_hint, index + 1);
	lock_drop(&alloc_lock);
}

/* The lowest run of @pages free pages, or INVALID_MFN. */
static mfn_t find_run(u64 pages)
{
	u64 run = 0;

	for (mfn_t mfn = 0; mfn < chunk_count * CHUNK_PAGES; mfn++) {
		const struct chunk *chunk = &chunks[mfn / CHUNK_PAGES];

		run = page_used(chunk, mfn % CHUNK_PAGES) ? 0 : run + 1;
		if (run == pages)
			return mfn + 1 - pages;
	}
	return INVALID_MFN;
}

void *boot_alloc(size_t bytes)
{
	u64 pages = ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT;
	mfn_t mfn = find_run(MAX(pages, 1ul));

	if (mfn == INVALID_MFN)
		panic("alloc: no %lu KiB of contiguous memory", bytes >> 10);
	mark(mfn_to_paddr(mfn), mfn_to_paddr(mfn + pages), true);
	taken_pages += pages;
	memset(mfn_to_virt(mfn), 0, pages << PAGE_SHIFT);
	return mfn_to_virt(mfn);
}

void release_modules(const struct boot_info *info)
{
	struct range pieces[BOOT_MAX_REGIONS];
	struct range_list freed = { pieces, 0, ARRAY_SIZE(pieces) };

	for (unsigned int i = 0; i < info->module_count; i++)
		range_list_add(&freed, ALIGN_DOWN(info->module[i].memory.start, PAGE_SIZE),
			       ALIGN_UP(info->module[i].memory.end, PAGE_SIZE));
	range_list_remove(&freed, 0, LOW_MEMORY);
	range_list_remove(&freed, IMAGE_LOAD_ADDRESS, image_to_phys(__image_end));
	for (unsigned int i = 0; i < freed.count; i++) {
		for (unsigned int j = 0; j < info->ram.count; j++) {
			paddr_t start = MAX(pieces[i].start, info->ram.range[j].start);
			paddr_t end = MIN(pieces[i].end, info->ram.range[j].end);

			if (start >= end)
				continue;
			mark(start, end, false);
			reserved_pages -= (end - start) >> PAGE_SHIFT;
		}
	}
	whole_hint = chunk_count;
}

mfn_t alloc_max_mfn(void)
{
	return chunk_count * CHUNK_PAGES;
}

u64 alloc_ram_pages(void)
{
	return ram_pages;
}

struct alloc_stats alloc_stats(void)
{
	struct alloc_stats stats = {
		.ram_pages = ram_pages,
		.hypervisor_pages = taken_pages,
		.most_hypervisor_pages = most_taken_pages,
		.reserved_pages = reserved_pages,
		.guest_chunks = guest_chunks,
	};

	for (u64 i = 0; i < chunk_count; i++) {
		if (chunks[i].free == CHUNK_PAGES)
			stats.free_chunks++;
		else
			stats.free_pages += chunks[i].free;
	}
	return stats;
}
