/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Calls on memory: batches, pages of the batch area, chunks that go and come back.
 */
#include "fuzz.h"

#define LINEAR_BITS (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_ACCESSED | TORC_PTE_NX)

static struct guest_lock chunk_lock;

/* All operations of a batch are in pages of this worker, but for those of an empty place. */
static bool batch_safe(struct worker *worker, const uint64_t *a)
{
	uint64_t index;

	if (a[1] > TORC_BATCH_MAX_OPS || a[0] > TORC_BATCH_MAX_OPS)
		return true;
	for (index = a[0]; index < a[0] + a[1] && index < TORC_BATCH_MAX_OPS; index++) {
		if (!(worker->present >> (index / TORC_BATCH_OPS_PER_PAGE) & 1))
			continue;
		if (index < OPS && !op_safe(&worker->ops[index]))
			return false;
		if (index >= OPS)
			return false;
	}
	return true;
}

static bool batch_make(struct worker *worker, uint64_t *a)
{
	uint64_t i;

	a[1] = once_in(worker, 16) ? 1 + below(worker, OPS) : 1 + below(worker, 6);
	a[0] = below(worker, OPS - a[1] + 1);
	for (i = a[0]; i < a[0] + a[1]; i++)
		make_op(worker, &worker->ops[i]);
	return true;
}

static void batch_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	const struct torc_batch_op *op;
	struct tally *tally;
	uint64_t i;

	if (result < 0)
		return;
	for (i = a[0]; i < a[0] + a[1] && i < OPS; i++) {
		op = &worker->ops[i];
		tally = &worker->op[op->op < TORC_OP_COUNT ? op->op : TORC_OP_COUNT];
		if (op->status == TORC_OK)
			tally->accepted++;
		else
			tally->refused++;
	}
}

/* The first pages hold operations and values, and stay. */
static bool register_make(struct worker *worker, uint64_t *a)
{
	a[0] = VALUE_PAGE + 1 + below(worker, SPARE_PAGES);
	switch (below(worker, 4)) {
	case 0:
		a[1] = TORC_INVALID_FRAME;
		break;
	case 1:
		a[1] = arena_page(worker);
		break;
	default:
		a[1] = worker->area_pfn[a[0]];
	}
	return true;
}

static bool register_safe(struct worker *worker, const uint64_t *a)
{
	return a[0] > VALUE_PAGE || (a[0] <= VALUE_PAGE && a[1] == worker->area_pfn[a[0]]) ||
	       (!page_exists(a[1]) && a[1] != TORC_INVALID_FRAME);
}

static void register_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	if (result != TORC_OK || a[0] <= VALUE_PAGE)
		return;
	if (a[1] == TORC_INVALID_FRAME)
		worker->present &= ~(1U << a[0]);
	else
		worker->present |= 1U << a[0];
}

/* Takes a chunk out of the linear map, or puts it back there. */
static void show_chunk(struct worker *worker, uint64_t chunk, bool show)
{
	uint32_t i;

	for (i = 0; show && i < CHUNK_PAGES; i++)
		worker->values[i] = torc_pte_make(chunk + i, LINEAR_BITS);
	worker->ops[0] = (struct torc_batch_op){
		.op = show ? TORC_OP_FILL : TORC_OP_CLEAR,
		.count = CHUNK_PAGES,
		.entry = own_entry((uint64_t)guest_linear(chunk << TORC_PAGE_SHIFT), 1),
		.old = VALUE_PAGE * TORC_PAGE_SIZE,
	};
	while (torc_batch(0, 1) == TORC_EAGAIN)
		;
}

/*
 * One worker at a time: what the linear map shows must be there. The others do something else
 * meanwhile: the one that has the lock may be off its CPU.
 */
static bool chunk_make(struct worker *worker, uint64_t *a)
{
	a[0] = chunks[below(worker, CHUNKS)];
	return !__atomic_exchange_n(&chunk_lock.taken, true, __ATOMIC_ACQUIRE);
}

static bool release_make(struct worker *worker, uint64_t *a)
{
	if (!chunk_make(worker, a))
		return false;
	if (torc_pfn_to_mfn(a[0]) != TORC_INVALID_FRAME)
		show_chunk(worker, a[0], false);
	return true;
}

/* Pages that are in use cannot go, so any chunk may be named. */
static void chunk_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	uint32_t i;

	(void)a;
	(void)result;
	for (i = 0; i < CHUNKS; i++)
		if (torc_pfn_to_mfn(chunks[i]) != TORC_INVALID_FRAME)
			show_chunk(worker, chunks[i], true);
	guest_unlock(&chunk_lock);
}

const struct call memory_calls[CALLS] = {
	[TORC_HC_BATCH] = { 120, 2, CAN_STOP, batch_make, batch_safe, batch_after },
	[TORC_HC_BATCH_REGISTER] = { 8, 2, 0, register_make, register_safe, register_after },
	[TORC_HC_MEMORY_RELEASE] = { 1, 1, CAN_STOP, release_make, NULL, chunk_after },
	[TORC_HC_MEMORY_POPULATE] = { 1, 1, 0, chunk_make, NULL, chunk_after },
};
