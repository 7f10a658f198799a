/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * How another CPU starts: a start-up IPI sets it off in real mode at the beginning of a page below
 * 1 MiB, where smp_start() has put a copy of the code between ap_real and ap_real_end. That leads
 * into 32-bit mode, and this into the 64-bit way of entry.S with the tables that the first CPU
 * booted on. One CPU at a time: they share ap_stack and ap_cpu.
 */
#include "cpu.h"

#define CS32 0x10
#define DS32 0x18
#define BOOT_GDT_BYTES 32

	.section .boot.text, "ax"
	.code16
ap_real:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	ap_gdt_pointer - ap_real
	movl	$CR0_ET | CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$CS32, $ap_protected

	.balign 4
ap_gdt_pointer:
	.short	BOOT_GDT_BYTES - 1
	.long	boot_gdt
ap_real_end:

	.code32
ap_protected:
	movl	$DS32, %eax
	movl	%eax, %ds
	movl	%eax, %ss
	movl	$1, %ebp
	jmp	enter_long_mode

	.text
	.code64
	.globl	ap_high
ap_high:
	movq	ap_root(%rip), %rax
	movq	%rax, %cr3
	movq	ap_stack(%rip), %rsp
	movq	ap_cpu(%rip), %rdi
	jmp	ap_main /* what is on the stack passes for a return address */

	.section .rodata
	.balign 8
	.globl	ap_code, ap_code_bytes
ap_code:			/* physical address */
	.quad	ap_real
ap_code_bytes:
	.quad	ap_real_end - ap_real

	.section .note.GNU-stack, "", @progbits
