/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "grant.h"
#include "layout.h"
#include "lib.h"
#include "recount.h"

#define RINGS_SLOT (TORC_SLOT_FIRST + 4)

static const struct domain *domain;
static struct uses *uses;
static char wrong[256];

#define WRONG(...) (snprintf(wrong, sizeof(wrong), __VA_ARGS__), wrong)

/* A reference on @mfn, of type @type or of none (FRAME_NONE). */
static const char *use(mfn_t mfn, u8 type, const char *what)
{
	if (mfn >= frame_count || frame_table[mfn].owner != domain->id)
		return WRONG("%s uses frame %lx, which is not the domain's", what, mfn);
	uses[mfn].all++;
	if (type == FRAME_NONE)
		return NULL;
	if (uses[mfn].typed++ && uses[mfn].type != type)
		return WRONG("frame %lx is used as type %u and, by %s, as type %u", mfn,
			     uses[mfn].type, what, type);
	uses[mfn].type = type;
	return NULL;
}

/* A page that the hypervisor may write to, if there is one. */
static const char *use_page(pfn_t pfn, const char *what)
{
	if (pfn == INVALID_PFN)
		return NULL;
	return use(domain_mfn(domain, pfn), FRAME_WRITABLE, what);
}

static const char *audit_entry(u64 entry, unsigned int level, unsigned int index)
{
	mfn_t mfn = entry_mfn(entry);

	if (level == 4 && entry && index >= TORC_SLOT_FIRST && index <= TORC_SLOT_LAST)
		return WRONG("slot %u of a root holds %lx", index, entry);
	if (!(entry & PTE_P)) {
		mfn &= cpu_features.frame_mask;
		if (mfn != 0 && mfn < frame_count)
			return WRONG("a non-present entry names memory: %lx", entry);
		return NULL;
	}
	if (entry & (PTE_PWT | PTE_PCD | PTE_PAT | TORC_PTE_HYPERVISOR))
		return WRONG("an entry of level %u has reserved bits: %lx", level, entry);
	if (level == 1 && (entry & PTE_G))
		return WRONG("an entry is global: %lx", entry);
	if (level > 1)
		return use(mfn, level - 1, "a table entry");
	return use(mfn, entry & PTE_W ? FRAME_WRITABLE : FRAME_NONE, "a mapping");
}

/* A table that is half-way has references for its first entries only. */
static const char *audit_table(mfn_t mfn)
{
	const struct frame *frame = &frame_table[mfn];
	unsigned int i, end = frame->flags & FRAME_PARTIAL ? frame->progress : ENTRIES;
	const u64 *table = mfn_to_virt(mfn);
	const char *problem = NULL;

	for (i = 0; i < end && !problem; i++)
		if (table[i])
			problem = audit_entry(table[i], frame->type, i);
	if (!problem && (frame->flags & FRAME_PINNED))
		problem = use(mfn, frame->type, "a pin");
	/* One that climbs, or did not get up, is held by whoever comes back to it. */
	if (!problem && (frame->flags & FRAME_PARTIAL) && mfn != domain->orphan &&
	    (!(frame->flags & FRAME_FALLING) || frame->error))
		problem = use(mfn, frame->type, "whoever finishes it");
	return problem;
}

static const char *audit_copy(const struct vcpu *holder, const struct root_copy *slot)
{
	const u64 *copy, *source;
	unsigned int i;

	if (slot->source == INVALID_MFN)
		return NULL;
	if (slot->copy == INVALID_MFN || frame_table[slot->source].type != FRAME_L4)
		return WRONG("a copy of %lx is kept, which is no root", slot->source);
	copy = mfn_to_virt(slot->copy);
	source = mfn_to_virt(slot->source);
	for (i = 0; i < ENTRIES; i++) {
		u64 want = source[i];

		if (i == TORC_SLOT_FIRST)
			want = mfn_to_paddr(holder->gate[GATE_FRAME_L3]) | PTE_P | PTE_W;
		else if (i > TORC_SLOT_FIRST && i <= RINGS_SLOT)
			want = mfn_to_paddr(domain->windows_l3[i - TORC_SLOT_FIRST - 1]) | PTE_P |
			       (i == RINGS_SLOT ? PTE_W : 0);
		if ((copy[i] ^ want) & ~PTE_A) /* the hardware walks the copy */
			return WRONG("copy of root %lx: slot %u holds %lx, not %lx", slot->source,
				     i, copy[i], want);
	}
	return NULL;
}

