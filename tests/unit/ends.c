/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The end of a domain or vCPU and its new beginning, with others that look on and lay hands on it.
 *
 * Attack: start a vCPU of a domain that reboots, between its place in the list and its own start.
 * Vulnerable: the vCPU is in the scheduler's list twice, or without a page, and the machine stops.
 * Fixed: who finds the new domain waits for its lock, and it runs then.
 */
#include <pthread.h>
#include <unistd.h>
#include <torc/events.h>
#include <torc/instructions.h>
#include <torc/manage.h>
#include "console.h"
#include "pair.h"
#include "state.h"

TestSuite(ends, .init = pair_create, .fini = pair_end);

static pthread_t thread;
static bool answered;
static unsigned int seen;
static s64 answer;

static void *start_it(void *rebooted)
{
	answer = hc_domain_vcpu(BACK, ((struct domain *)rebooted)->id, 0, PAGE_STATE, 1);
	__atomic_store_n(&answered, true, __ATOMIC_RELEASE);
	return NULL;
}

static void start_what_started(const char *line)
{
	struct domain *rebooted = back->next;

	if (!strstr(line, " started, "))
		return;
	seen++;
	cr_assert_eq(pthread_create(&thread, NULL, start_it, rebooted), 0);
	while (!lock_wanted(&rebooted->lock) && !__atomic_load_n(&answered, __ATOMIC_ACQUIRE))
		usleep(1000);
}

Test(ends, nobody_else_starts_a_domain_that_reboots)
{
	unsigned int before = starts;

	vcpu_get_state(FRONT, page_in(back, PAGE_STATE));
	front->source.restarts = 1;
	log_hears = start_what_started;
	end(front, TORC_SHUTDOWN_REBOOT);
	log_hears = NULL;
	cr_assert_eq(seen, 1);
	pthread_join(thread, NULL);
	cr_expect_eq(answer, TORC_EBUSY);
	cr_expect_eq(starts, before + 1);
}

static void expect_no_wait(const char *line)
{
	if (!strstr(line, " census: "))
		return;
	seen++;
	if (lock_try(&domains_lock))
		lock_drop(&domains_lock);
	else
		cr_expect(false, "others wait for \"%s\"", line);
}

/* It may be long, and the port that it goes to is slow. */
Test(ends, nobody_waits_for_its_census)
{
	census_count(front, TORC_INSN_CLI, 0x1234);
	census_count(front, TORC_INSN_STI, 0x1235);
	log_hears = expect_no_wait;
	end(front, TORC_SHUTDOWN_POWEROFF);
	log_hears = NULL;
	cr_expect_eq(seen, 2);
}

/* Front's vCPU 1 is down but still on a CPU, where it binds one more port before it leaves. */
static s64 bind_on_the_way_down(void)
{
	s64 port;

	bring_up(front, 1);
	front->vcpu[1]->cpu = &cpus[1];
	cr_expect_eq(hc_vcpu_down(FRONT, 1), TORC_EAGAIN);
	port = hc_event_bind(front->vcpu[1], TORC_EVENT_UNBOUND, back->id, 0);
	cr_assert_geq(port, TORC_PORT_FIRST_FREE);
	front->vcpu[1]->cpu = NULL;
	return port;
}

Test(ends, a_port_bound_on_the_way_down_moves_too)
{
	s64 port = bind_on_the_way_down();

	cr_expect_eq(hc_vcpu_down(FRONT, 1), 0);
	cr_expect_eq(hc_event_rearm(FRONT, port), 0);
	cr_expect_eq(hc_event_move(FRONT, port, 0), 0);
}

/*
 * Attack: bind a port on the way down, and start the vCPU so that it fails before it is released.
 * Vulnerable: its page is given back, and the next use of the port goes through no pointer.
 * Fixed: it does not start before it has been taken down altogether.
 */
Test(ends, a_vcpu_that_is_on_the_way_down_does_not_start)
{
	struct torc_vcpu_state *state = page_in(front, PAGE_STATE);
	s64 port = bind_on_the_way_down();

	state->batch_pages[0] = front->pages;
	cr_expect_eq(hc_vcpu_up(FRONT, 1, PAGE_STATE), TORC_EBUSY);
	front->ending = TORC_SHUTDOWN_POWEROFF + 1;
	cr_expect_eq(hc_vcpu_up(FRONT, 1, PAGE_STATE), TORC_EBUSY, "nor when all are down");
	front->ending = 0;
	cr_assert_not_null(front->vcpu[1]->page);
	cr_expect_eq(hc_event_rearm(FRONT, port), 0);
	cr_expect_eq(hc_vcpu_down(FRONT, 1), 0);
	cr_expect_eq(hc_vcpu_up(FRONT, 1, PAGE_STATE), TORC_ENOENT);
	bring_up(front, 1);
	EXPECT_PAIR();
}
