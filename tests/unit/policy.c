/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The policy: shares, claims of those who slept or ran alone, affinities, caps, whom a wake-up
 * interrupts, and changes while somebody waits or runs.
 */
#include <criterion/criterion.h>
#include "domain.h"
#include "unit.h"

#define SHARES 64
#define MS 1000000ull
#define SLICE (10 * MS)

static struct share shares[SHARES];
static struct entity entities[DOMAIN_MAX * VCPU_MAX + 1];
static struct entity *runs[CPU_MAX];
static u64 ran[ARRAY_SIZE(entities)];
static u64 now;

/* Entity n is of share n, as far as there are shares. */
static void create(void)
{
	unsigned int i;

	policy_slice = SLICE;
	policy_granularity = MS;
	now = 1000;
	for (i = 0; i < SHARES; i++) {
		shares[i] = (struct share){ 0 };
		policy_set_weight(&shares[i], WEIGHT_DEFAULT, now);
	}
	for (i = 0; i < ARRAY_SIZE(entities); i++)
		entities[i] = (struct entity){ .share = &shares[i % SHARES], .affinity = ~0ull };
	memset(runs, 0, sizeof(runs));
	memset(ran, 0, sizeof(ran));
	policy_init(4);
}

TestSuite(policy, .init = create);

static unsigned int wake(unsigned int n)
{
	return policy_wake(&entities[n], now);
}

static void wake_all(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		wake(i);
}

/* Number of whom @cpu runs from now on; -1: nobody. */
static int pick(unsigned int cpu)
{
	runs[cpu] = policy_pick(cpu, now).entity;
	return runs[cpu] ? (int)(runs[cpu] - entities) : -1;
}

static void stop(unsigned int cpu)
{
	policy_stop(cpu, true, now);
	runs[cpu] = NULL;
}

static void block(unsigned int cpu)
{
	policy_stop(cpu, false, now);
	runs[cpu] = NULL;
}

/* CPUs 0 to @cpus - 1 run whom they pick, slice for slice, for @ns. */
static void go(unsigned int cpus, u64 ns)
{
	u64 ends[CPU_MAX], end = now + ns, next;
	unsigned int i;

	for (i = 0; i < cpus; i++)
		ends[i] = now;
	while (now < end) {
		next = end;
		for (i = 0; i < cpus; i++) {
			struct choice choice;

			if (ends[i] <= now) {
				if (runs[i])
					stop(i);
				choice = policy_pick(i, now);
				runs[i] = choice.entity;
				ends[i] = MIN(choice.until, now + SLICE);
				cr_assert_gt(ends[i], now, "an empty slice");
			}
			next = MIN(next, ends[i]);
		}
		for (i = 0; i < cpus; i++)
			if (runs[i])
				ran[runs[i] - entities] += next - now;
		now = next;
	}
	for (i = 0; i < cpus; i++)
		if (runs[i])
			stop(i);
}

static void expect_ran(unsigned int n, u64 ns, u64 by)
{
	cr_expect(ran[n] + by >= ns && ran[n] <= ns + by, "%u ran %llu ms instead of %llu", n,
		  ran[n] / MS, ns / MS);
}

Test(policy, nobody_waits)
{
	cr_expect_eq(pick(0), -1);
	cr_expect_eq(policy_pick(1, now).until, ~0ull);
	policy_leave(&entities[0], now);
	cr_expect_eq(shares[0].active, 0);
}

Test(policy, time_is_shared_by_weight)
{
	static const u32 weights[] = { 1, 64, 256, 4096, 65535 };
	u64 sum = 1 + 64 + 256 + 4096 + 65535;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(weights); i++)
		policy_set_weight(&shares[i], weights[i], now);
	wake_all(ARRAY_SIZE(weights));
	go(1, 10000000 * MS);
	for (i = 0; i < ARRAY_SIZE(weights); i++)
		expect_ran(i, 10000000 * MS / sum * weights[i], 10 * SLICE);
}

Test(policy, more_vcpus_gain_nothing)
{
	unsigned int i;

	for (i = 1; i < 4; i++)
		entities[i].share = &shares[0];
	wake_all(5); /* four of share 0, one of share 4 */
	go(1, 4000 * MS);
	expect_ran(4, 2000 * MS, 3 * SLICE);
	for (i = 0; i < 4; i++)
		expect_ran(i, 500 * MS, 3 * SLICE);
}

