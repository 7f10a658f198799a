/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The last use of a table.
 *
 * Background: a table is validated at its first use, and holds a reference for each of its entries
 * until its last use is gone.
 * Attack: take the last use away by each operation that can, also by ones that fail; then write an
 * entry that no table may have, and use the page as a table again.
 * Vulnerable: by one of the ways the page is not torn down: what its entries named stays in use, or
 * the new entry is believed, or an old one is walked.
 * Fixed: the page is ordinary memory, has given back what it held, and is validated anew.
 */
#include "conformance.h"

#define RW   (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_USER | TORC_PTE_ACCESSED)
#define SLOT 5 /* of @home, where the child is named */

static uint64_t *home;		/* a table of level 2 that stays one */
static uint64_t *child, *other; /* pages that become tables of level 1 */
static uint64_t *data;		/* what the child maps, writable */

static uint64_t to(const void *page)
{
	return torc_pte_make(page_of(page), RW);
}

static int64_t pin(const void *page, uint64_t level)
{
	return guest_op(TORC_OP_PIN, guest_linear_gpa(page), level);
}

static int64_t unpin(const void *page)
{
	return guest_op(TORC_OP_UNPIN, guest_linear_gpa(page), 0);
}

static uint64_t slot(void)
{
	return guest_linear_gpa(&home[SLOT]);
}

static void name_child(const char *what)
{
	expect_status(what, guest_op(TORC_OP_SET, slot(), to(child)), TORC_OK);
	CHECK(!ordinary(child), "%s: the child can be written while it is named", what);
	expect_status(what, pin(data, 1), TORC_EBUSY);
}

/* The child is no table any more, and nothing of what it held is left. */
static void expect_gone(const char *what)
{
	if (!ordinary(child)) {
		FAILURE("%s: the child is still a table", what);
		return;
	}
	expect_status(what, pin(data, 1), TORC_OK);
	expect_status(what, unpin(data), TORC_OK);
	child[7] = FOREIGN;
	expect_status(what, guest_op(TORC_OP_SET, slot(), to(child)), TORC_EPERM);
	expect_status(what, pin(child, 1), TORC_EPERM);
	CHECK(ordinary(child), "%s: a page that is refused stays a table", what);
	child[7] = 0;
}

/* The entry that names the child changes. */
static void by_entry(void)
{
	const struct {
		const char *what;
		uint8_t op;
		uint64_t value, old;
	} ways[] = {
		{ "clear", TORC_OP_CLEAR, 0, 0 },
		{ "set", TORC_OP_SET, 0, 0 },
		{ "set to another", TORC_OP_SET, to(other), 0 },
		{ "set-keep", TORC_OP_SET_KEEP, 0, 0 },
		{ "exchange", TORC_OP_EXCHANGE, 0, 0 },
		{ "compare-exchange", TORC_OP_COMPARE_EXCHANGE, to(other), to(child) },
		{ "fill", TORC_OP_FILL, 0, guest_queue.values_offset },
	};
	uint64_t old, i;

	guest_queue.values[0] = 0;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		name_child(ways[i].what);
		old = ways[i].old;
		expect_status(
			ways[i].what,
			torc_queue_now(&guest_queue, ways[i].op, slot(), ways[i].value, &old, 1),
			TORC_OK);
		expect_gone(ways[i].what);
	}
	expect_status("clear", guest_op(TORC_OP_CLEAR, slot(), 0), TORC_OK);
	CHECK(ordinary(other), "the other page is still a table");
}

static void by_pin(void)
{
	name_child("pin");
	expect_status("pin", pin(child, 1), TORC_OK);
	expect_status("unpin before clear", unpin(child), TORC_OK);
	CHECK(!ordinary(child), "it is still named, and can be written");
	expect_status("unpin twice", unpin(child), TORC_ENOENT);
	expect_status("clear behind unpin", guest_op(TORC_OP_CLEAR, slot(), 0), TORC_OK);
	expect_gone("clear behind unpin");
	name_child("unpin");
	expect_status("pin", pin(child, 1), TORC_OK);
	expect_status("clear before unpin", guest_op(TORC_OP_CLEAR, slot(), 0), TORC_OK);
	CHECK(!ordinary(child), "it is still pinned, and can be written");
	expect_status("unpin behind clear", unpin(child), TORC_OK);
	expect_gone("unpin behind clear");
}

/* A use that an operation took before it failed. */
static void by_failure(void)
{
	uint64_t *parent = guest_pages(1), old = to(other);

	parent[0] = to(child);
	parent[511] = FOREIGN;
	expect_status("pin of a bad parent", pin(parent, 2), TORC_EPERM);
	expect_gone("pin of a bad parent");
	CHECK(ordinary(parent), "the bad parent is a table");
	expect_status(
		"compare-exchange that differs",
		torc_queue_now(&guest_queue, TORC_OP_COMPARE_EXCHANGE, slot(), to(child), &old, 1),
		TORC_EAGAIN);
	expect_gone("compare-exchange that differs");
}

/*
 * The root of its tree, which nothing but the processor holds, is left for another. What it says
 * the next time is what the processor walks then.
 */
static void by_root(void)
{
	uint64_t root = guest_new_root(), *top = guest_linear(root), *middle = guest_pages(2), i;

	middle[0] = to(middle + 512);
	middle[512] = to(child);
	for (i = 0; i < 2; i++) {
		top[i] = to(middle);
		top[1 - i] = 0;
		expect_status("pin of a root", pin(top, 4), TORC_OK);
		expect_status("root", guest_op(TORC_OP_NEW_ROOT, root, 0), TORC_OK);
		expect_status("unpin of the root", unpin(top), TORC_OK);
		CHECK(!ordinary(child) && !ordinary(top), "the tree in use can be written");
		CHECK(!guest_probe_read(i << 39).hit, "slot %lu is not there", i);
		CHECK(guest_probe_read((1 - i) << 39).hit, "slot %lu is there, as it was before",
		      1 - i);
		expect_status("old root", guest_op(TORC_OP_NEW_ROOT, guest_root, 0), TORC_OK);
		expect_gone("old root");
		CHECK(ordinary(top) && ordinary(middle) && ordinary(middle + 512),
		      "part of a tree stays");
	}
}

/* row: last-use */
void test_main(void)
{
	home = guest_pages(4);
	child = home + 512;
	other = child + 512;
	data = other + 512;
	child[0] = child[511] = to(data);
	expect_status("pin", pin(home, 2), TORC_OK);
	by_entry();
	by_pin();
	by_failure();
	by_root();
	name_child("unpin of the parent");
	expect_status("unpin of the parent", unpin(home), TORC_OK);
	CHECK(ordinary(home), "the parent is still a table");
	home[SLOT] = 0;
	expect_status("pin", pin(home, 2), TORC_OK);
	expect_gone("unpin of the parent");
}
