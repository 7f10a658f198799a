/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Calls on other domains, by one that has all privileges: small domains are made, their memory
 * written, a vCPU started with a state that may be changed anyhow, and ended. What stands
 * beside this domain from the start is read only.
 */
#include <torc/control.h>
#include <torc/manage.h>
#include <torc/observe.h>
#include <torc/state.h>
#include "fuzz.h"

#define CHILDREN 3
#define CHILD_PAGES 512
#define CHILD_LINEAR GUEST_LINEAR_BASE

/* Where a child has what, as pfns. */
enum { CHILD_L4 = 1, CHILD_L3, CHILD_L2, CHILD_L1, CHILD_CODE, CHILD_STACK, CHILD_VCPU,
       CHILD_CONSOLE, CHILD_TIME };
#define CHILD_WRITTEN (CHILD_CODE - CHILD_L4 + 1) /* pages that are written */

struct child {
	uint32_t id; /* 0: none */
	bool written, started;
};

uint32_t domains_known[2];
uint32_t domains_first;
static struct child children[CHILDREN];
static uint64_t image[CHILD_WRITTEN]; /* pfns of this domain: the child's pages */
static struct torc_vcpu_state *child_state;
static uint32_t children_made;

/* Yields some times and shuts down: mov rcx, CALL_PAGE; mov eax, NUMBER; call rcx. */
__asm__(".pushsection .rodata\n"
	"child_code:\n"
	"	mov	$20, %ebx\n"
	"1:	movabs	$0xffff800000002000, %rcx\n"
	"	mov	$3, %eax\n"
	"	call	*%rcx\n"
	"	dec	%ebx\n"
	"	jnz	1b\n"
	"	movabs	$0xffff800000002000, %rcx\n"
	"	xor	%edi, %edi\n"
	"	xor	%esi, %esi\n"
	"	mov	$5, %eax\n"
	"	call	*%rcx\n"
	"child_code_end:\n"
	".popsection");
extern const uint8_t child_code[], child_code_end[];

uint64_t any_domain(struct worker *worker)
{
	switch (below(worker, 4)) {
	case 0:
		return domains_known[below(worker, 2)];
	case 1:
		return below(worker, domains_first + children_made + 4);
	default:
		return children[below(worker, CHILDREN)].id;
	}
}

static struct child *any_child(struct worker *worker)
{
	return &children[below(worker, CHILDREN)];
}

/* Is it one of those that are not to be harmed? */
static bool is_elder(uint64_t id)
{
	return id <= domains_first;
}

static void number_text(char *to, uint32_t number)
{
	uint32_t digits = 1, left = number;

	while (left /= 10)
		digits++;
	for (to[digits] = 0; digits--; number /= 10)
		to[digits] = '0' + number % 10;
}

static void change_parameters(struct worker *worker, struct torc_domain_create *want)
{
	switch (below(worker, 9)) {
	case 0: want->size = mutate(worker, want->size); break;
	case 1: want->vcpus = below(worker, 40); break;
	case 2: want->pages = mutate(worker, want->pages); break;
	case 3: want->max_pages = 512 * below(worker, 64); break;
	case 4: want->privileges = draw(worker) & 0xff; break;
	case 5: want->linear_base = mutate(worker, want->linear_base); break;
	case 6: want->console_ring = mutate(worker, want->console_ring); break;
	case 7: want->time_page = mutate(worker, want->time_page); break;
	default: want->name[below(worker, sizeof(want->name))] = draw(worker);
	}
	/* More would only take the machine's memory. */
	if (want->pages > CHILD_PAGES * 2 || want->max_pages > CHILD_PAGES * 64)
		want->pages = CHILD_PAGES - 1;
}

