/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Every operation of a batch, with good operands and with each kind of bad ones. A refused
 * operation leaves the entry as it was, and those behind it are still carried out.
 *
 * Attack: entries and ranges that are not aligned or leave their table, counts and progress that
 * wrap, table entries with reserved, cache, size or the hypervisor's bits, pages that do not exist
 * or are no table; W, a cache bit or the frame changed by operations that are meant for A and D.
 * Vulnerable: an entry of another table, or of no table, changes, or a table becomes writable.
 * Fixed: the status names the error.
 */
#include "conformance.h"

#define AREA	      0x40000000UL /* a level-1 table's worth of addresses that this test maps */
#define RW	      (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_ACCESSED)
#define RO	      (TORC_PTE_PRESENT | TORC_PTE_ACCESSED)
#define PWT	      0x8UL
#define PCD	      0x10UL
#define PAGE_SIZE_BIT 0x80UL
#define GLOBAL	      0x100UL

static uint64_t table;	 /* guest-physical address of the table */
static uint64_t *linear; /* the table, as the linear map shows it */
static uint64_t page;	 /* an ordinary page's pfn */

static uint64_t slot(uint32_t index)
{
	return table + index * 8;
}

static int64_t set(uint32_t index, uint64_t value)
{
	return guest_op(TORC_OP_SET, slot(index), value);
}

static void expect_entry(const char *what, uint32_t index, uint64_t value)
{
	CHECK(torc_pte_fold(linear[index]) == value, "%s: entry is 0x%lx instead of 0x%lx", what,
	      linear[index], value);
}

static void check_set(void)
{
	uint64_t value = torc_pte_make(page, RW);

	expect_status("set", set(1, value), TORC_OK);
	expect_entry("set", 1, value);
	expect_status("set global", set(2, value | GLOBAL), TORC_OK);
	expect_entry("set global: the bit is dropped", 2, value);
	expect_status("set read-only", set(1, torc_pte_make(page, RO | TORC_PTE_NX)), TORC_OK);
	expect_status("set what software may", set(1, torc_pte_make(page, RO) | 0xe00), TORC_OK);
	expect_status("set absent 0", set(1, 0), TORC_OK);
	expect_status("set absent, inverted", set(1, torc_pte_absent(page, 0x123e)), TORC_OK);
	expect_entry("set absent, inverted", 1, torc_pte_absent(page, 0x123e));
	expect_status("set absent, small number", set(1, 0xffe), TORC_OK);
	expect_status("clear it again", set(1, 0), TORC_OK);
	expect_status("clear it again", set(2, 0), TORC_OK);
}

/* row: own-table-writable, row: reserved-bits, row: absent-foreign */
static void check_set_bad(void)
{
	uint64_t good = torc_pte_make(page, RW);
	uint64_t last = guest_start->machine_frames;
	const struct {
		const char *what;
		uint64_t value;
		int64_t status;
	} bad[] = {
		{ "write-through", good | PWT, TORC_EINVAL },
		{ "cache disable", good | PCD, TORC_EINVAL },
		{ "PAT", good | PAGE_SIZE_BIT, TORC_EINVAL },
		{ "hypervisor's bit 52", good | 1UL << 52, TORC_EINVAL },
		{ "hypervisor's bit 55", good | 1UL << 55, TORC_EINVAL },
		{ "frame behind the last", last << 12 | RW, TORC_EPERM },
		{ "highest frame", TORC_PTE_FRAME | RO, TORC_EPERM },
		{ "frame 0", RO, TORC_EPERM },
		{ "its own table, writable", torc_pte_make(table >> 12, RW), TORC_EBUSY },
		{ "the root, writable", torc_pte_make(guest_root >> 12, RW), TORC_EBUSY },
		{ "absent entry naming memory", torc_pte_make(page, 0), TORC_EINVAL },
		{ "absent entry naming foreign memory", 1UL << 12, TORC_EINVAL },
	};
	uint32_t i;

	expect_status("set", set(3, good), TORC_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_status(bad[i].what, set(3, bad[i].value), bad[i].status);
		expect_entry(bad[i].what, 3, good);
	}
	expect_status("clear", set(3, 0), TORC_OK);
}

/*
 * row: own-table-writable, row: reserved-bits - by operations that do not validate anew an entry
 * whose frame stays, if only harmless bits change.
 */
