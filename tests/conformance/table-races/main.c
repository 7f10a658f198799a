/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Trees that several vCPUs change at once.
 *
 * Attack: all vCPUs build, change, share and tear down trees of the same few pages at random.
 * Vulnerable: a reference is lost or kept: a page stays a table for ever, or is memory while
 * another table names it.
 * Fixed: most of it is refused; at the end each page can still become a table of each level, and
 * be ordinary memory again.
 */
#include "conformance.h"

#define PAGES 24
#define ROUND_NS 5000000000UL

static uint64_t *pool;
static uint64_t done[32], refused[32];

static uint64_t page_gpa(uint64_t number)
{
	return guest_linear_gpa(pool) + number % PAGES * TORC_PAGE_SIZE;
}

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 8;
}

static void plain_store(void *entry)
{
	*(volatile uint64_t *)entry = 0;
}

/* One operation on pages and entries that somebody else may be using. */
static int64_t step(uint64_t *seed)
{
	uint64_t page = page_gpa(next(seed)), entry = page + next(seed) % 4 * 8;
	uint64_t table = torc_pte_make(page_gpa(next(seed)) >> TORC_PAGE_SHIFT, TORC_PTE_TABLE);
	uint64_t old = 0;

	switch (next(seed) % 9) {
	case 0:
	case 1:
		return guest_op(TORC_OP_PIN, page, 1 + next(seed) % 3);
	case 2:
	case 3:
		return guest_op(TORC_OP_UNPIN, page, 0);
	case 4:
		return guest_op(TORC_OP_SET, entry, table);
	case 5:
		return guest_op(TORC_OP_SET, entry, 0);
	case 6:
		return torc_queue_now(&guest_queue, TORC_OP_CLEAR, page, 0, NULL, 4);
	case 7:
		return torc_queue_now(&guest_queue, TORC_OP_COMPARE_EXCHANGE, entry, table, &old,
				      1);
	default:
		/* Ordinary memory, maybe: what stands there becomes entries by a pin. */
		guest_probe(plain_store, guest_linear(entry));
		return TORC_OK;
	}
}

static void race(void *argument)
{
	uint32_t number = guest_cpu()->number;
	uint64_t seed = 88172645463325252UL + number, end = torc_clock_ns(TORC_CLOCK) + ROUND_NS;

	(void)argument;
	while (torc_clock_ns(TORC_CLOCK) < end) {
		if (step(&seed) == TORC_OK)
			done[number]++;
		else
			refused[number]++;
	}
}

static void clean_up(void)
{
	uint64_t i, level;

	for (i = 0; i < PAGES; i++)
		while (guest_op(TORC_OP_UNPIN, page_gpa(i), 0) == TORC_OK)
			;
	for (i = 0; i < PAGES; i++) {
		memset(guest_linear(page_gpa(i)), 0, TORC_PAGE_SIZE);
		for (level = 1; level <= 4; level++) {
			expect_status("pin", guest_op(TORC_OP_PIN, page_gpa(i), level), TORC_OK);
			expect_status("unpin", guest_op(TORC_OP_UNPIN, page_gpa(i), 0), TORC_OK);
		}
	}
}

void test_main(void)
{
	uint32_t i;

	REQUIRE(guest_start->vcpus > 1, "one vCPU");
	pool = guest_pages(PAGES);
	for (i = 1; i < guest_start->vcpus; i++)
		expect_status("vcpu_up", guest_vcpu_start(i, race, NULL), TORC_OK);
	race(NULL);
	for (i = 1; i < guest_start->vcpus; i++)
		guest_vcpu_wait(i);
	clean_up();
	for (i = 0; i < guest_start->vcpus; i++) {
		printf("vCPU %u: %lu done, %lu refused\n", i, done[i], refused[i]);
		REQUIRE(done[i] > 100 && refused[i] > 100, "vCPU %u did next to nothing", i);
	}
}