static bool create_make(struct worker *worker, uint64_t *a)
{
	struct torc_domain_create *want = worker->state;
	uint32_t i;

	for (i = 0; i < CHILDREN && children[i].id; i++)
		;
	if (i == CHILDREN)
		return false;
	*want = (struct torc_domain_create){
		.size = sizeof(*want), .vcpus = 1 + below(worker, 2),
		.pages = CHILD_PAGES, .max_pages = CHILD_PAGES * (1 + below(worker, 2)),
		.privileges = draw(worker) & 0x3f, .linear_base = CHILD_LINEAR,
		.console_ring = CHILD_CONSOLE, .time_page = CHILD_TIME,
		.name = { 'f', '0' + guest_start->domain % 10, '-', '0' + worker->number, '-' },
	};
	number_text(want->name + 5, __atomic_fetch_add(&children_made, 1, __ATOMIC_RELAXED));
	if (once_in(worker, 3))
		change_parameters(worker, want);
	a[0] = worker->state_pfn;
	return true;
}

static void create_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	uint32_t i, none = 0;

	(void)worker;
	(void)a;
	if (result < 0)
		return;
	for (i = 0; i < CHILDREN; i++, none = 0)
		if (__atomic_compare_exchange_n(&children[i].id, &none, result, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			children[i].written = children[i].started = false;
			return;
		}
	torc_domain_control(result, TORC_DOMAIN_DESTROY, 0); /* another worker was faster */
}

static bool control_make(struct worker *worker, uint64_t *a)
{
	static const uint8_t actions[] = { TORC_DOMAIN_PAUSE, TORC_DOMAIN_UNPAUSE,
					   TORC_DOMAIN_UNPAUSE, TORC_DOMAIN_REQUEST,
					   TORC_DOMAIN_TARGET, TORC_DOMAIN_DESTROY };

	a[0] = any_child(worker)->id;
	a[1] = actions[below(worker, sizeof(actions))];
	a[2] = a[1] == TORC_DOMAIN_TARGET ? below(worker, 2 * CHILD_PAGES) : below(worker, 5);
	if (once_in(worker, 16))
		a[0] = domains_known[1];
	return a[0];
}

static bool control_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return !is_elder(a[0]) || a[1] == 0 || a[1] == TORC_DOMAIN_REQUEST ||
	       a[1] == TORC_DOMAIN_TARGET || a[1] > TORC_DOMAIN_TARGET;
}

static void control_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	uint32_t i;

	(void)worker;
	for (i = 0; i < CHILDREN; i++)
		if (children[i].id == a[0] &&
		    (result == TORC_ENOENT || a[1] == TORC_DOMAIN_DESTROY))
			children[i].id = 0;
}

static bool schedule_make(struct worker *worker, uint64_t *a)
{
	a[0] = any_child(worker)->id;
	a[1] = TORC_SCHED_WEIGHT + below(worker, 3);
	a[2] = a[1] == TORC_SCHED_AFFINITY ? below(worker, 2) : 0;
	a[3] = a[1] == TORC_SCHED_AFFINITY ? 1 + below(worker, 3) : 1 + below(worker, 400);
	if (once_in(worker, 8)) {
		a[0] = TORC_DOMAIN_NONE;
		a[1] = once_in(worker, 2) ? TORC_SCHED_SLICE_NS : TORC_SCHED_PERIOD_NS;
		a[3] = TORC_SCHED_PERIOD_MIN + below(worker, 20000000);
	}
	return a[0] || a[1] >= TORC_SCHED_SLICE_NS;
}

/* The shares of those beside it stay what they are. */
static bool schedule_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return !is_elder(a[0]) || a[0] == TORC_DOMAIN_NONE;
}

static bool memory_op_safe(uint64_t domain, const struct torc_memory_op *op)
{
	if (op->op == TORC_MEMORY_READ)
		return page_writable(op->own);
	return op->op != TORC_MEMORY_WRITE || !is_elder(domain);
}

