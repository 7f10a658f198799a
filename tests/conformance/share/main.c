/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Counts what it gets done. tests/system/fair-shares.test starts many of these and compares.
 *
 * The command line has two numbers, WARM and COUNT, both in ms of system time. The guest works all
 * the time, counts for COUNT ms after WARM ms, and goes on for another WARM ms: the domains do not
 * start at the same moment, and while one counts all of them must work. Then it says what it got
 * done, and ends.
 *
 * With a third number, a seed, it works for ten times WARM ms more, and if it has the privileges
 * for that it ends half of the other domains meanwhile, chosen at random, and makes as many new
 * ones from what they had.
 */
#include "conformance.h"

#define TURNS 20000
#define DOMAINS 128 /* of the machine, at most */

static uint64_t seed;
static uint64_t ids[DOMAINS];

static uint64_t random(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 33;
}

/*
 * Rings after 100 to 300 us. A single-threaded emulator goes on to the next processor when a timer
 * rings, so these must not be rare, and must not be regular.
 */
static void set_timer(void)
{
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 100000 + random() % 200000);
}

void guest_event(uint32_t port)
{
	if (port == TORC_PORT_TIMER)
		set_timer();
}

/* Works until @end, ns; returns how much was done. */
static uint64_t work(uint64_t end)
{
	uint64_t done = 0;
	uint32_t turns;

	for (; torc_clock_ns(TORC_CLOCK) < end; done++)
		for (turns = TURNS; turns; turns--)
			__asm__ volatile("" : "+r"(turns));
	return done;
}

static void destroy(uint64_t domain)
{
	expect_status("destroy", torc_domain_control(domain, TORC_DOMAIN_DESTROY, 0), TORC_OK);
}

/* Puts half of the other domains in front of ids; returns how many that is. */
static uint64_t choose_half(uint64_t page)
{
	uint64_t count = 0, i, other, id;
	int64_t domain = 0;

	while ((domain = torc_domain_info((uint64_t)domain + 1, page)) > 0)
		if ((uint64_t)domain != guest_start->domain)
			ids[count++] = (uint64_t)domain;
	for (i = 0; i < count; i++) {
		other = i + random() % (count - i);
		id = ids[i];
		ids[i] = ids[other];
		ids[other] = id;
	}
	return (count + 1) / 2;
}

static void end_half(void)
{
	uint64_t page = guest_page(), half = choose_half(page), i;
	struct torc_domain_create *create = guest_linear(page << TORC_PAGE_SHIFT);

	for (i = 0; i < half; i++)
		destroy(ids[i]);
	for (i = 0; i < half; i++)
		while (torc_domain_control(ids[i], TORC_DOMAIN_PAUSE, 0) != TORC_ENOENT)
			torc_yield();
	for (i = 0; i < half; i++) {
		*create = (struct torc_domain_create){
			.size = sizeof(*create), .vcpus = 1, .pages = guest_start->pages,
			.max_pages = guest_start->pages, .linear_base = GUEST_LINEAR_BASE,
			.console_ring = 1, .time_page = 2,
			.name = { 'n', 'e', 'w', (char)('0' + i / 10), (char)('0' + i % 10) } };
		ids[i] = (uint64_t)torc_domain_create(page);
		REQUIRE((int64_t)ids[i] > 0, "no room for new domain %lu: %ld", i, ids[i]);
	}
	for (i = 0; i < half; i++)
		destroy(ids[i]);
	printf("ended %lu domains, and as many new ones\n", half);
}

void test_main(void)
{
	const volatile struct torc_vcpu_page *page = TORC_SHIM_VCPU;
	const char *text = guest_linear(guest_start->cmdline);
	uint64_t warm = next_number(&text) * 1000000, count = next_number(&text) * 1000000, done;
	uint64_t chance = next_number(&text);

	REQUIRE(warm && count, "no two numbers on the command line");
	seed = guest_start->domain;
	set_timer();
	torc_irq_on();
	work(warm);
	done = work(warm + count);
	work(2 * warm + count);
	printf("done %lu, ran %lu ms\n", done, page->run_ns / 1000000);
	if (!chance)
		return;
	if (guest_start->privileges) {
		work(3 * warm + count); /* all others have said theirs */
		seed = chance;
		end_half();
	}
	work(12 * warm + count);
}
