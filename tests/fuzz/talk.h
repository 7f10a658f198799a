/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What an input of the fuzzer of grants and event ports means: a row of steps, each of these bytes.
 * Numbers are taken modulo what there is of the thing.
 */
#ifndef FUZZ_TALK_H
#define FUZZ_TALK_H

#include "types.h"

enum talk { TALK_BIND, TALK_SEND, TALK_CLOSE, TALK_MOVE, TALK_REARM, TALK_GRANT, TALK_REGISTER,
	    TALK_COPY, TALK_MAP_RING, TALK_UNMAP_RING, TALK_SETTLE, TALK_UP, TALK_DOWN, TALK_END,
	    TALKS };

struct talk_step {
	u8 what; /* enum talk; bit 7: of the domain front, else of back */
	u8 a, b, c;
	u8 wild; /* bit i: word i of what is handed over is XORed with @raw */
	u8 raw[3]; /* at bit 8 * (@wild >> 4) */
} __packed;

#endif