static void make_memory_op(struct worker *worker, uint64_t domain, struct torc_memory_op *op)
{
	struct torc_memory_op changed;
	uint64_t *word = (uint64_t *)&changed;

	*op = (struct torc_memory_op){
		.op = TORC_MEMORY_READ, .pfn = below(worker, 16), .own = arena_page(worker)
	};
	if (!is_elder(domain) && !once_in(worker, 3)) {
		op->op = TORC_MEMORY_WRITE;
		op->level = below(worker, 5);
		op->own = any_page(worker);
	}
	changed = *op;
	if (once_in(worker, 4))
		word[below(worker, 4)] ^= 1UL << below(worker, 64);
	if (memory_op_safe(domain, &changed))
		*op = changed;
}

/* All of a child that is new, or a few pages of any. */
static bool memory_make(struct worker *worker, uint64_t *a)
{
	struct torc_memory_op *ops = (struct torc_memory_op *)worker->ops;
	struct child *child = any_child(worker);
	uint64_t i;

	a[0] = once_in(worker, 8) ? domains_known[1] : child->id;
	if (!a[0])
		return false;
	a[2] = 1 + below(worker, 6);
	if (child->id == a[0] && !child->written) {
		a[2] = CHILD_WRITTEN;
		for (i = 0; i < CHILD_WRITTEN; i++)
			ops[i] = (struct torc_memory_op){
				.op = TORC_MEMORY_WRITE, .pfn = CHILD_L4 + i, .own = image[i],
				.level = i < 4 ? 4 - i : 0,
			};
		child->written = true;
		return true;
	}
	a[1] = below(worker, OPS - a[2]);
	for (i = a[1]; i < a[1] + a[2]; i++)
		make_memory_op(worker, a[0], &ops[i]);
	return true;
}

static bool memory_safe(struct worker *worker, const uint64_t *a)
{
	const struct torc_memory_op *ops = (struct torc_memory_op *)worker->ops;
	uint64_t i;

	if (a[1] > TORC_BATCH_MAX_OPS || a[2] > TORC_BATCH_MAX_OPS)
		return true;
	for (i = a[1]; i < a[1] + a[2] && i < TORC_BATCH_MAX_OPS; i++) {
		if (!(worker->present >> (i / TORC_BATCH_OPS_PER_PAGE) & 1))
			continue;
		if (i >= OPS || !memory_op_safe(a[0], &ops[i]))
			return false;
	}
	return true;
}

static void memory_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	const struct torc_memory_op *ops = (struct torc_memory_op *)worker->ops;
	struct tally *tally;
	uint64_t i;

	for (i = a[1]; result >= 0 && i < a[1] + a[2] && i < OPS; i++) {
		tally = &worker->memory[ops[i].op == TORC_MEMORY_WRITE];
		if (ops[i].status == TORC_OK)
			tally->accepted++;
		else
			tally->refused++;
	}
}

/* Any bit: what becomes of the child is its own affair. */
static void change_state(struct worker *worker, struct torc_vcpu_state *state)
{
	uint64_t bytes = once_in(worker, 2) ? 712 : sizeof(*state);

	((uint8_t *)state)[below(worker, bytes)] ^= 1U << below(worker, 8);
}

static bool state_make(struct worker *worker, uint64_t *a)
{
	struct child *child = any_child(worker);

	if (!child->id)
		return false;
	a[0] = child->id;
	a[2] = worker->state_pfn;
	a[3] = child->written && !child->started;
	if (a[3]) {
		memcpy(worker->state, child_state, sizeof(*child_state));
		if (once_in(worker, 2))
			change_state(worker, worker->state);
	}
	return true;
}

static bool state_safe(struct worker *worker, const uint64_t *a)
{
	if (a[3] == 1)
		return !is_elder(a[0]);
	return a[2] == worker->state_pfn || page_writable(a[2]);
}

static void state_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	uint32_t i;

	(void)worker;
	for (i = 0; i < CHILDREN; i++)
		if (children[i].id == a[0] && a[3] == 1 && result == TORC_OK)
			children[i].started = true;
}

