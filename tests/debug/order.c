/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Checks that locks are taken in the order that include/lock.h tells, that nobody waits for one
 * domain's while it has another's, that each is dropped by the CPU that holds it, and that none is
 * held on the way into a guest.
 * What is wrong is a panic with the names of both locks, whether or not it leads to a deadlock
 * that time.
 */
#include "domain.h"
#include "log.h"
#include "lib.h"
#include "smp.h"

#define DEPTH 8

enum rank { RANK_DOMAINS, RANK_AUDIT, RANK_DOMAIN, RANK_LIST, RANK_SCHED, RANK_ALLOC, RANK_LOG };

struct held {
	const struct lock *lock;
	const char *name;
	enum rank rank;
	u32 id; /* of the domain whose lock it is */
};

void __real_vcpu_resume(struct vcpu *vcpu, paddr_t root);
void __wrap_vcpu_resume(struct vcpu *vcpu, paddr_t root);

static struct held held[CPU_MAX][DEPTH];
static unsigned int depth[CPU_MAX];
static bool broken; /* the panic takes locks too */

/* Those that are no domain's have one name each. */
static enum rank rank_of(const char *name)
{
	static const struct {
		const char *name;
		enum rank rank;
	} known[] = {
		{ "&domains_lock", RANK_DOMAINS }, { "&audit_lock", RANK_AUDIT },
		{ "&domain_list_lock", RANK_LIST }, { "&sched_lock", RANK_SCHED },
		{ "&alloc_lock", RANK_ALLOC }, { "&log_lock", RANK_LOG },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].rank;
	return RANK_DOMAIN;
}

static void check(const struct held *outer, const struct held *inner)
{
	if (inner->rank > outer->rank)
		return;
	broken = true;
	panic("lock order: %s (domain %u) taken inside %s (domain %u)", inner->name, inner->id,
	      outer->name, outer->id);
}

static struct held describe(const struct lock *lock, const char *name)
{
	struct held new = { lock, name, rank_of(name), 0 };

	if (new.rank == RANK_DOMAIN)
		new.id = container_of(lock, struct domain, lock)->id;
	return new;
}

static void note(struct held new)
{
	unsigned int cpu = smp_self()->id;

	if (depth[cpu] < DEPTH)
		held[cpu][depth[cpu]++] = new;
}

/* Who does not wait may take it in any order. */
bool order_try(struct lock *lock, const char *name)
{
	bool taken = plain_lock_try(lock);

	if (taken)
		note(describe(lock, name));
	return taken;
}

void order_take(struct lock *lock, const char *name)
{
	struct held new = describe(lock, name);
	unsigned int cpu = smp_self()->id, i;

	for (i = 0; !broken && i < depth[cpu]; i++)
		check(&held[cpu][i], &new);
	plain_lock_take(lock);
	note(new);
}

void order_drop(struct lock *lock, const char *name)
{
	unsigned int cpu = smp_self()->id, i = depth[cpu];

	while (i > 0 && held[cpu][i - 1].lock != lock)
		i--;
	if (!i && !broken) {
		broken = true;
		panic("lock order: %s dropped by a CPU that does not hold it", name);
	}
	for (; i && i < depth[cpu]; i++)
		held[cpu][i - 1] = held[cpu][i];
	if (depth[cpu])
		depth[cpu]--;
	plain_lock_drop(lock);
}

void __wrap_vcpu_resume(struct vcpu *vcpu, paddr_t root)
{
	unsigned int cpu = smp_self()->id;

	if (depth[cpu] && !broken) {
		broken = true;
		panic("lock order: %s held on the way into domain %u", held[cpu][0].name,
		      vcpu->domain->id);
	}
	__real_vcpu_resume(vcpu, root);
}