static const char *audit_vcpu(const struct vcpu *holder)
{
	const char *problem = NULL;
	unsigned int i;

	if (holder->root != INVALID_MFN)
		problem = use(holder->root, FRAME_L4, "a vCPU's root");
	if (!problem)
		problem = use_page(holder->page_pfn, "a vCPU page");
	for (i = 0; i < TORC_BATCH_PAGES && !problem; i++)
		problem = use_page(holder->batch_pfn[i], "a batch area");
	for (i = 0; i < ROOT_COPIES && !problem; i++)
		problem = audit_copy(holder, &holder->roots[i]);
	return problem;
}

static const char *audit_holders(void)
{
	bool linear = domain->linear_root == INVALID_MFN;
	const char *problem = NULL;
	u32 i;

	for (i = 0; i < domain->vcpu_count && !problem; i++) {
		linear |= domain->linear_root == domain->vcpu[i]->root;
		problem = audit_vcpu(domain->vcpu[i]);
	}
	if (!linear)
		return WRONG("the linear root %lx is no vCPU's", domain->linear_root);
	if (!problem && domain->orphan != INVALID_MFN)
		problem = use(domain->orphan, frame_table[domain->orphan].type,
				      "the orphan");
	for (i = 0; i < TORC_GRANT_PAGES && !problem; i++)
		problem = use_page(domain->grant_pfn[i], "a grant table");
	/* One that was built has these two as well. */
	if (!problem && domain->console)
		problem = use(virt_to_mfn(domain->console), FRAME_WRITABLE,
				      "the console");
	if (!problem && domain->console)
		problem = use_page(domain->time_pfn, "the time page");
	return problem;
}

/* Ring pages in the windows of other domains. */
static const char *audit_rings(void)
{
	const char *problem = NULL;
	const struct domain *viewer;
	unsigned int i;

	for (viewer = domain_list; viewer; viewer = viewer->next) {
		for (i = 0; viewer->rings && i < TORC_RING_SLOTS && !problem; i++)
			if (viewer->rings[i].owner == domain)
				problem = use_page(viewer->rings[i].pfn, "a ring");
	}
	return problem;
}

static const char *audit_frame(mfn_t mfn)
{
	const struct frame *frame = &frame_table[mfn];
	const struct uses *u = &uses[mfn];

	if (frame->ref_count != u->all)
		return WRONG("frame %lx has %u references, its count says %u", mfn, u->all,
			     frame->ref_count);
	if (frame->type_count != u->typed)
		return WRONG("frame %lx has %u uses of type %u, its count says %u", mfn, u->typed,
			     frame->type, frame->type_count);
	if ((frame->type == FRAME_NONE) != (frame->type_count == 0))
		return WRONG("frame %lx has type %u and type count %u", mfn, frame->type,
			     frame->type_count);
	if (u->typed && frame->type != u->type)
		return WRONG("frame %lx is of type %u but used as %u", mfn, frame->type, u->type);
	/* Memory that was written as a table from outside has the mark of the linear map. */
	if ((frame->flags & ~FRAME_LINEAR_RO) && !is_table(frame))
		return WRONG("frame %lx is no table but has flags %x", mfn, frame->flags);
	if ((frame->flags & FRAME_FALLING) && !(frame->flags & FRAME_PARTIAL))
		return WRONG("frame %lx falls but is whole", mfn);
	if (frame->ref_count && frame->owner == OWNER_NONE)
		return WRONG("frame %lx is used but nobody's", mfn);
	return NULL;
}

const char *recount(const struct domain *of, struct uses *array)
{
	const char *problem = NULL;
	mfn_t mfn;

	domain = of;
	uses = array;
	for (mfn = 0; mfn < frame_count && !problem; mfn++)
		if (frame_table[mfn].owner == of->id && is_table(&frame_table[mfn]))
			problem = audit_table(mfn);
	if (!problem)
		problem = audit_holders();
	if (!problem)
		problem = audit_rings();
	for (mfn = 0; mfn < frame_count && !problem; mfn++)
		if (frame_table[mfn].owner == of->id || frame_table[mfn].owner == OWNER_NONE)
			problem = audit_frame(mfn);
	return problem;
}
