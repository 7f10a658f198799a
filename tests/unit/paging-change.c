/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Changing entries of validated tables: what each operation stores, returns, takes and gives back.
 *
 * Attack: change W, the frame or the cache of an entry by the short way; unmap what was mapped
 * otherwise; drive a count over its end; let a table's last use go in every way there is.
 * Vulnerable: a count does not say what entries do: a page is written and a table at once.
 * Fixed: only bits on a list take the short way, what the exchange returned is given back, and the
 * use that is one too many is refused.
 */
#include <criterion/criterion.h>
#include "unit.h"

enum { ROOT = 10, L3, L2, L1, OTHER_L1, DATA = 20, DATA2, DATA3 };

/*
 * L1 pinned with entries for DATA (writable) at 0 and DATA2 (read-only) at 1; ROOT, L3, L2 pinned,
 * empty.
 */
static void create(void)
{
	world_create();
	plain(L1, 0, entry_of(DATA, RW));
	plain(L1, 1, entry_of(DATA2, RO));
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_assert_eq(table_pin(domain, mfn_of(L2), 2), 0);
	cr_assert_eq(table_pin(domain, mfn_of(L3), 3), 0);
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
}

TestSuite(change, .init = create);

static void expect_counts(pfn_t pfn, u32 type_count, u32 ref_count)
{
	cr_expect(frame_of(pfn)->type_count == type_count && frame_of(pfn)->ref_count == ref_count,
		  "page %lu: %u typed, %u all; wanted %u, %u", pfn, frame_of(pfn)->type_count,
		  frame_of(pfn)->ref_count, type_count, ref_count);
}

static u64 set(unsigned int index, u64 entry, bool keep)
{
	u64 old = 0x123;

	cr_expect_eq(table_set(domain, mfn_of(L1), index, entry, keep, &old), 0);
	EXPECT_AUDIT();
	return old;
}

Test(change, set_takes_the_new_and_drops_the_old)
{
	cr_expect_eq(set(0, entry_of(DATA3, RW), false), entry_of(DATA, RW));
	cr_expect_eq(page_of(L1)[0], entry_of(DATA3, RW));
	expect_counts(DATA, 0, 0);
	expect_counts(DATA3, 1, 1);
	cr_expect_eq(frame_of(DATA)->type, FRAME_NONE);
	cr_expect_eq(set(0, 0, false), entry_of(DATA3, RW));
	expect_counts(DATA3, 0, 0);
}

/* An unmap drops exactly what the map took: W of the old entry decides, not of the new one. */
Test(change, an_unmap_drops_what_the_map_took)
{
	set(2, entry_of(DATA, RO), false);
	set(3, entry_of(DATA, RW), false);
	expect_counts(DATA, 2, 3);
	set(3, entry_of(DATA, RO), false);
	expect_counts(DATA, 1, 3);
	set(0, entry_of(DATA, RO), false);
	expect_counts(DATA, 0, 3);
	cr_expect_eq(frame_of(DATA)->type, FRAME_NONE);
	set(2, 0, false);
	set(3, 0xe00, false);
	set(0, 0, false);
	expect_counts(DATA, 0, 0);
}

Test(change, keep_carries_accessed_and_dirty_of_the_same_frame_only)
{
	set(4, entry_of(DATA, PTE_P | PTE_W | PTE_A | PTE_D), false);
	cr_expect_eq(set(4, entry_of(DATA, PTE_P), true),
		     entry_of(DATA, PTE_P | PTE_W | PTE_A | PTE_D));
	cr_expect_eq(page_of(L1)[4], entry_of(DATA, PTE_P | PTE_A | PTE_D));
	/* also where no count changes */
	set(4, entry_of(DATA, PTE_P | PTE_U), true);
	cr_expect_eq(page_of(L1)[4], entry_of(DATA, PTE_P | PTE_U | PTE_A | PTE_D));
	set(4, entry_of(DATA3, PTE_P), true);
	cr_expect_eq(page_of(L1)[4], entry_of(DATA3, PTE_P));
	set(4, entry_of(DATA3, PTE_P | PTE_A), false);
	set(4, 0x400, true);
	cr_expect_eq(page_of(L1)[4], 0x400, "a non-present entry keeps nothing");
	set(4, entry_of(DATA3, PTE_P), true);
	cr_expect_eq(page_of(L1)[4], entry_of(DATA3, PTE_P));
	set(4, entry_of(DATA3, PTE_P | PTE_D), false);
	set(4, entry_of(DATA3, PTE_P), false);
	cr_expect_eq(page_of(L1)[4], entry_of(DATA3, PTE_P), "set without keep keeps nothing");
}

