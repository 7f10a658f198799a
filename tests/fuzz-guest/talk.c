/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Events and grants, with this domain itself, with the one beside it and with those it made.
 *
 * Both fuzzers take the same few numbers for ports and grants, so that they find each other's.
 */
#include "fuzz.h"

#define PORTS 48 /* from TORC_PORT_FIRST_FREE on, that are in use mostly */
#define GRANT_TABLES 2 /* pages that stay registered */
#define GRANTS 16 /* in use of each */

static volatile uint64_t *grants[GRANT_TABLES]; /* of this domain */

static uint64_t any_port(struct worker *worker)
{
	return TORC_PORT_FIRST_FREE + below(worker, PORTS);
}

static bool bind_make(struct worker *worker, uint64_t *a)
{
	static const uint8_t kinds[] = { TORC_EVENT_UNBOUND, TORC_EVENT_UNBOUND,
					 TORC_EVENT_INTERDOMAIN, TORC_EVENT_INTERDOMAIN,
					 TORC_EVENT_INTERDOMAIN, TORC_EVENT_IPI, TORC_EVENT_VIRQ,
					 TORC_EVENT_PIRQ };

	a[0] = kinds[below(worker, sizeof(kinds))];
	if (a[0] == TORC_EVENT_IPI)
		a[1] = below(worker, worker_count);
	else if (a[0] == TORC_EVENT_PIRQ)
		a[1] = below(worker, 24) |
		       (draw(worker) & (TORC_PIRQ_LEVEL | TORC_PIRQ_ACTIVE_LOW));
	else if (a[0] != TORC_EVENT_VIRQ)
		a[1] = once_in(worker, 4) ? any_domain(worker) : domains_known[below(worker, 2)];
	a[2] = any_port(worker);
	return true;
}

static bool port_make(struct worker *worker, uint64_t *a)
{
	a[0] = any_port(worker);
	return true;
}

static bool move_make(struct worker *worker, uint64_t *a)
{
	a[0] = any_port(worker);
	a[1] = below(worker, worker_count);
	return true;
}

/* A page of the arena, or one that is not there, for the domain beside, itself or any. */
static void write_grant(struct worker *worker)
{
	uint64_t pfn = once_in(worker, 8) ? boundary(worker) : arena_page(worker);
	uint64_t domain = once_in(worker, 4) ? any_domain(worker) : domains_known[below(worker, 2)];

	if (pfn < guest_start->pages && page_use(pfn) != USE_ARENA)
		pfn = arena_page(worker);
	grants[below(worker, GRANT_TABLES)][below(worker, GRANTS)] =
		domain << TORC_GRANT_DOMAIN_SHIFT |
		(pfn & TORC_GRANT_PFN_MASK) << TORC_GRANT_PFN_SHIFT |
		(once_in(worker, 2) ? 7 : below(worker, 16));
}

static uint64_t any_grant(struct worker *worker)
{
	return below(worker, GRANT_TABLES) * TORC_GRANTS_PER_PAGE + below(worker, GRANTS);
}

/* Only pages of the arena are written; what is read may be any. */
static bool copy_safe(const struct torc_copy_op *op)
{
	return op->target_domain != TORC_DOMAIN_NONE || page_writable(op->target);
}

static void make_copy(struct worker *worker, struct torc_copy_op *op)
{
	struct torc_copy_op changed;
	uint64_t *word = (uint64_t *)&changed;

	*op = (struct torc_copy_op){
		.source_offset = below(worker, 2048),
		.target_offset = below(worker, 2048),
		.bytes = 1 + below(worker, 2048),
		.source = any_page(worker),
		.target = arena_page(worker),
	};
	if (!once_in(worker, 3)) {
		op->source_domain = domains_known[below(worker, 2)];
		op->source = any_grant(worker);
	}
	if (!once_in(worker, 3)) {
		op->target_domain = domains_known[below(worker, 2)];
		op->target = any_grant(worker);
	}
	changed = *op;
	if (once_in(worker, 4))
		word[below(worker, 4)] ^= 1UL << below(worker, 64);
	if (copy_safe(&changed))
		*op = changed;
}

