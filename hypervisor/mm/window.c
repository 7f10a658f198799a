/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The information windows: read-only views of the time page, of the domain's pfn->mfn array, and
 * of the machine's mfn->pfn array as far as it speaks of the domain's own frames. Guest memory
 * comes in chunks of 512 frames, so each page of the mfn->pfn array speaks of one owner: pages of
 * others are replaced by one page that says INVALID.
 */
#include "alloc.h"
#include "cpu.h"
#include "lib.h"
#include "log.h"
#include "paging.h"

enum { WINDOW_TIME, WINDOW_P2M, WINDOW_M2P };

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

/* The table below entry @index of @table, made if it is not there; NULL without memory. */
static u64 *next_table(u64 *table, unsigned int index)
{
	mfn_t mfn;

	if (!(table[index] & PTE_P)) {
		mfn = page_alloc();
		if (mfn == INVALID_MFN)
			return NULL;
		table[index] = mfn_to_paddr(mfn) | PTE_P;
	}
	return mfn_to_virt(entry_mfn(table[index]));
}

static bool map(struct domain *domain, unsigned int window, u64 page, mfn_t mfn)
{
	u64 *table = mfn_to_virt(domain->windows_l3[window]);

	table = next_table(table, (page >> 18) & 511);
	if (table)
		table = next_table(table, (page >> 9) & 511);
	if (!table || mfn == INVALID_MFN)
		return false;
	table[page & 511] = mfn_to_paddr(mfn) | PTE_P | PTE_NX;
	return true;
}

static bool map_p2m(struct domain *domain)
{
	u64 chunk, i, *array;
	mfn_t mfn;

	for (chunk = 0; chunk < domain->pages / CHUNK_PAGES; chunk++) {
		mfn = page_alloc();
		if (mfn == INVALID_MFN)
			return false;
		array = mfn_to_virt(mfn);
		for (i = 0; i < CHUNK_PAGES; i++)
			array[i] = domain_mfn(domain, chunk * CHUNK_PAGES + i);
		if (!map(domain, WINDOW_P2M, chunk, mfn)) {
			page_free(mfn);
			return false;
		}
	}
	return true;
}

static bool map_m2p(struct domain *domain)
{
	mfn_t first = virt_to_mfn(m2p_table), mfn;
	u64 chunk;

	for (chunk = 0; chunk < frame_count / CHUNK_PAGES; chunk++) {
		mfn = frame_table[chunk * CHUNK_PAGES].owner == domain->id ? first + chunk :
									      invalid_page_get();
		if (!map(domain, WINDOW_M2P, chunk, mfn))
			return false;
	}
	return true;
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
	       map(domain, WINDOW_TIME, 0, domain_mfn(domain, domain->time_pfn));
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
