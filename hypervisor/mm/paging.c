/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Direct paging.
 *
 * The processor walks the guest's own level 3..1 tables (and a copy of its level-4 table), so what
 * an entry says must be true before it stands in a table. Each frame has an owner, a type
 * and two counts:
 *
 *  - ref_count counts every use: each present entry of a validated table that names the frame, the
 *    pin, and what the hypervisor itself holds.
 *  - type_count counts the uses that need the type: writable mappings need FRAME_WRITABLE; being
 *    named by a table one level up, or pinned, needs FRAME_L1 .. FRAME_L4.
 *
 * A frame changes its type only while type_count is 0, so a table is never mapped writable and a
 * page that is mapped writable never becomes a table. The first use as a table validates all
 * 512 entries, each taking its own reference; the last use gone gives all of them back.
 * From then on entries change only through the functions of this file.
 *
 * An unmap gives back exactly what the entry's bits say the map took, so the old entry is always
 * the one that the exchange returned. Levels strictly descend, so validation is at most four deep
 * and no table can reach itself.
 *
 * Validation and its undoing can be long, so both can stop after any entry. A table is then
 * partial: it has its type and one reference of each kind for whoever finishes it, and entries 0 ..
 * progress-1 hold theirs. Validation climbs from there, tear-down falls; a table that does not pass
 * falls with the error that its climber will be told. A tear-down that stopped is the domain's one
 * orphan, and is finished before anything else happens to the domain's tables.
 *
 * Flushing. Other CPUs may hold on to an entry that is gone. Before a frame becomes a table, they
 * forget that it could be written (begin()); before the last reference on a table is given back,
 * they forget the entries that led to it (table_put()). What an ordinary page was mapped as is the
 * guest's own affair: a frame never leaves its domain while that lives. How it is done: flush.c.
 *
 * All of this happens under the domain's lock.
 */
#include "cpu.h"
#include "entry_refs.h"
#include "sched.h"

int frame_get_writable(struct domain *domain, mfn_t mfn)
{
	struct frame *frame = frame_owned_by(mfn, domain->id);

	if (!frame)
		return mfn == INVALID_MFN ? TORC_ENOENT : TORC_EPERM;
	if (get_ref(frame))
		return TORC_ENOMEM;
	if (get_writable(frame)) {
		frame->ref_count--;
		return TORC_EBUSY;
	}
	return 0;
}

void frame_put_writable(struct domain *domain, mfn_t mfn)
{
	struct frame *frame = frame_owned_by(mfn, domain->id);

	put_type(frame);
	frame->ref_count--;
}

static bool slot_is_hypervisors(unsigned int level, unsigned int index)
{
	return level == 4 && index >= TORC_SLOT_FIRST && index <= TORC_SLOT_LAST;
}

int entry_get(struct domain *domain, u64 entry, unsigned int level, unsigned int index)
{
	if (level == 1)
		return get_l1_entry(domain->id, entry);
	if (entry && slot_is_hypervisors(level, index))
		return TORC_EPERM;
	if (!(entry & PTE_P))
		return check_absent(entry);
	if (entry & BAD_TABLE)
		return TORC_EINVAL;
	return table_get(domain, entry_mfn(entry), level - 1);
}

static int table_put(struct domain *domain, mfn_t mfn);

static int put_entry(struct domain *domain, u64 entry, unsigned int level)
{
	if (level > 1)
		return entry & PTE_P ? table_put(domain, entry_mfn(entry)) : 0;
	put_l1_entry(entry);
	return 0;
}

/* So many empty entries are as much work as one that is not. */
#define EMPTY_WORTH 32

/* Takes the references of the entries that have none yet. */
static int climb(struct domain *domain, struct frame *frame)
{
	u64 *table = table_of(frame_mfn(frame));
	unsigned int level = frame->type;
	int error;

	for (; frame->progress < ENTRIES; frame->progress++) {
		u64 *entry = &table[frame->progress];

		if (!*entry && frame->progress % EMPTY_WORTH)
			continue;
		if (sched_preempt_due(1))
			return STOPPED;
		*entry = without_global(*entry, level);
		error = level == 1 ? get_l1_entry(domain->id, *entry) :
				     entry_get(domain, *entry, level, frame->progress);
		if (error)
			return error;
	}
	return 0;
}

/* Gives back the references of all entries; behind it the frame is ordinary memory. */
static int fall(struct domain *domain, struct frame *frame)
{
	u64 *table = table_of(frame_mfn(frame));

	for (; frame->progress > 0; frame->progress--) {
		u64 entry = table[frame->progress - 1];

		if (!entry && frame->progress % EMPTY_WORTH)
			continue;
		if (sched_preempt_due(1) || put_entry(domain, entry, frame->type))
			return STOPPED;
	}
	frame->flags &= ~(FRAME_PARTIAL | FRAME_FALLING);
	frame->type_count = 0;
	frame->type = FRAME_NONE;
	frame->ref_count--;
	linear_unprotect(domain, frame_mfn(frame));
	return 0;
}

