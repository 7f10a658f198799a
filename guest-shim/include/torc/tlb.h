/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file tlb.h
 * Flushing translations at once. Flushes that follow table updates go through the queue instead
 * (queue.h), in order with them.
 */
#ifndef TORC_TLB_H
#define TORC_TLB_H

#include <torc/call.h>

/**
 * torc_flush_local_page() - flushes one page's translation on this vCPU
 * @address: any address; what INVLPG is for
 *
 * Handled in the gate, without a change of address space.
 */
static inline void torc_flush_local_page(uint64_t address)
{
	torc_gate_call(TORC_CALL_INVLPG, address);
}

#endif
