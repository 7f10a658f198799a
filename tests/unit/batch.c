/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Batches: what each operation does, what each error is called, and that an operation which fails
 * changes nothing.
 *
 * Attack: entries that are not aligned, ranges that leave their table, places in the area that are
 * none, a table that an earlier operation of the batch ended.
 * Vulnerable: a word is written that is no entry of a live table.
 * Fixed: each operation looks up what it names, and its status says what was wrong.
 */
#include <criterion/criterion.h>
#include "batch.h"
#include "hypercall.h"
#include "unit.h"

enum { L1 = 10, L2, ROOT, CHILD, DATA = 20, DATA2, SPARE = 30 };

/* L1: DATA writable at 0, DATA2 read-only at 1, DATA2 writable at 2. L1, L2 and ROOT are pinned. */
static void create(void)
{
	world_create();
	plain(L1, 0, entry_of(DATA, RW));
	plain(L1, 1, entry_of(DATA2, RO));
	plain(L1, 2, entry_of(DATA2, RW));
	cr_assert_eq(table_pin(domain, mfn_of(L1), 1), 0);
	cr_assert_eq(table_pin(domain, mfn_of(L2), 2), 0);
	cr_assert_eq(table_pin(domain, mfn_of(ROOT), 4), 0);
	batch_register_all();
}

TestSuite(batch, .init = create);

/* Runs @op alone; returns its status, and the operation as it stands afterwards through @op. */
static int run(struct torc_batch_op *op)
{
	s64 failed;

	*batch_op(3) = *op;
	failed = hc_batch(vcpu, 3, 1);
	*op = *batch_op(3);
	cr_expect(failed == 0 || failed == 1, "%ld", failed);
	cr_expect_eq(failed, op->status != 0);
	cr_expect(op->flags & TORC_BATCH_DONE);
	EXPECT_AUDIT();
	return op->status;
}

/* @op ends with @error; memory, frames and vCPU are as before, but for the operation's status. */
static void refuse(int error, struct torc_batch_op op)
{
	struct picture *before;
	struct torc_batch_op result = op;
	const char *difference;
	int status;

	*batch_op(3) = op;
	before = picture_take();
	status = run(&result);
	cr_expect_eq(status, error, "op %u entry %lx value %lx count %u: %d, not %d", op.op,
		     op.entry, op.value, op.count, status, error);
	*batch_op(3) = op;
	difference = picture_differs(before);
	cr_expect_null(difference, "op %u entry %lx value %lx count %u: %s", op.op, op.entry,
		       op.value, op.count, difference);
	picture_free(before);
}

#define RUN(...) run(&(struct torc_batch_op){ __VA_ARGS__ })
#define REFUSE(error, ...) refuse(error, (struct torc_batch_op){ __VA_ARGS__ })

Test(batch, set_and_its_relatives)
{
	struct torc_batch_op op = { .op = TORC_OP_EXCHANGE, .entry = entry_address(L1, 0) };

	cr_expect_eq(run(&op), 0);
	cr_expect_eq(op.old, entry_of(DATA, RW));
	cr_expect_eq(page_of(L1)[0], 0);
	cr_expect_eq(RUN(.op = TORC_OP_SET, .entry = entry_address(L1, 511),
			 .value = entry_of(DATA, PTE_P | PTE_D)), 0);
	cr_expect_eq(page_of(L1)[511], entry_of(DATA, PTE_P | PTE_D));
	cr_expect_eq(RUN(.op = TORC_OP_SET_KEEP, .entry = entry_address(L1, 511),
			 .value = entry_of(DATA, PTE_P | PTE_W)), 0);
	cr_expect_eq(page_of(L1)[511], entry_of(DATA, PTE_P | PTE_W | PTE_D));
	cr_expect_eq(RUN(.op = TORC_OP_SET, .entry = entry_address(L1, 511),
			 .value = entry_of(DATA, PTE_P | PTE_W)), 0);
	cr_expect_eq(page_of(L1)[511], entry_of(DATA, PTE_P | PTE_W));
}

