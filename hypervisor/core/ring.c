/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Ring pages: the one kind of memory that two domains see at once.
 *
 * A granted page is shown in the ring window of the domain that asks, whose tables are the
 * hypervisor's: a guest's own tables never hold a foreign frame. While it is shown, the frame has a
 * reference and a writable one, so it becomes no table, and its domain has a reference. When the
 * grant is taken back or its domain ends, the window shows the viewer's scratch page instead, and
 * all CPUs forget the old entry before these references go; so no guest faults because of what
 * another one does, and none keeps the memory of one that is gone. The slot stays taken until the
 * viewer gives it back.
 *
 * Slots, and the window's tables, are under the lock of the domain that sees them; frames under
 * that of the domain that owns them. Both are taken (domains_lock_pair()).
 */
#include "alloc.h"
#include "grant.h"
#include "hypercall.h"
#include "paging.h"

_Static_assert(sizeof(struct ring_slot) * TORC_RING_SLOTS == PAGE_SIZE, "slots fill a page");

static bool is_free(const struct ring_slot *slot)
{
	return !slot->owner && slot->pfn != RING_TAKEN_BACK;
}

/* Slots and scratch page, made when the first ring page is shown. */
static bool prepare(struct domain *domain)
{
	mfn_t slots;

	if (!domain->rings) {
		slots = page_alloc();
		if (slots == INVALID_MFN)
			return false;
		domain->rings = mfn_to_virt(slots);
	}
	if (domain->ring_scratch == INVALID_MFN)
		domain->ring_scratch = page_alloc();
	return domain->ring_scratch != INVALID_MFN;
}

static s64 show(struct domain *viewer, struct domain *owner, u64 grant)
{
	unsigned int i;
	pfn_t pfn;
	mfn_t mfn;
	int error;

	if (!prepare(viewer))
		return TORC_ENOMEM;
	for (i = 0; i < TORC_RING_SLOTS && !is_free(&viewer->rings[i]); i++)
		;
	if (i == TORC_RING_SLOTS)
		return TORC_ENOMEM;
	error = grant_look_up(owner, grant, viewer->id, TORC_GRANT_RING, &pfn) ?:
		page_find(owner, pfn, &mfn) ?: frame_get_writable(owner, mfn);
	if (error)
		return error;
	if (!window_show_ring(viewer, i, mfn)) {
		frame_put_writable(owner, mfn);
		return TORC_ENOMEM;
	}
	flush_tables(viewer); /* of the scratch page that an earlier use of the slot left */
	viewer->rings[i] = (struct ring_slot){ owner, grant, pfn };
	return i;
}

s64 hc_grant_map_ring(struct vcpu *vcpu, u64 id, u64 grant)
{
	struct domain *owner = domain_get(id);
	s64 result = TORC_ENOENT;

	if (!owner)
		return TORC_ENOENT;
	domains_lock_pair(vcpu->domain, owner);
	/* One that ends gives its rings up behind this lock. */
	if (!READ_ONCE(owner->ending))
		result = owner == vcpu->domain ? TORC_EINVAL : show(vcpu->domain, owner, grant);
	domains_drop_pair(vcpu->domain, owner);
	if (result < 0)
		domain_put(owner);
	return result;
}

/* Shows the scratch page in place of one that is taken back; the caller puts its domain. */
static void hide(struct domain *viewer, unsigned int i)
{
	struct ring_slot *slot = &viewer->rings[i];

	window_show_ring(viewer, i, viewer->ring_scratch);
	flush_vcpus(viewer, ~0ull);
	frame_put_writable(slot->owner, domain_mfn(slot->owner, slot->pfn));
	*slot = (struct ring_slot){ .pfn = RING_TAKEN_BACK };
}

/* The domain in slot @i, or @viewer when there is none; referenced. */
static struct domain *owner_get(struct domain *viewer, u64 i)
{
	struct domain *owner = viewer;

	lock_take(&viewer->lock);
	if (viewer->rings[i].owner)
		owner = viewer->rings[i].owner;
	owner = domain_get(owner->id);
	lock_drop(&viewer->lock);
	return owner;
}

static s64 unmap(struct domain *viewer, u64 i)
{
	struct domain *owner;
	bool shown, taken;

	if (i >= TORC_RING_SLOTS || !READ_ONCE(viewer->rings))
		return TORC_ENOENT;
	i = index_nospec(i, TORC_RING_SLOTS);
	owner = owner_get(viewer, i);
	domains_lock_pair(viewer, owner);
	/* Another vCPU, or the owner, may have been faster. */
	shown = viewer->rings[i].owner == owner;
	if (shown)
		hide(viewer, i);
	taken = viewer->rings[i].pfn == RING_TAKEN_BACK;
	if (taken)
		viewer->rings[i].pfn = 0;
	domains_drop_pair(viewer, owner);
	if (shown)
		domain_put(owner);
	domain_put(owner);
	return taken ? TORC_OK : TORC_ENOENT;
}

s64 hc_grant_unmap_ring(struct vcpu *vcpu, u64 slot)
{
	return unmap(vcpu->domain, slot);
}

static bool still_granted(const struct ring_slot *slot, const struct domain *viewer)
{
	pfn_t pfn;

	return !grant_look_up(slot->owner, slot->grant, viewer->id, TORC_GRANT_RING, &pfn) &&
	       pfn == slot->pfn;
}

static void revoke_from(struct domain *viewer, struct domain *owner, bool all)
{
	unsigned int i, hidden = 0;

	domains_lock_pair(viewer, owner);
	for (i = 0; viewer->rings && i < TORC_RING_SLOTS; i++)
		if (viewer->rings[i].owner == owner &&
		    (all || !still_granted(&viewer->rings[i], viewer))) {
			hide(viewer, i);
			hidden++;
		}
	domains_drop_pair(viewer, owner);
	while (hidden--)
		domain_put(owner);
}

void rings_revoke(struct domain *owner, bool all)
{
	struct domain *viewer;
	u64 id;

	for (id = 0; (viewer = domain_get_next(id)); id = viewer->id, domain_put(viewer))
		revoke_from(viewer, owner, all);
}

void rings_close(struct domain *domain)
{
	unsigned int i;

	for (i = 0; i < TORC_RING_SLOTS; i++)
		unmap(domain, i);
	rings_revoke(domain, true);
}
