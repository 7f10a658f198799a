/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Memory that a guest gives back.
 *
 * Background: a frame that has no owner is somebody else's soon.
 * Attack: give back a chunk while one of its pages is in use in any of the ways there are; when it
 * is gone, name its frames, whose numbers are known, and its pages.
 * Vulnerable: the use stays, and reaches a frame of another domain.
 * Fixed: it stays as long as anything uses it; once it is gone neither its frames nor its pages can
 * be named, and what comes in its place is zero.
 */
#include "conformance.h"

#define CHUNK  512 /* pages */
#define RW     (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_ACCESSED | TORC_PTE_NX)
#define RO     (TORC_PTE_PRESENT | TORC_PTE_ACCESSED | TORC_PTE_NX)
#define SECRET 0x5ec4e75ec4e75ec4UL
#define USED   300 /* the page of the chunk that is in use */

static uint64_t chunk;	     /* its first pfn */
static uint64_t linear;	     /* the entries that show it in the linear map: gpa of the first */
static uint64_t *leaf, *top; /* tables of level 1 and 2 */

static uint64_t used(void)
{
	return chunk + USED;
}

static int64_t set(const void *entry, uint64_t value)
{
	return guest_op(TORC_OP_SET, guest_linear_gpa(entry), value);
}

/* Ways to use a page; each is undone by the same function. */
static int64_t by_mapping(bool use)
{
	return set(&leaf[1], use ? torc_pte_make(used(), RO) : 0);
}

static int64_t by_writable_mapping(bool use)
{
	return set(&leaf[511], use ? torc_pte_make(used(), RW) : 0);
}

static int64_t by_linear_map(bool use)
{
	return guest_op(TORC_OP_SET, linear + USED * 8, use ? torc_pte_make(used(), RW) : 0);
}

static int64_t by_pin(bool use)
{
	return guest_op(use ? TORC_OP_PIN : TORC_OP_UNPIN, used() << TORC_PAGE_SHIFT, use);
}

static int64_t by_table(bool use)
{
	return set(&top[9], use ? torc_pte_make(used(), TORC_PTE_TABLE) : 0);
}

static int64_t by_batch_area(bool use)
{
	uint64_t last = page_of(guest_queue.area) + TORC_BATCH_PAGES - 1;

	return torc_batch_register(TORC_BATCH_PAGES - 1, use ? used() : last);
}

static int64_t by_grant_table(bool use)
{
	return torc_grant_register(1, use ? used() : TORC_INVALID_FRAME);
}

static const struct {
	const char *name;
	int64_t (*use)(bool use);
} ways[] = {
	{ "mapping", by_mapping },
	{ "writable mapping", by_writable_mapping },
	{ "linear map", by_linear_map },
	{ "pin", by_pin },
	{ "table", by_table },
	{ "batch area", by_batch_area },
	{ "grant table", by_grant_table },
};

/* The chunk appears in the linear map, or not. */
static void show(bool shown)
{
	uint64_t i;

	torc_queue_lazy_begin(&guest_queue);
	for (i = 0; i < CHUNK; i++)
		torc_queue_set(&guest_queue, linear + i * 8,
			       shown ? torc_pte_make(chunk + i, RW) : 0);
	torc_queue_lazy_end(&guest_queue);
}

static int64_t release(void)
{
	int64_t result;

	do {
		result = torc_memory_release(chunk);
	} while (result == TORC_EAGAIN);
	return result;
}

/* It is not this domain's any more: no frame of it, and no page. */
static void expect_gone(uint64_t mfn)
{
	uint64_t entry = mfn << TORC_PAGE_SHIFT, gpa = used() << TORC_PAGE_SHIFT;

	CHECK(torc_pfn_to_mfn(used()) == TORC_INVALID_FRAME, "the window still tells its frame");
	CHECK(torc_mfn_to_pfn(mfn) == TORC_INVALID_FRAME, "the window still tells its page");
	expect_fault("read", guest_probe_read((uint64_t)guest_linear(gpa)), 14);
	expect_status("map its frame", set(&leaf[2], entry | RO), TORC_EPERM);
	expect_status("map its frame writable", set(&leaf[2], entry | RW), TORC_EPERM);
	expect_status("name it, absent", set(&leaf[2], entry), TORC_EINVAL);
	expect_status("its frame as a table", set(&top[2], entry | TORC_PTE_TABLE), TORC_EPERM);
	expect_status("pin", guest_op(TORC_OP_PIN, gpa, 1), TORC_ENOENT);
	expect_status("unpin", guest_op(TORC_OP_UNPIN, gpa, 0), TORC_ENOENT);
	expect_status("set an entry in it", guest_op(TORC_OP_SET, gpa, 0), TORC_ENOENT);
	expect_status("batch area", torc_batch_register(0, used()), TORC_ENOENT);
	expect_status("grant table", torc_grant_register(1, used()), TORC_ENOENT);
	expect_status("vCPU page", torc_vcpu_set_page(used()), TORC_ENOENT);
	expect_status("give it back again", release(), TORC_ENOENT);
}

static void come_back(void)
{
	const uint64_t *words = guest_linear(chunk << TORC_PAGE_SHIFT);
	uint64_t i;

	expect_status("populate", torc_memory_populate(chunk), TORC_OK);
	expect_status("populate again", torc_memory_populate(chunk), TORC_EBUSY);
	show(true);
	for (i = 0; i < CHUNK * 512UL; i++)
		if (words[i]) {
			FAILURE("word %lu of what came back is 0x%lx", i, words[i]);
			return;
		}
}

static void check(const char *name, int64_t (*use)(bool))
{
	uint64_t mfn = torc_pfn_to_mfn(used()), *last;

	last = guest_linear((chunk + CHUNK - 1) << TORC_PAGE_SHIFT);
	*last = SECRET;
	show(false);
	expect_status(name, use(true), TORC_OK);
	expect_status(name, release(), TORC_EBUSY);
	CHECK(torc_pfn_to_mfn(used()) == mfn, "%s: the frame is another", name);
	expect_status(name, use(false), TORC_OK);
	expect_status(name, release(), TORC_OK);
	expect_gone(mfn);
	come_back();
}

/* row: given-back */
void test_main(void)
{
	uint64_t i;

	leaf = guest_pages(2);
	top = leaf + 512;
	chunk = (page_of(guest_pages(2 * CHUNK - 1)) + CHUNK - 1) / CHUNK * CHUNK;
	linear = guest_entry(guest_root, (uint64_t)guest_linear(chunk << TORC_PAGE_SHIFT), 1);
	expect_status("pin", guest_op(TORC_OP_PIN, guest_linear_gpa(leaf), 1), TORC_OK);
	expect_status("pin", guest_op(TORC_OP_PIN, guest_linear_gpa(top), 2), TORC_OK);
	expect_status("not a chunk's first page", torc_memory_release(chunk + 1), TORC_EINVAL);
	expect_status("all in use", release(), TORC_EBUSY);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check(ways[i].name, ways[i].use);
}
