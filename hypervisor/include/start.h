/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* What a guest finds in its start-of-day and time pages. */
#ifndef TORC_HV_START_H
#define TORC_HV_START_H

#include "domain.h"

/* Of TORC_FEATURE_*, what this version offers. */
#define START_FEATURES (TORC_FEATURE_EVENTS | TORC_FEATURE_GRANTS)

/* Pages that the builder made; pfns, but for the initrd's address and size. */
struct start_pages {
	pfn_t root, start, cmdline, console, time, vcpu_page, stack, boot_first;
	u64 initrd, initrd_size;
};

/** start_shared - fills time page and console ring of @domain; system time begins now */
void start_shared(struct domain *domain);

/** start_fill - the same, and fills the start-of-day page */
void start_fill(struct domain *domain, const struct torc_note *note, const struct start_pages *at);

#endif
