/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Batches that stop. Stopped at any place and continued, a batch ends as if it had never stopped;
 * and whatever a guest does to the batch in between, nothing is believed that was checked before
 * the stop.
 *
 * Attack: change count, place or progress of an operation that has stopped, end its table, take a
 * page of the area out, or load another root.
 * Vulnerable: it goes on where the check before the stop no longer holds.
 * Fixed: all is checked again where it goes on.
 */
#include <criterion/criterion.h>
#include "batch.h"
#include "hypercall.h"
#include "sched.h"
#include "unit.h"

enum { ROOT = 10, L3, L2, L1, SECOND_L1, SECOND_ROOT, EARLY_L1, DATA = 40 };

#define RANGE  20
#define LEAVES 3

/* Looks at the clock on the way to one leaf of a tree: after so many a call has made progress. */
#define ENOUGH 7

static void create(void)
{
	unsigned int i;

	world_create();
	world_map_linear();
	plain(ROOT, 0, entry_of(L3, TABLE));
	plain(L3, 0, entry_of(L2, TABLE));
	plain(L2, 0, entry_of(L1, TABLE));
	plain(L2, 1, entry_of(SECOND_L1, TABLE));
	plain(SECOND_ROOT, LINEAR_SLOT, entry_of(LINEAR_L3, TABLE));
	for (i = 0; i < LEAVES; i++) {
		plain(L1, i, entry_of(DATA + i, RW));
		plain(SECOND_L1, 500 + i, entry_of(DATA + i, RO));
		plain(EARLY_L1, i, entry_of(DATA + i, RW));
	}
	cr_assert_eq(table_pin(domain, mfn_of(EARLY_L1), 1), 0);
	batch_register_all();
	root_copy_of(vcpu);
}

TestSuite(batch_stop, .init = create);

static u64 add(u64 count, struct torc_batch_op op)
{
	*batch_op(count) = op;
	return count + 1;
}

/* Some of everything, with failures in between; returns how many operations. */
static u64 write_script(void)
{
	u64 n = 0, i;

	for (i = 0; i < RANGE; i++)
		*batch_word(BATCH_VALUES + 8 * i) = entry_of(DATA + i, i % 2 ? RW : RO);
	*batch_word(BATCH_VALUES + 8 * RANGE) = mfn_to_paddr(FOREIGN_MFN) | RW;
#define OP(...) n = add(n, (struct torc_batch_op){ __VA_ARGS__ })
	OP(.op = TORC_OP_PIN, .entry = entry_address(ROOT, 0), .value = 4);
	OP(.op = TORC_OP_FILL, .count = RANGE, .entry = entry_address(L1, 100),
	   .old = BATCH_VALUES);
	OP(.op = TORC_OP_FILL, .count = RANGE + 1, .entry = entry_address(SECOND_L1, 0),
	   .old = BATCH_VALUES);
	OP(.op = TORC_OP_SET, .entry = entry_address(L1, 5),
	   .value = mfn_to_paddr(FOREIGN_MFN) | RO);
	OP(.op = TORC_OP_EXCHANGE, .entry = entry_address(L1, 101), .value = entry_of(DATA, RO));
	OP(.op = TORC_OP_CLEAR_BITS, .count = RANGE, .value = PTE_W | PTE_D,
	   .entry = entry_address(L1, 100));
	OP(.op = TORC_OP_COMPARE_EXCHANGE, .entry = entry_address(L2, 1), .value = 0,
	   .old = 0x1000);
	OP(.op = TORC_OP_COMPARE_EXCHANGE, .entry = entry_address(L2, 2),
	   .value = entry_of(EARLY_L1, TABLE), .old = 0);
	OP(.op = TORC_OP_UNPIN, .entry = entry_address(EARLY_L1, 0));
	OP(.op = TORC_OP_EXCHANGE, .entry = entry_address(L2, 2), .value = 0);
	OP(.op = TORC_OP_CLEAR, .flags = TORC_BATCH_SAVE_OLD, .count = 2 * RANGE,
	   .entry = entry_address(L1, 90), .old = BATCH_VALUES - 16);
	OP(.op = TORC_OP_NOP);
	OP(.op = TORC_OP_NEW_ROOT, .entry = entry_address(SECOND_ROOT, 0));
	OP(.op = TORC_OP_CLEAR, .count = 2, .entry = entry_address(L2, 0));
	OP(.op = TORC_OP_UNPIN, .entry = entry_address(ROOT, 0));
	OP(.op = TORC_OP_PIN, .entry = entry_address(L2, 0), .value = 2);
#undef OP
	return n;
}

