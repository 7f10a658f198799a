/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file manage.h
 * Control of other domains, by a domain that has the privileges (start.h).
 *
 * A domain is made empty and paused (domain_create), its pages are written (domain_memory), its
 * vCPU 0 is given a state (domain_vcpu), and then it is unpaused. What its memory holds at the
 * start is an agreement between whoever builds it and its kernel: start.h tells what the
 * hypervisor's own builder does, and the shim has one that does the same.
 *
 * Pages and states are written and read in canonical form, which names pages by pfn and so means
 * the same on any machine: entries of page tables carry the pfn where hardware wants the mfn. A
 * table is written as ordinary memory of its level; it becomes a table when a root above it is
 * loaded. In the domain's linear map it must not be writable, as the hypervisor counts on having
 * taken that away. If the first state is refused, tables are to be written again before the next.
 */
#ifndef TORC_MANAGE_H
#define TORC_MANAGE_H

#include <torc/base.h>

#define TORC_DOMAIN_NAME_BYTES 32

/* Actions of domain_control. */
#define TORC_DOMAIN_PAUSE 1 /* CONTROL: none of its vCPUs runs any more when this returns TORC_OK */
#define TORC_DOMAIN_UNPAUSE 2 /* CONTROL */
#define TORC_DOMAIN_DESTROY 3 /* CONTROL: ends it, as by shutdown with TORC_SHUTDOWN_POWEROFF */
#define TORC_DOMAIN_REQUEST 4 /* CONTROL: `value` is a TORC_CONTROL_* for its kernel */
#define TORC_DOMAIN_TARGET 5 /* CONTROL: asks it to come to `value` pages, TORC_CONTROL_MEMORY */

/* State of a domain, in torc_domain_info.flags. */
#define TORC_DOMAIN_PAUSED 0x1
#define TORC_DOMAIN_ENDING 0x2 /* it has ended; others still hold something of it */

/* Operations of domain_memory, in the batch area. */
#define TORC_MEMORY_READ 1 /* its page `pfn` to the caller's page `own` */
#define TORC_MEMORY_WRITE 2 /* the caller's page `own` to its page `pfn`, which is no table */

#ifndef __ASSEMBLER__

/**
 * struct torc_domain_create - what domain_create makes
 * @size: of this structure as the caller knows it, bytes
 * @vcpus: 1..32
 * @pages: memory, a multiple of 512; pfn 0 .. pages-1, all zero
 * @max_pages: what memory_populate may bring it to; at least @pages
 * @privileges: TORC_PRIVILEGE_*, of those the caller has
 * @linear_base: where its kernel maps all memory, aligned to 2 MiB (elfnote.h)
 * @console_ring: pfn of its struct torc_console_ring
 * @time_page: pfn of its struct torc_time, which the hypervisor fills
 * @name: ended by 0; no other domain's
 */
struct torc_domain_create {
	uint32_t size;
	uint32_t vcpus;
	uint64_t pages;
	uint64_t max_pages;
	uint64_t privileges;
	uint64_t linear_base;
	uint64_t console_ring;
	uint64_t time_page;
	char name[TORC_DOMAIN_NAME_BYTES];
};
TORC_SIZE(torc_domain_create, 88);
TORC_OFFSET(torc_domain_create, size, 0);
TORC_OFFSET(torc_domain_create, vcpus, 4);
TORC_OFFSET(torc_domain_create, pages, 8);
TORC_OFFSET(torc_domain_create, max_pages, 16);
TORC_OFFSET(torc_domain_create, privileges, 24);
TORC_OFFSET(torc_domain_create, linear_base, 32);
TORC_OFFSET(torc_domain_create, console_ring, 40);
TORC_OFFSET(torc_domain_create, time_page, 48);
TORC_OFFSET(torc_domain_create, name, 56);

/**
 * struct torc_domain_info - what domain_info tells
 * @size: of this structure as the hypervisor knows it, bytes
 * @domain: id
 * @flags: TORC_DOMAIN_PAUSED, TORC_DOMAIN_ENDING
 * @vcpus: that it may have
 * @vcpus_up: vCPUs that are up, as a set
 * @pages: memory it has
 * @max_pages: what it may grow to
 * @target_pages: what it was told to come to
 * @privileges: TORC_PRIVILEGE_*
 * @run_ns: time its vCPUs ran, as of their last dispatches, ns
 * @wait_ns: time they were ready and did not run, ns
 * @name: ended by 0
 */
struct torc_domain_info {
	uint32_t size;
	uint32_t domain;
	uint32_t flags;
	uint32_t vcpus;
	uint64_t vcpus_up;
	uint64_t pages;
	uint64_t max_pages;
	uint64_t target_pages;
	uint64_t privileges;
	uint64_t run_ns;
	uint64_t wait_ns;
	char name[TORC_DOMAIN_NAME_BYTES];
};
TORC_SIZE(torc_domain_info, 104);
TORC_OFFSET(torc_domain_info, size, 0);
TORC_OFFSET(torc_domain_info, domain, 4);
TORC_OFFSET(torc_domain_info, flags, 8);
TORC_OFFSET(torc_domain_info, vcpus, 12);
TORC_OFFSET(torc_domain_info, vcpus_up, 16);
TORC_OFFSET(torc_domain_info, pages, 24);
TORC_OFFSET(torc_domain_info, max_pages, 32);
TORC_OFFSET(torc_domain_info, target_pages, 40);
TORC_OFFSET(torc_domain_info, privileges, 48);
TORC_OFFSET(torc_domain_info, run_ns, 56);
TORC_OFFSET(torc_domain_info, wait_ns, 64);
TORC_OFFSET(torc_domain_info, name, 72);

/**
 * struct torc_memory_op - one page read or written by domain_memory
 * @flags: TORC_BATCH_DONE by the hypervisor: finished, @status is valid; guest writes 0
 * @op: TORC_MEMORY_*; guest
 * @status: TORC_OK or TORC_E*; hypervisor
 * @level: 0: ordinary memory; 1..4: the page is a table of that level, in canonical form. READ:
 *	told by the hypervisor; WRITE: said by the guest
 * @reserved0: 0
 * @pfn: page of the other domain; guest
 * @own: page of the caller's; guest
 */
struct torc_memory_op {
	uint8_t flags;
	uint8_t op;
	int16_t status;
	uint32_t level;
	uint64_t pfn;
	uint64_t own;
	uint64_t reserved0;
};
TORC_SIZE(torc_memory_op, 32);
TORC_OFFSET(torc_memory_op, flags, 0);
TORC_OFFSET(torc_memory_op, op, 1);
TORC_OFFSET(torc_memory_op, status, 2);
TORC_OFFSET(torc_memory_op, level, 4);
TORC_OFFSET(torc_memory_op, pfn, 8);
TORC_OFFSET(torc_memory_op, own, 16);

#endif
#endif
