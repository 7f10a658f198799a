/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Operations that take away what those behind them in the batch work on.
 *
 * Background: a table is looked up once for several operations on it.
 * Attack: set entries of a table, then end it, give it another level, leave its root, or let it
 * begin to fall, and go on setting its entries, or end another tree, all in one batch.
 * Vulnerable: entries are set by what was true when the batch began: in ordinary memory, at the
 * wrong level, in a tree that is torn down; or that tear-down is forgotten for the next.
 * Fixed: each operation finds what is there by then, and is refused if that is no table.
 */
#include "conformance.h"

#define RO    (TORC_PTE_PRESENT | TORC_PTE_USER | TORC_PTE_ACCESSED)
#define RW    (RO | TORC_PTE_WRITE)
#define WIDE  128
#define TRIES 12

static uint32_t used; /* operations of the batch that is made */

static void add(uint8_t op, const void *entry, uint64_t value)
{
	guest_queue.area[used++] = (struct torc_batch_op){ .op = op,
							   .count = 1,
							   .entry = guest_linear_gpa(entry),
							   .value = value,
							   .old = guest_queue.values_offset };
}

static void expect(const char *what, uint32_t operation, int64_t status)
{
	int64_t found = guest_queue.area[operation].status;

	CHECK(found == status, "%s, operation %u: %ld instead of %ld", what, operation, found,
	      status);
}

static void run(const char *what, int64_t failures)
{
	expect_status(what, batch_whole(0, used), failures);
	used = 0;
}

static int64_t pin(const void *page, uint64_t level)
{
	return guest_op(TORC_OP_PIN, guest_linear_gpa(page), level);
}

static int64_t unpin(const void *page)
{
	return guest_op(TORC_OP_UNPIN, guest_linear_gpa(page), 0);
}

/* Every operation that sets, behind the end of the table. */
static void check_end(void)
{
	static const uint8_t ops[] = { TORC_OP_SET,  TORC_OP_SET_KEEP,	 TORC_OP_EXCHANGE,
				       TORC_OP_FILL, TORC_OP_CLEAR_BITS, TORC_OP_CLEAR };
	uint64_t *table = guest_pages(2), value = torc_pte_make(page_of(table + 512), RO);
	uint32_t i;

	guest_queue.values[0] = value;
	expect_status("pin", pin(table, 1), TORC_OK);
	add(TORC_OP_SET, &table[0], value);
	add(TORC_OP_SET, &table[1], value);
	add(TORC_OP_UNPIN, table, 0);
	for (i = 0; i < sizeof(ops); i++)
		add(ops[i], &table[i], ops[i] == TORC_OP_CLEAR_BITS ? TORC_PTE_ACCESSED : 0);
	run("a table that ends", sizeof(ops));
	for (i = 0; i < sizeof(ops); i++) {
		expect("a table that ends", 3 + i, TORC_EINVAL);
		CHECK(table[i] == (i < 2 ? value : 0), "word %u is 0x%lx", i, table[i]);
	}
	CHECK(ordinary(table), "the table has not ended");
}

/* An entry of level 1 in what has become a table of level 2: the page it names is none. */
static void check_level(void)
{
	uint64_t *table = guest_pages(2), value = torc_pte_make(page_of(table + 512), RO);

	table[512] = FOREIGN;
	expect_status("pin", pin(table, 1), TORC_OK);
	add(TORC_OP_SET, &table[0], value);
	add(TORC_OP_SET, &table[0], 0);
	add(TORC_OP_UNPIN, table, 0);
	add(TORC_OP_PIN, table, 2);
	add(TORC_OP_SET, &table[1], value);
	run("another level", 1);
	expect("another level", 4, TORC_EPERM);
	CHECK(table[1] == 0 && ordinary(table + 512), "a page that is no table is named as one");
	expect_status("unpin", unpin(table), TORC_OK);
}

/* The root in use, which only that keeps a table, is left half-way through the batch. */
static void check_root(void)
{
	uint64_t first = guest_new_root(), second = guest_new_root();
	uint64_t *left = guest_linear(first), *taken = guest_linear(second);
	uint64_t *below = guest_pages(4), value = torc_pte_make(page_of(below), RW);

	below[0] = torc_pte_make(page_of(below) + 1, RW);
	below[512] = torc_pte_make(page_of(below) + 2, RW);
	below[1024] = torc_pte_make(page_of(below) + 3, RW);
	below[1536] = 0x1234;
	expect_status("pin", pin(left, 4), TORC_OK);
	expect_status("pin", pin(taken, 4), TORC_OK);
	expect_status("root", guest_op(TORC_OP_NEW_ROOT, first, 0), TORC_OK);
	expect_status("unpin", unpin(left), TORC_OK);
	add(TORC_OP_SET, &left[1], value);
	add(TORC_OP_NEW_ROOT, taken, 0);
	add(TORC_OP_SET, &left[2], value);
	add(TORC_OP_SET, &taken[3], value);
	run("a root that is left", 1);
	expect("a root that is left", 2, TORC_EINVAL);
	CHECK(ordinary(left) && left[1] == value && left[2] == 0, "the old root has changed");
	CHECK(guest_probe_read(1UL << 39).hit && guest_probe_read(2UL << 39).hit,
	      "the old root is in use");
	CHECK(*(volatile uint64_t *)(3UL << 39) == 0x1234, "the new root is not in use");
	expect_status("root", guest_op(TORC_OP_NEW_ROOT, guest_root, 0), TORC_OK);
	expect_status("unpin", unpin(taken), TORC_OK);
}

/* Two trees, of which one is ended while the other falls; the first table of each falls last. */
static void check_falling(void)
{
	uint64_t *top = wide_tree(WIDE), *first = top + 512, *second = wide_tree(WIDE), whole;
	uint32_t i, stops = 0;
	int64_t result;

	expect_status("pin", pin(top, 2), TORC_OK);
	whole = torc_clock_ns(TORC_CLOCK);
	expect_status("unpin", unpin(top), TORC_OK);
	whole = torc_clock_ns(TORC_CLOCK) - whole;
	for (i = 2; i < TRIES; i++) {
		expect_status("pin", pin(top, 2), TORC_OK);
		expect_status("pin", pin(second, 2), TORC_OK);
		add(TORC_OP_SET, &first[0], first[1]);
		add(TORC_OP_UNPIN, top, 0);
		add(TORC_OP_UNPIN, second, 0);
		add(TORC_OP_SET, &first[0], 0);
		result = batch_for(whole / i, 0, used);
		stops += result == TORC_EAGAIN;
		run("a tree that falls", 1);
		expect("a tree that falls", 3, TORC_EINVAL);
		CHECK(first[0] == first[1] && ordinary(first), "a falling table has changed");
		CHECK(ordinary(top) && ordinary(second) && ordinary(second + 512),
		      "a tear-down has been forgotten");
	}
	REQUIRE(stops, "the tear-down never stopped");
}

/* row: batch-order */
void test_main(void)
{
	check_end();
	check_level();
	check_root();
	check_falling();
}
