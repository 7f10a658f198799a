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
#define LOW_MEMORY	MIB(1)		/* BIOS data; other CPUs start there */
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
	if (page_used(chunk, page) == used)
		return;
	chunk->used[page / 64] ^= 1ul << page % 64;
	chunk->free += used ? -1 : 1;
}

static void chunk_set_used(struct chunk *chunk, bool used)
{
	memset(chunk->used, used ? 0xff : 0, sizeof(chunk->used));
	chunk->free = used ? 0 : CHUNK_PAGES;
}

/* Marks [start, end), page aligned, used or free. Return: how many pages were not yet. */
static u64 mark(paddr_t start, paddr_t end, bool used)
{
	u64 pages = 0;

	for (paddr_t at = start, next; at < end; at = next) {
		struct chunk *chunk = &chunks[at >> CHUNK_SHIFT];
		u16 before = chunk->free;

		if (IS_ALIGNED(at, CHUNK_SIZE) && end - at >= CHUNK_SIZE) {
			next = at + CHUNK_SIZE;
			chunk_set_used(chunk, used);
		} else {
			next = at + PAGE_SIZE;
			page_set_used(chunk, (at >> PAGE_SHIFT) % CHUNK_PAGES, used);
		}
		pages += used ? before - chunk->free : chunk->free - before;
	}
	return pages;
}

/* The same for what of it is usable RAM. */
static u64 mark_ram(const struct boot_info *info, paddr_t start, paddr_t end, bool used)
{
	u64 pages = 0;

	for (unsigned int i = 0; i < info->ram.count; i++)
		pages += mark(MAX(start, info->ram.range[i].start),
			      MIN(end, info->ram.range[i].end), used);
	return pages;
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

	place = place_records(info, bytes);
	chunks = phys_to_virt(place);
	memset(chunks, 0, bytes);
	mark(0, chunk_count << CHUNK_SHIFT, true);
	ram_pages = mark_ram(info, 0, top, false);
	for (unsigned int i = 0; i < kept.count; i++)
		reserved_pages += mark_ram(info, kept_ranges[i].start, kept_ranges[i].end, true);
	taken_pages = mark(place, place + bytes, true);
	whole_hint = chunk_count;
}

mfn_t chunk_alloc(void)
{
	mfn_t mfn = INVALID_MFN;

	lock_take(&alloc_lock);
	while (whole_hint > 0 && chunks[whole_hint - 1].free != CHUNK_PAGES)
		whole_hint--;
	if (whole_hint > 0) {
		mfn = --whole_hint * CHUNK_PAGES;
		chunk_set_used(&chunks[whole_hint], true);
		chunks[whole_hint].guest = true;
		guest_chunks++;
	}
	lock_drop(&alloc_lock);
	if (mfn != INVALID_MFN)
		memset(mfn_to_virt(mfn), 0, CHUNK_SIZE);
	return mfn;
}

void chunk_free(mfn_t mfn)
{
	u64 index = mfn / CHUNK_PAGES;
	struct chunk *chunk = &chunks[index];

	assert(index < chunk_count && IS_ALIGNED(mfn, CHUNK_PAGES) && chunk->guest);
	lock_take(&alloc_lock);
	chunk_set_used(chunk, false);
	chunk->guest = false;
	guest_chunks--;
	whole_hint = MAX(whole_hint, index + 1);
	lock_drop(&alloc_lock);
}

/* The chunk to take the next page from: one that is broken already if there is any. */
static struct chunk *chunk_for_page(void)
{
	struct chunk *whole = NULL;

	if (ram_pages == reserved_pages + taken_pages + guest_chunks * CHUNK_PAGES)
		return NULL; /* without a look at each: guests may ask again and again */
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

static mfn_t take_page(struct chunk *chunk)
{
	unsigned int word = 0, page;

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
	struct chunk *chunk;
	mfn_t mfn;

	lock_take(&alloc_lock);
	chunk = chunk_for_page();
	mfn = chunk ? take_page(chunk) : INVALID_MFN;
	lock_drop(&alloc_lock);
	if (mfn != INVALID_MFN)
		memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
	return mfn;
}

void page_free(mfn_t mfn)
{
	u64 index = mfn / CHUNK_PAGES;

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
	taken_pages += mark(mfn_to_paddr(mfn), mfn_to_paddr(mfn + pages), true);
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
	for (unsigned int i = 0; i < freed.count; i++)
		reserved_pages -= mark_ram(info, pieces[i].start, pieces[i].end, false);
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
