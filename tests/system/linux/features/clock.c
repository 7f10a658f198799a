/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Time is read without a system call: a filter kills the process that makes one. Built for 64 bits
 * and for 32.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "feature.h"

#define READS 20000

#ifdef __i386__
#define THEME "clock, 32 bits"
#define CLOCK_CALL SYS_clock_gettime64
#define OTHER_CALL SYS_clock_gettime
#else
#define THEME "clock"
#define CLOCK_CALL SYS_clock_gettime
#define OTHER_CALL SYS_clock_getres
#endif

#define KILL_AT(number)                                                                     \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                                  \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static int forbid_time_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		KILL_AT(CLOCK_CALL),
		KILL_AT(OTHER_CALL),
		KILL_AT(SYS_gettimeofday),
		KILL_AT(SYS_time),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int64_t now(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		abort();
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int64_t now_by_call(clockid_t clock)
{
	int64_t time[2] = { 0, 0 };

	syscall(CLOCK_CALL, clock, time);
	return time[0] * 1000000000LL + time[1];
}

static bool calls(void)
{
	need(forbid_time_calls() == 0);
	now_by_call(CLOCK_MONOTONIC);
	return true;
}

static bool is_caught(void)
{
	need(dies_by(calls, SIGSYS));
	return true;
}

static bool reads_without_call(void)
{
	struct timeval day;
	int64_t last = 0, time;
	int i;

	need(forbid_time_calls() == 0);
	for (i = 0; i < READS; i++) {
		time = now(CLOCK_MONOTONIC);
		need(time >= last);
		last = time;
	}
	need(now(CLOCK_REALTIME) > 0 && now(CLOCK_BOOTTIME) > 0);
	need(gettimeofday(&day, NULL) == 0 && time > 0);
	return true;
}

static bool agrees(clockid_t clock)
{
	int64_t before, between, after;
	int i;

	for (i = 0; i < 200; i++) {
		before = now_by_call(clock);
		between = now(clock);
		after = now_by_call(clock);
		need(before <= between && between <= after);
	}
	return true;
}

static bool both_agree(void)
{
	return agrees(CLOCK_MONOTONIC) && agrees(CLOCK_REALTIME);
}

/* Against the time stamp counter's own rate nothing is known here, but sleeping is by timer. */
static bool goes_with_timers(void)
{
	struct timespec nap = { 0, 300000000 };
	int64_t start = now(CLOCK_MONOTONIC), took;

	need(nanosleep(&nap, NULL) == 0);
	took = now(CLOCK_MONOTONIC) - start;
	need(took >= 300000000 && took < 2000000000);
	return true;
}

static bool is_today(void)
{
	need(time(NULL) > 1735689600); /* 2025-01-01 */
	return true;
}

static const struct check checks[] = {
	{ "a system call would be noticed", is_caught },
	{ "read without a system call", reads_without_call },
	{ "the same as the kernel's", both_agree },
	{ "goes with timers", goes_with_timers },
	{ "the date is known", is_today },
};

int main(void)
{
	return RUN_CHECKS(THEME, checks);
}
