/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Who deserves a CPU: see policy.c. Times are ns, and may be a little behind those of an earlier
 * call, as another CPU's clock may be. The caller keeps calls apart (sched_lock).
 */
#ifndef TORC_POLICY_H
#define TORC_POLICY_H

#include "types.h"

#define WEIGHT_DEFAULT 256
#define WEIGHT_MAX 65535
#define CPU_NONE (~0u)

/**
 * struct share - what a domain deserves, and what it used; policy_set_weight() makes it good
 * @weight: 1 to WEIGHT_MAX
 * @active: its vCPUs that run or wait; @running: those that run
 * @inverse: 2^32 / @weight
 * @budget: ns in a period; 0 without a cap
 * @period: in which the cap is kept, ns
 * @used: ns of the budget; beyond it when there is something to pay back
 * @period_end: of the period that @used is of
 * @clock: virtual time that one vCPU running all the time would have used
 * @vtime: what it used, in virtual time
 * @last: when @clock, @vtime and @used were brought up to date
 */
struct share {
	u32 weight, active, running;
	u64 inverse;
	u64 budget, used, period, period_end;
	u64 clock, vtime, last;
};

/**
 * struct entity - a vCPU, as the policy sees it
 * @affinity: CPUs that may run it
 * @vtime: what it used, in virtual time; less goes first
 * @clock: its share's when it began to run
 * @place: in the queue; 0 while it does not wait
 * @cpu: where it ran last
 */
struct entity {
	struct share *share;
	u64 affinity;
	u64 vtime;
	u64 clock;
	u32 place;
	u32 cpu;
};

/**
 * struct choice - what a CPU is to do
 * @entity: to be run; NULL: nobody is there for this CPU
 * @until: end of its slice, or when somebody who is held back by a cap may be run; or ~0
 * @tell: idle CPU that should look too, for somebody is left for it; or CPU_NONE
 */
struct choice {
	struct entity *entity;
	u64 until;
	unsigned int tell;
};

/* Of the whole machine, ns. A share takes the period when its cap is set. */
extern u64 policy_slice, policy_granularity, policy_period;

/** policy_init - nobody waits, all of @cpus CPUs are idle; times are as they were set */
void policy_init(unsigned int cpus);

/**
 * policy_wake - @entity neither ran nor waited, and waits from now on
 * Return: the CPU that should look for it now, or CPU_NONE: its turn comes by itself.
 */
unsigned int policy_wake(struct entity *entity, u64 now);

/** policy_leave - @entity waits no more; nothing happens if it did not */
void policy_leave(struct entity *entity, u64 now);

/** policy_pick - whom @cpu, which runs nobody, runs from now on; it looks when told, soon */
struct choice policy_pick(unsigned int cpu, u64 now);

/** policy_stop - @cpu runs its entity no more, which waits again if it is @ready */
void policy_stop(unsigned int cpu, bool ready, u64 now);

/**
 * policy_yield - what @cpu runs lets those go first who deserve as much
 * Return: false when nobody waits whom @cpu could run; then nothing has changed.
 */
bool policy_yield(unsigned int cpu, u64 now);

/*
 * Changes at any time. All CPUs look anew behind them: what one runs may not be allowed there any
 * more, or somebody is held back no longer. A new cap begins a period without debts.
 */
void policy_set_weight(struct share *share, u32 weight, u64 now);
void policy_set_cap(struct share *share, u32 percent, u64 now);

/**
 * policy_requeue - gives @entity, if it waits, the place that it would get if it came now
 * When its affinity or its share's weight has changed.
 */
void policy_requeue(struct entity *entity);

#endif
