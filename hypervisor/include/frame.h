/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The frame table: owner, type and counts of every machine frame. The rules are told in
 * mm/paging.c.
 */
#ifndef TORC_FRAME_H
#define TORC_FRAME_H

#include "types.h"

enum frame_type {
	FRAME_NONE, /* no typed use: may become anything */
	FRAME_L1, /* validated tables; the number is the level */
	FRAME_L2,
	FRAME_L3,
	FRAME_L4,
	FRAME_WRITABLE, /* mapped writable, or written by the hypervisor */
};

#define FRAME_PINNED 0x01 /* one type reference and one reference stand for the pin */
#define FRAME_LINEAR_RO 0x02 /* the hypervisor took W out of the linear map's entry */
#define FRAME_PARTIAL 0x04 /* a table of which only entries 0 .. progress-1 hold references */
#define FRAME_FALLING 0x08 /* partial, and on its way to ordinary memory */

#define OWNER_NONE 0 /* the hypervisor's own, free, or not memory at all */

/**
 * struct frame - record of one frame
 * @owner: domain id
 * @type: enum frame_type; FRAME_NONE exactly when @type_count is 0
 * @flags: FRAME_*
 * @type_count: uses that need the type: writable mappings, table uses, pin
 * @ref_count: all uses: mappings of any kind, table uses, pin, the hypervisor's own
 * @progress: of a partial table: entries that hold references
 * @error: of a falling table that did not pass validation: why
 */
struct frame {
	u16 owner;
	u8 type;
	u8 flags;
	u32 type_count;
	u32 ref_count;
	u16 progress;
	s16 error;
};
_Static_assert(sizeof(struct frame) == 16, "one for each frame of the machine");

extern struct frame *frame_table;
extern mfn_t frame_count;
extern u64 *m2p_table;

/**
 * frame_table_init - allocates the frame table and the mfn->pfn array for the machine
 * Precondition: alloc_init() has run.
 */
void frame_table_init(void);

/**
 * frame_owned_by - the record of @mfn if it is memory of domain @owner, else NULL
 * Beyond the table it looks at frame 0, which is never a domain's: firmware has its chunk.
 */
static inline struct frame *frame_owned_by(mfn_t mfn, u16 owner)
{
	struct frame *frame = &frame_table[index_nospec(mfn, frame_count)];

	return frame->owner == owner ? frame : NULL;
}

static inline mfn_t frame_mfn(const struct frame *frame)
{
	return (mfn_t)(frame - frame_table);
}

#endif
