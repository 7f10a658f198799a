/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Roots: what a vCPU walks is a copy of the guest's table in all slots but the hypervisor's, at all
 * times.
 *
 * Attack: fill or clear the hypervisor's slots; change or end a root that another vCPU walks; begin
 * a tear-down while another is falling.
 * Vulnerable: the copy walks what is no table any more, the gate is gone, or the first tree is
 * forgotten.
 * Fixed: copies change with their source and go with it, and what falls is finished first.
 */
#include <criterion/criterion.h>
#include "unit.h"

enum { ROOT = 10, OTHER_ROOT, L3 = 20, OTHER_L3 };

static void create(void)
{
	world_create();
	plain(ROOT, 0, entry_of(L3, TABLE));
	plain(ROOT, 300, 0xe00);
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
}

TestSuite(root, .init = create);

/* The copy in use, which must be there. */
static u64 *copy(void)
{
	paddr_t address = root_copy_of(vcpu);

	cr_assert_neq(address, INVALID_PADDR);
	return phys_to_virt(address);
}

Test(root, a_copy_has_the_guests_slots_and_the_hypervisors)
{
	u64 *table = copy();
	unsigned int i;

	cr_expect_eq(table[0], entry_of(L3, TABLE));
	cr_expect_eq(table[300], 0xe00);
	cr_expect_eq(table[256], mfn_to_paddr(vcpu->gate[GATE_FRAME_L3]) | PTE_P | PTE_W);
	for (i = 0; i < 3; i++)
		cr_expect_eq(table[257 + i], mfn_to_paddr(domain->windows_l3[i]) | PTE_P,
			     "windows are read-only");
	cr_expect_eq(table[260], mfn_to_paddr(domain->windows_l3[3]) | PTE_P | PTE_W, "rings");
	for (i = 261; i <= 271; i++)
		cr_expect_eq(table[i], 0);
	EXPECT_AUDIT();
}

Test(root, changes_reach_the_copy)
{
	u64 *table = copy(), old = 0;

	cr_assert_eq(table_set(domain, mfn_of(ROOT), 5, entry_of(L3, TABLE), false, NULL), 0);
	cr_expect_eq(table[5], entry_of(L3, TABLE));
	cr_assert_eq(table_compare_set(domain, mfn_of(ROOT), 6, entry_of(L3, TABLE), &old), 0);
	cr_expect_eq(table[6], entry_of(L3, TABLE));
	table_clear_bits(domain, mfn_of(ROOT), 6, 1, PTE_W);
	cr_expect_eq(table[6], entry_of(L3, TABLE & ~PTE_W));
	cr_assert_eq(table_set(domain, mfn_of(ROOT), 6, entry_of(L3, PTE_P | PTE_NX), true, NULL),
		     0);
	cr_expect_eq(table[6], entry_of(L3, PTE_P | PTE_NX | PTE_A), "harmless bits too");
	EXPECT_AUDIT();
	clear_one(domain, mfn_of(ROOT), 6);
	cr_expect_eq(table[6], 0);
	EXPECT_AUDIT();
}

/*
 * A guest's zero in a slot of the hypervisor is allowed, for it is there already; the copy keeps
 * its own.
 */
Test(root, clearing_a_slot_of_the_hypervisor_leaves_the_gate_in_place)
{
	unsigned int slot;
	u64 old;

	copy();
	for (slot = TORC_SLOT_FIRST; slot <= TORC_SLOT_LAST; slot++) {
		clear_one(domain, mfn_of(ROOT), slot);
		EXPECT_AUDIT();
		table_set(domain, mfn_of(ROOT), slot, 0, false, NULL);
		EXPECT_AUDIT();
		old = 0;
		table_compare_set(domain, mfn_of(ROOT), slot, 0, &old);
		EXPECT_AUDIT();
		table_clear_bits(domain, mfn_of(ROOT), slot, 1, PTE_W);
		EXPECT_AUDIT();
	}
}

Test(root, loading_moves_the_reference)
{
	cr_expect_eq(frame_of(ROOT)->type_count, 2, "pin and vCPU");
	cr_assert_eq(root_load(vcpu, mfn_of(OTHER_ROOT)), 0, "an unpinned table is validated");
	cr_expect_eq(frame_of(ROOT)->type_count, 1);
	cr_expect_eq(vcpu->root, mfn_of(OTHER_ROOT));
	EXPECT_AUDIT();
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
	cr_expect_eq(frame_of(OTHER_ROOT)->type, FRAME_NONE);
	EXPECT_AUDIT();
}

Test(root, a_root_in_use_survives_its_unpin)
{
	cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	cr_expect_eq(frame_of(ROOT)->type, FRAME_L4);
	EXPECT_AUDIT();
	EXPECT_ERROR(TORC_ENOENT, table_unpin(domain, mfn_of(ROOT)));
}

