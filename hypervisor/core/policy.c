/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Who runs: proportional shares of the machine by virtual time. No clocks, no locks, no hardware.
 *
 * Running makes an entity's virtual time advance by
 *
 *	time * active entities of its share * WEIGHT_DEFAULT / weight
 *
 * and a CPU runs the one with the least among those who wait, may run there and have not used up
 * their cap. So time is shared by weight, and a domain has no more of it for having more vCPUs.
 * The factor changes while an entity runs, so its share has a clock that goes at that speed.
 *
 * Whoever does not wait has no claim: not those who sleep, and not those who run all the time and
 * would deserve more than one CPU. Each CPU remembers the virtual time of whom it picked last.
 * Nobody below that who could have run there was waiting, so an entity that comes back to the queue
 * goes on at the latest of these times of its CPUs (the front), less one slice, if it is further
 * behind. This slice is what lets an entity that mostly sleeps run as soon as it wakes; a share
 * has it once, not once for each of its entities: it has a virtual time too, the mean of theirs,
 * and nobody wakes earlier than that. On the other side, a run is charged for at most two slices:
 * beyond its slice it kept nobody waiting.
 *
 * All CPUs have one queue, a heap. A CPU searches it from the top for the least that it may run
 * and need not look below one that is not less than the best so far: mostly it is the first.
 *
 * A cap is a budget for each period; what was used beyond is paid back in the next ones.
 *
 * Times wrap and are compared by their difference. Virtual time goes at most VCPU_MAX *
 * WEIGHT_DEFAULT times as fast as real time: at that, half way round takes 13 days, at usual
 * weights centuries. Somebody who slept as long would be taken for far ahead; so nobody comes back
 * further ahead of the front than two slices bring him.
 */
#include "domain.h"
#include "lib.h"
#include "log.h"
#include "policy.h"

#define ENTITY_MAX (DOMAIN_MAX * VCPU_MAX)

u64 policy_slice = 10000000, policy_granularity = 1000000, policy_period = 100000000;

static struct entity *heap[ENTITY_MAX + 1]; /* from 1 on: below n stand 2n and 2n + 1 */
static unsigned int queued;
static u64 present, idle, told; /* sets of CPUs; those told have not looked yet */
static struct {
	struct entity *running;
	u64 vtime; /* of whom it picked last; it never goes back */
} cpu_state[CPU_MAX];

void policy_init(unsigned int cpus)
{
	queued = 0;
	told = 0;
	present = idle = ~0ull >> (CPU_MAX - cpus);
	memset(cpu_state, 0, sizeof(cpu_state));
}

static bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* @ns in virtual time, for an entity that is alone in @share. */
static u64 scaled(const struct share *share, u64 ns)
{
	return (u64)(((unsigned __int128)ns * share->inverse) >> 24);
}

/* Brings the share's clocks up to @now: to be called before anything in it changes. */
static void account(struct share *share, u64 now)
{
	u64 passed = now - share->last, periods, paid, fresh;

	if (!before(share->last, now))
		return;
	share->last = now;
	share->clock += scaled(share, share->active * passed);
	share->vtime += scaled(share, share->running * passed);
	share->used += share->running * passed;
	if (!share->budget || now < share->period_end)
		return;
	periods = (now - share->period_end) / share->period + 1;
	share->period_end += periods * share->period;
	paid = periods * share->budget;
	fresh = share->running * (now + share->period - share->period_end); /* cannot be paid yet */
	share->used = MAX(share->used, paid + fresh) - paid;
}

static bool held_back(struct share *share, u64 now)
{
	account(share, now);
	return share->budget && share->used >= share->budget;
}

static u64 vtime_now(const struct entity *entity, u64 now)
{
	struct share *share = entity->share;

	account(share, now);
	return entity->vtime + MIN(share->clock - entity->clock,
				   scaled(share, 2 * policy_slice * share->active));
}

static void put(unsigned int at, struct entity *entity)
{
	heap[at] = entity;
	entity->place = at;
}

/* Puts @entity where @at is empty, or above or below. */
static void settle(unsigned int at, struct entity *entity)
{
	unsigned int next;

	for (; at > 1 && before(entity->vtime, heap[at / 2]->vtime); at /= 2)
		put(at, heap[at / 2]);
	for (; (next = 2 * at) <= queued; at = next) {
		if (next < queued && before(heap[next + 1]->vtime, heap[next]->vtime))
			next++;
		if (!before(heap[next]->vtime, entity->vtime))
			break;
		put(at, heap[next]);
	}
	put(at, entity);
}

static u64 within(u64 low, u64 vtime, u64 high)
{
	if (before(vtime, low))
		return low;
	return before(high, vtime) ? high : vtime;
}

static u64 front_of(u64 cpus)
{
	u64 front = cpu_state[__builtin_ctzll(cpus)].vtime;

	for (cpus &= present; cpus; cpus &= cpus - 1) {
		u64 vtime = cpu_state[__builtin_ctzll(cpus)].vtime;

		front = before(front, vtime) ? vtime : front;
	}
	return front;
}

/* A slice, and how far @slices of running bring an entity of @share. */
static u64 lead(const struct share *share, unsigned int slices)
{
	return policy_slice + scaled(share, slices * policy_slice);
}

/* Keeps @entity near the front. */
static void place(struct entity *entity)
{
	u64 front = front_of(entity->affinity);

	entity->vtime = within(front - policy_slice, entity->vtime,
			       front + lead(entity->share, 2 * VCPU_MAX));
}

