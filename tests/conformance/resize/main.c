/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Asks another domain to come down to half of its memory, and up again, and sees by what the
 * hypervisor tells of it that it does. tests/system/linux/balloon.test starts it beside a Linux.
 * The command line has the seconds to wait until that is up.
 */
#include "conformance.h"

#define OTHER 1 /* id, in the order of the modules */
#define SECOND 1000000000UL
#define PATIENCE 60 /* seconds */

static const struct torc_domain_info *info;
static uint64_t page;

static bool look(void)
{
	return torc_domain_info(OTHER, page) == OTHER && !(info->flags & TORC_DOMAIN_ENDING);
}

static void bring_to(uint64_t pages)
{
	uint32_t seconds;

	expect_status("target", torc_domain_control(OTHER, TORC_DOMAIN_TARGET, pages), TORC_OK);
	for (seconds = 0; look() && info->pages != pages && seconds < PATIENCE; seconds++)
		guest_sleep_ns(SECOND);
	CHECK(info->target_pages == pages && info->pages == pages,
	      "%lu pages, told to come to %lu, which is to be %lu", info->pages,
	      info->target_pages, pages);
	printf("domain %u has %lu MiB\n", info->domain, info->pages >> 8);
	guest_sleep_ns(5 * SECOND); /* it looks at its own idea of it meanwhile */
}

void test_main(void)
{
	const char *text = guest_linear(guest_start->cmdline);
	uint64_t seconds = next_number(&text), pages;

	page = guest_page();
	info = guest_linear(page << TORC_PAGE_SHIFT);
	guest_sleep_ns(seconds * SECOND);
	REQUIRE(look(), "there is no domain %d", OTHER);
	pages = info->pages;
	expect_status("too much", torc_domain_control(OTHER, TORC_DOMAIN_TARGET,
						      info->max_pages + 1), TORC_EINVAL);
	bring_to(pages / 2);
	bring_to(pages);
}
