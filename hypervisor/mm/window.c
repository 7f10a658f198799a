/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The information windows: read-only views of the time page, of the domain's pfn->mfn array, and
 * of the machine's mfn->pfn array as far as it speaks of the domain's own frames. Guest memory
 * comes in chunks of 512 frames, so each page of the mfn->pfn array speaks of one owner: pages of
 * others are replaced by one page that says INVALID. The last window shows ring pages of other
 * domains (core/ring.c), writable.
 *
 * Tables below a window are common to all vCPUs, so what a window shows changes in one place. The
 * entries of the leaves say what may be written.
 */
#include "alloc.h"
#include "cpu.h"
#include "lib.h"
#include "paging.h"

enum { WINDOW_TIME, WINDOW_P2M, WINDOW_M2P, WINDOW_RINGS };

static mfn_t invalid_page = INVALID_MFN;

static mfn_t invalid_page_get(void)
{
	if (invalid_page == INVALID_MFN) {
		invalid_page = page_alloc();
		if (invalid_page != INVALID_MFN)
			memset(mfn_to_virt(invalid_page), 0xff, PAGE_SIZE);
	}
	return invalid_page;
}

/* The page behind *@entry, made if it is not there; NULL without memory. */
static u64 *page_behind(u64 *entry, u64 flags)
{
	u64 *page;

	if (*entry & PTE_P)
		return mfn_to_virt(entry_mfn(*entry));
	page = page_zalloc();
	if (page)
		*entry = virt_to_phys(page) | PTE_P | flags;
	return page;
}

/* The leaf entry for page @page of a window; NULL without memory. */
static u64 *leaf(struct domain *domain, unsigned int window, u64 page)
{
	u64 *table = mfn_to_virt(domain->windows_l3[window]);

	table = page_behind(&table[(page >> 18) & 511], PTE_W);
	if (table)
		table = page_behind(&table[(page >> 9) & 511], PTE_W);
	return table ? &table[page & 511] : NULL;
}

static bool map(struct domain *domain, unsigned int window, u64 page, mfn_t mfn, u64 flags)
{
	u64 *entry = mfn == INVALID_MFN ? NULL : leaf(domain, window, page);

	if (entry)
		*entry = mfn_to_paddr(mfn) | PTE_P | PTE_NX | flags;
	return entry;
}

/* Fills the page of the pfn->mfn window that tells of the chunk at @pfn. */
static bool tell_chunk(struct domain *domain, pfn_t pfn)
{
	u64 i, *entry = leaf(domain, WINDOW_P2M, pfn / CHUNK_PAGES);
	u64 *array = entry ? page_behind(entry, PTE_NX) : NULL;

	if (!array)
		return false;
	for (i = 0; i < CHUNK_PAGES; i++)
		array[i] = domain_mfn(domain, pfn + i);
	return true;
}

static bool map_p2m(struct domain *domain)
{
	pfn_t pfn;

	for (pfn = 0; pfn < domain->pages; pfn += CHUNK_PAGES)
		if (!tell_chunk(domain, pfn))
			return false;
	return true;
}

/* Shows the page of the mfn->pfn array that tells of the chunk of @mfn, if it is @domain's. */
static bool map_m2p_chunk(struct domain *domain, u64 chunk, bool own)
{
	mfn_t page = own ? virt_to_mfn(m2p_table) + chunk : invalid_page_get();

	return map(domain, WINDOW_M2P, chunk, page, 0);
}

static bool map_m2p(struct domain *domain)
{
	u64 chunk;

	for (chunk = 0; chunk < frame_count / CHUNK_PAGES; chunk++)
		if (!map_m2p_chunk(domain, chunk,
				   frame_table[chunk * CHUNK_PAGES].owner == domain->id))
			return false;
	return true;
}

void windows_show_chunk(struct domain *domain, pfn_t pfn)
{
	tell_chunk(domain, pfn);
	map_m2p_chunk(domain, domain_mfn(domain, pfn) / CHUNK_PAGES, true);
}

void windows_hide_chunk(struct domain *domain, pfn_t pfn)
{
	u64 i, *array = mfn_to_virt(entry_mfn(*leaf(domain, WINDOW_P2M, pfn / CHUNK_PAGES)));

	map_m2p_chunk(domain, domain_mfn(domain, pfn) / CHUNK_PAGES, false);
	for (i = 0; i < CHUNK_PAGES; i++)
		WRITE_ONCE(array[i], TORC_INVALID_FRAME);
}

/**
 * windows_create - makes the windows of @domain, whose memory is complete
 * Return: false without memory; windows_destroy() then gives back what there is.
 */
bool windows_create(struct domain *domain)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(domain->windows_l3); i++) {
		domain->windows_l3[i] = page_alloc();
		if (domain->windows_l3[i] == INVALID_MFN)
			return false;
	}
	return map_p2m(domain) && map_m2p(domain) &&
	       map(domain, WINDOW_TIME, 0, domain_mfn(domain, domain->time_pfn), 0);
}

bool window_show_ring(struct domain *domain, unsigned int slot, mfn_t mfn)
{
	return map(domain, WINDOW_RINGS, slot, mfn, PTE_W);
}

static void free_level(mfn_t mfn, unsigned int level, bool leaves)
{
	u64 *table = mfn_to_virt(mfn);
	unsigned int i;

	for (i = 0; i < ENTRIES; i++) {
		if (!(table[i] & PTE_P))
			continue;
		if (level > 1)
			free_level(entry_mfn(table[i]), level - 1, leaves);
		else if (leaves)
			page_free(entry_mfn(table[i]));
	}
	page_free(mfn);
}

void windows_destroy(struct domain *domain)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(domain->windows_l3); i++)
		if (domain->windows_l3[i] != INVALID_MFN)
			free_level(domain->windows_l3[i], 3, i == WINDOW_P2M);
}
