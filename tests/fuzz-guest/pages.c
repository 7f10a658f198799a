/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Which pages there are, and what may happen to them.
 *
 * All but the arena, the roots, the chunks and this kernel's own tables are mapped writable a
 * second time: so the hypervisor refuses to make tables of them, whatever an operation says, and no
 * plain store of the kernel ever faults.
 */
#include "fuzz.h"

#define GUARD_BASE 0xffffa00000000000UL /* slot 320 */
#define LEAF (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_ACCESSED | TORC_PTE_DIRTY | TORC_PTE_NX)

uint64_t arena[ARENA_PAGES], roots[ROOTS], chunks[CHUNKS];
uint8_t hint[ARENA_PAGES];

static uint8_t *uses; /* enum use, by pfn */

bool page_exists(uint64_t pfn)
{
	return pfn < guest_start->pages;
}

enum use page_use(uint64_t pfn)
{
	return page_exists(pfn) ? uses[pfn] : USE_OWN;
}

bool page_writable(uint64_t pfn)
{
	return !page_exists(pfn) || page_use(pfn) == USE_ARENA || page_use(pfn) == USE_TABLE;
}

uint64_t arena_page(struct worker *worker)
{
	return arena[below(worker, ARENA_PAGES)];
}

/* The first chunk stays free of uses, so that it can go. */
uint64_t any_page(struct worker *worker)
{
	uint64_t pfn = below(worker, guest_start->pages);

	switch (below(worker, 8)) {
	case 0:
		return pfn - chunks[0] < CHUNK_PAGES ? arena[0] : pfn;
	case 1:
		return guest_root >> TORC_PAGE_SHIFT;
	case 2:
		return roots[below(worker, ROOTS)];
	case 3:
		return chunks[CHUNKS - 1] + below(worker, CHUNK_PAGES);
	case 4:
		return guest_start->pages + below(worker, 1024);
	default:
		return arena_page(worker);
	}
}

uint64_t own_entry(uint64_t address, uint32_t level)
{
	return guest_entry(guest_start->root, address, level);
}

/* Marks a table and all below it. */
static void mark_tables(uint64_t table, uint32_t level)
{
	uint64_t entry;
	uint32_t i;

	uses[table >> TORC_PAGE_SHIFT] = level == 4 ? USE_ROOT : USE_TABLE;
	for (i = 0; level > 1 && i < ENTRIES; i++) {
		entry = guest_entry_read(table + i * 8);
		if (entry & TORC_PTE_PRESENT)
			mark_tables(entry & TORC_PTE_FRAME, level - 1);
	}
}

/* Chunks that nothing of this kernel or the builder is in, from the top of memory down. */
static void find_chunks(uint64_t used_end)
{
	uint64_t boot_end = guest_start->boot_first + guest_start->boot_pages;
	uint64_t pfn = guest_start->pages;
	uint32_t i, found = 0;

	while (found < CHUNKS) {
		pfn -= CHUNK_PAGES;
		if (pfn < used_end)
			guest_crash("too little memory", NULL);
		if (pfn < boot_end && pfn + CHUNK_PAGES > guest_start->boot_first)
			continue;
		chunks[found++] = pfn;
		for (i = 0; i < CHUNK_PAGES; i++)
			uses[pfn + i] = USE_CHUNK;
	}
}

/* The tables come first: a page that is mapped twice cannot become one. Tables refuse. */
static void map_all_twice(void)
{
	uint64_t pfn;

	for (pfn = 0; pfn < guest_start->pages; pfn += ENTRIES)
		guest_map(GUARD_BASE + pfn * TORC_PAGE_SIZE, arena[0], TORC_PTE_PRESENT);
	for (pfn = 0; pfn < guest_start->pages; pfn++)
		guest_map(GUARD_BASE + pfn * TORC_PAGE_SIZE, pfn, LEAF);
}

/* What is not the kernel's own needs no guard; what is must have it. */
static void check_guards(void)
{
	uint64_t pfn, entry;

	for (pfn = 0; pfn < guest_start->pages; pfn++) {
		entry = guest_entry(guest_root, GUARD_BASE + pfn * TORC_PAGE_SIZE, 1);
		if (uses[pfn] != USE_OWN)
			guest_op(TORC_OP_CLEAR, entry, 0);
		else if (!(guest_entry_read(entry) & TORC_PTE_WRITE))
			guest_crash("cannot map a page twice", NULL);
	}
}

static void ignore_failed(const struct torc_batch_op *op)
{
	(void)op;
}

void pages_begin(void)
{
	uint32_t i;
	uint8_t *memory;

	uses = guest_pages((guest_start->pages + TORC_PAGE_SIZE - 1) / TORC_PAGE_SIZE);
	memory = guest_pages(ARENA_PAGES);
	for (i = 0; i < ARENA_PAGES; i++) {
		arena[i] = (guest_linear_gpa(memory) >> TORC_PAGE_SHIFT) + i;
		uses[arena[i]] = USE_ARENA;
	}
	guest_queue.failed = ignore_failed;
	find_chunks(guest_page() + guest_start->pages / ENTRIES + 256);
	map_all_twice();
	/* With the slot of the second mapping in them. */
	for (i = 0; i < ROOTS; i++) {
		roots[i] = guest_new_root() >> TORC_PAGE_SHIFT;
		uses[roots[i]] = USE_ROOT;
	}
	mark_tables(guest_root, 4);
	check_guards();
}

static void store_entries(void *argument)
{
	struct worker *worker = argument;
	uint64_t pfn = worker->values[0], *page = guest_linear(pfn << TORC_PAGE_SHIFT);
	uint32_t level = worker->values[1], i;

	memset(page, 0, TORC_PAGE_SIZE);
	for (i = 0; i < worker->values[2]; i++)
		page[below(worker, ENTRIES)] = make_entry(worker, level);
}

void scribble(struct worker *worker, uint64_t pfn)
{
	worker->values[0] = pfn;
	worker->values[1] = 1 + below(worker, 4);
	worker->values[2] = once_in(worker, 3) ? below(worker, 8) : 0;
	guest_probe(store_entries, worker); /* it faults if the page is a table */
}
