/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * Entries of the small kernel, made of the shim's macros: each pushes struct guest_regs and calls
 * C.
 */
#include <torc/entry.h>

	.text

.macro push_registers
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro pop_registers
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
.endm

.macro call_handler handler
	push_registers
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	\handler
	mov	%rbx, %rsp
	pop_registers
	add	$24, %rsp	/* vector cr2 error */
.endm

	.globl guest_entry_syscall
guest_entry_syscall:
	TORC_ENTER_SYSCALL %gs:0
	push	$0
	push	$0
	push	$0x101		/* GUEST_VECTOR_SYSCALL */
	call_handler guest_trap
	TORC_LEAVE
	jmp	refused

	.globl guest_entry_exception
guest_entry_exception:
	TORC_ENTER_EXCEPTION %gs:0
	call_handler guest_trap
	TORC_LEAVE
refused:
	mov	%r11, %rdi
	call	guest_refused

	.globl guest_entry_nmi
guest_entry_nmi:
	TORC_ENTER_NMI %gs:8
	call_handler guest_nmi
	TORC_LEAVE_NMI
	ud2

	.globl guest_entry_double_fault
guest_entry_double_fault:
	TORC_ENTER_NMI %gs:16
	call_handler guest_double_fault
	ud2

/* uint64_t guest_save(struct guest_context *) */
	.globl guest_save
guest_save:
	mov	(%rsp), %rax
	lea	8(%rsp), %rcx
	mov	%rbx, (%rdi)
	mov	%rbp, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	mov	%rcx, 48(%rdi)
	mov	%rax, 56(%rdi)
	xor	%eax, %eax
	ret

/* void guest_resume(const struct guest_context *, uint64_t) */
	.globl guest_resume
guest_resume:
	mov	%rsi, %rax
	mov	(%rdi), %rbx
	mov	8(%rdi), %rbp
	mov	16(%rdi), %r12
	mov	24(%rdi), %r13
	mov	32(%rdi), %r14
	mov	40(%rdi), %r15
	mov	48(%rdi), %rsp
	jmp	*56(%rdi)

/*
 * void guest_enter_user(const struct guest_regs *, bool by_syscall): does not return; entries from
 * ring 3 use the stack below this point.
 */
.macro load_user_registers
	mov	(%rdi), %r15
	mov	8(%rdi), %r14
	mov	16(%rdi), %r13
	mov	24(%rdi), %r12
	mov	32(%rdi), %rbp
	mov	40(%rdi), %rbx
	mov	48(%rdi), %r11
	mov	56(%rdi), %r10
	mov	64(%rdi), %r9
	mov	72(%rdi), %r8
	mov	80(%rdi), %rax
	mov	88(%rdi), %rcx
	mov	96(%rdi), %rdx
	mov	104(%rdi), %rsi
	mov	112(%rdi), %rdi
.endm

	.globl guest_enter_user
guest_enter_user:
	mov	%rsp, %gs:0
	push	176(%rdi)	/* ss rsp rflags cs rip */
	push	168(%rdi)
	push	160(%rdi)
	push	152(%rdi)
	push	144(%rdi)
	orl	$TORC_RFLAGS_IF, 16(%rsp)
	test	%esi, %esi
	jnz	1f
	load_user_registers
	TORC_LEAVE
	jmp	refused
1:	load_user_registers
	TORC_LEAVE_SYSCALL
	jmp	refused

	.section .note.GNU-stack, "", @progbits
