/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Exceptions between entry and the hypervisor's own interrupt table: there is nothing to handle,
 * but a mistake should say where it was instead of resetting the machine.
 */

#define BOOT_TRAPS	32
#define TRAPS_WITH_ERROR_CODE 0x60227d00	/* 8, 10..14, 17, 21, 29, 30 */
#define STUB_BYTES	16

	.text
	.balign STUB_BYTES
	.globl	boot_trap_stubs
boot_trap_stubs:
	.set	vector, 0
	.rept	BOOT_TRAPS
	.balign	STUB_BYTES
	.if	!(TRAPS_WITH_ERROR_CODE >> vector & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	boot_trap_common
	.set	vector, vector + 1
	.endr

	/* boot_trap(vector, error code, rip) */
boot_trap_common:
	popq	%rdi
	popq	%rsi
	movq	(%rsp), %rdx
	andq	$-16, %rsp
	call	boot_trap
	ud2

	.section .note.GNU-stack, "", @progbits