/* The vCPUs of share 0 are awake one at a time, each for a little less than a slice. */
Test(policy, taking_turns_gains_nothing)
{
	unsigned int turn, sleeper = 0;

	for (turn = 1; turn < 32; turn++)
		entities[turn].share = &shares[0];
	wake(0);
	wake(32 + 1); /* of share 1 */
	for (turn = 0; turn < 2000; turn++) {
		int n = pick(0);
		u64 part = n == 33 ? SLICE : SLICE - MS / 10;

		now += part;
		ran[n] += part;
		if (n == 33) {
			stop(0);
			continue;
		}
		sleeper = (sleeper + 1) % 32;
		wake(sleeper);
		block(0);
	}
	expect_ran(33, (now - 1000) / 2, 4 * SLICE);
}

/* A vCPU that sleeps most of the time is not made to wait for what another had all to itself. */
Test(policy, a_share_is_forgiven_what_it_used_alone)
{
	entities[1].share = &shares[0];
	wake(0);
	cr_expect_eq(pick(0), 0);
	now += 3600 * 1000 * MS;
	wake(2);
	stop(0);
	go(1, 100 * MS);
	wake(1);
	memset(ran, 0, sizeof(ran));
	go(1, 100 * MS);
	cr_expect_gt(ran[1], 0);
}

/* One vCPU sleeps and wakes while the other runs: the time that both ran counts for two. */
Test(policy, a_change_of_active_vcpus_counts_from_then_on)
{
	u64 vtime;

	entities[1].share = &shares[0];
	wake_all(2);
	vtime = entities[0].vtime;
	cr_expect_eq(pick(0), 0);
	cr_expect_eq(pick(1), 1);
	now += 6 * MS;
	block(1);
	now += 2 * MS;
	wake(1);
	now += MS / 2;
	policy_leave(&entities[1], now);
	now += MS;
	stop(0);
	cr_expect_eq(entities[0].vtime - vtime, 16 * MS);
}

Test(policy, an_infeasible_share_leaves_no_claim)
{
	policy_set_weight(&shares[0], 4 * WEIGHT_DEFAULT, now);
	wake_all(3);
	go(2, 60000 * MS);
	expect_ran(0, 60000 * MS, 3 * SLICE); /* it deserves more than one CPU */
	expect_ran(1, 30000 * MS, 3 * SLICE);
	memset(ran, 0, sizeof(ran));
	policy_set_weight(&shares[3], 4 * WEIGHT_DEFAULT, now);
	wake(3);
	go(2, 1000 * MS);
	expect_ran(0, 800 * MS, 4 * SLICE);
	expect_ran(3, 800 * MS, 4 * SLICE);
	expect_ran(1, 200 * MS, 4 * SLICE);
}

/* 0 alone on CPU 0 runs ahead of all: 1 and 2 on CPU 1 share that by weight all the same. */
Test(policy, who_runs_ahead_elsewhere_disturbs_nobody)
{
	policy_set_weight(&shares[0], 1, now);
	policy_set_weight(&shares[1], 3 * WEIGHT_DEFAULT, now);
	entities[0].affinity = 1;
	entities[1].affinity = entities[2].affinity = 2;
	wake_all(3);
	go(2, 4000 * MS);
	expect_ran(0, 4000 * MS, SLICE);
	expect_ran(1, 3000 * MS, 3 * SLICE);
}

Test(policy, sleep_earns_one_slice_at_most)
{
	wake_all(2);
	pick(0);
	block(0);
	go(1, 60000 * MS);
	wake(0);
	memset(ran, 0, sizeof(ran));
	go(1, 100 * MS);
	expect_ran(0, 60 * MS, SLICE);
}

Test(policy, running_alone_costs_nothing)
{
	policy_set_weight(&shares[0], 1, now);
	wake(0);
	cr_expect_eq(pick(0), 0);
	now += 3600 * 1000 * MS; /* without a slice's end, for nobody waits */
	wake(1);
	stop(0);
	cr_expect_eq(pick(0), 1);
	stop(0);
	go(1, 6000 * MS);
	cr_expect_gt(ran[0], 0, "what it owes is two slices of its own, 5 s of the other's");
}

