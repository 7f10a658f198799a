/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Grants and copies: what a grant allows and to whom, each operation that is refused and that it
 * touches no byte, copies that stop and go on, and grants that are taken back between calls.
 *
 * Attack: copies by grants that allow something else, or change between look-up and copy; offsets
 * that leave the page; page tables; a batch that never gets to its end.
 * Vulnerable: memory is read or written that was not granted.
 * Fixed: the operation is refused and touches no byte; each copy reads its grant anew, once.
 */
#include <torc/grant.h>
#include "grant.h"
#include "pair.h"
#include "state.h"

#define LAST_GRANT (TORC_GRANT_PAGES * TORC_GRANTS_PER_PAGE - 1)
#define NOBODY 77

static u64 *grants; /* front's first page of grants */

static u64 grant_of(u64 user, pfn_t pfn, u64 access)
{
	return user << TORC_GRANT_DOMAIN_SHIFT | pfn << TORC_GRANT_PFN_SHIFT | access;
}

/* Grants 1 to 3 of front: its data page to copy from, to copy to, both. */
static void create(void)
{
	unsigned int i;

	pair_create();
	cr_assert_eq(hc_grant_register(FRONT, 0, PAGE_GRANTS), 0);
	grants = page_in(front, PAGE_GRANTS);
	for (i = 1; i < 4; i++)
		grants[i] = grant_of(back->id, PAGE_DATA, i);
	for (i = 0; i < PAGE_SIZE; i++) {
		((u8 *)page_in(front, PAGE_DATA))[i] = (u8)(i % 251);
		((u8 *)page_in(back, PAGE_DATA))[i] = (u8)(i % 241 + 1);
	}
	EXPECT_PAIR();
}

TestSuite(grant, .init = create, .fini = pair_end);

static struct torc_copy_op *copy_op(unsigned int index)
{
	return (struct torc_copy_op *)batch_op(index);
}

/* From front's grant @grant to back's page, all of it. */
static struct torc_copy_op from_front(u32 grant)
{
	return (struct torc_copy_op){ .bytes = PAGE_SIZE, .source_domain = front->id,
				      .source = grant, .target = PAGE_DATA };
}

static struct torc_copy_op to_front(u32 grant)
{
	return (struct torc_copy_op){ .bytes = PAGE_SIZE, .target_domain = front->id,
				      .target = grant, .source = PAGE_DATA };
}

static int run(struct torc_copy_op op)
{
	s64 failed;

	*copy_op(2) = op;
	failed = hc_grant_copy(BACK, 2, 1);
	cr_expect(copy_op(2)->flags & TORC_BATCH_DONE);
	cr_expect_eq(failed, copy_op(2)->status != 0);
	EXPECT_PAIR();
	return copy_op(2)->status;
}

/* The operation fails with @error, and nothing changes but its own words. */
static void refuse_as(int error, struct torc_copy_op op, const char *what)
{
	struct pair_picture *picture;
	const char *difference;
	int status;

	*copy_op(2) = op;
	picture = pair_picture_take();
	status = run(op);
	*copy_op(2) = op;
	difference = pair_picture_differs(picture);
	cr_expect_eq(status, error, "%s: %d", what, status);
	cr_expect_null(difference, "%s: %s", what, difference);
}

