/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A domain with privileges builds others, pauses them, reads them, copies one while it runs, and
 * ends them; a domain without privileges can do nothing of that.
 */
#include <torc/build.h>
#include "conformance.h"

#define CHILD_PAGES 4096
#define ROUNDS 10
#define MILLISECOND 1000000UL

static volatile uint64_t counter; /* of a child */
static volatile struct torc_memory_op *op;
static uint64_t page; /* pfn of a page to work with */
static uint64_t virq;

static bool said(const char *word)
{
	return guest_start->cmdline && strcmp(guest_linear(guest_start->cmdline), word) == 0;
}

/* A child: counts for ever, and never needs anything but the processor. */
static void count(void)
{
	CHECK(guest_start->privileges == 0, "privileges %lx", guest_start->privileges);
	for (;;) {
		counter++;
		torc_yield();
	}
}

static struct torc_build plan; /* of the domain built last */

static int64_t build(const char *name, const char *cmdline, uint64_t pages)
{
	uint32_t i;

	if (!plan.start) {
		for (i = 0; i < TORC_BUILD_STAGES; i++) {
			plan.stage[i] = guest_pages(1);
			plan.stage_pfn[i] = page_of(plan.stage[i]);
		}
	}
	plan.start = guest_start;
	plan.kernel = guest_linear(guest_start->initrd);
	plan.kernel_bytes = guest_start->initrd_size;
	plan.name = name;
	plan.cmdline = cmdline;
	plan.pages = plan.max_pages = pages;
	plan.vcpus = 2;
	plan.wall_ns = torc_clock_wall_ns(TORC_CLOCK);
	plan.entropy = guest_start->entropy;
	plan.op = op;
	plan.index = guest_queue.first;
	return torc_build(&plan);
}

static void control(int64_t domain, uint64_t action)
{
	int64_t status;

	do {
		status = torc_domain_control((uint64_t)domain, action, 0);
	} while (status == TORC_EAGAIN);
	expect_status("control", status, TORC_OK);
}

static int64_t memory(int64_t domain, uint8_t kind, uint64_t pfn, uint64_t own, uint32_t level)
{
	*op = (struct torc_memory_op){ .op = kind, .pfn = pfn, .own = own, .level = level };
	while (torc_domain_memory((uint64_t)domain, guest_queue.first, 1) == TORC_EAGAIN)
		;
	return op->status;
}

/* A word of a domain's memory, at an address of this program's image, which is its image too. */
static uint64_t peek(int64_t domain, const volatile uint64_t *where)
{
	uint64_t gpa = guest_image_gpa((const void *)where);

	expect_status("read", memory(domain, TORC_MEMORY_READ, gpa >> TORC_PAGE_SHIFT, page, 0),
		      TORC_OK);
	return *(uint64_t *)guest_linear((page << TORC_PAGE_SHIFT) + gpa % TORC_PAGE_SIZE);
}

static void expect_running(int64_t domain)
{
	uint64_t before = peek(domain, &counter), i;

	for (i = 0; i < 1000 && peek(domain, &counter) == before; i++)
		guest_sleep_ns(MILLISECOND);
	CHECK(peek(domain, &counter) != before, "domain %ld does not run", domain);
}

static void expect_still(int64_t domain)
{
	uint64_t before = peek(domain, &counter);

	guest_sleep_ns(5 * MILLISECOND);
	CHECK(peek(domain, &counter) == before, "domain %ld runs", domain);
}

static struct torc_domain_info info(uint64_t from)
{
	CHECK(torc_domain_info(from, page) >= (int64_t)from, "no domain from %lu on", from);
	return *(struct torc_domain_info *)guest_linear(page << TORC_PAGE_SHIFT);
}

/* The other domain takes its time to go, and its end is told. */
static void destroy(int64_t domain)
{
	control(domain, TORC_DOMAIN_DESTROY);
	torc_irq_off();
	while (torc_domain_control((uint64_t)domain, TORC_DOMAIN_PAUSE, 0) != TORC_ENOENT) {
		torc_block();
		torc_irq_off();
	}
}

