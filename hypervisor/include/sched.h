/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Who runs, and until when. */
#ifndef TORC_SCHED_H
#define TORC_SCHED_H

#include "domain.h"
#include "lock.h"

/** sched_start - a complete vCPU may run from now on */
void sched_start(struct vcpu *vcpu);

/**
 * sched_open - all domains are built: every CPU may run them from now on
 */
void sched_open(void);
bool sched_is_open(void);

/*
 * Run queue, states and places of vCPUs. Whoever writes into another vCPU's page holds it too: the
 * page is not exchanged or given back meanwhile.
 */
extern struct lock sched_lock;

/**
 * sched_notify - @vcpu has a new event: it wakes if it sleeps, and looks if it runs elsewhere
 * Holding sched_lock.
 */
void sched_notify(struct vcpu *vcpu);

/** sched_kicked - what sched_notify() sent has arrived here */
void sched_kicked(void);

/** sched_block - the current vCPU sleeps until sched_notify(), unless an event is pending */
void sched_block(struct vcpu *vcpu);

/** sched_set_timer - the current vCPU's timer rings at @deadline (ns), or TIMER_NEVER */
void sched_set_timer(struct vcpu *vcpu, u64 deadline);

/** sched_yield - the current vCPU goes behind those who deserve as much */
void sched_yield(void);

/** sched_stop - @vcpu is down from now on, a CPU that runs it is kicked; holding sched_lock */
void sched_stop(struct vcpu *vcpu);

/**
 * sched_end - ends @domain
 * @reason: TORC_SHUTDOWN_POWEROFF, _REBOOT or _CRASH; the first one counts
 *
 * Its vCPUs stop. The CPU that leaves the last of them calls domain_retire() behind it; if no CPU
 * runs any, that is done here.
 */
void sched_end(struct domain *domain, unsigned int reason);

/** sched_pause - @domain runs no more; false while a CPU has yet to leave it */
bool sched_pause(struct domain *domain);

/** sched_unpause - it may run again */
void sched_unpause(struct domain *domain);

/**
 * sched_set - changes what the policy knows, at any time
 * @domain: whose; NULL for what is the machine's
 * @what: TORC_SCHED_*; @index: vCPU, for the affinity only
 * Return: TORC_EINVAL when @what is unknown or @value out of its range, a CPU that the machine has
 * not among them; TORC_ENOENT without such a vCPU.
 */
int sched_set(struct domain *domain, u64 what, u64 index, u64 value);

/** sched_tick - the timer fired: expired deadlines raise their events */
void sched_tick(void);

#define PREEMPT_INTERVAL 256 /* page-table entries worked on between looks at the clock */

/**
 * sched_preempt_due - @work units more are done: should long work stop at this safe point?
 * So it is when the slice is over, whether or not somebody waits, the CPU has something else to do,
 * or another one wants the domain's lock. Looks now and then only. Never true while domains are
 * built.
 */
bool sched_preempt_due(unsigned int work);

/**
 * sched_pick - the vCPU to run now, its state in the processor and the timer armed
 * Idles while nobody is runnable; powers the machine off when no domain is left.
 */
struct vcpu *sched_pick(void);

/* event.c */

/** event_raise - fires @port of @vcpu and notifies it unless the guest masked the port */
void event_raise(struct vcpu *vcpu, unsigned int port);
void event_raise_locked(struct vcpu *vcpu, unsigned int port); /* holding sched_lock */

/** event_deliver - enters the event entry if the current @vcpu can take its pending events now */
void event_deliver(struct vcpu *vcpu);

/** frame_deliver - makes @vcpu enter entry @kind with a frame that tells where it was */
bool frame_deliver(struct vcpu *vcpu, unsigned int kind, u64 vector, u64 error, u64 cr2);

#endif
