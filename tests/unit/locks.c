/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Calls that find a frame by the caller's pfn do so holding the domain's lock: otherwise another of
 * its vCPUs could give the page back meanwhile, and the frame would be another domain's by the time
 * it is read.
 *
 * Attack: give a page back while a call that named it waits; copy between two domains in both
 * directions at once; keep one's own lock busy.
 * Vulnerable: the call works on another domain's frame, or all wait for each other.
 * Fixed: the lookup is under the domain's lock, who holds one lock waits for no other, and holders
 * are told who waits.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>
#include "arena.h"
#include "console.h"
#include "entry.h"
#include "grant.h"
#include "hypercall.h"
#include "unit.h"

#define PAGE 20

bool console_drain_some(struct domain *drained __unused)
{
	return false;
}

static void create(void)
{
	world_create();
	memory_give(16, 64, 0, 0);
	arena_allow(1, 1);
	memset(mfn_to_virt(1), 0, PAGE_SIZE);
	vcpu->gate[GATE_FRAME_L1] = 1;
	test_cpu.current = vcpu;
	domain->privileges = ~0ull;
}

TestSuite(locks, .init = create);

static bool done;

static void *call(void *number)
{
	/* The page is the first argument, the second, and the third. */
	*vcpu->regs = (struct regs){
		.rax = (u64)number, .rdi = PAGE, .rsi = PAGE, .rdx = 1, .vector = VECTOR_HYPERCALL
	};
	if ((u64)number != TORC_HC_DOMAIN_CREATE && (u64)number != TORC_HC_VCPU_SET_PAGE)
		vcpu->regs->rdi = 0;
	hypercall(vcpu);
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Another vCPU has the lock: the call must not come to its end before that gives it back. */
static void expect_wait(u64 number)
{
	unsigned int tries;
	pthread_t thread;

	done = false;
	lock_take(&domain->lock);
	cr_assert_eq(pthread_create(&thread, NULL, call, (void *)number), 0);
	for (tries = 0; tries < 100 && !__atomic_load_n(&done, __ATOMIC_ACQUIRE); tries++)
		usleep(5000);
	cr_expect(!__atomic_load_n(&done, __ATOMIC_ACQUIRE), "call 0x%lx does not wait", number);
	lock_drop(&domain->lock);
	pthread_join(thread, NULL);
	cr_expect(done && !domain->lock.taken);
}

Test(locks, calls_that_look_up_a_page_wait)
{
	static const u8 numbers[] = { TORC_HC_VCPU_SET_PAGE, TORC_HC_LDT_LOAD,
				      TORC_HC_BATCH_REGISTER, TORC_HC_GRANT_REGISTER,
				      TORC_HC_VCPU_UP, TORC_HC_DOMAIN_CREATE,
				      TORC_HC_OBSERVE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		expect_wait(numbers[i]);
}

static void *take_and_drop(void *lock)
{
	lock_take(lock);
	lock_drop(lock);
	return NULL;
}

static bool becomes_wanted(const struct lock *lock)
{
	unsigned int tries;

	for (tries = 0; tries < 1000 && !lock_wanted(lock); tries++)
		usleep(1000);
	return lock_wanted(lock);
}

/* Who comes in between has long work too, and is to know of it. */
Test(locks, each_that_has_a_lock_is_told_that_another_waits)
{
	struct lock lock = { 0 };
	pthread_t thread;

	lock_take(&lock);
	cr_expect_not(lock_wanted(&lock));
	cr_assert_eq(pthread_create(&thread, NULL, take_and_drop, &lock), 0);
	cr_expect(becomes_wanted(&lock));
	__atomic_store_n(&lock.taken, LOCK_TAKEN, __ATOMIC_RELEASE);
	cr_expect(becomes_wanted(&lock), "it is another's now");
	lock_drop(&lock);
	pthread_join(thread, NULL);
	cr_expect_not(lock.taken);
}

static struct domain *first, *second;

static void *lock_both(void *unused __unused)
{
	domains_lock_pair(first, second);
	return NULL;
}

/* Nothing but an exchange tells that a lock was taken for a moment. */
static bool becomes_free(struct lock *lock)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!__atomic_load_n(&lock->taken, __ATOMIC_ACQUIRE))
			return true;
		usleep(1000);
	}
	return false;
}

/*
 * Whoever waits for one of two domains has not got the other. Otherwise two domains that copy from
 * one another would wait for each other for ever; and one that keeps its own lock busy could keep
 * any other from its tables, by nothing more than naming it.
 */
Test(locks, of_two_domains_none_is_held_while_the_other_is_waited_for)
{
	unsigned int order, busy;
	struct lock *held, *other;
	pthread_t thread;

	for (order = 0; order < 2; order++) {
		for (busy = 0; busy < 2; busy++) {
			first = order ? domain : foreign;
			second = order ? foreign : domain;
			held = busy ? &first->lock : &second->lock;
			other = busy ? &second->lock : &first->lock;
			lock_take(held);
			cr_assert_eq(pthread_create(&thread, NULL, lock_both, NULL), 0);
			cr_expect(becomes_wanted(held), "long work under it is told");
			cr_expect(becomes_free(other));
			usleep(5000);
			cr_expect(becomes_free(other), "and stays so");
			lock_drop(held);
			pthread_join(thread, NULL);
			cr_expect(domain->lock.taken && foreign->lock.taken);
			domains_drop_pair(first, second);
			cr_expect(!domain->lock.taken && !foreign->lock.taken);
		}
	}
	domains_lock_pair(domain, domain);
	cr_expect(domain->lock.taken);
	domains_drop_pair(domain, domain);
	cr_expect(!domain->lock.taken);
}
