/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A guest with work to do, or one that does what it can to be in the way of another.
 * tests/system/noisy-neighbours.test starts one of each and compares.
 *
 * Background: what the hypervisor does for one domain can be charged to another, or can keep a
 * processor or a lock from it for long.
 * Attack: the words below; each uses hypercalls that anybody may make, without end.
 * Vulnerable: who works beside that gets less than the share that its weight gives it.
 * Fixed: it gets its share, as beside a domain that only computes.
 *
 * The first word of the command line is the role. "work UNITS" does that many units, says how long
 * they took, and ends all other domains, for which it needs the privilege.
 */
#include "conformance.h"

#define WORKER 1 /* ids, in the order of the modules */
#define TURNS 20000 /* of the loop that is a unit's computing */
#define ENTRIES 512
#define WARM_NS 100000000UL
#define TURN_NS 9000000UL /* less than a slice */
#define BITS (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_ACCESSED | TORC_PTE_DIRTY | TORC_PTE_NX)

static uint64_t seed;

static uint64_t now(void)
{
	return torc_clock_ns(TORC_CLOCK);
}

static uint64_t random(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 33;
}

/* A page table of level 1 that is pinned, and a page to name in it. */
static uint64_t scratch_table, scratch_value;

static void make_scratch(void)
{
	scratch_value = torc_pte_make(guest_page(), BITS);
	scratch_table = guest_page() << TORC_PAGE_SHIFT;
	REQUIRE(guest_op(TORC_OP_PIN, scratch_table, 1) == TORC_OK, "pin");
}

static void compute(void)
{
	uint32_t turns;

	for (turns = TURNS; turns; turns--)
		__asm__ volatile("" : "+r"(turns));
}

static void unit(void)
{
	uint32_t i;

	compute();
	torc_queue_lazy_begin(&guest_queue);
	for (i = 0; i < 16; i++)
		torc_queue_set(&guest_queue, scratch_table + 8 * i, scratch_value);
	torc_queue_lazy_end(&guest_queue);
	guest_op(TORC_OP_CLEAR, scratch_table, 0);
}

static void end_others(void)
{
	const struct torc_domain_info *info;
	uint64_t page = guest_page();
	int64_t domain = WORKER;

	info = guest_linear(page << TORC_PAGE_SHIFT);
	while ((domain = torc_domain_info((uint64_t)domain + 1, page)) > 0) {
		REQUIRE(!(info->flags & TORC_DOMAIN_ENDING), "domain %ld has ended", domain);
		printf("domain %ld %s ran %lu ms\n", domain, info->name, info->run_ns / 1000000);
		torc_domain_control((uint64_t)domain, TORC_DOMAIN_DESTROY, 0);
	}
}

static void work(uint64_t units)
{
	int64_t port = torc_event_bind(TORC_EVENT_UNBOUND, WORKER + 1, 0);
	uint64_t start, end;

	REQUIRE(port == TORC_PORT_FIRST_FREE, "port: %ld", port);
	torc_event_mask((uint32_t)port);
	torc_irq_on();
	for (start = now(); (end = now()) - start < WARM_NS;)
		unit();
	for (start = end; units; units--)
		unit();
	printf("took %lu us\n", (now() - start) / 1000);
	end_others();
}

static void burn(void)
{
	for (;;)
		compute();
}

/* Events to the worker, to other vCPUs, and by timers that have rung already. */
static void events(void)
{
	uint64_t all = (1UL << guest_start->vcpus) - 1, i;
	int64_t port = torc_event_bind(TORC_EVENT_INTERDOMAIN, WORKER, TORC_PORT_FIRST_FREE);

	while (port == TORC_ENOENT)
		port = torc_event_bind(TORC_EVENT_INTERDOMAIN, WORKER, TORC_PORT_FIRST_FREE);
	for (i = 0;; i++) {
		torc_event_send((uint64_t)port);
		torc_vcpu_kick(all);
		torc_set_timer(now() + i % 4 * 1000);
		if (guest_cpu()->number % 2)
			torc_block();
	}
}

/* One vCPU is awake at a time, for less than a slice: it wakes the next one and sleeps. */
static volatile uint64_t turn;

static void turns(void)
{
	uint64_t self = guest_cpu()->number, end;

	for (;;) {
		torc_irq_off();
		while (turn != self) {
			torc_block();
			torc_irq_off();
		}
		for (end = now() + TURN_NS; now() < end;)
			compute();
		turn = (self + 1) % guest_start->vcpus;
		torc_vcpu_kick(1UL << turn);
	}
}

/* vCPUs and address spaces come and go. */
static void live(void *argument)
{
	(void)argument;
	compute();
}

