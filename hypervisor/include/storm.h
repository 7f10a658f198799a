/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#ifndef TORC_STORM_H
#define TORC_STORM_H

/**
 * nmi_storm_init() - raise NMIs all the time if the command line says nmi=HZ (19 to 100000)
 *
 * Precondition: this CPU's final IDT and NMI stack are in force. Panics on a bad rate.
 */
void nmi_storm_init(const char *cmdline);

#endif
