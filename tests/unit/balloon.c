/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Chunks that a domain gives back and gets again: not while anything refers to one of its pages,
 * and the windows tell of exactly what it has.
 *
 * Attack: give back a chunk that a table, a mapping or another CPU still uses.
 * Vulnerable: it is another domain's, with old contents, and its old owner sees it.
 * Fixed: it stays until nothing refers to it; it leaves hidden, forgotten by all CPUs, and clean.
 */
#include "alloc.h"
#include "pair.h"

TestSuite(balloon, .init = pair_create, .fini = pair_end);

/* What hardware finds for page @page of window @window of front; 0 when there is nothing. */
static u64 window_entry(unsigned int window, u64 page)
{
	u64 entry = mfn_to_paddr(front->windows_l3[window]) | PTE_P;
	unsigned int level;

	for (level = 3; level >= 1 && (entry & PTE_P); level--)
		entry = ((u64 *)mfn_to_virt(entry_mfn(entry)))[page >> 9 * (level - 1) & 511];
	return entry;
}

/* What front sees as the frame of @pfn, and as the page of @mfn. */
static u64 p2m(pfn_t pfn)
{
	return ((u64 *)mfn_to_virt(entry_mfn(window_entry(1, pfn / 512))))[pfn % 512];
}

static u64 m2p(mfn_t mfn)
{
	u64 entry = window_entry(2, mfn / 512);

	cr_expect_eq(entry & ~PTE_ADDRESS, PTE_P | PTE_NX);
	return ((u64 *)mfn_to_virt(entry_mfn(entry)))[mfn % 512];
}

/* The page of the level-1 table that maps @pfn in front's linear map. */
static pfn_t linear_table(pfn_t pfn)
{
	u64 address = ELF_FILE_LINEAR + (pfn << PAGE_SHIFT), entry = mfn_to_paddr(FRONT->root);
	unsigned int level;

	for (level = 4; level > 1; level--)
		entry = ((u64 *)mfn_to_virt(entry_mfn(entry)))[address >> (3 + 9 * level) & 511];
	return m2p_table[entry_mfn(entry)];
}

/* Takes pages 0 to 511 out of front's linear map. */
static void unmap_chunk(void)
{
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_CLEAR, .count = 512,
					       .entry = linear_table(0) << PAGE_SHIFT };
	cr_assert_eq(batch_run(0, 1), 0);
}

static void create(void)
{
	pair_on(front);
	unmap_chunk();
}

Test(balloon, a_chunk_goes_and_comes_back)
{
	mfn_t mfn = domain_mfn(front, 0), again;
	unsigned int i;

	create();
	cr_expect(p2m(7) == mfn + 7 && m2p(mfn + 7) == 7);
	((u8 *)page_in(front, 7))[9] = 1;
	cr_expect_eq(hc_memory_release(FRONT, 0), 0);
	EXPECT_PAIR();
	cr_expect(front->owned_pages == 512 && front->pages == 2048 && memory_chunks_out == 3);
	for (i = 0; i < 512; i++) {
		cr_assert(p2m(i) == TORC_INVALID_FRAME && m2p(mfn + i) == TORC_INVALID_FRAME);
		cr_assert(!frame_table[mfn + i].owner && !frame_table[mfn + i].flags &&
			  m2p_table[mfn + i] == TORC_INVALID_FRAME);
	}
	cr_expect_eq(domain_mfn(front, 7), INVALID_MFN);
	cr_expect_eq(p2m(600), domain_mfn(front, 600), "the others stay");
	cr_expect_eq(hc_memory_release(BACK, 1536), TORC_ENOENT);
	cr_expect_eq(hc_memory_release(FRONT, 0), TORC_ENOENT);
	cr_expect_eq(hc_memory_populate(FRONT, 0), 0);
	EXPECT_PAIR();
	again = domain_mfn(front, 0);
	cr_expect(p2m(7) == again + 7 && m2p(again + 7) == 7);
	cr_expect_eq(((u8 *)page_in(front, 7))[9], 0, "zeroed");
	cr_expect_eq(hc_memory_release(FRONT, 0), 0);
}

Test(balloon, more_than_at_the_start)
{
	pfn_t pfn;

	for (pfn = 1024; pfn < 2048; pfn += 512) {
		cr_expect_eq(p2m(pfn + 5), TORC_INVALID_FRAME);
		cr_expect_eq(hc_memory_populate(FRONT, pfn), 0);
		EXPECT_PAIR();
		cr_expect_eq(p2m(pfn + 5), domain_mfn(front, pfn + 5));
		cr_expect_eq(m2p(domain_mfn(front, pfn + 5)), pfn + 5);
	}
	cr_expect_eq(front->owned_pages, 2048);
	cr_expect_eq(front->target_pages, 1024);
	cr_expect_eq(hc_memory_release(FRONT, 1024), 0);
}

