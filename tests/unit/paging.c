/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The rules at the head of mm/paging.c, one test each: what an entry may say, when a frame becomes
 * a table and stops being one, and that whatever is refused changes nothing.
 *
 * Attack: tables that reach themselves or are mapped writable, frames of others, reserved bits,
 * large pages, entries that are absent and name memory, the hypervisor's slots.
 * Vulnerable: one of them passes validation, and the guest reaches memory that is not its own.
 * Fixed: the entry or the whole tree is refused, and all counts are as before.
 */
#include <criterion/criterion.h>
#include "unit.h"

TestSuite(paging, .init = world_create);

/* Pages that the tests use, as pfns. */
enum { ROOT = 10, L3, L2, L1, OTHER_L1, DATA = 20, DATA2, DATA3 };

/* A tree of four levels down to DATA (writable) and DATA2 (read-only), not validated. */
static void build_tree(void)
{
	plain(ROOT, 0, entry_of(L3, TABLE));
	plain(L3, 0, entry_of(L2, TABLE));
	plain(L2, 0, entry_of(L1, TABLE));
	plain(L1, 0, entry_of(DATA, RW));
	plain(L1, 1, entry_of(DATA2, RO));
}

static void expect_frame(pfn_t pfn, unsigned int type, u32 type_count, u32 ref_count)
{
	const struct frame *frame = frame_of(pfn);

	cr_expect(frame->type == type && frame->type_count == type_count &&
			  frame->ref_count == ref_count,
		  "page %lu: type %u x %u, %u references; wanted %u x %u, %u", pfn, frame->type,
		  frame->type_count, frame->ref_count, type, type_count, ref_count);
}

/* Sets entry 5 of the level-1 table L1, which is pinned first. */
static int set_leaf(u64 entry)
{
	if (!(frame_of(L1)->flags & FRAME_PINNED))
		cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	return table_set(domain, mfn_of(L1), 5, entry, false, NULL);
}

Test(paging, pin_of_a_root_takes_every_reference_of_its_tree)
{
	build_tree();
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	expect_frame(ROOT, FRAME_L4, 1, 1);
	expect_frame(L3, FRAME_L3, 1, 1);
	expect_frame(L2, FRAME_L2, 1, 1);
	expect_frame(L1, FRAME_L1, 1, 1);
	expect_frame(DATA, FRAME_WRITABLE, 1, 1);
	expect_frame(DATA2, FRAME_NONE, 0, 1);
	EXPECT_AUDIT();
}

Test(paging, unpin_gives_every_reference_back)
{
	build_tree();
	EXPECT_UNCHANGED_AFTER({
		cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
		cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	});
	EXPECT_AUDIT();
}

Test(paging, a_pinned_table_survives_the_entry_that_named_it)
{
	build_tree();
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	expect_frame(L1, FRAME_L1, 2, 2);
	cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	expect_frame(L1, FRAME_L1, 1, 1);
	expect_frame(DATA, FRAME_WRITABLE, 1, 1);
	EXPECT_AUDIT();
	cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
	expect_frame(DATA, FRAME_NONE, 0, 0);
	EXPECT_AUDIT();
}

Test(paging, pin_and_unpin_refuse_what_they_must)
{
	build_tree();
	EXPECT_ERROR(TORC_EINVAL, table_pin(domain, mfn_of(ROOT), 0));
	EXPECT_ERROR(TORC_EINVAL, table_pin(domain, mfn_of(ROOT), 5));
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, FOREIGN_MFN, 1));
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, HYPERVISOR_MFN, 1));
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, frame_count, 1));
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, INVALID_MFN, 1));
	EXPECT_ERROR(TORC_ENOENT, table_unpin(domain, mfn_of(ROOT)));
	EXPECT_ERROR(TORC_EPERM, table_unpin(domain, FOREIGN_MFN));
	EXPECT_ERROR(TORC_EPERM, table_unpin(domain, INVALID_MFN));
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(ROOT), 4));
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(ROOT), 3));
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(L1), 2));
	/* A table that an entry names is not pinned by that. */
	EXPECT_ERROR(TORC_ENOENT, table_unpin(domain, mfn_of(L1)));
	cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	EXPECT_ERROR(TORC_ENOENT, table_unpin(domain, mfn_of(ROOT)));
	EXPECT_AUDIT();
}

