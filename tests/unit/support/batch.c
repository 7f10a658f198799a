/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <stdlib.h>
#include "batch.h"
#include "hypercall.h"

void batch_register_all(void)
{
	unsigned int i;

	for (i = 0; i < TORC_BATCH_PAGES; i++)
		if (hc_batch_register(vcpu, i, BATCH_PFN + i))
			abort();
}

u64 *batch_word(u64 offset)
{
	return &page_of(BATCH_PFN + offset / PAGE_SIZE)[offset % PAGE_SIZE / 8];
}

struct torc_batch_op *batch_op(unsigned int index)
{
	return (struct torc_batch_op *)batch_word(index * sizeof(struct torc_batch_op));
}

u64 entry_address(pfn_t table, unsigned int index)
{
	return (table << PAGE_SHIFT) + index * 8;
}

s64 batch_run(u64 first, u64 count)
{
	unsigned int calls;
	s64 result;

	for (calls = 0; calls < 100000; calls++) {
		result = hc_batch(vcpu, first, count);
		if (result != TORC_EAGAIN)
			return result;
	}
	abort(); /* it makes no progress */
}
