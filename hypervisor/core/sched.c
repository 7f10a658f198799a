/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * vCPUs on CPUs: states, switches, kicks, and the one-shot timer behind both slices and the guests'
 * deadlines. Who deserves to run is decided in policy.c.
 *
 * vcpu->cpu says where a vCPU runs. Its registers are saved when it stops, so that any CPU may run
 * it next; the CPU that it ran on last loads them again only if another one has been there
 * meanwhile. The deadlines of a vCPU are looked after where it ran last.
 *
 * Nobody is kicked twice, and an idle CPU looks at the queue under the lock before it sleeps with
 * interrupts held back until it does. A CPU that is to look anew finds need_resched.
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

#define CONSOLE_BUSY_NS 1000000 /* until an idle CPU asks again for the console */

struct lock sched_lock;
static struct vcpu *all; /* that have been started */
static unsigned int all_count;
static bool restricted; /* there are caps, or vCPUs that not every CPU may run */
static bool open; /* domains are built, CPUs may run them */

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

/* @number: as the policy tells it; what it has decided, it decides anew there. */
static void tell(unsigned int number)
{
	if (number == CPU_NONE)
		return;
	WRITE_ONCE(cpus[number].need_resched, true);
	kick(&cpus[number]);
}

static void enqueue(struct vcpu *vcpu)
{
	vcpu->ready_since = time_now_ns();
	tell(policy_wake(&vcpu->entity, vcpu->ready_since));
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
		if (!vcpu->cpu && !vcpu->domain->paused)
			enqueue(vcpu);
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
	struct cpu *cpu = this_cpu();

	lock_take(&sched_lock);
	if (policy_yield(cpu->id, time_now_ns()))
		cpu->need_resched = true;
	lock_drop(&sched_lock);
}

void sched_kicked(void)
{
	/* Before anything is looked at: a full barrier, as setting a pending bit is. */
	(void)__atomic_exchange_n(&this_cpu()->kicked, false, __ATOMIC_SEQ_CST);
}

void sched_stop(struct vcpu *vcpu)
{
	struct vcpu **link = &all;

	vcpu->state = VCPU_DOWN;
	policy_leave(&vcpu->entity, time_now_ns());
	while (*link && *link != vcpu)
		link = &(*link)->next_all;
	if (*link) {
		*link = vcpu->next_all;
		all_count--;
	}
	if (vcpu->cpu)
		tell(vcpu->cpu->id);
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
		policy_leave(&vcpu->entity, time_now_ns());
		if (vcpu->cpu)
			tell(vcpu->cpu->id);
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
		if (vcpu->state == VCPU_RUNNABLE && !vcpu->cpu)
			enqueue(vcpu);
	}
	domain->paused = false;
	lock_drop(&sched_lock);
}

static int set(struct domain *domain, u64 what, u64 index, u64 value)
{
	const struct {
		u64 least, most, *machine;
	} range[] = {
		[0] = { 1, 0 },
		[TORC_SCHED_WEIGHT] = { 1, WEIGHT_MAX },
		[TORC_SCHED_CAP] = { 0, 100 * CPU_MAX },
		[TORC_SCHED_AFFINITY] = { 1, ~0ull >> (CPU_MAX - cpu_count) },
		[TORC_SCHED_SLICE_NS] = { TORC_SCHED_SLICE_MIN, TORC_SCHED_SLICE_MAX,
					  &policy_slice },
		[TORC_SCHED_GRANULARITY_NS] = { 0, TORC_SCHED_SLICE_MAX, &policy_granularity },
		[TORC_SCHED_PERIOD_NS] = { TORC_SCHED_PERIOD_MIN, TORC_SCHED_PERIOD_MAX,
					   &policy_period },
	};

	if (what >= ARRAY_SIZE(range) || value < range[what].least || value > range[what].most)
		return TORC_EINVAL;
	if (range[what].machine)
		*range[what].machine = value;
	else if (what == TORC_SCHED_CAP)
		policy_set_cap(&domain->share, value, time_now_ns());
	else if (what == TORC_SCHED_WEIGHT)
		policy_set_weight(&domain->share, value, time_now_ns());
	else if (!vcpu_find(domain, index))
		return TORC_ENOENT;
	else
		vcpu_find(domain, index)->entity.affinity = value;
	for (u32 i = 0; domain && i < domain->vcpu_count; i++)
		policy_requeue(&domain->vcpu[i]->entity);
	restricted |= what == TORC_SCHED_CAP || what == TORC_SCHED_AFFINITY;
	return TORC_OK;
}

