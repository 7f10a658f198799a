/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The linear map: a guest kernel has all of its memory mapped writable in one place, which is one
 * writable mapping too many when a page becomes a table. Instead of a batch operation for each such
 * page, the hypervisor takes W out of that one entry itself, and puts it back when the page is
 * ordinary memory again (FRAME_LINEAR_RO remembers that it did).
 *
 * domain->linear_root is the root that a vCPU of the domain loaded last. That vCPU still holds it
 * (loading another one changes the field), so it and all tables below are valid.
 */
#include "cpu.h"
#include "paging.h"

u64 *table_walk(u16 owner, mfn_t table, u64 address)
{
	unsigned int level;
	u64 entry;

	for (level = 4; level > 1; level--) {
		entry = ((u64 *)mfn_to_virt(table))[(address >> (3 + 9 * level)) & 511];
		table = entry_mfn(entry);
		if (!(entry & PTE_P) || !frame_owned_by(table, owner))
			return NULL;
	}
	return (u64 *)mfn_to_virt(table) + ((address >> PAGE_SHIFT) & 511);
}

/* The level-1 entry of the linear map for @mfn's page, or NULL. */
static u64 *linear_entry(struct domain *domain, mfn_t mfn)
{
	u64 address = domain->linear_base + (m2p_table[mfn] << PAGE_SHIFT);

	if (domain->linear_root == INVALID_MFN)
		return NULL;
	return table_walk(domain->id, domain->linear_root, address);
}

static bool maps(u64 entry, mfn_t mfn)
{
	return (entry & PTE_P) && entry_mfn(entry) == mfn;
}

/** linear_protect - takes W out of the linear map's entry for @mfn, with its reference */
void linear_protect(struct domain *domain, mfn_t mfn)
{
	struct frame *frame = &frame_table[mfn];
	u64 *entry = linear_entry(domain, mfn);
	u64 old;

	if (!entry || !maps(*entry, mfn) || !(*entry & PTE_W))
		return;
	old = __atomic_fetch_and(entry, ~PTE_W, __ATOMIC_ACQ_REL);
	if ((old & PTE_W) && --frame->type_count == 0)
		frame->type = FRAME_NONE;
	frame->flags |= FRAME_LINEAR_RO;
}

/** linear_unprotect - undoes linear_protect(); the frame must not be a table any more */
void linear_unprotect(struct domain *domain, mfn_t mfn)
{
	struct frame *frame = &frame_table[mfn];
	u64 *entry;

	if (!(frame->flags & FRAME_LINEAR_RO))
		return;
	frame->flags &= ~FRAME_LINEAR_RO;
	entry = linear_entry(domain, mfn);
	if (!entry || !maps(*entry, mfn) || (*entry & PTE_W))
		return;
	frame->type = FRAME_WRITABLE;
	frame->type_count++;
	__atomic_fetch_or(entry, PTE_W, __ATOMIC_ACQ_REL);
}
