/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A batch that works for many slices, in the only domain there is, without a timer.
 *
 * Attack: operations that each validate or end a tree of many tables, as many as a batch has.
 * Vulnerable: nobody else wants the CPU, so the call runs to its end. It does not leave the
 * hypervisor for so long that the watchdog takes it for hung, and ends the machine.
 * Fixed: the call stops with the slice, whether or not somebody waits, and is made again.
 */
#include "conformance.h"

#define TABLES 64
#define OPS    64
#define SLICE  10000000UL /* ns, as the machine starts with */
#define SEEN   4	  /* stops: a deadline that was taken back makes one, too */

void test_main(void)
{
	uint64_t tree = guest_linear_gpa(wide_tree(TABLES)), start;
	unsigned int i, stops = 0;
	int64_t result;

	torc_set_timer(0);
	for (i = 0; i < OPS; i++)
		guest_queue.area[i] = (struct torc_batch_op){
			.op = i % 2 ? TORC_OP_UNPIN : TORC_OP_PIN,
			.entry = tree,
			.value = i % 2 ? 0 : 2,
		};
	start = torc_clock_ns(TORC_CLOCK);
	while ((result = torc_batch(0, OPS)) == TORC_EAGAIN)
		stops++;
	start = torc_clock_ns(TORC_CLOCK) - start;
	printf("%lu us in %u calls\n", start / 1000, stops + 1);
	expect_status("the batch", result, TORC_OK);
	if (start < (SEEN + 1) * SLICE)
		verdict(VERDICT_SKIP, "this machine is too fast: it took %lu ns", start);
	else
		CHECK(stops >= SEEN, "%lu slices in %u calls", start / SLICE, stops + 1);
}
