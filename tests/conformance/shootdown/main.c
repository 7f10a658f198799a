/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What other vCPUs may have cached when tables change.
 *
 * Background: a vCPU on another CPU keeps using an entry that it has in its TLB.
 * Attack: write through the linear map into a page that another vCPU makes a table at that moment;
 * then the table names what the writer likes.
 * Vulnerable: the page changes after it was validated.
 * Fixed: it does not: writes fault from the moment on.
 *
 * And a flush that a guest asks for has happened on all vCPUs when the call returns.
 */
#include "conformance.h"

#define PHASE_NS 3000000000UL
#define ADDRESS 0x500000000UL
#define BITS (TORC_PTE_PRESENT | TORC_PTE_ACCESSED | TORC_PTE_NX)

static volatile bool stop;
static volatile uint64_t epoch;
static volatile uint64_t checks; /* by the others */

static void run_others(void (*function)(void *), void *argument)
{
	uint32_t i;

	stop = false;
	for (i = 1; i < guest_start->vcpus; i++)
		expect_status("vcpu_up", guest_vcpu_start(i, function, argument), TORC_OK);
}

static void end_others(void)
{
	uint32_t i;

	stop = true;
	for (i = 1; i < guest_start->vcpus; i++)
		guest_vcpu_wait(i);
}

static void read_epochs(void *argument)
{
	volatile uint64_t *page = (void *)ADDRESS;
	uint64_t before, found;

	(void)argument;
	while (!stop) {
		before = epoch;
		found = *page;
		if (found < before) {
			FAILURE("epoch %lu, and the page is still that of %lu", before, found);
			return;
		}
		__atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);
	}
}

static void check_flush(void)
{
	uint64_t all = (1UL << guest_start->vcpus) - 1, end;
	uint64_t *frame[2] = { guest_pages(1), guest_pages(1) };

	REQUIRE(guest_map(ADDRESS, page_of(frame[0]), BITS) == TORC_OK, "map");
	run_others(read_epochs, NULL);
	end = torc_clock_ns(TORC_CLOCK) + PHASE_NS;
	while (torc_clock_ns(TORC_CLOCK) < end) {
		uint64_t *next = frame[(epoch + 1) & 1];

		next[0] = epoch + 1;
		guest_map(ADDRESS, page_of(next), BITS);
		torc_queue_now(&guest_queue, TORC_OP_FLUSH_PAGE, 0, ADDRESS, &all, 1);
		epoch++;
	}
	end_others();
	printf("%lu epochs, %lu looks\n", epoch, checks);
	REQUIRE(checks > epoch, "the others hardly ran");
}

/* An entry that no table may have: it names a frame of the hypervisor. */
static void store(void *word)
{
	*(volatile uint64_t *)word = 0x1003;
}

static void spoil(void *argument)
{
	uint64_t *table = argument;
	uint32_t i, pause, seed = guest_cpu()->number;

	for (i = 0; !stop; i++) {
		if (guest_probe(store, &table[i % 512]).hit)
			__atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);
		seed = seed * 1664525 + 1013904223;
		for (pause = seed >> 20; pause; pause--)
			__asm__ volatile("nop");
	}
}

static void check_tables(void)
{
	uint64_t *table = guest_pages(1), gpa = guest_linear_gpa(table), end;
	uint64_t pinned = 0, refused = 0;
	uint32_t i;

	checks = 0;
	run_others(spoil, table);
	end = torc_clock_ns(TORC_CLOCK) + PHASE_NS;
	while (torc_clock_ns(TORC_CLOCK) < end) {
		memset(table, 0, TORC_PAGE_SIZE);
		if (guest_op(TORC_OP_PIN, gpa, 1) != TORC_OK) {
			refused++;
			continue;
		}
		pinned++;
		for (i = 0; i < 512; i++)
			CHECK(table[i] == 0, "entry %u of a live table is 0x%lx", i, table[i]);
		expect_status("unpin", guest_op(TORC_OP_UNPIN, gpa, 0), TORC_OK);
	}
	end_others();
	printf("%lu pinned, %lu refused, %lu writes faulted\n", pinned, refused, checks);
	REQUIRE(pinned && checks, "no race");
}

void test_main(void)
{
	REQUIRE(guest_start->vcpus > 1, "one vCPU");
	check_flush();
	check_tables();
}