/* Flips bit @bit of a level-1 entry and checks that what comes of it is what the rules say. */
static void flip_leaf_bit(unsigned int bit, bool keep)
{
	const u64 harmless = PTE_U | PTE_A | PTE_D | PTE_NX | 0xe00 | 0x7ful << 56;
	u64 flip = 1ul << bit, from = entry_of(DATA3, PTE_P), to = from ^ flip;
	int error;

	set(6, from, false);
	error = table_set(domain, mfn_of(L1), 6, to, keep, NULL);
	if (flip & harmless)
		cr_expect(error == 0 && page_of(L1)[6] == to, "bit %u is harmless", bit);
	else if (flip == PTE_W)
		cr_expect(error == 0 && frame_of(DATA3)->type_count == 1, "W is counted");
	else if (flip == PTE_G)
		cr_expect(error == 0 && page_of(L1)[6] == from, "G is stripped");
	else if (flip == PTE_P) /* and leaves an address that names memory */
		cr_expect_eq(error, TORC_EINVAL);
	else if (flip & (PTE_PWT | PTE_PCD | PTE_PAT | TORC_PTE_HYPERVISOR))
		cr_expect_eq(error, TORC_EINVAL, "bit %u: %d", bit, error);
	else if (entry_mfn(to) >= frame_count || frame_table[entry_mfn(to)].owner != domain->id)
		cr_expect_eq(error, TORC_EPERM, "bit %u: %d", bit, error);
	else
		cr_expect(error == 0 && frame_of(DATA3)->ref_count == 0, "bit %u", bit);
	EXPECT_AUDIT();
}

/* There are short ways for what happens often. None may let through what the long one would not. */
Test(change, every_bit_of_a_leaf_that_is_not_harmless_is_looked_at)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		flip_leaf_bit(bit, false);
		flip_leaf_bit(bit, true);
	}
}

Test(change, every_bit_of_a_table_entry_that_is_not_harmless_is_looked_at)
{
	static const pfn_t tables[] = { L2, L3, ROOT };
	const u64 refused = PTE_PWT | PTE_PCD | PTE_PS | TORC_PTE_HYPERVISOR | PTE_P;
	u64 from = entry_of(OTHER_L1, PTE_P);
	unsigned int bit, level, keep;

	for (level = 2; level <= 4; level++)
		for (bit = 0; bit < 64; bit++)
			for (keep = 0; keep < 2; keep++) {
				mfn_t table = mfn_of(tables[level - 2]);
				u64 flip = 1ul << bit;
				int error, want = 0;

				cr_assert_eq(table_set(domain, table, 6, from, false, NULL), 0);
				if (flip & refused)
					want = TORC_EINVAL;
				else if (flip & PTE_ADDRESS &&
					 !frame_owned_by(entry_mfn(from ^ flip), domain->id))
					want = TORC_EPERM;
				error = table_set(domain, table, 6, from ^ flip, keep, NULL);
				/* Another frame of the domain may well be one that conflicts. */
				if (flip & PTE_ADDRESS && !want && error == TORC_EBUSY)
					continue;
				cr_expect_eq(error, want, "level %u bit %u: %d", level, bit, error);
				cr_expect_eq(page_of(tables[level - 2])[6],
					     want ? from : from ^ flip);
				EXPECT_AUDIT();
				clear_one(domain, table, 6);
			}
}

