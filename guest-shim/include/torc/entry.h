/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file entry.h
 * Assembler macros for a kernel's entry and return code.
 *
 * The gate enters with RSP at the frame in the vCPU page. The ENTER macros turn that frame into
 * what an interrupt would have pushed on the kernel's own stack; the LEAVE macros take such a
 * frame back. "irq on" is RFLAGS.IF of the pushed frame, as ordinary kernel code expects.
 *
 *	TORC_ENTER_SYSCALL	all registers but RCX and R11 live; pushed: rip cs rflags rsp ss
 *	TORC_ENTER_EXCEPTION	all registers live; pushed: vector cr2 error rip cs rflags rsp ss
 *	TORC_ENTER_EVENT	the same; error is the pending word
 *	TORC_ENTER_NMI		the same, from the NMI frame
 *	TORC_LEAVE		all registers live; RSP at rip cs rflags rsp ss; irqs off
 *	TORC_LEAVE_SYSCALL	the same for 64-bit ring 3, RCX and R11 dead
 *	TORC_LEAVE_NMI		all registers live, RSP of no interest
 *
 * (lowest address first). Code behind a LEAVE runs if the return was refused: R11 is the vector,
 * RSP as before the macro, RCX lost. Kernels that keep an own page (self.h) may define
 * TORC_SHIM_FIELD to a macro that addresses a field without a base register.
 */
#ifndef TORC_ENTRY_H
#define TORC_ENTRY_H

#ifdef __ASSEMBLER__

#include <torc/abi.h>

#define TORC_RFLAGS_IF 0x200

/*
 * TORC_SHIM_BASE puts in \reg what TORC_SHIM_FIELD(offset, reg) needs to address a field of the
 * vCPU page.
 */
#ifndef TORC_SHIM_FIELD
.macro TORC_SHIM_BASE reg:req
	movabs	$TORC_VCPU_PAGE, \reg
.endm
#define TORC_SHIM_FIELD(offset, reg) (offset)(reg)
#endif

/* Calls an entry of the hypercall page; destroys RCX. */
.macro TORC_GATE_CALL entry:req
	movabs	$TORC_CALL_PAGE + \entry, %rcx
	call	*%rcx
.endm

/* \stack: operand that loads the kernel stack for entries from ring 3, such as %gs:0. */
.macro TORC_ENTER_SYSCALL stack:req, cs=TORC_SEL_USER_CS, ss=TORC_SEL_USER_SS
	mov	%rsp, %rcx
	mov	\stack, %rsp
	pushq	$\ss
	pushq	TORC_FRAME_RSP(%rcx)
	pushq	TORC_FRAME_RFLAGS(%rcx)
	pushq	$\cs
	pushq	TORC_FRAME_RIP(%rcx)
	movb	$0, TORC_VCPU_BUSY - TORC_VCPU_SYNC(%rcx)
.endm

/* Copies the frame at RSP to the stack in RAX, and leaves RAX at the frame. */
.macro TORC_COPY_FRAME
	xchg	%rax, %rsp
	pushq	TORC_FRAME_SS(%rax)
	pushq	TORC_FRAME_RSP(%rax)
	pushq	TORC_FRAME_RFLAGS(%rax)
	pushq	TORC_FRAME_CS(%rax)
	pushq	TORC_FRAME_RIP(%rax)
	pushq	TORC_FRAME_ERROR(%rax)
	pushq	TORC_FRAME_CR2(%rax)
	pushq	TORC_FRAME_VECTOR(%rax)
	cmpb	$0, TORC_FRAME_IRQ_WAS_ON(%rax)
	jne	.Ltorc_on_\@
	andl	$~TORC_RFLAGS_IF, 40(%rsp)
.Ltorc_on_\@:
.endm

.macro TORC_ENTER_EXCEPTION stack:req
	testb	$2, TORC_FRAME_CS(%rsp)
	jz	.Ltorc_ring1_\@
	mov	\stack, %rax
	jmp	.Ltorc_copy_\@
.Ltorc_ring1_\@:
	mov	TORC_FRAME_RSP(%rsp), %rax
	and	$-16, %rax
.Ltorc_copy_\@:
	TORC_COPY_FRAME
	pushq	TORC_FRAME_RAX(%rax)
	movb	$0, TORC_VCPU_BUSY - TORC_VCPU_SYNC(%rax)
	popq	%rax
.endm

.macro TORC_ENTER_EVENT stack:req
	TORC_ENTER_EXCEPTION \stack
.endm

/* \stack: operand that loads a stack which nothing but NMIs uses. */
.macro TORC_ENTER_NMI stack:req
	mov	\stack, %rax
	TORC_COPY_FRAME
	mov	TORC_FRAME_RAX(%rax), %rax
.endm

/* Fills rip, rflags and rsp of the return frame from the pushed one, 8 bytes up; RCX is lost. */
.macro TORC_FILL_RETURN base:req
	mov	8(%rsp), %rcx
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_RIP, \base)
	mov	24(%rsp), %rcx
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_RFLAGS, \base)
	mov	32(%rsp), %rcx
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_RSP, \base)
.endm

.macro TORC_LEAVE_SYSCALL
	push	%rax
	TORC_SHIM_BASE %rax
	TORC_FILL_RETURN %rax
	pop	%rax
	TORC_GATE_CALL TORC_CALL_RETURN_SYSCALL
.endm

.macro TORC_LEAVE
	testl	$TORC_RFLAGS_IF, 16(%rsp)
	jnz	.Ltorc_return_\@
	iretq
.Ltorc_return_\@:
	push	%rax
	TORC_SHIM_BASE %rax
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_RCX, %rax)
	mov	%r11, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_R11, %rax)
	TORC_FILL_RETURN %rax
	mov	16(%rsp), %rcx
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_CS, %rax)
	mov	40(%rsp), %rcx
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_RET + TORC_RET_SS, %rax)
	pop	%rax
	TORC_GATE_CALL TORC_CALL_RETURN
.endm

.macro TORC_LEAVE_NMI
	push	%rax
	push	%rdx
	TORC_SHIM_BASE %rdx
	mov	%rax, TORC_SHIM_FIELD(TORC_VCPU_NMI + TORC_FRAME_RAX, %rdx)
	mov	%rcx, TORC_SHIM_FIELD(TORC_VCPU_NMI + TORC_FRAME_RCX, %rdx)
	mov	%r11, TORC_SHIM_FIELD(TORC_VCPU_NMI + TORC_FRAME_R11, %rdx)
	pop	%rdx
	mov	$TORC_HC_NMI_RETURN, %eax
	TORC_GATE_CALL TORC_CALL_HYPERCALL
.endm

#endif
#endif
