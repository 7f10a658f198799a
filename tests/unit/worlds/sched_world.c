/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <criterion/criterion.h>
#include "apic.h"
#include "console.h"
#include "entry.h"
#include "power.h"
#include "worlds/sched_world.h"

struct sched_world world;
struct cpu cpus[CPU_MAX];
static u64 counters[TORC_COUNTERS];
unsigned int cpu_count;

void vcpu_save(struct vcpu *saved)
{
	cr_assert_eq(saved, world.loaded[this_cpu()->id]);
	world.dirty[this_cpu()->id] = false;
}

void vcpu_load(struct vcpu *next)
{
	cr_assert_not(world.dirty[this_cpu()->id], "the one before was not saved");
	world.loaded[this_cpu()->id] = next;
}

void apic_send_ipi(u32 target __unused, u8 vector)
{
	cr_assert_eq(vector, VECTOR_IPI);
	world.kicks++;
}

void timer_arm(u64 deadline)
{
	world.armed = deadline;
	world.arms++;
}

void timer_disarm(void)
{
	world.armed = TIMER_NEVER;
	world.arms++;
}

void event_raise_locked(struct vcpu *woken, unsigned int port)
{
	cr_assert_eq(port, TORC_PORT_TIMER);
	world.raised[woken - world.vcpu]++;
	sched_notify(woken);
}

bool console_flush(void)
{
	return ++world.flushes > world.busy_flushes;
}

/* Its memory is somebody else's. */
void domain_retire(struct domain *domain)
{
	struct domain **link = &domain_list;

	while (*link != domain)
		link = &(*link)->next;
	*link = domain->next;
	memset(domain->vcpu[0], 0x55, sizeof(struct vcpu));
	domain_count--;
	world.reaped[domain - world.domain]++;
}

void report_machine(void)
{
}

void power_off(void)
{
	longjmp(world.off, ALL_OFF);
}

void halt(void)
{
	longjmp(world.off, CPU_OFF);
}

void cpu_idle_once(void)
{
	cr_assert_null(this_cpu()->current);
	cr_assert_lt(world.idles++, 100, "asleep for ever");
	if (world.interrupt)
		world.interrupt();
}

void world_vcpu(unsigned int i)
{
	world.vcpu[i] = (struct vcpu){
		.domain = &world.domain[i],
		.page = &world.page[i],
		.timer_deadline = TIMER_NEVER,
		.state = VCPU_DOWN,
		.entity = { .share = &world.domain[i].share, .affinity = ~0ull },
	};
}

void sched_world_create(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < DOMAINS; i++)
		if (!world.domain[i].ending && world.vcpu[i].state != VCPU_DOWN)
			sched_stop(&world.vcpu[i]); /* of the test before */
	policy_init(count);
	world = (struct sched_world){ .armed = 77 };
	for (i = 0; i < DOMAINS; i++) {
		struct domain *domain = &world.domain[i];
		struct vcpu *vcpu = &world.vcpu[i];

		*domain = (struct domain){ .id = i + 1, .vcpu_count = 1, .vcpu = { vcpu },
					   .counters = counters,
					   .next = i + 1 < DOMAINS ? domain + 1 : NULL };
		policy_set_weight(&domain->share, WEIGHT_DEFAULT, 0);
		world_vcpu(i);
	}
	domain_list = world.domain;
	domain_count = DOMAINS;
	cpu_count = count;
	for (i = 0; i < count; i++)
		cpus[i] = (struct cpu){ .id = i, .deadline = TIMER_NEVER, .counters = counters };
	test_this_cpu = &cpus[0];
	test_now_ns = 1000;
}

void start_vcpus(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		sched_start(&world.vcpu[i]);
}

unsigned int pick_on(unsigned int number)
{
	struct cpu *cpu = &cpus[number];
	struct vcpu *next;

	test_this_cpu = cpu;
	world.idles = 0;
	next = sched_pick();
	cr_assert_eq(next, cpu->current);
	cr_assert_eq(next, cpu->loaded);
	cr_assert_eq(next, world.loaded[number]);
	cr_assert_eq(next->cpu, cpu);
	world.dirty[number] = true;
	return (unsigned int)(next - world.vcpu);
}

void expect_all_ran(const unsigned int *ran, unsigned int rounds)
{
	unsigned int i;

	for (i = 0; i < DOMAINS; i++)
		cr_expect_gt(ran[i], rounds / 20, "vCPU %u ran %u times", i, ran[i]);
}