Test(change, making_a_table_writable_never_takes_the_short_way)
{
	set(7, entry_of(L2, RO), false);
	EXPECT_ERROR(TORC_EBUSY, table_set(domain, mfn_of(L1), 7, entry_of(L2, RW), false, NULL));
	EXPECT_ERROR(TORC_EBUSY, table_set(domain, mfn_of(L1), 7, entry_of(L2, RW), true, NULL));
}

Test(change, compare_set_changes_only_what_is_as_expected)
{
	u64 old = entry_of(DATA, RW);

	cr_expect_eq(table_compare_set(domain, mfn_of(L1), 0, entry_of(DATA, RO), &old), 0);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RO));
	expect_counts(DATA, 0, 1);
	EXPECT_AUDIT();
	old = entry_of(DATA, RW);
	EXPECT_ERROR(TORC_EAGAIN,
		     table_compare_set(domain, mfn_of(L1), 0, entry_of(DATA3, RW), &old));
	cr_expect_eq(old, entry_of(DATA, RO), "the actual entry is reported");
	old = entry_of(DATA, RO);
	cr_expect_eq(table_compare_set(domain, mfn_of(L1), 0, entry_of(DATA3, RW | PTE_G), &old),
		     0);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA3, RW));
	expect_counts(DATA, 0, 0);
	EXPECT_AUDIT();
}

/* A table that becomes one only for a compare that then fails is ordinary memory again. */
Test(change, compare_set_that_fails_leaves_no_table_behind)
{
	u64 old = 0x400;

	plain(OTHER_L1, 9, entry_of(DATA3, RW));
	EXPECT_ERROR(TORC_EAGAIN,
		     table_compare_set(domain, mfn_of(L2), 0, entry_of(OTHER_L1, TABLE), &old));
	cr_expect_eq(old, 0);
	cr_expect_eq(table_compare_set(domain, mfn_of(L2), 0, entry_of(OTHER_L1, TABLE), &old), 0);
	cr_expect_eq(frame_of(OTHER_L1)->type, FRAME_L1);
	EXPECT_AUDIT();
}

Test(change, clear_gives_back_what_the_entry_took)
{
	cr_expect_eq(clear_one(domain, mfn_of(L1), 0), entry_of(DATA, RW));
	cr_expect_eq(clear_one(domain, mfn_of(L1), 1), entry_of(DATA2, RO));
	cr_expect_eq(clear_one(domain, mfn_of(L1), 2), 0);
	expect_counts(DATA, 0, 0);
	expect_counts(DATA2, 0, 0);
	set(3, 0xe00, false);
	cr_expect_eq(clear_one(domain, mfn_of(L1), 3), 0xe00);
	cr_expect_eq(page_of(L1)[3], 0);
	EXPECT_AUDIT();
}

Test(change, clear_of_the_last_use_ends_a_table)
{
	static const pfn_t tables[] = { L2, L3, ROOT }, below[] = { DATA, L1, L2 };
	unsigned int level;

	for (level = 2; level <= 4; level++) {
		mfn_t table = mfn_of(tables[level - 2]);

		plain(OTHER_L1, 7, entry_of(below[level - 2], RO));
		cr_assert_eq(table_set(domain, table, 3, entry_of(OTHER_L1, TABLE), false, NULL),
			     0);
		cr_expect_eq(frame_of(OTHER_L1)->type, level - 1);
		EXPECT_AUDIT();
		cr_expect_eq(clear_one(domain, table, 3), entry_of(OTHER_L1, TABLE));
		cr_expect_eq(frame_of(OTHER_L1)->type, FRAME_NONE);
		EXPECT_AUDIT();
	}
}

