/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Exit statuses. They are an interface: scripts and tests rely on them.
 */
#ifndef STATUS_H
#define STATUS_H

enum status {
	STATUS_OK = 0,	       /* every domain shut down of its own accord */
	STATUS_DOMAIN = 1,     /* a domain crashed or was refused */
	STATUS_USAGE = 2,      /* the command line is wrong, or names a file that cannot be read */
	STATUS_HYPERVISOR = 3, /* the hypervisor itself panicked or died */
	STATUS_EMULATOR = 4,   /* the emulator, or a tool it needs, failed or is missing */
	STATUS_TIMEOUT = 124,  /* --timeout ran out, as timeout(1) says it */
	STATUS_SIGNAL = 128,   /* plus the number of the signal that ended the run */
};

#endif
