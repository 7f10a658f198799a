/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The programmable interval timer of a PC (Intel 8254 data sheet), as far as two files need it.
 */
#ifndef TORC_PIT_H
#define TORC_PIT_H

#define PIT_HZ		1193182ul
#define PIT_IRQ		0	/* ISA interrupt of channel 0 */
#define PIT_CHANNEL0	0x40
#define PIT_CHANNEL2	0x42
#define PIT_COMMAND	0x43
#define PIT_PERIODIC	0x34	/* channel 0, both bytes, mode 2 */
#define PIT_START	0xb0	/* channel 2, both bytes, mode 0: count down once */
#define PIT_LATCH	0x80	/* channel 2: hold the count for reading */

#endif