static void check_short_way(void)
{
	static const uint8_t ops[] = { TORC_OP_SET_KEEP, TORC_OP_EXCHANGE };
	uint64_t mine = torc_pte_make(table >> 12, RO), good = torc_pte_make(page, RO);
	const struct {
		const char *what;
		uint64_t before, value;
		int64_t status;
	} bad[] = {
		{ "W to a table", mine, mine | TORC_PTE_WRITE, TORC_EBUSY },
		{ "W to a table, and free bits", mine, mine | TORC_PTE_WRITE | TORC_PTE_DIRTY,
		  TORC_EBUSY },
		{ "another frame", good, torc_pte_make(table >> 12, RW), TORC_EBUSY },
		{ "a frame of the hypervisor", good, RO | FOREIGN, TORC_EPERM },
		{ "write-through", good, good | PWT, TORC_EINVAL },
		{ "cache disable", good, good | PCD, TORC_EINVAL },
		{ "PAT", good, good | PAGE_SIZE_BIT, TORC_EINVAL },
		{ "hypervisor's bit", good, good | 1UL << 53, TORC_EINVAL },
		{ "absent, and still naming memory", good, good & ~TORC_PTE_PRESENT, TORC_EINVAL },
	};
	uint32_t i;

	for (i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
		expect_status(bad[i / 2].what, set(6, bad[i / 2].before), TORC_OK);
		expect_status(bad[i / 2].what, guest_op(ops[i % 2], slot(6), bad[i / 2].value),
			      bad[i / 2].status);
		expect_entry(bad[i / 2].what, 6, bad[i / 2].before);
	}
	expect_status("clear", set(6, 0), TORC_OK);
}

/* row: entry-places, row: hypervisor-slots, row: superpages */
static void check_places(void)
{
	uint64_t good = torc_pte_make(page, RW);
	const struct {
		const char *what;
		uint64_t entry;
		int64_t status;
	} bad[] = {
		{ "entry not aligned", slot(3) + 4, TORC_EINVAL },
		{ "entry not aligned, odd", slot(3) + 1, TORC_EINVAL },
		{ "entry behind memory", guest_start->pages << 12, TORC_ENOENT },
		{ "entry at 2^51", 1UL << 51, TORC_ENOENT },
		{ "entry at the top", ~7UL, TORC_ENOENT },
		{ "entry in an ordinary page", page << 12, TORC_EINVAL },
	};
	uint8_t op;
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (op = TORC_OP_SET; op <= TORC_OP_FILL; op++) {
			uint64_t value = op == TORC_OP_CLEAR_BITS ? TORC_PTE_WRITE : good;

			expect_status(bad[i].what, guest_op(op, bad[i].entry, value),
				      bad[i].status);
		}
	expect_status(
		"superpage",
		guest_op(TORC_OP_SET, guest_entry(guest_root, AREA, 2) + 8, good | PAGE_SIZE_BIT),
		TORC_EINVAL);
	expect_status(
		"superpage of level 3",
		guest_op(TORC_OP_SET, guest_entry(guest_root, AREA, 3) + 8, good | PAGE_SIZE_BIT),
		TORC_EINVAL);
	expect_status("slot 256 of the root", guest_op(TORC_OP_SET, guest_root + 256 * 8, good),
		      TORC_EPERM);
	expect_status("slot 271 of the root", guest_op(TORC_OP_SET, guest_root + 271 * 8, 2),
		      TORC_EPERM);
}

static void check_exchange(void)
{
	uint64_t first = torc_pte_make(page, RW), second = torc_pte_make(page, RO);
	uint64_t old = 0;

	expect_status("set", set(4, first), TORC_OK);
	expect_status("exchange",
		      torc_queue_now(&guest_queue, TORC_OP_EXCHANGE, slot(4), second, &old, 1),
		      TORC_OK);
	CHECK(old == first, "exchange returned 0x%lx", old);
	expect_entry("exchange", 4, second);
	old = first;
	expect_status("compare-exchange that differs",
		      torc_queue_now(&guest_queue, TORC_OP_COMPARE_EXCHANGE, slot(4), 0, &old, 1),
		      TORC_EAGAIN);
	CHECK(old == second, "compare-exchange returned 0x%lx", old);
	expect_entry("compare-exchange that differs", 4, second);
	expect_status(
		"compare-exchange",
		torc_queue_now(&guest_queue, TORC_OP_COMPARE_EXCHANGE, slot(4), first, &old, 1),
		TORC_OK);
	expect_entry("compare-exchange", 4, first);
	old = first;
	expect_status("compare-exchange with a bad value",
		      torc_queue_now(&guest_queue, TORC_OP_COMPARE_EXCHANGE, slot(4), first | PCD,
				     &old, 1),
		      TORC_EINVAL);
	expect_entry("compare-exchange with a bad value", 4, first);
}

/*
 * A and D that the hardware sets stay with set-keep.
 * row: stale-translation - rights that are taken away are gone at once.
 */
