/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * usage: locks SECONDS THREADS
 *
 * Runs in the guest: threads of one process that all want the same two spinlocks of the kernel,
 * over and over: the one of the file table, taken with interrupts on (dup and close), and the one
 * of the signal handlers, taken with interrupts off (sigprocmask). Ends with
 * "locks: N turns, fewest N, 0 failures".
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 64

static atomic_bool end;
static atomic_ulong failures;

static void *take_turns(void *argument)
{
	unsigned long turns = 0;
	sigset_t set, old;
	int file;

	(void)argument;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (; !atomic_load(&end); turns++) {
		file = dup(0);
		if (file < 0 || close(file) || pthread_sigmask(SIG_BLOCK, &set, &old) ||
		    pthread_sigmask(SIG_SETMASK, &old, NULL))
			atomic_fetch_add(&failures, 1);
	}
	return (void *)turns;
}

int main(int argc, char **argv)
{
	unsigned long turns, sum = 0, fewest = -1ul;
	pthread_t thread[MOST];
	int threads, i;
	void *result;

	if (argc != 3 || (threads = atoi(argv[2])) < 1 || threads > MOST)
		return 2;
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, take_turns, NULL))
			return 1;
	sleep((unsigned int)atoi(argv[1]));
	atomic_store(&end, true);
	for (i = 0; i < threads; i++) {
		pthread_join(thread[i], &result);
		turns = (unsigned long)result;
		sum += turns;
		fewest = turns < fewest ? turns : fewest;
	}
	printf("locks: %lu turns, fewest %lu, %lu failures\n", sum, fewest,
	       atomic_load(&failures));
	return failures != 0;
}
