// SPDX-License-Identifier: BSD-2-Clause
// Copyright (c) 2026 The Torc authors

/*
 * Measures what a kernel's basic operations cost, by CLOCK_MONOTONIC.
 *
 * Under `qemu -icount shift=0,sleep=off` a nanosecond of guest time is one executed instruction, so
 * the same program prints instruction counts there and wall time elsewhere. It is linked statically
 * and starts from an initramfs. One line per row, fields separated by one space:
 *
 *	bench NAME MINIMUM MEDIAN ITERATIONS ROUNDS
 *
 * MINIMUM and MEDIAN are nanoseconds per operation over the rounds. The first line is `bench-begin`
 * and the last one `bench-end`; a reader that misses the last line has an incomplete table.
 */

#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS 99

const char *bench_directory = "/tmp", *bench_program = "/proc/self/exe";

uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

volatile char *bench_map(size_t bytes, int touch)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	bench_check(at != MAP_FAILED, "mmap");
	/* A huge page would hide the per-page costs that the rows are about. */
	madvise(at, bytes, MADV_NOHUGEPAGE);
	if (touch)
		memset(at, 1, bytes);
	return at;
}

void bench_unmap(volatile char *at, size_t bytes)
{
	bench_check(munmap((void *)at, bytes) == 0, "munmap");
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const struct row *row, long percent, long rounds)
{
	uint64_t took[MAX_ROUNDS];
	long n = row->iterations * percent / 100;

	if (n < 1)
		n = 1;
	row->run(n / 10 + 1); /* warm caches, page tables and the emulator's translations */
	for (long i = 0; i < rounds; i++)
		took[i] = row->run(n);
	qsort(took, (size_t)rounds, sizeof(took[0]), by_size);
	printf("bench %s %.1f %.1f %ld %ld\n", row->name, (double)took[0] / (double)n,
	       (double)took[rounds / 2] / (double)n, n, rounds);
	fflush(stdout);
}

/* All processes and threads of a row share one CPU, so that a hand-over is a context switch. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	bench_check(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
}

static const struct row *const tables[] = {call_rows, memory_rows, process_rows};

static int usage(FILE *to, int status)
{
	fprintf(to, "usage: bench [-l] [-r ROUNDS] [-s PERCENT] [-d DIRECTORY] [ROW...]\n"
		    "  -l  print the names of the rows\n"
		    "  -r  rounds per row, 1 to %d (5)\n"
		    "  -s  scale the number of iterations (100)\n"
		    "  -d  writable directory for the file rows (/tmp)\n", MAX_ROUNDS);
	return status;
}

static int number(const char *text, long low, long high, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return !errno && end != text && !*end && *value >= low && *value <= high;
}

static const struct row *find(const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct row *row = tables[t]; row->name; row++)
			if (!strcmp(row->name, name))
				return row;
	return NULL;
}

static void each_row(int list, long percent, long rounds)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct row *row = tables[t]; row->name; row++)
			if (list)
				puts(row->name);
			else
				measure(row, percent, rounds);
}

int main(int argc, char **argv)
{
	long rounds = 5, percent = 100;
	int option;

	while ((option = getopt(argc, argv, "hlr:s:d:")) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'l')
			return each_row(1, 0, 0), 0;
		if (option == 'd')
			bench_directory = optarg;
		else if (option != 'r' && option != 's')
			return usage(stderr, 2);
		else if (!number(optarg, 1, option == 'r' ? MAX_ROUNDS : 100000,
				 option == 'r' ? &rounds : &percent))
			return usage(stderr, 2);
	}
	for (int i = optind; i < argc; i++)
		if (!find(argv[i])) {
			fprintf(stderr, "bench: no row named %s\n", argv[i]);
			return 2;
		}
	stay_on_one_cpu();
	puts("bench-begin");
	for (int i = optind; i < argc; i++)
		measure(find(argv[i]), percent, rounds);
	if (optind == argc)
		each_row(0, percent, rounds);
	puts("bench-end");
	return 0;
}
