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

static int release(struct domain *domain, pfn_t pfn)
{
	mfn_t first = domain_mfn(domain, pfn);

	if (!IS_ALIGNED(pfn, CHUNK_PAGES))
		return TORC_EINVAL;
	if (first == INVALID_MFN)
		return TORC_ENOENT;
	if (!unused(first))
		return TORC_EBUSY;
	windows_hide_chunk(domain, pfn);
	flush_tables(domain);
	domain_drop_chunk(domain, pfn);
	return TORC_OK;
}

s64 hc_memory_release(struct vcpu *vcpu, u64 page)
{
	struct domain *domain = vcpu->domain;
	int error = TORC_EAGAIN;

	lock_take(&domain->lock);
	if (table_settle(domain))
		error = release(domain, page);
	lock_drop(&domain->lock);
	return error;
}

static int populate(struct domain *domain, pfn_t pfn)
{
	if (!IS_ALIGNED(pfn, CHUNK_PAGES) || pfn >= domain->pages)
		return TORC_EINVAL;
	if (domain_mfn(domain, pfn) != INVALID_MFN)
		return TORC_EBUSY;
	if (!domain_add_chunk(domain, pfn))
		return TORC_ENOMEM;
	windows_show_chunk(domain, pfn);
	return TORC_OK;
}

s64 hc_memory_populate(struct vcpu *vcpu, u64 page)
{
	struct domain *domain = vcpu->domain;
	int error;

	lock_take(&domain->lock);
	error = populate(domain, page);
	lock_drop(&domain->lock);
	return error;
}