/* One bad entry anywhere in the tree: nothing of the tree is validated, whatever came before it. */
Test(paging, failed_validation_unwinds_everything)
{
	static const struct {
		pfn_t table;
		int error;
		u64 entry; /* 0: the foreign frame */
	} bad[] = {
		{ L1, TORC_EPERM, 0 },	 { L1, TORC_EINVAL, RW | PTE_PCD },
		{ L2, TORC_EPERM, 0 },	 { L2, TORC_EINVAL, TABLE | PTE_PS },
		{ L3, TORC_EPERM, 0 },	 { L3, TORC_EINVAL, TABLE | TORC_PTE_DIRTY_ASIDE },
		{ ROOT, TORC_EPERM, 0 }, { ROOT, TORC_EINVAL, TABLE | PTE_PWT },
	};
	static const unsigned int places[] = { 2, 255, 511 };
	unsigned int i, place;

	build_tree();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (place = 0; place < ARRAY_SIZE(places); place++) {
			u64 entry = bad[i].entry ? entry_of(DATA3, bad[i].entry)
						 : mfn_to_paddr(FOREIGN_MFN) | TABLE;

			plain(bad[i].table, places[place], entry);
			EXPECT_ERROR(bad[i].error, table_pin(domain, mfn_of(ROOT), 4));
			EXPECT_AUDIT();
			plain(bad[i].table, places[place], 0);
		}
	}
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0, "the tree itself is good");
}

Test(paging, a_table_is_never_mapped_writable)
{
	plain(OTHER_L1, 0, entry_of(L1, RW));
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(OTHER_L1), 1));
	EXPECT_ERROR(TORC_EBUSY, frame_get_writable(domain, mfn_of(L1)));
	EXPECT_ERROR(TORC_EBUSY, set_leaf(entry_of(L1, RW))); /* itself */
	cr_expect_eq(set_leaf(entry_of(L1, RO)), 0, "reading a table is allowed");
	EXPECT_ERROR(TORC_EBUSY, set_leaf(entry_of(L1, RW))); /* RO to RW is no free change */
	EXPECT_AUDIT();
}

Test(paging, a_writable_page_never_becomes_a_table)
{
	cr_assert_eq(set_leaf(entry_of(OTHER_L1, RW)), 0);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(OTHER_L1), 1));
	plain(L2, 0, entry_of(OTHER_L1, TABLE));
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(L2), 2));
	cr_assert_eq(set_leaf(entry_of(OTHER_L1, RO)), 0);
	cr_expect_eq(table_pin(domain, mfn_of(L2), 2), 0);
	expect_frame(OTHER_L1, FRAME_L1, 1, 2);
	EXPECT_AUDIT();
}

/* XSA-214 and the like: the hypervisor's own writable use counts as one. */
Test(paging, what_the_hypervisor_writes_never_becomes_a_table)
{
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(VCPU_PAGE_PFN), 1));
	cr_assert_eq(frame_get_writable(domain, mfn_of(DATA)), 0);
	expect_frame(DATA, FRAME_WRITABLE, 1, 1);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(DATA), 4));
	frame_put_writable(domain, mfn_of(DATA));
	expect_frame(DATA, FRAME_NONE, 0, 0);
	EXPECT_ERROR(TORC_EPERM, frame_get_writable(domain, FOREIGN_MFN));
	EXPECT_ERROR(TORC_EPERM, frame_get_writable(domain, frame_count));
}

Test(paging, a_frame_has_one_level)
{
	unsigned int have, want;

	for (have = 1; have <= 4; have++) {
		cr_assert_eq(table_pin(domain, mfn_of(DATA), have), 0);
		for (want = 1; want <= 4; want++)
			EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(DATA), want));
		cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
		/* Nor as what an entry or a vCPU names, which no pin keeps from it. */
		cr_assert_eq(table_get(domain, mfn_of(DATA), have), 0);
		for (want = 1; want <= 4; want++)
			if (want != have)
				EXPECT_ERROR(TORC_EBUSY, table_get(domain, mfn_of(DATA), want));
		table_release(domain, mfn_of(DATA));
	}
	EXPECT_AUDIT();
}

