/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The census: which privileged instructions were emulated, where, and how often.
 */
#include "console.h"
#include "instruction.h"
#include "log.h"

void census_count(struct domain *domain, u16 instruction, u64 rip)
{
	struct census_entry *entry = domain->census, *end = entry + domain->census_used;

	while (entry < end && (entry->rip != rip || entry->instruction != instruction))
		entry++;
	if (entry == &domain->census[CENSUS_ENTRIES]) {
		entry--; /* it stands for all that find no place */
		rip = instruction = 0;
	} else if (entry == end) {
		domain->census_used++;
	}
	*entry = (struct census_entry){
		.rip = rip, .count = entry->count + 1, .instruction = instruction
	};
}

/** census_log - prints the census of @domain, if there is anything in it */
void census_log(const struct domain *domain)
{
	u32 i;

	for (i = 0; i < domain->census_used; i++)
		log("domain %u %s census: %u x %s at %016lx", domain->id, domain->name,
		    domain->census[i].count, instruction_names[domain->census[i].instruction],
		    domain->census[i].rip);
}
