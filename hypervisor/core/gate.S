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
 *  - IRETQ pops either constant frames from the read-only descriptor page, or words pushed in this very
 *    entry from checked registers.
 *  - Non-canonical RIP at IRETQ or SYSRET, and non-canonical WRGSBASE, would fault in ring 0:
 *    they are checked. Selectors are made ring-3 ones; that IRETQ may still fault on them, and
 *    gate_iret_user is the one listed place where a fault in ring 0 is not the hypervisor's end.
 *  - RFLAGS passes a whitelist with IF forced on. Maskable interrupts are off in here; NMI, #DB,
 *    #MC and #DF have stacks of their own, so RSP may hold anything between SYSCALL and the stack load.
 *  - There is no RET and no indirect branch.
 */
#include <torc/layout.h>
#include <torc/hypercalls.h>
#include <torc/start.h>
#include <torc/vcpu.h>
#include "gate.h"
#include "regs.h"

	.section .gate.text, "ax"
gate_start:
	.set desc, gate_start + GATE_DESC
	.set entry_top, gate_start + GATE_ENTRY_TOP
	.set scratch, gate_start + GATE_SCRATCH
	.set vcpu, gate_start + GATE_VCPU
	.set sync, vcpu + TORC_VCPU_SYNC
	.set ret, vcpu + TORC_VCPU_RET
	.set double_fault, vcpu + TORC_VCPU_DOUBLE_FAULT
	.set irq_and_busy, vcpu + TORC_VCPU_IRQ_ON
	.set pending, vcpu + TORC_VCPU_PENDING
	.set user_gs, vcpu + TORC_VCPU_USER_GS

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

.macro push_registers_below_rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
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
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
.endm

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

kernel_call:
	mov	%rsp, scratch(%rip)
	lea	behind_return_syscall(%rip), %rsp
	cmp	%rsp, %rcx
	je	return_syscall
	lea	behind_hypercall(%rip), %rsp
	cmp	%rsp, %rcx
	je	hypercall
	lea	behind_return(%rip), %rsp
	cmp	%rsp, %rcx
	je	return
	lea	behind_events(%rip), %rsp
	cmp	%rsp, %rcx
	je	events
	lea	behind_invlpg(%rip), %rsp
	cmp	%rsp, %rcx
	je	flush_page
	mov	scratch(%rip), %rsp
	jmp	user_call

/* A hypercall: the registers go on the entry stack like an interrupt's. */
hypercall:
	lea	entry_top(%rip), %rsp
	push	$TORC_SEL_KERNEL_SS
	push	scratch(%rip)
	push	$GATE_RFLAGS_FORCED
	push	$TORC_SEL_KERNEL_CS
	push	%rcx
	push	$0
	push	$VECTOR_HYPERCALL
	push	%rax
	push_registers_below_rax
to_hypervisor:
	mov	desc + DESC_HV_CR3(%rip), %rax
	mov	%rax, %cr3
	mov	desc + DESC_HV_STACK(%rip), %rsp
	cld
	jmp	hv_entry

/* Return to 64-bit ring 3 where RCX and R11 are dead. RSP, RCX and R11 are free here. */
return_syscall:
	mov	user_gs(%rip), %rsp
	canonical %rsp, %r11, refuse
	mov	ret + TORC_RET_RIP(%rip), %rcx
	mov	%rcx, %r11
	shr	$47, %r11
	jne	refuse
	movw	IRQ_ON_IDLE, irq_and_busy(%rip)
	cmpq	$0, pending(%rip)
	jne	return_syscall_event
	wrgsbase %rsp
	mov	ret + TORC_RET_RFLAGS(%rip), %r11d
	filter_rflags %r11d
	mov	ret + TORC_RET_RSP(%rip), %rsp
	sysretq

return_syscall_event:
	lea	entry_top(%rip), %rsp
	mov	ret + TORC_RET_RFLAGS(%rip), %r11d
	filter_rflags %r11d
	push	$TORC_SEL_USER_SS
	push	ret + TORC_RET_RSP(%rip)
	push	%r11
	push	$TORC_SEL_USER_CS
	push	%rcx
	jmp	take_event

