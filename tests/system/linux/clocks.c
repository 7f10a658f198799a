/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * usage: clocks SECONDS
 *
 * Runs in the guest: whether the clocks of all CPUs are one clock. Two threads on two CPUs hand the
 * time to each other through memory: asked at t1, the other one reads t, and its answer is
 * back at t2. Always t1 <= t <= t2, or time went back on the way. Half of the shortest round is how
 * well the two are known to agree; an exchange that a CPU's absence made long says nothing. So that
 * both are there at once now and then, they come before other load.
 * Each pair of CPUs takes its turn, with a line for each clock; ends with "clocks: N pairs,
 * N exchanges, 0 failures".
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define AGREE_NS INT64_C(1000000) /* what two CPUs may differ by */
#define PATIENCE_NS INT64_C(60000000000) /* for one exchange that is short enough */
#define PRIORITY (-10) /* nine times the weight of others */
#define SPINS 1000 /* looks at the memory before the CPU is left to the other one */

static const struct {
	const char *name;
	clockid_t id;
} clocks[] = { { "monotonic", CLOCK_MONOTONIC }, { "realtime", CLOCK_REALTIME } };

/* The exchange: an odd turn is a question, an even one an answer. */
static struct {
	_Alignas(64) _Atomic uint64_t turn;
	int64_t answer;
	clockid_t clock;
	int cpu;
	atomic_bool end;
} shared;

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void move_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("clocks: sched_setaffinity");
		exit(1);
	}
}

/* False if the other thread has ended. */
static bool await(uint64_t turn)
{
	unsigned int spins = 0;

	while (atomic_load(&shared.turn) != turn) {
		if (atomic_load(&shared.end))
			return false;
		if (++spins % SPINS == 0)
			sched_yield();
	}
	return true;
}

static void *answer(void *argument)
{
	uint64_t turn = 0;

	(void)argument;
	move_to(shared.cpu);
	while (await(turn + 1)) {
		shared.answer = now(shared.clock);
		turn += 2;
		atomic_store(&shared.turn, turn);
	}
	return NULL;
}

static unsigned long exchanges, failures;

/* For @ns, and until one exchange was short enough. */
static void ask(const char *name, int a, int b, int64_t ns)
{
	int64_t start = now(CLOCK_MONOTONIC), last = 0, best = INT64_MAX, t1, t, t2, run;
	uint64_t turn = 0;

	do {
		t1 = now(shared.clock);
		atomic_store(&shared.turn, ++turn);
		await(++turn);
		t = shared.answer;
		t2 = now(shared.clock);
		if (t1 < last || t < t1 || t2 < t) {
			printf("clocks: %s, cpu %d and %d: %jd, %jd, %jd, %jd\n", name, a, b,
			       (intmax_t)last, (intmax_t)t1, (intmax_t)t, (intmax_t)t2);
			failures++;
		}
		last = t2;
		if (t2 - t1 < best)
			best = t2 - t1;
		exchanges++;
		run = now(CLOCK_MONOTONIC) - start;
	} while (run < ns || (best > 2 * AGREE_NS && run < PATIENCE_NS));
	printf("clocks: %s, cpu %d and %d agree within %jd ns\n", name, a, b, (intmax_t)best / 2);
	failures += best > 2 * AGREE_NS;
}

static void pair(int a, int b, size_t which, int64_t ns)
{
	pthread_t other;

	shared.cpu = b;
	shared.clock = clocks[which].id;
	atomic_store(&shared.turn, 0);
	atomic_store(&shared.end, false);
	if (pthread_create(&other, NULL, answer, NULL)) {
		perror("clocks: pthread_create");
		exit(1);
	}
	move_to(a);
	ask(clocks[which].name, a, b, ns);
	atomic_store(&shared.end, true);
	pthread_join(other, NULL);
}

int main(int argc, char **argv)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), pairs = cpus * (cpus - 1) / 2, a, b;
	int64_t ns;
	size_t which;

	if (argc != 2 || !pairs)
		return 2;
	if (setpriority(PRIO_PROCESS, 0, PRIORITY)) {
		perror("clocks: setpriority");
		return 1;
	}
	ns = atoi(argv[1]) * INT64_C(1000000000) / pairs / 2;
	for (a = 0; a < cpus; a++)
		for (b = a + 1; b < cpus; b++)
			for (which = 0; which < sizeof(clocks) / sizeof(clocks[0]); which++)
				pair(a, b, which, ns);
	printf("clocks: %d pairs, %lu exchanges, %lu failures\n", pairs, exchanges, failures);
	return failures != 0;
}
