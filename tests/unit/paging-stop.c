/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Validation and tear-down that stop half-way: at every place, with every thing that a guest might
 * do to the tables before it goes on.
 *
 * Attack: pin, unpin, name or change a table that is half validated or half torn down; trees that
 * keep a CPU for long.
 * Vulnerable: references are given back that nobody took, or never; others do not run.
 * Fixed: the table knows what it holds, one party finishes it, and everything can stop after any
 * entry.
 */
#include <criterion/criterion.h>
#include "unit.h"

enum { ROOT = 10, L3, L2, L1, OTHER_L1, DATA = 20, VICTIM = 100 };

#define LEAVES 6 /* entries of each level-1 table */
#define EMPTY 16 /* looks at the clock that the empty entries of a table cost */

/* ROOT - L3 - L2 - { L1, OTHER_L1 }, the two with LEAVES entries each; nothing validated. */
static void create(void)
{
	unsigned int i;

	world_create();
	plain(ROOT, 7, entry_of(L3, TABLE));
	plain(L3, 8, entry_of(L2, TABLE));
	plain(L2, 9, entry_of(L1, TABLE));
	plain(L2, 10, entry_of(OTHER_L1, TABLE));
	for (i = 0; i < LEAVES; i++) {
		plain(L1, i * 100, entry_of(DATA + i, i % 2 ? RW : RO));
		plain(OTHER_L1, i * 100, entry_of(DATA + i, RW));
	}
}

TestSuite(stop, .init = create);

/* The next stop is at the @n-th look at the clock. */
static void stop_at(u64 n)
{
	preempt_calls = 0;
	preempt_at = n;
}

static void never_stop(void)
{
	preempt_at = 0;
}

static void settle(void)
{
	never_stop();
	cr_assert(table_settle(domain));
}

Test(stop, a_pin_that_stops_anywhere_goes_on_where_it_was)
{
	struct picture *want, *start = picture_take();
	u64 n;

	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	want = picture_take();
	for (n = 1;; n++) {
		const char *difference;

		picture_restore(start);
		stop_at(n);
		if (table_pin(domain, mfn_of(ROOT), 4) != STOPPED)
			break;
		EXPECT_AUDIT();
		cr_expect(!(frame_of(ROOT)->flags & FRAME_PINNED) &&
			  !table_is_live(frame_of(ROOT)));
		cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
		difference = picture_differs(want);
		cr_expect_null(difference, "stopped at %lu: %s", n, difference);
	}
	cr_expect_eq(n, 4 + 2 * (LEAVES - 1) + 5 * EMPTY + 1,
		     "%lu entries, each a place to stop", n - 1);
	picture_free(want);
	picture_free(start);
}

/* A guest may have many of them, and name them all in one operation. */
Test(stop, an_empty_table_takes_time_too)
{
	stop_at(EMPTY);
	cr_expect_eq(table_pin(domain, mfn_of(DATA), 1), STOPPED);
	never_stop();
	cr_assert_eq(table_pin(domain, mfn_of(DATA), 1), 0);
	stop_at(EMPTY);
	cr_assert_eq(table_unpin(domain, mfn_of(DATA)), 0);
	cr_expect_neq(domain->orphan, INVALID_MFN, "it did not stop");
	settle();
	EXPECT_AUDIT();
}

Test(stop, a_pin_that_always_stops_gets_there)
{
	unsigned int calls = 0;
	int error;

	preempt_at = 5; /* one leaf at a time: each level looks at the clock once */
	do {
		preempt_calls = 0;
		error = table_pin(domain, mfn_of(ROOT), 4);
		EXPECT_AUDIT();
	} while (error == STOPPED && calls++ < 1000);
	cr_expect_eq(error, 0);
}

Test(stop, an_unpin_that_stops_anywhere_ends_where_it_would)
{
	struct picture *start = picture_take(), *pinned;
	u64 n;

	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	pinned = picture_take();
	for (n = 1;; n++) {
		const char *difference;

		picture_restore(pinned);
		stop_at(n);
		cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
		EXPECT_AUDIT();
		if (domain->orphan == INVALID_MFN)
			break;
		settle();
		EXPECT_AUDIT();
		difference = picture_differs(start);
		cr_expect_null(difference, "stopped at %lu: %s", n, difference);
	}
	cr_expect_eq(n, 4 + 2 * LEAVES + 5 * EMPTY + 1);
	picture_free(pinned);
	picture_free(start);
}

