/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Copies between domains move what was granted and nothing else.
 *
 * Attack: copies by grants that are none, are for somebody else, are read-only or taken back, that
 * leave their page, or that lead to page tables.
 * Vulnerable: foreign memory is read or changed, or a table changes without validation.
 * Fixed: the operation fails alone, and both sides' memory is as it was.
 */
#include "conformance.h"

#define OWNER 1
#define PEER 2
#define WORDS 512
#define PATTERN 0x0123456789abcdefUL
#define NONE TORC_DOMAIN_NONE

/* Grants of the owner. */
enum { READ, WRITE, BOTH, FOR_ANOTHER, ITS_ROOT, NO_PAGE, TURN };

static uint64_t port;
static uint64_t *page[2];

static bool is_peer(void)
{
	return strcmp(guest_linear(guest_start->cmdline), "peer") == 0;
}

static void wait_fired(uint64_t count)
{
	torc_irq_off();
	while (guest_event_count[port] < count) {
		torc_block();
		torc_irq_off();
	}
}

/* One copy, through the first operation of the batch area. */
static int64_t copy(struct torc_copy_op op)
{
	volatile struct torc_copy_op *shared = (volatile void *)guest_queue.area;
	int64_t result;

	*shared = op;
	do {
		result = torc_grant_copy(guest_queue.first, 1);
	} while (result == TORC_EAGAIN);
	CHECK(result == (shared->status != 0), "%ld operations failed, status %d", result,
	      shared->status);
	CHECK(shared->flags & TORC_BATCH_DONE, "flags %x", shared->flags);
	return shared->status;
}

static uint64_t grant(uint64_t domain, uint64_t pfn, uint64_t access)
{
	return domain << TORC_GRANT_DOMAIN_SHIFT | pfn << TORC_GRANT_PFN_SHIFT | access;
}

static void fill(uint64_t *to, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < WORDS; i++)
		to[i] = seed * (i + 1);
}

static bool holds(const uint64_t *at, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < WORDS; i++)
		if (at[i] != seed * (i + 1))
			return false;
	return true;
}

static void own(void)
{
	volatile uint64_t *grants = guest_pages(1);

	port = (uint64_t)torc_event_bind(TORC_EVENT_UNBOUND, PEER, 0);
	fill(page[0], PATTERN);
	fill(page[1], 1);
	grants[READ] = grant(PEER, page_of(page[0]), TORC_GRANT_READ);
	grants[WRITE] = grant(PEER, page_of(page[1]), TORC_GRANT_WRITE);
	grants[BOTH] = grant(PEER, page_of(page[1]), TORC_GRANT_READ | TORC_GRANT_WRITE);
	grants[FOR_ANOTHER] = grant(OWNER, page_of(page[0]), TORC_GRANT_READ);
	grants[ITS_ROOT] = grant(PEER, guest_root >> TORC_PAGE_SHIFT,
				 TORC_GRANT_READ | TORC_GRANT_WRITE);
	grants[NO_PAGE] = grant(PEER, guest_start->pages, TORC_GRANT_READ);
	expect_status("index", torc_grant_register(TORC_GRANT_PAGES, 0), TORC_EINVAL);
	expect_status("a table", torc_grant_register(0, guest_root >> TORC_PAGE_SHIFT),
		      TORC_EBUSY);
	expect_status("no page", torc_grant_register(0, guest_start->pages), TORC_ENOENT);
	expect_status("grant table", torc_grant_register(0, page_of((void *)grants)), TORC_OK);
	expect_status("settle", torc_grant_settle(2), TORC_EINVAL);
	wait_fired(1); /* the peer is through with its copies */
	CHECK(holds(page[0], PATTERN), "the page that could be read has changed");
	CHECK(page[1][0] == 1 && page[1][1] == PATTERN * 2 && page[1][2] == 3,
	      "the other holds %lx %lx %lx", page[1][0], page[1][1], page[1][2]);
	grants[READ] = 0;
	expect_status("settle", torc_grant_settle(0), TORC_OK);
	torc_event_send(port);
	wait_fired(2);
	expect_status("no table", torc_grant_register(0, TORC_INVALID_FRAME), TORC_OK);
	torc_event_send(port);
	wait_fired(3);
}

