/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The rules of direct paging, checked from outside: every reference on a domain's frames is found
 * again by looking at all its tables and at everything that holds frames, and the sums must be what
 * the frame table says. For unit tests (audit.c) and for a hypervisor that runs (tests/debug).
 */
#ifndef UNIT_RECOUNT_H
#define UNIT_RECOUNT_H

#include "domain.h"
#include "paging.h"

/* What was found of a frame. */
struct uses {
	u32 all; /* references */
	u32 typed; /* of these, such as need the type below */
	u8 type;
};

/**
 * recount - counts all references on frames of @of anew
 * @array: frame_count of them, all zero
 * Return: NULL when the rules at the head of mm/paging.c hold, or what is wrong.
 */
const char *recount(const struct domain *of, struct uses *array);

#endif
