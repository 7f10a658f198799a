/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The scheduler: who runs next, when the timer rings, and that neither a sleeping vCPU nor the end
 * of a domain leaves anything behind.
 *
 * Attack: work for long while nobody waits, or while another CPU wants the domain's lock; raise an
 * event between the last look and the sleep.
 * Vulnerable: the watchdog ends the machine, the other CPU spins, the event is slept over.
 * Fixed: long work ends with the slice or when it is asked to, and the last look is behind the
 * fence.
 */
#include <criterion/criterion.h>
#include "worlds/sched_world.h"

static void create(void)
{
	sched_world_create(1);
}

TestSuite(sched, .init = create);

static unsigned int pick(void)
{
	return pick_on(0);
}

/* The slice of the running vCPU ends. */
static void end_slice(void)
{
	test_now_ns = cpus[0].slice_end;
	sched_tick();
}

Test(sched, alone_without_a_timer)
{
	start_vcpus(1);
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.armed, TIMER_NEVER);
	test_now_ns += 5 * SLICE;
	sched_tick();
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.armed, TIMER_NEVER);
}

Test(sched, equals_run_in_turn)
{
	unsigned int round, i, seen, now;

	start_vcpus(3);
	for (round = 0; round < 5; round++) {
		for (i = seen = 0; i < 3; i++) {
			now = pick();
			seen |= 1u << now;
			cr_expect_eq(world.armed, test_now_ns + SLICE);
			cr_expect_eq(pick(), now, "until its slice ends");
			end_slice();
		}
		cr_expect_eq(seen, 7);
	}
}

Test(sched, yield_goes_behind_the_others)
{
	start_vcpus(2);
	cr_expect_eq(pick(), 0);
	sched_yield();
	cr_expect_eq(pick(), 1);
	sched_yield();
	cr_expect_eq(pick(), 0);
}

Test(sched, asleep_until_woken)
{
	unsigned int i;

	start_vcpus(3);
	cr_expect_eq(pick(), 0);
	sched_block(&world.vcpu[0]);
	for (i = 0; i < 6; i++) {
		cr_expect_neq(pick(), 0, "the sleeper");
		end_slice();
	}
	pick();
	sched_notify(&world.vcpu[0]);
	cr_expect_eq(pick(), 0, "it is behind the others, who ran");
	sched_notify(&world.vcpu[0]); /* once is enough */
	sched_notify(&world.vcpu[1]); /* nothing to wake */
	end_slice();
	cr_expect_neq(pick(), 0);
}

/* Who waits goes first in turn, and a vCPU that yields all the time does not lose its own. */
Test(sched, a_spinning_vcpu_lets_all_others_run)
{
	unsigned int round, seen = 0, ran[3] = { 0 };

	start_vcpus(3);
	while (pick() != 0)
		end_slice();
	sched_yield();
	while (pick() != 0) {
		seen |= 1u << pick();
		end_slice();
	}
	cr_expect_eq(seen, 6, "both others ran: %x", seen);
	for (round = 0; round < 300; round++) {
		unsigned int now = pick();

		ran[now]++;
		if (now == 0) {
			test_now_ns += 1000;
			sched_yield();
		} else {
			end_slice();
		}
	}
	cr_expect(ran[0] >= 60 && ran[1] > 100 && ran[2] > 100, "%u %u %u", ran[0], ran[1], ran[2]);
}

Test(sched, yielding_to_nobody_changes_nothing)
{
	unsigned int arms;

	start_vcpus(1);
	pick();
	arms = world.arms;
	sched_yield();
	cr_expect_not(cpus[0].need_resched);
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.arms, arms);
}

/* Without the second look at pending a guest sleeps through its event. */
Test(sched, no_sleep_over_a_pending_event)
{
	start_vcpus(1);
	pick();
	world.page[0].pending = 1;
	sched_block(&world.vcpu[0]);
	cr_expect_eq(pick(), 0);
	world.page[0].pending = 0;
	world.vcpu[0].nmi_pending = true;
	sched_block(&world.vcpu[0]);
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.idles, 0);
}

static void ring(void)
{
	test_now_ns = world.armed;
	sched_tick();
}

