/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file state.h
 * The canonical state of a vCPU: everything that must be kept to stop it here and go on elsewhere.
 *
 * Frames are named by pfn, so the state means the same on another machine. Read and
 * written by privileged domains (domain_vcpu), and given to vcpu_up by the domain itself.
 */
#ifndef TORC_STATE_H
#define TORC_STATE_H

#include <torc/base.h>
#include <torc/vcpu.h>
#include <torc/batch.h>

#define TORC_STATE_BLOCKED 0x1 /* asleep in block; it wakes when it is started with this */
#define TORC_STATE_DOWN 0x2 /* not started, or stopped */
#define TORC_STATE_RING3 0x4 /* interrupted in ring 3 */
#define TORC_STATE_TS 0x8 /* CR0.TS is set */
#define TORC_STATE_NMI 0x10 /* a virtual NMI was sent and is not delivered yet */

/*
 * The FPU state is an XSAVE area in standard format with one set of offsets for all processors,
 * which are those of the first ones that had each component: AVX 576, opmask 1088, ZMM_Hi256 1152,
 * Hi16_ZMM 1664, PKRU 2688. XSTATE_BV in its header says which components are there.
 */
#define TORC_STATE_FPU_BYTES 2816

#ifndef __ASSEMBLER__

/**
 * struct torc_vcpu_state - canonical state
 * @size: of this structure as its writer knows it, bytes
 * @flags: TORC_STATE_*
 * @gpr: RAX RBX RCX RDX RSI RDI RBP R8 .. R15
 * @rip: @cs: @rflags: @rsp: @ss: where it goes on; selectors as hardware holds them
 * @sel: DS ES FS GS selectors
 * @fs_base: @gs_base: bases in force, addresses; that of ring 3's GS stands in the vCPU page
 * @kernel_gs: base for entries from ring 3, an address
 * @entries: registered entry addresses, by TORC_ENTRY_*; 0: none
 * @root: guest-physical address of the level-4 table
 * @vcpu_page: pfn of the vCPU page
 * @batch_pages: pfns of the batch area, TORC_INVALID_FRAME where there is none
 * @dr: DR0 DR1 DR2 DR3 DR6 DR7
 * @gdt: the guest's own descriptors, GDT indexes TORC_GDT_FIRST_FREE and up
 * @ldt_entries: descriptors of the LDT in force, 0: no LDT
 * @reserved0: 0
 * @ldt_pages: pfns that hold its descriptors, 512 to a page
 * @timer_ns: deadline of the timer in system time, ns; 0 when not armed
 * @xcr0: enabled state components, as bits of XCR0
 * @cr4: kept for bits that are the guest's own; 0, as there are none in this version
 * @msr: kept for MSRs that have no field of their own; all 0, as there are none in this version
 * @fpu: XSAVE area
 *
 * Written by the hypervisor when it is read out, by the caller when it is loaded; whoever loads it
 * checks each field as the hypercall that sets it would.
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
TORC_OFFSET(torc_vcpu_state, size, 0);
TORC_OFFSET(torc_vcpu_state, flags, 4);
TORC_OFFSET(torc_vcpu_state, gpr, 8);
TORC_OFFSET(torc_vcpu_state, rip, 128);
TORC_OFFSET(torc_vcpu_state, cs, 136);
TORC_OFFSET(torc_vcpu_state, rflags, 144);
TORC_OFFSET(torc_vcpu_state, rsp, 152);
TORC_OFFSET(torc_vcpu_state, ss, 160);
TORC_OFFSET(torc_vcpu_state, sel, 168);
TORC_OFFSET(torc_vcpu_state, fs_base, 176);
TORC_OFFSET(torc_vcpu_state, gs_base, 184);
TORC_OFFSET(torc_vcpu_state, kernel_gs, 192);
TORC_OFFSET(torc_vcpu_state, entries, 200);
TORC_OFFSET(torc_vcpu_state, root, 264);
TORC_OFFSET(torc_vcpu_state, vcpu_page, 272);
TORC_OFFSET(torc_vcpu_state, batch_pages, 280);
TORC_OFFSET(torc_vcpu_state, dr, 344);
TORC_OFFSET(torc_vcpu_state, gdt, 392);
TORC_OFFSET(torc_vcpu_state, ldt_entries, 424);
TORC_OFFSET(torc_vcpu_state, ldt_pages, 432);
TORC_OFFSET(torc_vcpu_state, timer_ns, 560);
TORC_OFFSET(torc_vcpu_state, xcr0, 568);
TORC_OFFSET(torc_vcpu_state, cr4, 576);
TORC_OFFSET(torc_vcpu_state, msr, 584);
TORC_OFFSET(torc_vcpu_state, fpu, 712);

#endif
#endif