Test(policy, the_least_that_may_run_here)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		entities[i].vtime = i * 1000;
		entities[i].affinity = 1ull << (i % 4);
		cr_assert_eq(wake(i), i < 4 ? i : CPU_NONE);
	}
	for (i = 0; i < 200; i += 4) {
		cr_expect_eq(pick(3), (int)i + 3);
		block(3);
	}
	cr_expect_eq(pick(3), -1);
	cr_expect_eq(pick(1), 1);
}

/* Random comings and goings; the least is found each time, and the heap holds. */
Test(policy, the_queue_is_ordered)
{
	struct random dice = { 5 };
	unsigned int round, i;
	const unsigned int all = DOMAIN_MAX * VCPU_MAX;

	for (round = 0; round < 20000; round++) {
		struct entity *entity = &entities[random_below(&dice, all)], *next;

		if (entity->place) {
			policy_leave(entity, now);
		} else {
			entity->vtime = random_below(&dice, 9 * MS);
			policy_wake(entity, now);
		}
		if (round % 50)
			continue;
		next = policy_pick(0, now).entity;
		for (i = 0; i < all; i++)
			cr_assert(!entities[i].place || entities[i].vtime >= next->vtime);
		policy_stop(0, true, now);
	}
}

Test(policy, room_for_all_vcpus_and_no_more)
{
	wake_all(DOMAIN_MAX * VCPU_MAX);
	EXPECT_PANIC("more than 4096 vCPUs", wake(DOMAIN_MAX * VCPU_MAX));
}

Test(policy, a_wake_up_tells_an_idle_cpu)
{
	wake_all(1);
	entities[0].affinity = 0xe; /* CPU 0 has been told */
	entities[1].cpu = 2;
	entities[1].affinity = 0xe;
	cr_expect_eq(wake(1), 2, "where it ran last");
	entities[2].cpu = 2;
	cr_expect_eq(wake(2), 1, "CPUs 0 and 2 have been told");
	entities[3].affinity = 7;
	cr_expect_eq(wake(3), CPU_NONE, "all of them have been told");
	entities[4].affinity = 1ull << 4;
	cr_expect_eq(wake(4), CPU_NONE, "there is no such CPU");
	cr_expect_eq(pick(1), 0);
	block(1);
	cr_expect_neq(pick(1), -1);
	entities[5].affinity = 2;
	cr_expect_eq(wake(5), CPU_NONE, "as far as who runs there");
}

Test(policy, a_wake_up_interrupts_who_is_furthest_ahead)
{
	unsigned int i;

	policy_init(3);
	wake_all(3);
	for (i = 0; i < 3; i++)
		cr_assert_neq(pick(i), -1);
	runs[1]->vtime += 2 * MS;
	runs[2]->vtime += 3 * MS;
	entities[3].vtime = 2 * MS + MS / 2;
	cr_expect_eq(wake(3), CPU_NONE, "by less than the granularity");
	policy_leave(&entities[3], now);
	now += MS;
	policy_granularity = MS / 2;
	entities[3].vtime = 2 * MS + MS / 2;
	cr_expect_eq(wake(3), 2);
	entities[4].vtime = 0;
	cr_expect_eq(wake(4), 1, "CPU 2 has been told");
	entities[5].vtime = 0;
	entities[5].affinity = 6;
	cr_expect_eq(wake(5), CPU_NONE, "CPU 0 is not allowed");
	cr_expect_eq(wake(6), 0);
}

/* CPU 0 was told of 0, but runs 1, which cannot run elsewhere: CPU 1 must not sleep on. */
Test(policy, who_is_left_is_told_to_an_idle_cpu)
{
	struct choice choice;

	policy_init(2);
	entities[0].vtime = MS;
	cr_expect_eq(wake(0), 0);
	entities[1].affinity = 1;
	cr_expect_eq(wake(1), CPU_NONE);
	choice = policy_pick(0, now);
	cr_expect_eq(choice.entity, &entities[1]);
	cr_expect_eq(choice.tell, 1);
	cr_expect_eq(pick(1), 0);
	cr_expect_eq(policy_pick(1, now).tell, CPU_NONE);
}

