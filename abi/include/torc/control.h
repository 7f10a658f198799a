/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file control.h
 * What privileged domains can set and ask for.
 */
#ifndef TORC_CONTROL_H
#define TORC_CONTROL_H

#include <torc/base.h>

/*
 * Scheduling parameters. A domain has a share of the machine by its weight; what it cannot use the
 * others have. Changes take effect at once. The call's `index` is the vCPU's number for an affinity
 * and not looked at for the others; what is the machine's is set with domain 0.
 */
#define TORC_SCHED_WEIGHT 1 /* of a domain: 1 to 65535, 256 at its start */
#define TORC_SCHED_CAP 2 /* of a domain: percent of one CPU, up to 6400; 0, as at its start: none */
#define TORC_SCHED_AFFINITY 3 /* of a vCPU: the CPUs that may run it, a bit for each; not none */
#define TORC_SCHED_SLICE_NS 4 /* of the machine: longest run while others wait; 10 ms */
#define TORC_SCHED_GRANULARITY_NS 5 /* of the machine: how far one who runs must be ahead of one
				     * who wakes to be interrupted; 1 ms, may be 0 */
#define TORC_SCHED_PERIOD_NS 6 /* of the machine: in which caps set from then on are kept; 100 ms */
#define TORC_SCHED_SLICE_MIN 100000 /* ns */
#define TORC_SCHED_SLICE_MAX 100000000
#define TORC_SCHED_PERIOD_MIN 10000000 /* ns */
#define TORC_SCHED_PERIOD_MAX 1000000000

#endif