Test(batch, compare_exchange)
{
	struct torc_batch_op op = { .op = TORC_OP_COMPARE_EXCHANGE, .entry = entry_address(L1, 0),
				    .value = entry_of(DATA, RO), .old = entry_of(DATA, RO) };

	cr_expect_eq(run(&op), TORC_EAGAIN);
	cr_expect_eq(op.old, entry_of(DATA, RW), "the entry as it is");
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RW));
	op.flags = 0;
	cr_expect_eq(run(&op), 0);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RO));
}

Test(batch, clear_saves_the_old_entries)
{
	struct torc_batch_op op = { .op = TORC_OP_CLEAR, .flags = TORC_BATCH_SAVE_OLD, .count = 4,
				    .entry = entry_address(L1, 0), .old = BATCH_VALUES + 8 };

	memset(page_of(BATCH_PFN + 7), 0x55, PAGE_SIZE);
	cr_expect_eq(run(&op), 0);
	cr_expect_eq(op.done, 4);
	cr_expect_eq(*batch_word(BATCH_VALUES), 0x5555555555555555);
	cr_expect_eq(*batch_word(BATCH_VALUES + 8), entry_of(DATA, RW));
	cr_expect_eq(*batch_word(BATCH_VALUES + 16), entry_of(DATA2, RO));
	cr_expect_eq(*batch_word(BATCH_VALUES + 24), entry_of(DATA2, RW));
	cr_expect_eq(*batch_word(BATCH_VALUES + 32), 0);
	cr_expect_eq(*batch_word(BATCH_VALUES + 40), 0x5555555555555555);
	cr_expect_eq(frame_of(DATA2)->ref_count, 0);
}

/* Saved entries may cross from one page of the area to the next. */
Test(batch, saved_entries_cross_pages)
{
	cr_expect_eq(RUN(.op = TORC_OP_CLEAR, .flags = TORC_BATCH_SAVE_OLD, .count = 3,
			 .entry = entry_address(L1, 0), .old = BATCH_VALUES - 8), 0);
	cr_expect_eq(*batch_word(BATCH_VALUES - 8), entry_of(DATA, RW));
	cr_expect_eq(*batch_word(BATCH_VALUES), entry_of(DATA2, RO));
}

Test(batch, clear_of_a_whole_root_is_allowed)
{
	root_load(vcpu, mfn_of(ROOT));
	root_copy_of(vcpu);
	cr_expect_eq(RUN(.op = TORC_OP_CLEAR, .count = 512, .entry = entry_address(ROOT, 0)), 0);
	cr_expect_eq(RUN(.op = TORC_OP_CLEAR_BITS, .count = 512, .value = PTE_W,
			 .entry = entry_address(ROOT, 0)), 0);
}

Test(batch, clear_bits_protects_a_range)
{
	cr_expect_eq(RUN(.op = TORC_OP_CLEAR_BITS, .count = 512, .value = PTE_W | PTE_D,
			 .entry = entry_address(L1, 0)), 0);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RW & ~(PTE_W | PTE_D)));
	cr_expect_eq(page_of(L1)[1], entry_of(DATA2, RO));
	cr_expect_eq(frame_of(DATA)->type_count, 0);
	cr_expect_eq(frame_of(DATA2)->type_count, 0);
}

Test(batch, fill_sets_a_range)
{
	unsigned int i;

	for (i = 0; i < 511; i++)
		*batch_word(BATCH_VALUES + 8 * i) = entry_of(SPARE + i, i % 2 ? RW : RO);
	cr_expect_eq(RUN(.op = TORC_OP_FILL, .count = 511, .entry = entry_address(L1, 1),
			 .old = BATCH_VALUES), 0);
	cr_expect_eq(page_of(L1)[0], entry_of(DATA, RW));
	for (i = 0; i < 511; i++)
		cr_expect_eq(page_of(L1)[1 + i], entry_of(SPARE + i, i % 2 ? RW : RO));
}