static void start_falling(struct frame *frame, int error)
{
	if (!(frame->flags & FRAME_PARTIAL))
		frame->progress = ENTRIES;
	frame->error = error;
	frame->flags |= FRAME_PARTIAL | FRAME_FALLING;
}

/*
 * A table that falls though it passed validation has lost its last reference. Whoever gave that
 * back finishes the tear-down, and nobody else may: what the table held would be given back twice.
 */
static bool is_being_dropped(const struct frame *frame)
{
	return (frame->flags & FRAME_FALLING) && !frame->error;
}

/* Moves a partial table on. 0: it is live. An error: it is ordinary memory again. */
static int advance(struct domain *domain, struct frame *frame)
{
	int error;

	if (!(frame->flags & FRAME_FALLING)) {
		error = climb(domain, frame);
		if (!error)
			frame->flags &= ~FRAME_PARTIAL;
		if (!error || error == STOPPED)
			return error;
		start_falling(frame, error);
	}
	return fall(domain, frame) ? STOPPED : frame->error;
}

/* Makes ordinary memory a table that has no valid entry yet. */
static int begin(struct domain *domain, struct frame *frame, unsigned int level)
{
	mfn_t mfn = frame_mfn(frame);

	linear_protect(domain, mfn);
	if (frame->type_count) {
		linear_unprotect(domain, mfn);
		return TORC_EBUSY;
	}
	flush_tables(domain);
	frame->type = level;
	frame->type_count = 1; /* from here on nothing in the tree below can map it writable */
	frame->progress = 0;
	frame->flags |= FRAME_PARTIAL;
	return 0;
}

int table_get(struct domain *domain, mfn_t mfn, unsigned int level)
{
	struct frame *frame = frame_owned_by(mfn, domain->id);
	int error;

	if (!frame)
		return TORC_EPERM;
	if (is_being_dropped(frame))
		return TORC_EBUSY;
	if ((frame->flags & FRAME_PARTIAL) && frame->type == level)
		return advance(domain, frame);
	if ((frame->flags & FRAME_PARTIAL) || (frame->type != level && is_table(frame)))
		return TORC_EBUSY;
	if (get_ref(frame))
		return TORC_ENOMEM;
	if (frame->type == level) {
		frame->type_count++;
		return 0;
	}
	error = begin(domain, frame, level);
	if (error) {
		frame->ref_count--;
		return error;
	}
	return advance(domain, frame);
}

/* Gives a reference back; STOPPED when that was the last and the table is still falling. */
static int table_put(struct domain *domain, mfn_t mfn)
{
	struct frame *frame = &frame_table[mfn];

	if (!(frame->flags & FRAME_PARTIAL) && frame->type_count > 1) {
		frame->type_count--;
		frame->ref_count--;
		return 0;
	}
	if (!(frame->flags & FRAME_FALLING)) {
		if (frame->type == FRAME_L4)
			root_forget(domain, mfn);
		if (domain->unflushed)
			flush_tables(domain);
		start_falling(frame, 0);
	}
	return fall(domain, frame);
}

void table_release(struct domain *domain, mfn_t mfn)
{
	if (table_put(domain, mfn) == STOPPED)
		domain->orphan = mfn;
}

bool table_settle(struct domain *domain)
{
	if (domain->orphan != INVALID_MFN && table_put(domain, domain->orphan) == 0)
		domain->orphan = INVALID_MFN;
	return domain->orphan == INVALID_MFN;
}

int table_pin(struct domain *domain, mfn_t mfn, unsigned int level)
{
	struct frame *frame = frame_owned_by(mfn, domain->id);
	int error;

	if (level < 1 || level > 4)
		return TORC_EINVAL;
	if (frame && (frame->flags & FRAME_PINNED))
		return TORC_EBUSY;
	error = table_get(domain, mfn, level);
	if (!error)
		frame->flags |= FRAME_PINNED;
	return error;
}

int table_unpin(struct domain *domain, mfn_t mfn)
{
	struct frame *frame = frame_owned_by(mfn, domain->id);

	if (!frame)
		return TORC_EPERM;
	if (!(frame->flags & (FRAME_PINNED | FRAME_PARTIAL)) || is_being_dropped(frame))
		return TORC_ENOENT;
	frame->flags &= ~FRAME_PINNED;
	table_release(domain, mfn);
	return 0;
}

/* Gives back what an entry that is gone from its table held. */
void entry_release(struct domain *domain, u64 entry, unsigned int level)
{
	if (level == 1) {
		put_l1_entry(entry);
	} else if (entry & PTE_P) {
		domain->unflushed = true;
		table_release(domain, entry_mfn(entry));
	}
}
