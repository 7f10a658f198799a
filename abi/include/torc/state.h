/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file state.h
 * The canonical state of a vCPU: everything that must be kept to stop it here and go on elsewhere.
 *
 * Frames are named by pfn, so the state means the same on another machine. Read and
 * written by privileged domains; the hypercalls for that are reserved in this version.
 */
#ifndef TORC_STATE_H
#define TORC_STATE_H

#include <torc/base.h>
#include <torc/vcpu.h>
#include <torc/batch.h>

#define TORC_STATE_BLOCKED 0x1 /* asleep in block */
#define TORC_STATE_DOWN 0x2 /* not started, or stopped */
#define TORC_STATE_RING3 0x4 /* interrupted in ring 3 */
#define TORC_STATE_TS 0x8 /* CR0.TS is set */

#define TORC_STATE_FPU_BYTES 2816 /* XSAVE area, standard format, x87 to AVX-512 and PKRU */

#ifndef __ASSEMBLER__

/**
 * struct torc_vcpu_state - canonical state
 * @size: bytes of this structure
 * @flags: TORC_STATE_*
 * @gpr: RAX RBX RCX RDX RSI RDI RBP R8 .. R15
 * @rip: .. @ss: where it goes on; selectors as hardware holds them
 * @sel: DS ES FS GS selectors
 * @fs_base: @gs_base: bases in force
 * @kernel_gs: base for entries from ring 3
 * @entries: registered entry addresses
 * @root: guest-physical address of the level-4 table
 * @vcpu_page: pfn of the vCPU page
 * @batch_pages: pfns of the batch area
 * @dr: DR0-DR3, DR6, DR7
 * @gdt: the guest's own descriptors
 * @ldt_entries: entries of the LDT in force
 * @ldt_pages: pfns it was loaded from
 * @timer_ns: deadline of the timer in system time, 0 when not armed
 * @xcr0: enabled state components
 * @cr4: CR4 as the guest sees it
 * @msr: values of the MSRs a guest may set (see docs/abi.md), in table order
 * @fpu: XSAVE area
 */
struct torc_vcpu_state {
	uint32_t size;
	uint32_t flags;
	uint64_t gpr[15];
	uint64_t rip, cs, rflags, rsp, ss;
	uint16_t sel[4];
	uint64_t fs_base, gs_base, kernel_gs;
	uint64_t entries[8];
	uint64_t root;
	uint64_t vcpu_page;
	uint64_t batch_pages[TORC_BATCH_PAGES];
	uint64_t dr[6];
	uint64_t gdt[4];
	uint32_t ldt_entries;
	uint32_t reserved0;
	uint64_t ldt_pages[16];
	uint64_t timer_ns;
	uint64_t xcr0;
	uint64_t cr4;
	uint64_t msr[16];
	uint8_t fpu[TORC_STATE_FPU_BYTES];
};
TORC_SIZE(torc_vcpu_state, 3528);

#endif
#endif
