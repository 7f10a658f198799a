/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The policy at work: a thousand vCPUs on 64 CPUs for 20 s of simulated time. What each got is
 * compared with its ideal share, which is computed here in another way; and at each moment no CPU
 * idles while somebody waits who could run there.
 *
 * There are domains of one, two, four and eight vCPUs of several weights. Some always want to run;
 * of these some may run on one CPU only, some domains have caps, and some have so much weight that
 * one CPU for each vCPU is less than they deserve. Others run 50 us to 1 ms, then sleep 2 to 40 ms.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "domain.h"
#include "unit.h"

#define CPUS 64
#define VCPUS 1000
#define US 1000ull
#define MS 1000000ull
#define WARM_UP (2000 * MS)
#define END (22000 * MS)
#define SECONDS ((END - WARM_UP) / MS / 1000)
#define NEVER (~0ull)

struct group {
	struct share share;
	u32 vcpus, cap;
	u64 wanted, ran; /* ns in a second, of the whole domain: at most; it had in all */
	double ideal; /* ns in a second */
};

struct actor {
	struct entity entity;
	struct group *group;
	bool sleeps; /* now and then */
	u64 left, woken; /* of its burst; when it woke, if it has not run since */
	unsigned int cpu; /* where it runs, or CPUS */
};

static struct group groups[VCPUS];
static struct actor actors[VCPUS];
static unsigned int group_count, actor_count;
static struct actor *running[CPUS];
static u64 since[CPUS], slice_end[CPUS], now, decisions, decision_ns;
static u64 wake_at[VCPUS], latencies[1 << 20], latency_count;
static bool again[CPUS]; /* it was told */
static struct random dice = { 2026 };

/* Calls of the policy, with the time they take. */
static u64 clock_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
}

#define DECIDE(statement) \
	do { \
		u64 start_ = clock_ns(); \
		statement; \
		decision_ns += clock_ns() - start_; \
		decisions++; \
	} while (0)

static void add_group(u32 weight, u32 vcpus, u32 cap, u64 affinity, bool sleeps)
{
	struct group *group = &groups[group_count++];

	policy_set_weight(&group->share, weight, 0);
	if (cap)
		policy_set_cap(&group->share, cap, 0);
	group->vcpus = vcpus;
	group->cap = cap;
	for (u32 i = 0; i < vcpus; i++) {
		struct actor *actor = &actors[actor_count];

		actor->entity.share = &group->share;
		actor->entity.affinity = affinity;
		actor->group = group;
		actor->sleeps = sleeps;
		actor->cpu = CPUS;
		wake_at[actor_count++] = random_below(&dice, 50 * MS);
	}
}

static void add_groups(void)
{
	static const u32 weights[] = { 64, 128, 256, 256, 512, 1024 };
	unsigned int i;

	for (i = 0; i < 8; i++)
		add_group(WEIGHT_MAX, 2, 0, ~0ull, false);
	for (i = 0; i < 40; i++)
		add_group(weights[i % 6], 4, 20 + 5 * (i % 4), ~0ull, false);
	for (i = 0; i < 64; i++)
		add_group(256, 1, 0, 1ull << i, false);
	for (i = 0; i < 300; i++)
		add_group(weights[i % 6], 1, 0, ~0ull, true);
	for (i = 0; actor_count < VCPUS; i++)
		add_group(weights[i % 6], MIN(1u << (i % 4), VCPUS - actor_count), 0, ~0ull, false);
}

static void stop(unsigned int cpu, bool ready)
{
	struct actor *actor = running[cpu];

	DECIDE(policy_stop(cpu, ready, now));
	actor->cpu = CPUS;
	running[cpu] = NULL;
}

static void look(unsigned int cpu)
{
	struct choice choice;
	struct actor *actor;

	again[cpu] = false;
	if (running[cpu])
		stop(cpu, true);
	DECIDE(choice = policy_pick(cpu, now));
	if (choice.tell != CPU_NONE)
		again[choice.tell] = true;
	slice_end[cpu] = choice.until;
	since[cpu] = now;
	if (!choice.entity)
		return;
	actor = container_of(choice.entity, struct actor, entity);
	cr_assert_eq(actor->cpu, CPUS, "it runs elsewhere");
	cr_assert(choice.entity->affinity >> cpu & 1, "it may not run here");
	running[cpu] = actor;
	actor->cpu = cpu;
	if (actor->woken && latency_count < ARRAY_SIZE(latencies) && now > WARM_UP)
		latencies[latency_count++] = now - actor->woken;
	actor->woken = 0;
}

static void wake(unsigned int n)
{
	unsigned int cpu;

	wake_at[n] = NEVER;
	actors[n].left = actors[n].sleeps ? 50 * US + random_below(&dice, 950 * US) : NEVER;
	actors[n].woken = actors[n].sleeps ? now : 0;
	DECIDE(cpu = policy_wake(&actors[n].entity, now));
	if (cpu != CPU_NONE)
		again[cpu] = true;
}

