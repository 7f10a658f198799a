/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * perf without a hardware counter: software events, samples by timer, and a breakpoint, which the
 * hypervisor sets. Asking for a hardware counter is refused.
 */
#define _GNU_SOURCE
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "feature.h"

#define PAGE		4096
#define DATA_PAGES	8

static volatile int watched;

static int open_event(struct perf_event_attr *event)
{
	event->size = sizeof(*event);
	return (int)syscall(SYS_perf_event_open, event, 0, -1, -1, 0);
}

static int open_software(uint64_t number)
{
	struct perf_event_attr event = { .type = PERF_TYPE_SOFTWARE, .config = number };

	return open_event(&event);
}

static uint64_t count_of(int event)
{
	uint64_t count = 0;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void spin(void)
{
	volatile int i;

	for (i = 0; i < 5000000; i++)
		;
}

static bool task_clock(void)
{
	int event = open_software(PERF_COUNT_SW_TASK_CLOCK);
	uint64_t first, second;

	need(event >= 0);
	spin();
	first = count_of(event);
	usleep(300000);
	second = count_of(event);
	need(first > 1000000);
	need(second - first < 200000000); /* asleep it stands still */
	return true;
}

static bool page_faults(void)
{
	int event = open_software(PERF_COUNT_SW_PAGE_FAULTS), i;
	char *area = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	uint64_t before;

	need(event >= 0 && area != MAP_FAILED);
	before = count_of(event);
	before = count_of(event);
	for (i = 0; i < 64; i++)
		area[i * PAGE] = 1;
	need(count_of(event) - before == 64);
	return true;
}

/* Sends back what comes through a pipe. */
static void echo(int in, int out)
{
	char byte;

	while (read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1)
		;
	_exit(0);
}

/* One processor: for each answer there is a switch to the process that gives it. */
static bool context_switches(void)
{
	int event = open_software(PERF_COUNT_SW_CONTEXT_SWITCHES), there[2], back[2], i;
	uint64_t before;
	char byte = 0;

	need(event >= 0 && pipe(there) == 0 && pipe(back) == 0);
	if (fork() == 0) {
		close(there[1]);
		echo(there[0], back[1]);
	}
	before = count_of(event);
	for (i = 0; i < 50; i++)
		need(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1);
	need(count_of(event) - before >= 50);
	return true;
}

/* How many of the samples in the ring were taken in spin(), or near it. */
static int samples_in(const struct perf_event_mmap_page *ring, const void *function)
{
	const char *data = (const char *)ring + ring->data_offset;
	uint64_t at, ip;
	struct perf_event_header header;
	int found = 0;

	for (at = ring->data_tail; at + sizeof(header) <= ring->data_head; at += header.size) {
		memcpy(&header, data + at, sizeof(header));
		if (!header.size)
			break;
		memcpy(&ip, data + at + sizeof(header), sizeof(ip));
		found += header.type == PERF_RECORD_SAMPLE && ip >= (uintptr_t)function &&
			 ip < (uintptr_t)function + 128;
	}
	return found;
}

static bool samples(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000,
		.sample_type = PERF_SAMPLE_IP,
		.exclude_kernel = 1,
	};
	int event = open_event(&attributes), i;
	struct perf_event_mmap_page *ring;

	need(event >= 0);
	ring = mmap(NULL, (1 + DATA_PAGES) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	need(ring != MAP_FAILED);
	for (i = 0; i < 20 && samples_in(ring, spin) < 5; i++)
		spin();
	need(samples_in(ring, spin) >= 5);
	return true;
}

static bool breakpoint(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_BREAKPOINT,
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched,
		.bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1,
	};
	int event = open_event(&attributes), i;

	need(event >= 0);
	for (i = 0; i < 10; i++) {
		watched = i;
		if (i & 1)
			sched_yield();
	}
	need(count_of(event) == 10);
	return true;
}

static bool no_hardware(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_CPU_CYCLES,
	};

	need(open_event(&attributes) < 0 && (errno == ENOENT || errno == EOPNOTSUPP));
	return true;
}

static const struct check checks[] = {
	{ "task clock", task_clock },
	{ "page faults", page_faults },
	{ "context switches", context_switches },
	{ "samples", samples },
	{ "breakpoint", breakpoint },
	{ "hardware counters refused", no_hardware },
};

int main(void)
{
	return RUN_CHECKS("perf", checks);
}
