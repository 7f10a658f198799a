/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the parts of the gate share: names for the memory they address, and macros.
 *
 * gate_start is GATE_BASE as a symbol, so that everything is reached RIP-relative.
 */
#ifndef TORC_GATE_ASM_H
#define TORC_GATE_ASM_H

#include <torc/layout.h>
#include <torc/vcpu.h>
#include "gate.h"
#include "regs.h"

#define desc gate_start + GATE_DESC
#define entry_top gate_start + GATE_ENTRY_TOP
#define scratch gate_start + GATE_SCRATCH
#define vcpu gate_start + GATE_VCPU
#define sync vcpu + TORC_VCPU_SYNC
#define return_frame vcpu + TORC_VCPU_RET
#define double_fault vcpu + TORC_VCPU_DOUBLE_FAULT
#define irq_and_busy vcpu + TORC_VCPU_IRQ_ON
#define pending vcpu + TORC_VCPU_PENDING
#define user_gs vcpu + TORC_VCPU_USER_GS

#define IRET_FRAME 40 /* bytes */
#define IRQ_OFF_BUSY $0x0100 /* one store for both bytes */
#define IRQ_ON_IDLE $0x0001
#define IRQ_OFF_IDLE $0x0000
#define ENTER(kind) \
	lea desc + DESC_IRET + DESC_IRET_SIZE * (kind)(%rip), %rsp; \
	iretq

/* Jumps to @label unless \reg is canonical; \tmp is lost. */
.macro canonical reg, tmp, label
	mov	\reg, \tmp
	shl	$16, \tmp
	sar	$16, \tmp
	cmp	\reg, \tmp
	jne	\label
.endm

/* RFLAGS that a guest asked for, in a 32-bit register. */
.macro filter_rflags reg
	and	$GATE_RFLAGS_ALLOWED, \reg
	or	$GATE_RFLAGS_FORCED, \reg
.endm

/*
 * The entry stack's address \stack at the alias whose bits 31..16 are those of the user's RSP in
 * \rsp (zero-extended, lost): IRETQ to a 16-bit stack segment leaves the others as they are.
 */
.macro alias_stack stack, rsp
	shr	$16, \rsp
	shl	$16, \rsp
	and	$0xffff, \stack
	or	\rsp, \stack
	movabs	$GATE_ALIASES, \rsp
	or	\rsp, \stack
.endm

.macro push_registers_below_rax
	.irp	register, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	push	%\register
	.endr
.endm

/* The frame of a guest kernel that called the gate and goes on at RCX, on the entry stack. */
.macro push_caller
	lea	entry_top(%rip), %rsp
	push	$TORC_SEL_KERNEL_SS
	push	scratch(%rip)
	push	$GATE_RFLAGS_FORCED
	push	$TORC_SEL_KERNEL_CS
	push	%rcx
.endm

/* What the processor pushed, from the stack to a frame of the guest. */
.macro pop_iret_frame frame
	pop	\frame + TORC_FRAME_RIP(%rip)
	pop	\frame + TORC_FRAME_CS(%rip)
	pop	\frame + TORC_FRAME_RFLAGS(%rip)
	pop	\frame + TORC_FRAME_RSP(%rip)
	pop	\frame + TORC_FRAME_SS(%rip)
.endm

/* RAX, vector, error code and what the processor pushed, from the stack to a frame of the guest. */
.macro pop_frame frame
	pop	\frame + TORC_FRAME_RAX(%rip)
	pop	\frame + TORC_FRAME_VECTOR(%rip)
	pop	\frame + TORC_FRAME_ERROR(%rip)
	pop_iret_frame \frame
	mov	%cr2, %rax
	mov	%rax, \frame + TORC_FRAME_CR2(%rip)
.endm

.macro pop_registers
	.irp	register, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	pop	%\register
	.endr
.endm

#endif
