/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The gate: every way from a guest into ring 0 and back.
 *
 * This code is mapped read-only at one address under every root, the guests' and the hypervisor's,
 * so it can change CR3 under its own feet. What it addresses RIP-relative (descriptor page, entry
 * stack, vCPU page) belongs to the vCPU whose root is loaded, or to the CPU under the hypervisor's.
 *
 * What keeps it safe, since ring 1 can read and write the vCPU page and even the stacks here:
 *  - On one vCPU ring 1 cannot run while the gate does, and no other vCPU's roots map
 *    these stacks. The vCPU page may be mapped elsewhere: each word of it is read once, into a
 *    register, and checked there.
 *  - IRETQ pops either constant frames from the read-only descriptor page, or words pushed in this
 *    very entry from checked registers.
 *  - Non-canonical RIP at IRETQ or SYSRET, and non-canonical WRGSBASE, would fault in ring 0:
 *    they are checked. Selectors are made ring-3 ones; IRETQ at gate_iret_user may still fault on
 *    them, and at gate_iret_resume on an RIP where the processor itself interrupted the guest, at
 *    the edge of its code segment or of the lower half. Both places are listed: a fault there is
 *    the guest's.
 *  - RFLAGS passes a whitelist with IF forced on. Maskable interrupts are off in here; NMI, #DB,
 *    #MC and #DF have stacks of their own, so RSP may hold anything between SYSCALL and the stack
 *    load.
 *  - There is no RET and no indirect branch.
 */
#include <torc/layout.h>
#include <torc/hypercalls.h>
#include <torc/start.h>
#include "gate_asm.h"

	.section .gate.text, "ax"

/*
 * SYSCALL from ring 3 or ring 1, RIP in RCX and RFLAGS in R11. Only a supervisor can execute the
 * hypercall page, so an RCX that points behind one of its SYSCALLs is proof of ring 1.
 */
	.globl gate_syscall
gate_syscall:
	test	%rcx, %rcx
	js	kernel_call
user_call:
	mov	%rsp, sync + TORC_FRAME_RSP(%rip)
	mov	%rcx, sync + TORC_FRAME_RIP(%rip)
	mov	%r11, sync + TORC_FRAME_RFLAGS(%rip)
	rdgsbase %rcx
	mov	%rcx, user_gs(%rip)
	mov	desc + DESC_KERNEL_GS(%rip), %rcx
	wrgsbase %rcx
	movb	$1, sync + TORC_FRAME_IRQ_WAS_ON(%rip)
	movw	IRQ_OFF_BUSY, irq_and_busy(%rip)
	ENTER(TORC_ENTRY_SYSCALL)

/* RCX says where ring 1 called from. */
.macro called_from place, routine
	lea	\place(%rip), %rsp
	cmp	%rsp, %rcx
	je	\routine
.endm

kernel_call:
	mov	%rsp, scratch(%rip)
	called_from behind_return_syscall, return_syscall
	called_from behind_hypercall, hypercall
	called_from behind_return, return
	called_from behind_events, events
	called_from behind_invlpg, flush_page
	mov	scratch(%rip), %rsp
	jmp	user_call

/* A hypercall: the registers go on the entry stack like an interrupt's. */
hypercall:
	push_caller
	push	$0
	push	$VECTOR_HYPERCALL
	push	%rax
	push_registers_below_rax
	.globl to_hypervisor
to_hypervisor:
	mov	desc + DESC_HV_CR3(%rip), %rax
	mov	%rax, %cr3
	mov	desc + DESC_HV_STACK(%rip), %rsp
	cld
	.globl gate_entry_jump
gate_entry_jump: /* mitigation.c may point it at harden.S, which ends there too */
	jmp	hv_entry

/* Return to 64-bit ring 3 where RCX and R11 are dead. RSP, RCX and R11 are free here. */
return_syscall:
	mov	user_gs(%rip), %rsp
	canonical %rsp, %r11, refuse
	mov	return_frame + TORC_RET_RIP(%rip), %rcx
	mov	%rcx, %r11
	shr	$47, %r11
	jne	refuse
	movw	IRQ_ON_IDLE, irq_and_busy(%rip)
	cmpq	$0, pending(%rip)
	jne	return_syscall_event
	wrgsbase %rsp
	mov	return_frame + TORC_RET_RFLAGS(%rip), %r11d
	filter_rflags %r11d
	mov	return_frame + TORC_RET_RSP(%rip), %rsp
	sysretq

return_syscall_event:
	lea	entry_top(%rip), %rsp
	mov	return_frame + TORC_RET_RFLAGS(%rip), %r11d
	filter_rflags %r11d
	push	$TORC_SEL_USER_SS
	push	return_frame + TORC_RET_RSP(%rip)
	push	%r11
	push	$TORC_SEL_USER_CS
	push	%rcx
	jmp	take_event

/* Return to ring 3 with all registers, or to ring 1 with virtual interrupts on. */
return:
	lea	entry_top(%rip), %rsp
	movzwl	return_frame + TORC_RET_CS(%rip), %r11d
	cmp	$TORC_SEL_KERNEL_CS, %r11d
	je	return_kernel
	or	$3, %r11d
	movzwl	return_frame + TORC_RET_SS(%rip), %ecx
	or	$3, %ecx
	push	%rcx
	push	return_frame + TORC_RET_RSP(%rip)
	mov	return_frame + TORC_RET_RFLAGS(%rip), %ecx
	filter_rflags %ecx
	push	%rcx
	push	%r11
	mov	return_frame + TORC_RET_RIP(%rip), %rcx
	canonical %rcx, %r11, refuse
	push	%rcx
	mov	user_gs(%rip), %rcx
	canonical %rcx, %r11, refuse
	movw	IRQ_ON_IDLE, irq_and_busy(%rip)
	cmpq	$0, pending(%rip)
	jne	return_event
	wrgsbase %rcx
	testb	$SELECTOR_GUESTS, 32(%rsp) /* SS */
	jnz	use_alias
