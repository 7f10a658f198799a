/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* What most unit tests include, behind criterion.h. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <string.h>
#include "doubles.h"
#include "random.h"
#include "world.h"

/* table_clear() of one entry, which it returns. */
static inline u64 clear_one(struct domain *domain, mfn_t mfn, unsigned int index)
{
	u64 old;

	table_clear(domain, mfn, index, 1, &old);
	return old;
}

#define EXPECT_AUDIT() \
	do { \
		const char *problem_ = audit(); \
		cr_expect_null(problem_, "%s", problem_); \
	} while (0)

/* The block leaves the machine as it was. */
#define EXPECT_UNCHANGED_AFTER(...) \
	do { \
		struct picture *picture_ = picture_take(); \
		const char *difference_; \
		__VA_ARGS__; \
		difference_ = picture_differs(picture_); \
		cr_expect_null(difference_, "%s", difference_); \
		picture_free(picture_); \
	} while (0)

/* @call fails with @error, and nothing has changed. */
#define EXPECT_ERROR(error, call) \
	EXPECT_UNCHANGED_AFTER({ \
		s64 result_ = (call); \
		cr_expect_eq(result_, (error), "%s: %ld, not %s", #call, (long)result_, #error); \
	})

#endif