static bool info_make(struct worker *worker, uint64_t *a)
{
	a[0] = any_domain(worker);
	a[1] = arena_page(worker);
	return true;
}

static bool info_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return page_writable(a[1]);
}

static bool observe_make(struct worker *worker, uint64_t *a)
{
	a[0] = TORC_OBSERVE_CPU + below(worker, 4);
	a[1] = a[0] == TORC_OBSERVE_DOMAIN ? any_domain(worker) : below(worker, 4);
	a[2] = arena_page(worker);
	return true;
}

static bool observe_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return page_writable(a[2]);
}

static bool trace_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, 1U << TORC_TRACE_KINDS);
	return true;
}

/* Tables of a child in canonical form: all of its memory in its linear map. */
static void make_image(void)
{
	uint64_t *page[CHILD_WRITTEN];
	uint32_t i;

	for (i = 0; i < CHILD_WRITTEN; i++) {
		page[i] = guest_pages(1);
		image[i] = guest_linear_gpa(page[i]) >> TORC_PAGE_SHIFT;
	}
	page[0][(CHILD_LINEAR >> 39) % ENTRIES] = CHILD_L3 << TORC_PAGE_SHIFT | TORC_PTE_TABLE;
	page[1][0] = CHILD_L2 << TORC_PAGE_SHIFT | TORC_PTE_TABLE;
	page[2][0] = CHILD_L1 << TORC_PAGE_SHIFT | TORC_PTE_TABLE;
	for (i = 0; i < ENTRIES; i++)
		page[3][i] = i << TORC_PAGE_SHIFT | TORC_PTE_PRESENT |
			     (i >= CHILD_L4 && i <= CHILD_L1 ? 0 : TORC_PTE_WRITE);
	memcpy(page[4], child_code, child_code_end - child_code);
}

void domains_begin(void)
{
	make_image();
	child_state = guest_pages(1);
	*child_state = (struct torc_vcpu_state){
		.size = sizeof(*child_state),
		.rip = CHILD_LINEAR + CHILD_CODE * TORC_PAGE_SIZE, .cs = TORC_SEL_KERNEL_CS,
		.rsp = CHILD_LINEAR + (CHILD_STACK + 1) * TORC_PAGE_SIZE,
		.ss = TORC_SEL_KERNEL_SS,
		.root = CHILD_L4 << TORC_PAGE_SHIFT,
		.vcpu_page = CHILD_VCPU,
	};
	memset(child_state->batch_pages, 0xff, sizeof(child_state->batch_pages));
}

/* Those that are left, this domain's and others': a paused domain would stay for ever. */
void domains_end(struct worker *worker)
{
	int64_t id = domains_first;

	while ((id = torc_domain_info(id + 1, worker->state_pfn)) >= 0)
		torc_domain_control(id, TORC_DOMAIN_DESTROY, 0);
}

const struct call domain_calls[CALLS] = {
	[TORC_HC_DOMAIN_CREATE] = { 1, 1, 0, create_make, NULL, create_after },
	[TORC_HC_DOMAIN_CONTROL] = { 6, 3, CAN_STOP, control_make, control_safe, control_after },
	[TORC_HC_DOMAIN_MEMORY] = { 8, 3, CAN_STOP, memory_make, memory_safe, memory_after },
	[TORC_HC_DOMAIN_VCPU] = { 6, 4, 0, state_make, state_safe, state_after },
	[TORC_HC_DOMAIN_SCHEDULE] = { 3, 4, 0, schedule_make, schedule_safe, NULL },
	[TORC_HC_DOMAIN_INFO] = { 3, 2, 0, info_make, info_safe, NULL },
	[TORC_HC_OBSERVE] = { 3, 3, 0, observe_make, observe_safe, NULL },
	[TORC_HC_OBSERVE_TRACE] = { 1, 1, 0, trace_make, NULL, NULL },
};
