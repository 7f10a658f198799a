/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file pte.h
 * Page-table entries: between the page numbers a kernel thinks in and the machine frames that the
 * hardware walks.
 *
 * A kernel keeps pfns everywhere. mfns stand only in present entries: torc_pte_make() is the one
 * way in, torc_pte_read() the one way out. The hypervisor may have put bits of an entry
 * aside in its own (52..55), for instance while it logs writes; torc_pte_fold() shows
 * the entry as the guest made it. An entry that is not present is the guest's own business, so long
 * as its address bits name no memory: torc_pte_absent() inverts them.
 */
#ifndef TORC_PTE_H
#define TORC_PTE_H

#include <torc/call.h>

#define TORC_PTE_TABLE (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_USER | TORC_PTE_ACCESSED)

/** Entries of the mfn->pfn window (torc_start.machine_frames); a port sets it once at boot. */
extern uint64_t torc_machine_frames;

/** torc_pfn_to_mfn() - machine frame of a page; @pfn must be below the domain's number of pages */
static inline uint64_t torc_pfn_to_mfn(uint64_t pfn)
{
	return ((const volatile uint64_t *)TORC_WINDOW_P2M)[pfn];
}

/** torc_mfn_to_pfn() - page of a machine frame, TORC_INVALID_FRAME if it is not this domain's */
static inline uint64_t torc_mfn_to_pfn(uint64_t mfn)
{
	if (torc_unlikely(mfn >= torc_machine_frames))
		return TORC_INVALID_FRAME;
	return ((const volatile uint64_t *)TORC_WINDOW_M2P)[mfn];
}

/**
 * torc_pte_fold() - an entry as read from a table, without what the hypervisor keeps in it
 *
 * The hypervisor's bits are its own in present entries only; those of others belong to the guest,
 * which may keep an inverted number there.
 */
static inline uint64_t torc_pte_fold(uint64_t raw)
{
	if (torc_unlikely(raw & TORC_PTE_HYPERVISOR) && (raw & TORC_PTE_PRESENT)) {
		if (raw & TORC_PTE_DIRTY_ASIDE)
			raw |= TORC_PTE_DIRTY;
		if (raw & TORC_PTE_WRITE_ASIDE)
			raw |= TORC_PTE_WRITE;
		raw &= ~TORC_PTE_HYPERVISOR;
	}
	return raw;
}

/**
 * torc_pte_make() - a present entry
 * @pfn: page of this domain
 * @bits: everything but the address, TORC_PTE_PRESENT included
 */
static inline uint64_t torc_pte_make(uint64_t pfn, uint64_t bits)
{
	return torc_pfn_to_mfn(pfn) << TORC_PAGE_SHIFT | bits;
}

/**
 * torc_pte_from_gpa() - turns an entry that names a guest-physical address into a real one
 * @entry: entry as the kernel sees it; returned unchanged if it is not present
 */
static inline uint64_t torc_pte_from_gpa(uint64_t entry)
{
	if (!(entry & TORC_PTE_PRESENT))
		return entry;
	return torc_pte_make((entry & TORC_PTE_FRAME) >> TORC_PAGE_SHIFT, entry & ~TORC_PTE_FRAME);
}

/**
 * torc_pte_read() - turns an entry as read from a table into one that names a guest-physical
 * address
 * @raw: contents of the entry
 *
 * A present entry that names no page of this domain reads as 0; there is none in a guest's tables.
 */
static inline uint64_t torc_pte_read(uint64_t raw)
{
	uint64_t pfn;

	if (!(raw & TORC_PTE_PRESENT))
		return raw;
	raw = torc_pte_fold(raw);
	pfn = torc_mfn_to_pfn((raw & TORC_PTE_FRAME) >> TORC_PAGE_SHIFT);
	if (torc_unlikely(pfn == TORC_INVALID_FRAME))
		return 0;
	return pfn << TORC_PAGE_SHIFT | (raw & ~TORC_PTE_FRAME);
}

/** torc_pte_absent() - an entry that is not present and keeps a number in its address bits */
static inline uint64_t torc_pte_absent(uint64_t number, uint64_t bits)
{
	return (~(number << TORC_PAGE_SHIFT) & TORC_PTE_FRAME) | (bits & ~TORC_PTE_PRESENT);
}

/** torc_pte_absent_number() - the number that torc_pte_absent() kept */
static inline uint64_t torc_pte_absent_number(uint64_t entry)
{
	return (~entry & TORC_PTE_FRAME) >> TORC_PAGE_SHIFT;
}

#endif
