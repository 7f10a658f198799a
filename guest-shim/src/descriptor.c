/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * Descriptors and entry points: loops around their hypercalls.
 */
#include <torc/descriptor.h>

#define LDT_ENTRIES_PER_PAGE 512

int64_t torc_ldt_set(const uint64_t *pfns, uint32_t entries)
{
	uint32_t page = 0;
	uint32_t part;
	int64_t result;

	if (entries == 0)
		return torc_ldt_load(0, TORC_INVALID_FRAME, 0);
	for (; entries; entries -= part, page++) {
		part = entries < LDT_ENTRIES_PER_PAGE ? entries : LDT_ENTRIES_PER_PAGE;
		result = torc_ldt_load(page, pfns[page], part);
		if (result < 0)
			return result;
	}
	return TORC_OK;
}

int64_t torc_entries(const uint64_t addresses[TORC_ENTRY_COUNT])
{
	uint64_t kind;
	int64_t result;

	for (kind = 0; kind < TORC_ENTRY_COUNT; kind++) {
		result = torc_set_entry(kind, addresses[kind]);
		if (result < 0)
			return result;
	}
	return TORC_OK;
}
