/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Grants, and the copies between domains that they allow.
 *
 * A copy runs under the locks of both domains: then neither frame can change owner or type, the
 * mapping of pfns stands still, and whoever takes a grant back need only get its own lock once to
 * know that no copy with the old grant goes on (grant_settle). The word of a grant is read once and
 * checked as a copy.
 *
 * Any domain may name any other, so nobody waits for one lock while holding the other: a domain
 * whose own lock is busy would keep that one from its tables.
 *
 * Locks are kept over operations that name the same two domains, up to RUN of them.
 */
#include "area.h"
#include "grant.h"
#include "hypercall.h"
#include "lib.h"
#include "observe.h"
#include "paging.h"

#define RUN (PREEMPT_INTERVAL / AREA_WORK) /* copies before locks are let go */

void domains_lock_pair(struct domain *a, struct domain *b)
{
	struct domain *busy;

	for (lock_take(&a->lock); a != b && !lock_try(&b->lock); lock_take(&a->lock)) {
		lock_drop(&a->lock);
		busy = b;
		b = a;
		a = busy;
	}
}

void domains_drop_pair(struct domain *a, struct domain *b)
{
	lock_drop(&a->lock);
	if (a != b)
		lock_drop(&b->lock);
}

inline int grant_look_up(const struct domain *owner, u64 number, u16 user, u64 access, pfn_t *pfn)
{
	const u64 *page;
	u64 grant;

	if (number >= TORC_GRANT_PAGES * TORC_GRANTS_PER_PAGE)
		return TORC_ENOENT;
	number = index_nospec(number, TORC_GRANT_PAGES * TORC_GRANTS_PER_PAGE);
	if (owner->grant_pfn[number / TORC_GRANTS_PER_PAGE] == INVALID_PFN)
		return TORC_ENOENT;
	page = mfn_to_virt(domain_mfn(owner, owner->grant_pfn[number / TORC_GRANTS_PER_PAGE]));
	grant = READ_ONCE(page[number % TORC_GRANTS_PER_PAGE]);
	if (grant >> TORC_GRANT_DOMAIN_SHIFT != user || !(grant & access) || grant & 8)
		return TORC_EPERM;
	*pfn = grant >> TORC_GRANT_PFN_SHIFT & TORC_GRANT_PFN_MASK;
	return 0;
}

s64 hc_grant_register(struct vcpu *vcpu, u64 index, u64 page)
{
	return page_register(vcpu->domain, vcpu->domain->grant_pfn, TORC_GRANT_PAGES, index, page);
}

s64 hc_grant_settle(struct vcpu *vcpu, u64 rings)
{
	if (rings > 1)
		return TORC_EINVAL;
	lock_take(&vcpu->domain->lock);
	lock_drop(&vcpu->domain->lock);
	if (rings)
		rings_revoke(vcpu->domain, false);
	return TORC_OK;
}

/* The two domains of an operation, referenced and locked. */
struct parties {
	u32 source_id, target_id;
	struct domain *source, *target; /* NULL: none are held */
	unsigned int left; /* operations before they are let go */
	u64 copied; /* bytes, in the whole batch */
};

static void parties_drop(struct parties *parties)
{
	if (!parties->source)
		return;
	domains_drop_pair(parties->source, parties->target);
	domain_put(parties->source);
	domain_put(parties->target);
}

static int parties_take(struct parties *parties, const struct vcpu *vcpu,
			const struct torc_copy_op *op)
{
	u32 own = vcpu->domain->id;

	if (parties->source && parties->source_id == op->source_domain &&
	    parties->target_id == op->target_domain && --parties->left)
		return 0;
	parties_drop(parties);
	parties->source_id = op->source_domain;
	parties->target_id = op->target_domain;
	parties->source = domain_get(op->source_domain ? op->source_domain : own);
	parties->target = domain_get(op->target_domain ? op->target_domain : own);
	if (parties->source && parties->target) {
		domains_lock_pair(parties->source, parties->target);
		parties->left = RUN;
		return 0;
	}
	if (parties->source)
		domain_put(parties->source);
	if (parties->target)
		domain_put(parties->target);
	parties->source = NULL;
	return TORC_ENOENT;
}

/* One side of a copy: the frame that page or grant @number of @domain leads to. */
static inline int side(const struct vcpu *vcpu, const struct domain *domain, bool granted,
		       u32 number, u64 access, mfn_t *mfn)
{
	pfn_t pfn = number;
	int error = granted ? grant_look_up(domain, number, vcpu->domain->id, access, &pfn) : 0;

	return error ? error : page_find(domain, pfn, mfn);
}

static bool copy_allowed(const struct torc_copy_op *op)
{
	return !op->flags && !op->reserved0 && !op->reserved1 && !op->reserved2 && op->bytes &&
	       op->source_offset + op->bytes <= PAGE_SIZE &&
	       op->target_offset + op->bytes <= PAGE_SIZE;
}

static int copy(struct vcpu *vcpu, void *context, void *operation)
{
	const struct torc_copy_op *op = operation;
	struct parties *parties = context;
	mfn_t from, to;
	int error;

	if (!copy_allowed(op))
		return TORC_EINVAL;
	error = parties_take(parties, vcpu, op) ?:
		side(vcpu, parties->source, op->source_domain, op->source, TORC_GRANT_READ,
		     &from) ?:
		side(vcpu, parties->target, op->target_domain, op->target, TORC_GRANT_WRITE, &to);
	if (error)
		return error;
	memmove((u8 *)mfn_to_virt(to) + op->target_offset,
		(u8 *)mfn_to_virt(from) + op->source_offset, op->bytes);
	parties->copied += op->bytes;
	return 0;
}

s64 hc_grant_copy(struct vcpu *vcpu, u64 first, u64 operations)
{
	struct parties parties = { .source = NULL };
	s64 result = area_run(vcpu, first, operations, copy, &parties);

	parties_drop(&parties);
	count(vcpu->domain, TORC_COUNTER_COPIED, parties.copied);
	return result;
}
