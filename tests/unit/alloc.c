/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Physical memory: nothing is handed out twice, nothing that is kept is handed out at all, all of
 * it is zero, and the sums are right, for any order of calls.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "alloc.h"
#include "arena.h"
#include "unit.h"

#define MEMORY	  MIB(64)
#define FRAMES	  (MEMORY >> PAGE_SHIFT)
#define IMAGE_END 0x180000 /* see host.h */

static struct range ram[16];
static struct boot_info info;

static void add_ram(u64 start, u64 end)
{
	cr_assert(range_list_add(&info.ram, start, end));
}

static void add_module(u64 start, u64 end)
{
	info.module[info.module_count++].memory = (struct range){ start, end };
}

static void create(void)
{
	arena_create(MEMORY);
	info = (struct boot_info){ .ram = { ram, 0, ARRAY_SIZE(ram) } };
}

/* A machine with holes, RAM that ends within a chunk, and modules of any alignment that touch. */
static void create_usual(void)
{
	create();
	add_ram(0, 0x9f000);
	add_ram(0x100000, MIB(40));
	add_ram(MIB(41), MEMORY - 0x3000);
	add_module(0x181000, 0x423456);
	add_module(0x5000, 0x5011);
	add_module(0x423456, 0x500000);
	alloc_init(&info);
}

TestSuite(alloc, .init = create_usual);

static bool is_ram(mfn_t mfn)
{
	return range_list_covers(&info.ram, mfn_to_paddr(mfn), mfn_to_paddr(mfn + 1));
}

/* In the first MiB, the image or a module. */
static bool is_kept(mfn_t mfn, bool modules_released)
{
	u64 start = mfn_to_paddr(mfn), end = start + PAGE_SIZE;
	unsigned int i;

	if (start < MIB(1) || (start < IMAGE_END && end > MIB(1)))
		return true;
	for (i = 0; i < info.module_count && !modules_released; i++)
		if (start < info.module[i].memory.end && end > info.module[i].memory.start)
			return true;
	return false;
}

static void expect_sums(void)
{
	struct alloc_stats s = alloc_stats();

	cr_expect_eq(s.ram_pages,
		     s.hypervisor_pages + s.reserved_pages + s.free_pages +
			     CHUNK_PAGES * (s.guest_chunks + s.free_chunks),
		     "ram %lu: hypervisor %lu, reserved %lu, free %lu, chunks %lu + %lu",
		     s.ram_pages, s.hypervisor_pages, s.reserved_pages, s.free_pages,
		     s.guest_chunks, s.free_chunks);
}

static void expect_zero(mfn_t mfn)
{
	const u64 *words = mfn_to_virt(mfn);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		cr_assert_eq(words[i], 0, "page %lx is not scrubbed", mfn);
}

/* Takes every page there is; all of them are usable, new and zero. */
static u64 take_all(u8 *taken, bool modules_released)
{
	u64 count = 0;
	mfn_t mfn;

	while ((mfn = page_alloc()) != INVALID_MFN) {
		cr_assert(mfn < FRAMES && is_ram(mfn) && !is_kept(mfn, modules_released),
			  "page %lx is not to be had", mfn);
		cr_assert(!taken[mfn], "page %lx twice", mfn);
		taken[mfn] = 1;
		expect_zero(mfn);
		memset(mfn_to_virt(mfn), 0xaa, PAGE_SIZE);
		count++;
	}
	return count;
}

Test(alloc, every_free_page_is_given_once)
{
	static u8 taken[FRAMES];
	struct alloc_stats before = alloc_stats(), after;
	u64 count = take_all(taken, false);

	cr_expect_eq(count, before.free_pages + CHUNK_PAGES * before.free_chunks);
	cr_expect_eq(chunk_alloc(), INVALID_MFN);
	after = alloc_stats();
	cr_expect(after.free_pages == 0 && after.free_chunks == 0);
	cr_expect_eq(after.hypervisor_pages, before.hypervisor_pages + count);
	expect_sums();
}

