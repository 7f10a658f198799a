/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The fuzzer's life. Words of its command line:
 *
 *	seed=N		of the first worker's generator; the others' are made from it (default 1)
 *	count=N		calls that each worker makes (default: no end)
 *	seconds=N	how long (default: no end; without both: 10)
 *	workers=N	vCPUs that make calls (default 1); those above them are spares
 *	beside=N	id of the domain to talk to (default: its own)
 *	domains=N	domains that the machine starts with (default 1)
 *	strict		it is a failure if a call was never accepted, or never refused
 */
#include "fuzz.h"

static const char *const names[CALLS] = {
#include "names.h"
};

static const struct call *const tables[] = { vcpu_calls, memory_calls, talk_calls, domain_calls };

static struct worker *workers[WORKERS];
static uint64_t count_limit, end_ns;
static bool strict;
static const struct call *calls[CALLS];
static uint32_t weights;

/* The value of a word "KEY=NUMBER" of the command line. */
static uint64_t option(const char *key, uint64_t missing)
{
	const char *at = guest_start->cmdline ? guest_linear(guest_start->cmdline) : "";
	size_t length = strlen(key);
	uint64_t value = 0;

	for (; *at; at++) {
		if (memcmp(at, key, length))
			continue;
		if (at[length] != '=')
			return 1;
		for (at += length + 1; *at >= '0' && *at <= '9'; at++)
			value = value * 10 + (*at - '0');
		return value;
	}
	return missing;
}

static void find_calls(void)
{
	uint32_t number, table;

	for (number = 0; number < CALLS; number++) {
		for (table = 0; table < ARRAY_SIZE(tables); table++)
			if (tables[table][number].make)
				calls[number] = &tables[table][number];
		if (calls[number])
			weights += calls[number]->weight;
	}
}

static uint32_t draw_call(struct worker *worker)
{
	uint64_t at = below(worker, weights);
	uint32_t number;

	for (number = 0;; number++) {
		if (!calls[number])
			continue;
		if (at < calls[number]->weight)
			return number;
		at -= calls[number]->weight;
	}
}

static void count(struct tally *tally, int64_t result)
{
	if (result >= 0)
		tally->accepted++;
	else
		tally->refused++;
}

/* Calls again what stopped half-way, but not for ever: another worker may keep it so. */
static int64_t call(uint32_t number, const uint64_t *a)
{
	int64_t result;
	uint32_t tries = 0;
	uint64_t rdx;

	do {
		result = torc_call(number, a[0], a[1], a[2], a[3], &rdx);
	} while (result == TORC_EAGAIN && (calls[number]->flags & CAN_STOP) && ++tries < 10000);
	return result;
}

static void one_call(struct worker *worker)
{
	uint32_t number = draw_call(worker), i;
	const struct call *how = calls[number];
	uint64_t a[4] = { 0 }, changed[4];
	int64_t result;

	if (!how->make(worker, a))
		return;
	if (how->arguments && once_in(worker, 4)) {
		memcpy(changed, a, sizeof(a));
		i = below(worker, how->arguments);
		changed[i] = mutate(worker, a[i]);
		if (!how->safe || how->safe(worker, changed))
			memcpy(a, changed, sizeof(a));
	}
	if (how->safe && !how->safe(worker, a))
		return;
	worker->made++;
	for (i = 0; i < 4 && number != TORC_HC_SET_TIMER; i++)
		worker->digest = (worker->digest ^ a[i]) * 0x100000001b3 + number;
	result = call(number, a);
	count(&worker->call[number], result);
	if (how->after)
		how->after(worker, a, result);
}

/* A number that the table does not have, now and then. */
static void no_call(struct worker *worker)
{
	uint64_t number = boundary(worker);

	if ((number < CALLS && calls[number]) || (uint32_t)number != number)
		return;
	if (torc_call(number, draw(worker), draw(worker), draw(worker), draw(worker), NULL) !=
	    TORC_ENOSYS)
		guest_crash("a call that does not exist was accepted", NULL);
}

static void work(void *argument)
{
	struct worker *worker = argument;

	worker_begin(worker);
	while ((!count_limit || worker->made < count_limit) &&
	       (!end_ns || torc_clock_ns(TORC_CLOCK) < end_ns)) {
		one_call(worker);
		if (once_in(worker, 64))
			no_call(worker);
		torc_irq_on();
		torc_irq_off();
	}
}

static uint64_t pfn_of(const void *page)
{
	return guest_linear_gpa(page) >> TORC_PAGE_SHIFT;
}

static struct worker *make_worker(uint32_t number, uint64_t seed)
{
	struct worker *worker = guest_pages((sizeof(*worker) + 4095) / TORC_PAGE_SIZE);
	uint8_t *area = guest_pages(TORC_BATCH_PAGES);
	uint32_t i;

