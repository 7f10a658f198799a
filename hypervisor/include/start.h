/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* What a guest finds in its start-of-day and time pages. */
#ifndef TORC_HV_START_H
#define TORC_HV_START_H

#include "domain.h"

#define START_FEATURES 0ull /* of TORC_FEATURE_*, what this version offers */

/* Pages that the builder made; pfns, but for the initrd's address and size. */
struct start_pages {
	pfn_t root, start, cmdline, console, time, vcpu_page, stack, boot_first;
	u64 initrd, initrd_size;
};

/** start_fill - fills start-of-day, time and vCPU page; system time begins now */
void start_fill(struct domain *domain, const struct torc_note *note, const struct start_pages *at);

#endif
