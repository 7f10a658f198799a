/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Ring pages: what the window shows, what is refused, who holds what while a page is shown, and
 * that nothing is held any more once it is taken back, whichever side does it or ends.
 *
 * Attack: keep a ring page behind its revocation or its owner's end, unmap it twice, make a table
 * of it, name slots and domains that do not exist.
 * Vulnerable: a page of somebody else is seen, or a reference is dropped twice.
 * Fixed: the window shows the viewer's own page first, other CPUs forget, and one party drops,
 * once.
 */
#include "grant.h"
#include "pair.h"

#define NOBODY 77

static u64 *grants; /* front's first page of grants */

static u64 ring_grant(pfn_t pfn)
{
	return (u64)back->id << TORC_GRANT_DOMAIN_SHIFT | pfn << TORC_GRANT_PFN_SHIFT |
	       TORC_GRANT_RING;
}

/* Grants 1 and 2 of front: its data page and another one, to be shown to back. */
static void create(void)
{
	pair_create();
	cr_assert_eq(hc_grant_register(FRONT, 0, PAGE_GRANTS), 0);
	grants = page_in(front, PAGE_GRANTS);
	grants[1] = ring_grant(PAGE_DATA);
	grants[2] = ring_grant(PAGE_OTHER);
}

TestSuite(ring, .init = create, .fini = pair_end);

/* The entry that hardware finds for slot @slot of @viewer's window; 0 when there is none. */
static u64 window_entry(const struct domain *viewer, unsigned int slot)
{
	u64 *table = mfn_to_virt(viewer->windows_l3[3]);
	unsigned int level;

	for (level = 3; level > 1; level--) {
		if (!(table[0] & PTE_P))
			return 0;
		cr_expect(table[0] & PTE_W);
		table = mfn_to_virt(entry_mfn(table[0]));
	}
	return table[slot];
}

static void expect_shown(unsigned int slot, mfn_t mfn)
{
	cr_expect_eq(window_entry(back, slot), mfn_to_paddr(mfn) | PTE_P | PTE_W | PTE_NX,
		     "slot %u: %lx, not frame %lx", slot, window_entry(back, slot), mfn);
	EXPECT_PAIR();
}

static mfn_t front_mfn(pfn_t pfn)
{
	return domain_mfn(front, pfn);
}

Test(ring, a_page_is_shown_and_given_back)
{
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	expect_shown(0, front_mfn(PAGE_DATA));
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 2), 1);
	expect_shown(1, front_mfn(PAGE_OTHER));
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 1), 2, "once more");
	expect_shown(2, front_mfn(PAGE_DATA));
	cr_expect_eq(front->references, 4);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 0), 0);
	expect_shown(0, back->ring_scratch);
	cr_expect_eq(front->references, 3);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 0), TORC_ENOENT);
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 2), 0, "the lowest that is free");
	expect_shown(0, front_mfn(PAGE_OTHER));
}

Test(ring, what_is_refused)
{
	static const u64 slots[] = { 0, 1, TORC_RING_SLOTS - 1, TORC_RING_SLOTS, 1ull << 32,
				     ~0ull };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		REFUSED(TORC_ENOENT, hc_grant_unmap_ring(BACK, slots[i]));
	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	for (i = 1; i < ARRAY_SIZE(slots); i++)
		REFUSED(TORC_ENOENT, hc_grant_unmap_ring(BACK, slots[i]));
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, NOBODY, 1));
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, 0, 1));
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, 1ull << 32 | front->id, 1));
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, front->id, 512));
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, front->id, ~0ull));
	REFUSED(TORC_EINVAL, hc_grant_map_ring(BACK, back->id, 1));
	REFUSED(TORC_EPERM, hc_grant_map_ring(BACK, front->id, 3));
	grants[3] = ring_grant(PAGE_DATA) ^ (TORC_GRANT_RING | TORC_GRANT_READ | TORC_GRANT_WRITE);
	REFUSED(TORC_EPERM, hc_grant_map_ring(BACK, front->id, 3));
	grants[3] = ring_grant(front->pages);
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, front->id, 3));
	grants[3] = ring_grant(m2p_table[FRONT->root]);
	REFUSED(TORC_EBUSY, hc_grant_map_ring(BACK, front->id, 3));
	front->ending = TORC_SHUTDOWN_POWEROFF + 1;
	REFUSED(TORC_ENOENT, hc_grant_map_ring(BACK, front->id, 1));
}

