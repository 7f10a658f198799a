/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The scheduler on two CPUs: nobody runs twice at once, no wake-up is lost between them, and who is
 * needed is kicked.
 */
#include <criterion/criterion.h>
#include "worlds/sched_world.h"

static void create(void)
{
	sched_world_create(2);
}

TestSuite(sched_cpus, .init = create);

Test(sched_cpus, two_cpus_never_run_the_same)
{
	struct random dice = { 77 };
	unsigned int round, ran[DOMAINS] = { 0 }, cpu;

	start_vcpus(DOMAINS);
	for (round = 0; round < 20000; round++) {
		struct vcpu *now;

		cpu = random_below(&dice, 2);
		now = &world.vcpu[pick_on(cpu)];
		cr_assert_neq(now, cpus[!cpu].current);
		ran[now - world.vcpu]++;
		test_now_ns += random_below(&dice, SLICE);
		switch (random_below(&dice, 4)) {
		case 0:
			sched_block(now);
			test_this_cpu = &cpus[!cpu];
			sched_notify(now); /* from the other CPU, before or after it has stopped */
			break;
		case 1:
			sched_yield();
			break;
		default:
			sched_tick();
		}
	}
	expect_all_ran(ran, round);
}

Test(sched_cpus, other_cpus_are_kicked_once)
{
	struct vcpu *other;

	start_vcpus(2);
	pick_on(0);
	other = &world.vcpu[pick_on(1)];
	sched_kicked();
	test_this_cpu = &cpus[0];
	world.kicks = 0;
	sched_notify(other);
	sched_notify(other);
	cr_expect_eq(world.kicks, 1, "it runs there");
	test_this_cpu = &cpus[1];
	sched_kicked();
	test_this_cpu = &cpus[0];
	sched_notify(other);
	cr_expect_eq(world.kicks, 2, "the first kick has arrived");
}

Test(sched_cpus, an_idle_cpu_takes_who_starts)
{
	start_vcpus(1);
	pick_on(0);
	sched_start(&world.vcpu[1]);
	cr_expect_eq(world.kicks, 1);
	sched_start(&world.vcpu[2]);
	cr_expect_eq(world.kicks, 1, "it is on its way");
}

/* Who is told looks anew even though its slice has not ended, once the kick has arrived. */
Test(sched_cpus, who_wakes_interrupts_who_ran_most)
{
	struct vcpu *sleeper;

	start_vcpus(3);
	sleeper = &world.vcpu[pick_on(0)];
	sched_block(sleeper);
	pick_on(0);
	test_now_ns += SLICE / 2; /* CPU 0 began earlier, so what runs there is further ahead */
	pick_on(1);
	sched_kicked();
	test_now_ns += SLICE / 4;
	world.kicks = 0;
	sched_notify(sleeper);
	cr_expect(cpus[0].need_resched);
	cr_expect_eq(world.kicks, 1);
	cr_expect_eq(pick_on(0), sleeper - world.vcpu);
	cr_expect_not(cpus[0].need_resched);
}

static void back_again(void)
{
	cr_expect_null(world.vcpu[0].cpu);
	cr_expect(cpus[1].need_resched, "it is left for CPU 1, which sleeps");
	cr_expect_eq(sched_set(&world.domain[0], TORC_SCHED_AFFINITY, 0, 3), TORC_OK);
}

/* It leaves at once the CPU where it may not run any more, and another one that sleeps is told. */
Test(sched_cpus, a_new_affinity_moves_who_runs)
{
	start_vcpus(1);
	pick_on(0);
	test_this_cpu = &cpus[1];
	world.kicks = 0;
	cr_expect_eq(sched_set(&world.domain[0], TORC_SCHED_AFFINITY, 0, 2), TORC_OK);
	cr_expect_eq(world.kicks, 1);
	cr_expect(cpus[0].need_resched);
	cpus[1].need_resched = false;
	world.interrupt = back_again;
	cr_expect_eq(pick_on(0), 0);
	cr_expect_eq(world.idles, 1);
}

/* A CPU that runs its vCPU without a slice must hear of it when slices begin to matter. */
Test(sched_cpus, one_vcpu_too_many_ends_the_time_without_slices)
{
	start_vcpus(2);
	pick_on(0);
	pick_on(1);
	cr_expect_eq(world.armed, TIMER_NEVER);
	sched_kicked();
	test_this_cpu = &cpus[0];
	sched_start(&world.vcpu[2]);
	cr_expect(cpus[1].kicked, "it runs alone, without a timer");
	pick_on(1);
	cr_expect_eq(world.armed, test_now_ns + SLICE);
}

static int end_on(unsigned int cpu)
{
	test_this_cpu = &cpus[cpu];
	switch (setjmp(world.off)) {
	case ALL_OFF:
		return ALL_OFF;
	case CPU_OFF:
		return CPU_OFF;
	default:
		sched_pick();
		return 0;
	}
}

Test(sched_cpus, the_machine_goes_off_once)
{
	domain_count = 0;
	cr_expect_eq(end_on(1), ALL_OFF);
	cr_expect_eq(end_on(0), CPU_OFF);
}