Test(stop, a_tree_that_does_not_pass_unwinds_through_stops)
{
	struct picture *start;
	u64 n;

	plain(OTHER_L1, 511, mfn_to_paddr(FOREIGN_MFN) | RO);
	start = picture_take();
	for (n = 1;; n++) {
		const char *difference;
		int error;

		picture_restore(start);
		stop_at(n);
		error = table_pin(domain, mfn_of(ROOT), 4);
		EXPECT_AUDIT();
		if (error != STOPPED)
			break;
		never_stop();
		cr_expect_eq(table_pin(domain, mfn_of(ROOT), 4), TORC_EPERM);
		EXPECT_AUDIT();
		difference = picture_differs(start);
		cr_expect_null(difference, "stopped at %lu: %s", n, difference);
	}
	cr_expect_gt(n, 4 + 2 * LEAVES + 5, "stops on the way up and on the way down: %lu", n);
	picture_free(start);
}

Test(stop, a_pin_that_stopped_can_be_given_up)
{
	struct picture *start = picture_take();
	u64 n;

	for (n = 1;; n++) {
		static const pfn_t tables[] = { ROOT, L3, L2, L1, OTHER_L1 };
		const char *difference;
		unsigned int i;

		picture_restore(start);
		stop_at(n);
		if (table_pin(domain, mfn_of(ROOT), 4) != STOPPED)
			break;
		never_stop();
		/* The climb may stand in a table below; each is given up by itself. */
		for (i = 0; i < ARRAY_SIZE(tables); i++)
			if (frame_of(tables[i])->flags & FRAME_PARTIAL) {
				cr_expect_eq(table_unpin(domain, mfn_of(tables[i])), 0);
				EXPECT_AUDIT();
			}
		difference = picture_differs(start);
		cr_expect_null(difference, "stopped at %lu: %s", n, difference);
	}
	picture_free(start);
}

/* A partial table is a table already (not writable) and not yet one (no entry may be changed). */
Test(stop, a_partial_table_is_neither_writable_nor_live)
{
	u64 old = 0;

	stop_at(8);
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), STOPPED);
	never_stop();
	cr_assert(frame_of(L1)->flags & FRAME_PARTIAL);
	EXPECT_ERROR(TORC_EBUSY, frame_get_writable(domain, mfn_of(L1)));
	EXPECT_ERROR(TORC_EINVAL, table_set(domain, mfn_of(L1), 0, 0, false, NULL));
	EXPECT_ERROR(TORC_EINVAL, table_set(domain, mfn_of(ROOT), 7, 0, false, NULL));
	EXPECT_ERROR(TORC_EINVAL, table_compare_set(domain, mfn_of(L2), 0, 0, &old));
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(L1), 2));
	EXPECT_ERROR(TORC_EBUSY, table_pin(domain, mfn_of(L2), 1));
}

Test(stop, another_climber_finishes_what_one_began)
{
	stop_at(8);
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), STOPPED);
	never_stop();
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	EXPECT_AUDIT();
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	EXPECT_AUDIT();
	cr_expect_eq(frame_of(L1)->type_count, 2);
	cr_assert_eq(table_unpin(domain, mfn_of(L1)), 0);
	cr_assert_eq(table_unpin(domain, mfn_of(ROOT)), 0);
	EXPECT_AUDIT();
}

/*
 * A tree that does not pass falls, and stops in the middle of a table that had passed. What is
 * left of that table is its parent's to give back. A guest that could end it by itself could then
 * write into it and have its parent give back references that nobody took.
 */
/* Looks up to entry 511 of L2, back to OTHER_L1, and behind one entry of that. */
#define UP (2 * (LEAVES + EMPTY - 1) + 2 + EMPTY + 1)
#define ONE_FALLEN (UP + EMPTY - 1 + 1 + 1 + 2)

