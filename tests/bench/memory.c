// SPDX-License-Identifier: BSD-2-Clause
// Copyright (c) 2026 The Torc authors

/*
 * Rows about page tables: entries filled by faults, changed by mprotect, torn down by munmap. Rows
 * named `..._page` are per page, the others per call sequence.
 */

#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Pages mapped, touched and unmapped together in the row of that name. */
#define TOUCHED_PAGES 16

static void write_pages(volatile char *at, long pages)
{
	for (long i = 0; i < pages; i++)
		at[i * (long)BENCH_PAGE] = 1;
}

static void read_pages(const volatile char *at, long pages)
{
	for (long i = 0; i < pages; i++)
		(void)at[i * (long)BENCH_PAGE];
}

static uint64_t anonymous_page(long n)
{
	size_t bytes = (size_t)n * BENCH_PAGE;
	volatile char *at = bench_map(bytes, 0);
	uint64_t start = bench_now();

	write_pages(at, n);
	start = bench_now() - start;
	bench_unmap(at, bytes);
	return start;
}

static uint64_t zero_page(long n)
{
	size_t bytes = (size_t)n * BENCH_PAGE;
	volatile char *at = bench_map(bytes, 0);
	uint64_t start = bench_now();

	read_pages(at, n);
	start = bench_now() - start;
	bench_unmap(at, bytes);
	return start;
}

/* Tear-down alone: what munmap costs for each page that was really there. */
static uint64_t unmap_page(long n)
{
	size_t bytes = (size_t)n * BENCH_PAGE;
	volatile char *at = bench_map(bytes, 1);
	uint64_t start = bench_now();

	bench_unmap(at, bytes);
	return bench_now() - start;
}

static uint64_t file_page(long n)
{
	size_t bytes = (size_t)n * BENCH_PAGE;
	volatile char *at;
	char path[256];
	uint64_t start;
	int fd;

	snprintf(path, sizeof(path), "%s/bench.XXXXXX", bench_directory);
	fd = mkstemp(path);
	bench_check(fd >= 0, path);
	unlink(path);
	for (long i = 0; i < n; i++)
		bench_check(pwrite(fd, &i, sizeof(i), i * (long)BENCH_PAGE) == sizeof(i), "pwrite");
	bench_check(ftruncate(fd, (off_t)bytes) == 0, "ftruncate");
	at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	bench_check((void *)at != MAP_FAILED, "mmap");
	start = bench_now();
	read_pages(at, n);
	start = bench_now() - start;
	bench_unmap(at, bytes);
	close(fd);
	return start;
}

/*
 * Copy on write, seen by the child of a fork: its parent keeps the pages, so each store copies one.
 * The child hands its figure over in a shared page.
 */
static uint64_t copied_page(long n)
{
	size_t bytes = (size_t)n * BENCH_PAGE;
	volatile char *at = bench_map(bytes, 1);
	uint64_t *took, result;
	pid_t child;
	int status;

	took = mmap(NULL, BENCH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bench_check(took != MAP_FAILED, "mmap");
	child = fork();
	bench_check(child >= 0, "fork");
	if (!child) {
		uint64_t start = bench_now();

		write_pages(at, n);
		*took = bench_now() - start;
		_exit(0);
	}
	bench_check(waitpid(child, &status, 0) == child && status == 0, "child");
	result = *took;
	munmap(took, BENCH_PAGE);
	bench_unmap(at, bytes);
	return result;
}

static uint64_t map_touch_unmap(long n)
{
	uint64_t start = bench_now();

	while (n--) {
		volatile char *at = mmap(NULL, TOUCHED_PAGES * BENCH_PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		bench_check((void *)at != MAP_FAILED, "mmap");
		write_pages(at, TOUCHED_PAGES);
		bench_unmap(at, TOUCHED_PAGES * BENCH_PAGE);
	}
	return bench_now() - start;
}

/* One page made read-only, made writable again, and written: two calls and at most one fault. */
static uint64_t protect_pair(long n)
{
	volatile char *at = bench_map(BENCH_PAGE, 1);
	uint64_t start = bench_now();

	while (n--) {
		bench_check(mprotect((void *)at, BENCH_PAGE, PROT_READ) == 0, "mprotect");
		bench_check(mprotect((void *)at, BENCH_PAGE, PROT_READ | PROT_WRITE) == 0,
			    "mprotect");
		*at = 1;
	}
	start = bench_now() - start;
	bench_unmap(at, BENCH_PAGE);
	return start;
}

/* A range made read-only and writable again, per page and per change. */
static uint64_t protect_page(long n)
{
	size_t bytes = (size_t)n * BENCH_PAGE;
	volatile char *at = bench_map(bytes, 1);
	uint64_t start = bench_now();

	bench_check(mprotect((void *)at, bytes, PROT_READ) == 0, "mprotect");
	bench_check(mprotect((void *)at, bytes, PROT_READ | PROT_WRITE) == 0, "mprotect");
	start = bench_now() - start;
	bench_unmap(at, bytes);
	return start / 2;
}

const struct row memory_rows[] = {
	{"anonymous_page", 4096, anonymous_page},
	{"zero_page", 4096, zero_page},
	{"file_page", 2048, file_page},
	{"copied_page", 2048, copied_page},
	{"unmap_page", 4096, unmap_page},
	{"map_touch_unmap", 500, map_touch_unmap},
	{"protect_pair", 5000, protect_pair},
	{"protect_page", 4096, protect_page},
	{NULL, 0, NULL},
};
