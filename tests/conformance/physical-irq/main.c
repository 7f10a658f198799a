/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * An interrupt of the machine comes to the domain that has bound it, as one event for each edge,
 * whether the domain sleeps or runs; a masked port keeps it, a closed one ends it. While a domain
 * has it nobody else gets it, and it is free again when that domain closes the port or ends.
 */
#include <torc/build.h>
#include "pit.h"

#define CONSOLE_INPUT 4 /* COM1, which the hypervisor has */
#define NO_INPUT 255

#define EVENTS 10
#define TRIES 10
#define HELD 10 /* periods */
#define CHILD_PAGES 4096

static uint64_t port;

/* Takes what is pending, and returns how often the port has fired. */
static uint64_t fired(void)
{
	torc_irq_on();
	torc_irq_off();
	return guest_event_count[port];
}

/* Until the port has fired @count times more. If one is lost for good, the run times out. */
static void receive(uint64_t count, bool asleep)
{
	uint64_t target = guest_event_count[port] + count;

	while (guest_event_count[port] < target) {
		if (asleep)
			torc_block();
		else
			torc_irq_on();
		torc_irq_off();
	}
}

/*
 * From the moment of binding on, EVENTS edges take between EVENTS - 1 and EVENTS periods. A machine
 * that stands still for a while makes one of several, so not every try need come so soon; but none
 * may come sooner. Clocks have a period's tolerance.
 */
static void check_edges(const char *what, bool asleep)
{
	uint64_t start, took, least = ~0UL, try;

	for (try = 0; try < TRIES && least > (EVENTS + 1) * PIT_PERIOD_NS; try++) {
		start = torc_clock_ns(TORC_CLOCK);
		port = pit_open(0);
		receive(EVENTS, asleep);
		took = torc_clock_ns(TORC_CLOCK) - start;
		pit_close(port);
		if (took < least)
			least = took;
	}
	printf("%s: %u edges took %lu us, try %lu\n", what, EVENTS, least / 1000, try);
	CHECK(least >= (EVENTS - 2) * PIT_PERIOD_NS && least <= (EVENTS + 1) * PIT_PERIOD_NS,
	      "%s: %u edges took %lu us", what, EVENTS, least / 1000);
}

static bool is_set(const volatile uint64_t *words, uint64_t bit)
{
	return words[bit / 64] >> bit % 64 & 1;
}

/*
 * What comes while the port is masked is one event, which waits and of which the vCPU is not told.
 * If it is not kept, the run times out.
 */
static void check_masked(void)
{
	volatile struct torc_vcpu_page *page = TORC_SHIM_VCPU;
	uint64_t before, came, end;

	port = pit_open(0);
	receive(1, true);
	torc_event_mask((uint32_t)port);
	before = fired();
	end = torc_clock_ns(TORC_CLOCK) + HELD * PIT_PERIOD_NS;
	while (torc_clock_ns(TORC_CLOCK) < end || !is_set(page->event_pending, port))
		;
	CHECK(!is_set(&page->pending, port / 64), "the vCPU is told of a masked port");
	came = fired() - before;
	CHECK(came == 0, "%lu events came through the mask", came);
	expect_status("rearm", torc_event_rearm(port), TORC_OK);
	came = fired() - before;
	CHECK(came >= 1 && came < HELD, "%lu events came from behind the mask", came);
	receive(EVENTS, true);
	pit_close(port);
}

static void check_closed(void)
{
	uint64_t before, came;

	port = pit_open(0);
	receive(1, true);
	pit_close(port);
	before = fired();
	guest_sleep_ns(HELD * PIT_PERIOD_NS);
	came = fired() - before;
	CHECK(came == 0, "%lu events came to a closed port", came);
	expect_status("close again", torc_event_close(port), TORC_ENOENT);
	expect_status("rearm", torc_event_rearm(port), TORC_ENOENT);
	port = pit_open(0);
	receive(EVENTS, true);
	pit_close(port);
}

static void check_refused(void)
{
	port = pit_open(0);
	expect_status("bound already", pit_bind(0), TORC_EBUSY);
	expect_status("as a level",
		      torc_event_bind(TORC_EVENT_PIRQ, PIT_INPUT | TORC_PIRQ_LEVEL, 0), TORC_EBUSY);
	expect_status("the hypervisor's", torc_event_bind(TORC_EVENT_PIRQ, CONSOLE_INPUT, 0),
		      TORC_EBUSY);
	expect_status("no such input", torc_event_bind(TORC_EVENT_PIRQ, NO_INPUT, 0), TORC_ENOENT);
	expect_status("sent by hand", torc_event_send(port), TORC_EINVAL);
	receive(1, true);
	pit_close(port);
}

/* Has another domain do what @cmdline says, and waits until it has ended. */
static void run(const char *cmdline)
{
	struct torc_build plan = {
		.kernel = guest_linear(guest_start->initrd),
		.kernel_bytes = guest_start->initrd_size,
		.cmdline = cmdline, .name = cmdline, .pages = CHILD_PAGES, .max_pages = CHILD_PAGES,
		.vcpus = 1, .privileges = TORC_PRIVILEGE_DEVICES, .start = guest_start,
		.wall_ns = torc_clock_wall_ns(TORC_CLOCK), .entropy = guest_start->entropy,
		.op = (volatile struct torc_memory_op *)guest_queue.area,
		.index = guest_queue.first,
	};
	uint64_t page = guest_page();
	int64_t domain;
	uint32_t i;

	for (i = 0; i < TORC_BUILD_STAGES; i++) {
		plan.stage[i] = guest_pages(1);
		plan.stage_pfn[i] = page_of(plan.stage[i]);
	}
	domain = torc_build(&plan);
	REQUIRE(domain > 1, "build: %ld", domain);
	expect_status("start", torc_domain_control((uint64_t)domain, TORC_DOMAIN_UNPAUSE, 0),
		      TORC_OK);
	while (torc_domain_info((uint64_t)domain, page) == domain) {
		torc_block(); /* TORC_VIRQ_DOMAIN */
		torc_irq_off();
	}
}

static void own(void)
{
	REQUIRE(torc_event_bind(TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0) > 0, "no virq");
	check_edges("asleep", true);
	check_edges("awake", false);
	check_masked();
	check_closed();
	check_refused();
	port = pit_open(0);
	run("other");
	receive(EVENTS, true);
	pit_close(port);
	run("heir");
	port = pit_open(0);
	receive(EVENTS, true);
}

void test_main(void)
{
	const char *role = guest_linear(guest_start->cmdline);

	if (strcmp(role, "owner") == 0) {
		own();
	} else if (strcmp(role, "other") == 0) {
		expect_status("another domain's", pit_bind(0), TORC_EBUSY);
	} else {
		port = pit_open(0);
		receive(EVENTS, true);
	}
}
