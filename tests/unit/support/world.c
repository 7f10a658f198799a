/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "doubles.h"
#include "timer.h"
#include "world.h"

#define FIRST_HYPERVISOR_PAGE 16

struct domain *domain, *foreign;
struct vcpu *vcpu;

static u64 counters[TORC_COUNTERS];
static struct root_copy roots[ROOT_COPIES];
static struct gate_desc desc;
static u32 directory[ENTRIES], foreign_directory[ENTRIES];
static u32 *chunks[ENTRIES], *foreign_chunks[ENTRIES];

static void *zeroed(size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (!memory)
		abort();
	return memory;
}

static void give_chunk(struct domain *to, u64 chunk)
{
	mfn_t mfn = chunk * CHUNK_PAGES;
	unsigned int i;

	to->chunks[0][to->pages / CHUNK_PAGES] = (u32)chunk;
	for (i = 0; i < CHUNK_PAGES; i++) {
		frame_table[mfn + i] = (struct frame){ .owner = to->id };
		m2p_table[mfn + i] = to->pages + i;
	}
	to->pages += CHUNK_PAGES;
}

static struct domain *make_domain(u16 id, u32 **top, u32 *second)
{
	struct domain *made = zeroed(sizeof(*made));

	made->id = id;
	made->references = 1;
	made->counters = counters;
	made->ring_scratch = INVALID_MFN;
	for (unsigned int i = 0; i < TORC_GRANT_PAGES; i++)
		made->grant_pfn[i] = INVALID_PFN;
	snprintf(made->name, sizeof(made->name), "d%u", id);
	memset(second, 0, PAGE_SIZE / 2);
	top[0] = second;
	made->chunks = top;
	made->linear_base = LINEAR_BASE;
	made->linear_root = INVALID_MFN;
	made->orphan = INVALID_MFN;
	return made;
}

static struct vcpu *make_vcpu(void)
{
	struct vcpu *made = zeroed(sizeof(*made));
	unsigned int i;

	made->domain = domain;
	made->root = INVALID_MFN;
	made->timer_deadline = TIMER_NEVER;
	made->desc = &desc;
	made->regs = zeroed(sizeof(*made->regs));
	made->gate[GATE_FRAME_L3] = 1;
	made->roots = roots;
	for (i = 0; i < ROOT_COPIES; i++)
		roots[i] = (struct root_copy){ INVALID_MFN, INVALID_MFN };
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		made->batch_pfn[i] = INVALID_PFN;
	return made;
}

static void drop_world(void)
{
	free(vcpu->regs);
	free(vcpu);
	free(domain);
	free(foreign);
	free(frame_table);
	free(m2p_table);
}

void world_create(void)
{
	unsigned int i;

	if (domain)
		drop_world();
	arena_create(WORLD_FRAMES * (u64)PAGE_SIZE);
	memory_give(FIRST_HYPERVISOR_PAGE, CHUNK_PAGES - FIRST_HYPERVISOR_PAGE, 0, 0);
	arena_forbid(0, CHUNK_PAGES);
	arena_forbid(CHUNK_PAGES, CHUNK_PAGES);
	frame_count = WORLD_FRAMES;
	frame_table = zeroed(frame_count * sizeof(*frame_table));
	m2p_table = zeroed(frame_count * sizeof(*m2p_table));
	memset(m2p_table, 0xff, frame_count * sizeof(*m2p_table));

	domain = make_domain(1, chunks, directory);
	foreign = make_domain(2, foreign_chunks, foreign_directory);
	give_chunk(foreign, 1);
	give_chunk(domain, 3);
	give_chunk(domain, 2);
	memset(page_of(0), 0, CHUNK_SIZE);
	memset(page_of(CHUNK_PAGES), 0, CHUNK_SIZE);
	for (i = 0; i < ARRAY_SIZE(domain->windows_l3); i++)
		domain->windows_l3[i] = 5 + i;

	vcpu = make_vcpu();
	domain->vcpu[0] = vcpu;
	domain->vcpu_count = 1;
	vcpu->page_pfn = VCPU_PAGE_PFN;
	vcpu->page = (struct torc_vcpu_page *)page_of(VCPU_PAGE_PFN);
	if (frame_get_writable(domain, mfn_of(VCPU_PAGE_PFN)))
		abort();
}

void world_map_linear(void)
{
	pfn_t pfn;

	plain(LINEAR_L4, LINEAR_SLOT, entry_of(LINEAR_L3, TABLE));
	plain(LINEAR_L3, 0, entry_of(LINEAR_L2, TABLE));
	plain(LINEAR_L2, 0, entry_of(LINEAR_L1, TABLE));
	plain(LINEAR_L2, 1, entry_of(LINEAR_L1 + 1, TABLE));
	for (pfn = 0; pfn < WORLD_PAGES; pfn++) {
		bool table = pfn >= LINEAR_L1;

		plain(LINEAR_L1 + pfn / ENTRIES, pfn % ENTRIES,
		      entry_of(pfn, (table ? RO : RW) & ~PTE_U) | PTE_NX);
		if (table)
			frame_of(pfn)->flags |= FRAME_LINEAR_RO;
	}
	if (table_pin(domain, mfn_of(LINEAR_L4), 4) || root_load(vcpu, mfn_of(LINEAR_L4)))
		abort();
}

mfn_t mfn_of(pfn_t pfn)
{
	return domain_mfn(domain, pfn);
}

u64 *page_of(pfn_t pfn)
{
	return mfn_to_virt(mfn_of(pfn));
}

struct frame *frame_of(pfn_t pfn)
{
	return &frame_table[mfn_of(pfn)];
}

u64 entry_of(pfn_t pfn, u64 bits)
{
	return mfn_to_paddr(mfn_of(pfn)) | bits;
}

u64 *linear_entry_of(pfn_t pfn)
{
	return &page_of(LINEAR_L1 + pfn / ENTRIES)[pfn % ENTRIES];
}

void plain(pfn_t table, unsigned int index, u64 entry)
{
	page_of(table)[index] = entry;
}

void world_create_emulated(void)
{
	static struct census_entry census[CENSUS_ENTRIES];

	world_create();
	world_map_linear();
	memset(census, 0, sizeof(census));
	domain->census = census;
	cpu_features.xsave = true;
	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE;
	test_cr4 = CR4_PAE | CR4_OSXSAVE | CR4_FSGSBASE | CR4_SMEP | CR4_UMIP;
}

void world_leave_falling(pfn_t pfn, int level)
{
	cr_assert_eq(table_pin(domain, mfn_of(pfn), level), 0);
	preempt_calls = 0;
	preempt_at = 2;
	preempt_always = true;
	cr_assert_eq(table_unpin(domain, mfn_of(pfn)), 0);
	cr_assert_eq(domain->orphan, mfn_of(pfn));
}
