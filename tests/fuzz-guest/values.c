/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Random numbers (xorshift64*), and the numbers that are more interesting than others.
 */
#include "fuzz.h"

uint64_t draw(struct worker *worker)
{
	worker->random ^= worker->random >> 12;
	worker->random ^= worker->random << 25;
	worker->random ^= worker->random >> 27;
	return worker->random * 0x2545f4914f6cdd1dULL;
}

uint64_t below(struct worker *worker, uint64_t limit)
{
	return (draw(worker) >> 16) % limit;
}

bool once_in(struct worker *worker, uint64_t times)
{
	return below(worker, times) == 0;
}

uint64_t boundary(struct worker *worker)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 513,
		1023, 1024, 1025, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
		0x80000000, 0xffffffff, 0x100000000, TORC_INVALID_FRAME, TORC_INVALID_FRAME - 1,
		0x7fffffffffff, 0x800000000000, TORC_HOLE_START - 1, TORC_HOLE_START,
		TORC_HOLE_END - 1, TORC_HOLE_END, 0x7fffffffffffffff, 0x8000000000000000,
		TORC_GATE_BASE + 0x8000, TORC_CALL_PAGE,
	};

	switch (below(worker, 8)) {
	case 0:
		return guest_start->pages + below(worker, 3) - 1;
	case 1:
		return guest_start->machine_frames + below(worker, 3) - 1;
	case 2:
		return 1UL << below(worker, 64);
	case 3:
		return (1UL << below(worker, 64)) - 1;
	default:
		return edges[below(worker, ARRAY_SIZE(edges))];
	}
}

uint64_t mutate(struct worker *worker, uint64_t value)
{
	switch (below(worker, 6)) {
	case 0:
	case 1:
		return boundary(worker);
	case 2:
		return value ^ 1UL << below(worker, 64);
	case 3:
		return value ^ 1UL << below(worker, 12);
	case 4:
		return any_page(worker);
	default:
		return value + below(worker, 5) - 2;
	}
}