/* Entries of a table name tables one level down, so no table reaches itself. */
Test(paging, no_table_reaches_itself)
{
	unsigned int level;

	for (level = 2; level <= 4; level++) {
		plain(DATA, 3, entry_of(DATA, TABLE));
		EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(DATA), level));
	}
	plain(DATA, 3, 0);
	build_tree();
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	EXPECT_ERROR(TORC_EBUSY,
		     table_set(domain, mfn_of(ROOT), 1, entry_of(ROOT, TABLE), false, NULL));
	EXPECT_ERROR(TORC_EBUSY,
		     table_set(domain, mfn_of(L2), 1, entry_of(L3, TABLE), false, NULL));
	EXPECT_ERROR(TORC_EBUSY,
		     table_set(domain, mfn_of(ROOT), 1, entry_of(L2, TABLE), false, NULL));
}

Test(paging, only_tables_have_entries_to_set)
{
	u64 old = 0;

	EXPECT_ERROR(TORC_EINVAL, table_set(domain, mfn_of(DATA), 0, 0, false, NULL));
	EXPECT_ERROR(TORC_EINVAL, table_compare_set(domain, mfn_of(DATA), 0, 0, &old));
	EXPECT_ERROR(TORC_EINVAL, table_set(domain, mfn_of(VCPU_PAGE_PFN), 0, 0, false, NULL));
	EXPECT_ERROR(TORC_EPERM, table_set(domain, FOREIGN_MFN, 0, 0, false, NULL));
	EXPECT_ERROR(TORC_EPERM, table_compare_set(domain, FOREIGN_MFN, 0, 0, &old));
	EXPECT_ERROR(TORC_EPERM, table_set(domain, INVALID_MFN, 0, 0, false, NULL));
	EXPECT_ERROR(TORC_EPERM, table_compare_set(domain, frame_count, 0, 0, &old));
}

Test(paging, foreign_frames_are_refused_at_every_level)
{
	static const pfn_t tables[] = { L1, L2, L3, ROOT };
	static const mfn_t frames[] = { FOREIGN_MFN, HYPERVISOR_MFN, 0, WORLD_FRAMES, 1ul << 39 };
	unsigned int level, i;
	u64 old;

	for (level = 1; level <= 4; level++) {
		mfn_t table = mfn_of(tables[level - 1]);

		cr_assert_eq(table_pin(domain, table, level), 0);
		for (i = 0; i < ARRAY_SIZE(frames); i++) {
			u64 entry = mfn_to_paddr(frames[i]);

			EXPECT_ERROR(TORC_EPERM,
				     table_set(domain, table, 7, entry | RO, false, NULL));
			EXPECT_ERROR(TORC_EPERM,
				     table_set(domain, table, 7, entry | TABLE, true, &old));
			old = 0;
			EXPECT_ERROR(TORC_EPERM,
				     table_compare_set(domain, table, 7, entry | TABLE, &old));
		}
	}
}

Test(paging, reserved_bits_are_refused_at_every_level)
{
	static const u64 bad_leaf[] = { PTE_PWT,   PTE_PCD,   PTE_PAT,	1ul << 52,
					1ul << 53, 1ul << 54, 1ul << 55 };
	static const u64 bad_table[] = { PTE_PWT,   PTE_PCD,   PTE_PS,	 1ul << 52,
					 1ul << 53, 1ul << 54, 1ul << 55 };
	static const pfn_t tables[] = { L1, L2, L3, ROOT };
	unsigned int level, i;
	u64 old;

	for (level = 1; level <= 4; level++) {
		mfn_t table = mfn_of(tables[level - 1]);

		cr_assert_eq(table_pin(domain, table, level), 0);
		for (i = 0; i < ARRAY_SIZE(bad_leaf); i++) {
			u64 entry = entry_of(DATA, TABLE) |
				    (level == 1 ? bad_leaf[i] : bad_table[i]);

			EXPECT_ERROR(TORC_EINVAL, table_set(domain, table, 7, entry, false, NULL));
			old = 0;
			EXPECT_ERROR(TORC_EINVAL, table_compare_set(domain, table, 7, entry, &old));
		}
	}
}

