/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Entries of tables, and operations of batches on them.
 *
 * Indexes come from a few places, so that operations meet. What the pages of the arena are is only
 * guessed (hint): other workers change them, and what is guessed wrong is refused.
 */
#include "fuzz.h"

#define RO (TORC_PTE_PRESENT | TORC_PTE_ACCESSED)
#define RW (RO | TORC_PTE_WRITE | TORC_PTE_DIRTY)

/* A page of the arena that is thought to be a table of @level, or ordinary memory (0). */
static uint64_t hinted(struct worker *worker, uint32_t level)
{
	uint64_t first = below(worker, ARENA_PAGES), i;

	for (i = first; i < first + ARENA_PAGES; i++)
		if (hint[i % ARENA_PAGES] == level)
			return arena[i % ARENA_PAGES];
	return arena[first];
}

static void set_hint(uint64_t pfn, uint8_t level)
{
	if (pfn - arena[0] < ARENA_PAGES)
		hint[pfn - arena[0]] = level;
}

uint64_t make_entry(struct worker *worker, uint32_t level)
{
	uint64_t pfn, bits = level > 1 ? TORC_PTE_TABLE : once_in(worker, 3) ? RW : RO;
	uint64_t entry;

	if (once_in(worker, 6))
		return torc_pte_absent(draw(worker) & 0xffff, draw(worker) & 0xffe);
	if (level > 1)
		pfn = hinted(worker, once_in(worker, 4) ? 0 : level - 1);
	else
		pfn = once_in(worker, 4) ? any_page(worker) : hinted(worker, 0);
	if (!page_exists(pfn))
		pfn = arena_page(worker);
	entry = torc_pte_make(pfn, bits | (once_in(worker, 2) ? TORC_PTE_USER : 0));
	return once_in(worker, 12) ? mutate(worker, entry) : entry;
}

static uint64_t make_index(struct worker *worker)
{
	return below(worker, once_in(worker, 4) ? ENTRIES : 8);
}

/* A table, mostly one of the arena, and its level as far as it is known. */
static uint64_t make_table(struct worker *worker, uint32_t *level)
{
	if (once_in(worker, 12)) {
		*level = 4;
		return once_in(worker, 3) ? guest_root >> TORC_PAGE_SHIFT :
					    roots[below(worker, ROOTS)];
	}
	*level = once_in(worker, 3) ? 2 + below(worker, 3) : 1;
	return hinted(worker, *level);
}

static void make_range(struct worker *worker, struct torc_batch_op *op, uint32_t level)
{
	uint64_t room = ENTRIES - (op->entry % TORC_PAGE_SIZE) / 8;
	uint32_t i;

	op->count = 1 + below(worker, once_in(worker, 8) ? room : room < 20 ? room : 20);
	op->old = VALUE_PAGE * TORC_PAGE_SIZE;
	if (op->op == TORC_OP_CLEAR_BITS)
		op->value = draw(worker) &
			    (TORC_PTE_WRITE | TORC_PTE_ACCESSED | TORC_PTE_DIRTY);
	else if (op->op == TORC_OP_CLEAR)
		op->flags = once_in(worker, 2) ? TORC_BATCH_SAVE_OLD : 0;
	for (i = 0; op->op == TORC_OP_FILL && i < op->count; i++)
		worker->values[i] = make_entry(worker, level);
}

static void make_change(struct worker *worker, struct torc_batch_op *op)
{
	uint32_t level;
	uint64_t pfn = make_table(worker, &level), index = make_index(worker);

	if (page_use(pfn) == USE_ROOT)
		index = SLOT_FREE_FIRST + index % (SLOT_FREE_LAST - SLOT_FREE_FIRST);
	op->entry = pfn << TORC_PAGE_SHIFT | index * 8;
	op->value = make_entry(worker, level);
	op->count = 1;
	if (op->op == TORC_OP_COMPARE_EXCHANGE && !once_in(worker, 4))
		op->old = *(volatile uint64_t *)guest_linear(op->entry);
	if (op->op >= TORC_OP_CLEAR)
		make_range(worker, op, level);
}