Test(sched, a_deadline_wakes_the_sleeper)
{
	start_vcpus(1);
	cr_expect_eq(pick(), 0);
	sched_set_timer(&world.vcpu[0], 5000000);
	sched_block(&world.vcpu[0]);
	world.interrupt = ring;
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.idles, 1);
	cr_expect_eq(world.raised[0], 1);
	cr_expect_eq(world.vcpu[0].timer_deadline, TIMER_NEVER);
	cr_expect_eq(world.armed, TIMER_NEVER);
	cr_expect_gt(world.flushes, 0, "lines that are not complete are shown");
}

static void ring_for_the_console(void)
{
	cr_assert_eq(world.armed, test_now_ns + 1000000);
	ring();
	if (world.flushes == 2)
		sched_notify(&world.vcpu[0]);
}

/* Another CPU has the console: what could not be shown now is shown when that one is through. */
Test(sched, asks_again_for_a_busy_console)
{
	start_vcpus(1);
	cr_expect_eq(pick(), 0);
	sched_block(&world.vcpu[0]);
	world.busy_flushes = 2;
	world.interrupt = ring_for_the_console;
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.flushes, 2);
}

/* The hardware cannot count as far as the deadline: it rings early, and must be wound up again. */
static void ring_early(void)
{
	static unsigned int times;

	cr_assert_eq(world.armed, 5000000);
	world.armed = TIMER_NEVER; /* one shot */
	if (times++ < 3)
		test_now_ns += 1000;
	else
		test_now_ns = 5000000;
	sched_tick();
}

Test(sched, a_timer_that_rings_early_is_armed_again)
{
	start_vcpus(1);
	pick();
	sched_set_timer(&world.vcpu[0], 5000000);
	sched_block(&world.vcpu[0]);
	world.interrupt = ring_early;
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.idles, 4);
	cr_expect_eq(world.raised[0], 1);
}

Test(sched, the_timer_is_left_alone_while_it_is_right)
{
	unsigned int before, i;

	start_vcpus(2);
	pick();
	before = world.arms;
	for (i = 0; i < 5; i++)
		pick();
	cr_expect_eq(world.arms, before);
	sched_set_timer(&world.vcpu[0], test_now_ns + 10);
	pick();
	cr_expect_eq(world.armed, test_now_ns + 10, "the nearest of all deadlines");
	sched_set_timer(&world.vcpu[0], TIMER_NEVER);
	ring();
	pick();
	cr_expect_eq(world.armed, cpus[0].slice_end);
	cr_expect_eq(world.raised[0], 0);
}

Test(sched, long_work_is_asked_to_stop_when_somebody_waits)
{
	unsigned int i, asked = 0;

	cr_expect_not(sched_preempt_due(100000), "not while domains are built");
	start_vcpus(1);
	pick();
	test_now_ns += SLICE / 2;
	for (i = 0; i < 10000; i++)
		cr_expect_not(sched_preempt_due(1), "nobody waits");
	sched_start(&world.vcpu[1]);
	test_now_ns += SLICE;
	for (i = 0; i < 10000; i++)
		asked += sched_preempt_due(1);
	cr_expect(asked > 0 && asked <= 10000 / 64, "now and then: %u", asked);
	create();
	start_vcpus(1);
	pick();
	sched_set_timer(&world.vcpu[0], test_now_ns);
	cr_expect(sched_preempt_due(100000), "a deadline has passed");
}

/* The watchdog takes a CPU that does not leave the hypervisor for one that hangs. */
Test(sched, long_work_comes_to_its_end_when_nobody_waits)
{
	u64 slice_end;

	start_vcpus(1);
	pick();
	slice_end = cpus[0].slice_end;
	test_now_ns = slice_end;
	cr_expect(sched_preempt_due(100000));
	cr_expect_eq(pick(), 0);
	cr_expect_eq(cpus[0].slice_end, slice_end + SLICE, "and goes on with a new slice");
	cr_expect_not(sched_preempt_due(100000));
}

Test(sched, long_work_stops_for_another_cpu_that_waits_for_the_domains_lock)
{
	start_vcpus(1);
	pick();
	lock_take(&world.domain[0].lock);
	cr_expect_not(sched_preempt_due(100000));
	world.domain[0].lock.taken = LOCK_WANTED; /* as lock_take() leaves it while it waits */
	cr_expect(sched_preempt_due(100000));
}

