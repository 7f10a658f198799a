/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * The slow path of turning virtual interrupts on. Out of line, so that the fast path stays short.
 */
#include <torc/abi.h>

	.text
	.globl torc_irq_deliver
	.type torc_irq_deliver, @function
torc_irq_deliver:
	movabs	$TORC_CALL_PAGE + TORC_CALL_EVENTS, %rcx
	jmp	*%rcx
	.size torc_irq_deliver, . - torc_irq_deliver

	.section .note.GNU-stack, "", @progbits
