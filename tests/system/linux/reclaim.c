/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * usage: reclaim SECONDS PROCESSES MIB SEED
 *
 * Runs in the guest, with less memory than it wants and a swap device: processes with MIB of
 * memory each fork children that look at some of it and end or run another program. Meanwhile the
 * kernel takes pages away from all of them, whatever they are doing, so tables are changed by
 * other CPUs while their process is being made, runs for the first time, and ends. Each page
 * must say what was written to it. Ends with "reclaim: N children, 0 failures".
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static const char *self;
static volatile unsigned long *memory;
static unsigned long pages;
static unsigned int seed;

static unsigned long mark(unsigned long page)
{
	return page * 0x9e3779b97f4a7c15ul + 1;
}

static bool look(unsigned int count)
{
	bool good = true;

	while (count--) {
		unsigned long page = rand_r(&seed) % pages;

		good = good && memory[page * PAGE / sizeof(long)] == mark(page);
	}
	return good;
}

/* A child writes, too, so that it has pages of its own. */
static void child(unsigned long number)
{
	unsigned long page = rand_r(&seed) % pages;

	if (!look(8))
		_exit(1);
	memory[page * PAGE / sizeof(long)] = mark(page);
	if (number % 2)
		execl(self, self, "exit", (char *)NULL);
	_exit(42);
}

static bool one_child(unsigned long number)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child(number);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static int parent(unsigned int seconds, unsigned int number)
{
	unsigned long page, children = 0, failures = 0;
	time_t end;

	seed += number;
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	for (page = 0; page < pages; page++)
		memory[page * PAGE / sizeof(long)] = mark(page);
	end = time(NULL) + seconds; /* from here, for the kernel may be slow to find the memory */
	do {
		failures += !one_child(children) + !look(64);
		children++;
	} while (time(NULL) < end);
	printf("reclaim: process %u: %lu children, %lu failures\n", number, children, failures);
	return failures != 0;
}

int main(int argc, char **argv)
{
	int processes, i, status, failures = 0;

	if (argc == 2 && !strcmp(argv[1], "exit"))
		return 42;
	if (argc != 5)
		return 2;
	self = argv[0];
	processes = atoi(argv[2]);
	pages = strtoul(argv[3], NULL, 0) << 20 >> 12;
	seed = (unsigned int)atoi(argv[4]);
	for (i = 0; i < processes; i++)
		if (fork() == 0)
			return parent((unsigned int)atoi(argv[1]), (unsigned int)i);
	for (i = 0; i < processes; i++)
		failures += wait(&status) < 0 || status != 0;
	printf("reclaim: %d processes, %d failures\n", processes, failures);
	return failures != 0;
}
