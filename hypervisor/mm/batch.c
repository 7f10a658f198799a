/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Batches of page-table operations.
 *
 * An operation is copied out of the guest's page before anything of it is looked at, and what is
 * written back are its flags, progress and status. Progress lives in the batch itself, so a
 * batch can stop after any entry and be continued by calling again with the same arguments.
 */
#include "cpu.h"
#include "entry_refs.h"
#include "hypercall.h"
#include "observe.h"
#include "paging.h"
#include "sched.h"

#define AREA_WORDS_PER_PAGE (PAGE_SIZE / 8)
/* Entries of a level-1 table done as one piece of work, for must_stop(). */
#define PIECE 16

/* Between two pieces of work: finish what the last one left, and see who else is waiting. */
static bool must_stop(struct domain *domain, unsigned int work)
{
	return !table_settle(domain) || sched_preempt_due(work);
}

static void *area_page(struct vcpu *vcpu, u64 page)
{
	if (page >= TORC_BATCH_PAGES)
		return NULL;
	page = index_nospec(page, TORC_BATCH_PAGES);
	if (vcpu->batch_pfn[page] == INVALID_PFN)
		return NULL;
	return mfn_to_virt(domain_mfn(vcpu->domain, vcpu->batch_pfn[page]));
}

void *area_op(struct vcpu *vcpu, u64 index)
{
	struct torc_batch_op *page = area_page(vcpu, index / TORC_BATCH_OPS_PER_PAGE);

	return page ? &page[index % TORC_BATCH_OPS_PER_PAGE] : NULL;
}

/* A word of the batch area, by byte offset; NULL when it is not there or not aligned. */
static u64 *area_word(struct vcpu *vcpu, u64 offset)
{
	u64 *page = area_page(vcpu, offset >> PAGE_SHIFT);

	return page && !(offset & 7) ? &page[(offset >> 3) % AREA_WORDS_PER_PAGE] : NULL;
}

/* Are all @count words from byte @offset there? They lie in two pages at most. */
static bool area_has(struct vcpu *vcpu, u64 offset, unsigned int count)
{
	return area_word(vcpu, offset) && area_word(vcpu, offset + (count - 1) * 8ull);
}

int page_register(struct domain *domain, pfn_t *pages, u64 count, u64 index, pfn_t page)
{
	pfn_t *registered = &pages[index_nospec(index, count)];
	int error;

	if (index >= count)
		return TORC_EINVAL;
	if (page != INVALID_PFN) {
		error = frame_get_writable(domain, domain_mfn(domain, page));
		if (error)
			return error;
	}
	if (*registered != INVALID_PFN)
		frame_put_writable(domain, domain_mfn(domain, *registered));
	*registered = page;
	return TORC_OK;
}

s64 hc_batch_register(struct vcpu *vcpu, u64 index, u64 page)
{
	return page_register(vcpu->domain, vcpu->batch_pfn, TORC_BATCH_PAGES, index, page);
}

/* Where an operation works: from entry @index of table @mfn, a live one of @level for ranges. */
struct place {
	mfn_t mfn;
	unsigned int index;
	int level;
};

static int find_place(struct vcpu *vcpu, const struct torc_batch_op *op, unsigned int count,
		      struct place *place)
{
	place->mfn = domain_mfn(vcpu->domain, op->entry >> PAGE_SHIFT);
	place->index = (op->entry & (PAGE_SIZE - 1)) / 8;
	if (place->mfn == INVALID_MFN)
		return TORC_ENOENT;
	if ((op->entry & 7) || count < 1 || place->index + count > ENTRIES)
		return TORC_EINVAL;
	return 0;
}

static int set_one(struct vcpu *vcpu, struct torc_batch_op *op)
{
	struct place place;
	int error = find_place(vcpu, op, 1, &place);

	if (error)
		return error;
	if (op->op == TORC_OP_COMPARE_EXCHANGE)
		return table_compare_set(vcpu->domain, place.mfn, place.index, op->value, &op->old);
	return table_set(vcpu->domain, place.mfn, place.index, op->value,
			 op->op == TORC_OP_SET_KEEP, op->op == TORC_OP_EXCHANGE ? &op->old : NULL);
}

