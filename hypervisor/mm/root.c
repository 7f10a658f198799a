/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Roots. The gate region is private to a vCPU though its address is the same for all, so each vCPU
 * walks a level-4 table of its own: a copy of the guest's, whose slots 256..271 are the
 * hypervisor's. The copies are a direct-mapped cache, filled when a root is loaded and changed in
 * step with the guest's table. All caches together are limited to a share of the machine's memory;
 * beyond it a vCPU has one copy of its own and takes turns with it.
 */
#include "alloc.h"
#include "lib.h"
#include "paging.h"

#define SLOT_TIME	257 /* and the windows behind it */
#define SLOT_RINGS	260 /* the last of them, and the only one that is written */
#define COPIES_SHARE	512 /* of the RAM; each vCPU's first copy comes on top */

static u64 copies; /* of all vCPUs */

static struct root_copy *copy_slot(struct vcpu *vcpu, mfn_t mfn)
{
	return &vcpu->roots[mfn % ROOT_COPIES];
}

static void fill(struct vcpu *vcpu, u64 *copy, mfn_t source)
{
	unsigned int i;

	memcpy(copy, mfn_to_virt(source), PAGE_SIZE);
	copy[TORC_SLOT_FIRST] = mfn_to_paddr(vcpu->gate[GATE_FRAME_L3]) | PTE_P | PTE_W;
	for (i = 0; i < ARRAY_SIZE(vcpu->domain->windows_l3); i++)
		copy[SLOT_TIME + i] = mfn_to_paddr(vcpu->domain->windows_l3[i]) | PTE_P;
	copy[SLOT_RINGS] |= PTE_W;
}

static mfn_t alloc_copy(struct vcpu *vcpu)
{
	mfn_t mfn;

	if (vcpu->root_copies &&
	    __atomic_load_n(&copies, __ATOMIC_RELAXED) >= alloc_ram_pages() / COPIES_SHARE)
		return INVALID_MFN;
	mfn = page_alloc();
	if (mfn != INVALID_MFN) {
		__atomic_fetch_add(&copies, 1, __ATOMIC_RELAXED);
		vcpu->root_copies++;
	}
	return mfn;
}

bool root_prepare(struct vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < ROOT_COPIES; i++)
		vcpu->roots[i] = (struct root_copy){ INVALID_MFN, INVALID_MFN };
	vcpu->roots[0].copy = alloc_copy(vcpu);
	return vcpu->roots[0].copy != INVALID_MFN;
}

void root_free_copies(struct vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; vcpu->roots && i < ROOT_COPIES; i++) {
		if (vcpu->roots[i].copy != INVALID_MFN)
			page_free(vcpu->roots[i].copy);
		vcpu->roots[i] = (struct root_copy){ INVALID_MFN, INVALID_MFN };
	}
	__atomic_fetch_sub(&copies, vcpu->root_copies, __ATOMIC_RELAXED);
	vcpu->root_copies = 0;
}

/* A slot whose frame cannot be had takes that of the next one that has any, round the cache. */
static mfn_t take_copy(struct vcpu *vcpu, struct root_copy *slot)
{
	unsigned int i;
	mfn_t mfn;

	for (i = 1; i < ROOT_COPIES; i++) {
		struct root_copy *other = &vcpu->roots[(slot - vcpu->roots + i) % ROOT_COPIES];

		mfn = other->copy;
		if (mfn != INVALID_MFN) {
			*other = (struct root_copy){ INVALID_MFN, INVALID_MFN };
			return mfn;
		}
	}
	return INVALID_MFN;
}

/* Makes @slot the copy of @vcpu's root; false when there is no frame for it. */
static bool refill(struct vcpu *vcpu, struct root_copy *slot)
{
	if (slot->copy == INVALID_MFN)
		slot->copy = alloc_copy(vcpu);
	if (slot->copy == INVALID_MFN)
		slot->copy = take_copy(vcpu, slot);
	if (slot->copy == INVALID_MFN)
		return false;
	fill(vcpu, mfn_to_virt(slot->copy), vcpu->root);
	slot->source = vcpu->root;
	return true;
}

paddr_t root_copy_of(struct vcpu *vcpu)
{
	struct root_copy *slot = copy_slot(vcpu, vcpu->root);
	bool ready = READ_ONCE(slot->source) == vcpu->root;

	/* If it is, it stays so: the vCPU holds the root. */
	if (!ready) {
		lock_take(&vcpu->domain->lock);
		ready = refill(vcpu, slot);
		lock_drop(&vcpu->domain->lock);
	}
	return ready ? mfn_to_paddr(slot->copy) : INVALID_PADDR;
}

int root_load(struct vcpu *vcpu, mfn_t mfn)
{
	mfn_t old = vcpu->root;
	int error;

	if (mfn == old)
		return 0;
	if (!table_settle(vcpu->domain))
		return STOPPED;
	error = table_get(vcpu->domain, mfn, 4);
	if (error)
		return error;
	vcpu->root = mfn;
	vcpu->domain->linear_root = mfn;
	if (old != INVALID_MFN)
		table_release(vcpu->domain, old);
	return 0;
}

/* The copy of table @mfn that vCPU @i of @domain has, or NULL. */
static struct root_copy *copy_in(struct domain *domain, unsigned int i, mfn_t mfn)
{
	struct root_copy *slot = domain->vcpu[i] ? copy_slot(domain->vcpu[i], mfn) : NULL;

	return slot && slot->source == mfn ? slot : NULL;
}

void root_update(struct domain *domain, mfn_t mfn, unsigned int index, u64 entry)
{
	struct root_copy *slot;
	unsigned int i;

	/* There the guest's table holds zero and always will, but the copy holds the gate. */
	if (index >= TORC_SLOT_FIRST && index <= TORC_SLOT_LAST)
		return;
	for (i = 0; i < domain->vcpu_count; i++) {
		slot = copy_in(domain, i, mfn);
		if (slot)
			((u64 *)mfn_to_virt(slot->copy))[index] = entry;
	}
}

void root_forget(struct domain *domain, mfn_t mfn)
{
	struct root_copy *slot;
	unsigned int i;

	for (i = 0; i < domain->vcpu_count; i++) {
		slot = copy_in(domain, i, mfn);
		if (slot)
			slot->source = INVALID_MFN;
	}
}
