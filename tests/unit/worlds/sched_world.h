/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A world for the scheduler: a few domains of one vCPU each, processors that hold one vCPU's
 * registers at a time, timers that only note their deadline, and IPIs that are only counted.
 */
#ifndef UNIT_SCHED_WORLD_H
#define UNIT_SCHED_WORLD_H

#include <setjmp.h>
#include "sched.h"
#include "timer.h"
#include "unit.h"

#define DOMAINS 4
#define SLICE 10000000ull

enum off {
	ALL_OFF = 1,
	CPU_OFF,
};

struct sched_world {
	struct domain domain[DOMAINS];
	struct vcpu vcpu[DOMAINS];
	struct torc_vcpu_page page[DOMAINS];
	struct vcpu *loaded[CPU_MAX]; /* whose state is in the processor */
	bool dirty[CPU_MAX]; /* and has changed there */
	u64 armed; /* deadline of the timer, TIMER_NEVER when it is off */
	unsigned int raised[DOMAINS], reaped[DOMAINS], arms, idles, flushes, kicks;
	unsigned int busy_flushes; /* so many find the console busy */
	void (*interrupt)(void); /* what comes in while the processor sleeps */
	jmp_buf off; /* taken with enum off when a CPU or the machine ends */
};

extern struct sched_world world;

/** sched_world_create - all vCPUs down, on a machine of @count CPUs, the first of which acts */
void sched_world_create(unsigned int count);

/** world_vcpu - makes vCPU @i anew, down */
void world_vcpu(unsigned int i);

/** start_vcpus - starts the first @count of them */
void start_vcpus(unsigned int count);

/** expect_all_ran - each vCPU was picked now and then; @ran: how often, in @rounds */
void expect_all_ran(const unsigned int *ran, unsigned int rounds);

/** pick_on - CPU @number acts from now on; return: number of the vCPU that runs there, loaded */
unsigned int pick_on(unsigned int number);

#endif