#define SCRIPT_FAILURES 3

/* The next stop is at the @n-th look at the clock; 0: there is none. */
static void stop_at(u64 n)
{
	preempt_calls = 0;
	preempt_at = n;
}

/* The result, however it came about, is the wanted one. */
static void expect_same(const struct picture *want, u64 n)
{
	const char *difference = picture_differs(want), *problem = audit();

	cr_assert_null(problem, "stopped at %lu: %s", n, problem);
	cr_assert_null(difference, "stopped at %lu: %s", n, difference);
}

Test(batch_stop, stopped_once_anywhere_it_ends_the_same)
{
	struct picture *start, *want;
	u64 count = write_script(), n;

	start = picture_take();
	cr_assert_eq(hc_batch(vcpu, 0, count), SCRIPT_FAILURES);
	want = picture_take();
	for (n = 1;; n++) {
		picture_restore(start);
		stop_at(n);
		hc_batch(vcpu, 0, count);
		if (preempt_calls < n)
			break;
		EXPECT_AUDIT();
		stop_at(0);
		cr_assert_eq(hc_batch(vcpu, 0, count), SCRIPT_FAILURES);
		expect_same(want, n);
	}
	cr_expect_gt(n, 2 * RANGE, "%lu places to stop", n);
	picture_free(start);
	picture_free(want);
}

Test(batch_stop, stopped_again_and_again_it_ends_the_same)
{
	struct picture *start, *want;
	u64 count = write_script(), n;

	start = picture_take();
	cr_assert_eq(hc_batch(vcpu, 0, count), SCRIPT_FAILURES);
	want = picture_take();
	for (n = ENOUGH; n < 40; n++) {
		s64 result;

		picture_restore(start);
		preempt_always = true;
		do {
			stop_at(n);
			result = hc_batch(vcpu, 0, count);
		} while (result == TORC_EAGAIN && !audit());
		cr_assert_eq(result, SCRIPT_FAILURES);
		expect_same(want, n);
	}
	picture_free(start);
	picture_free(want);
}