/* Return to ring 3 with all registers, or to ring 1 with virtual interrupts on. */
return:
	lea	entry_top(%rip), %rsp
	movzwl	ret + TORC_RET_CS(%rip), %r11d
	cmp	$TORC_SEL_KERNEL_CS, %r11d
	je	return_kernel
	or	$3, %r11d
	movzwl	ret + TORC_RET_SS(%rip), %ecx
	or	$3, %ecx
	push	%rcx
	push	ret + TORC_RET_RSP(%rip)
	mov	ret + TORC_RET_RFLAGS(%rip), %ecx
	filter_rflags %ecx
	push	%rcx
	push	%r11
	mov	ret + TORC_RET_RIP(%rip), %rcx
	canonical %rcx, %r11, refuse
	push	%rcx
	mov	user_gs(%rip), %rcx
	canonical %rcx, %r11, refuse
	movw	IRQ_ON_IDLE, irq_and_busy(%rip)
	cmpq	$0, pending(%rip)
	jne	return_event
	wrgsbase %rcx
	testb	$SELECTOR_LDT, 32(%rsp) /* SS */
	jnz	use_alias
return_user:
	mov	ret + TORC_RET_RCX(%rip), %rcx
	mov	ret + TORC_RET_R11(%rip), %r11
gate_iret_user:
	iretq

use_alias: /* the same stack at the alias whose bits 31..16 are those of the user's RSP */
	mov	24(%rsp), %ecx
	and	$0xffff0000, %ecx
	movzwl	%sp, %r11d
	or	%r11, %rcx
	movabs	$GATE_ALIASES, %r11
	or	%r11, %rcx
	mov	%rcx, %rsp
	jmp	return_user

return_kernel:
	push	$TORC_SEL_KERNEL_SS
	push	ret + TORC_RET_RSP(%rip)
	mov	ret + TORC_RET_RFLAGS(%rip), %ecx
	filter_rflags %ecx
	push	%rcx
	push	$TORC_SEL_KERNEL_CS
	mov	ret + TORC_RET_RIP(%rip), %rcx
	canonical %rcx, %r11, refuse
	push	%rcx
	movw	IRQ_ON_IDLE, irq_and_busy(%rip)
	cmpq	$0, pending(%rip)
	jne	return_event
	mov	ret + TORC_RET_RCX(%rip), %rcx
	mov	ret + TORC_RET_R11(%rip), %r11
	iretq

/* A return that finds an event pending becomes the event's entry. */
return_event:
	mov	ret + TORC_RET_RCX(%rip), %rcx
	mov	ret + TORC_RET_R11(%rip), %r11
take_event: /* the frame to interrupt stands on the entry stack */
	movw	IRQ_OFF_BUSY, irq_and_busy(%rip)
	mov	%rax, sync + TORC_FRAME_RAX(%rip)
	xor	%eax, %eax
	xchg	%rax, pending(%rip)
	mov	%rax, sync + TORC_FRAME_ERROR(%rip)
	movq	$TORC_VECTOR_EVENT, sync + TORC_FRAME_VECTOR(%rip)
	pop	sync + TORC_FRAME_RIP(%rip)
	pop	sync + TORC_FRAME_CS(%rip)
	pop	sync + TORC_FRAME_RFLAGS(%rip)
	pop	sync + TORC_FRAME_RSP(%rip)
	pop	sync + TORC_FRAME_SS(%rip)
	movb	$1, sync + TORC_FRAME_IRQ_WAS_ON(%rip)
	ENTER(TORC_ENTRY_EVENT)

/* Virtual interrupts on, and a pending event taken as if it came behind the call. */
events:
	movb	$1, irq_and_busy(%rip)
	lea	entry_top(%rip), %rsp
	push	$TORC_SEL_KERNEL_SS
	push	scratch(%rip)
	push	$GATE_RFLAGS_FORCED
	push	$TORC_SEL_KERNEL_CS
	push	%rcx
	cmpq	$0, pending(%rip)
	jne	take_event
	iretq

flush_page:
	invlpg	(%rdi) /* does not fault, whatever the address (Intel SDM 2A) */
	jmp	back_to_caller

/* A refused return: R11 says why, and the caller goes on behind its call. */
refuse:
	mov	$13, %r11d
refuse_with_vector:
	lea	behind_return(%rip), %rcx
back_to_caller:
	lea	entry_top(%rip), %rsp
	push	$TORC_SEL_KERNEL_SS
	push	scratch(%rip)
	push	$GATE_RFLAGS_FORCED
	push	$TORC_SEL_KERNEL_CS
	push	%rcx
	iretq

/* SYSCALL in compatibility mode: to the guest it is an invalid opcode. */
	.globl gate_syscall_compat
gate_syscall_compat:
	mov	%rsp, scratch(%rip)
	lea	entry_top(%rip), %rsp
	sub	$2, %ecx
	push	$TORC_SEL_USER_SS
	push	scratch(%rip)
	push	%r11
	push	$TORC_SEL_USER_CS32
	push	%rcx
	push	$0
	push	$6
	/* falls into the exception path */

/*
 * Exceptions: the stub pushed error code and vector. Reflected to ring 1 without leaving the
 * guest's root, unless the descriptor page sends the vector to the hypervisor first.
 */
