/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * libFuzzer: a guest that writes page tables and runs any operations on them, stopping anywhere.
 * After each step all references are counted anew.
 *
 * Attack: a guest that does not keep to any order.
 * Vulnerable: a count that no longer says what entries do.
 * Fixed: the audit finds nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "batch.h"
#include "../unit/support/batch.h"
#include "doubles.h"
#include "hypercall.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINEAR_PAGES 5 /* LINEAR_L1 .. LINEAR_L4 */
#define SAVED (STEP_PAGES + LINEAR_PAGES + TORC_BATCH_PAGES)

/* The machine as each input finds it. Pages that are not saved cannot change. */
static struct {
	u8 pages[SAVED][PAGE_SIZE];
	struct frame frames[WORLD_FRAMES];
	struct vcpu vcpu;
	mfn_t linear_root;
} start;

static pfn_t saved_page(unsigned int i)
{
	if (i < STEP_PAGES)
		return STEP_FIRST + i;
	i -= STEP_PAGES;
	return i < LINEAR_PAGES ? LINEAR_L1 + i : BATCH_PFN + i - LINEAR_PAGES;
}

static void save(void)
{
	unsigned int i;

	for (i = 0; i < SAVED; i++)
		memcpy(start.pages[i], page_of(saved_page(i)), PAGE_SIZE);
	memcpy(start.frames, frame_table, sizeof(start.frames));
	start.vcpu = *vcpu;
	start.linear_root = domain->linear_root;
}

static void restore(void)
{
	unsigned int i;

	for (i = 0; i < SAVED; i++)
		memcpy(page_of(saved_page(i)), start.pages[i], PAGE_SIZE);
	memcpy(frame_table, start.frames, sizeof(start.frames));
	*vcpu = start.vcpu;
	domain->linear_root = start.linear_root;
	domain->orphan = INVALID_MFN;
	for (i = 0; i < ROOT_COPIES; i++)
		vcpu->roots[i].source = INVALID_MFN;
}

static u64 value_of(const struct step *step)
{
	u64 entry = entry_of(STEP_FIRST + step->page % STEP_PAGES, 0);

	switch (step->bits % STEP_BITS) {
	case STEP_RO:
		return entry | RO;
	case STEP_RW:
		return entry | RW;
	case STEP_TABLE:
		return step->page == 255 ? entry_of(LINEAR_L3, TABLE) : entry | TABLE;
	case STEP_ABSENT:
		return step->page << 9;
	case STEP_FOREIGN:
		return mfn_to_paddr(FOREIGN_MFN) | RW;
	default:
		return step->page;
	}
}

static pfn_t table_of_step(const struct step *step)
{
	return step->table >= 250 ? LINEAR_L1 + step->table % LINEAR_PAGES :
				    STEP_FIRST + step->table % STEP_PAGES;
}

/* Few different indexes, so that steps meet: the ends, the linear map's, the hypervisor's. */
static unsigned int index_of_step(const struct step *step)
{
	static const u16 indexes[] = { 0, 1, 31, 32, 255, 256, 271, LINEAR_SLOT, 510, 511 };

	return indexes[step->index % ARRAY_SIZE(indexes)];
}

static void write_entry(const struct step *step)
{
	if (frame_of(table_of_step(step))->type != FRAME_NONE)
		return;
	plain(table_of_step(step), index_of_step(step), value_of(step));
}

static void run_operation(const struct step *step)
{
	struct torc_batch_op *op = batch_op(0);
	u64 raw;

	*op = (struct torc_batch_op){
		.op = step->op % (TORC_OP_COUNT + 1),
		.flags = step->flags & 1 ? TORC_BATCH_SAVE_OLD : 0,
		.count = step->count * (step->flags & 2 ? 2 : 1),
		.done = step->flags & 4 ? step->done : 0,
		.entry = entry_address(table_of_step(step), index_of_step(step)),
		.value = value_of(step),
		.old = step->done * 8ull * 17,
	};
	if (op->op == TORC_OP_PIN)
		op->value = step->page % 6;
	if (op->op >= TORC_OP_PIN && op->op <= TORC_OP_NEW_ROOT)
		op->entry &= ~(u64)(PAGE_SIZE - 1);
	if (op->op == TORC_OP_NEW_ROOT)
		op->value = 0;
	if (op->op == TORC_OP_CLEAR_BITS)
		op->value = step->page & (PTE_W | PTE_A | PTE_D);
	if (op->op == TORC_OP_COMPARE_EXCHANGE && !(step->flags & 8))
		op->old = page_of(table_of_step(step))[index_of_step(step)];
	memcpy(&raw, step->raw, sizeof(raw));
	if (step->flags & 64) {
		op->value ^= raw;
		op->old ^= raw;
	}
	preempt_calls = 0;
	preempt_at = step->stop;
	hc_batch(vcpu, 0, 1);
	root_copy_of(vcpu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *problem;
	struct step step;

	if (!domain) {
		world_create();
		world_map_linear();
		batch_register_all();
		save();
	}
	restore();
	for (; size >= sizeof(step); size -= sizeof(step), data += sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		if (step.what < 64)
			write_entry(&step);
		else
			run_operation(&step);
		problem = audit();
		if (problem) {
			fprintf(stderr, "%s\n", problem);
			abort();
		}
	}
	return 0;
}