Test(alloc, modules_come_back_when_they_are_released)
{
	static u8 taken[FRAMES];
	struct alloc_stats before = alloc_stats(), after;
	u64 i, count;

	for (i = 0x181000; i < 0x500000; i++)
		cr_assert_eq(host_memory[i], 0xcc, "modules are not touched before");
	release_modules(&info);
	expect_sums();
	after = alloc_stats();
	cr_expect_eq(before.reserved_pages - after.reserved_pages,
		     (0x500000 - 0x181000) >> PAGE_SHIFT);
	count = take_all(taken, true);
	cr_expect_eq(count, after.free_pages + CHUNK_PAGES * after.free_chunks);
	cr_expect(taken[0x200] && taken[0x423], "pages of modules");
	cr_expect_not(taken[0x180], "a page of the image");
	cr_expect_not(taken[5], "the first MiB");
}

Test(alloc, chunks_are_aligned_and_from_the_top)
{
	mfn_t mfn, last = FRAMES;
	unsigned int count = 0;

	while ((mfn = chunk_alloc()) != INVALID_MFN) {
		unsigned int i;

		cr_expect(IS_ALIGNED(mfn, CHUNK_PAGES) && mfn < last);
		last = mfn;
		for (i = 0; i < CHUNK_PAGES; i++) {
			cr_assert(is_ram(mfn + i) && !is_kept(mfn + i, false));
			expect_zero(mfn + i);
		}
		count++;
	}
	/* Not the one with the records, those of modules, with holes, or cut short by the end. */
	cr_expect_eq(count, alloc_stats().guest_chunks);
	cr_expect_geq(count, 25);
	expect_sums();
}

Test(alloc, a_chunk_is_whole_again_when_its_last_page_comes_back)
{
	static mfn_t pages[FRAMES];
	u64 count = 0, chunks = alloc_stats().free_chunks, i;

	while ((pages[count] = page_alloc()) != INVALID_MFN)
		count++;
	cr_expect_eq(alloc_stats().free_chunks, 0);
	for (i = 0; i < count; i++)
		page_free(pages[i]);
	cr_expect_eq(alloc_stats().free_chunks, chunks);
	cr_expect_neq(chunk_alloc(), INVALID_MFN);
	expect_sums();
}

/* Whole chunks are for guests: a page comes from a broken one as long as there is any. */
Test(alloc, pages_come_from_broken_chunks_first)
{
	static mfn_t pages[FRAMES];
	u64 count = 0, chunks;

	while (alloc_stats().free_pages)
		pages[count++] = page_alloc();
	pages[count++] = page_alloc(); /* breaks a chunk */
	page_free(pages[0]);
	chunks = alloc_stats().free_chunks;
	page_free(pages[count - 1]); /* and makes it whole again */
	cr_expect_eq(alloc_stats().free_chunks, chunks + 1);
	cr_expect_eq(page_alloc(), pages[0]);
	cr_expect_eq(alloc_stats().free_chunks, chunks + 1);
}

/* Memory of one owner, freed and handed to the next one, shows nothing. */
Test(alloc, what_was_freed_is_scrubbed)
{
	mfn_t page = page_alloc(), chunk = chunk_alloc();
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		memset(mfn_to_virt(page), 0x5a, PAGE_SIZE);
		memset(mfn_to_virt(chunk), 0xa5, CHUNK_SIZE);
		page_free(page);
		chunk_free(chunk);
		page = page_alloc();
		chunk = chunk_alloc();
		expect_zero(page);
		for (i = 0; i < CHUNK_PAGES; i++)
			expect_zero(chunk + i);
	}
	cr_expect_eq(host_memory[0x181000], 0xcc);
}