static void half_fallen(void)
{
	plain(VICTIM, 0, entry_of(DATA, RW));
	plain(L2, 511, mfn_to_paddr(FOREIGN_MFN) | TABLE);
	stop_at(ONE_FALLEN);
	cr_assert_eq(table_pin(domain, mfn_of(L2), 2), STOPPED);
	never_stop();
	cr_assert(frame_of(L2)->flags & FRAME_FALLING);
	cr_assert(frame_of(OTHER_L1)->flags & FRAME_FALLING);
	EXPECT_AUDIT();
}

Test(stop, a_falling_child_cannot_be_pinned)
{
	half_fallen();
	cr_expect_neq(table_pin(domain, mfn_of(OTHER_L1), 1), 0);
	EXPECT_AUDIT();
	cr_expect_eq(frame_get_writable(domain, mfn_of(OTHER_L1)), TORC_EBUSY);
	cr_expect_eq(table_pin(domain, mfn_of(L2), 2), TORC_EPERM);
	EXPECT_AUDIT();
}

Test(stop, a_falling_child_cannot_be_unpinned)
{
	half_fallen();
	cr_expect_eq(table_unpin(domain, mfn_of(OTHER_L1)), TORC_ENOENT);
	EXPECT_AUDIT();
	cr_expect_eq(frame_get_writable(domain, mfn_of(OTHER_L1)), TORC_EBUSY);
	cr_expect_eq(table_pin(domain, mfn_of(L2), 2), TORC_EPERM);
	EXPECT_AUDIT();
}

Test(stop, a_falling_child_cannot_be_named_by_another_table)
{
	cr_assert_eq(table_pin(domain, mfn_of(VICTIM), 2), 0);
	plain(L2, 511, mfn_to_paddr(FOREIGN_MFN) | TABLE);
	stop_at(ONE_FALLEN);
	cr_assert_eq(table_pin(domain, mfn_of(L2), 2), STOPPED);
	never_stop();
	cr_expect_neq(table_set(domain, mfn_of(VICTIM), 1, entry_of(OTHER_L1, TABLE), false, NULL),
		      0);
	EXPECT_AUDIT();
	cr_expect_eq(table_pin(domain, mfn_of(L2), 2), TORC_EPERM);
	EXPECT_AUDIT();
}

/* Whatever a guest tries between the parts of long operations, counts stay true. */
Test(stop, random_operations_that_stop_anywhere)
{
	static const pfn_t tables[] = { ROOT, L3, L2, L1, OTHER_L1, VICTIM };
	struct random random = { 4711 };
	unsigned int round;

	preempt_always = true;
	for (round = 0; round < 30000; round++) {
		unsigned int a = random_below(&random, ARRAY_SIZE(tables));
		unsigned int b = random_below(&random, ARRAY_SIZE(tables));
		pfn_t table = tables[a], other = tables[b];
		unsigned int index = random_below(&random, 4) * 100;
		u64 bits = random_once_in(&random, 2) ? RW : RO;
		const char *problem;

		stop_at(1 + random_below(&random, 12));
		if (!table_settle(domain))
			continue;
		switch (random_below(&random, 6)) {
		case 0:
			table_pin(domain, mfn_of(table), 1 + random_below(&random, 4));
			break;
		case 1:
			table_unpin(domain, mfn_of(table));
			break;
		case 2:
			table_set(domain, mfn_of(table), index, entry_of(other, bits), false, NULL);
			break;
		case 3:
			table_set(domain, mfn_of(table), index, entry_of(DATA, bits), false, NULL);
			break;
		case 4:
			if (frame_of(table)->type ==
			    FRAME_NONE) /* ordinary memory: the guest writes */
				plain(table, index,
				      random_once_in(&random, 8) ? mfn_to_paddr(FOREIGN_MFN) | RO
								 : entry_of(other, bits));
			break;
		case 5:
			if (table_is_live(frame_of(table)))
				clear_one(domain, mfn_of(table), index);
			break;
		}
		problem = audit();
		cr_assert_null(problem, "round %u: %s", round, problem);
	}
}