static bool copies_make(struct worker *worker, uint64_t *a)
{
	uint64_t i;

	write_grant(worker);
	a[1] = 1 + below(worker, once_in(worker, 16) ? OPS : 6);
	a[0] = below(worker, OPS - a[1] + 1);
	for (i = a[0]; i < a[0] + a[1]; i++)
		make_copy(worker, (struct torc_copy_op *)&worker->ops[i]);
	return true;
}

static bool copies_safe(struct worker *worker, const uint64_t *a)
{
	uint64_t i;

	if (a[0] > TORC_BATCH_MAX_OPS || a[1] > TORC_BATCH_MAX_OPS)
		return true;
	for (i = a[0]; i < a[0] + a[1] && i < TORC_BATCH_MAX_OPS; i++) {
		if (!(worker->present >> (i / TORC_BATCH_OPS_PER_PAGE) & 1))
			continue;
		if (i >= OPS || !copy_safe((struct torc_copy_op *)&worker->ops[i]))
			return false;
	}
	return true;
}

static void copies_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	const struct torc_copy_op *op;
	uint64_t i;

	for (i = a[0]; result >= 0 && i < a[0] + a[1] && i < OPS; i++) {
		op = (struct torc_copy_op *)&worker->ops[i];
		if (op->status == TORC_OK)
			worker->copy.accepted++;
		else
			worker->copy.refused++;
	}
}

static bool table_make(struct worker *worker, uint64_t *a)
{
	a[0] = GRANT_TABLES + below(worker, TORC_GRANT_PAGES - GRANT_TABLES);
	a[1] = once_in(worker, 3) ? TORC_INVALID_FRAME : arena_page(worker);
	return true;
}

static bool table_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return a[0] >= GRANT_TABLES;
}

static bool ring_make(struct worker *worker, uint64_t *a)
{
	write_grant(worker);
	a[0] = domains_known[1];
	a[1] = any_grant(worker);
	return true;
}

/* What is shown is written to as well: it may be the other domain's table one day. */
static void ring_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	(void)a;
	if (result >= 0)
		guest_probe_write(TORC_WINDOW_RINGS + result * TORC_PAGE_SIZE +
				  below(worker, TORC_PAGE_SIZE));
}

static bool slot_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, 8);
	return true;
}

static bool settle_make(struct worker *worker, uint64_t *a)
{
	write_grant(worker);
	a[0] = below(worker, 2);
	return true;
}

void talk_begin(void)
{
	uint32_t i;

	for (i = 0; i < GRANT_TABLES; i++) {
		grants[i] = guest_pages(1);
		if (torc_grant_register(i, guest_linear_gpa((void *)grants[i]) >>
						   TORC_PAGE_SHIFT) != TORC_OK)
			guest_crash("cannot register the grant table", NULL);
	}
}

const struct call talk_calls[CALLS] = {
	[TORC_HC_EVENT_BIND] = { 12, 3, 0, bind_make, NULL, NULL },
	[TORC_HC_EVENT_SEND] = { 12, 1, 0, port_make, NULL, NULL },
	[TORC_HC_EVENT_CLOSE] = { 12, 1, 0, port_make, NULL, NULL },
	[TORC_HC_EVENT_MOVE] = { 6, 2, 0, move_make, NULL, NULL },
	[TORC_HC_EVENT_REARM] = { 6, 1, 0, port_make, NULL, NULL },
	[TORC_HC_GRANT_COPY] = { 40, 2, CAN_STOP, copies_make, copies_safe, copies_after },
	[TORC_HC_GRANT_REGISTER] = { 4, 2, 0, table_make, table_safe, NULL },
	[TORC_HC_GRANT_MAP_RING] = { 8, 2, 0, ring_make, NULL, ring_after },
	[TORC_HC_GRANT_UNMAP_RING] = { 8, 1, 0, slot_make, NULL, NULL },
	[TORC_HC_GRANT_SETTLE] = { 4, 1, 0, settle_make, NULL, NULL },
};
