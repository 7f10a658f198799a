/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Ways from the gate to hv_entry() for processors whose predictions of returns a guest kernel could
 * have prepared: mitigation_init() points the gate's jump here. The hypervisor's root and this
 * CPU's own stack are in force, and the guest's registers are saved.
 */
#include "cpu.h"

#define RETURN_STACK 32 /* entries, the most that processors have */

	.text

/* Where returns are predicted like any branch: all predictions go, but for the return stack. */
	.globl	entry_ibpb
entry_ibpb:
	movl	$MSR_PRED_CMD, %ecx
	movl	$PRED_CMD_IBPB, %eax
	xorl	%edx, %edx
	wrmsr

/* Each call leaves a prediction that leads to an INT3, where speculation ends. */
	.globl	entry_fill_returns
entry_fill_returns:
	.rept	RETURN_STACK
	call	1f
	int3
1:
	.endr
	addq	$8 * RETURN_STACK, %rsp
	lfence
	jmp	hv_entry