#define REFUSE(error, base, change) \
	do { \
		struct torc_copy_op op = base; \
		change; \
		refuse_as(error, op, #change); \
	} while (0)

Test(grant, copies_go_both_ways)
{
	struct torc_copy_op op = from_front(1);
	u8 *theirs = page_in(front, PAGE_DATA), *own = page_in(back, PAGE_DATA);

	cr_expect_eq(run(op), 0);
	cr_expect(!memcmp(theirs, own, PAGE_SIZE));
	own[5] = 99;
	cr_expect_eq(run(to_front(2)), 0);
	cr_expect_eq(theirs[5], 99);
	op = from_front(3);
	op.bytes = 10;
	op.source_offset = 20;
	op.target_offset = PAGE_SIZE - 10;
	memset(own, 0, PAGE_SIZE);
	cr_expect_eq(run(op), 0);
	cr_expect(!memcmp(own + PAGE_SIZE - 10, theirs + 20, 10));
	cr_expect(own[PAGE_SIZE - 11] == 0, "not a byte more");
	cr_expect_eq(back->counters[TORC_COUNTER_COPIED], 2 * PAGE_SIZE + 10);
	cr_expect_eq(front->counters[TORC_COUNTER_COPIED], 0);
}

Test(grant, operations_that_are_refused)
{
	REFUSE(TORC_EINVAL, from_front(1), op.bytes = 0);
	REFUSE(TORC_EINVAL, from_front(1), op.bytes++);
	REFUSE(TORC_EINVAL, from_front(1), op.source_offset = 1);
	REFUSE(TORC_EINVAL, from_front(1), op.target_offset = 1);
	REFUSE(TORC_EINVAL, from_front(1), op.bytes = 2; op.source_offset = PAGE_SIZE - 1);
	REFUSE(TORC_EINVAL, from_front(1), op.bytes = 2; op.target_offset = PAGE_SIZE - 1);
	REFUSE(TORC_EINVAL, from_front(1), op.bytes = 1; op.target_offset = 0xffff);
	REFUSE(TORC_EINVAL, from_front(1), op.bytes = 1; op.source_offset = 0xffff);
	REFUSE(TORC_EINVAL, from_front(1), op.flags = 1);
	REFUSE(TORC_EINVAL, from_front(1), op.reserved0 = 1);
	REFUSE(TORC_EINVAL, from_front(1), op.reserved1 = 1);
	REFUSE(TORC_EINVAL, from_front(1), op.reserved2 = 1);
	REFUSE(TORC_ENOENT, from_front(1), op.source_domain = NOBODY);
	REFUSE(TORC_ENOENT, from_front(1), op.source_domain |= 1u << 16);
	REFUSE(TORC_ENOENT, from_front(1), op.target_domain = NOBODY);
	REFUSE(TORC_ENOENT, from_front(1), op.target = back->pages);
	REFUSE(TORC_ENOENT, from_front(1), op.target = ~0u);
	REFUSE(TORC_ENOENT, to_front(2), op.source = back->owned_pages);
	REFUSE(TORC_ENOENT, from_front(1), op.source = LAST_GRANT);
	REFUSE(TORC_ENOENT, from_front(1), op.source = LAST_GRANT + 1);
	REFUSE(TORC_ENOENT, from_front(1), op.source = ~0u);
	REFUSE(TORC_EPERM, from_front(1), op.source = 2);
	REFUSE(TORC_EPERM, to_front(2), op.target = 1);
	REFUSE(TORC_EPERM, from_front(1), op.source = 0);
}

static void regrant(u64 grant)
{
	grants[1] = grant;
}

Test(grant, grants_that_allow_nothing)
{
	REFUSE(TORC_EPERM, from_front(1), regrant(grant_of(front->id, PAGE_DATA, 3)));
	REFUSE(TORC_EPERM, from_front(1), regrant(grant_of(0, PAGE_DATA, 7)));
	REFUSE(TORC_EPERM, from_front(1), regrant(grant_of(1u << 16 | back->id, PAGE_DATA, 7)));
	REFUSE(TORC_EPERM, from_front(1), regrant(grant_of(back->id, PAGE_DATA, 0)));
	REFUSE(TORC_EPERM, from_front(1), regrant(grant_of(back->id, PAGE_DATA, 4)));
	REFUSE(TORC_EPERM, from_front(1), regrant(grant_of(back->id, PAGE_DATA, 8 | 1)));
	REFUSE(TORC_ENOENT, from_front(1), regrant(grant_of(back->id, front->owned_pages, 1)));
	REFUSE(TORC_ENOENT, from_front(1), regrant(grant_of(back->id, 0xfffffff, 1)));
	regrant(grant_of(back->id, 0, 1));
	cr_expect_eq(run(from_front(1)), 0);
}

/* Tables are neither written nor read, whoever's they are. */
Test(grant, tables_are_not_copied)
{
	pfn_t root = m2p_table[FRONT->root], own_root = m2p_table[BACK->root];

	REFUSE(TORC_EBUSY, from_front(1), regrant(grant_of(back->id, root, 3)));
	REFUSE(TORC_EBUSY, to_front(1), regrant(grant_of(back->id, root, 3)));
	REFUSE(TORC_EBUSY, to_front(2), op.source = own_root);
	regrant(grant_of(back->id, PAGE_DATA, 3));
	REFUSE(TORC_EBUSY, from_front(1), op.target = own_root);
}

/* Neither side granted by name, or both: a domain may also grant to itself. */
Test(grant, within_a_domain)
{
	const struct torc_copy_op within = { .bytes = 100, .source = PAGE_DATA,
					     .target = PAGE_OTHER };
	struct torc_copy_op op = within;
	u8 *page = page_in(back, PAGE_DATA);

	cr_expect_eq(run(op), 0);
	cr_expect(!memcmp(page, page_in(back, PAGE_OTHER), 100));
	op.target = PAGE_DATA;
	op.target_offset = 10;
	op.bytes = 1000;
	cr_expect_eq(run(op), 0);
	cr_expect(page[10] == 1 && page[509] == 499 % 241 + 1, "as if through a buffer");
	REFUSE(TORC_ENOENT, within, op.source_domain = back->id);
	cr_assert_eq(hc_grant_register(BACK, 31, PAGE_GRANTS), 0);
	((u64 *)page_in(back, PAGE_GRANTS))[511] = grant_of(back->id, PAGE_DATA, 1);
	op.source_domain = back->id;
	op.source = LAST_GRANT;
	op.target = PAGE_OTHER;
	cr_expect_eq(run(op), 0);
	cr_expect_eq(hc_grant_register(BACK, 31, INVALID_PFN), 0);
	EXPECT_PAIR();
	REFUSE(TORC_ENOENT, within, op.source_domain = back->id; op.source = LAST_GRANT);
}

/* From front to itself, by grants of both sides to back. */
Test(grant, between_pages_of_another)
{
	struct torc_copy_op op = { .bytes = 8, .source_domain = front->id, .source = 1,
				   .target_domain = front->id, .target = 5 };

	grants[5] = grant_of(back->id, PAGE_OTHER, 2);
	cr_expect_eq(run(op), 0);
	cr_expect(!memcmp(page_in(front, PAGE_DATA), page_in(front, PAGE_OTHER), 8));
}

Test(grant, tables_of_grants)
{
	REFUSED(TORC_EINVAL, hc_grant_register(FRONT, TORC_GRANT_PAGES, PAGE_OTHER));
	REFUSED(TORC_EINVAL, hc_grant_register(FRONT, ~0ull, PAGE_OTHER));
	REFUSED(TORC_ENOENT, hc_grant_register(FRONT, 1, front->pages));
	REFUSED(TORC_ENOENT, hc_grant_register(FRONT, 0, front->owned_pages));
	REFUSED(TORC_EBUSY, hc_grant_register(FRONT, 0, m2p_table[FRONT->root]));
	REFUSED(TORC_OK, hc_grant_register(FRONT, 1, INVALID_PFN));
	cr_expect_eq(hc_grant_register(FRONT, 0, PAGE_OTHER), 0);
	EXPECT_PAIR();
	REFUSE(TORC_EPERM, from_front(1), op.flags = 0);
	((u64 *)page_in(front, PAGE_OTHER))[1] = grants[1];
	cr_expect_eq(run(from_front(1)), 0);
	cr_expect_eq(hc_grant_register(FRONT, 0, INVALID_PFN), 0);
	EXPECT_PAIR();
	REFUSE(TORC_ENOENT, from_front(1), op.flags = 0);
	REFUSED(TORC_EINVAL, hc_grant_settle(FRONT, 2));
	REFUSED(TORC_EINVAL, hc_grant_settle(FRONT, ~0ull));
	REFUSED(TORC_OK, hc_grant_settle(FRONT, 0));
	REFUSED(TORC_OK, hc_grant_settle(FRONT, 1));
}

Test(grant, ranges_of_operations)
{
	u64 last = TORC_BATCH_MAX_OPS - 1;

	REFUSED(TORC_EINVAL, hc_grant_copy(BACK, 0, TORC_BATCH_MAX_OPS + 1));
	REFUSED(TORC_EINVAL, hc_grant_copy(BACK, TORC_BATCH_MAX_OPS, 1));
	REFUSED(TORC_EINVAL, hc_grant_copy(BACK, ~0ull, 1));
	REFUSED(TORC_EINVAL, hc_grant_copy(BACK, 1, ~0ull));
	REFUSED(TORC_OK, hc_grant_copy(BACK, TORC_BATCH_MAX_OPS, 0));
	*copy_op(last) = from_front(1);
	cr_expect_eq(hc_grant_copy(BACK, last, 1), 0);
	cr_expect(copy_op(last)->flags & TORC_BATCH_DONE);
	cr_expect_eq(hc_batch_register(BACK, 3, INVALID_PFN), 0);
	*copy_op(383) = from_front(2);
	cr_expect_eq(hc_grant_copy(BACK, 383, 2), TORC_ENOENT, "where there is no page");
	cr_expect_eq(copy_op(383)->status, TORC_EPERM);
	EXPECT_PAIR();
}

/* Many, to two domains in turn, with a stop at each look; each is done once. */
Test(grant, copies_that_stop_go_on)
{
	unsigned int i, calls = 0;
	bool refused;
	s64 result;

	memory_fail_after = 0; /* which needs none */
	for (i = 0; i < 60; i++) {
		refused = i % 20 == 19;
		*copy_op(i) = refused ? from_front(2) : i / 20 == 1 ? to_front(2) : from_front(1);
		copy_op(i)->bytes = 64;
		copy_op(i)->source_offset = 64 * i;
		copy_op(i)->target_offset = 64 * i;
	}
	do {
		preempt_calls = 0;
		preempt_at = 8;
		result = hc_grant_copy(BACK, 0, 60);
		EXPECT_PAIR();
		calls++;
	} while (result == TORC_EAGAIN && calls < 100);
	cr_expect_eq(result, 3);
	cr_expect_eq(calls, 9);
	cr_expect_eq(back->counters[TORC_COUNTER_COPIED], 57 * 64, "each once");
	for (i = 0; i < 60; i++) {
		refused = i % 20 == 19;
		cr_expect_eq(copy_op(i)->status, refused ? TORC_EPERM : 0);
		cr_expect_eq(memcmp((u8 *)page_in(front, PAGE_DATA) + 64 * i,
				    (u8 *)page_in(back, PAGE_DATA) + 64 * i, 64) != 0, refused);
	}
	preempt_at = 0;
	cr_expect_eq(hc_grant_copy(BACK, 0, 60), 3, "again, and nothing happens");
	cr_expect_eq(back->counters[TORC_COUNTER_COPIED], 57 * 64);
	cr_expect_eq(back->counters[TORC_COUNTER_BATCH + 5], 10);
}

/* Operations next to each other that name one domain in common: each has its own two. */
Test(grant, parties_change)
{
	static const struct torc_copy_op within = { .bytes = 8, .source = PAGE_OTHER,
						    .target = PAGE_STATE };

	*(u64 *)page_in(front, PAGE_OTHER) = 1;
	*(u64 *)page_in(back, PAGE_OTHER) = 2;
	*(u64 *)page_in(front, PAGE_STATE) = 3;
	*copy_op(0) = from_front(1);
	*copy_op(1) = within;
	cr_expect_eq(hc_grant_copy(BACK, 0, 2), 0);
	cr_expect_eq(*(u64 *)page_in(back, PAGE_STATE), 2);
	*copy_op(0) = to_front(2);
	*copy_op(1) = within;
	*(u64 *)page_in(back, PAGE_STATE) = 4;
	cr_expect_eq(hc_grant_copy(BACK, 0, 2), 0);
	cr_expect_eq(*(u64 *)page_in(back, PAGE_STATE), 2);
	cr_expect_eq(*(u64 *)page_in(front, PAGE_STATE), 3);
	EXPECT_PAIR();
}

static unsigned int looks;

/* Between two copies: front takes its grant back, and makes another one. */
static bool take_back(unsigned int work __unused)
{
	looks++;
	if (looks == 2)
		grants[1] = 0;
	if (looks == 3)
		grants[1] = grant_of(back->id, PAGE_OTHER, 1);
	return false;
}

Test(grant, each_copy_reads_its_grant_anew)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		*copy_op(i) = from_front(1);
	*(u64 *)page_in(front, PAGE_OTHER) = 4711;
	preempt_due_if = take_back;
	cr_expect_eq(hc_grant_copy(BACK, 0, 3), 1);
	preempt_due_if = NULL;
	cr_expect(copy_op(0)->status == 0 && copy_op(1)->status == TORC_EPERM &&
		  copy_op(2)->status == 0);
	cr_expect_eq(*(u64 *)page_in(back, PAGE_DATA), 4711);
}
