/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What an input of the batch fuzzer means: a row of steps, each of these bytes. Numbers are taken
 * modulo what there is of the thing.
 */
#ifndef FUZZ_BATCH_H
#define FUZZ_BATCH_H

#include "types.h"

struct step {
	u8 what; /* below 64: the guest writes an entry; else an operation runs */
	u8 stop; /* 0: the operation does not stop; else at which look at the clock */
	u8 op, flags;
	u8 table, index; /* where */
	u8 page, bits; /* value: a page and a set of bits, see batch.c */
	u8 count, done;
	u8 raw[8]; /* XORed into the operation's fields `value` and `old` if @flags has bit 6 */
} __packed;

enum step_bits { STEP_NONE, STEP_RO, STEP_RW, STEP_TABLE, STEP_ABSENT, STEP_FOREIGN, STEP_BITS };

#define STEP_PAGES 24 /* that can be tables, pfn STEP_FIRST up */
#define STEP_FIRST 64

#endif