exception:
	push	%rax
	mov	32(%rsp), %eax /* CS */
	and	$3, %eax
	jz	exception_ring0
	cmp	$1, %eax
	mov	8(%rsp), %eax /* vector */
	je	exception_ring1
	bt	%eax, desc + DESC_FIRST_RING3(%rip)
	jc	exception_to_hypervisor
	rdgsbase %rax
	mov	%rax, user_gs(%rip)
	mov	desc + DESC_KERNEL_GS(%rip), %rax
	wrgsbase %rax
	movb	$1, sync + TORC_FRAME_IRQ_WAS_ON(%rip)
reflect:
	movw	IRQ_OFF_BUSY, irq_and_busy(%rip)
	pop	sync + TORC_FRAME_RAX(%rip)
	pop	sync + TORC_FRAME_VECTOR(%rip)
	pop	sync + TORC_FRAME_ERROR(%rip)
	pop	sync + TORC_FRAME_RIP(%rip)
	pop	sync + TORC_FRAME_CS(%rip)
	pop	sync + TORC_FRAME_RFLAGS(%rip)
	pop	sync + TORC_FRAME_RSP(%rip)
	pop	sync + TORC_FRAME_SS(%rip)
	mov	%cr2, %rax
	mov	%rax, sync + TORC_FRAME_CR2(%rip)
	ENTER(TORC_ENTRY_EXCEPTION)

exception_ring1:
	bt	%eax, desc + DESC_FIRST_RING1(%rip)
	jc	exception_to_hypervisor
	cmpb	$0, vcpu + TORC_VCPU_BUSY(%rip)
	jne	reflect_double_fault
	movzbl	vcpu + TORC_VCPU_IRQ_ON(%rip), %eax
	mov	%al, sync + TORC_FRAME_IRQ_WAS_ON(%rip)
	jmp	reflect

reflect_double_fault:
	cmpq	$0, double_fault + TORC_FRAME_VECTOR(%rip)
	jne	reflect_impossible
	movzbl	vcpu + TORC_VCPU_IRQ_ON(%rip), %eax
	mov	%al, double_fault + TORC_FRAME_IRQ_WAS_ON(%rip)
	movw	IRQ_OFF_BUSY, irq_and_busy(%rip)
	pop	double_fault + TORC_FRAME_RAX(%rip)
	pop	double_fault + TORC_FRAME_VECTOR(%rip)
	pop	double_fault + TORC_FRAME_ERROR(%rip)
	pop	double_fault + TORC_FRAME_RIP(%rip)
	pop	double_fault + TORC_FRAME_CS(%rip)
	pop	double_fault + TORC_FRAME_RFLAGS(%rip)
	pop	double_fault + TORC_FRAME_RSP(%rip)
	pop	double_fault + TORC_FRAME_SS(%rip)
	mov	%cr2, %rax
	mov	%rax, double_fault + TORC_FRAME_CR2(%rip)
	ENTER(TORC_ENTRY_DOUBLE_FAULT)

/* The guest cannot take another frame: its end. #DB comes on a stack of its own, so move the frame. */
reflect_impossible:
	movq	$VECTOR_TRIPLE, 8(%rsp)
	mov	%rsp, %rax
	lea	entry_top(%rip), %rsp
	push	56(%rax)
	push	48(%rax)
	push	40(%rax)
	push	32(%rax)
	push	24(%rax)
	push	16(%rax)
	push	8(%rax)
	push	(%rax)
exception_to_hypervisor:
	push_registers_below_rax
	jmp	to_hypervisor

/*
 * A fault in ring 0. #DB is what a guest can arrange (MOV SS or a breakpoint before SYSCALL): absorb it.
 * IRETQ to a guest's bad selector is a refusal. All else ends the hypervisor.
 */
