/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What hypercalls and page-table operations cost, measured by a guest that does nothing else. An
 * entry's cost in a range is that of the batch less that of an empty one, divided by its entries;
 * in a batch of single operations, the whole batch divided by its operations.
 */
#include "bench.h"

#define ENTRIES 512
#define ROUNDS 64
#define FLAGS (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_USER | TORC_PTE_ACCESSED | \
	       TORC_PTE_DIRTY)

static struct torc_batch_op *ops;
static uint64_t *table; /* of level 1 */
static uint64_t *values; /* its entries, in the batch area, for FILL and SET */
static uint64_t values_offset;

/* Nanoseconds of the first @count operations as one batch. */
static uint64_t run(uint32_t count)
{
	uint64_t start = now();
	int64_t error = batch_whole(0, count);
	uint64_t end = now();

	REQUIRE(error == TORC_OK, "batch: %ld, first status %d", error, ops[0].status);
	return end - start;
}

static uint64_t range(uint8_t op, uint64_t value, uint64_t old, uint16_t count)
{
	ops[0] = (struct torc_batch_op){ .op = op, .count = count,
					 .entry = guest_linear_gpa(table), .value = value,
					 .old = old };
	return run(1);
}

static uint64_t empty_batch(void)
{
	range(TORC_OP_NOP, 0, 0, 0);
	return range(TORC_OP_NOP, 0, 0, 0);
}

static void bench_ranges(uint64_t empty)
{
	uint32_t i;

	range(TORC_OP_PIN, 1, 0, 0);
	report_cost("fill", range(TORC_OP_FILL, 0, values_offset, ENTRIES) - empty, ENTRIES);
	report_cost("protect", range(TORC_OP_CLEAR_BITS, TORC_PTE_WRITE, 0, ENTRIES) - empty,
		    ENTRIES);
	report_cost("tear_down", range(TORC_OP_CLEAR, 0, 0, ENTRIES) - empty, ENTRIES);
	range(TORC_OP_UNPIN, 0, 0, 0);
	for (i = 0; i < ENTRIES; i++)
		table[i] = values[i];
	report_cost("pin", range(TORC_OP_PIN, 1, 0, 0) - empty, ENTRIES);
	report_cost("unpin", range(TORC_OP_UNPIN, 0, 0, 0) - empty, ENTRIES);
	memset(table, 0, TORC_PAGE_SIZE);
}

/* @count entries are made and unmade, one operation each. */
static void bench_batch(const char *name, uint32_t count)
{
	uint64_t total = 0;
	uint32_t round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < count; i++)
			ops[i] = (struct torc_batch_op){ .op = TORC_OP_SET,
							 .entry = guest_linear_gpa(&table[i]),
							 .value = round & 1 ? 0 : values[i] };
		total += run(count);
	}
	report_cost(name, total, (uint64_t)ROUNDS * count);
}

static void bench_call(void)
{
	uint64_t start = now();
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		torc_version();
	report_cost("hypercall", now() - start, ROUNDS);
}

void test_main(void)
{
	uint8_t *data = guest_pages(ENTRIES);
	uint64_t empty;
	uint32_t i;

	ops = guest_pages(TORC_BATCH_PAGES);
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		REQUIRE(torc_batch_register(i, page_of(ops) + i) == TORC_OK, "batch area");
	values_offset = (TORC_BATCH_PAGES - 1) * TORC_PAGE_SIZE;
	values = (uint64_t *)((uint8_t *)ops + values_offset);
	table = guest_pages(1);
	for (i = 0; i < ENTRIES; i++)
		values[i] = torc_pte_make(page_of(data) + i, FLAGS);
	empty = empty_batch();
	bench_call();
	bench_ranges(empty);
	range(TORC_OP_PIN, 1, 0, 0);
	bench_batch("batch_1", 1);
	bench_batch("batch_16", 16);
	bench_batch("batch_256", 256);
}
