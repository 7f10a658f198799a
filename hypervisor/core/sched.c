/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Round robin over runnable vCPUs with a fixed slice, from one queue for all CPUs; and the one-shot
 * timer behind both slices and the guests' deadlines.
 *
 * A running vCPU is not on the queue: vcpu->cpu says where it runs. Its registers are saved when it
 * stops, so that any CPU may run it next; the CPU that it ran on last loads them again only if
 * another one has been there meanwhile. The deadlines of a vCPU are looked after where it ran last.
 *
 * Nobody is kicked twice, and an idle CPU looks at the queue under the lock before it sleeps with
 * interrupts held back until it does.
 */
#include "apic.h"
#include "console.h"
#include "cpu.h"
#include "entry.h"
#include "lock.h"
#include "log.h"
#include "observe.h"
#include "power.h"
#include "sched.h"
#include "timer.h"

#define SLICE_NS 10000000ull

struct lock sched_lock;
static struct vcpu *queue_head, **queue_tail = &queue_head;
static struct vcpu *all; /* that have been started */
static unsigned int all_count;
static bool open; /* domains are built, CPUs may run them */

static void enqueue(struct vcpu *vcpu)
{
	vcpu->next = NULL;
	vcpu->ready_since = time_now_ns();
	*queue_tail = vcpu;
	queue_tail = &vcpu->next;
}

static struct vcpu *dequeue(void)
{
	struct vcpu *vcpu = queue_head;

	if (!vcpu)
		return NULL;
	queue_head = vcpu->next;
	if (!queue_head)
		queue_tail = &queue_head;
	return vcpu;
}

/*
 * Makes another CPU look around, unless it will anyway: whoever clears the flag sees what was
 * written before it was set (sched_kicked()).
 */
static void kick(struct cpu *cpu)
{
	if (cpu != this_cpu() && !__atomic_exchange_n(&cpu->kicked, true, __ATOMIC_SEQ_CST))
		apic_send_ipi(cpu->apic_id, VECTOR_IPI);
}

static void kick_all(void)
{
	for (unsigned int i = 0; i < cpu_count; i++)
		kick(&cpus[i]);
}

static void kick_idle(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (cpus[i].idle && !cpus[i].kicked) {
			kick(&cpus[i]);
			return;
		}
	}
}

void sched_start(struct vcpu *vcpu)
{
	lock_take(&sched_lock);
	if (!vcpu->domain->ending) {
		vcpu->state = VCPU_RUNNABLE;
		vcpu->next_all = all;
		all = vcpu;
		all_count++;
		if (!vcpu->domain->paused)
			enqueue(vcpu);
		if (all_count == cpu_count + 1)
			kick_all(); /* from now on there are slices to be armed */
		else
			kick_idle();
	}
	lock_drop(&sched_lock);
}

void sched_open(void)
{
	__atomic_store_n(&open, true, __ATOMIC_RELEASE);
	kick_all();
}

bool sched_is_open(void)
{
	return __atomic_load_n(&open, __ATOMIC_ACQUIRE);
}

void sched_notify(struct vcpu *vcpu)
{
	if (vcpu->state == VCPU_BLOCKED) {
		vcpu->state = VCPU_RUNNABLE;
		if (!vcpu->cpu && !vcpu->domain->paused) {
			enqueue(vcpu);
			kick_idle();
		}
	} else if (vcpu->cpu) {
		kick(vcpu->cpu);
	}
}

void sched_block(struct vcpu *vcpu)
{
	lock_take(&sched_lock);
	/* Who raises an event sets the bit first and asks for the state then. */
	if (vcpu->state == VCPU_RUNNABLE && !READ_ONCE(vcpu->page->pending) &&
	    !READ_ONCE(vcpu->nmi_pending))
		vcpu->state = VCPU_BLOCKED;
	lock_drop(&sched_lock);
}

void sched_yield(void)
{
	this_cpu()->need_resched = true;
}