static void make_pin(struct worker *worker, struct torc_batch_op *op)
{
	uint64_t pfn = hinted(worker, 0);

	if (op->op == TORC_OP_UNPIN)
		pfn = hinted(worker, 1 + below(worker, 4));
	else if (once_in(worker, 12))
		pfn = any_page(worker);
	else
		scribble(worker, pfn);
	op->value = once_in(worker, 2) ? 1 : 1 + below(worker, 4);
	op->entry = pfn << TORC_PAGE_SHIFT;
	set_hint(pfn, op->op == TORC_OP_PIN ? op->value : 0);
}

static void make_flush(struct worker *worker, struct torc_batch_op *op)
{
	op->value = draw(worker);
	op->count = 1 + below(worker, 16);
	op->old = below(worker, 1UL << guest_start->vcpus);
}

static void mutate_op(struct worker *worker, struct torc_batch_op *op)
{
	switch (below(worker, 8)) {
	case 0:
		op->entry = mutate(worker, op->entry);
		break;
	case 1:
		op->entry ^= 1UL << below(worker, 12);
		break;
	case 2:
	case 3:
		op->value = mutate(worker, op->value);
		break;
	case 4:
		op->old = mutate(worker, op->old);
		break;
	case 5:
		op->count = mutate(worker, op->count);
		break;
	case 6:
		op->flags = once_in(worker, 4) ? draw(worker) : TORC_BATCH_SAVE_OLD;
		break;
	default:
		op->op = below(worker, TORC_OP_COUNT + 2);
	}
}

/* Tables this kernel lives by: of roots the free slots, of others nothing but A and D. */
static bool entry_safe(const struct torc_batch_op *op)
{
	enum use use = page_use(op->entry >> TORC_PAGE_SHIFT);
	uint64_t first = (op->entry % TORC_PAGE_SIZE) / 8;
	uint64_t count = op->op >= TORC_OP_CLEAR && op->op <= TORC_OP_FILL ? op->count : 1;

	if (use == USE_ROOT)
		return first >= SLOT_FREE_FIRST && first + count <= SLOT_FREE_LAST;
	return use != USE_TABLE ||
	       (op->op == TORC_OP_CLEAR_BITS && !(op->value & TORC_PTE_WRITE));
}

/* Old entries may be written where values stand, or be refused. */
static bool saving_safe(const struct torc_batch_op *op)
{
	uint64_t first = VALUE_PAGE * TORC_PAGE_SIZE, end = first + TORC_PAGE_SIZE;

	if (op->op != TORC_OP_CLEAR || !(op->flags & TORC_BATCH_SAVE_OLD))
		return true;
	return op->old >= TORC_BATCH_PAGES * TORC_PAGE_SIZE ||
	       (op->old >= first && op->old + op->count * 8UL <= end);
}

bool op_safe(const struct torc_batch_op *op)
{
	uint64_t pfn = op->entry >> TORC_PAGE_SHIFT;

	switch (op->op) {
	case TORC_OP_UNPIN:
		return op->entry != guest_start->root;
	case TORC_OP_NEW_ROOT:
		return page_use(pfn) != USE_ARENA && page_use(pfn) != USE_CHUNK;
	case TORC_OP_SET ... TORC_OP_FILL:
		return entry_safe(op) && saving_safe(op);
	default:
		return true;
	}
}

void make_op(struct worker *worker, struct torc_batch_op *op)
{
	static const uint8_t often[] = { TORC_OP_SET, TORC_OP_SET, TORC_OP_SET, TORC_OP_CLEAR,
					 TORC_OP_CLEAR, TORC_OP_PIN, TORC_OP_PIN, TORC_OP_UNPIN };
	struct torc_batch_op changed;

	*op = (struct torc_batch_op){
		.op = once_in(worker, 2) ? often[below(worker, sizeof(often))] :
					   below(worker, TORC_OP_COUNT),
	};
	if (op->op >= TORC_OP_SET && op->op <= TORC_OP_FILL)
		make_change(worker, op);
	else if (op->op == TORC_OP_PIN || op->op == TORC_OP_UNPIN)
		make_pin(worker, op);
	else if (op->op == TORC_OP_NEW_ROOT)
		op->entry = once_in(worker, 4) ? guest_start->root :
						 roots[below(worker, ROOTS)] << TORC_PAGE_SHIFT;
	else
		make_flush(worker, op);
	changed = *op;
	if (once_in(worker, 4))
		mutate_op(worker, &changed);
	if (op_safe(&changed))
		*op = changed;
	else if (!op_safe(op))
		op->op = TORC_OP_NOP;
}
