// SPDX-License-Identifier: BSD-2-Clause
// Copyright (c) 2026 The Torc authors

/*
 * Rows about entering and leaving the kernel: system calls of little work, signals, and faults that
 * turn into signals.
 */

#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static uint64_t null_call(long n)
{
	uint64_t start = bench_now();

	while (n--)
		syscall(SYS_getppid);
	return bench_now() - start;
}

static uint64_t read_byte(long n)
{
	int fd = open("/dev/zero", O_RDONLY);
	uint64_t start;
	char byte;

	bench_check(fd >= 0, "/dev/zero");
	start = bench_now();
	while (n--)
		bench_check(read(fd, &byte, 1) == 1, "read");
	start = bench_now() - start;
	close(fd);
	return start;
}

static uint64_t stat_file(long n)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	struct stat st;
	uint64_t start;

	bench_check(fd >= 0, "/");
	start = bench_now();
	while (n--)
		bench_check(fstat(fd, &st) == 0, "fstat");
	start = bench_now() - start;
	close(fd);
	return start;
}

static uint64_t open_close(long n)
{
	uint64_t start = bench_now();

	while (n--) {
		int fd = open("/dev/null", O_RDONLY);

		bench_check(fd >= 0, "/dev/null");
		close(fd);
	}
	return bench_now() - start;
}

static volatile long caught;

static void count_signal(int number)
{
	(void)number;
	caught++;
}

static uint64_t signal_catch(long n)
{
	struct sigaction action = {.sa_handler = count_signal};
	pid_t self = getpid();
	uint64_t start;

	bench_check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	caught = 0;
	start = bench_now();
	for (long i = 0; i < n; i++)
		syscall(SYS_kill, self, SIGUSR1);
	start = bench_now() - start;
	bench_check(caught == n, "signals were lost");
	return start;
}

/* The store below is `movb $1,(%reg)`, three bytes: the handler steps over it. */
#define STORE_LENGTH 3

static void skip_store(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)number;
	(void)info;
	user->uc_mcontext.gregs[REG_RIP] += STORE_LENGTH;
	caught++;
}

static uint64_t protection_fault(long n)
{
	struct sigaction action = {.sa_sigaction = skip_store, .sa_flags = SA_SIGINFO}, before;
	volatile char *page = bench_map(BENCH_PAGE, 1);
	uint64_t start;

	bench_check(mprotect((void *)page, BENCH_PAGE, PROT_READ) == 0, "mprotect");
	bench_check(sigaction(SIGSEGV, &action, &before) == 0, "sigaction");
	caught = 0;
	start = bench_now();
	for (long i = 0; i < n; i++)
		asm volatile("movb $1, (%0)" : : "a"(page) : "memory");
	start = bench_now() - start;
	sigaction(SIGSEGV, &before, NULL);
	bench_check(caught == n, "a store to a read-only page did not fault");
	bench_unmap(page, BENCH_PAGE);
	return start;
}

const struct row call_rows[] = {
	{"null_call", 200000, null_call},
	{"read_byte", 100000, read_byte},
	{"fstat", 50000, stat_file},
	{"open_close", 20000, open_close},
	{"signal_catch", 20000, signal_catch},
	{"protection_fault", 20000, protection_fault},
	{NULL, 0, NULL},
};