void sched_kicked(void)
{
	/* Before anything is looked at: a full barrier, as setting a pending bit is. */
	(void)__atomic_exchange_n(&this_cpu()->kicked, false, __ATOMIC_SEQ_CST);
}

static void unqueue(struct vcpu *vcpu)
{
	struct vcpu **link = &queue_head;

	while (*link && *link != vcpu)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = vcpu->next;
	if (!*link)
		queue_tail = link;
}

void sched_stop(struct vcpu *vcpu)
{
	struct vcpu **link = &all;

	vcpu->state = VCPU_DOWN;
	unqueue(vcpu);
	while (*link && *link != vcpu)
		link = &(*link)->next_all;
	if (*link) {
		*link = vcpu->next_all;
		all_count--;
	}
	if (vcpu->cpu)
		kick(vcpu->cpu);
}

static bool runs(const struct domain *domain)
{
	for (u32 i = 0; i < domain->vcpu_count; i++)
		if (domain->vcpu[i]->cpu)
			return true;
	return false;
}

void sched_end(struct domain *domain, unsigned int reason)
{
	bool gone = false;

	lock_take(&sched_lock);
	if (!domain->ending) {
		domain->ending = reason + 1;
		for (u32 i = 0; i < domain->vcpu_count; i++)
			sched_stop(domain->vcpu[i]);
		gone = !runs(domain);
	}
	lock_drop(&sched_lock);
	if (gone)
		domain_retire(domain);
}

bool sched_pause(struct domain *domain)
{
	struct vcpu *vcpu;
	bool still;

	lock_take(&sched_lock);
	domain->paused = true;
	for (u32 i = 0; i < domain->vcpu_count; i++) {
		vcpu = domain->vcpu[i];
		unqueue(vcpu);
		if (vcpu->cpu) {
			WRITE_ONCE(vcpu->cpu->need_resched, true);
			kick(vcpu->cpu);
		}
	}
	still = runs(domain);
	lock_drop(&sched_lock);
	return !still;
}

void sched_unpause(struct domain *domain)
{
	struct vcpu *vcpu;

	lock_take(&sched_lock);
	for (u32 i = 0; domain->paused && i < domain->vcpu_count; i++) {
		vcpu = domain->vcpu[i];
		if (vcpu->state == VCPU_RUNNABLE && !vcpu->cpu) {
			enqueue(vcpu);
			kick_idle();
		}
	}
	domain->paused = false;
	lock_drop(&sched_lock);
}

static bool slices_matter(void)
{
	return all_count > cpu_count;
}

/* The earliest deadline of the vCPUs that @cpu looks after. */
static u64 next_deadline(const struct cpu *cpu)
{
	const struct vcpu *vcpu;
	u64 next = TIMER_NEVER;

	for (vcpu = all; vcpu; vcpu = vcpu->next_all)
		if (vcpu->home == cpu)
			next = MIN(next, vcpu->timer_deadline);
	return next;
}

void sched_tick(void)
{
	struct cpu *cpu = this_cpu();
	u64 now = time_now_ns();
	struct vcpu *vcpu;

	cpu->armed = 0;
	lock_take(&sched_lock);
	for (vcpu = all; vcpu; vcpu = vcpu->next_all) {
		if (vcpu->home != cpu || vcpu->timer_deadline > now)
			continue;
		vcpu->timer_deadline = TIMER_NEVER;
		event_raise_locked(vcpu, TORC_PORT_TIMER);
	}
	cpu->deadline = next_deadline(cpu);
	if (cpu->current && cpu->current->slice_end <= now) {
		cpu->need_resched = queue_head;
		cpu->current->slice_end = now + SLICE_NS;
	}
	lock_drop(&sched_lock);
}

void sched_set_timer(struct vcpu *vcpu, u64 deadline)
{
	struct cpu *cpu = this_cpu();

	vcpu->timer_deadline = deadline;
	cpu->deadline = MIN(cpu->deadline, deadline);
}

