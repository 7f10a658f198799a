/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The world's references counted anew, and pictures of all that could change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "recount.h"
#include "world.h"

static char wrong[256];

#define WRONG(...) (snprintf(wrong, sizeof(wrong), __VA_ARGS__), wrong)

const char *audit(void)
{
	struct uses *uses = calloc(frame_count, sizeof(*uses));
	const char *problem;
	mfn_t mfn;

	if (!uses)
		abort();
	problem = recount(domain, uses);
	free(uses);
	for (mfn = 0; mfn < frame_count && !problem; mfn++)
		if (frame_table[mfn].flags && !is_table(&frame_table[mfn]))
			problem = WRONG("frame %lx is no table but has flags %x", mfn,
					frame_table[mfn].flags);
	return problem;
}

#define MOST_FRAMES 8192

struct picture {
	u8 memory[WORLD_PAGES][PAGE_SIZE];
	struct frame frames[MOST_FRAMES];
	struct vcpu vcpu;
	struct root_copy roots[ROOT_COPIES];
	mfn_t linear_root, orphan;
};

struct picture *picture_take(void)
{
	struct picture *picture = malloc(sizeof(*picture));
	pfn_t pfn;

	if (!picture)
		abort();
	for (pfn = 0; pfn < WORLD_PAGES; pfn++)
		memcpy(picture->memory[pfn], page_of(pfn), PAGE_SIZE);
	if (frame_count > MOST_FRAMES)
		abort();
	memcpy(picture->frames, frame_table, frame_count * sizeof(*frame_table));
	picture->vcpu = *vcpu;
	memcpy(picture->roots, vcpu->roots, sizeof(picture->roots));
	picture->linear_root = domain->linear_root;
	picture->orphan = domain->orphan;
	return picture;
}

/* Of a frame that is no partial table two fields mean nothing. */
static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->owner == b->owner && a->type == b->type && a->flags == b->flags &&
	       a->type_count == b->type_count && a->ref_count == b->ref_count &&
	       (!(a->flags & FRAME_PARTIAL) ||
		(a->progress == b->progress && a->error == b->error));
}

const char *picture_differs(const struct picture *picture)
{
	pfn_t pfn;
	mfn_t mfn;

	for (pfn = 0; pfn < WORLD_PAGES; pfn++)
		if (memcmp(picture->memory[pfn], page_of(pfn), PAGE_SIZE))
			return WRONG("page %lx has changed", pfn);
	for (mfn = 0; mfn < frame_count; mfn++)
		if (!same_frame(&picture->frames[mfn], &frame_table[mfn]))
			return WRONG("the record of frame %lx has changed", mfn);
	if (memcmp(&picture->vcpu, vcpu, sizeof(*vcpu)))
		return "the vCPU has changed";
	if (picture->linear_root != domain->linear_root)
		return "the linear root has changed";
	if (picture->orphan != domain->orphan)
		return "the orphan has changed";
	return NULL;
}

/* The copies are not in the picture: they say what their sources say. */
static void refill_copies(void)
{
	unsigned int i, index;

	for (i = 0; i < ROOT_COPIES; i++) {
		u64 *copy = mfn_to_virt(vcpu->roots[i].copy);

		if (vcpu->roots[i].source == INVALID_MFN)
			continue;
		for (index = 0; index < ENTRIES; index++)
			if (index < TORC_SLOT_FIRST || index > TORC_SLOT_LAST)
				copy[index] = ((u64 *)mfn_to_virt(vcpu->roots[i].source))[index];
	}
}

void picture_restore(const struct picture *picture)
{
	pfn_t pfn;

	for (pfn = 0; pfn < WORLD_PAGES; pfn++)
		memcpy(page_of(pfn), picture->memory[pfn], PAGE_SIZE);
	memcpy(frame_table, picture->frames, frame_count * sizeof(*frame_table));
	*vcpu = picture->vcpu;
	memcpy(vcpu->roots, picture->roots, sizeof(picture->roots));
	domain->linear_root = picture->linear_root;
	domain->orphan = picture->orphan;
	refill_copies();
}

void picture_free(struct picture *picture)
{
	free(picture);
}