Test(root, what_is_no_root_is_refused)
{
	EXPECT_ERROR(TORC_EPERM, root_load(vcpu, FOREIGN_MFN));
	EXPECT_ERROR(TORC_EPERM, root_load(vcpu, frame_count));
	EXPECT_ERROR(TORC_EBUSY, root_load(vcpu, mfn_of(L3)));
	EXPECT_ERROR(TORC_EBUSY, root_load(vcpu, mfn_of(VCPU_PAGE_PFN)));
	plain(OTHER_ROOT, TORC_SLOT_FIRST, entry_of(L3, TABLE));
	EXPECT_ERROR(TORC_EPERM, root_load(vcpu, mfn_of(OTHER_ROOT)));
	cr_expect_eq(root_load(vcpu, mfn_of(ROOT)), 0, "the one in force");
}

/*
 * The domain keeps note of one falling tree only. A root that could be loaded, and the old one
 * given back, meanwhile would make it forget the first: its tables would stay half down for ever.
 */
Test(root, a_falling_tree_comes_before_another_root)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		plain(OTHER_ROOT, i, entry_of(OTHER_L3, TABLE));
	world_leave_falling(OTHER_ROOT, 4);
	EXPECT_ERROR(STOPPED, root_load(vcpu, mfn_of(OTHER_ROOT + 1)));
	EXPECT_AUDIT();
	preempt_at = 0;
	cr_expect_eq(root_load(vcpu, mfn_of(OTHER_ROOT + 1)), 0);
	cr_expect_eq(domain->orphan, INVALID_MFN);
	cr_expect_eq(frame_of(OTHER_ROOT)->type, FRAME_NONE);
	EXPECT_AUDIT();
}

/* A table that stops being a root and then holds data must not be walked by an old copy. */
Test(root, a_copy_is_forgotten_with_its_source)
{
	copy();
	cr_assert_eq(root_load(vcpu, mfn_of(OTHER_ROOT)), 0);
	copy();
	cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	EXPECT_AUDIT();
	plain(ROOT, 0, 0);
	plain(ROOT, 1, entry_of(OTHER_L3, TABLE));
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
	cr_expect_eq(copy()[0], 0);
	cr_expect_eq(copy()[1], entry_of(OTHER_L3, TABLE));
	EXPECT_AUDIT();
}

Test(root, roots_that_share_a_place_in_the_cache_take_turns)
{
	pfn_t twin = ROOT + ROOT_COPIES;

	copy();
	cr_assert_eq(root_load(vcpu, mfn_of(twin)), 0);
	cr_expect_eq(copy()[0], 0);
	EXPECT_AUDIT();
	cr_assert_eq(table_set(domain, mfn_of(ROOT), 9, entry_of(L3, TABLE), false, NULL), 0);
	cr_expect_eq(copy()[9], 0, "another root's change");
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
	cr_expect_eq(copy()[9], entry_of(L3, TABLE));
	EXPECT_AUDIT();
}

Test(root, without_memory_a_copy_borrows_a_frame)
{
	u64 *first = copy();

	memory_fail_after = 0;
	cr_assert_eq(root_load(vcpu, mfn_of(OTHER_ROOT)), 0);
	cr_expect_eq(copy(), first, "the only frame there is");
	cr_expect_eq(copy()[0], 0);
	EXPECT_AUDIT();
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT)), 0);
	cr_expect_eq(copy()[0], entry_of(L3, TABLE));
	EXPECT_AUDIT();
}

Test(root, copies_are_limited_to_a_share_of_the_memory)
{
	u64 before = memory_pages_out;
	unsigned int i;

	memory_ram_pages = 3 * 512;
	for (i = 0; i < 8; i++) {
		cr_assert_eq(root_load(vcpu, mfn_of(100 + i)), 0);
		copy();
	}
	cr_expect_eq(memory_pages_out, before + 3);
	EXPECT_AUDIT();
	root_free_copies(vcpu);
	cr_expect_eq(memory_pages_out, before);
	memory_ram_pages = 0;
	copy();
	cr_expect_eq(memory_pages_out, before + 1, "the first one is always granted");
	EXPECT_AUDIT();
}

Test(root, without_any_memory_there_is_no_copy)
{
	memory_fail_after = 0;
	cr_expect_eq(root_copy_of(vcpu), INVALID_PADDR);
	EXPECT_AUDIT();
	memory_fail_after = 1;
	cr_expect_neq(root_copy_of(vcpu), INVALID_PADDR);
	EXPECT_AUDIT();
}

Test(root, each_root_of_many_has_its_own_contents)
{
	unsigned int i, round;

	for (i = 0; i < 2 * ROOT_COPIES; i++)
		plain(100 + i, i, entry_of(L3, TABLE));
	for (round = 0; round < 2; round++)
		for (i = 0; i < 2 * ROOT_COPIES; i++) {
			cr_assert_eq(root_load(vcpu, mfn_of(100 + i)), 0);
			cr_expect_eq(copy()[i], entry_of(L3, TABLE));
			cr_expect_eq(copy()[(i + 1) % 128], 0);
		}
	cr_expect_leq(memory_pages_out, ROOT_COPIES);
	EXPECT_AUDIT();
}