/* An empty domain with the same places as the one built last. */
static int64_t create_like(const char *name)
{
	struct torc_domain_create *create = guest_linear(page << TORC_PAGE_SHIFT);

	*create = (struct torc_domain_create){
		.size = sizeof(*create), .vcpus = 2, .pages = CHILD_PAGES, .max_pages = CHILD_PAGES,
		.linear_base = plan.note.linear_base,
		.console_ring = plan.tables - TORC_BUILD_CONSOLE,
		.time_page = plan.tables - TORC_BUILD_TIME,
	};
	memcpy(create->name, name, strlen(name));
	return torc_domain_create(page);
}

/* A second domain that goes on where @from, which is paused, stands. Its clock is its own. */
static int64_t copy(int64_t from)
{
	int64_t to = create_like("copy"), status;
	uint64_t tables = 0, pfn;

	REQUIRE(to > 0, "create: %ld", to);
	for (pfn = 0; pfn < CHILD_PAGES; pfn++) {
		expect_status("read", memory(from, TORC_MEMORY_READ, pfn, page, 0), TORC_OK);
		tables += op->level != 0;
		if (pfn != plan.tables - TORC_BUILD_TIME)
			expect_status("write", memory(to, TORC_MEMORY_WRITE, pfn, page, op->level),
				      TORC_OK);
	}
	CHECK(tables >= CHILD_PAGES - plan.tables, "%lu tables", tables);
	expect_status("get state", torc_domain_vcpu((uint64_t)from, 0, page, 0), TORC_OK);
	do {
		status = torc_domain_vcpu((uint64_t)to, 0, page, 1);
	} while (status == TORC_EAGAIN);
	expect_status("put state", status, TORC_OK);
	expect_status("put state again", torc_domain_vcpu((uint64_t)to, 0, page, 1), TORC_EBUSY);
	expect_status("a table is not written", memory(to, TORC_MEMORY_WRITE, plan.tables, page, 0),
		      TORC_EBUSY);
	CHECK(peek(to, &counter) == peek(from, &counter), "the copy stands elsewhere");
	return to;
}

static void watch(void)
{
	struct torc_domain_info about;
	int64_t child, second;

	expect_status("too large", build("large", "count", 1UL << 24), TORC_ENOMEM);
	child = build("child", "count", CHILD_PAGES);

	REQUIRE(child > 1, "build: %ld", child);
	about = info((uint64_t)child);
	CHECK(about.domain == (uint64_t)child && strcmp(about.name, "child") == 0 &&
	      about.flags == TORC_DOMAIN_PAUSED && about.vcpus == 2 && about.vcpus_up == 1 &&
	      about.pages == CHILD_PAGES, "info of domain %u %s, flags %x, vcpus %u up %lx",
	      about.domain, about.name, about.flags, about.vcpus, about.vcpus_up);
	expect_status("name taken", build("child", "count", CHILD_PAGES), TORC_EBUSY);
	expect_still(child);
	control(child, TORC_DOMAIN_UNPAUSE);
	expect_running(child);
	control(child, TORC_DOMAIN_PAUSE);
	expect_still(child);
	second = copy(child);
	control(second, TORC_DOMAIN_UNPAUSE);
	expect_running(second);
	expect_still(child);
	control(child, TORC_DOMAIN_UNPAUSE);
	expect_running(child);
	expect_status("vCPU that runs", torc_domain_vcpu((uint64_t)child, 0, page, 0), TORC_EBUSY);
	expect_status("weight", torc_domain_schedule((uint64_t)child, TORC_SCHED_WEIGHT, 0, 512),
		      TORC_OK);
	destroy(second);
	destroy(child);
}

/* What a domain had is there again for the next. */
static void many(void)
{
	uint32_t round;
	int64_t child;

	for (round = 0; round < ROUNDS; round++) {
		child = build("again", "count", CHILD_PAGES);
		REQUIRE(child > 0, "round %u: build: %ld", round, child);
		if (round % 3)
			control(child, TORC_DOMAIN_UNPAUSE);
		if (round % 3 == 2)
			expect_running(child);
		destroy(child);
	}
}

