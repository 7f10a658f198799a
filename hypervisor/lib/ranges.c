/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Sorted lists of disjoint address ranges. Lists are short, so every operation walks them.
 */
#include "lib.h"
#include "ranges.h"

/* Replaces @removed entries from @at on by @inserted ones, which the caller then fills in. */
static bool splice(struct range_list *list, unsigned int at, unsigned int removed,
		   unsigned int inserted)
{
	struct range *r = list->range + at;

	if (list->count - removed + inserted > list->max)
		return false;
	memmove(r + inserted, r + removed, (list->count - at - removed) * sizeof(*r));
	list->count += inserted - removed;
	return true;
}

bool range_list_add(struct range_list *list, paddr_t start, paddr_t end)
{
	unsigned int first = 0, last;

	if (start >= end)
		return true;
	while (first < list->count && list->range[first].end < start)
		first++;
	for (last = first; last < list->count && list->range[last].start <= end; last++) {
		start = MIN(start, list->range[last].start);
		end = MAX(end, list->range[last].end);
	}
	if (!splice(list, first, last - first, 1))
		return false;
	list->range[first] = (struct range){ start, end };
	return true;
}

bool range_list_remove(struct range_list *list, paddr_t start, paddr_t end)
{
	struct range left, right;
	unsigned int first = 0, last, kept;

	if (start >= end)
		return true;
	while (first < list->count && list->range[first].end <= start)
		first++;
	for (last = first; last < list->count && list->range[last].start < end;)
		last++;
	if (first == last)
		return true;

	left = (struct range){ list->range[first].start, start };
	right = (struct range){ end, list->range[last - 1].end };
	kept = (left.start < left.end) + (right.start < right.end);
	if (!splice(list, first, last - first, kept))
		return false;
	if (left.start < left.end)
		list->range[first++] = left;
	if (right.start < right.end)
		list->range[first] = right;
	return true;
}

const struct range *range_list_overlap(const struct range_list *list, paddr_t start, paddr_t end)
{
	for (unsigned int i = 0; i < list->count; i++) {
		if (list->range[i].start < end && start < list->range[i].end)
			return &list->range[i];
	}
	return NULL;
}

bool range_list_covers(const struct range_list *list, paddr_t start, paddr_t end)
{
	for (unsigned int i = 0; i < list->count; i++) {
		if (list->range[i].start <= start && end <= list->range[i].end)
			return true;
	}
	return start >= end;
}
