/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file descriptor.h
 * Segment descriptors: what stands in for LGDT, LLDT, LTR and stores to the descriptor tables.
 *
 * The GDT is the hypervisor's, read-only, with four descriptors of the guest's own for TLS and the
 * like; the LDT is a validated copy. LIDT and LTR have no replacement: entries are registered with
 * torc_entries(), and the stack for entries from ring 3 is whatever the entry code loads.
 */
#ifndef TORC_DESCRIPTOR_H
#define TORC_DESCRIPTOR_H

#include <torc/calls.h>

/** torc_selector() - selector of GDT descriptor @index for ring 3 */
static inline uint16_t torc_selector(uint32_t index)
{
	return (uint16_t)(index << 3 | 3);
}

/**
 * torc_descriptor() - a data or code segment descriptor of ring 3
 * @base: @limit: segment; the limit in bytes or, with @flags bit 15 (G), in pages
 * @flags: bits 0..7 type byte with P and DPL (0xf2: data), bits 12..15 AVL, L, D, G
 */
static inline uint64_t torc_descriptor(uint32_t base, uint32_t limit, uint16_t flags)
{
	return (uint64_t)(base & 0xff000000) << 32 | (uint64_t)(flags & 0xf0ff) << 40 |
	       (uint64_t)(limit & 0xf0000) << 32 | (uint64_t)(base & 0xffffff) << 16 |
	       (limit & 0xffff);
}

/**
 * torc_ldt_set() - replaces the LDT
 * @pfns: page number of each page of @entries descriptors, 512 to a page
 * @entries: 0..TORC_LDT_MAX_ENTRIES; 0 removes the LDT
 *
 * The pages are copied: later changes to them have no effect.
 *
 * Return: TORC_OK or the error of ldt_load; then the LDT ends before the page that was refused.
 */
int64_t torc_ldt_set(const uint64_t *pfns, uint32_t entries);

/**
 * torc_entries() - registers all entry points of this vCPU
 * @addresses: by TORC_ENTRY_*
 *
 * Return: TORC_OK or the error of set_entry.
 */
int64_t torc_entries(const uint64_t addresses[TORC_ENTRY_COUNT]);

#endif