int sched_set(struct domain *domain, u64 what, u64 index, u64 value)
{
	int error;

	lock_take(&sched_lock);
	error = set(domain, what, index, value);
	for (unsigned int i = 0; !error && i < cpu_count; i++)
		tell(i);
	lock_drop(&sched_lock);
	return error;
}

static bool slices_matter(void)
{
	return all_count > cpu_count || restricted;
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
	if (cpu->current && cpu->slice_end <= now && slices_matter())
		cpu->need_resched = true;
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
	if (cpu->slice_end <= now)
		cpu->need_resched = true; /* whether or not others wait: each pass is to end */
	return cpu->deadline <= now || READ_ONCE(cpu->need_resched) ||
	       lock_wanted(&cpu->current->domain->lock);
}

/*
 * Leaves the timer alone while it stands right: reaching it is slow, and all ways out come by
 * here. A deadline that was taken back rings for nothing once, and is looked up anew then.
 */
static void arm_timer(struct cpu *cpu)
{
	u64 next = cpu->deadline;

	if (slices_matter())
		next = MIN(next, cpu->slice_end);
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
	lock_drop(&sched_lock);
	if (!console_flush())
		cpu->deadline = MIN(cpu->deadline, time_now_ns() + CONSOLE_BUSY_NS);
	arm_timer(cpu);
	cpu->idle = true;
	cpu_idle_once();
	cpu->idle = false;
	lock_take(&sched_lock);
}

/*
 * Takes the processor away from @cpu's current vCPU. Return: its domain if that has ended and this
 * was the last of it on any CPU.
 */
static struct domain *deschedule(struct cpu *cpu)
{
	struct vcpu *vcpu = cpu->current;
	struct domain *domain = vcpu->domain;
	u64 now = time_now_ns();

	vcpu->run_ns += now - vcpu->last_dispatch;
	vcpu_save(vcpu);
	vcpu->cpu = NULL;
	cpu->current = NULL;
	vcpu->ready_since = now;
	policy_stop(cpu->id, vcpu->state == VCPU_RUNNABLE && !domain->paused, now);
	return domain->ending && !runs(domain) ? domain : NULL;
}

static void dispatch(struct cpu *cpu, struct vcpu *vcpu, u64 now)
{
	/* The clock of the CPU where it became ready may be a little ahead. */
	u64 waited = now - MIN(now, vcpu->ready_since);

	count(vcpu->domain, TORC_COUNTER_DISPATCH, 1);
	trace(vcpu, TORC_TRACE_DISPATCH, waited, 0);
	vcpu->steal_ns += waited;
	vcpu->last_dispatch = now;
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
	struct choice choice;
	u64 now;

	if (cpu->current && cpu->current->state == VCPU_RUNNABLE &&
	    !READ_ONCE(cpu->need_resched)) {
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
	while (!cpu->current) {
		if (!__atomic_load_n(&domain_count, __ATOMIC_ACQUIRE)) {
			lock_drop(&sched_lock);
			end_of_all();
		}
		now = time_now_ns();
		cpu->need_resched = false;
		choice = policy_pick(cpu->id, now);
		cpu->slice_end = choice.until;
		tell(choice.tell);
		if (choice.entity)
			dispatch(cpu, container_of(choice.entity, struct vcpu, entity), now);
		else
			idle(cpu);
	}
	lock_drop(&sched_lock);
	arm_timer(cpu);
	return cpu->current;
}
