/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The frame table and the mfn->pfn array: what the hypervisor knows about each machine frame.
 */
#include "alloc.h"
#include "frame.h"
#include "lib.h"

struct frame *frame_table;
mfn_t frame_count;
u64 *m2p_table;

void frame_table_init(void)
{
	/* Whole chunks, so that one page of the mfn->pfn array has one owner. */
	frame_count = ALIGN_UP(alloc_max_mfn(), CHUNK_PAGES);
	frame_table = boot_alloc(frame_count * sizeof(*frame_table));
	m2p_table = boot_alloc(frame_count * sizeof(*m2p_table));
	memset(m2p_table, 0xff, frame_count * sizeof(*m2p_table));
}