/*
 * Who comes back has no more claim than its share has: else the vCPUs of a domain would only have
 * to take turns. What the share used while nobody waited is forgotten, as with its entities.
 */
static void join(struct entity *entity)
{
	struct share *share = entity->share;
	u64 front = front_of(entity->affinity), most = lead(share, 2), claim;

	share->vtime = within(front - policy_slice, share->vtime, front_of(present) + most);
	claim = within(front - policy_slice, share->vtime, front + most);
	if (before(entity->vtime, claim))
		entity->vtime = claim;
}

static void enqueue(struct entity *entity)
{
	if (queued == ENTITY_MAX)
		panic("policy: more than %u vCPUs", ENTITY_MAX);
	place(entity);
	settle(++queued, entity);
}

static void dequeue(struct entity *entity)
{
	struct entity *last = heap[queued--];

	if (last != entity)
		settle(entity->place, last);
	entity->place = 0;
}

struct search {
	u64 cpus, now;
	struct entity *best; /* that one of @cpus may run */
	u64 release; /* when the first of those held back may run */
};

/* At most 12 calls deep. */
static void search(struct search *s, unsigned int at)
{
	struct share *share;

	if (at > queued || (s->best && !before(heap[at]->vtime, s->best->vtime)))
		return;
	if (heap[at]->affinity & s->cpus) {
		share = heap[at]->share;
		if (!held_back(share, s->now)) {
			s->best = heap[at];
			return;
		}
		s->release = MIN(s->release, share->period_end +
				 (share->used / share->budget - 1) * share->period);
	}
	search(s, 2 * at);
	search(s, 2 * at + 1);
}

/* Of the CPUs in @set, that where @entity ran last, or the first. */
static unsigned int tell_one(u64 set, const struct entity *entity)
{
	unsigned int cpu = entity->cpu;

	if (!set)
		return CPU_NONE;
	if (!(set >> cpu & 1))
		cpu = __builtin_ctzll(set);
	told |= 1ull << cpu;
	return cpu;
}

unsigned int policy_wake(struct entity *entity, u64 now)
{
	u64 set = entity->affinity & present & ~told, chosen = set & idle;
	u64 ahead, most = policy_granularity;

	account(entity->share, now);
	entity->share->active++;
	join(entity);
	enqueue(entity);
	if (chosen || held_back(entity->share, now))
		return tell_one(chosen, entity);
	for (; set; set &= set - 1) {
		struct entity *running = cpu_state[__builtin_ctzll(set)].running;

		ahead = running ? vtime_now(running, now) - entity->vtime : 0;
		if (before(most, ahead)) {
			most = ahead;
			chosen = set & -set;
		}
	}
	return tell_one(chosen, entity);
}

void policy_leave(struct entity *entity, u64 now)
{
	if (!entity->place)
		return;
	account(entity->share, now);
	entity->share->active--;
	dequeue(entity);
}

/* Return: the end of its slice, with which its budget ends at the latest. */
static u64 run(unsigned int cpu, struct entity *entity, u64 now)
{
	struct share *share = entity->share;
	u64 left;

	dequeue(entity);
	if (before(cpu_state[cpu].vtime, entity->vtime))
		cpu_state[cpu].vtime = entity->vtime;
	cpu_state[cpu].running = entity;
	account(share, now);
	entity->clock = share->clock;
	entity->cpu = cpu;
	share->running++;
	left = share->budget - share->used;
	if (!share->budget || left / share->running >= policy_slice)
		return now + policy_slice;
	return now + (left + share->running - 1) / share->running;
}

struct choice policy_pick(unsigned int cpu, u64 now)
{
	u64 self = 1ull << cpu;
	struct search own = { .cpus = self, .now = now, .release = ~0ull };
	struct search others = { .now = now };
	struct choice choice = { .tell = CPU_NONE };

	search(&own, 1);
	choice.entity = own.best;
	choice.until = own.best ? run(cpu, own.best, now) : own.release;
	told &= ~self;
	idle = own.best ? idle & ~self : idle | self;
	others.cpus = idle & ~told & ~self;
	if (others.cpus)
		search(&others, 1);
	if (others.best)
		choice.tell = tell_one(others.cpus & others.best->affinity, others.best);
	return choice;
}

void policy_stop(unsigned int cpu, bool ready, u64 now)
{
	struct entity *entity = cpu_state[cpu].running;

	entity->vtime = vtime_now(entity, now);
	entity->share->running--;
	cpu_state[cpu].running = NULL;
	if (ready)
		enqueue(entity);
	else
		entity->share->active--;
}

/*
 * One slice behind the first who waits: all who deserve about as much go first. It does not add up
 * however often it is done, so a spinning vCPU loses no more than one slice before its turn comes.
 */
bool policy_yield(unsigned int cpu, u64 now)
{
	struct entity *entity = cpu_state[cpu].running;
	struct search others = { .cpus = 1ull << cpu, .now = now };

	search(&others, 1);
	if (others.best && before(entity->vtime, others.best->vtime + policy_slice))
		entity->vtime = others.best->vtime + policy_slice;
	return others.best;
}

void policy_set_weight(struct share *share, u32 weight, u64 now)
{
	account(share, now);
	share->weight = weight;
	share->inverse = (1ull << 32) / weight;
}

void policy_set_cap(struct share *share, u32 percent, u64 now)
{
	account(share, now);
	share->budget = percent * (policy_period / 100);
	share->period = policy_period;
	share->period_end = share->last + policy_period;
	share->used = 0;
}

void policy_requeue(struct entity *entity)
{
	if (!entity->place)
		return;
	dequeue(entity);
	enqueue(entity);
}