/* A processor may load speculatively through a non-present entry's address (L1TF). */
Test(paging, non_present_entries_do_not_name_memory)
{
	static const pfn_t tables[] = { L1, L2, L3, ROOT };
	unsigned int level, bit;
	u64 last = mfn_to_paddr(frame_count - 1), behind = mfn_to_paddr(frame_count);
	u64 inverted = ~entry_of(DATA, 0) & PTE_ADDRESS, old;

	for (level = 1; level <= 4; level++) {
		mfn_t table = mfn_of(tables[level - 1]);

		cr_assert_eq(table_pin(domain, table, level), 0);
		EXPECT_ERROR(TORC_EINVAL,
			     table_set(domain, table, 7, entry_of(DATA, PTE_W), false, NULL));
		EXPECT_ERROR(TORC_EINVAL,
			     table_set(domain, table, 7, mfn_to_paddr(FOREIGN_MFN), false, NULL));
		EXPECT_ERROR(TORC_EINVAL, table_set(domain, table, 7, last | 0x400, false, NULL));
		/* Bits above the processor's 40 of an address may not count. */
		for (bit = 40; bit < 52; bit++)
			EXPECT_ERROR(TORC_EINVAL, table_set(domain, table, 7,
							    last | 1ull << bit, false, NULL));
		old = 0;
		EXPECT_ERROR(TORC_EINVAL,
			     table_compare_set(domain, table, 7, entry_of(DATA, 0), &old));
		cr_expect_eq(table_set(domain, table, 7, behind | 0x400, false, NULL), 0);
		cr_expect_eq(table_set(domain, table, 7, inverted | 0x400, false, NULL), 0);
		cr_expect_eq(table_set(domain, table, 7, 0xe00 | PTE_NX, false, NULL), 0);
		EXPECT_AUDIT();
		cr_assert_eq(table_unpin(domain, table), 0);
		plain(tables[level - 1], 7, entry_of(DATA, PTE_W));
		EXPECT_ERROR(TORC_EINVAL, table_pin(domain, table, level));
	}
}

Test(paging, slots_of_the_hypervisor_are_refused)
{
	unsigned int slot;
	u64 old;

	build_tree();
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	for (slot = 250; slot < 280; slot++) {
		bool hypervisors = slot >= 256 && slot <= 271;
		u64 entry = entry_of(L3, TABLE);

		if (hypervisors) {
			EXPECT_ERROR(TORC_EPERM,
				     table_set(domain, mfn_of(ROOT), slot, entry, false, NULL));
			EXPECT_ERROR(TORC_EPERM,
				     table_set(domain, mfn_of(ROOT), slot, 0x400, true, NULL));
			old = 0;
			EXPECT_ERROR(TORC_EPERM,
				     table_compare_set(domain, mfn_of(ROOT), slot, entry, &old));
		} else {
			cr_expect_eq(table_set(domain, mfn_of(ROOT), slot, entry, false, NULL), 0);
		}
	}
	EXPECT_AUDIT();
	cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	plain(ROOT, 271, 0x400);
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, mfn_of(ROOT), 4));
	plain(ROOT, 271, entry_of(L3, TABLE));
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, mfn_of(ROOT), 4));
	/* In tables of other levels these are indexes like any other. */
	plain(ROOT, 271, 0);
	cr_assert_eq(table_pin(domain, mfn_of(L3), 3), 0);
	cr_expect_eq(table_set(domain, mfn_of(L3), 256, entry_of(L2, TABLE), false, NULL), 0);
}

Test(paging, global_bits_are_stripped)
{
	plain(L1, 0, entry_of(DATA, RW | PTE_G));
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RW));
	cr_assert_eq(set_leaf(entry_of(DATA, RO | PTE_G)), 0);
	cr_expect_eq(page_of(L1)[5], entry_of(DATA, RO));
	/* Where P is not set the bit is the guest's: Linux marks pages without access rights so. */
	cr_assert_eq(set_leaf(TORC_PTE_FRAME | PTE_G), 0);
	cr_expect_eq(page_of(L1)[5], TORC_PTE_FRAME | PTE_G);
	EXPECT_AUDIT();
}
