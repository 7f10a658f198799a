/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Round robin over runnable vCPUs with a fixed slice, and the one-shot timer behind both slices
 * and the guests' deadlines. The running vCPU is not on the queue.
 */
#include "apic.h"
#include "console.h"
#include "cpu.h"
#include "entry.h"
#include "log.h"
#include "power.h"
#include "sched.h"
#include "timer.h"

#define SLICE_NS 10000000ull

static struct vcpu *queue_head, **queue_tail = &queue_head;

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

void sched_start(struct vcpu *vcpu)
{
	vcpu->state = VCPU_RUNNABLE;
	enqueue(vcpu);
}

void sched_wake(struct vcpu *vcpu)
{
	if (vcpu->state == VCPU_BLOCKED)
		sched_start(vcpu);
}

void sched_block(struct vcpu *vcpu)
{
	vcpu->state = VCPU_BLOCKED;
}

void sched_yield(void)
{
	this_cpu()->need_resched = true;
}

void sched_forget(struct domain *domain)
{
	struct cpu *cpu = this_cpu();
	struct vcpu **link = &queue_head;

	while (*link) {
		if ((*link)->domain == domain)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	queue_tail = link;
	if (cpu->current && cpu->current->domain == domain)
		cpu->current = NULL;
	if (cpu->loaded && cpu->loaded->domain == domain)
		cpu->loaded = NULL;
}

static u64 next_deadline(void)
{
	struct domain *domain;
	u64 next = TIMER_NEVER;
	u32 i;

	for (domain = domain_list; domain; domain = domain->next)
		for (i = 0; i < domain->vcpu_count; i++)
			next = MIN(next, domain->vcpu[i]->timer_deadline);
	return next;
}

void sched_tick(void)
{
	struct domain *domain;
	u64 now = time_now_ns();
	u32 i;

	this_cpu()->armed = 0;
	for (domain = domain_list; domain; domain = domain->next) {
		for (i = 0; i < domain->vcpu_count; i++) {
			struct vcpu *vcpu = domain->vcpu[i];

			if (vcpu->timer_deadline > now)
				continue;
			vcpu->timer_deadline = TIMER_NEVER;
			event_raise(vcpu, TORC_PORT_TIMER);
		}
	}
	if (this_cpu()->current && queue_head && this_cpu()->current->slice_end <= now)
		this_cpu()->need_resched = true;
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
	return next_deadline() <= now || (queue_head && cpu->current->slice_end <= now);
}

/*
 * Leaves the timer alone while it stands right: reaching it is slow, and all ways out come by
 * here.
 */
static void arm_timer(struct cpu *cpu)
{
	u64 next = next_deadline();

	if (cpu->current && queue_head)
		next = MIN(next, cpu->current->slice_end);
	if (next == cpu->armed)
		return;
	cpu->armed = next;
	if (next == TIMER_NEVER)
		timer_disarm();
	else
		timer_arm(next);
}

static void idle(struct cpu *cpu)
{
	console_flush();
	arm_timer(cpu);
	cpu_idle_once();
}

/* Takes the processor away from @cpu's current vCPU. */
static void deschedule(struct cpu *cpu)
{
	struct vcpu *vcpu = cpu->current;

	vcpu->run_ns += time_now_ns() - vcpu->last_dispatch;
	if (vcpu->state == VCPU_RUNNABLE)
		enqueue(vcpu);
	cpu->current = NULL;
}

static void dispatch(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 now = time_now_ns();

	vcpu->steal_ns += now - vcpu->ready_since;
	vcpu->last_dispatch = now;
	vcpu->slice_end = now + SLICE_NS;
	vcpu->page->run_ns = vcpu->run_ns;
	vcpu->page->steal_ns = vcpu->steal_ns;
	cpu->current = vcpu;
	if (cpu->loaded == vcpu)
		return;
	if (cpu->loaded)
		vcpu_save(cpu->loaded);
	vcpu_load(vcpu);
	cpu->loaded = vcpu;
}

static __noreturn void end_of_all(const struct cpu *cpu)
{
	console_flush();
	if (cpu->nmi_count)
		log("cpu %u took %lu NMIs", cpu->id, cpu->nmi_count);
	report_memory();
	log("all domains ended, power off");
	power_off();
}

struct vcpu *sched_pick(void)
{
	struct cpu *cpu = this_cpu();
	struct vcpu *next;

	if (cpu->current && (cpu->current->state != VCPU_RUNNABLE || cpu->need_resched))
		deschedule(cpu);
	cpu->need_resched = false;
	while (!cpu->current) {
		if (!domain_list) {
			end_of_all(cpu);
		}
		next = dequeue();
		if (next)
			dispatch(cpu, next);
		else
			idle(cpu);
	}
	arm_timer(cpu);
	return cpu->current;
}
