/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * usage: memory SWAP-DEVICE
 *
 * Pages that go to swap come back whole, also to a child and when the device is taken away; and
 * memory that runs out costs the process that took it, and no other.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/swap.h>

#include "feature.h"

#define PAGE	4096
#define PAGES	2048 /* 8 MiB */

static const char *device;
static uint64_t *area;

static bool fill(void)
{
	size_t i;

	area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(area != MAP_FAILED);
	for (i = 0; i < PAGES * PAGE / sizeof(*area); i++)
		area[i] = i * 0x9e3779b97f4a7c15 >> (i & 32);
	return true;
}

static bool is_whole(void)
{
	size_t i;

	for (i = 0; i < PAGES * PAGE / sizeof(*area); i++)
		need(area[i] == i * 0x9e3779b97f4a7c15 >> (i & 32));
	return true;
}

/* About how many KiB of this process are on the swap device: the kernel counts in batches. */
static long swapped(void)
{
	char line[128];
	long size = -1;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmSwap: %ld", &size);
	if (file)
		fclose(file);
	return size;
}

static bool page_out(void)
{
	swapoff(device); /* a check that failed may have left it on */
	need(swapon(device, 0) == 0);
	need(fill());
	need(madvise(area, PAGES * PAGE, MADV_PAGEOUT) == 0);
	need(swapped() >= PAGES * PAGE / 1024 * 9 / 10);
	return true;
}

static bool swaps(void)
{
	need(page_out());
	need(is_whole());
	need(swapped() < PAGES * PAGE / 1024 / 10);
	need(swapoff(device) == 0);
	return true;
}

static bool swaps_of_two(void)
{
	need(page_out());
	need(status_of(is_whole) == 0);
	need(is_whole());
	need(swapoff(device) == 0);
	return true;
}

static bool takes_swap_away(void)
{
	need(page_out());
	need(swapoff(device) == 0);
	need(swapped() < PAGES * PAGE / 1024 / 10);
	need(is_whole());
	return true;
}

/* The kernel is told whom to take first. */
static bool takes_all(void)
{
	int file = open("/proc/self/oom_score_adj", O_WRONLY);
	char *page;

	need(file >= 0 && write(file, "1000", 4) == 4);
	for (;;) {
		page = mmap(NULL, PAGE * 64, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		need(page != MAP_FAILED);
	}
}

static bool runs_out(void)
{
	need(fill());
	need(dies_by(takes_all, SIGKILL));
	need(is_whole());
	return true;
}

static const struct check checks[] = {
	{ "pages come back from swap", swaps },
	{ "swapped pages are a child's too", swaps_of_two },
	{ "swap is taken away", takes_swap_away },
	{ "out of memory", runs_out },
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	device = argv[1];
	return RUN_CHECKS("memory", checks);
}
