/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */

/*
 * What a row of the benchmark is. The rows live in calls.c, memory.c and processes.c, one file for
 * each part of a kernel that they lean on; bench.c selects, repeats and prints.
 */
#ifndef TORC_BENCH_H
#define TORC_BENCH_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct row - one operation that is measured
 * @name: what scripts ask for and read back; a word
 * @iterations: operations per round, so that a round lasts some tens of milliseconds under TCG
 * @run: does @n operations and returns the nanoseconds they took, preparation excluded
 */
struct row {
	const char *name;
	long iterations;
	uint64_t (*run)(long n);
};

extern const struct row call_rows[], memory_rows[], process_rows[];

/* The working directory and the program's own path, for rows that need a file or an exec. */
extern const char *bench_directory, *bench_program;

#define BENCH_PAGE 4096UL

/** bench_now() - CLOCK_MONOTONIC in nanoseconds. */
uint64_t bench_now(void);

/** bench_check() - ends the program with @what and errno unless @ok. */
void bench_check(int ok, const char *what);

/** bench_map() - a private anonymous mapping of @bytes; with @touch, every page is written. */
volatile char *bench_map(size_t bytes, int touch);

/** bench_unmap() - the counterpart of bench_map(). */
void bench_unmap(volatile char *at, size_t bytes);

#endif