/*
 * The next piece of a range operation: how many entries. An entry of an upper level may stand for a
 * whole tree, so it is a piece of its own. Words of the batch area are taken from one page at a
 * time.
 */
static unsigned int next_piece(const struct torc_batch_op *op, const struct place *place,
			       bool words)
{
	unsigned int count = MIN(op->count - op->done, PIECE);
	u64 word = (op->old >> 3) + op->done;

	if (place->level != 1)
		return 1;
	return words ? MIN(count, AREA_WORDS_PER_PAGE - word % AREA_WORDS_PER_PAGE) : count;
}

/* Can all of a range operation be carried out? @words: it works with words of the batch area. */
static int check_range(struct vcpu *vcpu, const struct torc_batch_op *op, bool words,
		       struct place *place)
{
	int error = find_place(vcpu, op, op->count, place);

	if (error)
		return error;
	place->level = table_level(vcpu->domain, place->mfn);
	if (place->level < 0)
		return place->level;
	if (words && !area_has(vcpu, op->old, op->count))
		return TORC_EINVAL;
	if (op->op == TORC_OP_CLEAR_BITS && (op->value & ~(PTE_W | PTE_A | PTE_D)))
		return TORC_EINVAL;
	return 0;
}

static int run_range(struct vcpu *vcpu, struct torc_batch_op *op)
{
	bool words = op->op == TORC_OP_FILL ||
		     (op->op == TORC_OP_CLEAR && (op->flags & TORC_BATCH_SAVE_OLD));
	struct place place;
	int error = check_range(vcpu, op, words, &place);

	while (!error && op->done < op->count) {
		unsigned int piece = next_piece(op, &place, words), done = piece;
		unsigned int index = place.index + op->done;
		u64 *area = words ? area_word(vcpu, op->old + op->done * 8ull) : NULL;

		if (must_stop(vcpu->domain, piece))
			return STOPPED;
		if (op->op == TORC_OP_CLEAR)
			table_clear(vcpu->domain, place.mfn, index, piece, area);
		else if (op->op == TORC_OP_CLEAR_BITS)
			table_clear_bits(vcpu->domain, place.mfn, index, piece, op->value);
		else
			error = table_fill(vcpu->domain, place.mfn, index, piece, area, &done);
		op->done += done;
	}
	return error;
}

static int whole_table(struct vcpu *vcpu, const struct torc_batch_op *op)
{
	mfn_t mfn = domain_mfn(vcpu->domain, op->entry >> PAGE_SHIFT);

	if (op->entry & (PAGE_SIZE - 1))
		return TORC_EINVAL;
	if (mfn == INVALID_MFN)
		return TORC_ENOENT;
	switch (op->op) {
	case TORC_OP_PIN:
		return table_pin(vcpu->domain, mfn, op->value > 4 ? 0 : op->value);
	case TORC_OP_UNPIN:
		return table_unpin(vcpu->domain, mfn);
	default:
		if (op->value & ~(TORC_ROOT_ASID_MASK | TORC_ROOT_NO_FLUSH))
			return TORC_EINVAL;
		return root_load(vcpu, mfn);
	}
}

/* Flushes. The way back to the guest empties this CPU's TLB whatever is asked for. */
static int flush(struct vcpu *vcpu, const struct torc_batch_op *op)
{
	u32 count = vcpu->domain->vcpu_count;

	if (count < 64 && (op->old >> count))
		return TORC_ENOENT;
	flush_vcpus(vcpu->domain, op->old);
	return 0;
}

static int run_op(struct vcpu *vcpu, struct torc_batch_op *op)
{
	if (op->flags & ~TORC_BATCH_SAVE_OLD)
		return TORC_EINVAL;
	switch (op->op) {
	case TORC_OP_NOP:
		return 0;
	case TORC_OP_SET:
	case TORC_OP_SET_KEEP:
	case TORC_OP_EXCHANGE:
	case TORC_OP_COMPARE_EXCHANGE:
		return set_one(vcpu, op);
	case TORC_OP_CLEAR:
	case TORC_OP_CLEAR_BITS:
	case TORC_OP_FILL:
		return run_range(vcpu, op);
	case TORC_OP_PIN:
	case TORC_OP_UNPIN:
	case TORC_OP_NEW_ROOT:
		return whole_table(vcpu, op);
	case TORC_OP_FLUSH_PAGE:
	case TORC_OP_FLUSH_RANGE:
	case TORC_OP_FLUSH_ALL:
		return flush(vcpu, op);
	default:
		return TORC_ENOSYS;
	}
}