/* A fill that meets a bad entry says how far it came; what is behind is as it was. */
Test(batch, fill_stops_at_the_entry_that_fails)
{
	struct torc_batch_op op = { .op = TORC_OP_FILL, .count = 4, .entry = entry_address(L1, 100),
				    .old = BATCH_VALUES };

	*batch_word(BATCH_VALUES) = entry_of(SPARE, RW);
	*batch_word(BATCH_VALUES + 8) = entry_of(SPARE + 1, RW);
	*batch_word(BATCH_VALUES + 16) = mfn_to_paddr(FOREIGN_MFN) | RO;
	*batch_word(BATCH_VALUES + 24) = entry_of(SPARE + 2, RW);
	cr_expect_eq(run(&op), TORC_EPERM);
	cr_expect_eq(op.done, 2);
	cr_expect_eq(page_of(L1)[101], entry_of(SPARE + 1, RW));
	cr_expect_eq(page_of(L1)[102], 0);
	cr_expect_eq(page_of(L1)[103], 0);
}

Test(batch, pin_new_root_unpin)
{
	cr_expect_eq(RUN(.op = TORC_OP_PIN, .entry = entry_address(CHILD, 0), .value = 4), 0);
	cr_expect_eq(RUN(.op = TORC_OP_NEW_ROOT, .entry = entry_address(CHILD, 0),
			 .value = 0xfff | TORC_ROOT_NO_FLUSH), 0);
	cr_expect_eq(vcpu->root, mfn_of(CHILD));
	cr_expect_eq(RUN(.op = TORC_OP_UNPIN, .entry = entry_address(CHILD, 0)), 0);
	cr_expect_eq(frame_of(CHILD)->type, FRAME_L4);
	cr_expect_eq(RUN(.op = TORC_OP_NEW_ROOT, .entry = entry_address(ROOT, 0)), 0);
	cr_expect_eq(frame_of(CHILD)->type, FRAME_NONE);
}

Test(batch, nothing_and_flushes)
{
	cr_expect_eq(RUN(.op = TORC_OP_NOP), 0);
	cr_expect_eq(RUN(.op = TORC_OP_FLUSH_PAGE, .value = 0x1000), 0);
	cr_expect_eq(RUN(.op = TORC_OP_FLUSH_RANGE, .value = 0x1000, .count = 5, .old = 1), 0);
	cr_expect_eq(RUN(.op = TORC_OP_FLUSH_ALL, .old = 1), 0);
	REFUSE(TORC_ENOENT, .op = TORC_OP_FLUSH_PAGE, .old = 2);
	REFUSE(TORC_ENOENT, .op = TORC_OP_FLUSH_ALL, .old = 1ull << 63);
}

Test(batch, unknown_operations_are_named)
{
	unsigned int op;

	for (op = TORC_OP_COUNT; op < 256; op++)
		REFUSE(TORC_ENOSYS, .op = op, .entry = entry_address(L1, 0), .count = 1);
}

Test(batch, unknown_flags_are_refused)
{
	unsigned int op, bit;

	for (op = 0; op < TORC_OP_COUNT; op++)
		for (bit = 1; bit < 7; bit++)
			REFUSE(TORC_EINVAL, .op = op, .flags = 1u << bit, .count = 1,
			       .entry = entry_address(L1, 0));
}

/* Operands that are wrong in the same way for every operation on entries. */
Test(batch, entries_that_are_none)
{
	static const u8 ops[] = { TORC_OP_SET, TORC_OP_SET_KEEP, TORC_OP_EXCHANGE,
				  TORC_OP_COMPARE_EXCHANGE, TORC_OP_CLEAR, TORC_OP_CLEAR_BITS,
				  TORC_OP_FILL };
	unsigned int i, shift;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		u8 op = ops[i];

		REFUSE(TORC_ENOENT, .op = op, .count = 1, .entry = entry_address(WORLD_PAGES, 0));
		REFUSE(TORC_ENOENT, .op = op, .count = 1, .entry = ~7ull);
		REFUSE(TORC_ENOENT, .op = op, .count = 1, .entry = 1ull << 63);
		REFUSE(TORC_EINVAL, .op = op, .count = 1, .entry = entry_address(DATA, 0));
		REFUSE(TORC_EINVAL, .op = op, .count = 1, .entry = entry_address(BATCH_PFN, 0));
		for (shift = 1; shift < 8; shift++)
			REFUSE(TORC_EINVAL, .op = op, .count = 1,
			       .entry = entry_address(L1, 0) + shift);
		/* Some bits of a stray entry would make a good operation but for the last three. */
		REFUSE(TORC_EINVAL, .op = op, .count = 1, .entry = entry_address(L1, 511) + 7);
	}
}

