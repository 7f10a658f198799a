/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#ifndef TORC_STORM_H
#define TORC_STORM_H

#include "domain.h"

/**
 * nmi_init() - raise NMIs all the time: as many a second as nmi=HZ says (19 to 100000), or the few
 * that the watchdog needs, which it starts: watchdog=SECONDS (up to 3600, 0: off, else 10)
 *
 * Precondition: this CPU's final IDT and NMI stack are in force. Panics on a bad word.
 */
void nmi_init(const char *cmdline);

extern bool nmi_storm; /* the command line asked for them */

/* watchdog.c */

/** watchdog_start() - from now on a CPU may be in the hypervisor that long; 0: for ever */
void watchdog_start(u64 seconds);

/** watchdog_look() - the NMI handler of the first CPU: sets @hung where a CPU does not move */
void watchdog_look(void);

/**
 * watchdog_strike() - the NMI handler of a CPU that is hung: panics
 * @regs: general registers only
 */
void watchdog_strike(const struct regs *regs, u64 rip, u64 rsp, u64 rflags) __noreturn;

#endif
