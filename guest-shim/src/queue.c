/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * The queue of page-table operations. The path that counts is the merge: one more entry of a
 * range costs a few compares and an increment here, and less than that in the hypervisor.
 */
#include <torc/queue.h>
#include <torc/calls.h>

#define ENTRY_SIZE    8
#define TABLE_ENTRIES 512
#define TABLE_MASK    (~(uint64_t)(TORC_PAGE_SIZE - 1))

int64_t torc_queue_setup(struct torc_queue *queue, void *area, const uint64_t *pfns, uint32_t pages,
			 uint32_t index, void (*failed)(const struct torc_batch_op *op))
{
	uint32_t value_pages = pages / 4 ? pages / 4 : 1;
	uint32_t op_pages = pages - value_pages;
	int64_t result;
	uint32_t i;

	if (pages < 2 || index + pages > TORC_BATCH_PAGES)
		return TORC_EINVAL;
	for (i = 0; i < pages; i++) {
		result = torc_batch_register(index + i, pfns[i]);
		if (result < 0)
			return result;
	}
	*queue = (struct torc_queue){
		.area = area,
		.first = index * TORC_BATCH_OPS_PER_PAGE,
		.limit = op_pages * TORC_BATCH_OPS_PER_PAGE,
		.values = (uint64_t *)((uint8_t *)area + op_pages * TORC_PAGE_SIZE),
		.values_offset = (uint64_t)(index + op_pages) * TORC_PAGE_SIZE,
		.values_limit = value_pages * (TORC_PAGE_SIZE / ENTRY_SIZE),
		.failed = failed,
	};
	return TORC_OK;
}

/* Runs operations 0..used-1; a call that stops half-way is repeated: progress is in the area. */
static int64_t run(struct torc_queue *queue)
{
	int64_t result;

	do {
		result = torc_batch(queue->first, queue->used);
	} while (result == TORC_EAGAIN);
	return result;
}

static void forget(struct torc_queue *queue)
{
	queue->used = 0;
	queue->values_used = 0;
	queue->others = 0;
	queue->table = TORC_INVALID_FRAME;
	queue->low = 0;
	queue->high = 0;
}

uint32_t torc_queue_drain(struct torc_queue *queue)
{
	uint32_t failures = 0;
	uint32_t i;

	if (queue->used && run(queue) != TORC_OK) {
		for (i = 0; i < queue->used; i++) {
			if ((queue->area[i].flags & TORC_BATCH_DONE) && queue->area[i].status >= 0)
				continue;
			failures++;
			if (queue->failed)
				queue->failed(&queue->area[i]);
		}
	}
	forget(queue);
	return failures;
}

/* Notes that an operation on @count entries from @entry waits. */
static inline void touch(struct torc_queue *queue, uint64_t entry, uint32_t count)
{
	uint64_t table = entry & TABLE_MASK;
	uint64_t end = entry + count * ENTRY_SIZE;

	if (table != queue->table) {
		if (queue->high)
			queue->others |= 1ULL << (queue->table >> TORC_PAGE_SHIFT) % 64;
		queue->table = table;
		queue->low = entry;
		queue->high = end;
		return;
	}
	if (entry < queue->low)
		queue->low = entry;
	if (end > queue->high)
		queue->high = end;
}

static struct torc_batch_op *append(struct torc_queue *queue, uint8_t code, uint64_t entry,
				    uint64_t value, uint64_t old, uint16_t count)
{
	struct torc_batch_op *op;

	if (torc_unlikely(queue->used == queue->limit))
		torc_queue_drain(queue);
	op = &queue->area[queue->used++];
	op->op = code;
	op->flags = 0;
	op->count = count;
	op->done = 0;
	op->status = 0;
	op->entry = entry;
	op->value = value;
	op->old = old;
	return op;
}

/* The last operation, if it is a @code whose range ends just before @entry in the same table. */
static inline struct torc_batch_op *neighbour(struct torc_queue *queue, uint8_t code,
					      uint64_t entry)
{
	struct torc_batch_op *last = &queue->area[queue->used - 1];

	if (!queue->used || last->op != code || entry % TORC_PAGE_SIZE == 0 ||
	    last->entry + (uint64_t)last->count * ENTRY_SIZE != entry)
		return NULL;
	return last;
}

static inline void finish(struct torc_queue *queue)
{
	if (!queue->lazy)
		torc_queue_drain(queue);
}

void torc_queue_clear(struct torc_queue *queue, uint64_t entry)
{
	struct torc_batch_op *last = neighbour(queue, TORC_OP_CLEAR, entry);

	if (last)
		last->count++;
	else
		append(queue, TORC_OP_CLEAR, entry, 0, 0, 1);
	touch(queue, entry, 1);
	finish(queue);
}

void torc_queue_clear_bits(struct torc_queue *queue, uint64_t entry, uint64_t bits)
{
	struct torc_batch_op *last = neighbour(queue, TORC_OP_CLEAR_BITS, entry);

	if (last && last->value == bits)
		last->count++;
	else
		append(queue, TORC_OP_CLEAR_BITS, entry, bits, 0, 1);
	touch(queue, entry, 1);
	finish(queue);
}

/* Puts one more value behind the FILL that ends just before @entry; 0 if it cannot. */
static int extend_fill(struct torc_queue *queue, uint64_t entry, uint64_t value)
{
	struct torc_batch_op *last = neighbour(queue, TORC_OP_FILL, entry);

	if (!last) {
		last = neighbour(queue, TORC_OP_SET, entry);
		if (!last || queue->values_used + 2 > queue->values_limit)
			return 0;
		last->op = TORC_OP_FILL;
		last->old = queue->values_offset + (uint64_t)queue->values_used * ENTRY_SIZE;
		queue->values[queue->values_used++] = last->value;
		last->value = 0;
	}
	if (queue->values_used == queue->values_limit)
		return 0;
	queue->values[queue->values_used++] = value;
	last->count++;
	return 1;
}

void torc_queue_set(struct torc_queue *queue, uint64_t entry, uint64_t value)
{
	if (!extend_fill(queue, entry, value))
		append(queue, TORC_OP_SET, entry, value, 0, 1);
	touch(queue, entry, 1);
	finish(queue);
}

void torc_queue_set_keep(struct torc_queue *queue, uint64_t entry, uint64_t value)
{
	append(queue, TORC_OP_SET_KEEP, entry, value, 0, 1);
	touch(queue, entry, 1);
	finish(queue);
}

/* Operations whose `entry` is a table entry, as against a page address or nothing. */
static inline int names_entry(uint8_t code)
{
	return code >= TORC_OP_SET && code <= TORC_OP_FILL;
}

void torc_queue_add(struct torc_queue *queue, uint8_t op, uint64_t entry, uint64_t value,
		    uint64_t old, uint16_t count)
{
	append(queue, op, entry, value, old, count);
	if (names_entry(op))
		touch(queue, entry, count);
	finish(queue);
}

int64_t torc_queue_now(struct torc_queue *queue, uint8_t op, uint64_t entry, uint64_t value,
		       uint64_t *old, uint16_t count)
{
	struct torc_batch_op *own;
	int64_t result;

	torc_queue_drain(queue);
	own = append(queue, op, entry, value, old ? *old : 0, count);
	result = run(queue);
	if (result >= 0)
		result = own->status;
	if (old)
		*old = own->old;
	forget(queue);
	return result;
}