Test(batch, ranges_stay_in_their_table)
{
	static const u8 ops[] = { TORC_OP_CLEAR, TORC_OP_CLEAR_BITS, TORC_OP_FILL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		REFUSE(TORC_EINVAL, .op = ops[i], .count = 0, .entry = entry_address(L1, 0));
		REFUSE(TORC_EINVAL, .op = ops[i], .count = 513, .entry = entry_address(L1, 0));
		REFUSE(TORC_EINVAL, .op = ops[i], .count = 2, .entry = entry_address(L1, 511));
		REFUSE(TORC_EINVAL, .op = ops[i], .count = 512, .entry = entry_address(L1, 1));
		REFUSE(TORC_EINVAL, .op = ops[i], .count = 65535, .entry = entry_address(L1, 0));
	}
}

Test(batch, places_in_the_area_that_are_none)
{
	static const u64 bad[] = { BATCH_VALUES + 1, BATCH_VALUES + 4, TORC_BATCH_PAGES * PAGE_SIZE,
				   TORC_BATCH_PAGES * PAGE_SIZE - 8, ~7ull, 1ull << 63 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		REFUSE(TORC_EINVAL, .op = TORC_OP_CLEAR, .flags = TORC_BATCH_SAVE_OLD, .count = 3,
		       .entry = entry_address(L1, 0), .old = bad[i]);
		REFUSE(TORC_EINVAL, .op = TORC_OP_FILL, .count = 3, .entry = entry_address(L1, 0),
		       .old = bad[i]);
	}
	cr_assert_eq(hc_batch_register(vcpu, 6, INVALID_PFN), 0);
	REFUSE(TORC_EINVAL, .op = TORC_OP_FILL, .count = 3, .entry = entry_address(L1, 0),
	       .old = 6 * PAGE_SIZE);
	REFUSE(TORC_EINVAL, .op = TORC_OP_CLEAR, .flags = TORC_BATCH_SAVE_OLD, .count = 3,
	       .entry = entry_address(L1, 0), .old = 6 * PAGE_SIZE - 8);
}

/* A range operation that has no use for words of the area does not care where they would be. */
Test(batch, places_in_the_area_that_are_not_used)
{
	cr_expect_eq(RUN(.op = TORC_OP_CLEAR_BITS, .count = 2, .entry = entry_address(L1, 0),
			 .value = PTE_D, .old = 1), 0);
	cr_expect_eq(RUN(.op = TORC_OP_CLEAR, .count = 3, .entry = entry_address(L1, 0),
			 .old = ~0ull), 0);
}

Test(batch, values_that_are_refused)
{
	static const u8 ops[] = { TORC_OP_SET, TORC_OP_SET_KEEP, TORC_OP_EXCHANGE,
				  TORC_OP_COMPARE_EXCHANGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		u64 old = page_of(L1)[0], entry = entry_address(L1, 0);

		REFUSE(TORC_EPERM, .op = ops[i], .entry = entry, .old = old,
		       .value = mfn_to_paddr(FOREIGN_MFN) | RO);
		REFUSE(TORC_EBUSY, .op = ops[i], .entry = entry, .old = old,
		       .value = entry_of(L2, RW));
		REFUSE(TORC_EINVAL, .op = ops[i], .entry = entry, .old = old,
		       .value = entry_of(DATA, RW | PTE_PCD));
		REFUSE(TORC_EPERM, .op = ops[i], .entry = entry_address(ROOT, 256),
		       .value = entry_of(CHILD, TABLE));
	}
	REFUSE(TORC_EINVAL, .op = TORC_OP_CLEAR_BITS, .entry = entry_address(L1, 0), .count = 1,
	       .value = PTE_P);
	REFUSE(TORC_EINVAL, .op = TORC_OP_CLEAR_BITS, .entry = entry_address(L1, 0), .count = 1,
	       .value = PTE_W | PTE_NX);
	REFUSE(TORC_EINVAL, .op = TORC_OP_CLEAR_BITS, .entry = entry_address(L1, 0), .count = 1,
	       .value = ~0ull);
}