static void check_keep(void)
{
	volatile uint8_t *byte = (uint8_t *)AREA + 5 * TORC_PAGE_SIZE;
	uint64_t clean = torc_pte_make(page, TORC_PTE_PRESENT | TORC_PTE_WRITE);
	uint64_t dirty = clean | TORC_PTE_ACCESSED | TORC_PTE_DIRTY;

	expect_status("set", set(5, clean), TORC_OK);
	*byte = 1;
	expect_entry("after a write", 5, dirty);
	expect_status("set-keep", guest_op(TORC_OP_SET_KEEP, slot(5), clean), TORC_OK);
	expect_entry("set-keep", 5, dirty);
	expect_status("clear bits D and A",
		      guest_op(TORC_OP_CLEAR_BITS, slot(5), TORC_PTE_DIRTY | TORC_PTE_ACCESSED),
		      TORC_OK);
	expect_entry("clear bits D and A", 5, clean);
	*byte = 2;
	expect_entry("after another write", 5, dirty);
	expect_status("clear bit W", guest_op(TORC_OP_CLEAR_BITS, slot(5), TORC_PTE_WRITE),
		      TORC_OK);
	expect_fault("write to a page made read-only", guest_probe_write((uint64_t)byte), 14);
	expect_status("clear bit P", guest_op(TORC_OP_CLEAR_BITS, slot(5), TORC_PTE_PRESENT),
		      TORC_EINVAL);
	expect_status("clear all bits", guest_op(TORC_OP_CLEAR_BITS, slot(5), ~0UL), TORC_EINVAL);
	expect_status("clear bits of an absent entry",
		      guest_op(TORC_OP_CLEAR_BITS, slot(500), TORC_PTE_WRITE), TORC_OK);
	expect_status("clear", guest_op(TORC_OP_CLEAR, slot(5), 0), TORC_OK);
	expect_fault("read of a page unmapped", guest_probe_read((uint64_t)byte), 14);
}

static void check_ranges(void)
{
	uint64_t value = torc_pte_make(page, RW);
	uint32_t i;

	torc_queue_lazy_begin(&guest_queue);
	for (i = 0; i < 512; i++)
		torc_queue_set(&guest_queue, slot(i), value);
	CHECK(guest_queue.used == 1, "512 neighbours became %u operations", guest_queue.used);
	CHECK(torc_queue_waits(&guest_queue, slot(7)), "the queue does not know what waits");
	CHECK(torc_queue_read(&guest_queue, &linear[7], slot(7)) == value, "read past the queue");
	for (i = 0; i < 512; i++)
		expect_entry("filled", i, value);
	for (i = 100; i < 200; i++)
		torc_queue_clear_bits(&guest_queue, slot(i), TORC_PTE_WRITE);
	for (i = 200; i < 300; i++)
		CHECK(torc_queue_take(&guest_queue, &linear[i], slot(i)) == value, "take %u", i);
	CHECK(guest_queue.used == 2, "two ranges became %u operations", guest_queue.used);
	torc_queue_lazy_end(&guest_queue);
	for (i = 0; i < 512; i++)
		expect_entry("ranges", i,
			     i < 100 || i >= 300 ? value
			     : i < 200		 ? value & ~TORC_PTE_WRITE
						 : 0);
	expect_status("clear past the end",
		      torc_queue_now(&guest_queue, TORC_OP_CLEAR, slot(511), 0, NULL, 2),
		      TORC_EINVAL);
	expect_status("clear of nothing",
		      torc_queue_now(&guest_queue, TORC_OP_CLEAR, slot(0), 0, NULL, 0),
		      TORC_EINVAL);
	expect_status("clear of 65535",
		      torc_queue_now(&guest_queue, TORC_OP_CLEAR, slot(0), 0, NULL, 0xffff),
		      TORC_EINVAL);
	expect_status("clear bits past the end",
		      torc_queue_now(&guest_queue, TORC_OP_CLEAR_BITS, slot(500), 2, NULL, 13),
		      TORC_EINVAL);
	expect_entry("after the bad ranges", 511, value);
	expect_status("clear all", torc_queue_now(&guest_queue, TORC_OP_CLEAR, table, 0, NULL, 512),
		      TORC_OK);
	for (i = 0; i < 512; i++)
		expect_entry("cleared", i, 0);
}

/* row: hostile-batch - raw operations, past the shim, with hostile fields. */
static int64_t raw(struct torc_batch_op op)
{
	guest_queue.area[0] = op;
	return batch_whole(0, 1) < 0 ? 9999 : guest_queue.area[0].status;
}

