/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Domains come and go: builds, runs, pauses, resumes and ends children, in an order that a seed
 * gives, and sees each time that they are what they should be. tests/system/create-destroy.test
 * starts it.
 *
 * The command line is ROUNDS SEED; the initrd is this kernel, which the children run too. With
 * "run" on its command line one works for ever; with "end" it ends by itself after a while.
 */
#include <torc/build.h>
#include "conformance.h"

#define CHILDREN 6
#define PAGES 4096
#define TURNS 20000
#define GONE (~0UL)

static struct child {
	uint64_t domain; /* 0: none */
	bool paused, ends;
} children[CHILDREN];

static struct torc_build plan;
static uint64_t seed, page, built, paused, resumed, destroyed, ended;

static uint64_t random(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 33;
}

static void work(uint64_t rounds)
{
	uint32_t turns;

	while (rounds--)
		for (turns = TURNS; turns; turns--)
			__asm__ volatile("" : "+r"(turns));
}

static void prepare(void)
{
	uint32_t i;

	page = guest_page();
	for (i = 0; i < TORC_BUILD_STAGES; i++) {
		plan.stage_pfn[i] = guest_page();
		plan.stage[i] = guest_linear(plan.stage_pfn[i] << TORC_PAGE_SHIFT);
	}
	plan.op = (volatile struct torc_memory_op *)guest_queue.area;
	plan.index = guest_queue.first;
	plan.start = guest_start;
	plan.entropy = guest_start->entropy;
	plan.kernel = guest_linear(guest_start->initrd);
	plan.kernel_bytes = guest_start->initrd_size;
	plan.pages = plan.max_pages = PAGES;
}

static void build(struct child *child)
{
	char name[] = "child-0";

	name[6] = (char)('0' + (child - children));
	child->ends = random() % 4 == 0;
	child->paused = true;
	plan.name = name;
	plan.cmdline = child->ends ? "end" : "run";
	plan.vcpus = 1 + (uint32_t)(random() % 3);
	plan.wall_ns = torc_clock_wall_ns(TORC_CLOCK);
	child->domain = (uint64_t)torc_build(&plan);
	REQUIRE((int64_t)child->domain > 0, "build: %ld", child->domain);
	built++;
}

/* A call on a child. One that ends by itself may be gone, and is forgotten then. */
static bool control(struct child *child, uint64_t action)
{
	int64_t status;

	do {
		status = torc_domain_control(child->domain, action, 0);
	} while (status == TORC_EAGAIN);
	if (status == TORC_ENOENT && child->ends) {
		child->domain = 0;
		ended++;
		return false;
	}
	expect_status("control", status, TORC_OK);
	return true;
}

/* Its end takes the time that its CPUs need to leave it. */
static void destroy(struct child *child)
{
	if (!control(child, TORC_DOMAIN_DESTROY))
		return;
	while (torc_domain_control(child->domain, TORC_DOMAIN_UNPAUSE, 0) != TORC_ENOENT)
		torc_yield();
	child->domain = 0;
	destroyed++;
}

static void look(struct child *child)
{
	const struct torc_domain_info *info = guest_linear(page << TORC_PAGE_SHIFT);
	int64_t found = torc_domain_info(child->domain, page);

	if (child->ends && (found != (int64_t)child->domain || info->flags & TORC_DOMAIN_ENDING))
		return;
	CHECK(found == (int64_t)child->domain, "domain %lu is not there", child->domain);
	CHECK(info->flags == (child->paused ? TORC_DOMAIN_PAUSED : 0) && info->pages == PAGES,
	      "domain %lu: flags %x, %lu pages", child->domain, info->flags, info->pages);
}

static void act(struct child *child)
{
	if (!child->domain) {
		build(child);
	} else if (random() % 4 == 0) {
		destroy(child);
	} else if (child->paused && control(child, TORC_DOMAIN_UNPAUSE)) {
		child->paused = false;
		resumed++;
	} else if (child->domain && control(child, TORC_DOMAIN_PAUSE)) {
		child->paused = true;
		paused++;
	}
	if (child->domain)
		look(child);
}

/* How long a child has run; GONE for one that was about to end by itself when it was paused. */
static uint64_t run_ns(const struct child *child)
{
	const struct torc_domain_info *info = guest_linear(page << TORC_PAGE_SHIFT);
	bool found = torc_domain_info(child->domain, page) == (int64_t)child->domain;

	REQUIRE(found || child->ends, "domain %lu is not there", child->domain);
	return found ? info->run_ns : GONE;
}

/* A child that is paused has run no longer when it is looked at again. */
static void expect_still(void)
{
	uint64_t before[CHILDREN], now, i;

	for (i = 0; i < CHILDREN; i++)
		before[i] = children[i].domain && children[i].paused ? run_ns(&children[i]) : 0;
	guest_sleep_ns(random() % 3000000);
	for (i = 0; i < CHILDREN; i++) {
		if (!children[i].domain || !children[i].paused)
			continue;
		now = run_ns(&children[i]);
		CHECK(now == before[i] || now == GONE, "child %lu runs", i);
	}
}

void test_main(void)
{
	const char *text = guest_linear(guest_start->cmdline);
	uint64_t rounds, i;

	if (!guest_start->privileges) {
		work(strcmp(text, "end") == 0 ? 20 : ~0UL);
		return;
	}
	rounds = next_number(&text);
	seed = next_number(&text);
	prepare();
	while (rounds--) {
		act(&children[random() % CHILDREN]);
		expect_still();
	}
	for (i = 0; i < CHILDREN; i++)
		if (children[i].domain)
			destroy(&children[i]);
	printf("built %lu, paused %lu, resumed %lu, ended %lu, by themselves %lu\n", built, paused,
	       resumed, destroyed, ended);
	CHECK(built == destroyed + ended, "built %lu, ended %lu", built, destroyed + ended);
	CHECK(torc_domain_info(guest_start->domain + 1, page) < 0, "a child is left");
}
