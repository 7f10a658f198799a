/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Changing the entries of live tables. Each change takes what the new entry needs, exchanges, and
 * gives back what the entry that came out of the exchange held; see paging.c.
 */
#include "cpu.h"
#include "entry_refs.h"

/* Bits of an L1 entry that can change without touching a count: not W, not the frame. */
#define L1_FREE_BITS (PTE_U | PTE_A | PTE_D | PTE_NX | 0xe00ul | 0x7f00000000000000ul)

/* Replaces *@slot; with @keep hardware's A and D are carried over if the frame stays the same. */
static u64 exchange(u64 *slot, u64 entry, bool keep)
{
	u64 old = __atomic_load_n(slot, __ATOMIC_RELAXED);
	u64 new;

	if (!keep)
		return __atomic_exchange_n(slot, entry, __ATOMIC_ACQ_REL);
	do {
		new = entry;
		if ((old & entry & PTE_P) && entry_mfn(old) == entry_mfn(entry))
			new |= old & (PTE_A | PTE_D);
	} while (!__atomic_compare_exchange_n(slot, &old, new, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return old;
}

static bool only_free_bits_change(u64 old, u64 entry, unsigned int level)
{
	return level == 1 && (old & entry & PTE_P) && !((old ^ entry) & ~L1_FREE_BITS);
}

int table_level(const struct domain *domain, mfn_t mfn)
{
	struct frame *frame = frame_owned_by(mfn, domain->id);

	if (!frame)
		return TORC_EPERM;
	return table_is_live(frame) ? frame->type : TORC_EINVAL;
}

int table_set(struct domain *domain, mfn_t mfn, unsigned int index, u64 entry, bool keep, u64 *old)
{
	int level = table_level(domain, mfn), error;
	u64 *slot, before;

	if (level < 0)
		return level;
	slot = &table_of(mfn)[index];
	entry = without_global(entry, level);
	if (only_free_bits_change(*slot, entry, level)) {
		before = exchange(slot, entry, keep);
	} else {
		error = entry_get(domain, entry, level, index);
		if (error)
			return error;
		before = exchange(slot, entry, keep);
		if (level == 4)
			root_update(domain, mfn, index, *slot);
		entry_release(domain, before, level);
	}
	if (old)
		*old = before;
	return 0;
}

int table_compare_set(struct domain *domain, mfn_t mfn, unsigned int index, u64 entry, u64 *old)
{
	int level = table_level(domain, mfn), error;
	u64 *slot, expected = *old;

	if (level < 0)
		return level;
	slot = &table_of(mfn)[index];
	entry = without_global(entry, level);
	error = entry_get(domain, entry, level, index);
	if (error)
		return error;
	if (!__atomic_compare_exchange_n(slot, old, entry, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		entry_release(domain, entry, level);
		return TORC_EAGAIN;
	}
	if (level == 4)
		root_update(domain, mfn, index, entry);
	entry_release(domain, expected, level);
	return 0;
}

/* What an entry of an upper level held may be left to table_settle(). */
void table_clear(struct domain *domain, mfn_t mfn, unsigned int index, unsigned int count, u64 *old)
{
	unsigned int level = frame_table[mfn].type, i;
	u64 *table = table_of(mfn), entry;

	for (i = 0; i < count; i++) {
		entry = __atomic_exchange_n(&table[index + i], 0, __ATOMIC_ACQ_REL);
		if (level == 4)
			root_update(domain, mfn, index + i, 0);
		entry_release(domain, entry, level);
		if (old)
			old[i] = entry;
	}
}

void table_clear_bits(struct domain *domain, mfn_t mfn, unsigned int index, unsigned int count,
		      u64 bits)
{
	unsigned int level = frame_table[mfn].type, i;
	u64 *table = table_of(mfn), old;

	for (i = index; i < index + count; i++) {
		if (!(table[i] & PTE_P))
			continue;
		old = __atomic_fetch_and(&table[i], ~bits, __ATOMIC_ACQ_REL);
		if (level == 1 && (old & bits & PTE_W))
			put_type(&frame_table[entry_mfn(old)]);
		if (level == 4)
			root_update(domain, mfn, i, table[i]);
	}
}

int table_fill(struct domain *domain, mfn_t mfn, unsigned int index, unsigned int count,
	       const u64 *entries, unsigned int *done)
{
	u64 *slot = &table_of(mfn)[index], before;
	u16 owner = domain->id;
	int error = 0;

	*done = 0;
	if (table_level(domain, mfn) != 1) {
		error = table_set(domain, mfn, index, READ_ONCE(entries[0]), false, NULL);
		*done = !error;
		return error;
	}
	for (; *done < count; ++*done) {
		error = set_l1(owner, &slot[*done], READ_ONCE(entries[*done]), &before);
		if (error)
			break;
	}
	return error;
}
