/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file start.h
 * The start-of-day page, the console ring, and what a vCPU finds when it first runs.
 *
 * vCPU 0 starts at the entry of the ELF note in ring 1 with: RDI the linear address of struct
 * torc_start, RSP the end of a page of stack, all other registers 0, irq_on = 0, busy = 0, no
 * entry registered, GS and FS base 0, FPU in its reset state. Its address space maps
 *  - all memory of the domain, page by page, at note.linear_base + guest-physical address,
 *    writable and not executable, table frames read-only;
 *  - the kernel image at note.virt_offset + guest-physical address, from the image's first to
 *    last page, writable and executable.
 * Guest-physical memory is pfn 0 .. pages-1 without holes. The tables, this page and everything
 * else the builder made stand in pfns boot_first .. boot_first+boot_pages-1; the guest must
 * keep the tables until it has replaced them.
 */
#ifndef TORC_START_H
#define TORC_START_H

#include <torc/base.h>

#define TORC_START_MAGIC TORC_U64(0x3130637261747354) /* "Tstarc01" in memory order */

/* Feature bits, in the start-of-day page and in the ELF note. */
#define TORC_FEATURE_SUPERPAGES TORC_U64(0x1) /* level-2 entries may map 2 MiB chunks */
#define TORC_FEATURE_PRIVILEGED TORC_U64(0x2) /* the domain has a non-empty privilege set */
#define TORC_FEATURE_GRANTS TORC_U64(0x4) /* grant hypercalls work */
#define TORC_FEATURE_EVENTS TORC_U64(0x8) /* ports above the fixed ones can be bound */
#define TORC_FEATURE_SUSPEND TORC_U64(0x10) /* suspend works */

/* Privilege set: what a domain may do to others. */
#define TORC_PRIVILEGE_CREATE TORC_U64(0x1) /* make domains */
#define TORC_PRIVILEGE_CONTROL TORC_U64(0x2) /* pause, resume, end them; their vCPUs' state */
#define TORC_PRIVILEGE_MEMORY TORC_U64(0x4) /* read and write their pages */
#define TORC_PRIVILEGE_OBSERVE TORC_U64(0x8) /* counters, trace and log */
#define TORC_PRIVILEGE_DEVICES TORC_U64(0x10) /* the machine's devices and their interrupts */
#define TORC_PRIVILEGE_SCHEDULE TORC_U64(0x20) /* domain_schedule: see control.h */

/*
 * Domain ids. The low 16 bits are a place in the hypervisor's table of domains, the high 16 the
 * generation of that place: how many domains had it before. So an id names one domain for as long
 * as the machine is up, and one that was kept too long names nobody rather than a stranger: compare
 * and pass on whole ids, never the place alone. Places count from 1, and id 0 is no domain. A place
 * whose generations are used up is not used again. A domain that is started anew after a reboot, or
 * resumed from a saved state, has a new id. In this version places are not reused, and the
 * generation is 0.
 */
#define TORC_DOMAIN_NONE 0
#define TORC_DOMAIN_PLACE_MASK 0xffff
#define TORC_DOMAIN_GENERATION_SHIFT 16

/* Reasons of shutdown. */
#define TORC_SHUTDOWN_POWEROFF 0
#define TORC_SHUTDOWN_REBOOT 1
#define TORC_SHUTDOWN_CRASH 2
#define TORC_SHUTDOWN_SUSPEND 3 /* reserved: suspend is a call of its own */

/* Results of suspend. */
#define TORC_SUSPEND_RESUMED 0 /* from a saved state, here or elsewhere; mfns have changed */
#define TORC_SUSPEND_CANCELLED 1 /* nothing happened */
#define TORC_SUSPEND_FORKED 2 /* this is a copy; the original goes on */

/* Control requests to a guest, announced on TORC_PORT_CONTROL, read by the call control. */
#define TORC_CONTROL_NONE 0
#define TORC_CONTROL_POWEROFF 1
#define TORC_CONTROL_REBOOT 2
#define TORC_CONTROL_SUSPEND 3
#define TORC_CONTROL_MEMORY 4 /* come to as many pages as the call says */

/* CPU features a guest is told to use: CPUID words, each an AND mask on what CPUID returns. */
#define TORC_CPUID_1_ECX 0
#define TORC_CPUID_1_EDX 1
#define TORC_CPUID_7_EBX 2
#define TORC_CPUID_7_ECX 3
#define TORC_CPUID_7_EDX 4
#define TORC_CPUID_80000001_ECX 5
#define TORC_CPUID_80000001_EDX 6
#define TORC_CPUID_D_1_EAX 7
#define TORC_CPUID_7_1_EAX 8
#define TORC_CPUID_80000008_EBX 9
#define TORC_CPUID_WORDS 16

/* Sizes of the console ring, bytes: powers of two. */
#define TORC_CONSOLE_IN 1024
#define TORC_CONSOLE_OUT 2048

#ifndef __ASSEMBLER__