Test(sched, time_is_counted)
{
	start_vcpus(2);
	pick();
	test_now_ns += SLICE;
	sched_tick();
	pick();
	cr_expect_eq(world.vcpu[0].run_ns, SLICE);
	cr_expect_eq(world.vcpu[1].steal_ns, SLICE);
	cr_expect_eq(world.page[1].steal_ns, SLICE);
	sched_block(&world.vcpu[1]);
	test_now_ns += 5;
	pick();
	cr_expect_eq(world.vcpu[1].run_ns, 5);
	cr_expect_eq(world.vcpu[0].steal_ns, 5);
	cr_expect_eq(world.page[0].run_ns, SLICE);
}

/* A domain leaves, wherever its vCPU stands: in front, in the middle, last, or running. */
Test(sched, the_end_of_a_domain_leaves_nothing_behind)
{
	unsigned int gone, i;

	for (gone = 0; gone < DOMAINS; gone++) {
		bool seen[DOMAINS] = { false };

		create();
		start_vcpus(DOMAINS);
		pick(); /* 0 runs */
		sched_end(&world.domain[gone], TORC_SHUTDOWN_CRASH);
		sched_end(&world.domain[gone], TORC_SHUTDOWN_POWEROFF);
		cr_expect_eq(world.reaped[gone], gone != 0, "not while it runs");
		cr_expect_eq(sched_preempt_due(100000), gone == 0, "long work ends");
		for (i = 0; i < 2 * DOMAINS; i++) {
			seen[pick()] = true;
			end_slice();
		}
		for (i = 0; i < DOMAINS; i++)
			cr_expect_eq(seen[i], i != gone, "domain %u ended, %u", gone, i);
		cr_expect_eq(world.reaped[gone], 1);
	}
}

/* A new domain in the memory of the one that has ended. */
static void start_anew(void)
{
	world.interrupt = NULL;
	world.domain[0].ending = 0;
	world_vcpu(0);
	world.loaded[0] = NULL;
	start_vcpus(1);
}

/* It does not pass for what the processor still holds. */
Test(sched, a_new_vcpu_in_the_memory_of_an_old_one_is_loaded)
{
	start_vcpus(1);
	pick();
	sched_end(&world.domain[0], TORC_SHUTDOWN_POWEROFF);
	world.interrupt = start_anew;
	cr_expect_eq(pick(), 0);
}

Test(sched, without_domains_the_machine_goes_off)
{
	start_vcpus(1);
	pick();
	domain_count = 1;
	sched_end(&world.domain[0], TORC_SHUTDOWN_POWEROFF);
	switch (setjmp(world.off)) {
	case 0:
		sched_pick();
		cr_assert_fail("it goes on");
	case CPU_OFF:
		cr_assert_fail("only a CPU stopped");
	}
	cr_expect(strstr(logged(), "all domains ended, power off"));
}

