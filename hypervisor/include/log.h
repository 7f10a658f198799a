/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypervisor's log. Each line is marked "torc: ", goes to the serial port that the command line
 * chose (log=com1|com2) and into a ring in memory. Polled output: usable at any time after
 * boot, but for NMI handlers that go on: what they interrupt may hold its lock.
 */
#ifndef TORC_LOG_H
#define TORC_LOG_H

#include "types.h"

#define LOG_LINE_MAX	400	/* a longer message is cut */

/**
 * log() - write one or more whole lines
 * @format: as for snprintf(); a missing newline at the end is added
 */
void log(const char *format, ...) __format_printf(1, 2);

/**
 * log_init() - read log= from the command line
 * @cmdline: the hypervisor's
 *
 * Until then lines collect in the ring only; they are printed now.
 */
void log_init(const char *cmdline);

/**
 * panic_report() - write "torc: panic: ..." and come back
 *
 * For callers that have registers to show in between, by log(), before panic_stop().
 */
void panic_report(const char *format, ...) __format_printf(1, 2);

/**
 * panic_stop() - end a panic: the other CPUs say where they were, one after the other; then leave
 * the emulator with a failure if asked to, power off, or halt
 */
void panic_stop(void) __noreturn;

/** panic() - stop the machine: both of these */
#define panic(...) (panic_report(__VA_ARGS__), panic_stop())

/**
 * panic_attend() - this CPU was stopped by another one's panic: says where, when it is asked
 * @rip: @cs: what the NMI interrupted
 */
void panic_attend(u64 rip, u64 cs) __noreturn;

#define assert(condition) \
	do { \
		if (unlikely(!(condition))) \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/**
 * log_read() - a piece of the log
 * @first: number of the first byte that is wanted; receives that of the first one read, the oldest
 *	there is if that is gone
 * @end: receives the number behind the newest byte
 * Return: bytes copied to @text, at most @room.
 */
size_t log_read(u64 *first, u64 *end, char *text, size_t room);

#endif
