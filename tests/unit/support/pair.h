/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Two domains that the builder made, for the calls by which domains reach each other. The first,
 * `back`, has all privileges and three vCPUs, `front` has none and two; vCPU 0 of both is up. Each
 * has 4 MiB and may come to 8.
 */
#ifndef UNIT_PAIR_H
#define UNIT_PAIR_H

#include <criterion/criterion.h>
#include "batch.h"
#include "builder.h"
#include "hypercall.h"
#include "sched.h"

extern struct domain *back, *front;

#define BACK (back->vcpu[0])
#define FRONT (front->vcpu[0])

/* Pages that no table, no kernel and nothing of the builder's stands in. */
enum { PAGE_STATE = 20, PAGE_VCPU = 800 /* and behind it, by number */, PAGE_GRANTS = 60,
       PAGE_DATA = 70, PAGE_OTHER = 80 };

void pair_create(void);

/** pair_end - ends those that are left; nothing of them may stay */
void pair_end(void);

/* The same, but the machine stays. */
void pair_build(void);
void pair_destroy(void);

/** pair_on - the world's helpers work on @of, and its vCPU 0 is the current one */
void pair_on(struct domain *of);

/** page_in - page @pfn of @of */
void *page_in(const struct domain *of, pfn_t pfn);

/** bring_up - starts vCPU @number of @of with a copy of vCPU 0's state */
void bring_up(struct domain *of, u32 number);

/** event_is_pending - is @port pending at vCPU @number of @of? It is not any more behind this. */
bool event_is_pending(struct domain *of, u32 number, unsigned int port);

/** pair_audit - audits all domains, and the references on them; NULL or what is wrong */
const char *pair_audit(void);

#define EXPECT_PAIR() \
	do { \
		const char *problem_ = pair_audit(); \
		cr_expect_null(problem_, "%s", problem_); \
	} while (0)

/* The state that a refused call could have changed: memory, frames, and what the domains say. */
struct pair_picture;
struct pair_picture *pair_picture_take(void);
const char *pair_picture_differs(struct pair_picture *picture); /* and frees it */

/* @call fails with @error, and nothing has changed in either domain. */
#define REFUSED(error, call) \
	do { \
		struct pair_picture *picture_ = pair_picture_take(); \
		s64 result_ = (call); \
		const char *difference_ = pair_picture_differs(picture_); \
		cr_expect_eq(result_, (error), "%s: %ld, not %s", #call, (long)result_, #error); \
		cr_expect_null(difference_, "%s: %s", #call, difference_); \
		EXPECT_PAIR(); \
	} while (0)

#endif
