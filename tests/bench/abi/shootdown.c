/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What it costs to make all vCPUs of a domain forget what they have cached, while the others run.
 * The machine has as many CPUs as the domain has vCPUs.
 */
#include "bench.h"

#define FLUSHES 300

static volatile uint32_t running;
static volatile bool stop;

static void run(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&running, 1, __ATOMIC_RELAXED);
	while (!stop)
		__asm__ volatile("pause"); /* under --icount it lets the next CPU go on */
}

static uint64_t flushes(uint32_t count)
{
	uint64_t all = (1UL << guest_start->vcpus) - 1, start = now();

	while (count--)
		torc_queue_now(&guest_queue, TORC_OP_FLUSH_ALL, 0, 0, &all, 1);
	return now() - start;
}

void test_main(void)
{
	char name[32] = "flush_all_";
	uint32_t i;

	for (i = 1; i < guest_start->vcpus; i++)
		REQUIRE(guest_vcpu_start(i, run, NULL) == TORC_OK, "vCPU %u", i);
	while (running < guest_start->vcpus - 1)
		torc_yield();
	flushes(FLUSHES / 10);
	name[10] = (char)('0' + guest_start->vcpus);
	report_cost(name, flushes(FLUSHES), FLUSHES);
	stop = true;
	for (i = 1; i < guest_start->vcpus; i++)
		guest_vcpu_wait(i);
}