Test(batch, tables_that_are_refused)
{
	static const u8 ops[] = { TORC_OP_PIN, TORC_OP_UNPIN, TORC_OP_NEW_ROOT };
	u64 level;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		REFUSE(TORC_EINVAL, .op = ops[i], .entry = entry_address(CHILD, 1), .value = 4);
		REFUSE(TORC_EINVAL, .op = ops[i], .entry = entry_address(CHILD, 0) + 1, .value = 4);
		REFUSE(TORC_ENOENT, .op = ops[i], .entry = entry_address(WORLD_PAGES, 0),
		       .value = 4);
		REFUSE(TORC_ENOENT, .op = ops[i], .entry = ~0xfffull, .value = 4);
	}
	REFUSE(TORC_EINVAL, .op = TORC_OP_PIN, .entry = entry_address(CHILD, 0), .value = 0);
	for (level = 5; level; level <<= 1)
		REFUSE(TORC_EINVAL, .op = TORC_OP_PIN, .entry = entry_address(CHILD, 0),
		       .value = level);
	REFUSE(TORC_EINVAL, .op = TORC_OP_PIN, .entry = entry_address(CHILD, 0),
	       .value = 1ull << 32 | 4);
	REFUSE(TORC_EBUSY, .op = TORC_OP_PIN, .entry = entry_address(L1, 0), .value = 1);
	REFUSE(TORC_EBUSY, .op = TORC_OP_PIN, .entry = entry_address(DATA, 0), .value = 1);
	REFUSE(TORC_EBUSY, .op = TORC_OP_PIN, .entry = entry_address(BATCH_PFN, 0), .value = 1);
	REFUSE(TORC_ENOENT, .op = TORC_OP_UNPIN, .entry = entry_address(CHILD, 0));
	REFUSE(TORC_EBUSY, .op = TORC_OP_NEW_ROOT, .entry = entry_address(L2, 0));
	REFUSE(TORC_EINVAL, .op = TORC_OP_NEW_ROOT, .entry = entry_address(ROOT, 0),
	       .value = 0x1000);
	REFUSE(TORC_EINVAL, .op = TORC_OP_NEW_ROOT, .entry = entry_address(ROOT, 0),
	       .value = 1ull << 62);
}

