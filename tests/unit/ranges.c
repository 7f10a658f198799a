/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Range lists, against a plain array of what is in and what is not. */
#include <criterion/criterion.h>
#include "ranges.h"
#include "unit.h"

#define SPACE 64
#define MOST 10

static struct range ranges[MOST];
static struct range_list list;
static bool in[SPACE];

static void expect_model(void)
{
	bool got[SPACE] = { false };
	unsigned int i;
	u64 at;

	cr_assert_leq(list.count, MOST);
	for (i = 0; i < list.count; i++) {
		cr_assert_lt(ranges[i].start, ranges[i].end);
		cr_assert(!i || ranges[i - 1].end < ranges[i].start, "in order, apart");
		for (at = ranges[i].start; at < ranges[i].end; at++)
			got[at] = true;
	}
	cr_assert(!memcmp(got, in, sizeof(in)));
}

/* Pieces that the list would have after a change; more than MOST are refused. */
static unsigned int pieces(const bool *map)
{
	unsigned int i, count = 0;

	for (i = 0; i < SPACE; i++)
		count += map[i] && (!i || !map[i - 1]);
	return count;
}

static void change(u64 start, u64 end, bool add)
{
	bool after[SPACE], good;
	u64 at;

	memcpy(after, in, sizeof(in));
	for (at = start; at < end; at++)
		after[at] = add;
	good = add ? range_list_add(&list, start, end) : range_list_remove(&list, start, end);
	cr_assert_eq(good, pieces(after) <= MOST, "[%lu, %lu) %s", start, end, add ? "in" : "out");
	if (good)
		memcpy(in, after, sizeof(in));
	expect_model();
}

static void ask(u64 start, u64 end)
{
	bool any = false, all = true;
	u64 at;

	for (at = start; at < end; at++) {
		any |= in[at];
		all &= in[at];
	}
	cr_assert_eq(range_list_covers(&list, start, end), all);
	if (start < end)
		cr_assert_eq(range_list_overlap(&list, start, end) != NULL, any);
}

Test(ranges, random_changes)
{
	struct random dice = { 2024 };
	unsigned int round, step;

	for (round = 0; round < 4000; round++) {
		list = (struct range_list){ ranges, 0, MOST };
		memset(in, 0, sizeof(in));
		for (step = 0; step < 40; step++) {
			u64 a = random_below(&dice, SPACE + 1);
			u64 length = random_below(&dice, random_once_in(&dice, 3) ? SPACE : 5);

			change(a, MIN(a + length, (u64)SPACE), !random_once_in(&dice, 3));
			a = random_below(&dice, SPACE + 1);
			ask(a, MIN(a + random_below(&dice, 8), (u64)SPACE));
		}
	}
}

Test(ranges, the_ends_of_the_address_space)
{
	list = (struct range_list){ ranges, 0, MOST };
	cr_assert(range_list_add(&list, 0, ~0ull));
	cr_expect(range_list_covers(&list, 0, ~0ull));
	cr_assert(range_list_remove(&list, 5, ~0ull - 5));
	cr_expect_eq(list.count, 2);
	cr_expect(range_list_covers(&list, ~0ull - 5, ~0ull));
	cr_assert(range_list_remove(&list, 0, ~0ull));
	cr_expect_eq(list.count, 0);
	cr_expect(range_list_add(&list, 7, 7), "nothing");
	cr_expect(range_list_add(&list, 9, 7), "less than nothing");
	cr_expect_eq(list.count, 0);
}
