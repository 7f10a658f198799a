/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * No frame that is not this domain's can be mapped, by any entry of any table.
 *
 * Background: guests write machine frame numbers into their tables, and other domains' and the
 * hypervisor's frames have numbers too.
 * Attack: name each frame of the machine, and numbers beyond, in entries of levels 1 to 4,
 * read-only, writable, and absent (a processor may load speculatively what an absent entry names).
 * Vulnerable: memory of another domain or of the hypervisor is readable.
 * Fixed: TORC_EPERM or TORC_EINVAL for each.
 */
#include "conformance.h"

#define AREA 0x40000000UL
#define RO   (TORC_PTE_PRESENT | TORC_PTE_ACCESSED)
#define RW   (RO | TORC_PTE_WRITE)

static struct torc_batch_op *ops;
static uint32_t limit, used;
static int64_t expected;
static uint64_t foreign, unexpected;

static void no_report(const struct torc_batch_op *op)
{
	(void)op;
}

static void run(void)
{
	uint32_t i;

	batch_whole(0, used);
	for (i = 0; i < used; i++) {
		if (ops[i].status == expected)
			continue;
		if (unexpected++ < 10)
			FAILURE("entry 0x%lx in 0x%lx: %d instead of %ld", ops[i].value,
				ops[i].entry, ops[i].status, expected);
	}
	used = 0;
}

static void add(uint64_t entry, uint64_t value)
{
	ops[used++] = (struct torc_batch_op){
		.op = TORC_OP_SET, .count = 1, .entry = entry, .value = value
	};
	if (used == limit)
		run();
}

static bool is_foreign(uint64_t mfn)
{
	return torc_mfn_to_pfn(mfn) == TORC_INVALID_FRAME;
}

/* row: foreign-frame, row: foreign-table, row: absent-foreign */
static void check_level(uint32_t level, uint64_t bits, int64_t status)
{
	uint64_t entry = guest_entry(guest_root, AREA, level);
	uint64_t before = guest_entry_read(entry), mfn;
	uint32_t bit;

	/* An entry above level 1 that is in use would lose its table if it were replaced. */
	if (level > 1)
		entry += 8 * 8;
	expected = status;
	foreign = 0;
	for (mfn = 0; mfn < guest_start->machine_frames; mfn++) {
		if (!is_foreign(mfn) || (mfn == 0 && !(bits & TORC_PTE_PRESENT)))
			continue;
		foreign++;
		add(entry, mfn << TORC_PAGE_SHIFT | bits);
	}
	run();
	if (bits & TORC_PTE_PRESENT) {
		for (bit = 40; bit < 52; bit++)
			add(entry, 1UL << bit | bits);
		run();
	}
	CHECK(guest_entry_read(guest_entry(guest_root, AREA, level)) == before, "an entry changed");
	printf("level %u, bits 0x%lx: %lu foreign frames\n", level, bits, foreign);
}

/* row: foreign-pages - registered pages are named by pfn: none beyond the domain's own. */
static void check_pfns(void)
{
	uint64_t pfn;

	for (pfn = guest_start->pages; pfn < guest_start->machine_frames; pfn += 61) {
		CHECK(torc_vcpu_set_page(pfn) == TORC_ENOENT, "vCPU page at pfn 0x%lx", pfn);
		CHECK(torc_batch_register(7, pfn) == TORC_ENOENT, "batch page at pfn 0x%lx", pfn);
		CHECK(torc_ldt_load(0, pfn, 1) == TORC_ENOENT, "LDT from pfn 0x%lx", pfn);
		CHECK(guest_op(TORC_OP_PIN, pfn << 12, 1) == TORC_ENOENT, "pin of pfn 0x%lx", pfn);
		CHECK(guest_op(TORC_OP_NEW_ROOT, pfn << 12, 0) == TORC_ENOENT, "root at pfn 0x%lx",
		      pfn);
	}
}

void test_main(void)
{
	REQUIRE(guest_map(AREA, guest_page(), RW) == TORC_OK, "cannot map");
	guest_queue.failed = no_report;
	ops = guest_queue.area;
	limit = guest_queue.limit;
	check_level(1, RO, TORC_EPERM);
	check_level(1, RW, TORC_EPERM);
	check_level(1, 0, TORC_EINVAL);
	check_level(2, RW, TORC_EPERM);
	check_level(2, 0, TORC_EINVAL);
	check_level(3, RW, TORC_EPERM);
	check_level(4, RW, TORC_EPERM);
	CHECK(foreign > 1000, "only %lu foreign frames", foreign);
	check_pfns();
}