/* XSA-212: the element at which an operation goes on is checked, not only the first. */
Test(batch_stop, a_range_is_checked_again_where_it_goes_on)
{
	static const struct {
		const char *what;
		struct torc_batch_op op;
		int status;
	} changed[] = {
		{ "behind the table", { .op = TORC_OP_CLEAR, .count = 513 }, TORC_EINVAL },
		{ "behind the table, done in it",
		  { .op = TORC_OP_CLEAR, .count = 600, .done = 5 }, TORC_EINVAL },
		{ "done behind the end", { .op = TORC_OP_CLEAR, .count = 4, .done = 600 }, 0 },
		{ "old entries behind the area",
		  { .op = TORC_OP_CLEAR,
		    .count = 512,
		    .done = 5,
		    .flags = TORC_BATCH_SAVE_OLD,
		    .old = 8 * PAGE_SIZE - 48 },
		  TORC_EINVAL },
		{ "old entries that wrap",
		  { .op = TORC_OP_CLEAR,
		    .count = 512,
		    .done = 5,
		    .flags = TORC_BATCH_SAVE_OLD,
		    .old = -40ull },
		  TORC_EINVAL },
		{ "values behind the area",
		  { .op = TORC_OP_FILL, .count = 512, .done = 5, .old = 8 * PAGE_SIZE - 48 },
		  TORC_EINVAL },
		{ "values that wrap",
		  { .op = TORC_OP_FILL, .count = 512, .done = 511, .old = -(511 * 8ull) },
		  TORC_EINVAL },
		{ "bits that may not be cleared",
		  { .op = TORC_OP_CLEAR_BITS, .count = 512, .value = PTE_P, .done = 1 },
		  TORC_EINVAL },
	};
	struct picture *start;
	unsigned int i;

	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	start = picture_take();
	for (i = 0; i < ARRAY_SIZE(changed); i++) {
		picture_restore(start);
		*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_CLEAR,
						       .count = 512,
						       .entry = entry_address(L1, 0) };
		stop_at(6);
		cr_assert_eq(hc_batch(vcpu, 0, 1), TORC_EAGAIN);
		cr_assert(batch_op(0)->done > 0 && batch_op(0)->done < 512);
		stop_at(0);
		*batch_op(0) = changed[i].op;
		batch_op(0)->entry = entry_address(L1, 0);
		hc_batch(vcpu, 0, 1);
		cr_expect_eq(batch_op(0)->status, changed[i].status, "%s: %d", changed[i].what,
			     batch_op(0)->status);
		EXPECT_AUDIT();
	}
	picture_free(start);
}

Test(batch_stop, a_table_that_is_none_any_more_is_noticed)
{
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_CLEAR,
					       .count = 512,
					       .entry = entry_address(L1, 0) };
	*batch_op(1) = (struct torc_batch_op){ .op = TORC_OP_UNPIN, .entry = entry_address(L1, 0) };
	stop_at(6);
	cr_assert_eq(hc_batch(vcpu, 0, 1), TORC_EAGAIN);
	stop_at(0);
	cr_assert_eq(hc_batch(vcpu, 1, 1), 0);
	cr_expect_eq(hc_batch(vcpu, 0, 1), 1);
	cr_expect_eq(batch_op(0)->status, TORC_EINVAL);
	EXPECT_AUDIT();
}

/*
 * Sets of one table are done in runs. A guest whose runs were never interrupted would keep its CPU
 * for a whole area of them, and again with its next call.
 */
Test(batch_stop, a_run_of_sets_makes_room_for_others)
{
	unsigned int i, done, calls = 0;

	for (i = 0; i < 64; i++)
		*batch_op(i) = (struct torc_batch_op){ .op = TORC_OP_SET,
						       .entry = entry_address(EARLY_L1, i),
						       .value = entry_of(DATA + i, RO) };
	stop_at(2);
	while (hc_batch(vcpu, 0, 64) == TORC_EAGAIN) {
		for (done = 0; batch_op(done)->flags & TORC_BATCH_DONE; done++)
			;
		cr_assert(done > 0 && done <= 32, "%u in one go", done);
		EXPECT_AUDIT();
		stop_at(0);
		calls++;
	}
	cr_expect_eq(calls, 1);
	EXPECT_AUDIT();
}

/* The tree falls while a run of sets to one of its tables goes on. */
Test(batch_stop, a_table_of_a_falling_tree_is_not_set)
{
	struct picture *start;
	u64 n, i;

	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_UNPIN,
					       .entry = entry_address(ROOT, 0) };
	for (i = 1; i <= 2 * RANGE; i++)
		*batch_op(i) = (struct torc_batch_op){ .op = TORC_OP_SET,
						       .entry = entry_address(L1, i % LEAVES),
						       .value = entry_of(DATA + i, RO) };
	start = picture_take();
	for (n = 1; n <= 2 * RANGE; n++) {
		picture_restore(start);
		stop_at(n);
		hc_batch(vcpu, 0, 2 * RANGE + 1);
		EXPECT_AUDIT();
		stop_at(0);
		cr_expect_eq(hc_batch(vcpu, 0, 2 * RANGE + 1), 2 * RANGE, "stopped at %lu", n);
		EXPECT_AUDIT();
		cr_expect(!is_table(frame_of(L1)));
	}
	picture_free(start);
}