/* A parameter outside its range, of a vCPU that is not there, or that does not exist. */
Test(sched, parameters_are_checked)
{
	static const struct {
		u64 what, index, value;
		int error;
	} tries[] = {
		{ TORC_SCHED_WEIGHT, 0, 0, TORC_EINVAL },
		{ TORC_SCHED_WEIGHT, 0, 65536, TORC_EINVAL },
		{ TORC_SCHED_WEIGHT, 7, 65535, TORC_OK },
		{ TORC_SCHED_CAP, 0, 6401, TORC_EINVAL },
		{ TORC_SCHED_CAP, 0, 6400, TORC_OK },
		{ TORC_SCHED_CAP, 0, 0, TORC_OK },
		{ TORC_SCHED_AFFINITY, 0, 0, TORC_EINVAL },
		{ TORC_SCHED_AFFINITY, 0, 2, TORC_EINVAL },
		{ TORC_SCHED_AFFINITY, 0, 1ull << 63, TORC_EINVAL },
		{ TORC_SCHED_AFFINITY, 1, 1, TORC_ENOENT },
		{ TORC_SCHED_AFFINITY, 1ull << 32, 1, TORC_ENOENT },
		{ TORC_SCHED_AFFINITY, 0, 1, TORC_OK },
		{ TORC_SCHED_SLICE_NS, 0, 99999, TORC_EINVAL },
		{ TORC_SCHED_SLICE_NS, 0, 100000001, TORC_EINVAL },
		{ TORC_SCHED_SLICE_NS, 0, 100000000, TORC_OK },
		{ TORC_SCHED_SLICE_NS, 0, 100000, TORC_OK },
		{ TORC_SCHED_GRANULARITY_NS, 0, 100000001, TORC_EINVAL },
		{ TORC_SCHED_GRANULARITY_NS, 0, 0, TORC_OK },
		{ 0, 0, 1, TORC_EINVAL },
		{ TORC_SCHED_PERIOD_NS, 0, 9999999, TORC_EINVAL },
		{ TORC_SCHED_PERIOD_NS, 0, 1000000001, TORC_EINVAL },
		{ TORC_SCHED_PERIOD_NS, 0, 1000000000, TORC_OK },
		{ TORC_SCHED_PERIOD_NS, 0, 10000000, TORC_OK },
		{ 7, 0, 1, TORC_EINVAL },
		{ ~0u, 0, 1, TORC_EINVAL },
		{ 1ull << 32 | TORC_SCHED_WEIGHT, 0, 1, TORC_EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++)
		cr_expect_eq(sched_set(&world.domain[0], tries[i].what, tries[i].index,
				       tries[i].value), tries[i].error, "try %u", i);
	cr_expect_eq(sched_set(NULL, TORC_SCHED_SLICE_NS, 0, SLICE), TORC_OK);
	cr_expect_eq(policy_slice, SLICE);
	cr_expect_eq(policy_period, 10000000);
	cr_expect_eq(world.domain[0].share.weight, 65535);
	cr_expect_eq(world.vcpu[0].entity.affinity, 1);
}

/* It has run at weight 1, and waits: what it owes is less now. */
Test(sched, a_parameter_counts_for_who_waits)
{
	unsigned int first;

	start_vcpus(2);
	cr_expect_eq(sched_set(&world.domain[0], TORC_SCHED_WEIGHT, 0, 1), TORC_OK);
	cr_expect_eq(sched_set(&world.domain[1], TORC_SCHED_WEIGHT, 0, 1), TORC_OK);
	first = pick();
	end_slice();
	cr_expect_neq(pick(), first);
	cr_expect_gt(world.vcpu[first].entity.vtime, 100 * SLICE);
	cr_expect_eq(sched_set(&world.domain[first], TORC_SCHED_WEIGHT, 0, 65535), TORC_OK);
	cr_expect_lt(world.vcpu[first].entity.vtime, 3 * SLICE);
}

/* With a cap even one vCPU alone needs its slices, and the sleep of the CPU has an end. */
Test(sched, a_cap_interrupts_and_ends)
{
	start_vcpus(1);
	pick();
	cr_expect_eq(sched_set(&world.domain[0], TORC_SCHED_CAP, 0, 5), TORC_OK);
	cr_expect_eq(pick(), 0);
	cr_expect_eq(world.armed, test_now_ns + policy_period / 20);
	world.interrupt = ring;
	ring();
	cr_expect_eq(pick(), 0, "after the period's end");
	cr_expect_eq(world.idles, 1);
	cr_expect_eq(test_now_ns, 1000 + policy_period);
}

/* Random life: everybody who can run does, nobody runs twice at once, and no wake-up is lost. */
Test(sched, random_life)
{
	struct random dice = { 31 };
	unsigned int round, ran[DOMAINS] = { 0 };

	start_vcpus(DOMAINS);
	world.interrupt = ring;
	for (round = 0; round < 20000; round++) {
		unsigned int now, other = random_below(&dice, DOMAINS);

		now = pick();
		ran[now]++;
		cr_assert_eq(world.vcpu[now].state, VCPU_RUNNABLE);
		switch (random_below(&dice, 5)) {
		case 0:
			sched_set_timer(&world.vcpu[now],
					test_now_ns + random_below(&dice, 3 * SLICE));
			sched_block(&world.vcpu[now]);
			break;
		case 1:
			sched_yield();
			break;
		case 2:
			sched_notify(&world.vcpu[other]);
			break;
		case 3:
			test_now_ns += random_below(&dice, SLICE);
			sched_tick();
			break;
		default:
			end_slice();
		}
	}
	expect_all_ran(ran, round);
}
