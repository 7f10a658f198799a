/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file layout.h
 * The part of the address space that belongs to the hypervisor, and the segment selectors.
 *
 * PML4 slots 256..271 (0xffff800000000000 up to 0xffff87ffffffffff) are the hypervisor's in every
 * address space; a guest's own level-4 table holds zero there. Under a guest's root they map the
 * gate region and the information windows below, and nothing else.
 */
#ifndef TORC_LAYOUT_H
#define TORC_LAYOUT_H

#include <torc/base.h>

#define TORC_SLOT_FIRST 256
#define TORC_SLOT_LAST 271
#define TORC_HOLE_START TORC_U64(0xffff800000000000)
#define TORC_HOLE_END TORC_U64(0xffff880000000000) /* first address behind the hole */

/* The gate region: one per vCPU at one address, under that vCPU's roots only. */
#define TORC_GATE_BASE TORC_U64(0xffff800000000000)
#define TORC_CALL_PAGE TORC_U64(0xffff800000002000) /* hypercall page, executable */
#define TORC_VCPU_PAGE TORC_U64(0xffff800000008000) /* this vCPU's page, writable */

/*
 * Entries of the hypercall page, as offsets. A guest calls (or, for the returns, calls with
 * nothing to come back to unless refused) the address TORC_CALL_PAGE + offset. A call destroys RCX
 * and R11 (the hypercall RAX and RDX besides) and keeps all other registers.
 */
#define TORC_CALL_HYPERCALL 0x000 /* RAX number, RDI RSI RDX R10 R8 R9; results RAX, RDX */
#define TORC_CALL_RETURN_SYSCALL 0x020 /* to 64-bit ring 3 by the return frame; RCX, R11 die */
#define TORC_CALL_RETURN 0x040 /* return to ring 3 or ring 1 (irqs on) by the return frame */
#define TORC_CALL_EVENTS 0x060 /* irq_on = 1, then a pending event as if behind the call */
#define TORC_CALL_INVLPG 0x080 /* flush the translation of the address in RDI on this vCPU */

/*
 * Information windows: read-only, this domain's own data; the hypervisor changes them whenever a
 * page or frame changes hands. Entries without a frame or page read TORC_INVALID_FRAME.
 */
#define TORC_WINDOW_TIME TORC_U64(0xffff808000000000) /* struct torc_time */
#define TORC_WINDOW_P2M TORC_U64(0xffff810000000000) /* uint64_t mfn[], indexed by pfn */
#define TORC_WINDOW_M2P TORC_U64(0xffff818000000000) /* uint64_t pfn[], indexed by mfn */
#define TORC_WINDOW_RINGS TORC_U64(0xffff820000000000) /* foreign ring pages */

/*
 * Where an mfn may live. A machine frame number may stand in these places only:
 *  - entries of page tables, and CR3 (which the guest names by guest-physical address);
 *  - operations of a batch area that have been handed to batch() and are not done;
 *  - the windows above.
 * Everything else in a guest that names memory does so by pfn or guest-physical address: pages it
 * registers (vCPU page, batch area, LDT), grants, swap entries and its own structures. A register
 * or local variable may carry an mfn from a window to one of these places or back, but not across a
 * suspend. So the hypervisor finds every mfn of a domain that is saved, moved or forked, and can
 * replace it; one that is kept elsewhere names somebody else's memory afterwards. A kernel
 * turns mfns into pfns in one accessor, which reads the window (the shim's torc_pte_read).
 */

/*
 * Selectors. The table is the hypervisor's; a guest loads these and no others, but for the
 * descriptors that it sets itself by set_descriptor (TLS and CPU number) and by its LDT.
 */
#define TORC_SEL_KERNEL_CS 0x19 /* ring 1, 64-bit */
#define TORC_SEL_KERNEL_SS 0x39 /* ring 1 */
#define TORC_SEL_USER_CS32 0x23 /* ring 3, compatibility mode */
#define TORC_SEL_USER_SS 0x2b /* ring 3 */
#define TORC_SEL_USER_CS 0x33 /* ring 3, 64-bit */
#define TORC_GDT_FIRST_FREE 12 /* GDT indexes 12..15 are the guest's to set */
#define TORC_GDT_LAST_FREE 15

#define TORC_LDT_MAX_ENTRIES 8192

#endif
