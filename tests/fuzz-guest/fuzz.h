/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypercall fuzzer.
 *
 * Each worker, one a vCPU, makes one call after the other: it draws a call, makes arguments for it
 * that should be accepted, and in one case of four changes one of them into something else: a
 * boundary, a flipped bit, another object. All draws come from the worker's own generator, so that
 * one worker with the same seed makes the same calls as long as time goes the same
 * (torc-run --icount).
 *
 * The fuzzer survives its own calls by four kinds of page (pages.c): of its own pages none can
 * become a table or be written by the hypervisor, and the entries of its own tables and roots that
 * it lives by are named by no operation. All else, the arena, anything may happen to.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "guest.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define WORKERS 8
#define CALLS 128
#define ENTRIES 512
#define ARENA_PAGES 96
#define ROOTS 4 /* level-4 tables that map the kernel */
#define CHUNKS 2 /* of 512 pages, that are given back and taken again */
#define CHUNK_PAGES 512

/* The batch area of a worker: operations, values, and pages that come and go. */
#define OP_PAGES 3
#define VALUE_PAGE 3
#define SPARE_PAGES 4
#define OPS (OP_PAGES * TORC_BATCH_OPS_PER_PAGE)

/* What may happen to a page. */
enum use {
	USE_OWN, /* nothing: it is mapped writable twice, so it never becomes a table */
	USE_TABLE, /* it is a table that this kernel lives by */
	USE_ROOT, /* it is a level-4 table, or as good as one: slots SLOT_FREE only */
	USE_ARENA, /* anything */
	USE_CHUNK, /* it may not be there */
};

/* Slots of roots that are free for all: below them and above stands what this kernel needs. */
#define SLOT_FREE_FIRST 1
#define SLOT_FREE_LAST 200

struct tally {
	uint64_t accepted, refused;
};

/**
 * struct worker - what a vCPU fuzzes with
 * @random: state of its generator
 * @made: calls made
 * @digest: of all arguments but times: two runs with the same seed have the same
 * @ops: @values: its batch area, @area_pfn: pages of it
 * @present: bit i: page i of the area is one that operations may stand in
 * @vcpu_pfn: two pages between which its vCPU page moves, @which: where it is
 * @state: a page for states and parameters, @state_pfn: its number
 * @call: @op: @copy: @memory: how its calls and operations ended, by number
 */
struct worker {
	uint32_t number;
	uint64_t random, made, digest;
	struct torc_batch_op *ops;
	uint64_t *values;
	uint64_t area_pfn[TORC_BATCH_PAGES];
	uint32_t present;
	uint64_t vcpu_pfn[2];
	uint32_t which;
	void *state;
	uint64_t state_pfn;
	struct tally call[CALLS], op[TORC_OP_COUNT + 1], copy, memory[2];
};

#define CAN_STOP 1 /* TORC_EAGAIN may mean: call again */
#define NEVER_REFUSED 2
#define NEVER_ACCEPTED 4

/**
 * struct call - how a call is fuzzed
 * @weight: how often, compared with the others
 * @arguments: how many it has
 * @make: makes arguments, all 0 before; false: not now
 * @safe: may it be called with these, changed ones? NULL: with any
 * @after: learns what came out, or NULL
 */
struct call {
	uint8_t weight, arguments, flags;
	bool (*make)(struct worker *worker, uint64_t *a);
	bool (*safe)(struct worker *worker, const uint64_t *a);
	void (*after)(struct worker *worker, const uint64_t *a, int64_t result);
};

/* By number, each file its own; a call that none has is reported. */
extern const struct call vcpu_calls[CALLS], memory_calls[CALLS], talk_calls[CALLS],
	domain_calls[CALLS];

/* values.c */
uint64_t draw(struct worker *worker);
uint64_t below(struct worker *worker, uint64_t limit);
bool once_in(struct worker *worker, uint64_t times);
uint64_t boundary(struct worker *worker); /* a number where ranges often end */
uint64_t mutate(struct worker *worker, uint64_t value);

/* pages.c */
extern uint64_t arena[ARENA_PAGES], roots[ROOTS], chunks[CHUNKS];
extern uint8_t hint[ARENA_PAGES]; /* level of the table that a page of the arena last became */

void pages_begin(void);
enum use page_use(uint64_t pfn); /* USE_OWN for numbers beyond the domain's pages too */
bool page_exists(uint64_t pfn);
uint64_t arena_page(struct worker *worker);
uint64_t any_page(struct worker *worker);
bool page_writable(uint64_t pfn); /* may the hypervisor be asked to write to it? */
uint64_t own_entry(uint64_t address, uint32_t level); /* of this kernel's own tables, as a gpa */
void scribble(struct worker *worker, uint64_t pfn); /* entries of tables, by plain stores */

/* entries.c: values for tables, and the operations of batches */
uint64_t make_entry(struct worker *worker, uint32_t level);
void make_op(struct worker *worker, struct torc_batch_op *op);
bool op_safe(const struct torc_batch_op *op);

/* talk.c */
void talk_begin(void);

/* domains.c */
extern uint32_t domains_known[2]; /* this domain and the one beside it */
extern uint32_t domains_first; /* ids from 1 on that the machine starts with: not to be touched */

void domains_begin(void);
void domains_end(struct worker *worker);
uint64_t any_domain(struct worker *worker);

/* vcpus.c */
void vcpus_begin(void);
void worker_begin(struct worker *worker);
extern uint32_t worker_count;

#endif
