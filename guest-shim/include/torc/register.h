/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file register.h
 * Control, debug, model-specific and base registers in ring 1.
 *
 *	CR0	is TORC_CR0 and TS as last set; only TS can change: torc_clts, torc_stts
 *	CR2	stands in the event frame of a page fault
 *	CR3	written by TORC_OP_NEW_ROOT, not readable: a kernel knows its own root
 *	CR4	fixed; the features it stands for are those of torc_start.cpuid_mask
 *	XCR0	torc_set_xcr0(), read by XGETBV
 *	DR0-7	torc_set_debugreg(), torc_get_debugreg()
 *	MSRs	torc_read_msr(), torc_write_msr() for those that docs/abi.md lists
 *	FS, GS	RDFSBASE and friends run in ring 1. The base of ring 3's GS stands in the vCPU
 *		page between an entry from ring 3 and the return, so SWAPGS is never needed.
 *
 * SS is never loaded in ring 1, not even with a null selector.
 */
#ifndef TORC_REGISTER_H
#define TORC_REGISTER_H

#include <torc/self.h>

/* PE, MP, ET, NE, WP, AM, PG: what the hardware holds while a guest runs. */
#define TORC_CR0    0x80050033UL
#define TORC_CR0_TS 0x8UL

/** torc_clts() - lets FPU instructions run */
static inline void torc_clts(void)
{
	torc_call(TORC_HC_SET_TASK_SWITCHED, 0, 0, 0, 0, NULL);
}

/** torc_stts() - makes the next FPU instruction raise #NM */
static inline void torc_stts(void)
{
	torc_call(TORC_HC_SET_TASK_SWITCHED, 1, 0, 0, 0, NULL);
}

/** torc_user_gs() - GS base that ring 3 had and will have */
static inline uint64_t torc_user_gs(void)
{
	return TORC_SHIM_VCPU->user_gs;
}

/** torc_set_user_gs() - changes it; a non-canonical base makes the return call refuse */
static inline void torc_set_user_gs(uint64_t base)
{
	TORC_SHIM_VCPU->user_gs = base;
}

static inline uint64_t torc_read_fs_base(void)
{
	uint64_t base;

	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline void torc_write_fs_base(uint64_t base)
{
	__asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
}

static inline uint64_t torc_read_gs_base(void)
{
	uint64_t base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

static inline void torc_write_gs_base(uint64_t base)
{
	__asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
}

#endif