static const char *looks; /* at the clock, one by one: is somebody waiting? */

static bool due_as_told(unsigned int work __unused)
{
	return *looks && *looks++ == 'y';
}

/*
 * Who waits while one tree falls may be gone at the next look. If the batch went on to bring down
 * another one, the first would be forgotten half-way.
 */
Test(batch_stop, a_second_tree_waits_for_the_first)
{
	static const pfn_t tables[] = { EARLY_L1, L1 };
	unsigned int i;

	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	for (i = 0; i < 2; i++)
		*batch_op(i) = (struct torc_batch_op){ .op = TORC_OP_UNPIN,
						       .entry = entry_address(tables[i], 0) };
	looks = "nnyyny";
	preempt_due_if = due_as_told;
	cr_expect_eq(hc_batch(vcpu, 0, 2), TORC_EAGAIN);
	EXPECT_AUDIT();
	preempt_due_if = NULL;
	cr_expect_eq(hc_batch(vcpu, 0, 2), 0);
	EXPECT_AUDIT();
	for (i = 0; i < 2; i++)
		cr_expect(!is_table(frame_of(tables[i])), "tree %u", i);
}

/* As the scheduler says it while another CPU wants the domain's lock all the time. */
static bool due_at_each_look(unsigned int work)
{
	static unsigned int since;

	since += work;
	if (since < PREEMPT_INTERVAL)
		return false;
	since = 0;
	return true;
}

/* It waits for other CPUs, whose number no entry counts. */
Test(batch_stop, a_flush_is_the_work_of_many_entries)
{
	unsigned int i;

	for (i = 0; i < 2 * PREEMPT_INTERVAL / 16; i++)
		*batch_op(i) = (struct torc_batch_op){ .op = TORC_OP_FLUSH_ALL, .old = 1 };
	preempt_due_if = due_at_each_look;
	cr_expect_eq(hc_batch(vcpu, 0, i), TORC_EAGAIN);
	preempt_due_if = NULL;
	cr_expect_eq(hc_batch(vcpu, 0, i), 0);
}

/*
 * Attack: another domain wants this one's lock again and again, so that each look ends the call.
 * Vulnerable: operations that are done already count as work when the call is made again, so that a
 * long batch stops for ever where it stopped before; fixed: each call gets on.
 */
Test(batch_stop, a_long_batch_gets_on_while_its_lock_is_wanted)
{
	u64 before, i;
	unsigned int calls = 0;

	for (before = 200; before < TORC_BATCH_MAX_OPS; before += before < 260 ? 1 : 50) {
		for (i = 0; i < before; i++)
			*batch_op(i) = (struct torc_batch_op){ .op = TORC_OP_NOP };
		*batch_op(before) = (struct torc_batch_op){
			.op = TORC_OP_CLEAR, .count = RANGE, .entry = entry_address(EARLY_L1, 100)
		};
		preempt_due_if = due_at_each_look;
		for (calls = 0; calls < 20; calls++)
			if (hc_batch(vcpu, 0, before + 1) != TORC_EAGAIN)
				break;
		preempt_due_if = NULL;
		cr_assert_lt(calls, 20, "%lu operations and a range never end", before);
	}
	cr_expect_gt(calls, 1, "it never stopped");
}

Test(batch_stop, a_page_of_the_area_that_goes_away_is_noticed)
{
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_CLEAR,
					       .count = 512,
					       .flags = TORC_BATCH_SAVE_OLD,
					       .old = BATCH_VALUES,
					       .entry = entry_address(L1, 0) };
	stop_at(6);
	cr_assert_eq(hc_batch(vcpu, 0, 1), TORC_EAGAIN);
	stop_at(0);
	cr_assert_eq(hc_batch_register(vcpu, 7, INVALID_PFN), 0);
	cr_expect_eq(hc_batch(vcpu, 0, 1), 1);
	cr_expect_eq(batch_op(0)->status, TORC_EINVAL);
	EXPECT_AUDIT();
}

