/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A tree that is half validated, or half torn down because it did not pass.
 *
 * Background: validation stops when its time is over, and is continued by whoever comes back. Up to
 * there a table holds the references of some of its entries.
 * Attack: at each stop use the tree, write to it, and pin, unpin or name the very table where it
 * stopped; then let the tree finish, give it up, or finish it by another table's entry.
 * Vulnerable: references are given back that nobody took, or twice, or never: a page can be written
 * and is a table, or is one for ever.
 * Fixed: what is half-way is neither a table nor memory; one who comes back moves it on by exactly
 * what is left; and in the end all of it can be memory and tables again.
 */
#include "conformance.h"

#define TABLES 128
#define OP     64 /* index in the batch area, out of the queue's way */
#define RW     (WIDE_BITS | TORC_PTE_WRITE)

static uint64_t *top;	       /* the tree, of level 2 */
static uint64_t *leaf, *above; /* tables of level 1 and 3 to name it in */
static uint64_t *beside;       /* another of level 2 */
static uint32_t stops, busy;   /* how often it stopped, and a table was falling then */

static uint64_t *child(uint32_t number)
{
	return top + (number + 1) * 512UL;
}

static int64_t pin(const void *page, uint64_t level)
{
	return guest_op(TORC_OP_PIN, guest_linear_gpa(page), level);
}

static int64_t unpin(const void *page)
{
	return guest_op(TORC_OP_UNPIN, guest_linear_gpa(page), 0);
}

static int64_t set(const void *entry, uint64_t value)
{
	return guest_op(TORC_OP_SET, guest_linear_gpa(entry), value);
}

/* Tables lose W in the linear map: the last of them is where the work has stopped. -1: none. */
static int last_table(void)
{
	uint64_t entry;
	int i;

	for (i = TABLES - 1; i >= 0; i--) {
		entry = guest_entry(guest_root, (uint64_t)child((uint32_t)i), 1);
		if (!(guest_entry_read(entry) & TORC_PTE_WRITE))
			break;
	}
	return i;
}

static void use(const uint64_t *table)
{
	CHECK(!ordinary(top) && !ordinary(table), "a table half-way can be written");
	expect_status("map the tree", set(&leaf[0], torc_pte_make(page_of(top), RW)), TORC_EBUSY);
	expect_status("map its table", set(&leaf[0], torc_pte_make(page_of(table), RW)),
		      TORC_EBUSY);
	expect_status("set an entry of it", set(&top[0], top[0]), TORC_EINVAL);
	expect_status("the tree at another level", pin(top, 3), TORC_EBUSY);
	expect_status("its table at another level", pin(table, 2), TORC_EBUSY);
	expect_status("the tree as root", guest_op(TORC_OP_NEW_ROOT, guest_linear_gpa(top), 0),
		      TORC_EBUSY);
}

/* Takes @table for something else: it is moved on if that can be, and else busy. */
static void take(uint32_t way, uint32_t number, bool bad)
{
	uint64_t *table = child(number);
	int64_t found;

	switch (way % 3) {
	case 0:
		found = unpin(table);
		CHECK(found == TORC_OK || found == TORC_ENOENT, "unpin: %ld", found);
		return;
	case 1:
		found = pin(table, 1);
		if (found == TORC_OK)
			expect_status("unpin", unpin(table), TORC_OK);
		break;
	default:
		found = set(&beside[0], torc_pte_make(page_of(table), RW));
		if (found == TORC_OK)
			expect_status("clear", set(&beside[0], 0), TORC_OK);
	}
	if (found == TORC_EBUSY) {
		busy++;
		expect_status("unpin of a table that falls", unpin(table), TORC_ENOENT);
	} else {
		CHECK(found == TORC_OK || (found == TORC_EPERM && bad), "take %u: %ld", way, found);
	}
}

enum { FINISH, GIVE_UP, NAME, ENDS };

/* Returns whether the pin goes on. */
static bool end_early(uint32_t end, bool bad)
{
	if (end == GIVE_UP) {
		expect_status("give up", unpin(top), TORC_OK);
		return false;
	}
	if (end == NAME)
		expect_status("name", set(&above[0], torc_pte_make(page_of(top), RW)),
			      bad ? TORC_EPERM : TORC_OK);
	return true;
}

/* The table that was being validated when its tree was given up is half-way, and given up too. */
static void give_up_rest(void)
{
	uint32_t i, given_up = 0;

	for (i = 0; i < TABLES; i++)
		given_up += unpin(child(i)) == TORC_OK;
	CHECK(given_up <= 1, "%u tables were half-way", given_up);
}

static void expect_all_free(void)
{
	uint32_t i;

	CHECK(ordinary(top), "the tree is still a table");
	for (i = 0; i < TABLES; i++) {
		CHECK(ordinary(child(i)), "table %u is still one", i);
		expect_status("pin afterwards", pin(child(i), 1), TORC_OK);
		expect_status("unpin afterwards", unpin(child(i)), TORC_OK);
	}
}

/* One pin, with a stop each @ns; the end comes at stop @early. */
static void climb(uint64_t ns, uint32_t end, bool bad, uint32_t early)
{
	uint64_t *spoilt = &child(TABLES - 1)[511], good = *spoilt;
	uint32_t stopped = 0;
	int number;
	bool goes_on = true;

	*spoilt = bad ? FOREIGN : good;
	guest_queue.area[OP] = (struct torc_batch_op){ .op = TORC_OP_PIN,
						       .entry = guest_linear_gpa(top),
						       .value = 2 };
	while (goes_on && batch_for(ns, OP, 1) == TORC_EAGAIN) {
		number = last_table();
		if (number < 0)
			continue;
		use(child((uint32_t)number));
		take(stopped, (uint32_t)number, bad && number == TABLES - 1);
		if (++stopped == early)
			goes_on = end_early(end, bad);
	}
	stops += stopped;
	if (goes_on) {
		expect_status("pin", guest_queue.area[OP].status, bad ? TORC_EPERM : TORC_OK);
		expect_status("above", set(&above[0], 0), TORC_OK);
		expect_status("unpin", unpin(top), bad ? TORC_ENOENT : TORC_OK);
	}
	give_up_rest();
	if (ordinary(spoilt))
		*spoilt = good;
	expect_all_free();
}

/* row: half-way-table */
void test_main(void)
{
	uint32_t end, early = 1, parts;
	uint64_t whole;

	leaf = guest_pages(3);
	beside = leaf + 512;
	above = beside + 512;
	top = wide_tree(TABLES);
	expect_status("pin", pin(leaf, 1), TORC_OK);
	expect_status("pin", pin(beside, 2), TORC_OK);
	expect_status("pin", pin(above, 3), TORC_OK);
	whole = torc_clock_ns(TORC_CLOCK);
	expect_status("pin", pin(top, 2), TORC_OK);
	whole = torc_clock_ns(TORC_CLOCK) - whole;
	expect_status("unpin", unpin(top), TORC_OK);
	for (parts = 2; parts < 20; parts += 3)
		for (end = 0; end < ENDS; end++, early = early * 7 % 31) {
			climb(whole / parts, end, false, early);
			climb(whole / parts, end, true, early);
		}
	printf("%u stops, %u tables were falling\n", stops, busy);
	REQUIRE(stops && busy, "it did not stop on its way up and down");
}
