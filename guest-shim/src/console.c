/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * The console ring. Indexes run freely; their difference is the fill, whatever they have wrapped
 * to.
 */
#include <torc/console.h>
#include <torc/calls.h>

/* Copies what fits in the ring now. */
static size_t put(volatile struct torc_console_ring *ring, const uint8_t *bytes, size_t count)
{
	uint32_t prod = ring->out_prod;
	size_t room = TORC_CONSOLE_OUT - (prod - ring->out_cons);
	size_t i;

	if (count > room)
		count = room;
	for (i = 0; i < count; i++)
		ring->out[(prod + i) % TORC_CONSOLE_OUT] = bytes[i];
	torc_barrier();
	ring->out_prod = prod + (uint32_t)count;
	return count;
}

size_t torc_console_write(volatile struct torc_console_ring *ring, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	size_t written = 0;
	size_t step;

	do {
		step = put(ring, from + written, count - written);
		written += step;
		torc_console_notify();
	} while (step && written < count);
	return written;
}

size_t torc_console_read(volatile struct torc_console_ring *ring, void *bytes, size_t count)
{
	uint8_t *to = bytes;
	uint32_t cons = ring->in_cons;
	size_t waiting = ring->in_prod - cons;
	size_t i;

	if (count > waiting)
		count = waiting;
	for (i = 0; i < count; i++)
		to[i] = ring->in[(cons + i) % TORC_CONSOLE_IN];
	torc_barrier();
	ring->in_cons = cons + (uint32_t)count;
	return count;
}