return_user:
	mov	return_frame + TORC_RET_RCX(%rip), %rcx
	mov	return_frame + TORC_RET_R11(%rip), %r11
	.globl gate_iret_user
gate_iret_user:
	iretq

use_alias:
	mov	24(%rsp), %ecx
	alias_stack %rsp, %rcx
	jmp	return_user

return_kernel:
	push	$TORC_SEL_KERNEL_SS
	push	return_frame + TORC_RET_RSP(%rip)
	mov	return_frame + TORC_RET_RFLAGS(%rip), %ecx
	filter_rflags %ecx
	push	%rcx
	push	$TORC_SEL_KERNEL_CS
	mov	return_frame + TORC_RET_RIP(%rip), %rcx
	canonical %rcx, %r11, refuse
	push	%rcx
	movw	IRQ_ON_IDLE, irq_and_busy(%rip)
	cmpq	$0, pending(%rip)
	jne	return_event
	mov	return_frame + TORC_RET_RCX(%rip), %rcx
	mov	return_frame + TORC_RET_R11(%rip), %r11
	iretq

/* A return that finds an event pending becomes the event's entry. */
return_event:
	mov	return_frame + TORC_RET_RCX(%rip), %rcx
	mov	return_frame + TORC_RET_R11(%rip), %r11
take_event: /* the frame to interrupt stands on the entry stack */
	movw	IRQ_OFF_BUSY, irq_and_busy(%rip)
	mov	%rax, sync + TORC_FRAME_RAX(%rip)
	xor	%eax, %eax
	xchg	%rax, pending(%rip)
	mov	%rax, sync + TORC_FRAME_ERROR(%rip)
	movq	$TORC_VECTOR_EVENT, sync + TORC_FRAME_VECTOR(%rip)
	pop_iret_frame sync
	movb	$1, sync + TORC_FRAME_IRQ_WAS_ON(%rip)
	ENTER(TORC_ENTRY_EVENT)

/* Virtual interrupts on, and a pending event taken as if it came behind the call. */
events:
	movb	$1, irq_and_busy(%rip)
	push_caller
	cmpq	$0, pending(%rip)
	jne	take_event
	iretq

flush_page:
	invlpg	(%rdi) /* does not fault, whatever the address (Intel SDM 2A) */
	jmp	back_to_caller

/* A refused return: R11 says why, and the caller goes on behind its call. */
refuse:
	mov	$13, %r11d
	.globl refuse_with_vector
refuse_with_vector:
	lea	behind_return(%rip), %rcx
back_to_caller:
	push_caller
	iretq

/* The next of the four selectors in RDX; one that faults is loaded as null. */
.macro load_segment register
	mov	%edx, %eax
	.globl gate_load_\register
gate_load_\register:
	mov	%eax, %\register
	shr	$16, %rdx
.endm

/*
 * Back to a guest: RDI its root, RSI its registers in the gate region. An NMI behind the change of
 * root saves what it finds where ring 1 can read it: by then no register holds anything of the
 * hypervisor's. Selectors and bases in the others are the guest's own.
 */
	.globl gate_resume_segments
gate_resume_segments:
	mov	%rsi, %rsp
	xor	%eax, %eax
	.irp	register, ebx, ebp, r10d, r11d, r12d, r13d, r14d, r15d
	xor	%\register, %\register
	.endr
	mov	%rdi, %cr3
	lldt	%r9w
	load_segment ds
	load_segment es
	load_segment fs
	load_segment gs
	wrfsbase %rcx
	wrgsbase %r8
	pop_registers
	add	$16, %rsp
	.globl gate_iret_resume
gate_iret_resume:
	iretq

/* The same where segments stay; RDX is where the hypervisor's root has the registers. */
	.globl gate_resume
gate_resume:
	mov	%rdx, %rsp
	.irp	register, r15, r14, r13, r12, r11, r10, r9, r8
	pop	%\register
	.endr
	add	$16, %rsp
	.irp	register, rbp, rbx, rdx, rcx, rax
	pop	%\register
	.endr
	lea	64(%rsi), %rsp
	mov	%rdi, %cr3
	pop	%rdi
	pop	%rsi
	add	$56, %rsp
	jmp	gate_iret_resume

/* The hypercall page: the only code of the gate that a guest executes, in ring 1. */
	.section .gate.hypercall, "ax"
.macro call_from offset, behind
	.org \offset
	syscall
\behind:
	ret
.endm

call_page:
	call_from TORC_CALL_HYPERCALL, behind_hypercall
	call_from TORC_CALL_RETURN_SYSCALL, behind_return_syscall
	call_from TORC_CALL_RETURN, behind_return
	call_from TORC_CALL_EVENTS, behind_events
	call_from TORC_CALL_INVLPG, behind_invlpg

/* Where an entry goes that the guest never registered: it ends the domain. */
	.globl gate_no_entry
gate_no_entry:
	mov	$TORC_HC_SHUTDOWN, %eax
	mov	$TORC_SHUTDOWN_CRASH, %edi
	mov	$SHUTDOWN_NO_ENTRY, %esi
	jmp	call_page
