/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The console ring takes more than it holds, in pieces of every length.
 *
 * Attack: indexes of all sorts for both directions, the hypervisor's own ones among them.
 * Vulnerable: it prints or writes what lies outside the ring, or prints without end.
 * Fixed: it copies them, and believes neither a fill above the size nor its own old ones.
 */
#include "conformance.h"

static volatile struct torc_console_ring *ring;

static void write_much(void)
{
	static char text[3 * TORC_CONSOLE_OUT + 2];
	size_t length, done;

	for (length = 0; length < sizeof(text) - 1; length++)
		text[length] = length % 64 == 63 ? '\n' : (char)('a' + length % 26);
	for (length = 1; length < sizeof(text); length = length * 3 + 1) {
		for (done = 0; done < length;)
			done += torc_console_write(ring, text, length - done);
		CHECK(done == length, "%lu bytes of %lu written", done, length);
	}
	torc_console_write(ring, "\n", 1);
}

/* row: console-indexes */
static void hostile_indexes(void)
{
	static const uint32_t values[] = { 0,	       1,	   TORC_CONSOLE_OUT,
					   0x7fffffff, 0x80000000, 0xffffffff };
	uint32_t prod, cons;

	for (prod = 0; prod < sizeof(values) / sizeof(values[0]); prod++) {
		for (cons = 0; cons < sizeof(values) / sizeof(values[0]); cons++) {
			ring->out_cons = values[cons];
			ring->out_prod = values[prod];
			ring->in_cons = values[prod];
			ring->in_prod = values[cons];
			memset((void *)ring->out, '.', TORC_CONSOLE_OUT);
			torc_console_notify();
		}
	}
	ring->out_cons = ring->out_prod = 0;
	ring->in_cons = ring->in_prod = 0;
	torc_console_notify();
	printf("\n");
}

void test_main(void)
{
	ring = guest_linear(guest_start->console_ring << TORC_PAGE_SHIFT);
	write_much();
	hostile_indexes();
	CHECK(torc_version() >= 0, "no hypercall works any more");
}
