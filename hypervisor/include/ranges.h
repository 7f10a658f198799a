/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Sorted lists of disjoint address ranges.
 */
#ifndef TORC_RANGES_H
#define TORC_RANGES_H

#include "types.h"

/* Addresses in [start, end). */
struct range {
	paddr_t start;
	paddr_t end;
};

/**
 * struct range_list - ranges in rising order, neither overlapping nor adjacent
 * @range: room for @max
 */
struct range_list {
	struct range *range;
	unsigned int count;
	unsigned int max;
};

/**
 * range_list_add() - include [start, end), merging what it touches
 * Return: false, with the list unchanged, when there is no room.
 */
bool range_list_add(struct range_list *list, paddr_t start, paddr_t end);

/**
 * range_list_remove() - exclude [start, end)
 * Return: false, with the list unchanged, when a split finds no room.
 */
bool range_list_remove(struct range_list *list, paddr_t start, paddr_t end);

/**
 * range_list_overlap() - the first range that overlaps [start, end), or NULL
 */
const struct range *range_list_overlap(const struct range_list *list, paddr_t start, paddr_t end);

/**
 * range_list_covers() - is all of [start, end) in the list?
 */
bool range_list_covers(const struct range_list *list, paddr_t start, paddr_t end);

#endif