exception_ring0:
	cmpl	$1, 8(%rsp)
	je	absorb_debug
	lea	gate_iret_user(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	refuse_iret
	lea	gate_load_ds(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	null_selector
	lea	gate_load_es(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	null_selector
	lea	gate_load_fs(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	null_selector
	lea	gate_load_gs(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	null_selector
gate_broken:
	pop	%rax
	pop	%rdi /* vector */
	pop	%rsi /* error */
	mov	(%rsp), %rdx /* rip */
	mov	%cr2, %rcx
	mov	24(%rsp), %r8 /* rsp */
	mov	desc + DESC_HV_CR3(%rip), %rax
	mov	%rax, %cr3
	mov	desc + DESC_HV_STACK(%rip), %rsp
	cld
	call	hv_broken

absorb_debug:
	mov	$0xffff0ff0, %eax
	mov	%rax, %dr6
	andq	$~0x100, 40(%rsp) /* TF */
	pop	%rax
	add	$16, %rsp
	iretq

refuse_iret:
	pop	%rax
	pop	%r11 /* vector */
	movw	IRQ_OFF_IDLE, irq_and_busy(%rip)
	mov	desc + DESC_KERNEL_GS(%rip), %rcx
	wrgsbase %rcx
	jmp	refuse_with_vector

null_selector: /* repeat the load with a null selector */
	pop	%rax
	xor	%eax, %eax
	add	$16, %rsp
	iretq

/* Device and timer interrupts, IPIs. In ring 0 they come only while the idle loop lets them in. */
interrupt:
	push	%rax
	testb	$3, 32(%rsp)
	jz	interrupt_idle
	push_registers_below_rax
	jmp	to_hypervisor

interrupt_idle:
	push_registers_below_rax
	mov	%rsp, %rdi
	cld
	call	hv_idle_interrupt
	pop_registers
	add	$16, %rsp
	iretq

/*
 * NMI and #MC can come anywhere, between the two CR3 writes of another path too: what was
 * interrupted, CR2 and CR3 are kept in registers that C preserves, for behind the
 * change of root the stack is another one. \handler(rip, cs, rsp, rflags)
 */
.macro unmaskable handler
	push	%rax
	push_registers_below_rax
	mov	%cr3, %rbx
	mov	%cr2, %r12
	mov	120(%rsp), %rdi
	mov	128(%rsp), %rsi
	mov	144(%rsp), %rdx
	mov	136(%rsp), %rcx
	mov	desc + DESC_HV_CR3(%rip), %rax
	mov	%rax, %cr3
	cld
	call	\handler
	mov	%r12, %cr2
	mov	%rbx, %cr3
	pop_registers
	iretq
.endm

nmi:
	unmaskable hv_nmi
machine_check:
	unmaskable hv_machine_check

/* Back to a guest. */
	.globl gate_resume_segments
gate_resume_segments:
	mov	%rdi, %cr3
	mov	%rsi, %rsp
	lldt	%r9w
	mov	%edx, %eax
gate_load_ds:
	mov	%eax, %ds
	shr	$16, %rdx
	mov	%edx, %eax
gate_load_es:
	mov	%eax, %es
	shr	$16, %rdx
	mov	%edx, %eax
gate_load_fs:
	mov	%eax, %fs
	shr	$16, %rdx
	mov	%edx, %eax
gate_load_gs:
	mov	%eax, %gs
	wrfsbase %rcx
	wrgsbase %r8
	jmp	resume_registers

	.globl gate_resume
gate_resume:
	mov	%rdi, %cr3
	mov	%rsi, %rsp
resume_registers:
	pop_registers
	add	$16, %rsp
	iretq

/* One stub for each vector, GATE_VECTOR_STRIDE bytes apart. */
.macro stub vector
	.balign GATE_VECTOR_STRIDE
	.if \vector == 2
	jmp	nmi
	.elseif \vector == 18
	jmp	machine_check
	.elseif \vector == 8
	push	$8
	push	%rax
	jmp	gate_broken
	.else
	.if !(\vector == 10 || \vector == 11 || \vector == 12 || \vector == 13 || \
		\vector == 14 || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
	push	$0
	.endif
	pushq	$\vector
	.if \vector < 32 || \vector == TORC_VECTOR_SYSCALL32
	jmp	exception
	.else
	jmp	interrupt
	.endif
	.endif
.endm

	.balign GATE_VECTOR_STRIDE
	.globl gate_vectors
gate_vectors:
	.set vector_number, 0
	.rept 256
	stub vector_number
	.set vector_number, vector_number + 1
	.endr

/* The hypercall page: the only code of the gate that a guest executes, in ring 1. */
	.section .gate.hypercall, "ax"
call_page:
	.org TORC_CALL_HYPERCALL
	syscall
behind_hypercall:
	ret

	.org TORC_CALL_RETURN_SYSCALL
	syscall
behind_return_syscall:
	ret

	.org TORC_CALL_RETURN
	syscall
behind_return:
	ret

	.org TORC_CALL_EVENTS
	syscall
behind_events:
	ret

	.org TORC_CALL_INVLPG
	syscall
behind_invlpg:
	ret

/* Where an entry goes that the guest never registered: it ends the domain. */
	.globl gate_no_entry
gate_no_entry:
	mov	$TORC_HC_SHUTDOWN, %eax
	mov	$TORC_SHUTDOWN_CRASH, %edi
	mov	$SHUTDOWN_NO_ENTRY, %esi
	jmp	call_page
