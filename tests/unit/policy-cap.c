/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The policy's caps: a budget for each period of 100 ms, kept to the nanosecond on one CPU, paid
 * back later where several have gone beyond it.
 */
#include <criterion/criterion.h>
#include "domain.h"
#include "unit.h"

#define MS 1000000ull
#define SLICE (10 * MS)

static struct share share, other_share;
static struct entity entity[3], other;
static u64 now;

static void create(void)
{
	unsigned int i;

	now = 1000;
	share = other_share = (struct share){ 0 };
	policy_set_weight(&share, WEIGHT_DEFAULT, now);
	policy_set_weight(&other_share, WEIGHT_DEFAULT, now);
	for (i = 0; i < ARRAY_SIZE(entity); i++)
		entity[i] = (struct entity){ .share = &share, .affinity = ~0ull };
	other = (struct entity){ .share = &other_share, .affinity = ~0ull };
	policy_init(3);
}

TestSuite(policy_cap, .init = create);

/* Runs CPU 0 until @end; how long it ran anybody. */
static u64 run_until(u64 end)
{
	u64 ran = 0;

	while (now < end) {
		struct choice choice = policy_pick(0, now);
		u64 next = MIN(choice.until, end);

		cr_assert_gt(next, now);
		if (choice.entity)
			ran += next - now;
		now = next;
		if (choice.entity)
			policy_stop(0, true, now);
	}
	return ran;
}

Test(policy_cap, a_budget_for_each_period)
{
	unsigned int i;

	policy_set_cap(&share, 25, now);
	policy_wake(&entity[0], now);
	for (i = 0; i < 20; i++)
		cr_expect_eq(run_until(now + policy_period), 25 * MS);
}

/* The machine's period counts for caps that are set from then on. */
Test(policy_cap, a_period_that_is_changed)
{
	policy_set_cap(&share, 50, now);
	policy_wake(&entity[0], now);
	policy_period = 20 * MS;
	cr_expect_eq(run_until(now + 100 * MS), 50 * MS);
	cr_expect_eq(policy_pick(0, now).until, now + SLICE);
	policy_stop(0, true, now);
	policy_set_cap(&share, 25, now);
	cr_expect_eq(run_until(now + 20 * MS), 5 * MS);
	cr_expect_eq(run_until(now + 200 * MS), 50 * MS);
}

Test(policy_cap, the_others_have_the_rest)
{
	policy_set_cap(&share, 1, now);
	policy_wake(&entity[0], now);
	policy_wake(&other, now);
	cr_expect_eq(run_until(now + 10 * policy_period), 10 * policy_period,
		     "the CPU has no rest");
	cr_expect_eq(share.used + other_share.used, 10 * policy_period - 9 * MS);
}

Test(policy_cap, who_is_held_back_tells_when_it_may_run)
{
	struct choice choice;
	u64 start = now;

	policy_set_cap(&share, 5, now);
	policy_wake(&entity[0], now);
	cr_expect_eq(policy_pick(0, now).until, now + 5 * MS);
	now += 12 * MS; /* it could not be stopped in time */
	policy_stop(0, true, now);
	choice = policy_pick(0, now);
	cr_expect_null(choice.entity);
	cr_expect_eq(choice.until, start + 2 * policy_period,
		     "one period goes for what was too much");
	cr_expect_null(policy_pick(0, choice.until - 1).entity);
	choice = policy_pick(0, choice.until);
	cr_expect_eq(choice.entity, &entity[0]);
	cr_expect_eq(choice.until, start + 2 * policy_period + 3 * MS, "another two of 5 are paid");
}