Test(alloc, contiguous_memory)
{
	u8 *a = boot_alloc(5000000), *b = boot_alloc(1), *c = boot_alloc(PAGE_SIZE + 1);
	u64 i;

	for (i = 0; i < ALIGN_UP(5000000, PAGE_SIZE); i++)
		cr_assert_eq(a[i], 0);
	memset(a, 1, ALIGN_UP(5000000, PAGE_SIZE));
	memset(b, 2, PAGE_SIZE);
	memset(c, 3, 2 * PAGE_SIZE);
	cr_expect(a[0] == 1 && b[0] == 2 && c[0] == 3 && a[4999999] == 1 && b[PAGE_SIZE - 1] == 2);
	cr_expect_eq(host_memory[0x200000], 0xcc, "a module");
	expect_sums();
	EXPECT_PANIC("contiguous memory", boot_alloc(MIB(60)));
	EXPECT_PANIC("contiguous memory", boot_alloc(MIB(400)));
}

Test(alloc, what_is_not_taken_cannot_be_freed)
{
	mfn_t page = page_alloc(), chunk = chunk_alloc();

	EXPECT_PANIC("assertion", page_free(page + 1));
	EXPECT_PANIC("assertion", page_free(chunk));
	EXPECT_PANIC("assertion", page_free(chunk + 7));
	EXPECT_PANIC("assertion", page_free(alloc_max_mfn()));
	EXPECT_PANIC("assertion", page_free(INVALID_MFN));
	EXPECT_PANIC("assertion", chunk_free(chunk + 1));
	EXPECT_PANIC("assertion", chunk_free(chunk - CHUNK_PAGES));
	EXPECT_PANIC("assertion", chunk_free(page & ~511ul));
	EXPECT_PANIC("assertion", chunk_free(alloc_max_mfn()));
	EXPECT_PANIC("assertion", chunk_free(INVALID_MFN & ~511ul));
	page_free(page);
	EXPECT_PANIC("assertion", page_free(page));
	chunk_free(chunk);
	EXPECT_PANIC("assertion", chunk_free(chunk));
	expect_sums();
}

/* What is out, for the random test. */
static mfn_t pages[FRAMES], chunks[64];
static unsigned int page_count, chunk_count;
static u8 owner[FRAMES]; /* 0 nobody, 1 a page, 2 a chunk */

static void take_page(void)
{
	mfn_t mfn = page_alloc();
	struct alloc_stats stats;

	if (mfn == INVALID_MFN) {
		stats = alloc_stats();
		cr_assert(!stats.free_pages && !stats.free_chunks, "a page was to be had");
		return;
	}
	cr_assert(!owner[mfn]);
	owner[mfn] = 1;
	expect_zero(mfn);
	memset(mfn_to_virt(mfn), (int)mfn, PAGE_SIZE);
	pages[page_count++] = mfn;
}

static void take_chunk(void)
{
	mfn_t mfn = chunk_alloc();
	unsigned int i;

	if (mfn == INVALID_MFN) {
		cr_assert_eq(alloc_stats().free_chunks, 0, "a chunk was to be had");
		return;
	}
	for (i = 0; i < CHUNK_PAGES; i++) {
		cr_assert(!owner[mfn + i]);
		owner[mfn + i] = 2;
		expect_zero(mfn + i);
	}
	memset(mfn_to_virt(mfn), 0x77, CHUNK_SIZE);
	chunks[chunk_count++] = mfn;
}

static void drop_page(unsigned int i)
{
	mfn_t mfn = pages[i];

	cr_assert_eq(*(u8 *)mfn_to_virt(mfn), (u8)mfn, "somebody wrote into page %lx", mfn);
	owner[mfn] = 0;
	page_free(mfn);
	pages[i] = pages[--page_count];
}

static void drop_chunk(unsigned int i)
{
	memset(owner + chunks[i], 0, CHUNK_PAGES);
	chunk_free(chunks[i]);
	chunks[i] = chunks[--chunk_count];
}