Test(change, a_table_named_twice_lives_until_the_second_entry_goes)
{
	cr_assert_eq(table_set(domain, mfn_of(L2), 0, entry_of(OTHER_L1, TABLE), false, NULL), 0);
	cr_assert_eq(table_set(domain, mfn_of(L2), 1, entry_of(OTHER_L1, TABLE), false, NULL), 0);
	/* Other bits of a table entry may change in place. */
	cr_assert_eq(table_set(domain, mfn_of(L2), 1, entry_of(OTHER_L1, PTE_P), false, NULL), 0);
	expect_counts(OTHER_L1, 2, 2);
	clear_one(domain, mfn_of(L2), 0);
	cr_expect_eq(frame_of(OTHER_L1)->type, FRAME_L1);
	EXPECT_AUDIT();
	clear_one(domain, mfn_of(L2), 1);
	cr_expect_eq(frame_of(OTHER_L1)->type, FRAME_NONE);
	EXPECT_AUDIT();
}

/* Replacing a table by itself must not tear it down in between. */
Test(change, a_table_replaced_by_itself_stays_valid)
{
	u64 old;

	plain(OTHER_L1, 0, entry_of(DATA3, RW));
	cr_assert_eq(table_set(domain, mfn_of(L2), 0, entry_of(OTHER_L1, TABLE), false, NULL), 0);
	cr_assert_eq(table_set(domain, mfn_of(L2), 0, entry_of(OTHER_L1, PTE_P), false, &old), 0);
	cr_expect_eq(old, entry_of(OTHER_L1, TABLE));
	expect_counts(OTHER_L1, 1, 1);
	expect_counts(DATA3, 1, 1);
	EXPECT_AUDIT();
}

Test(change, clear_bits_writes_protects_with_its_count)
{
	table_clear_bits(domain, mfn_of(L1), 0, 1, PTE_W);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RW & ~PTE_W));
	expect_counts(DATA, 0, 1);
	EXPECT_AUDIT();
	table_clear_bits(domain, mfn_of(L1), 0, 1, PTE_W); /* again: no second count is dropped */
	expect_counts(DATA, 0, 1);
	table_clear_bits(domain, mfn_of(L1), 1, 1, PTE_A | PTE_D);
	cr_expect_eq(page_of(L1)[1], entry_of(DATA2, RO & ~PTE_A));
	set(2, 0xe06, false);
	table_clear_bits(domain, mfn_of(L1), 2, 1, PTE_W | PTE_A | PTE_D);
	cr_expect_eq(page_of(L1)[2], 0xe06, "a non-present entry is left alone");
	EXPECT_AUDIT();
	cr_assert_eq(table_set(domain, mfn_of(L2), 0, entry_of(OTHER_L1, TABLE), false, NULL), 0);
	table_clear_bits(domain, mfn_of(L2), 0, 1, PTE_W | PTE_A);
	cr_expect_eq(page_of(L2)[0], entry_of(OTHER_L1, PTE_P | PTE_U));
	expect_counts(OTHER_L1, 1, 1);
	EXPECT_AUDIT();
}

Test(change, an_exchange_that_is_refused_keeps_the_old_entry)
{
	u64 old = 0x777;

	EXPECT_ERROR(TORC_EPERM,
		     table_set(domain, mfn_of(L1), 0, mfn_to_paddr(FOREIGN_MFN) | RW, false, &old));
	EXPECT_ERROR(TORC_EBUSY, table_set(domain, mfn_of(L1), 0, entry_of(L2, RW), false, &old));
	cr_expect_eq(old, 0x777);
}

/* A count that is full refuses the next use instead of wrapping. */
Test(change, a_full_count_refuses_more)
{
	frame_of(DATA3)->ref_count = ~0u;
	cr_expect_eq(table_set(domain, mfn_of(L1), 8, entry_of(DATA3, RO), false, NULL),
		     TORC_ENOMEM);
	cr_expect_eq(table_set(domain, mfn_of(L1), 8, entry_of(DATA3, RW), false, NULL),
		     TORC_ENOMEM);
	cr_expect_eq(table_set(domain, mfn_of(L2), 8, entry_of(DATA3, TABLE), false, NULL),
		     TORC_ENOMEM);
	cr_expect_eq(frame_get_writable(domain, mfn_of(DATA3)), TORC_ENOMEM);
	cr_expect_eq(frame_of(DATA3)->ref_count, ~0u);
	cr_expect_eq(frame_of(DATA3)->type_count, 0);
	cr_expect_eq(page_of(L1)[8], 0);
	frame_of(DATA3)->ref_count = 0;
	EXPECT_AUDIT();
}