/*
 * Most operations are plain SETs of level-1 entries, and those of one table follow one another: for
 * a run of them the table is looked up once. Nothing that a SET of a level-1 entry does can
 * end a table, any other operation ends the run, and none begins while a tree is still falling.
 */
struct run {
	pfn_t pfn; /* of the table */
	u64 *table; /* NULL: no run */
	/*
	 * Operations before the next look at who else is waiting. Those done already are no work: a
	 * call that is made again is to get on, however soon it has to stop. A guest that changes
	 * the flag under way saves itself looks, but only those of this one call.
	 */
	unsigned int left;
};

static bool begin_run(struct vcpu *vcpu, struct run *run, pfn_t pfn)
{
	struct domain *domain = vcpu->domain;
	mfn_t mfn = domain_mfn(domain, pfn);

	run->pfn = pfn;
	run->table = NULL;
	if (domain->orphan == INVALID_MFN && table_level(domain, mfn) == 1)
		run->table = table_of(mfn);
	return run->table;
}

/* Carries out @shared if it is such a SET; false if it wants the general way. */
static __always_inline bool run_set(struct vcpu *vcpu, struct run *run,
				    struct torc_batch_op *shared, int *status)
{
	u64 entry = READ_ONCE(shared->entry), before;

	if (READ_ONCE(shared->op) != TORC_OP_SET || READ_ONCE(shared->flags) || (entry & 7))
		return false;
	if (unlikely(!run->table || entry >> PAGE_SHIFT != run->pfn) &&
	    !begin_run(vcpu, run, entry >> PAGE_SHIFT))
		return false;
	*status = set_l1(vcpu->domain->id, &run->table[(entry & (PAGE_SIZE - 1)) / 8],
			 READ_ONCE(shared->value), &before);
	shared->status = *status;
	shared->flags = TORC_BATCH_DONE;
	return true;
}

/*
 * Any operation, which may have been carried out already. Return: STOPPED if it has to be
 * continued, else whether it failed.
 */
static int run_any(struct vcpu *vcpu, struct torc_batch_op *shared)
{
	struct torc_batch_op op = *(volatile struct torc_batch_op *)shared;
	int status;

	if (op.flags & TORC_BATCH_DONE)
		return op.status ? TORC_EINVAL : 0;
	/* A flush waits for other CPUs. */
	if (must_stop(vcpu->domain, op.op < TORC_OP_FLUSH_PAGE ? 1 : PIECE))
		return STOPPED;
	status = run_op(vcpu, &op);
	shared->done = op.done;
	if (status == STOPPED)
		return STOPPED;
	shared->old = op.old;
	shared->status = status;
	shared->flags = op.flags | TORC_BATCH_DONE;
	return status;
}

s64 hc_batch(struct vcpu *vcpu, u64 first, u64 count)
{
	struct torc_batch_op *shared = NULL;
	struct run run = { .table = NULL };
	u64 i, failed = 0;
	int status;

	if (count > TORC_BATCH_MAX_OPS || first > TORC_BATCH_MAX_OPS - count)
		return TORC_EINVAL;
	count_sized(vcpu->domain, count);
	for (i = first; i < first + count; i++, shared++) {
		if (i == first || i % TORC_BATCH_OPS_PER_PAGE == 0)
			shared = area_op(vcpu, i);
		if (!shared)
			return TORC_ENOENT;
		if (run.left) {
			run.left--;
		} else if (!(READ_ONCE(shared->flags) & TORC_BATCH_DONE)) {
			if (must_stop(vcpu->domain, PIECE))
				return TORC_EAGAIN;
			run.left = PIECE - 1;
		}
		if (!run_set(vcpu, &run, shared, &status)) {
			run.table = NULL;
			status = run_any(vcpu, shared);
			if (status == STOPPED)
				return TORC_EAGAIN;
		}
		failed += status != 0;
	}
	return table_settle(vcpu->domain) ? (s64)failed : TORC_EAGAIN;
}
