/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * Where vCPU 0 starts. The builder's stack is one page; the runtime brings its own.
 */
#include <torc/note.h>
#include <torc/entry.h>

	TORC_NOTE guest_start_entry, 0xffffffff80000000, 0xffff888000000000

	.text
	.globl guest_start_entry
guest_start_entry:
	mov	%rdi, %rsi
	mov	$guest_bss_start, %rdi
	mov	$guest_bss_end, %rcx
	sub	%rdi, %rcx
	xor	%eax, %eax
	rep	stosb
	mov	%rsi, %rdi
	mov	$guest_stack_end, %rsp
	xor	%ebp, %ebp
	call	guest_begin
	ud2

	.bss
	.balign	4096
	.skip	4096 * 4
guest_stack_end:

	.section .note.GNU-stack, "", @progbits