Test(change, the_last_entry_of_a_table_is_as_good_as_the_first)
{
	cr_expect_eq(table_set(domain, mfn_of(L1), 511, entry_of(DATA3, RW), false, NULL), 0);
	cr_expect_eq(page_of(L1)[511], entry_of(DATA3, RW));
	EXPECT_AUDIT();
	cr_expect_eq(clear_one(domain, mfn_of(L1), 511), entry_of(DATA3, RW));
	EXPECT_AUDIT();
}

Test(change, ranges_are_cleared_with_and_without_keeping_the_old)
{
	u64 old[5] = { 7, 7, 7, 7, 7 };

	set(511, entry_of(DATA3, RW), false);
	table_clear(domain, mfn_of(L1), 0, 4, old);
	cr_expect(old[0] == entry_of(DATA, RW) && old[1] == entry_of(DATA2, RO) && !old[2] &&
		  !old[3] && old[4] == 7);
	EXPECT_AUDIT();
	table_clear(domain, mfn_of(L1), 0, 512, NULL);
	expect_counts(DATA3, 0, 0);
	EXPECT_AUDIT();
}

Test(change, ranges_are_filled_up_to_the_first_bad_entry)
{
	u64 entries[4] = { entry_of(DATA3, RW), 0xe00, entry_of(L2, RW), entry_of(DATA, RW) };
	unsigned int done = 99;

	cr_expect_eq(table_fill(domain, mfn_of(L1), 0, 4, entries, &done), TORC_EBUSY);
	cr_expect_eq(done, 2);
	cr_expect(page_of(L1)[0] == entries[0] && page_of(L1)[1] == 0xe00 && !page_of(L1)[2]);
	expect_counts(DATA, 0, 0);
	EXPECT_AUDIT();
	cr_expect_eq(table_fill(domain, mfn_of(OTHER_L1), 0, 4, entries, &done), TORC_EINVAL);
	cr_expect_eq(done, 0);
	cr_expect_eq(table_fill(domain, FOREIGN_MFN, 0, 4, entries, &done), TORC_EPERM);
	cr_expect_eq(done, 0);
	entries[0] = entry_of(OTHER_L1, TABLE);
	cr_expect_eq(table_fill(domain, mfn_of(L2), 0, 1, entries, &done), 0);
	cr_expect(done == 1 && frame_of(OTHER_L1)->type == FRAME_L1);
	EXPECT_AUDIT();
}

/*
 * Filling has a short way of its own for level 1; it must judge every entry as the long way does.
 */
Test(change, filling_is_as_strict_as_setting)
{
	struct random dice = { 888 };
	unsigned int round, bit, good = 0;

	cr_assert_eq(table_pin(domain, mfn_of(OTHER_L1), 1), 0);
	for (round = 0; round < 20000; round++) {
		static const pfn_t pages[] = { DATA, DATA2, L1, L2, VCPU_PAGE_PFN };
		u64 entry = entry_of(pages[random_below(&dice, ARRAY_SIZE(pages))],
				     random_once_in(&dice, 2) ? RW : RO);
		unsigned int index = random_below(&dice, 4), done;
		int error;

		for (bit = random_below(&dice, 3); bit > 0; bit--)
			entry ^= 1ull << random_below(&dice, 64);
		error = table_set(domain, mfn_of(L1), index, entry, false, NULL);
		cr_assert_eq(table_fill(domain, mfn_of(OTHER_L1), index, 1, &entry, &done), error,
			     "entry %lx: set says %d", entry, error);
		cr_assert_eq(done, !error);
		if (!error)
			cr_assert_eq(page_of(OTHER_L1)[index], page_of(L1)[index]);
		good += !error;
	}
	EXPECT_AUDIT();
	cr_expect(good > 2000 && good < 18000, "%u", good);
}
