/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A range operation that has stopped half-way.
 *
 * Background: how far it has come stands in the operation itself, in memory of the guest, and the
 * call is made again to go on.
 * Attack: change the operation, the words that it takes, its table or the batch area before that.
 * Vulnerable: it goes on by what was checked when it began, in memory outside of the table or of
 * the area.
 * Fixed: all is checked again where it goes on; the operation ends with an error.
 */
#include "conformance.h"

#define TABLES	256
#define OP	64 /* index in the batch area, out of the queue's way */
#define PATTERN 0x0123456789abcdefUL
#define TRIES	50

static uint64_t *table; /* of level 2, between two pages that must not change */
static uint64_t *tree;	/* whose tables of level 1 are named in it one by one */
static uint64_t whole;	/* ns that it takes to name all of them */

static volatile struct torc_batch_op *op(void)
{
	return &guest_queue.area[OP];
}

static void fill_pages(void)
{
	uint32_t i;

	for (i = 0; i < 512; i++)
		table[(int)i - 512] = table[i + 512] = PATTERN + i;
	for (i = 0; i < TABLES; i++)
		guest_queue.values[i] = tree[i];
}

static void expect_pages(const char *what)
{
	uint32_t i;

	for (i = 0; i < 512; i++) {
		CHECK(table[(int)i - 512] == PATTERN + i && table[i + 512] == PATTERN + i,
		      "%s: word %u beside the table has changed", what, i);
		CHECK(table[i] == (i < TABLES ? tree[i] : 0) || table[i] == 0,
		      "%s: entry %u is 0x%lx", what, i, table[i]);
	}
}

/*
 * Everything is ordinary memory again but the table, which is empty. The one that was being
 * validated is half-way, and is given up by hand.
 */
static void clean_up(const char *what)
{
	uint32_t i, given_up = 0;

	guest_op(TORC_OP_PIN, guest_linear_gpa(table), 2); /* it may have been ended */
	expect_status(
		what,
		torc_queue_now(&guest_queue, TORC_OP_CLEAR, guest_linear_gpa(table), 0, NULL, 512),
		TORC_OK);
	for (i = 1; i <= TABLES; i++) {
		if (ordinary(tree + i * 512UL))
			continue;
		guest_op(TORC_OP_UNPIN, guest_linear_gpa(tree + i * 512UL), 0);
		given_up++;
		CHECK(ordinary(tree + i * 512UL), "%s: table %u has not ended", what, i);
	}
	CHECK(given_up <= 1, "%s: %u tables were half-way", what, given_up);
}

static void prepare(void)
{
	fill_pages();
	*op() = (struct torc_batch_op){ .op = TORC_OP_FILL,
					.count = TABLES,
					.entry = guest_linear_gpa(table),
					.value = TORC_PTE_PRESENT,
					.old = guest_queue.values_offset };
}

/* Begins to name all of them, and comes back with some named and some not. */
static void begin(const char *what)
{
	int64_t result;
	uint32_t i;

	for (i = 0; i < TRIES; i++) {
		prepare();
		do {
			result = batch_for(whole / (2 + i), OP, 1);
		} while (result == TORC_EAGAIN && !op()->done);
		if (result == TORC_EAGAIN)
			return;
		clean_up(what);
	}
	REQUIRE(false, "%s: it never stops on its way, which takes %lu ns", what, whole);
}

/* The last page of the batch area, where the words stand, is there or not. */
static void keep_words(bool kept)
{
	uint64_t page = guest_queue.values_offset / TORC_PAGE_SIZE;

	expect_status(
		"batch_register",
		torc_batch_register(page, kept ? page_of(guest_queue.values) : TORC_INVALID_FRAME),
		TORC_OK);
}

static void finish(const char *what, int64_t status)
{
	batch_whole(OP, 1);
	CHECK(op()->flags & TORC_BATCH_DONE, "%s: it is not done", what);
	expect_status(what, op()->status, status);
	expect_pages(what);
	clean_up(what);
}