Test(balloon, what_is_refused)
{
	u64 taken = 0;

	REFUSED(TORC_EINVAL, hc_memory_populate(FRONT, 1025));
	REFUSED(TORC_EINVAL, hc_memory_populate(FRONT, 2048));
	REFUSED(TORC_EINVAL, hc_memory_populate(FRONT, ~511ull));
	REFUSED(TORC_EBUSY, hc_memory_populate(FRONT, 512));
	REFUSED(TORC_EINVAL, hc_memory_release(FRONT, 1));
	REFUSED(TORC_ENOENT, hc_memory_release(FRONT, 1024));
	REFUSED(TORC_ENOENT, hc_memory_release(FRONT, 2048));
	REFUSED(TORC_ENOENT, hc_memory_release(FRONT, ~511ull));
	while (chunk_alloc() != INVALID_MFN)
		taken++;
	REFUSED(TORC_ENOMEM, hc_memory_populate(FRONT, 1024));
	memory_chunks_out -= taken;
}

/* Each use of a single page keeps its chunk. */
Test(balloon, a_chunk_that_is_used_stays)
{
	pfn_t table = linear_table(0);

	REFUSED(TORC_EBUSY, hc_memory_release(FRONT, 0));
	create();
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_SET,
					       .entry = entry_address(table, 511),
					       .value = mfn_to_paddr(mfn_of(511)) | PTE_P };
	cr_assert_eq(batch_run(0, 1), 0);
	REFUSED(TORC_EBUSY, hc_memory_release(FRONT, 0));
	unmap_chunk();
	cr_assert_eq(hc_grant_register(FRONT, 0, 0), 0);
	REFUSED(TORC_EBUSY, hc_memory_release(FRONT, 0));
	cr_assert_eq(hc_grant_register(FRONT, 0, INVALID_PFN), 0);
	cr_assert_eq(hc_batch_register(FRONT, 1, 100), 0);
	REFUSED(TORC_EBUSY, hc_memory_release(FRONT, 0));
	cr_assert_eq(hc_batch_register(FRONT, 1, INVALID_PFN), 0);
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_PIN, .value = 1,
					       .entry = 300 << PAGE_SHIFT };
	memset(page_of(300), 0, PAGE_SIZE);
	cr_assert_eq(batch_run(0, 1), 0);
	REFUSED(TORC_EBUSY, hc_memory_release(FRONT, 0));
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_UNPIN, .entry = 300 << PAGE_SHIFT };
	cr_assert_eq(batch_run(0, 1), 0);
	cr_expect_eq(hc_memory_release(FRONT, 0), 0);
}

/* A tree that is still falling is taken down first. */
Test(balloon, a_falling_tree_comes_first)
{
	unsigned int i;

	create();
	for (i = 0; i < 512; i++)
		page_of(300)[i] = mfn_to_paddr(mfn_of(600)) | PTE_P;
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_PIN, .value = 1,
					       .entry = 300 << PAGE_SHIFT };
	cr_assert_eq(batch_run(0, 1), 0);
	preempt_calls = 0;
	preempt_at = 10;
	preempt_always = true;
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_UNPIN, .entry = 300 << PAGE_SHIFT };
	cr_expect_eq(hc_batch(vcpu, 0, 1), TORC_EAGAIN);
	cr_expect_eq(hc_memory_release(FRONT, 0), TORC_EAGAIN);
	EXPECT_PAIR();
	preempt_at = 0;
	cr_expect_eq(hc_memory_release(FRONT, 0), 0);
	EXPECT_PAIR();
}

static u64 told;

static void other_cpu_forgets(u32 target __unused)
{
	told = p2m(7);
	cr_expect_eq(domain_mfn(front, 0) != INVALID_MFN, true, "it has not left yet");
	cpus[1].passes++;
}

Test(balloon, other_cpus_forget_first)
{
	create();
	bring_up(front, 1);
	front->vcpu[1]->cpu = &cpus[1];
	cpus[1].passes = 1;
	ipi_arrives = other_cpu_forgets;
	ipis = 0;
	cr_expect_eq(hc_memory_release(FRONT, 0), 0);
	cr_expect_eq(ipis, 1);
	cr_expect_eq(told, TORC_INVALID_FRAME);
	cpus[1].passes = 3;
	cr_expect_eq(hc_memory_populate(FRONT, 0), 0);
	cr_expect_eq(ipis, 2, "the window showed something else there");
	cr_expect_neq(told, TORC_INVALID_FRAME);
	front->vcpu[1]->cpu = NULL;
}

/* Nobody else sees whose memory it is now. */
Test(balloon, another_domain_gets_the_chunk)
{
	mfn_t mfn = domain_mfn(front, 0);

	create();
	cr_expect_eq(hc_memory_release(FRONT, 0), 0);
	cr_expect_eq(hc_memory_populate(BACK, 1024), 0);
	EXPECT_PAIR();
	cr_expect_eq(domain_mfn(back, 1024), mfn, "the last that came is the first to go");
	cr_expect_eq(m2p(mfn), TORC_INVALID_FRAME);
	cr_expect_eq(m2p_table[mfn], 1024);
}
