/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * manager: a domain that makes others. Its initrd is a guest kernel; it starts that in two domains,
 * shows what becomes of them, and ends a third that never gets to run.
 *
 * It needs PRIVILEGES.
 */
#include <torc/build.h>
#include "guest.h"

#define PRIVILEGES  "create+control+memory+observe"
#define CHILD_PAGES 4096 /* 16 MiB */

static struct torc_build plan;
static int64_t changes; /* the port that tells of domains that start and end */
static uint64_t page;	 /* pfn of a page for answers */

static void prepare(void)
{
	uint32_t i;

	page = guest_page();
	changes = torc_event_bind(TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0);
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
	plan.pages = plan.max_pages = CHILD_PAGES;
	plan.vcpus = 1;
}

static int64_t build(const char *name)
{
	int64_t domain;

	plan.name = name;
	plan.cmdline = "made by another domain";
	plan.wall_ns = torc_clock_wall_ns(TORC_CLOCK);
	domain = torc_build(&plan);
	if (domain < 0)
		printf("%s cannot be built: %ld\n", name, domain);
	else
		printf("%s is domain %ld\n", name, domain);
	return domain;
}

static uint32_t show(void)
{
	const struct torc_domain_info *info = guest_linear(page << TORC_PAGE_SHIFT);
	int64_t domain;
	uint32_t count = 0;

	for (domain = 0; (domain = torc_domain_info((uint64_t)domain + 1, page)) > 0; count++)
		printf("domain %u %s: %lu MiB, %u vCPUs, ran %lu us%s%s\n", info->domain,
		       info->name, info->pages >> 8, info->vcpus, info->run_ns / 1000,
		       info->flags & TORC_DOMAIN_PAUSED ? ", paused" : "",
		       info->flags & TORC_DOMAIN_ENDING ? ", ending" : "");
	return count;
}

int main(void)
{
	int64_t first, second, third;
	uint64_t seen;

	prepare();
	if (changes < 0) {
		printf("no port for changes: %ld; give it privileges=%s\n", changes, PRIVILEGES);
		return 1;
	}
	first = build("first");
	second = build("second");
	third = build("third");
	if (first < 0 || second < 0 || third < 0)
		return 1;
	show();
	torc_domain_control((uint64_t)first, TORC_DOMAIN_UNPAUSE, 0);
	torc_domain_control((uint64_t)second, TORC_DOMAIN_UNPAUSE, 0);
	torc_domain_control((uint64_t)third, TORC_DOMAIN_DESTROY, 0);
	do {
		seen = guest_event_count[changes];
		torc_irq_off();
		if (guest_event_count[changes] == seen)
			torc_block();
	} while (show() > 1);
	printf("alone again\n");
	return 0;
}
