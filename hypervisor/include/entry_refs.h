/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What one entry takes from the frame it names, and gives back: shared by paging.c, which validates
 * whole tables, and change.c, which changes entries. The rules are told in paging.c.
 */
#ifndef TORC_ENTRY_REFS_H
#define TORC_ENTRY_REFS_H

#include "paging.h"

/* Cache bits: RAM is write-back only. Large pages: not in this version. */
#define BAD_L1 (PTE_PWT | PTE_PCD | PTE_PAT | TORC_PTE_HYPERVISOR)
#define BAD_TABLE (PTE_PWT | PTE_PCD | PTE_PS | TORC_PTE_HYPERVISOR)

static inline u64 *table_of(mfn_t mfn)
{
	return mfn_to_virt(mfn);
}

/*
 * A non-present entry must not name memory: a processor may load from it speculatively (L1TF). Its
 * cache compares no more address bits than memory has: those above do not make an entry harmless.
 */
static inline int check_absent(u64 entry)
{
	mfn_t mfn = entry_mfn(entry) & cpu_features.frame_mask;

	return mfn == 0 || mfn >= frame_count ? 0 : TORC_EINVAL;
}

static inline int get_writable(struct frame *frame)
{
	if (frame->type_count == 0)
		frame->type = FRAME_WRITABLE;
	else if (frame->type != FRAME_WRITABLE)
		return TORC_EBUSY;
	frame->type_count++;
	return 0;
}

static inline void put_type(struct frame *frame)
{
	if (--frame->type_count == 0)
		frame->type = FRAME_NONE;
}

static inline int get_ref(struct frame *frame)
{
	if (unlikely(frame->ref_count == ~0u))
		return TORC_ENOMEM;
	frame->ref_count++;
	return 0;
}

/* Takes what a level-1 entry needs. This and its counterpart are the heart of every batch. */
static __always_inline int get_l1_entry(u16 owner, u64 entry)
{
	struct frame *frame;

	if (!(entry & PTE_P))
		return check_absent(entry);
	if (entry & BAD_L1)
		return TORC_EINVAL;
	frame = frame_owned_by(entry_mfn(entry), owner);
	if (unlikely(!frame))
		return TORC_EPERM;
	if (get_ref(frame))
		return TORC_ENOMEM;
	if ((entry & PTE_W) && get_writable(frame)) {
		frame->ref_count--;
		return TORC_EBUSY;
	}
	return 0;
}

static __always_inline void put_l1_entry(u64 entry)
{
	struct frame *frame;

	if (!(entry & PTE_P))
		return;
	frame = &frame_table[entry_mfn(entry)];
	if (entry & PTE_W)
		put_type(frame);
	frame->ref_count--;
}

/* Nothing is global. In an entry that is not present the bit is the guest's, like all others. */
static inline u64 without_global(u64 entry, unsigned int level)
{
	return level == 1 && (entry & PTE_P) ? entry & ~PTE_G : entry;
}

/* Changes a level-1 entry: by far the most frequent, and it needs none of the general cases. */
static __always_inline int set_l1(u16 owner, u64 *slot, u64 entry, u64 *before)
{
	int error;

	entry = without_global(entry, 1);
	error = get_l1_entry(owner, entry);
	if (error)
		return error;
	*before = __atomic_exchange_n(slot, entry, __ATOMIC_ACQ_REL);
	put_l1_entry(*before);
	return 0;
}

/* paging.c: the same for an entry of any level; release may leave work to table_settle(). */
int entry_get(struct domain *domain, u64 entry, unsigned int level, unsigned int index);
void entry_release(struct domain *domain, u64 entry, unsigned int level);

#endif