static void observe(void)
{
	uint64_t *counters = guest_linear(page << TORC_PAGE_SHIFT), before, sum, i;
	struct torc_log_text *text = guest_linear(page << TORC_PAGE_SHIFT);
	int64_t bytes;

	bytes = torc_observe(TORC_OBSERVE_DOMAIN, guest_start->domain, page);
	CHECK(bytes == TORC_COUNTERS * 8, "%ld bytes of counters", bytes);
	before = counters[TORC_COUNTER_HYPERCALL + TORC_HC_VERSION];
	for (i = 0; i < 100; i++)
		torc_version();
	torc_observe(TORC_OBSERVE_DOMAIN, guest_start->domain, page);
	CHECK(counters[TORC_COUNTER_HYPERCALL + TORC_HC_VERSION] == before + 100,
	      "%lu calls were counted", counters[TORC_HC_VERSION] - before);
	bytes = torc_observe(TORC_OBSERVE_CPU, 0, page);
	CHECK(bytes == TORC_COUNTERS * 8, "%ld bytes of a CPU's counters", bytes);
	sum = counters[TORC_COUNTER_HYPERCALL + TORC_HC_VERSION];
	if (torc_observe(TORC_OBSERVE_CPU, 1, page) > 0)
		sum += counters[TORC_COUNTER_HYPERCALL + TORC_HC_VERSION];
	CHECK(sum >= before + 100, "%lu calls on all CPUs", sum);
	bytes = torc_observe(TORC_OBSERVE_LOG, 0, page);
	CHECK(bytes > 100 && text->first == 0 && text->end >= (uint64_t)bytes - 16 &&
	      memcmp(text->text, "torc: Torc ", 11) == 0, "%ld bytes of log", bytes);
	expect_status("no such domain", torc_observe(TORC_OBSERVE_DOMAIN, 77, page), TORC_ENOENT);
	expect_status("no such CPU", torc_observe(TORC_OBSERVE_CPU, 64, page), TORC_ENOENT);
	expect_status("no such thing", torc_observe(0, 0, page), TORC_EINVAL);
}

static void trace(void)
{
	struct torc_trace_record *record = guest_linear(page << TORC_PAGE_SHIFT);
	uint32_t i, p, found = 0;

	expect_status("trace", torc_observe_trace(1 << TORC_TRACE_HYPERCALL), TORC_OK);
	for (i = 0; i < 10; i++)
		torc_census(1000 + i, NULL);
	expect_status("trace", torc_observe_trace(0), TORC_OK);
	for (p = 0; torc_observe(TORC_OBSERVE_TRACE, p, page) == TORC_PAGE_SIZE; p++)
		for (i = 0; i < TORC_TRACE_RECORDS; i++)
			found += record[i].number && record[i].a == TORC_HC_CENSUS &&
				 record[i].b >= 1000 && record[i].b < 1010 &&
				 record[i].domain == guest_start->domain;
	CHECK(p == 2 * TORC_TRACE_PAGES, "%u pages of trace", p);
	CHECK(found == 10, "%u of 10 calls were traced", found);
	expect_status("unknown kind", torc_observe_trace(1 << TORC_TRACE_KINDS), TORC_EINVAL);
}

void test_main(void)
{
	if (said("count"))
		count();
	op = (volatile struct torc_memory_op *)guest_queue.area;
	page = guest_page();
	virq = (uint64_t)torc_event_bind(TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0);
	REQUIRE((int64_t)virq > 0, "virq: %ld", (int64_t)virq);
	CHECK(guest_start->features & TORC_FEATURE_PRIVILEGED, "features %lx",
	      guest_start->features);
	expect_status("itself", torc_domain_control(guest_start->domain, TORC_DOMAIN_PAUSE, 0),
		      TORC_EINVAL);
	observe();
	trace();
	watch();
	many();
	REQUIRE(build("left", "count", CHILD_PAGES) > 0, "a last one");
}
