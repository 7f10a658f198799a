/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * Pages and page tables. Pages are given out from behind the image upward, past what the builder
 * made and the initrd; the linear map shows all of them.
 */
#include "guest.h"

#define ENTRY_BYTES 8
#define ENTRIES	    512

const struct torc_start *guest_start;
uint64_t guest_root;
static uint64_t next_page;

extern char guest_image_end[];

static void operation_failed(const struct torc_batch_op *op)
{
	printf("guest: batch operation %u on 0x%lx: status %d\n", op->op, op->entry, op->status);
}

/* The first page at or above @pfn from which @count pages are free. */
static uint64_t skip_used(uint64_t pfn, uint64_t count)
{
	uint64_t boot_end = guest_start->boot_first + guest_start->boot_pages;
	uint64_t initrd = guest_start->initrd >> TORC_PAGE_SHIFT;
	uint64_t initrd_end =
		(guest_start->initrd + guest_start->initrd_size + TORC_PAGE_SIZE - 1) >>
		TORC_PAGE_SHIFT;
	uint64_t before;

	do {
		before = pfn;
		if (pfn < boot_end && pfn + count > guest_start->boot_first)
			pfn = boot_end;
		if (guest_start->initrd_size && pfn < initrd_end && pfn + count > initrd)
			pfn = initrd_end;
	} while (pfn != before);
	return pfn;
}

void *guest_pages(uint32_t count)
{
	static struct guest_lock lock;
	uint64_t pfn;
	void *memory;

	guest_lock(&lock);
	pfn = skip_used(next_page, count);
	next_page = pfn + count;
	guest_unlock(&lock);
	memory = guest_linear(pfn << TORC_PAGE_SHIFT);
	if (pfn + count > guest_start->pages)
		guest_crash("out of memory", NULL);
	return memset(memory, 0, (size_t)count * TORC_PAGE_SIZE);
}

uint64_t guest_page(void)
{
	return guest_linear_gpa(guest_pages(1)) >> TORC_PAGE_SHIFT;
}

void guest_memory_begin(void);
void guest_queue_begin(void *area);

void guest_memory_begin(void)
{
	torc_machine_frames = guest_start->machine_frames;
	guest_root = guest_start->root;
	next_page = guest_image_gpa(guest_image_end) >> TORC_PAGE_SHIFT;
}

void guest_queue_begin(void *area)
{
	uint64_t pfns[TORC_BATCH_PAGES];
	uint32_t i;

	for (i = 0; i < TORC_BATCH_PAGES; i++)
		pfns[i] = (guest_linear_gpa(area) >> TORC_PAGE_SHIFT) + i;
	if (torc_queue_setup(&guest_queue, area, pfns, TORC_BATCH_PAGES, 0, operation_failed) < 0)
		guest_crash("cannot register the batch area", NULL);
}

uint64_t guest_entry_read(uint64_t entry)
{
	return torc_pte_read(torc_queue_read(&guest_queue, guest_linear(entry), entry));
}

uint64_t guest_entry(uint64_t root, uint64_t address, uint32_t level)
{
	uint64_t table = root;
	uint64_t entry;
	uint32_t at;

	for (at = 4;; at--) {
		entry = table +
			(address >> (TORC_PAGE_SHIFT + 9 * (at - 1))) % ENTRIES * ENTRY_BYTES;
		if (at == level)
			return entry;
		table = guest_entry_read(entry);
		if (!(table & TORC_PTE_PRESENT))
			return 0;
		table &= TORC_PTE_FRAME;
	}
}

int64_t guest_op(uint8_t op, uint64_t entry, uint64_t value)
{
	return torc_queue_now(&guest_queue, op, entry, value, NULL, 1);
}

int64_t guest_map(uint64_t address, uint64_t pfn, uint64_t bits)
{
	uint64_t entry;
	int64_t status;
	uint32_t level;

	for (level = 4; level > 1; level--) {
		entry = guest_entry(guest_root, address, level);
		if (guest_entry_read(entry) & TORC_PTE_PRESENT)
			continue;
		status = guest_op(TORC_OP_SET, entry, torc_pte_make(guest_page(), TORC_PTE_TABLE));
		if (status != TORC_OK)
			return status;
	}
	entry = guest_entry(guest_root, address, 1);
	return guest_op(TORC_OP_SET, entry, torc_pte_make(pfn, bits));
}

uint64_t guest_new_root(void)
{
	uint64_t root = guest_page() << TORC_PAGE_SHIFT;
	const uint64_t *from = guest_linear(guest_root);
	uint64_t *to = guest_linear(root);
	uint32_t slot;

	for (slot = TORC_SLOT_LAST + 1; slot < ENTRIES; slot++)
		to[slot] = from[slot];
	return root;
}