Test(policy, a_yield_is_one_slice_and_does_not_add_up)
{
	unsigned int i;

	wake_all(3);
	cr_expect_eq(pick(0), 0);
	for (i = 0; i < 5; i++)
		cr_expect(policy_yield(0, now));
	stop(0);
	cr_expect_eq(entities[0].vtime, SLICE);
	cr_expect_neq(pick(0), 0);
	block(0);
	cr_expect_neq(pick(0), 0);
	block(0);
	cr_expect_eq(pick(0), 0);
	cr_expect_not(policy_yield(0, now), "nobody waits");
	entities[1].affinity = 2;
	wake(1);
	cr_expect_not(policy_yield(0, now), "nobody waits for this CPU");
	cr_expect_eq(entities[0].vtime, SLICE);
}

Test(policy, a_change_of_weight_counts_from_then_on)
{
	wake_all(2);
	cr_expect_eq(pick(0), 0);
	now += 2 * MS;
	policy_set_weight(&shares[0], WEIGHT_DEFAULT / 2, now);
	now += 2 * MS;
	stop(0);
	cr_expect_eq(entities[0].vtime, 6 * MS);
}

/* 0 owes five slices of the machine's time at weight 1; at weight 65535 that is next to nothing. */
Test(policy, a_change_of_weight_while_waiting)
{
	policy_set_weight(&shares[0], 1, now);
	wake_all(2);
	pick(0);
	now += SLICE;
	stop(0);
	cr_expect_eq(pick(0), 1);
	cr_expect_gt(entities[0].vtime, 2000 * MS);
	policy_set_weight(&shares[0], WEIGHT_MAX, now);
	policy_requeue(&entities[0]);
	cr_expect_lt(entities[0].vtime, 2 * SLICE);
	policy_requeue(&entities[1]); /* it runs: nothing happens */
	cr_expect_eq(entities[1].place, 0);
}

/* Where it ran, it was far ahead of all; where it goes, it is one among others. */
Test(policy, a_change_of_affinity_while_waiting)
{
	policy_set_weight(&shares[0], 1, now);
	entities[0].affinity = 1;
	entities[1].affinity = entities[2].affinity = 2;
	wake_all(3);
	go(2, 1000 * MS);
	cr_expect_gt(entities[0].vtime, 200000 * MS);
	entities[0].affinity = 2;
	policy_requeue(&entities[0]);
	cr_expect_lt(entities[0].vtime, 170000 * MS + entities[1].vtime);
	cr_expect_eq(pick(0), -1);
	cr_expect_neq(pick(1), -1);
}

Test(policy, a_change_of_the_slice)
{
	wake_all(1);
	policy_slice = 3 * MS;
	cr_expect_eq(policy_pick(0, now).until, now + 3 * MS);
}

/* After so long nobody knows whether it is behind or ahead; it is neither by much. */
Test(policy, a_sleeper_from_the_other_half_of_time)
{
	static const u64 vtimes[] = { (1ull << 63) - 5, 1ull << 63, (1ull << 63) + 5 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vtimes); i++) {
		create();
		entities[0].vtime = vtimes[i];
		wake(0);
		cr_expect((s64)entities[0].vtime >= -(s64)SLICE, "try %u", i);
		cr_expect((s64)entities[0].vtime <= (s64)(SLICE + 2 * SLICE * VCPU_MAX));
	}
}

Test(policy, virtual_time_wraps)
{
	entities[0].vtime = shares[0].vtime = ~0ull - 5;
	entities[1].vtime = 5;
	wake(1);
	wake(0);
	cr_expect_eq(pick(0), 0);
	now += SLICE;
	stop(0);
	cr_expect_eq(entities[0].vtime, SLICE - 6);
	cr_expect_eq(pick(0), 1);
}

/* Another CPU's clock is a little behind. */
Test(policy, a_clock_that_goes_back)
{
	policy_set_cap(&shares[0], 50, now);
	wake_all(1);
	cr_expect_eq(pick(0), 0);
	now += MS;
	policy_set_weight(&shares[0], WEIGHT_DEFAULT, now);
	now -= MS / 2;
	stop(0);
	cr_expect_eq(entities[0].vtime, MS);
	cr_expect_eq(shares[0].used, MS);
}