Test(alloc, random_order)
{
	struct random dice = { 12345 };
	struct alloc_stats start, end;
	unsigned int round, phase = 0;

	release_modules(&info);
	start = alloc_stats();
	for (round = 0; round < 60000; round++) {
		unsigned int what = random_below(&dice, 100);

		if (round % 5000 == 0)
			phase = random_below(&dice, 60); /* now growing, now shrinking */
		if (what < 20 + phase)
			take_page();
		else if (what < 96 && page_count)
			drop_page(random_below(&dice, page_count));
		else if (what < 98)
			take_chunk();
		else if (chunk_count)
			drop_chunk(random_below(&dice, chunk_count));
		if (round % 500 == 0)
			expect_sums();
	}
	while (page_count)
		drop_page(0);
	while (chunk_count)
		drop_chunk(0);
	end = alloc_stats();
	cr_expect_gt(end.most_hypervisor_pages, start.most_hypervisor_pages);
	end.most_hypervisor_pages = start.most_hypervisor_pages;
	cr_expect(!memcmp(&start, &end, sizeof(start)), "all of it came back");
}

TestSuite(alloc_machine, .init = create);

Test(alloc_machine, records_keep_off_what_is_kept)
{
	static u8 taken[FRAMES];
	u64 i;

	add_ram(0, MEMORY);
	add_module(IMAGE_END + 0x1000, IMAGE_END + 0x1001); /* little gaps first */
	add_module(IMAGE_END + 0x2fff, MIB(30));
	memset(host_memory + IMAGE_END + 0x1000, 0x11, 1);
	memset(host_memory + IMAGE_END + 0x3000, 0x22, MIB(30) - IMAGE_END - 0x3000);
	alloc_init(&info);
	take_all(taken, false);
	cr_expect_eq(host_memory[IMAGE_END + 0x1000], 0x11);
	for (i = IMAGE_END + 0x3000; i < MIB(30); i++)
		cr_assert_eq(host_memory[i], 0x22);
	expect_sums();
}

Test(alloc_machine, a_module_outside_ram_is_no_harm)
{
	add_ram(0, MIB(16));
	add_ram(MIB(20), MIB(22));
	add_module(MIB(17), MIB(18));	      /* in a hole */
	add_module(MIB(15) + 5, MIB(21) - 5); /* across it */
	add_module(MIB(40), MIB(41));	      /* behind the end */
	add_module(MIB(3), MIB(3));	      /* empty */
	alloc_init(&info);
	expect_sums();
	release_modules(&info);
	expect_sums();
	cr_expect_eq(alloc_stats().ram_pages, MIB(18) >> PAGE_SHIFT);
	cr_expect_eq(alloc_max_mfn(), MIB(22) >> PAGE_SHIFT);
	while (page_alloc() != INVALID_MFN)
		;
	expect_sums();
}

Test(alloc_machine, modules_that_overlap_are_released_once)
{
	add_ram(0, MEMORY);
	add_module(MIB(4), MIB(8));
	add_module(MIB(6), MIB(10));
	add_module(MIB(5), MIB(7));
	alloc_init(&info);
	expect_sums();
	release_modules(&info);
	expect_sums();
	cr_expect_eq(alloc_stats().reserved_pages, (MIB(1) + IMAGE_END - MIB(1)) >> PAGE_SHIFT);
}

Test(alloc_machine, no_place_for_the_records)
{
	add_ram(0, MIB(2));
	add_module(MIB(1), MIB(2));
	EXPECT_PANIC("no place", alloc_init(&info));
}

Test(alloc_machine, many_modules)
{
	unsigned int i;

	add_ram(0, MEMORY);
	for (i = 0; i < BOOT_MAX_MODULES; i++)
		add_module(MIB(2) + i * 0x4000, MIB(2) + i * 0x4000 + 1);
	alloc_init(&info);
	expect_sums();
	release_modules(&info);
	expect_sums();
}
