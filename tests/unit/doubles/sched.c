/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* A scheduler that only counts, and that says "stop" exactly when the test wants it. */
#include "doubles.h"
#include "sched.h"

u64 preempt_calls, preempt_at;
bool preempt_always, (*preempt_due_if)(unsigned int work);
unsigned int wakes, blocks, starts, ends, ended_for;
struct sched_setting settings[8];
unsigned int setting_count, setting_refused;

bool sched_preempt_due(unsigned int work)
{
	if (!work)
		return false;
	if (preempt_due_if)
		return preempt_due_if(work);
	preempt_calls++;
	return preempt_at && (preempt_calls == preempt_at ||
			      (preempt_always && preempt_calls > preempt_at));
}

void sched_start(struct vcpu *vcpu)
{
	vcpu->state = VCPU_RUNNABLE;
	starts++;
}

struct lock sched_lock;

void sched_notify(struct vcpu *vcpu __unused)
{
	wakes++;
}

void sched_block(struct vcpu *vcpu __unused)
{
	blocks++;
}

void sched_yield(void)
{
}

void (*sched_stops)(void);

void sched_stop(struct vcpu *vcpu)
{
	vcpu->state = VCPU_DOWN;
	if (sched_stops)
		sched_stops();
}

void sched_end(struct domain *domain, unsigned int reason)
{
	domain->ending = reason + 1;
	ends++;
	ended_for = reason;
}

void sched_set_timer(struct vcpu *vcpu, u64 deadline)
{
	vcpu->timer_deadline = deadline;
}

bool pause_takes_longer;

bool sched_pause(struct domain *domain)
{
	domain->paused = true;
	return !pause_takes_longer;
}

void sched_unpause(struct domain *domain)
{
	domain->paused = false;
}

int sched_set(struct domain *domain __unused, u64 what, u64 index, u64 value)
{
	if (what == setting_refused)
		return TORC_EINVAL;
	settings[setting_count++ % ARRAY_SIZE(settings)] =
		(struct sched_setting){ what, index, value };
	return TORC_OK;
}