static void check_raw(void)
{
	static const uint64_t offsets[] = { 4, 1, TORC_BATCH_PAGES * TORC_PAGE_SIZE, ~7UL,
					    1UL << 63 };
	uint64_t *words = (uint64_t *)guest_queue.area + 4 * 64;
	struct torc_batch_op *ops = guest_queue.area;
	uint64_t value = torc_pte_make(page, RO);
	uint64_t old;
	uint32_t i;

	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		expect_status("fill from outside the area",
			      raw((struct torc_batch_op){ .op = TORC_OP_FILL,
							  .count = 1,
							  .entry = slot(9),
							  .old = offsets[i] }),
			      TORC_EINVAL);
		expect_status("clear with old entries outside the area",
			      raw((struct torc_batch_op){ .op = TORC_OP_CLEAR,
							  .count = 1,
							  .flags = TORC_BATCH_SAVE_OLD,
							  .entry = slot(9),
							  .old = offsets[i] }),
			      TORC_EINVAL);
	}
	for (i = 0; i < 4; i++)
		words[i] = i == 2 ? value | PCD : value;
	expect_status(
		"fill with a bad third entry",
		raw((struct torc_batch_op){
			.op = TORC_OP_FILL, .count = 4, .entry = slot(9), .old = 4 * 64 * 8 }),
		TORC_EINVAL);
	CHECK(ops[0].done == 2, "fill with a bad third entry: %u done", ops[0].done);
	words[0] = 0;
	expect_status("clear that saves",
		      raw((struct torc_batch_op){ .op = TORC_OP_CLEAR,
						  .count = 4,
						  .entry = slot(9),
						  .flags = TORC_BATCH_SAVE_OLD,
						  .old = 4 * 64 * 8 }),
		      TORC_OK);
	CHECK(words[0] == value && words[1] == value && words[2] == 0 && words[3] == 0,
	      "saved 0x%lx 0x%lx 0x%lx 0x%lx", words[0], words[1], words[2], words[3]);
	old = linear[20];
	raw((struct torc_batch_op){
		.op = TORC_OP_CLEAR, .count = 1, .done = 0xffff, .entry = slot(511) });
	raw((struct torc_batch_op){ .op = TORC_OP_FILL,
				    .count = 2,
				    .done = 600,
				    .entry = slot(510),
				    .old = 4 * 64 * 8 });
	CHECK(linear[20] == old, "progress behind the range changed an entry");
	for (i = TORC_OP_COUNT; i < 256; i++)
		expect_status("unknown operation", raw((struct torc_batch_op){ .op = (uint8_t)i }),
			      TORC_ENOSYS);
	expect_status("no operation", raw((struct torc_batch_op){ .op = TORC_OP_NOP }), TORC_OK);
	expect_status("flush of a vCPU that is not there",
		      raw((struct torc_batch_op){ .op = TORC_OP_FLUSH_ALL, .old = 1UL << 40 }),
		      TORC_ENOENT);
	expect_status("flush of any address",
		      raw((struct torc_batch_op){ .op = TORC_OP_FLUSH_PAGE, .value = 1UL << 50 }),
		      TORC_OK);
}

/* One bad operation among good ones: the count of failures, and the others done. */
static void check_mixed(void)
{
	struct torc_batch_op *ops = guest_queue.area;
	uint64_t value = torc_pte_make(page, RO);
	uint32_t i;

	for (i = 0; i < 8; i++)
		ops[i] = (struct torc_batch_op){ .op = TORC_OP_SET,
						 .entry = slot(i),
						 .value = i % 4 == 3 ? value | PCD : value };
	expect_status("batch with two bad operations", batch_whole(0, 8), 2);
	for (i = 0; i < 8; i++) {
		CHECK(ops[i].flags & TORC_BATCH_DONE, "operation %u is not marked done", i);
		expect_entry("mixed", i, i % 4 == 3 ? 0 : value);
	}
	for (i = 0; i < 8; i++)
		ops[i].op = TORC_OP_CLEAR;
	expect_status("batch of operations done already", batch_whole(0, 8), 2);
	expect_entry("an operation done already", 0, value);
}

static void no_report(const struct torc_batch_op *op)
{
	(void)op;
}

void test_main(void)
{
	page = guest_page();
	REQUIRE(guest_map(AREA, page, RW) == TORC_OK, "cannot map");
	table = guest_entry(guest_root, AREA, 1) & ~0xfffUL;
	linear = guest_linear(table);
	guest_queue.failed = no_report;
	check_set();
	check_set_bad();
	check_short_way();
	check_places();
	check_exchange();
	check_keep();
	check_ranges();
	check_raw();
	check_mixed();
	expect_fault("write to a table", guest_probe_write((uint64_t)linear), 14);
}
