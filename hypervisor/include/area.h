/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Operations of the batch area that are no page-table operations. Each begins with its flags, has
 * its status in bytes 2 and 3, and is as large as those of batch.h.
 */
#ifndef TORC_HV_AREA_H
#define TORC_HV_AREA_H

#include "observe.h"
#include "paging.h"
#include "sched.h"

#define AREA_WORK 8 /* of an operation on a page, in the units of sched_preempt_due() */

struct area_op {
	union {
		struct {
			u8 flags;
			u8 op;
			s16 status;
			u32 told; /* what the operation may change besides */
		};
		u64 result;
	};
	u64 words[3];
};
_Static_assert(sizeof(struct area_op) == sizeof(struct torc_batch_op), "they share an array");

/**
 * area_run - runs operations @first .. @first+@count-1 of @vcpu's batch area
 * @run: carries one out, of which it is given a copy to change; its result is the status
 * Return: how many failed; TORC_EINVAL, TORC_ENOENT; TORC_EAGAIN: call again for the rest.
 */
static __always_inline s64 area_run(struct vcpu *vcpu, u64 first, u64 count,
				    int (*run)(struct vcpu *vcpu, void *context, void *op),
				    void *context)
{
	struct area_op op, *shared = NULL;
	s64 failed = 0;

	if (count > TORC_BATCH_MAX_OPS || first > TORC_BATCH_MAX_OPS - count)
		return TORC_EINVAL;
	count_sized(vcpu->domain, count);
	for (u64 i = first; i < first + count; i++, shared++) {
		if (!shared || i % TORC_BATCH_OPS_PER_PAGE == 0)
			shared = area_op(vcpu, i);
		if (!shared)
			return TORC_ENOENT;
		op = *(volatile struct area_op *)shared;
		if (!(op.flags & TORC_BATCH_DONE)) {
			if (sched_preempt_due(AREA_WORK))
				return TORC_EAGAIN;
			op.status = run(vcpu, context, &op);
			op.flags |= TORC_BATCH_DONE;
			shared->result = op.result;
		}
		failed += op.status != 0;
	}
	return failed;
}

#endif