	worker->number = number;
	worker->random = (seed + 1) * 0x9e3779b97f4a7c15 + number * 0xbf58476d1ce4e5b9;
	worker->ops = (struct torc_batch_op *)area;
	worker->values = (uint64_t *)(area + VALUE_PAGE * TORC_PAGE_SIZE);
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		worker->area_pfn[i] = pfn_of(area) + i;
	worker->vcpu_pfn[0] = guest_page();
	worker->vcpu_pfn[1] = guest_page();
	worker->state = guest_pages(1);
	worker->state_pfn = pfn_of(worker->state);
	return worker;
}

static void add(struct tally *to, const struct tally *from)
{
	to->accepted += from->accepted;
	to->refused += from->refused;
}

static void show(const char *what, uint64_t number, const struct tally *tally)
{
	if (tally->accepted || tally->refused)
		printf("%-20s %3lu %9lu accepted %9lu refused\n", what, number, tally->accepted,
		       tally->refused);
}

static void show_operations(void)
{
	static const char *const ops[TORC_OP_COUNT + 1] = {
		"nop", "set", "set_keep", "exchange", "compare_exchange", "clear", "clear_bits",
		"fill", "pin", "unpin", "new_root", "flush_page", "flush_range", "flush_all", "none"
	};
	struct tally op[TORC_OP_COUNT + 1] = { 0 }, copy = { 0 }, memory[2] = { 0 };
	uint32_t i, n;

	for (i = 0; i < worker_count; i++) {
		for (n = 0; n <= TORC_OP_COUNT; n++)
			add(&op[n], &workers[i]->op[n]);
		add(&copy, &workers[i]->copy);
		add(&memory[0], &workers[i]->memory[0]);
		add(&memory[1], &workers[i]->memory[1]);
	}
	for (n = 0; n <= TORC_OP_COUNT; n++)
		show(ops[n], n, &op[n]);
	show("copy", 0, &copy);
	show("memory read", 0, &memory[0]);
	show("memory write", 0, &memory[1]);
}

/* What a call should have shown and has not, or NULL. */
static const char *missing(uint32_t number, const struct tally *tally)
{
	if (!calls[number])
		return "is not known to the fuzzer";
	if (!tally->accepted && !(calls[number]->flags & NEVER_ACCEPTED))
		return "was never accepted";
	if (!tally->refused && !(calls[number]->flags & NEVER_REFUSED))
		return "was never refused";
	return NULL;
}

static bool show_calls(void)
{
	struct tally sum[CALLS] = { 0 }, all = { 0 };
	bool complete = true;
	uint32_t number, i;

	for (number = 0; number < CALLS; number++) {
		for (i = 0; i < worker_count; i++)
			add(&sum[number], &workers[i]->call[number]);
		add(&all, &sum[number]);
		if (!names[number] || *names[number] == '-')
			continue;
		show(names[number], number, &sum[number]);
		if (!missing(number, &sum[number]))
			continue;
		printf("%s %s\n", names[number], missing(number, &sum[number]));
		complete = false;
	}
	printf("fuzz: %lu calls, %lu %% accepted\n", all.accepted + all.refused,
	       all.accepted * 100 / (all.accepted + all.refused + 1));
	return complete && all.accepted * 100 >= (all.accepted + all.refused) * 30;
}

/* A breakpoint that this kernel set somewhere. */
static bool ignore_debug(struct guest_regs *regs)
{
	return regs->vector == 1;
}

void guest_event(uint32_t port)
{
	(void)port;
}

static void begin(void)
{
	uint64_t seed = option("seed", 1), seconds = option("seconds", 0);
	uint32_t i;

	count_limit = option("count", 0);
	if (!count_limit && !seconds)
		seconds = 10;
	worker_count = option("workers", 1);
	domains_known[0] = guest_start->domain;
	domains_known[1] = option("beside", guest_start->domain);
	domains_first = option("domains", 1);
	strict = option("strict", 0);
	if (worker_count > WORKERS || worker_count > guest_start->vcpus)
		guest_crash("too many workers", NULL);
	guest_trap_hook = ignore_debug;
	find_calls();
	pages_begin();
	vcpus_begin();
	talk_begin();
	domains_begin();
	for (i = 0; i < worker_count; i++)
		workers[i] = make_worker(i, seed);
	if (seconds)
		end_ns = torc_clock_ns(TORC_CLOCK) + seconds * 1000000000;
	printf("fuzz: seed %lu, %u workers\n", seed, worker_count);
}

int main(void)
{
	bool complete;
	uint32_t i;

	begin();
	for (i = 1; i < worker_count; i++)
		if (guest_vcpu_start(i, work, workers[i]) != TORC_OK)
			guest_crash("cannot start a worker", NULL);
	work(workers[0]);
	for (i = 1; i < worker_count; i++)
		guest_vcpu_wait(i);
	domains_end(workers[0]);
	show_operations();
	complete = show_calls();
	printf("fuzz: digest 0x%lx\n", workers[0]->digest);
	printf(complete || !strict ? "VERDICT: success\n" : "VERDICT: failure incomplete\n");
	guest_flush_console();
	torc_end(TORC_SHUTDOWN_POWEROFF, 0);
}