#define REFUSE(status, ...) \
	expect_status(#__VA_ARGS__, copy((struct torc_copy_op){ __VA_ARGS__ }), status)
#define FROM(number) .source_domain = OWNER, .source = (number), .target_domain = NONE, \
	.target = (uint32_t)page_of(page[0])
#define TO(number) .target_domain = OWNER, .target = (number), .source_domain = NONE, \
	.source = (uint32_t)page_of(page[0])
#define WHOLE .bytes = TORC_PAGE_SIZE

static void refusals(void)
{
	REFUSE(TORC_EPERM, FROM(WRITE), WHOLE);
	REFUSE(TORC_EPERM, TO(READ), WHOLE);
	REFUSE(TORC_EPERM, FROM(FOR_ANOTHER), WHOLE);
	REFUSE(TORC_EPERM, FROM(TURN), WHOLE);
	REFUSE(TORC_EBUSY, FROM(ITS_ROOT), WHOLE);
	REFUSE(TORC_EBUSY, TO(ITS_ROOT), WHOLE);
	REFUSE(TORC_ENOENT, FROM(NO_PAGE), WHOLE);
	REFUSE(TORC_ENOENT, FROM(512), WHOLE);
	REFUSE(TORC_ENOENT, FROM(~0u), WHOLE);
	REFUSE(TORC_EINVAL, FROM(READ), .bytes = 0);
	REFUSE(TORC_EINVAL, FROM(READ), .bytes = 4097);
	REFUSE(TORC_EINVAL, FROM(READ), .bytes = 1, .source_offset = 4096);
	REFUSE(TORC_EINVAL, FROM(READ), .bytes = 2, .target_offset = 4095);
	REFUSE(TORC_EINVAL, FROM(READ), .bytes = 65535, .source_offset = 1);
	REFUSE(TORC_EINVAL, FROM(READ), WHOLE, .flags = 1);
	REFUSE(TORC_EINVAL, FROM(READ), WHOLE, .reserved2 = 1);
	REFUSE(TORC_ENOENT, .source_domain = 77, .target = (uint32_t)page_of(page[0]), WHOLE);
	REFUSE(TORC_ENOENT, .source = (uint32_t)guest_start->pages,
	       .target = (uint32_t)page_of(page[0]), WHOLE);
	REFUSE(TORC_EBUSY, .source = (uint32_t)page_of(page[0]),
	       .target = (uint32_t)(guest_root >> TORC_PAGE_SHIFT), WHOLE);
	expect_status("range", torc_grant_copy(TORC_BATCH_MAX_OPS, 1), TORC_EINVAL);
	expect_status("range", torc_grant_copy(1, ~0UL), TORC_EINVAL);
}

static void peer(void)
{
	do {
		port = (uint64_t)torc_event_bind(TORC_EVENT_INTERDOMAIN, OWNER,
						 TORC_PORT_FIRST_FREE);
		torc_yield();
	} while ((int64_t)port == TORC_ENOENT);
	while (copy((struct torc_copy_op){ FROM(READ), WHOLE }) == TORC_ENOENT)
		torc_yield(); /* until there is a grant table */
	CHECK(holds(page[0], PATTERN), "what was read is not what was granted");
	fill(page[1], 7);
	REFUSE(TORC_OK, .source = (uint32_t)page_of(page[1]), .target = (uint32_t)page_of(page[0]),
	       .bytes = 8, .source_offset = 8, .target_offset = 4088);
	CHECK(page[0][511] == 14 && page[0][510] == PATTERN * 511, "within the domain");
	REFUSE(TORC_OK, TO(BOTH), .bytes = 8, .source_offset = 8, .target_offset = 8);
	REFUSE(TORC_OK, FROM(BOTH), .bytes = 8, .source_offset = 16);
	CHECK(page[0][0] == 3, "read back %lu", page[0][0]);
	fill(page[0], 9);
	refusals();
	CHECK(holds(page[0], 9), "a copy that was refused changed something");
	torc_event_send(port);
	wait_fired(1);
	REFUSE(TORC_EPERM, FROM(READ), WHOLE);
	torc_event_send(port);
	wait_fired(2);
	REFUSE(TORC_ENOENT, FROM(BOTH), WHOLE);
	torc_event_send(port);
}

/* row: foreign-grant */
void test_main(void)
{
	page[0] = guest_pages(1);
	page[1] = guest_pages(1);
	if (is_peer())
		peer();
	else
		own();
}
