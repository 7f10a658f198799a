/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A machine for tests of the domain builder: a kernel's file and an initrd as a loader leaves them.
 */
#ifndef UNIT_BUILDER_H
#define UNIT_BUILDER_H

#include "elf_file.h"
#include "unit.h"

#define CHUNKS 16
#define FRAMES (CHUNKS * CHUNK_PAGES)
#define INITRD_BYTES 9999

/* A string of 4 MiB whose other words are good. */
/** end - the domain ends, and no CPU runs it */
static inline void end(struct domain *ended, unsigned int reason)
{
	ended->ending = reason + 1;
	domain_retire(ended);
}

#define GOOD "domain name=a mem=4M vcpus=1"

extern struct elf_file file;	    /* loaded by each make() */
extern struct domain_source source; /* but for the string */

void builder_create(void);
void builder_remove(void);

/** put_initrd - an initrd stands behind the kernel from now on */
void put_initrd(u64 bytes);

/** make - tries to build a domain */
bool make(const char *string);

/** build - builds a domain, and lets the world's helpers work on the first in the list */
struct torc_start *build(const char *string);

#endif
