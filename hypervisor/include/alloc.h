/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Physical memory. Two sizes: chunks of 2 MiB for guests, pages for the hypervisor (which breaks
 * chunks up as it needs them). Whatever is handed out is zero, so nothing that was freed is seen
 * again.
 */
#ifndef TORC_ALLOC_H
#define TORC_ALLOC_H

#include "boot.h"
#include "layout.h"
#include "types.h"

struct alloc_stats {
	u64 ram_pages;		/* usable RAM of the machine */
	u64 hypervisor_pages;	/* taken by page_alloc(), boot_alloc(), the allocator's table */
	u64 most_hypervisor_pages; /* so far */
	u64 reserved_pages;	/* image, modules, first MiB */
	u64 guest_chunks;	/* taken by chunk_alloc() */
	u64 free_chunks;	/* whole chunks still free */
	u64 free_pages;		/* free pages outside free chunks */
};

/**
 * alloc_init() - take over the machine's RAM
 * @info: the image, all modules and the first MiB are left out
 * Panics if the first 4 GiB have no room for the allocator's table.
 */
void alloc_init(const struct boot_info *info);

/**
 * chunk_alloc() - take a 2 MiB-aligned chunk, zeroed
 * Return: its first frame, or INVALID_MFN.
 */
mfn_t chunk_alloc(void);

/**
 * chunk_free() - give a chunk back
 * @mfn: exactly what chunk_alloc() gave
 */
void chunk_free(mfn_t mfn);

/**
 * page_alloc() - take a zeroed page for the hypervisor's own use
 * Return: INVALID_MFN if there is none. Low addresses come first.
 */
mfn_t page_alloc(void);

/**
 * page_free() - give a page of page_alloc() back
 */
void page_free(mfn_t mfn);

/**
 * page_zalloc() - the same as a direct-map pointer, NULL if there is none; page_drop() takes either
 */
static inline void *page_zalloc(void)
{
	mfn_t mfn = page_alloc();

	return mfn == INVALID_MFN ? NULL : mfn_to_virt(mfn);
}

static inline void page_drop(void *page)
{
	if (page)
		page_free(virt_to_mfn(page));
}

/**
 * boot_alloc() - take contiguous, page-aligned, zeroed memory for good
 * @bytes: rounded up to pages
 * Return: a direct-map pointer; panics if there is none.
 */
void *boot_alloc(size_t bytes);

/**
 * release_modules() - give the modules' memory back
 * @info: as for alloc_init()
 *
 * Once, after the last module has been read.
 */
void release_modules(const struct boot_info *info);

/**
 * alloc_max_mfn() - one above the highest usable frame: the size of arrays indexed by mfn
 */
mfn_t alloc_max_mfn(void);

/**
 * alloc_ram_pages() - usable RAM of the machine
 */
u64 alloc_ram_pages(void);

/**
 * alloc_stats() - counts at this moment
 */
struct alloc_stats alloc_stats(void);

#endif