/* While a page is shown it becomes no table, and its chunk does not leave. */
Test(ring, a_shown_page_becomes_no_table)
{
	const struct torc_batch_op pin = { .op = TORC_OP_PIN, .value = 1,
					   .entry = (u64)PAGE_DATA << PAGE_SHIFT };

	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	pair_on(front);
	*batch_op(0) = pin;
	memset(page_of(PAGE_DATA), 0, PAGE_SIZE);
	cr_expect_eq(hc_batch(vcpu, 0, 1), 1);
	cr_expect_eq(batch_op(0)->status, TORC_EBUSY);
	cr_expect_eq(hc_memory_release(vcpu, 0), TORC_EBUSY);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 0), 0);
	*batch_op(0) = pin;
	cr_expect_eq(hc_batch(vcpu, 0, 1), 0);
	REFUSED(TORC_EBUSY, hc_grant_map_ring(BACK, front->id, 1));
}

Test(ring, all_slots)
{
	unsigned int i;

	for (i = 0; i < TORC_RING_SLOTS; i++)
		cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), i);
	EXPECT_PAIR();
	REFUSED(TORC_ENOMEM, hc_grant_map_ring(BACK, front->id, 1));
	cr_expect_eq(hc_grant_unmap_ring(BACK, TORC_RING_SLOTS - 1), 0);
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 2), TORC_RING_SLOTS - 1);
	grants[1] = 0;
	cr_expect_eq(hc_grant_settle(FRONT, 1), 0);
	EXPECT_PAIR();
	cr_expect_eq(front->references, 2);
	REFUSED(TORC_ENOMEM, hc_grant_map_ring(BACK, front->id, 2));
}

/* What a first attempt made is kept for the next one; nothing else is. */
Test(ring, without_memory)
{
	unsigned int n;

	for (n = 0; memory_fail_after = n, hc_grant_map_ring(BACK, front->id, 1) == TORC_ENOMEM;
	     n++) {
		EXPECT_PAIR();
		cr_expect_eq(front->references, 1);
		cr_assert_lt(n, 10);
	}
	cr_expect_gt(n, 0);
	memory_fail_after = ~0ull;
	expect_shown(0, front_mfn(PAGE_DATA));
}

/* The word says something else: only settle with rings takes the page back, and only that one. */
Test(ring, a_grant_is_taken_back)
{
	const u64 words[] = { 0, ring_grant(PAGE_STATE), ring_grant(PAGE_DATA) & ~TORC_GRANT_RING,
			      ring_grant(PAGE_DATA) + (1ull << TORC_GRANT_DOMAIN_SHIFT) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		grants[1] = ring_grant(PAGE_DATA);
		cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
		cr_assert_eq(hc_grant_map_ring(BACK, front->id, 2), 1);
		cr_expect_eq(hc_grant_settle(FRONT, 1), 0);
		expect_shown(0, front_mfn(PAGE_DATA));
		grants[1] = words[i];
		cr_expect_eq(hc_grant_settle(FRONT, 0), 0);
		expect_shown(0, front_mfn(PAGE_DATA));
		cr_expect_eq(hc_grant_settle(BACK, 1), 0, "of its own grants");
		expect_shown(0, front_mfn(PAGE_DATA));
		cr_expect_eq(hc_grant_settle(FRONT, 1), 0);
		expect_shown(0, back->ring_scratch);
		expect_shown(1, front_mfn(PAGE_OTHER));
		cr_expect_eq(front->references, 2);
		cr_expect_eq(hc_grant_settle(FRONT, 1), 0);
		cr_expect_eq(hc_grant_map_ring(BACK, front->id, 2), 2, "slot 0 is not free");
		cr_expect_eq(hc_grant_unmap_ring(BACK, 2), 0);
		cr_expect_eq(hc_grant_unmap_ring(BACK, 1), 0);
		cr_expect_eq(hc_grant_unmap_ring(BACK, 0), 0);
		cr_expect_eq(hc_grant_unmap_ring(BACK, 0), TORC_ENOENT);
		EXPECT_PAIR();
	}
}