static void forks(void)
{
	uint64_t root = guest_new_root();
	uint32_t i;

	for (;;) {
		for (i = 1; i < guest_start->vcpus; i++)
			expect_status("vcpu_up", guest_vcpu_start(i, live, NULL), TORC_OK);
		expect_status("pin", guest_op(TORC_OP_PIN, root, 4), TORC_OK);
		expect_status("root", guest_op(TORC_OP_NEW_ROOT, root, 0), TORC_OK);
		expect_status("back", guest_op(TORC_OP_NEW_ROOT, guest_root, 0), TORC_OK);
		expect_status("unpin", guest_op(TORC_OP_UNPIN, root, 0), TORC_OK);
	}
}

/* Faults of programs, of the kernel, and instructions that the hypervisor carries out. */
static void faults(void)
{
	struct guest_regs regs;

	for (;;) {
		regs = guest_user_code("\x0f\x0b", 2);
		CHECK(regs.vector == 6, "vector %lu", regs.vector);
		CHECK(guest_probe_read(0x1000).hit, "the first page can be read");
		CHECK(!guest_probe_code("\x0f\x20\xc0", 3, 0).hit, "CR0 cannot be read");
	}
}

/* Anything that does not change the tables it runs on. */
static void garbage(void)
{
	uint64_t *pages = guest_pages(ENTRIES), first = guest_linear_gpa(pages), i;

	for (i = 0; i < ENTRIES * ENTRIES; i++)
		pages[i] = random() << 33 | random();
	for (;;) {
		for (i = 0; i < guest_queue.limit; i++)
			guest_queue.area[i] = (struct torc_batch_op){
				.op = (uint8_t)(random() % (TORC_OP_COUNT + 2)),
				.flags = (uint8_t)(random() % 2), .count = (uint16_t)random(),
				.entry = i % 2 ? first + random() % (ENTRIES << TORC_PAGE_SHIFT) :
					 scratch_table + random() % TORC_PAGE_SIZE,
				.value = i % 3 ? random() << 32 | random() : scratch_value,
				.old = random() % (4 * TORC_PAGE_SIZE) };
		torc_batch(guest_queue.first, guest_queue.limit);
	}
}

/* Calls that stop half-way are never continued, but begun anew. */
static void halves(void)
{
	volatile struct torc_copy_op *copies = (volatile void *)guest_queue.area;
	uint32_t from = (uint32_t)guest_page(), to = (uint32_t)guest_page(), i;

	for (;;) {
		for (i = 0; i < guest_queue.limit; i++)
			guest_queue.area[i] = (struct torc_batch_op){
				.op = TORC_OP_FILL, .count = ENTRIES, .entry = scratch_table,
				.old = guest_queue.values_offset };
		torc_batch(guest_queue.first, guest_queue.limit);
		for (i = 0; i < guest_queue.limit; i++)
			copies[i] = (struct torc_copy_op){ .bytes = TORC_PAGE_SIZE, .source = from,
							   .target = to };
		torc_grant_copy(guest_queue.first, guest_queue.limit);
	}
}

/* Whole trees become tables and memory again. */
static void trees(void)
{
	uint64_t *top = guest_pages(1), i;

	for (i = 0; i < ENTRIES; i++)
		top[i] = torc_pte_make(guest_page(), TORC_PTE_TABLE);
	for (;;) {
		expect_status("pin", guest_op(TORC_OP_PIN, guest_linear_gpa(top), 2), TORC_OK);
		expect_status("unpin", guest_op(TORC_OP_UNPIN, guest_linear_gpa(top), 0), TORC_OK);
	}
}

static const struct role {
	const char *name;
	void (*run)(void); /* on each vCPU if @all, else on the first */
	bool all;
} roles[] = {
	{ "burn", burn, true }, { "events", events, true }, { "turns", turns, true },
	{ "forks", forks, false }, { "faults", faults, false }, { "garbage", garbage, true },
	{ "halves", halves, true }, { "trees", trees, true },
};

static void begin(void *role)
{
	((const struct role *)role)->run();
}

void test_main(void)
{
	const char *word = guest_linear(guest_start->cmdline);
	uint32_t i, n;

	seed = guest_start->domain;
	make_scratch();
	if (memcmp(word, "work ", 5) == 0) {
		word += 5;
		work(next_number(&word));
		return;
	}
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(word, roles[i].name) != 0)
			continue;
		for (n = 1; roles[i].all && n < guest_start->vcpus; n++)
			guest_vcpu_start(n, begin, (void *)&roles[i]);
		roles[i].run();
	}
	REQUIRE(false, "no role '%s'", word);
}
