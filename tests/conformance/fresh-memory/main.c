/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Memory shows nothing of whoever had it before.
 *
 * Attack: a new domain reads all of its memory before it uses any.
 * Vulnerable: it finds what another domain or the boot loader left there.
 * Fixed: every page that the builder did not fill is zero, and so are the pages that it filled in
 * part, behind what it put there.
 */
#include "conformance.h"

extern char guest_image_start[], guest_image_end[];

static bool is_zero(const uint64_t *words, uint64_t from)
{
	for (; from < TORC_PAGE_SIZE / 8; from++)
		if (words[from])
			return false;
	return true;
}

/* row: fresh-memory */
void test_main(void)
{
	uint64_t batch = page_of(guest_queue.area), pfn, checked = 0;
	const struct torc_start *start = guest_start;

	for (pfn = 0; pfn < start->pages; pfn++) {
		if (pfn >= guest_image_gpa(guest_image_start) >> 12 &&
		    pfn < guest_image_gpa(guest_image_end) >> 12)
			continue;
		if (pfn >= start->boot_first && pfn < start->boot_first + start->boot_pages)
			continue;
		if (pfn >= batch && pfn < batch + TORC_BATCH_PAGES)
			continue;
		checked++;
		if (!is_zero(guest_linear(pfn << 12), 0)) {
			FAILURE("page 0x%lx is not zero", pfn);
			return;
		}
	}
	CHECK(checked > start->pages / 2, "only %lu pages of %lu looked at", checked, start->pages);
	CHECK(is_zero((const uint64_t *)start, (start->size + 7) / 8),
	      "behind the start-of-day page");
	CHECK(is_zero(guest_linear(start->time_page << 12), sizeof(struct torc_time) / 8),
	      "behind the time page");
	CHECK(is_zero(guest_linear(start->console_ring << 12),
		      sizeof(struct torc_console_ring) / 8),
	      "behind the console ring");
}
