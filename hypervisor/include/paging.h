/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Direct paging: references on frames through table entries, and the changes a guest may make.
 */
#ifndef TORC_PAGING_H
#define TORC_PAGING_H

#include "cpu.h"
#include "domain.h"

#define ENTRIES 512

static inline mfn_t entry_mfn(u64 entry)
{
	return (entry & PTE_ADDRESS) >> PAGE_SHIFT;
}

/**
 * frame_get_writable - takes a writable reference on @mfn, as a writable mapping would
 * Return: 0, TORC_ENOENT for INVALID_MFN, TORC_EPERM when the frame is not @domain's, TORC_EBUSY
 * when it is a table, TORC_ENOMEM when it has as many uses as can be counted.
 */
int frame_get_writable(struct domain *domain, mfn_t mfn);
void frame_put_writable(struct domain *domain, mfn_t mfn);

/* Result of work on tables that stopped half-way because something else is due: call again. */
#define STOPPED 1

/**
 * table_get - takes a reference on @mfn as a table of @level, validating it if it was none
 * Return: 0; STOPPED; TORC_EPERM, TORC_EBUSY or TORC_EINVAL with nothing changed.
 */
int table_get(struct domain *domain, mfn_t mfn, unsigned int level);

/** table_release - gives a reference back; table_settle() finishes what takes too long */
void table_release(struct domain *domain, mfn_t mfn);

/**
 * table_settle - finishes what an earlier table_release() left
 * Return: false when it stopped again. Nothing else may be done to the domain's tables before it
 * is true.
 */
bool table_settle(struct domain *domain);

/** table_pin - @mfn stays a table of @level until table_unpin(); errors as table_get() */
int table_pin(struct domain *domain, mfn_t mfn, unsigned int level);

/** table_unpin - undoes table_pin(), or a pin that stopped; TORC_ENOENT when there is neither */
int table_unpin(struct domain *domain, mfn_t mfn);

static inline bool is_table(const struct frame *frame)
{
	return frame->type >= FRAME_L1 && frame->type <= FRAME_L4;
}

/** table_is_live - is @frame a table all of whose entries are valid? */
static inline bool table_is_live(const struct frame *frame)
{
	return is_table(frame) && !(frame->flags & FRAME_PARTIAL);
}

/**
 * page_find - the frame behind @pfn of @domain, which is memory and no table
 *
 * Types and owners change under the domain's lock. While the caller holds that the hypervisor can
 * read and write the frame, and needs no reference.
 * Return: 0, TORC_ENOENT, TORC_EBUSY for a table.
 */
static inline int page_find(const struct domain *domain, pfn_t pfn, mfn_t *mfn)
{
	*mfn = domain_mfn(domain, pfn);
	if (*mfn == INVALID_MFN)
		return TORC_ENOENT;
	return is_table(&frame_table[*mfn]) ? TORC_EBUSY : 0;
}

/** table_level - 1 to 4 for a live table of @domain, else TORC_EPERM (foreign) or TORC_EINVAL */
int table_level(const struct domain *domain, mfn_t mfn);

/**
 * table_set - replaces entry @index of the table frame @mfn
 * @keep: keep A and D of the old entry if both name one frame
 * @old: receives the old entry, may be NULL
 * Return: 0; STOPPED; TORC_EINVAL for a frame that is no table or an entry with reserved bits,
 *	TORC_EPERM for a foreign frame or a slot of the hypervisor, TORC_EBUSY for a conflict of
 *	types.
 */
int table_set(struct domain *domain, mfn_t mfn, unsigned int index, u64 entry, bool keep, u64 *old);

/** table_compare_set - the same if the entry is still *@old; else *@old receives it, TORC_EAGAIN */
int table_compare_set(struct domain *domain, mfn_t mfn, unsigned int index, u64 entry, u64 *old);

/**
 * table_clear - clears @count entries; the table must be live
 * @old: receives the old entries, may be NULL
 * One entry at a time above level 1, table_settle() between them.
 */