bool sched_preempt_due(unsigned int work)
{
	struct cpu *cpu = this_cpu();
	u64 now;

	cpu->work += work;
	if (!cpu->current || cpu->work < PREEMPT_INTERVAL)
		return false;
	cpu->work = 0;
	now = time_now_ns();
	return cpu->deadline <= now ||
	       (READ_ONCE(queue_head) && cpu->current->slice_end <= now);
}

/*
 * Leaves the timer alone while it stands right: reaching it is slow, and all ways out come by
 * here. A deadline that was taken back rings for nothing once, and is looked up anew then.
 */
static void arm_timer(struct cpu *cpu)
{
	u64 next = cpu->deadline;

	if (cpu->current && slices_matter())
		next = MIN(next, cpu->current->slice_end);
	if (next == cpu->armed)
		return;
	cpu->armed = next;
	if (next == TIMER_NEVER)
		timer_disarm();
	else
		timer_arm(next);
}

/* Sleeps until something happens. A kick that is on its way by now ends the sleep at once. */
static void idle(struct cpu *cpu)
{
	cpu->idle = true;
	lock_drop(&sched_lock);
	console_flush();
	arm_timer(cpu);
	cpu_idle_once();
	lock_take(&sched_lock);
	cpu->idle = false;
}

/*
 * Takes the processor away from @cpu's current vCPU. Return: its domain if that has ended and this
 * was the last of it on any CPU.
 */
static struct domain *deschedule(struct cpu *cpu)
{
	struct vcpu *vcpu = cpu->current;
	struct domain *domain = vcpu->domain;

	vcpu->run_ns += time_now_ns() - vcpu->last_dispatch;
	vcpu_save(vcpu);
	vcpu->cpu = NULL;
	cpu->current = NULL;
	if (vcpu->state == VCPU_RUNNABLE && !domain->paused)
		enqueue(vcpu);
	return domain->ending && !runs(domain) ? domain : NULL;
}

static void dispatch(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 now = time_now_ns();

	count(vcpu->domain, TORC_COUNTER_DISPATCH, 1);
	trace(vcpu, TORC_TRACE_DISPATCH, now - vcpu->ready_since, 0);
	vcpu->steal_ns += now - vcpu->ready_since;
	vcpu->last_dispatch = now;
	vcpu->slice_end = now + SLICE_NS;
	vcpu->page->run_ns = vcpu->run_ns;
	vcpu->page->steal_ns = vcpu->steal_ns;
	vcpu->cpu = cpu;
	cpu->current = vcpu;
	cpu->deadline = MIN(cpu->deadline, vcpu->timer_deadline);
	if (cpu->loaded != vcpu || vcpu->home != cpu)
		vcpu_load(vcpu);
	vcpu->home = cpu;
	cpu->loaded = vcpu;
}

/* Each CPU finds that nothing is left to run; the first to do so ends the machine. */
static __noreturn void end_of_all(void)
{
	static bool ended;

	if (__atomic_exchange_n(&ended, true, __ATOMIC_ACQ_REL))
		halt();
	console_flush();
	report_machine();
	log("all domains ended, power off");
	power_off();
}

struct vcpu *sched_pick(void)
{
	struct cpu *cpu = this_cpu();
	struct domain *ended = NULL;
	struct vcpu *next;

	if (cpu->current && cpu->current->state == VCPU_RUNNABLE && !cpu->need_resched) {
		arm_timer(cpu);
		return cpu->current;
	}
	lock_take(&sched_lock);
	if (cpu->current)
		ended = deschedule(cpu);
	if (ended) {
		lock_drop(&sched_lock);
		domain_retire(ended);
		lock_take(&sched_lock);
	}
	cpu->need_resched = false;
	while (!cpu->current) {
		if (!__atomic_load_n(&domain_count, __ATOMIC_ACQUIRE)) {
			lock_drop(&sched_lock);
			end_of_all();
		}
		next = dequeue();
		if (next)
			dispatch(cpu, next);
		else
			idle(cpu);
	}
	lock_drop(&sched_lock);
	arm_timer(cpu);
	return cpu->current;
}
