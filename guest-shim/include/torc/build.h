/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file build.h
 * A domain builder for a domain that may make others: from a kernel's ELF file to a domain that can
 * be unpaused. It does what the hypervisor's own builder does, and what it makes is told in
 * start.h.
 *
 * It needs no memory but a few pages, and copies the kernel a page at a time; so the kernel and
 * initrd may stand anywhere the caller can read.
 */
#ifndef TORC_BUILD_H
#define TORC_BUILD_H

#include <torc/calls.h>

#define TORC_BUILD_STAGES 5 /* one for each level of tables, and one for memory */

/**
 * struct torc_build - what is to be built, and with what
 * @kernel: @kernel_bytes: the ELF file
 * @initrd: @initrd_bytes: or NULL
 * @cmdline: ended by 0, shorter than a page
 * @name: of the domain
 * @pages: @max_pages: memory, multiples of 512
 * @vcpus: 1..32
 * @privileges: TORC_PRIVILEGE_*
 * @start: the caller's own start-of-day page: what it says of the machine is true for the new one
 * @wall_ns: UTC since 1970, ns
 * @entropy: random bytes for the new domain
 * @op: an operation of the caller's batch area, as it maps it; @index: its number there
 * @stage: @stage_pfn: pages to work with, as the caller maps them, and their numbers
 *
 * All but the last group of fields, below, is the caller's to fill. The rest is the builder's own.
 */
struct torc_build {
	const uint8_t *kernel;
	uint64_t kernel_bytes;
	const uint8_t *initrd;
	uint64_t initrd_bytes;
	const char *cmdline;
	const char *name;
	uint64_t pages;
	uint64_t max_pages;
	uint32_t vcpus;
	uint64_t privileges;
	const struct torc_start *start;
	uint64_t wall_ns;
	const uint8_t *entropy;
	volatile struct torc_memory_op *op;
	uint64_t index;
	void *stage[TORC_BUILD_STAGES];
	uint64_t stage_pfn[TORC_BUILD_STAGES];

	struct torc_note note;
	uint64_t first, end;	  /* guest-physical range of the kernel's segments */
	uint64_t tables, table;	  /* first pfn of the page tables, and of those not written yet */
	uint64_t boot_first;	  /* first pfn of what the builder makes */
	uint64_t initrd_at;
	uint32_t domain;
};

/* Pages behind what the tables leave, from the top down. */
#define TORC_BUILD_START 1
#define TORC_BUILD_CMDLINE 2
#define TORC_BUILD_CONSOLE 3
#define TORC_BUILD_TIME 4
#define TORC_BUILD_VCPU 5
#define TORC_BUILD_STACK 6

/**
 * torc_build() - makes the domain, paused
 *
 * Return: its id; TORC_EINVAL for a kernel that is none, needs another ABI or does not fit, or the
 * error of the call that failed. Then there is no such domain any more.
 */
int64_t torc_build(struct torc_build *build);

#endif
