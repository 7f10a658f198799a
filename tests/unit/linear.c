/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The linear map: W goes out of a frame's entry there when the frame becomes a table, and comes
 * back when it stops being one, and only if the hypervisor took it.
 *
 * Attack: put W back in the linear map, or change its entry in other ways, while the page there is
 * a table.
 * Vulnerable: the table can be written, or W comes back that nobody took.
 * Fixed: W is refused meanwhile, and comes back only where the hypervisor took it.
 */
#include <criterion/criterion.h>
#include "unit.h"

enum { ROOT = 10, L3, L2, L1, DATA = 20, DATA2 };

static void create(void)
{
	world_create();
	world_map_linear();
}

TestSuite(linear, .init = create);

static void expect_linear(pfn_t pfn, bool writable)
{
	u64 entry = *linear_entry_of(pfn);

	cr_expect(entry_mfn(entry) == mfn_of(pfn) && (entry & PTE_P), "entry %lx", entry);
	cr_expect_eq(!!(entry & PTE_W), writable, "page %lu: entry %lx", pfn, entry);
	EXPECT_AUDIT();
}

static int set_linear(pfn_t pfn, u64 entry)
{
	return table_set(domain, mfn_of(LINEAR_L1 + pfn / ENTRIES), pfn % ENTRIES, entry, false,
			 NULL);
}

Test(linear, starts_out_valid)
{
	EXPECT_AUDIT();
	expect_linear(DATA, true);
	expect_linear(LINEAR_L4, false);
}

Test(linear, pin_takes_write_and_unpin_puts_it_back)
{
	plain(L1, 0, entry_of(DATA, RW));
	EXPECT_UNCHANGED_AFTER({
		cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
		expect_linear(L1, false);
		cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
		expect_linear(L1, true);
	});
}

Test(linear, a_whole_tree_loses_write_and_gets_it_back)
{
	static const pfn_t tables[] = { ROOT, L3, L2, L1 };
	unsigned int i;

	plain(ROOT, 0, entry_of(L3, TABLE));
	plain(L3, 0, entry_of(L2, TABLE));
	plain(L2, 0, entry_of(L1, TABLE));
	plain(L1, 0, entry_of(DATA, RW));
	EXPECT_UNCHANGED_AFTER({
		cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
		for (i = 0; i < 4; i++)
			expect_linear(tables[i], false);
		expect_linear(DATA, true);
		cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	});
}

Test(linear, another_writable_mapping_keeps_the_page_and_its_map)
{
	plain(L1, 0, entry_of(DATA, RW));
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(DATA), 1));
	expect_linear(DATA, true);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(VCPU_PAGE_PFN), 1));
	expect_linear(VCPU_PAGE_PFN, true);
}

Test(linear, a_validation_that_fails_puts_write_back_everywhere)
{
	plain(L2, 0, entry_of(L1, TABLE));
	plain(L2, 1, mfn_to_paddr(FOREIGN_MFN) | TABLE);
	EXPECT_ERROR(TORC_EPERM, table_pin(domain, mfn_of(L2), 2));
	expect_linear(L1, true);
	expect_linear(L2, true);
}

/* A table that maps itself writable fails though its linear mapping has gone. */
Test(linear, a_table_that_maps_itself_is_refused)
{
	plain(L1, 0, entry_of(L1, RW));
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(L1), 1));
	expect_linear(L1, true);
}

Test(linear, write_cannot_be_put_back_by_hand_while_it_is_a_table)
{
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	EXPECT_ERROR(TORC_EBUSY, set_linear(L1, *linear_entry_of(L1) | PTE_W));
	expect_linear(L1, false);
}

Test(linear, write_that_the_guest_took_away_stays_away)
{
	cr_assert_eq(set_linear(DATA, *linear_entry_of(DATA) & ~PTE_W), 0);
	EXPECT_UNCHANGED_AFTER({
		cr_assert_eq(table_pin(domain, mfn_of(DATA), 1), 0);
		cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
	});
	expect_linear(DATA, false);
}

Test(linear, an_entry_that_maps_something_else_is_left_alone)
{
	u64 other = entry_of(DATA2, RW);

	cr_assert_eq(set_linear(DATA, other), 0);
	cr_assert_eq(table_pin(domain, mfn_of(DATA), 1), 0);
	cr_expect_eq(*linear_entry_of(DATA), other);
	cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
	cr_expect_eq(*linear_entry_of(DATA), other);
	cr_assert_eq(set_linear(DATA, 0), 0);
	cr_assert_eq(table_pin(domain, mfn_of(DATA), 1), 0);
	cr_expect_eq(*linear_entry_of(DATA), 0);
	EXPECT_AUDIT();
	/* Removed while it was a table: nothing to put back. */
	cr_assert_eq(set_linear(DATA, entry_of(DATA, RO)), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
	expect_linear(DATA, false);
}

Test(linear, unmapped_while_a_table_is_not_mapped_afterwards)
{
	cr_assert_eq(table_pin(domain, mfn_of(DATA), 1), 0);
	cr_assert_eq(set_linear(DATA, 0), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
	cr_expect_eq(*linear_entry_of(DATA), 0);
	cr_expect_eq(frame_of(DATA)->flags, 0);
	EXPECT_AUDIT();
}

/* Parts of the map that are not there: nothing is read through them. */
Test(linear, holes_in_the_map_do_no_harm)
{
	cr_assert_eq(table_set(domain, mfn_of(LINEAR_L2), 0, 0, false, NULL), 0);
	EXPECT_AUDIT();
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
	cr_assert_eq(table_set(domain, mfn_of(LINEAR_L3), 0, 0, false, NULL), 0);
	EXPECT_AUDIT();
	cr_assert_eq(table_set(domain, mfn_of(LINEAR_L4), LINEAR_SLOT, 0, false, NULL), 0);
	EXPECT_AUDIT();
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
	EXPECT_AUDIT();
}

/* The tables of the map are tables like others; removing them mid-air must not confuse the walk. */
Test(linear, the_map_itself_can_be_taken_apart)
{
	cr_assert_eq(table_pin(domain, mfn_of(DATA), 1), 0);
	cr_assert_eq(table_set(domain, mfn_of(LINEAR_L4), LINEAR_SLOT, 0, false, NULL), 0);
	cr_expect_eq(frame_of(LINEAR_L3)->type, FRAME_NONE);
	cr_expect_eq(frame_of(LINEAR_L1)->type, FRAME_NONE);
	EXPECT_AUDIT();
	cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
	EXPECT_AUDIT();
}

Test(linear, another_root_with_the_same_map_serves_as_well)
{
	plain(ROOT, LINEAR_SLOT, entry_of(LINEAR_L3, TABLE));
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	expect_linear(ROOT, false);
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(LINEAR_L4)), 0);
	EXPECT_AUDIT();
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	expect_linear(L1, false);
	cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
	expect_linear(L1, true);
}

Test(linear, a_root_without_the_map_is_no_harm)
{
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(L1), 1));
	cr_assert_eq(set_linear(L1, *linear_entry_of(L1) & ~PTE_W), 0);
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
	EXPECT_AUDIT();
}

/* Levels 3 and 4 are no smaller: the page of the map that a page's entry stands in. */
Test(linear, covers_the_last_page_too)
{
	cr_assert_eq(table_pin(domain, mfn_of(511), 1), 0);
	expect_linear(511, false);
	cr_assert_eq(table_pin(domain, mfn_of(512), 1), 0);
	expect_linear(512, false);
	cr_assert_eq(table_unpin(domain, mfn_of(511)), 0);
	expect_linear(511, true);
	expect_linear(512, false);
}
