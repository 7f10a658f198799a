/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file queue.h
 * A queue of page-table operations in front of the batch hypercall.
 *
 * Outside a lazy section every operation is carried out before its function returns. Inside one
 * (torc_queue_lazy_begin .. torc_queue_lazy_end) operations collect until the section ends, the
 * batch area is full, or something must be known at once. Neighbours merge: CLEARs and CLEAR_BITS
 * of consecutive entries become one operation with a count, SETs of consecutive entries become a
 * FILL whose values stand in the batch area.
 *
 * Rules for the kernel:
 *  - A queue belongs to one context of one vCPU. Interrupt handlers that change tables use another
 *    queue (batch areas can be divided), or interrupts stay off around a queue's functions.
 *  - An entry that may have an operation waiting is read by torc_queue_read(), which drains first.
 *  - An operation may wait only where no other vCPU can use the address space; the queue is
 *    drained before a lock that protects the tables is dropped and before a thread switch.
 *
 * What is waiting is known by two rules of thumb that err on the safe side: the exact span of
 * entries in the table touched last, and one bit for each 64th table touched before that.
 */
#ifndef TORC_QUEUE_H
#define TORC_QUEUE_H

#include <torc/self.h>
#include <torc/pte.h>

/**
 * struct torc_queue - operations that wait for one batch hypercall
 * @area: first operation of the queue's part of the batch area, as the kernel maps it
 * @first: index of that operation within the vCPU's batch area
 * @limit: operations that fit
 * @values: where the values of FILLs stand, as the kernel maps it
 * @values_offset: byte offset of @values within the vCPU's batch area
 * @values_limit: values that fit
 * @used: operations waiting
 * @values_used: values waiting
 * @lazy: depth of lazy sections
 * @table: guest-physical address of the table touched last
 * @low: @high: guest-physical span of its entries that have an operation waiting
 * @others: bit n: a table whose pfn % 64 is n has an operation waiting
 * @failed: called for each operation that the hypervisor refused
 */
struct torc_queue {
	struct torc_batch_op *area;
	uint32_t first;
	uint32_t limit;
	uint64_t *values;
	uint64_t values_offset;
	uint32_t values_limit;
	uint32_t used;
	uint32_t values_used;
	uint32_t lazy;
	uint64_t table;
	uint64_t low;
	uint64_t high;
	uint64_t others;
	void (*failed)(const struct torc_batch_op *op);
};

/**
 * torc_queue_setup() - registers pages as batch area and makes a queue of them
 * @queue: the queue
 * @area: the pages, as the kernel maps them, one behind the other
 * @pfns: their page numbers
 * @pages: 2..TORC_BATCH_PAGES; a quarter of them, at least one, holds values of FILLs
 * @index: index of the first page within the vCPU's batch area
 * @failed: called for each operation that the hypervisor refused
 *
 * Return: TORC_OK, or the error of batch_register.
 */
int64_t torc_queue_setup(struct torc_queue *queue, void *area, const uint64_t *pfns, uint32_t pages,
			 uint32_t index, void (*failed)(const struct torc_batch_op *op));

/**
 * torc_queue_drain() - carries out everything that waits
 *
 * Return: how many operations were refused; each has been shown to queue->failed.
 */
uint32_t torc_queue_drain(struct torc_queue *queue);

/**
 * torc_queue_set() - entry = value
 * @entry: guest-physical address of the entry
 * @value: complete entry, see torc_pte_make()
 */
void torc_queue_set(struct torc_queue *queue, uint64_t entry, uint64_t value);

/** torc_queue_set_keep() - entry = value, but A and D stay if it names the same frame */
void torc_queue_set_keep(struct torc_queue *queue, uint64_t entry, uint64_t value);

/** torc_queue_clear() - entry = 0 */
void torc_queue_clear(struct torc_queue *queue, uint64_t entry);

/** torc_queue_clear_bits() - takes W, A or D out of a present entry */
void torc_queue_clear_bits(struct torc_queue *queue, uint64_t entry, uint64_t bits);

/**
 * torc_queue_add() - any other operation
 * @op: TORC_OP_*; pin, unpin, new root and flushes keep their order with what waits already
 * @entry: @value: @old: as the operation says
 * @count: as the operation says, 1 if it has no range
 */
void torc_queue_add(struct torc_queue *queue, uint8_t op, uint64_t entry, uint64_t value,
		    uint64_t old, uint16_t count);

/**
 * torc_queue_now() - one operation, at once, behind everything that waits
 * @old: expected value in, old entry out (EXCHANGE, COMPARE_EXCHANGE), or NULL
 *
 * Return: the operation's own status; @queue->failed is not called for it.
 */
int64_t torc_queue_now(struct torc_queue *queue, uint8_t op, uint64_t entry, uint64_t value,
		       uint64_t *old, uint16_t count);

/** torc_queue_waits() - an operation on this entry may be waiting */
static inline int torc_queue_waits(const struct torc_queue *queue, uint64_t entry)
{
	if (!queue->used)
		return 0;
	if (queue->others >> (entry >> TORC_PAGE_SHIFT) % 64 & 1)
		return 1;
	return entry >= queue->low && entry < queue->high;
}

/**
 * torc_queue_read() - the entry as it is behind everything that waits
 * @pointer: the entry, as the kernel maps it
 * @entry: its guest-physical address
 *
 * Return: contents, for torc_pte_read() or torc_pte_fold().
 */
static inline uint64_t torc_queue_read(struct torc_queue *queue, const volatile uint64_t *pointer,
				       uint64_t entry)
{
	if (torc_queue_waits(queue, entry))
		torc_queue_drain(queue);
	return *pointer;
}

/**
 * torc_queue_take() - reads an entry and clears it
 *
 * For address spaces that no other vCPU uses: the hardware does not change A and D between the
 * two then. Otherwise use torc_queue_now() with TORC_OP_EXCHANGE.
 */
static inline uint64_t torc_queue_take(struct torc_queue *queue, const volatile uint64_t *pointer,
				       uint64_t entry)
{
	uint64_t raw = torc_queue_read(queue, pointer, entry);

	torc_queue_clear(queue, entry);
	return raw;
}

/** torc_queue_lazy_begin() - lets operations wait; sections nest */
static inline void torc_queue_lazy_begin(struct torc_queue *queue)
{
	queue->lazy++;
}

/** torc_queue_lazy_end() - ends a section; the outermost drains */
static inline void torc_queue_lazy_end(struct torc_queue *queue)
{
	if (--queue->lazy == 0 && queue->used)
		torc_queue_drain(queue);
}

#endif
