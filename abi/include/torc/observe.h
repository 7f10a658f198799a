/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file observe.h
 * What the hypervisor counts, traces and logs.
 */
#ifndef TORC_OBSERVE_H
#define TORC_OBSERVE_H

#include <torc/base.h>

/* What observe() copies, and what its `index` says. */
#define TORC_OBSERVE_CPU 1 /* counters of a CPU, by number: uint64_t[TORC_COUNTERS] */
#define TORC_OBSERVE_DOMAIN 2 /* counters of a domain, by id */
#define TORC_OBSERVE_TRACE 3 /* records, from page `index` on: CPU * TORC_TRACE_PAGES + page */
#define TORC_OBSERVE_LOG 4 /* struct torc_log_text, from byte `index` of the log on */

/* Counters, from the machine's start or the domain's. */
#define TORC_COUNTER_HYPERCALL 0 /* and 127 behind it: by number */
#define TORC_COUNTER_EXCEPTION 128 /* and 31 behind it: by vector, of those that came here first */
#define TORC_COUNTER_BATCH 160 /* and 15 behind it: batches of 2^n to 2^(n+1)-1 operations */
#define TORC_COUNTER_EVENT 176 /* events fired */
#define TORC_COUNTER_INTERRUPT 177 /* interrupts of the machine that hit it */
#define TORC_COUNTER_FLUSH 178 /* flushes of other CPUs that it asked for */
#define TORC_COUNTER_FLUSHED_CPU 179 /* CPUs that these had to interrupt */
#define TORC_COUNTER_DISPATCH 180 /* times a vCPU was put on a CPU */
#define TORC_COUNTER_COPIED 181 /* bytes copied between domains */
#define TORC_COUNTERS 192

/* Kinds of trace record, as bits of observe_trace's set; what a and b are. */
#define TORC_TRACE_DISPATCH 0 /* a vCPU was put on this CPU; ns it had waited, 0 */
#define TORC_TRACE_HYPERCALL 1 /* number, first argument */
#define TORC_TRACE_EXCEPTION 2 /* that came to the hypervisor; vector, RIP */
#define TORC_TRACE_EVENT 3 /* fired at that vCPU; port, 0 */
#define TORC_TRACE_FLUSH 4 /* of other CPUs, for any vCPU; how many were interrupted, 0 */
#define TORC_TRACE_KINDS 5

#define TORC_TRACE_PAGES 4 /* of each CPU */
#define TORC_TRACE_RECORDS 128 /* of a page */

#define TORC_LOG_TEXT_BYTES 4080

#ifndef __ASSEMBLER__

/**
 * struct torc_trace_record - one record
 * @tsc: time-stamp counter of the CPU
 * @number: of the record on its CPU, from 1 and never 0; record n stands at n modulo their count
 * @kind: TORC_TRACE_*
 * @vcpu: number of the vCPU it is about
 * @domain: id of its domain
 * @a: @b: as the kind says
 *
 * The oldest are overwritten. One whose number is not what its place asks for was being written, or
 * is from another round.
 */
struct torc_trace_record {
	uint64_t tsc;
	uint32_t number;
	uint8_t kind;
	uint8_t vcpu;
	uint16_t domain;
	uint64_t a;
	uint64_t b;
};
TORC_SIZE(torc_trace_record, 32);
TORC_OFFSET(torc_trace_record, tsc, 0);
TORC_OFFSET(torc_trace_record, number, 8);
TORC_OFFSET(torc_trace_record, kind, 12);
TORC_OFFSET(torc_trace_record, vcpu, 13);
TORC_OFFSET(torc_trace_record, domain, 14);
TORC_OFFSET(torc_trace_record, a, 16);
TORC_OFFSET(torc_trace_record, b, 24);

/**
 * struct torc_log_text - a piece of the log
 * @first: number of its first byte: the one asked for, or the oldest that is still there
 * @end: number of the byte behind the newest of the log, not of this piece
 * @text: bytes; observe() returns how many there are, with the 16 before them
 */
struct torc_log_text {
	uint64_t first;
	uint64_t end;
	char text[TORC_LOG_TEXT_BYTES];
};
TORC_SIZE(torc_log_text, TORC_PAGE_SIZE);
TORC_OFFSET(torc_log_text, first, 0);
TORC_OFFSET(torc_log_text, end, 8);
TORC_OFFSET(torc_log_text, text, 16);

#endif
#endif