/* Another value in one of its fields; -1 leaves a field as it is. */
static void check_fields(void)
{
	uint64_t gpa = guest_linear_gpa(table), behind = TORC_BATCH_PAGES * TORC_PAGE_SIZE;
	const struct {
		const char *what;
		int64_t code, flags, count, done, entry, old, status;
	} ways[] = {
		{ "nothing", -1, -1, -1, -1, -1, -1, TORC_OK },
		{ "entries past the table", -1, -1, -1, -1, (int64_t)gpa + 400 * 8, -1,
		  TORC_EINVAL },
		{ "entry not aligned", -1, -1, -1, -1, (int64_t)gpa + 4, -1, TORC_EINVAL },
		{ "the page before", -1, -1, -1, -1, (int64_t)gpa - 4096, -1, TORC_EINVAL },
		{ "the page behind", -1, -1, -1, -1, (int64_t)gpa + 4096, -1, TORC_EINVAL },
		{ "no page", -1, -1, -1, -1, (int64_t)1 << 45, -1, TORC_ENOENT },
		{ "more than a table", -1, -1, 513, -1, -1, -1, TORC_EINVAL },
		{ "as many as can be", -1, -1, 0xffff, -1, -1, -1, TORC_EINVAL },
		{ "none", -1, -1, 0, -1, -1, -1, TORC_EINVAL },
		{ "progress past the count", -1, -1, -1, TABLES + 1, -1, -1, TORC_OK },
		{ "progress past the table", -1, -1, -1, 600, -1, -1, TORC_OK },
		{ "all progress", -1, -1, -1, 0xffff, -1, -1, TORC_OK },
		{ "progress past the table, and more", -1, -1, 0xffff, 600, -1, -1, TORC_EINVAL },
		{ "no progress", -1, -1, -1, 0, -1, -1, TORC_OK },
		{ "words behind the area", -1, -1, -1, -1, -1, (int64_t)behind, TORC_EINVAL },
		{ "words past the area", -1, -1, -1, -1, -1, (int64_t)behind - 8, TORC_EINVAL },
		{ "words not aligned", -1, -1, -1, -1, -1, 4, TORC_EINVAL },
		{ "words at the top", -1, -1, -1, -1, -1, ~7L, TORC_EINVAL },
		{ "words that wrap", -1, -1, -1, -1, -1, -8 * TABLES, TORC_EINVAL },
		{ "clear other bits", TORC_OP_CLEAR_BITS, -1, -1, -1, -1, -1, TORC_EINVAL },
		{ "no such operation", TORC_OP_COUNT, -1, -1, -1, -1, -1, TORC_ENOSYS },
		{ "no such flag", -1, 0x40, -1, -1, -1, -1, TORC_EINVAL },
	};
	uint32_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		begin(ways[i].what);
		op()->op = ways[i].code < 0 ? op()->op : (uint8_t)ways[i].code;
		op()->flags = ways[i].flags < 0 ? op()->flags : (uint8_t)ways[i].flags;
		op()->count = ways[i].count < 0 ? op()->count : (uint16_t)ways[i].count;
		op()->done = ways[i].done < 0 ? op()->done : (uint16_t)ways[i].done;
		op()->entry = ways[i].entry < 0 ? op()->entry : (uint64_t)ways[i].entry;
		op()->old = ways[i].old == -1 ? op()->old : (uint64_t)ways[i].old;
		finish(ways[i].what, ways[i].status);
	}
}

/* What it works with. */
static void check_surroundings(void)
{
	uint16_t done;
	uint32_t i;

	begin("words");
	for (i = done = op()->done; i < TABLES; i++)
		guest_queue.values[i] = FOREIGN;
	finish("words", TORC_EPERM);
	CHECK(op()->done == done, "words: %u done instead of %u", op()->done, done);

	begin("table");
	expect_status("unpin", guest_op(TORC_OP_UNPIN, guest_linear_gpa(table), 0), TORC_OK);
	CHECK(ordinary(table), "the table has not ended");
	finish("table", TORC_EINVAL);

	begin("area");
	keep_words(false);
	finish("area", TORC_EINVAL);
	keep_words(true);
}

/* row: hostile-batch */
void test_main(void)
{
	table = (uint64_t *)guest_pages(3) + 512;
	tree = wide_tree(TABLES);
	expect_status("pin", guest_op(TORC_OP_PIN, guest_linear_gpa(table), 2), TORC_OK);
	prepare();
	whole = torc_clock_ns(TORC_CLOCK);
	expect_status("fill", batch_whole(OP, 1), TORC_OK);
	whole = torc_clock_ns(TORC_CLOCK) - whole;
	clean_up("fill");
	check_fields();
	check_surroundings();
}
