/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What two domains pay to talk: an event to the other one and back, and 1 MiB copied by grants in
 * one batch. Beside that stands what a copy of 1 MiB costs a guest in its own memory, by whatever
 * is the quickest way on this machine.
 *
 * The command line is "peer" for the domain that answers. The other one, which is started first and
 * measures, has the number of CPUs there, for the rows' names.
 */
#include "bench.h"

#define OWNER 1 /* ids, in the order of the modules */
#define PEER 2
#define TRIPS 2000
#define ROUNDS 100
#define PAGES 256 /* 1 MiB */
#define BYTES (PAGES * TORC_PAGE_SIZE)

static uint64_t port;

/* Waits for the next event after @seen. Interrupts are off. */
static void await(uint64_t seen)
{
	while (guest_event_count[port] == seen) {
		torc_block();
		torc_irq_off();
	}
}

static uint64_t trips(uint32_t count)
{
	uint64_t start = now(), seen;

	while (count--) {
		seen = guest_event_count[port];
		torc_event_send(port);
		await(seen);
	}
	return now() - start;
}

static uint64_t copy_by_grants(uint64_t *to)
{
	volatile struct torc_copy_op *op = (volatile void *)guest_queue.area;
	uint64_t start, first = page_of(to);
	int64_t result;
	uint32_t i;

	for (i = 0; i < PAGES; i++)
		op[i] = (struct torc_copy_op){ .bytes = TORC_PAGE_SIZE, .source_domain = PEER,
					       .source = i, .target = (uint32_t)(first + i) };
	start = now();
	do {
		result = torc_grant_copy(guest_queue.first, PAGES);
	} while (result == TORC_EAGAIN);
	start = now() - start;
	REQUIRE(result == 0, "copy: %ld, first status %d", result, op->status);
	return start;
}

static void copy_movsb(void *to, const void *from, uint64_t bytes)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static void copy_movsq(void *to, const void *from, uint64_t bytes)
{
	bytes /= 8;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static void copy_words(void *to, const void *from, uint64_t bytes)
{
	uint64_t *t = to;
	const uint64_t *f = from;

	for (; bytes; bytes -= 64, t += 8, f += 8) {
		uint64_t a = f[0], b = f[1], c = f[2], d = f[3];
		uint64_t e = f[4], g = f[5], h = f[6], i = f[7];

		t[0] = a, t[1] = b, t[2] = c, t[3] = d;
		t[4] = e, t[5] = g, t[6] = h, t[7] = i;
	}
}

static void copy_sse(void *to, const void *from, uint64_t bytes)
{
	__asm__ volatile("1:	movups (%1), %%xmm0\n	movups 16(%1), %%xmm1\n"
			 "	movups 32(%1), %%xmm2\n	movups 48(%1), %%xmm3\n"
			 "	movups %%xmm0, (%0)\n	movups %%xmm1, 16(%0)\n"
			 "	movups %%xmm2, 32(%0)\n	movups %%xmm3, 48(%0)\n"
			 "	add $64, %0\n add $64, %1\n sub $64, %2\n jnz 1b"
			 : "+r"(to), "+r"(from), "+r"(bytes) : : "memory", "cc");
}

static const struct way {
	const char *name;
	void (*copy)(void *to, const void *from, uint64_t bytes);
} ways[] = {
	{ "copy_movsb", copy_movsb }, { "copy_movsq", copy_movsq },
	{ "copy_words", copy_words }, { "copy_sse", copy_sse },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/*
 * The least of several rounds each, taken in turns; of two copies the second one, so that each way
 * finds in the caches what it has left there itself.
 */
static void bench_copies(void)
{
	uint64_t *from = guest_pages(PAGES), *to = guest_pages(PAGES), start;
	uint64_t best[WAYS], granted = ~0UL, round, i;

	for (i = 0; i < WAYS; i++)
		best[i] = ~0UL;
	for (round = 0; round < ROUNDS; round++) {
		copy_by_grants(to);
		start = copy_by_grants(to);
		granted = start < granted ? start : granted;
		REQUIRE(to[BYTES / 8 - 1] == PEER, "the copy ends with %lx", to[BYTES / 8 - 1]);
		for (i = 0; i < WAYS; i++) {
			ways[i].copy(to, from, BYTES);
			start = now();
			ways[i].copy(to, from, BYTES);
			start = now() - start;
			best[i] = start < best[i] ? start : best[i];
		}
	}
	report_cost("copy_grants", granted, 1);
	for (i = 0; i < WAYS; i++)
		report_cost(ways[i].name, best[i], 1);
}

static void own(const char *cpus)
{
	char name[32] = "event_trip_";

	port = (uint64_t)torc_event_bind(TORC_EVENT_UNBOUND, PEER, 0);
	await(0); /* the peer is ready */
	trips(TRIPS / 10);
	name[11] = cpus[0];
	report_cost(name, trips(TRIPS), TRIPS);
	if (cpus[0] == '1')
		bench_copies();
	torc_event_close(port);
}

/* Answers each event, until the channel is closed. */
static void answer(void)
{
	uint64_t *data = guest_pages(PAGES), seen;
	volatile uint64_t *grants = guest_pages(1);
	uint32_t i;

	for (i = 0; i < PAGES; i++)
		grants[i] = (uint64_t)OWNER << TORC_GRANT_DOMAIN_SHIFT | TORC_GRANT_READ |
			    (page_of(data) + i) << TORC_GRANT_PFN_SHIFT;
	data[BYTES / 8 - 1] = PEER;
	REQUIRE(torc_grant_register(0, page_of((void *)grants)) == TORC_OK, "grant table");
	do {
		port = (uint64_t)torc_event_bind(TORC_EVENT_INTERDOMAIN, OWNER,
						 TORC_PORT_FIRST_FREE);
	} while ((int64_t)port == TORC_ENOENT);
	do {
		seen = guest_event_count[port];
		if (torc_event_send(port) != TORC_OK)
			return;
		await(seen);
	} while (true);
}

void test_main(void)
{
	const char *word = guest_linear(guest_start->cmdline);

	torc_irq_off();
	if (strcmp(word, "peer") == 0)
		answer();
	else
		own(word);
}