/* The guest turns any field into anything, at any time, batch pages themselves included. */
static void scribble(struct random *dice)
{
	static const pfn_t tables[] = { ROOT,	   L3,		L2,	   L1,
					SECOND_L1, SECOND_ROOT, EARLY_L1,  LINEAR_L1,
					LINEAR_L4, DATA,	BATCH_PFN, VCPU_PAGE_PFN };
	struct torc_batch_op *op = batch_op(random_below(dice, 8));
	pfn_t table = tables[random_below(dice, ARRAY_SIZE(tables))];
	pfn_t other = tables[random_below(dice, ARRAY_SIZE(tables))];
	u64 entry = random_once_in(dice, 10) ? mfn_to_paddr(FOREIGN_MFN) : entry_of(other, 0);

	*op = (struct torc_batch_op){
		.op = random_below(dice, TORC_OP_COUNT + 1),
		.flags = random_once_in(dice, 3) ? TORC_BATCH_SAVE_OLD : 0,
		.count = 1 + random_below(dice, random_once_in(dice, 4) ? 520 : 4),
		.done = random_once_in(dice, 8) ? random_below(dice, 520) : 0,
		.entry = entry_address(table, random_below(dice, 8)),
		.value = entry | (random_once_in(dice, 2) ? RW : TABLE & ~PTE_W),
		.old = random_below(dice, TORC_BATCH_PAGES * PAGE_SIZE / 8) * 8,
	};
	if (random_once_in(dice, 3))
		op->entry = entry_address(table, 0);
	if (op->op == TORC_OP_COMPARE_EXCHANGE)
		op->old = page_of(op->entry >> PAGE_SHIFT)[op->entry % PAGE_SIZE / 8];
	if (op->op == TORC_OP_PIN)
		op->value = 1 + random_below(dice, 4);
	if (op->op == TORC_OP_NEW_ROOT)
		op->value = 0;
	if (op->op == TORC_OP_CLEAR_BITS)
		op->value &= PTE_W | PTE_A | PTE_D;
	if (op->op >= TORC_OP_FLUSH_PAGE)
		op->old = 0;
	if (random_once_in(dice, 20))
		((u8 *)op)[random_below(dice, sizeof(*op))] ^= 1u << random_below(dice, 8);
}

Test(batch_stop, random_batches_that_a_guest_changes_under_way)
{
	struct random dice = { 0x1234567 };
	struct picture *start = picture_take();
	unsigned int round, done[TORC_OP_COUNT + 1] = { 0 }, i;

	preempt_always = true;
	for (round = 0; round < 20000; round++) {
		const char *problem;

		if (round % 500 == 0)
			picture_restore(start);
		for (i = random_below(&dice, 3); i > 0; i--)
			scribble(&dice);
		stop_at(1 + random_below(&dice, 60));
		hc_batch(vcpu, random_below(&dice, 4), 1 + random_below(&dice, 4));
		problem = audit();
		cr_assert_null(problem, "round %u: %s", round, problem);
		for (i = 0; i < 8; i++)
			if ((batch_op(i)->flags & TORC_BATCH_DONE) && !batch_op(i)->status)
				done[MIN(batch_op(i)->op, TORC_OP_COUNT)]++;
		/* What was mapped writable may be written; a batch page always is. */
		if (frame_of(L1)->type == FRAME_NONE)
			plain(L1, random_below(&dice, 8), entry_of(DATA, RW));
	}
	for (i = 0; i < TORC_OP_COUNT; i++)
		cr_expect(done[i], "operation %u never worked", i);
	picture_free(start);
}