/* Three CPUs begin when the budget is whole, and each may go beyond it: a debt of 2 slices. */
Test(policy_cap, several_cpus_pay_back)
{
	u64 start = now;
	unsigned int i;

	policy_set_cap(&share, 10, now);
	for (i = 0; i < 3; i++)
		policy_wake(&entity[i], now);
	cr_expect_eq(policy_pick(0, now).until, now + 10 * MS);
	cr_expect_eq(policy_pick(1, now).until, now + 5 * MS, "two share what is left");
	cr_expect_eq(policy_pick(2, now).until, now + 10 * MS / 3 + 1);
	now += 10 * MS;
	for (i = 0; i < 3; i++)
		policy_stop(i, true, now);
	cr_expect_eq(share.used, 30 * MS);
	cr_expect_eq(policy_pick(0, now).until, start + 3 * policy_period);
	run_until(start + 30 * policy_period);
	cr_expect_eq(share.used + 29 * 10 * MS, 30 * 10 * MS, "all is paid, no more is had");
}

Test(policy_cap, sleep_saves_no_budget)
{
	policy_set_cap(&share, 50, now);
	policy_wake(&entity[0], now);
	run_until(now + 20 * MS);
	policy_leave(&entity[0], now);
	now += 3600 * 1000 * MS;
	policy_wake(&entity[0], now);
	cr_expect_eq(run_until(now + 80 * MS), 50 * MS, "the rest of a period");
	cr_expect_eq(run_until(now + policy_period), 50 * MS);
}

/* What runs over the end of a period counts in each for what it took of it. */
Test(policy_cap, over_the_end_of_a_period)
{
	u64 start = now;

	policy_set_cap(&share, 50, now);
	now += 95 * MS;
	policy_wake(&entity[0], now);
	policy_pick(0, now);
	now += 10 * MS;
	policy_stop(0, true, now);
	cr_expect_eq(share.used, 5 * MS);
	cr_expect_eq(run_until(start + 2 * policy_period), 45 * MS);
}

Test(policy_cap, more_than_one_cpu)
{
	policy_set_cap(&share, 250, now);
	policy_wake(&entity[0], now);
	cr_expect_eq(run_until(now + 5 * policy_period), 5 * policy_period,
		     "one CPU is less than that");
	cr_expect_lt(share.used, share.budget);
}

Test(policy_cap, a_wake_up_of_who_is_held_back)
{
	policy_init(1);
	policy_set_cap(&share, 5, now);
	policy_wake(&entity[0], now);
	policy_pick(0, now);
	now += 5 * MS;
	policy_stop(0, false, now);
	policy_wake(&other, now);
	cr_expect_eq(policy_pick(0, now).entity, &other);
	now += 20 * MS;
	cr_expect_eq(policy_wake(&entity[0], now), CPU_NONE, "it would interrupt for nothing");
	policy_leave(&entity[0], now);
	policy_stop(0, false, now);
	cr_expect_null(policy_pick(0, now).entity);
	cr_expect_eq(policy_wake(&entity[0], now), 0, "the idle CPU has a timer to arm");
}

Test(policy_cap, it_goes_and_comes)
{
	policy_set_cap(&share, 1, now);
	policy_wake(&entity[0], now);
	cr_expect_eq(run_until(now + 50 * MS), MS);
	policy_set_cap(&share, 0, now);
	cr_expect_eq(run_until(now + 500 * MS), 500 * MS);
	policy_pick(0, now); /* it runs */
	policy_set_cap(&share, 20, now);
	now += 5 * MS;
	policy_stop(0, true, now);
	cr_expect_eq(run_until(now + 95 * MS), 15 * MS);
	policy_set_cap(&share, 40, now); /* while it waits */
	cr_expect_eq(run_until(now + 100 * MS), 40 * MS);
}

/* It is far behind the others by then, and must not make up for it. */
Test(policy_cap, no_claim_from_being_held_back)
{
	policy_set_cap(&share, 10, now);
	policy_wake(&entity[0], now);
	policy_wake(&other, now);
	run_until(now + 100 * policy_period);
	policy_set_cap(&share, 0, now);
	other_share.used = 0;
	run_until(now + policy_period);
	cr_expect_geq(other_share.used, policy_period / 2 - 2 * SLICE);
}