void table_clear(struct domain *domain, mfn_t mfn, unsigned int index, unsigned int count,
		 u64 *old);

/** table_clear_bits - clears @bits (W, A, D) in those of @count entries that are present */
void table_clear_bits(struct domain *domain, mfn_t mfn, unsigned int index, unsigned int count,
		      u64 bits);

/**
 * table_fill - sets @count entries from an array that a guest can write
 * @done: receives how many were set; errors as table_set()
 * One entry at a time above level 1, table_settle() between them.
 */
int table_fill(struct domain *domain, mfn_t mfn, unsigned int index, unsigned int count,
	       const u64 *entries, unsigned int *done);

/* batch.c */

/**
 * page_register - @pages[@index] becomes @page, with a writable reference
 * Either may be INVALID_PFN.
 * @count: how many @pages there are
 * Return: 0, TORC_EINVAL for another @index, errors of frame_get_writable(). Holding the domain's
 * lock.
 */
int page_register(struct domain *domain, pfn_t *pages, u64 count, u64 index, pfn_t page);

/** area_op - operation @index of @vcpu's batch area, which its guest can write; NULL if absent */
void *area_op(struct vcpu *vcpu, u64 index);

/* flush.c */

/** flush_vcpus - what vCPUs of the set @vcpus cached of @domain's tables is gone when it returns */
void flush_vcpus(struct domain *domain, u64 vcpus);

/** flush_tables - the same for all of them; holding the domain's lock */
void flush_tables(struct domain *domain);

/* linear.c */

/**
 * table_walk - the level-1 entry for @address below the level-4 table @table
 * Return: NULL when a table on the way is absent or not memory of domain @owner.
 */
u64 *table_walk(u16 owner, mfn_t table, u64 address);

void linear_protect(struct domain *domain, mfn_t mfn);
void linear_unprotect(struct domain *domain, mfn_t mfn);

/* root.c */

/** root_load - makes @mfn the root of @vcpu; errors as table_get() */
int root_load(struct vcpu *vcpu, mfn_t mfn);

/**
 * root_copy_of - the copy of @vcpu's root that the hardware walks
 * Return: its address, INVALID_PADDR when the hypervisor has no memory for the first copy.
 */
paddr_t root_copy_of(struct vcpu *vcpu);

/** root_prepare - empties @vcpu's cache of copies and takes a first frame; false without memory */
bool root_prepare(struct vcpu *vcpu);

/** root_free_copies - gives back the frames of all copies of @vcpu, which will not run again */
void root_free_copies(struct vcpu *vcpu);

/** root_update - carries a changed level-4 entry to all copies of @mfn in @domain */
void root_update(struct domain *domain, mfn_t mfn, unsigned int index, u64 entry);

/** root_forget - @mfn stops being a level-4 table: drops its copies */
void root_forget(struct domain *domain, mfn_t mfn);

/* window.c */
bool windows_create(struct domain *domain);
void windows_destroy(struct domain *domain);

/**
 * windows_show_chunk - tells the guest of the chunk that it has at @pfn from now on
 * windows_create() has made all that this needs.
 */
void windows_show_chunk(struct domain *domain, pfn_t pfn);

/** windows_hide_chunk - shows the chunk at @pfn no more; CPUs may remember it until they flush */
void windows_hide_chunk(struct domain *domain, pfn_t pfn);

/** window_show_ring - shows @mfn in slot @slot of the ring window; false without memory */
bool window_show_ring(struct domain *domain, unsigned int slot, mfn_t mfn);

/* walker.c */

/**
 * guest_read - copies memory at a guest virtual address, as ring 1 of @vcpu would see it
 * Return: bytes copied; fewer than @bytes where something is not mapped.
 */
size_t guest_read(struct vcpu *vcpu, gva_t address, void *buffer, size_t bytes);

#endif
