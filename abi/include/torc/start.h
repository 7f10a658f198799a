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
#define TORC_PRIVILEGE_CREATE TORC_U64(0x1)
#define TORC_PRIVILEGE_CONTROL TORC_U64(0x2)
#define TORC_PRIVILEGE_MEMORY TORC_U64(0x4)
#define TORC_PRIVILEGE_OBSERVE TORC_U64(0x8)
#define TORC_PRIVILEGE_DEVICES TORC_U64(0x10)
#define TORC_PRIVILEGE_SCHEDULE TORC_U64(0x20)

/* Reasons of shutdown. */
#define TORC_SHUTDOWN_POWEROFF 0
#define TORC_SHUTDOWN_REBOOT 1
#define TORC_SHUTDOWN_CRASH 2
#define TORC_SHUTDOWN_SUSPEND 3

/* Results of suspend. */
#define TORC_SUSPEND_RESUMED 0
#define TORC_SUSPEND_CANCELLED 1
#define TORC_SUSPEND_FORKED 2

/* Control requests to a guest, in torc_start.control, announced on TORC_PORT_CONTROL. */
#define TORC_CONTROL_NONE 0
#define TORC_CONTROL_POWEROFF 1
#define TORC_CONTROL_REBOOT 2
#define TORC_CONTROL_SUSPEND 3

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

#define TORC_CONSOLE_IN 1024
#define TORC_CONSOLE_OUT 2048

#ifndef __ASSEMBLER__

/**
 * struct torc_start - start-of-day page
 * @magic: TORC_START_MAGIC
 * @size: bytes of this structure that the hypervisor knows
 * @abi_version: TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR of the hypervisor
 * @features: what the hypervisor offers
 * @privileges: TORC_PRIVILEGE_* of this domain
 * @domain: id, never reused while the machine is up
 * @vcpus: vCPUs the domain may have
 * @pages: pages of memory, pfn 0 .. pages-1
 * @max_pages: pages the domain may grow to
 * @boot_first: @boot_pages: pfns that hold what the builder made
 * @root: guest-physical address of the level-4 table in use
 * @linear_base: @virt_offset: as in the ELF note
 * @machine_frames: entries of the mfn->pfn window
 * @cmdline: guest-physical address of the command line, ended by 0; 0 when there is none
 * @initrd: @initrd_size: guest-physical address and bytes of the initrd; 0 when there is none
 * @vcpu_page: pfn of vCPU 0's first page
 * @time_page: pfn of the time page, which may be mapped read-only into ring 3
 * @console_ring: pfn of struct torc_console_ring
 * @device_bus: @event_frames: @grant_frames: pfns reserved for the service domain's bus, for
 *	larger event tables and for grant tables; TORC_INVALID_FRAME in this version
 * @wall_ns: UTC since 1970 at system time 0, ns
 * @tsc_khz: frequency of the time-stamp counter
 * @control: TORC_CONTROL_*; hypervisor writes, guest resets to NONE
 * @generation: changes whenever the domain resumes from a saved or forked state
 * @entropy: random bytes for the guest's generator; weak when the machine has no source
 * @cpuid_mask: TORC_CPUID_*: features outside must be hidden from kernel and programs
 * @xcr0: state components the guest may enable
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
	uint32_t control;
	uint64_t generation;
	uint8_t entropy[64];
	uint32_t cpuid_mask[TORC_CPUID_WORDS];
	uint64_t xcr0;
};
TORC_SIZE(torc_start, 336);
TORC_OFFSET(torc_start, entropy, 200);

/**
 * struct torc_console_ring - the domain's console
 * @in: bytes typed; the hypervisor writes at @in_prod, the guest reads at @in_cons
 * @out: bytes to show; the guest writes at @out_prod and calls console_notify
 *
 * Indexes run freely and are taken modulo the size. The hypervisor copies indexes before use.
 */
struct torc_console_ring {
	uint8_t in[TORC_CONSOLE_IN];
	uint8_t out[TORC_CONSOLE_OUT];
	uint32_t in_cons;
	uint32_t in_prod;
	uint32_t out_cons;
	uint32_t out_prod;
};
TORC_SIZE(torc_console_ring, 3088);

#endif
#endif
