/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* The guests' consoles on COM1. */
#ifndef TORC_CONSOLE_H
#define TORC_CONSOLE_H

#include "domain.h"

/**
 * console_admit - @domain is on the list now: the first gets the focus, a second one prefixes
 * Holding domains_lock.
 */
void console_admit(struct domain *domain);

/**
 * console_drain_some - shows a line or a part of one from @domain's ring
 * Return: whether there is more.
 */
bool console_drain_some(struct domain *domain);

/** console_input - takes what the serial port received to the domain in focus */
void console_input(void);

/**
 * console_flush - nothing to run: shows lines that are not complete yet
 * It waits for nobody. Return: false when another CPU has the console; then try again soon.
 */
bool console_flush(void);

/**
 * console_forget - @domain, just taken off the list, is about to end: shows its last output, moves
 * the focus on; holding domains_lock
 * Return: whether it had the focus.
 */
bool console_forget(struct domain *domain);

/** console_focus - input goes to @domain from now on; holding domains_lock */
void console_focus(struct domain *domain);

/* census.c */

/** census_count - the guest had instruction @instruction emulated at @rip */
void census_count(struct domain *domain, u16 instruction, u64 rip);
void census_log(const struct domain *domain);

#endif