/* The owner ends: its memory goes at once, though the other side never gives the slots back. */
Test(ring, the_owner_ends)
{
	u64 chunks = memory_chunks_out;

	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 2), 1);
	cr_assert_eq(hc_grant_unmap_ring(BACK, 0), 0);
	end(front, TORC_SHUTDOWN_POWEROFF);
	cr_expect_null(back->next);
	cr_expect_eq(memory_chunks_out, chunks - 2);
	expect_shown(1, back->ring_scratch);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 1), 0);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 1), TORC_ENOENT);
}

Test(ring, the_viewer_ends)
{
	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 2), 1);
	grants[2] = 0;
	cr_assert_eq(hc_grant_settle(FRONT, 1), 0);
	end(back, TORC_SHUTDOWN_POWEROFF);
	cr_assert(domain_list == front && !front->next);
	cr_expect_eq(front->references, 1);
	EXPECT_PAIR();
}

static u64 seen; /* what the window shows when the other CPU is asked to forget it */
static unsigned int references_then;

static void other_cpu_forgets(u32 target __unused)
{
	seen = window_entry(back, 0);
	references_then = frame_table[front_mfn(PAGE_DATA)].ref_count;
	cpus[1].passes++;
}

/* A CPU where the viewer runs forgets a page before it is let go, and the scratch page too. */
Test(ring, other_cpus_forget)
{
	struct frame *frame = &frame_table[front_mfn(PAGE_DATA)];
	u32 references = frame->ref_count;

	bring_up(back, 1);
	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	back->vcpu[1]->cpu = &cpus[1];
	cpus[1].passes = 1;
	ipi_arrives = other_cpu_forgets;
	grants[1] = 0;
	ipis = 0;
	cr_expect_eq(hc_grant_settle(FRONT, 1), 0);
	cr_expect_eq(ipis, 1);
	cr_expect_eq(seen, mfn_to_paddr(back->ring_scratch) | PTE_P | PTE_W | PTE_NX);
	cr_expect_eq(references_then, references + 1);
	cr_expect_eq(frame->ref_count, references);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 0), 0);
	cr_expect_eq(ipis, 1, "it is not shown any more");
	cpus[1].passes = 1;
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 2), 0);
	cr_expect_eq(ipis, 2);
	cr_expect_eq(seen, mfn_to_paddr(front_mfn(PAGE_OTHER)) | PTE_P | PTE_W | PTE_NX);
	back->vcpu[1]->cpu = NULL;
	ipi_arrives = NULL;
}

/* A slot is given back while its owner takes it back, and the other way round. */
Test(ring, slots_that_are_found_taken_back)
{
	cr_assert_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	rings_revoke(front, true);
	rings_revoke(front, true);
	EXPECT_PAIR();
	cr_expect_eq(front->references, 1);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 0), 0);
	rings_revoke(front, true);
	cr_expect_eq(hc_grant_map_ring(BACK, front->id, 1), 0);
	rings_close(front);
	rings_close(back);
	cr_expect_eq(hc_grant_unmap_ring(BACK, 0), TORC_ENOENT);
	EXPECT_PAIR();
}
