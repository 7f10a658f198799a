/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Memory that a domain gives back and gets again, a chunk at a time: so a page of the mfn->pfn
 * window still speaks of one owner.
 *
 * A chunk leaves its domain only when nothing refers to any of its frames, the windows do not show
 * it any more, and every CPU has forgotten both.
 */
#include "cpu.h"
#include "hypercall.h"
#include "paging.h"

static bool unused(mfn_t first)
{
	unsigned int i;

	for (i = 0; i < CHUNK_PAGES; i++)
		if (frame_table[first + i].ref_count)
			return false;
	return true;
}

s64 hc_memory_release(struct vcpu *vcpu, u64 page)
{
	struct domain *domain = vcpu->domain;
	mfn_t first = domain_mfn(domain, page);

	if (!IS_ALIGNED(page, CHUNK_PAGES))
		return TORC_EINVAL;
	if (first == INVALID_MFN)
		return TORC_ENOENT;
	if (!table_settle(domain))
		return TORC_EAGAIN;
	if (!unused(first))
		return TORC_EBUSY;
	windows_hide_chunk(domain, page);
	flush_tables(domain);
	domain_drop_chunk(domain, page);
	return TORC_OK;
}

s64 hc_memory_populate(struct vcpu *vcpu, u64 page)
{
	struct domain *domain = vcpu->domain;

	if (!IS_ALIGNED(page, CHUNK_PAGES) || page >= domain->pages)
		return TORC_EINVAL;
	if (domain_mfn(domain, page) != INVALID_MFN)
		return TORC_EBUSY;
	if (!domain_add_chunk(domain, page))
		return TORC_ENOMEM;
	windows_show_chunk(domain, page);
	flush_tables(domain);
	return TORC_OK;
}