Test(batch, calls_outside_the_area)
{
	EXPECT_ERROR(TORC_EINVAL, hc_batch(vcpu, 0, TORC_BATCH_MAX_OPS + 1));
	EXPECT_ERROR(TORC_EINVAL, hc_batch(vcpu, 1, TORC_BATCH_MAX_OPS));
	EXPECT_ERROR(TORC_EINVAL, hc_batch(vcpu, TORC_BATCH_MAX_OPS, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_batch(vcpu, ~0ull, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_batch(vcpu, 1, ~0ull));
	EXPECT_ERROR(TORC_EINVAL, hc_batch(vcpu, ~0ull, ~0ull));
	EXPECT_ERROR(0, hc_batch(vcpu, TORC_BATCH_MAX_OPS, 0));
	cr_assert_eq(hc_batch_register(vcpu, 2, INVALID_PFN), 0);
	EXPECT_ERROR(TORC_ENOENT, hc_batch(vcpu, 2 * TORC_BATCH_OPS_PER_PAGE, 1));
	cr_expect_eq(hc_batch(vcpu, 2 * TORC_BATCH_OPS_PER_PAGE - 1, 1), 0);
}

Test(batch, register_refuses_what_it_must)
{
	EXPECT_ERROR(TORC_EINVAL, hc_batch_register(vcpu, TORC_BATCH_PAGES, DATA));
	EXPECT_ERROR(TORC_EINVAL, hc_batch_register(vcpu, ~0ull, DATA));
	EXPECT_ERROR(TORC_ENOENT, hc_batch_register(vcpu, 0, WORLD_PAGES));
	EXPECT_ERROR(TORC_ENOENT, hc_batch_register(vcpu, 0, ~1ull));
	EXPECT_ERROR(TORC_EBUSY, hc_batch_register(vcpu, 0, L1));
	EXPECT_ERROR(TORC_EBUSY, hc_batch_register(vcpu, 0, ROOT));
	cr_expect_eq(hc_batch_register(vcpu, 0, SPARE), 0, "another page instead");
	cr_expect_eq(frame_of(BATCH_PFN)->ref_count, 0);
	EXPECT_AUDIT();
	cr_expect_eq(hc_batch_register(vcpu, 0, SPARE), 0, "the same page again");
	cr_expect_eq(hc_batch_register(vcpu, 1, SPARE), 0, "one page twice");
	EXPECT_AUDIT();
	cr_expect_eq(hc_batch_register(vcpu, 0, INVALID_PFN), 0);
	cr_expect_eq(hc_batch_register(vcpu, 0, INVALID_PFN), 0, "nothing instead of nothing");
	EXPECT_AUDIT();
}

Test(batch, failures_do_not_stop_what_is_behind)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		*batch_op(120 + i) = (struct torc_batch_op){
			.op = i % 3 ? TORC_OP_SET : 99, .entry = entry_address(L1, 10 + i),
			.value = entry_of(SPARE + i, RO) };
	cr_expect_eq(hc_batch(vcpu, 120, 10), 4);
	for (i = 0; i < 10; i++) {
		cr_expect_eq(batch_op(120 + i)->flags, TORC_BATCH_DONE);
		cr_expect_eq(batch_op(120 + i)->status, i % 3 ? 0 : TORC_ENOSYS);
		cr_expect_eq(page_of(L1)[10 + i], i % 3 ? entry_of(SPARE + i, RO) : 0);
	}
	/* Done is done: a second call changes nothing and counts the same. */
	EXPECT_UNCHANGED_AFTER({ cr_expect_eq(hc_batch(vcpu, 120, 10), 4); });
	EXPECT_AUDIT();
}

/* Sets of one table follow one another, but not beyond an operation that ends the table. */
Test(batch, a_table_that_is_none_any_more_is_not_set)
{
	struct torc_batch_op set = { .op = TORC_OP_SET, .entry = entry_address(L1, 10),
				     .value = entry_of(SPARE, RO) };

	*batch_op(0) = set;
	*batch_op(1) = (struct torc_batch_op){ .op = TORC_OP_UNPIN,
					       .entry = entry_address(L1, 0) };
	*batch_op(2) = set;
	cr_expect_eq(hc_batch(vcpu, 0, 3), 1);
	cr_expect_eq(batch_op(2)->status, TORC_EINVAL);
	cr_expect_eq(frame_of(L1)->type, FRAME_NONE);
	EXPECT_AUDIT();
}

/* Everything that a batch writes is its flags, done, status and old: nothing else of the area. */
Test(batch, operations_are_written_back_as_they_should)
{
	struct torc_batch_op op = { .op = TORC_OP_SET, .count = 0x1234, .done = 0x4321,
				    .status = 77, .entry = entry_address(L1, 20),
				    .value = entry_of(SPARE, RW), .old = 0x1122334455667788 };
	struct torc_batch_op before = op;

	cr_expect_eq(run(&op), 0);
	before.flags = TORC_BATCH_DONE;
	before.status = 0;
	cr_expect(!memcmp(&op, &before, sizeof(op)));
	for (int i = 0; i < 8; i++)
		if (i != 3)
			cr_expect(!batch_op(i)->flags && !batch_op(i)->status);
}