/**
 * struct torc_start - start-of-day page
 * @magic: TORC_START_MAGIC
 * @size: of this structure as the hypervisor knows it, bytes
 * @abi_version: TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR of the hypervisor
 * @features: TORC_FEATURE_*: what the hypervisor offers
 * @privileges: TORC_PRIVILEGE_* of this domain
 * @domain: id of this domain, as told above
 * @vcpus: vCPUs the domain may have
 * @pages: memory of the domain, pages of 4 KiB: pfn 0 .. pages-1
 * @max_pages: what it may grow to, pages
 * @boot_first: @boot_pages: first pfn and number of pages that hold what the builder made
 * @root: guest-physical address of the level-4 table in use
 * @linear_base: address, @virt_offset: bytes, as in the ELF note
 * @machine_frames: entries of the mfn->pfn window
 * @cmdline: guest-physical address of the command line, ended by 0; 0 when there is none
 * @initrd: @initrd_size: guest-physical address and bytes of the initrd; 0 when there is none
 * @vcpu_page: pfn of vCPU 0's first page
 * @time_page: pfn of struct torc_time, which may be mapped read-only into ring 3
 * @console_ring: pfn of struct torc_console_ring
 * @device_bus: @event_frames: @grant_frames: pfns reserved for the service domain's bus and for
 *	larger tables; TORC_INVALID_FRAME in this version
 * @wall_ns: UTC since 1970 at system time 0, ns
 * @tsc_khz: frequency of the time-stamp counter, kHz
 * @reserved0: 0
 * @generation: 0, and another number whenever the domain goes on from a saved or forked state: a
 *	guest that finds it changed makes new random seeds and unique numbers
 * @entropy: random bytes for the guest's generator; weak when the machine has no source. The guest
 *	may erase them
 * @cpuid_mask: TORC_CPUID_*: features outside must be hidden from kernel and programs
 * @xcr0: state components the guest may enable, as bits of XCR0; 0 without XSAVE
 *
 * The hypervisor fills the page before the guest starts and later changes only @generation
 * and what a resume elsewhere makes different. It does not read the page.
 */
struct torc_start {
	uint64_t magic;
	uint32_t size;
	uint32_t abi_version;
	uint64_t features;
	uint64_t privileges;
	uint32_t domain;
	uint32_t vcpus;
	uint64_t pages;
	uint64_t max_pages;
	uint64_t boot_first;
	uint64_t boot_pages;
	uint64_t root;
	uint64_t linear_base;
	uint64_t virt_offset;
	uint64_t machine_frames;
	uint64_t cmdline;
	uint64_t initrd;
	uint64_t initrd_size;
	uint64_t vcpu_page;
	uint64_t time_page;
	uint64_t console_ring;
	uint64_t device_bus;
	uint64_t event_frames;
	uint64_t grant_frames;
	uint64_t wall_ns;
	uint32_t tsc_khz;
	uint32_t reserved0;
	uint64_t generation;
	uint8_t entropy[64];
	uint32_t cpuid_mask[TORC_CPUID_WORDS];
	uint64_t xcr0;
};
TORC_SIZE(torc_start, 336);
TORC_OFFSET(torc_start, magic, 0);
TORC_OFFSET(torc_start, size, 8);
TORC_OFFSET(torc_start, abi_version, 12);
TORC_OFFSET(torc_start, features, 16);
TORC_OFFSET(torc_start, privileges, 24);
TORC_OFFSET(torc_start, domain, 32);
TORC_OFFSET(torc_start, vcpus, 36);
TORC_OFFSET(torc_start, pages, 40);
TORC_OFFSET(torc_start, max_pages, 48);
TORC_OFFSET(torc_start, boot_first, 56);
TORC_OFFSET(torc_start, boot_pages, 64);
TORC_OFFSET(torc_start, root, 72);
TORC_OFFSET(torc_start, linear_base, 80);
TORC_OFFSET(torc_start, virt_offset, 88);
TORC_OFFSET(torc_start, machine_frames, 96);
TORC_OFFSET(torc_start, cmdline, 104);
TORC_OFFSET(torc_start, initrd, 112);
TORC_OFFSET(torc_start, initrd_size, 120);
TORC_OFFSET(torc_start, vcpu_page, 128);
TORC_OFFSET(torc_start, time_page, 136);
TORC_OFFSET(torc_start, console_ring, 144);
TORC_OFFSET(torc_start, device_bus, 152);
TORC_OFFSET(torc_start, event_frames, 160);
TORC_OFFSET(torc_start, grant_frames, 168);
TORC_OFFSET(torc_start, wall_ns, 176);
TORC_OFFSET(torc_start, tsc_khz, 184);
TORC_OFFSET(torc_start, generation, 192);
TORC_OFFSET(torc_start, entropy, 200);
TORC_OFFSET(torc_start, cpuid_mask, 264);
TORC_OFFSET(torc_start, xcr0, 328);

/**
 * struct torc_console_ring - the domain's console
 * @in: bytes typed; hypervisor
 * @out: bytes to show; guest, which calls console_notify then
 * @in_cons: count of bytes taken from @in; guest
 * @in_prod: count of bytes put in @in; hypervisor
 * @out_cons: count of bytes taken from @out; hypervisor
 * @out_prod: count of bytes put in @out; guest
 * @size: of this structure as the hypervisor knows it, bytes; hypervisor, at the start
 * @reserved: 0
 *
 * Counts run freely and wrap at 2^32; byte n stands at n modulo the size of @in or @out. The
 * hypervisor keeps its own counts and copies the guest's before use. Of what @out holds when the
 * domain ends, TORC_CONSOLE_OUT / 16 lines are shown.
 */
struct torc_console_ring {
	uint8_t in[TORC_CONSOLE_IN];
	uint8_t out[TORC_CONSOLE_OUT];
	uint32_t in_cons;
	uint32_t in_prod;
	uint32_t out_cons;
	uint32_t out_prod;
	uint32_t size;
	uint32_t reserved;
};
TORC_SIZE(torc_console_ring, 3096);
TORC_OFFSET(torc_console_ring, in, 0);
TORC_OFFSET(torc_console_ring, out, 0x400);
TORC_OFFSET(torc_console_ring, in_cons, 0xc00);
TORC_OFFSET(torc_console_ring, in_prod, 0xc04);
TORC_OFFSET(torc_console_ring, out_cons, 0xc08);
TORC_OFFSET(torc_console_ring, out_prod, 0xc0c);
TORC_OFFSET(torc_console_ring, size, 0xc10);

#endif
#endif
