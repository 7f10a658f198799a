/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What nobody may rely on is made useless: RCX and R11 behind a hypercall, which it destroys
 * (docs/abi.md), and pages that the hypervisor has given back, as data and as tables: an entry of
 * POISON sets reserved bits.
 */
#include "alloc.h"
#include "entry.h"
#include "lib.h"

#define POISON 0x5a5a5a5a5a5a5a5aull

void __real_hypercall(struct vcpu *vcpu);
void __real_page_free(mfn_t mfn);
void __wrap_hypercall(struct vcpu *vcpu);
void __wrap_page_free(mfn_t mfn);

/* A call that moved the vCPU elsewhere left these registers to the place where it went. */
void __wrap_hypercall(struct vcpu *vcpu)
{
	struct regs *regs = vcpu->regs;

	__real_hypercall(vcpu);
	if (regs->vector == VECTOR_HYPERCALL)
		regs->rcx = regs->r11 = POISON;
}

void __wrap_page_free(mfn_t mfn)
{
	u64 *word = mfn_to_virt(mfn);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		word[i] = POISON;
	__real_page_free(mfn);
}