/* What ran since the last event; who has done what it wanted goes to sleep. */
static void advance(u64 to)
{
	unsigned int cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		struct actor *actor = running[cpu];

		if (!actor)
			continue;
		if (now >= WARM_UP)
			actor->group->ran += to - now;
		if (actor->sleeps)
			actor->left -= to - now;
	}
	now = to;
	for (cpu = 0; cpu < CPUS; cpu++) {
		struct actor *actor = running[cpu];

		if (!actor || actor->left)
			continue;
		wake_at[actor - actors] = now + 2 * MS + random_below(&dice, 38 * MS);
		stop(cpu, false);
		again[cpu] = true;
	}
}

static u64 next_event(void)
{
	u64 next = END;
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		next = MIN(next, wake_at[i]);
	for (i = 0; i < CPUS; i++) {
		next = MIN(next, slice_end[i]);
		if (running[i] && running[i]->sleeps)
			next = MIN(next, now + running[i]->left);
	}
	return next;
}

/* No CPU idles while somebody waits who may run there, and whose domain is within its cap. */
static void check_work_is_conserved(void)
{
	u64 idle = 0;
	unsigned int i;

	for (i = 0; i < CPUS; i++)
		idle |= running[i] ? 0 : 1ull << i;
	for (i = 0; idle && i < VCPUS; i++) {
		const struct share *share = actors[i].entity.share;

		cr_assert(!actors[i].entity.place || !(actors[i].entity.affinity & idle) ||
			  (share->budget && share->used >= share->budget),
			  "%u waits at %llu ns", i, now);
	}
}

static void simulate(void)
{
	unsigned int i;
	bool more;

	while (now < END) {
		for (i = 0; i < VCPUS; i++)
			if (wake_at[i] <= now)
				wake(i);
		for (more = true; more;) {
			more = false;
			for (i = 0; i < CPUS; i++)
				if (again[i] || slice_end[i] <= now) {
					look(i);
					more = true;
				}
		}
		check_work_is_conserved();
		advance(next_event());
	}
}

/*
 * The water level: each domain's share is level * weight, but not more than it wants or can use.
 * Domains bound to one CPU are as light as others, so they never lack room on theirs.
 */
static void find_ideals(void)
{
	double low = 0, high = 1e12, sum;
	unsigned int i, round;

	for (i = 0; i < group_count; i++) {
		struct group *group = &groups[i];

		group->wanted = 1000 * MS * group->vcpus;
		if (group->cap)
			group->wanted = MIN(group->wanted, group->cap * 10 * MS);
	}
	for (i = 0; i < VCPUS; i++)
		if (actors[i].sleeps) /* it had what it wanted, and that is not for others */
			actors[i].group->wanted = actors[i].group->ran / SECONDS;
	for (round = 0; round < 200; round++) {
		double level = (low + high) / 2;

		for (i = 0, sum = 0; i < group_count; i++) {
			groups[i].ideal = MIN(level * groups[i].share.weight,
					      (double)groups[i].wanted);
			sum += groups[i].ideal;
		}
		if (sum < CPUS * 1e9)
			low = level;
		else
			high = level;
	}
}

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

Test(policy_simulation, a_thousand_vcpus_on_64_cpus, .timeout = 250)
{
	double worst = 0, sum = 0, mean = 0;
	unsigned int i;

	policy_init(CPUS);
	add_groups();
	cr_assert_eq(actor_count, VCPUS);
	simulate();
	find_ideals();
	for (i = 0; i < group_count; i++) {
		double got = groups[i].ran / (double)SECONDS, error = got / groups[i].ideal - 1;

		if (groups[i].cap)
			cr_expect_leq(got, groups[i].cap * 1e7 * 1.005, "cap of domain %u", i);
		error = error < 0 ? -error : error;
		if (error > MAX(worst, 0.01))
			printf("domain %u: weight %u, %u vCPUs, cap %u: %.3f ms/s, ideal %.3f\n", i,
			       groups[i].share.weight, groups[i].vcpus, groups[i].cap, got / 1e6,
			       groups[i].ideal / 1e6);
		worst = MAX(worst, error);
		sum += error;
	}
	qsort(latencies, latency_count, sizeof(*latencies), compare);
	for (i = 0; i < latency_count; i++)
		mean += (double)latencies[i] / (double)latency_count;
	printf("counted: fairness: %u domains, error at most %.2f %%, mean %.2f %%\n", group_count,
	       100 * worst, 100 * sum / group_count);
	printf("counted: wake-up latency: mean %.1f us, 99 of 100 within %.1f us, of %llu\n",
	       mean / 1e3, (double)latencies[latency_count * 99 / 100] / 1e3,
	       (unsigned long long)latency_count);
	printf("counted: cost: %.0f ns for each of %llu decisions, sanitizers included\n",
	       (double)decision_ns / (double)decisions, (unsigned long long)decisions);
	cr_expect_lt(worst, 0.02);
	cr_expect_lt(sum / group_count, 0.002);
	cr_expect_lt(mean, MS / 4);
	cr_expect_lt(latencies[latency_count * 99 / 100], 5 * MS);
}
