/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* A batch area for the vCPU of the test's world: pages BATCH_PFN up, operations in the first. */
#ifndef UNIT_BATCH_H
#define UNIT_BATCH_H

#include <torc/batch.h>
#include "world.h"

#define BATCH_PFN 900
#define BATCH_VALUES (7 * PAGE_SIZE) /* byte offset of the page used for values */

/** batch_register_all - registers all pages of the batch area */
void batch_register_all(void);

/** batch_op - operation @index of the area */
struct torc_batch_op *batch_op(unsigned int index);

/** batch_word - the word at byte @offset of the area */
u64 *batch_word(u64 offset);

/** entry_address - guest-physical address of entry @index of page @table */
u64 entry_address(pfn_t table, unsigned int index);

/** batch_run - calls batch() until it has finished */
s64 batch_run(u64 first, u64 count);

#endif
