/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What an unmap gives back.
 *
 * Background: a page that is mapped writable must not become a table, so writable mappings are
 * counted, those of the linear map too, whose W the hypervisor itself takes and puts back.
 * Attack: make a mapping writable or read-only in one way and take it out in another, with A and D
 * set by the processor meanwhile; change the linear map's entry while the page is a table.
 * Vulnerable: a count is dropped that was never taken, or kept: the page becomes a table while
 * somebody can write it, or never again.
 * Fixed: it becomes one if nothing but the linear map has it writable, and else is busy.
 */
#include "conformance.h"

#define AREA 0x40000000UL
#define RO   (TORC_PTE_PRESENT | TORC_PTE_NX)
#define RW   (RO | TORC_PTE_WRITE)

static uint64_t entry, second; /* that are to map the page: gpas, neighbours in one table */
static uint64_t pfn, other;

static int64_t change(uint8_t op, uint64_t value, uint64_t old)
{
	return torc_queue_now(&guest_queue, op, entry, value, &old, 1);
}

static uint64_t now(void)
{
	return torc_pte_fold(*(volatile uint64_t *)guest_linear(entry));
}

enum { MAP_RW, MAP_RO, MAP_TAKEN, MAP_GIVEN, MAP_REPLACED, MAPS };

/* Maps the page, writable or not, by one way or another, and uses the mapping. */
static void map(uint32_t how)
{
	uint64_t writable = torc_pte_make(pfn, RW), read_only = torc_pte_make(pfn, RO);
	bool first = how == MAP_RW || how == MAP_TAKEN || how == MAP_REPLACED;

	expect_status("map", change(TORC_OP_SET, first ? writable : read_only, 0), TORC_OK);
	guest_probe_write(AREA);
	if (how == MAP_TAKEN)
		expect_status("take W", change(TORC_OP_CLEAR_BITS, TORC_PTE_WRITE, 0), TORC_OK);
	if (how == MAP_GIVEN)
		expect_status("give W", change(TORC_OP_SET_KEEP, writable, 0), TORC_OK);
	if (how == MAP_REPLACED)
		expect_status("replace", change(TORC_OP_EXCHANGE, read_only, 0), TORC_OK);
	guest_probe_write(AREA);
}

enum { CLEAR, SET, SET_OTHER, KEEP_RO, EXCHANGE, COMPARE, FILL, UNMAPS };

/* Afterwards the entry does not have the page writable any more. */
static int64_t unmap(uint32_t how)
{
	switch (how) {
	case CLEAR:
		return change(TORC_OP_CLEAR, 0, 0);
	case SET:
		return change(TORC_OP_SET, 0, 0);
	case SET_OTHER:
		return change(TORC_OP_SET, torc_pte_make(other, RW), 0);
	case KEEP_RO:
		return change(TORC_OP_SET_KEEP, torc_pte_make(pfn, RO), 0);
	case EXCHANGE:
		return change(TORC_OP_EXCHANGE, torc_pte_make(other, RO), 0);
	case COMPARE:
		return change(TORC_OP_COMPARE_EXCHANGE, 0, now());
	default:
		guest_queue.values[0] = 0;
		return change(TORC_OP_FILL, 0, guest_queue.values_offset);
	}
}

static void expect_pin(const char *what, uint32_t step, uint64_t page, int64_t status)
{
	uint64_t gpa = page << TORC_PAGE_SHIFT;
	int64_t found = guest_op(TORC_OP_PIN, gpa, 1);

	CHECK(found == status, "%s %u: pin: %ld instead of %ld", what, step, found, status);
	if (found == TORC_OK)
		expect_status(what, guest_op(TORC_OP_UNPIN, gpa, 0), TORC_OK);
	CHECK(ordinary(guest_linear(gpa)), "%s %u: the page cannot be written", what, step);
}

/* One way in, one way out, while another mapping has the page writable or not. */
static void check_ways(uint32_t mapped, uint32_t unmapped, bool kept)
{
	uint32_t step = mapped * 100 + unmapped * 10 + kept;

	if (kept)
		guest_op(TORC_OP_SET, second, torc_pte_make(pfn, RW));
	map(mapped);
	expect_status("unmap", unmap(unmapped), TORC_OK);
	expect_pin("unmapped", step, pfn, kept ? TORC_EBUSY : TORC_OK);
	guest_op(TORC_OP_CLEAR, second, 0);
	expect_pin("both unmapped", step, pfn, TORC_OK);
	guest_op(TORC_OP_CLEAR, entry, 0);
	expect_pin("the page that took its place", step, other, TORC_OK);
}

static void check_entries(void)
{
	uint32_t mapped, unmapped;

	for (mapped = 0; mapped < MAPS; mapped++)
		for (unmapped = 0; unmapped < UNMAPS; unmapped++) {
			check_ways(mapped, unmapped, false);
			check_ways(mapped, unmapped, true);
		}
}

/* The linear map's own entry for the page, changed by hand around a pin. */
static void check_linear(void)
{
	uint64_t gpa = pfn << TORC_PAGE_SHIFT;
	uint64_t linear = guest_entry(guest_root, (uint64_t)guest_linear(gpa), 1);
	uint64_t writable = torc_pte_make(pfn, RW), read_only = torc_pte_make(pfn, RO);

	memset(guest_linear(gpa), 0, TORC_PAGE_SIZE);
	expect_status("pin", guest_op(TORC_OP_PIN, gpa, 1), TORC_OK);
	expect_status("W by hand", guest_op(TORC_OP_SET, linear, writable), TORC_EBUSY);
	expect_status("W by hand", guest_op(TORC_OP_SET_KEEP, linear, writable), TORC_EBUSY);
	expect_status("no W by hand", guest_op(TORC_OP_SET, linear, read_only), TORC_OK);
	expect_status("unpin", guest_op(TORC_OP_UNPIN, gpa, 0), TORC_OK);
	expect_pin("read-only by hand while a table", 0, pfn, TORC_OK);

	expect_status("pin", guest_op(TORC_OP_PIN, gpa, 1), TORC_OK);
	expect_status("unmap by hand", guest_op(TORC_OP_CLEAR, linear, 0), TORC_OK);
	expect_status("unpin", guest_op(TORC_OP_UNPIN, gpa, 0), TORC_OK);
	CHECK(!ordinary(guest_linear(gpa)), "a mapping has come back that the guest took away");
	expect_status("map by hand", guest_op(TORC_OP_SET, linear, writable), TORC_OK);
	expect_pin("unmapped while a table", 0, pfn, TORC_OK);

	expect_status("no W", guest_op(TORC_OP_CLEAR_BITS, linear, TORC_PTE_WRITE), TORC_OK);
	expect_status("pin", guest_op(TORC_OP_PIN, gpa, 1), TORC_OK);
	expect_status("unpin", guest_op(TORC_OP_UNPIN, gpa, 0), TORC_OK);
	CHECK(!ordinary(guest_linear(gpa)), "W has come back that the guest took away");
	expect_status("W by hand", guest_op(TORC_OP_SET, linear, writable), TORC_OK);
	expect_pin("read-only before it was a table", 0, pfn, TORC_OK);
}

/* row: unmap-counts */
void test_main(void)
{
	pfn = guest_page();
	other = guest_page();
	REQUIRE(guest_map(AREA, pfn, RO) == TORC_OK, "cannot map");
	entry = guest_entry(guest_root, AREA, 1);
	second = entry + 8;
	check_entries();
	check_linear();
}
