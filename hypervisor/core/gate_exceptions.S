/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The gate's other ways in: exceptions, interrupts, NMI and #MC. The rules are told in gate.S.
 */
#include "gate_asm.h"

	.section .gate.text, "ax"

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
	pop_frame sync
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
	pop_frame double_fault
	ENTER(TORC_ENTRY_DOUBLE_FAULT)

/*
 * The guest cannot take another frame: its end. #DB comes on a stack of its own, so move the
 * frame.
 */
reflect_impossible:
	movq	$VECTOR_TRIPLE, 8(%rsp)
	mov	%rsp, %rax
	lea	entry_top(%rip), %rsp
	.irp	offset, 56, 48, 40, 32, 24, 16, 8, 0
	push	\offset(%rax)
	.endr
exception_to_hypervisor:
	push_registers_below_rax
	jmp	to_hypervisor

/* A fault at \place is expected: \routine mends it. */
.macro fixup place, routine
	lea	\place(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	\routine
.endm

/*
 * A fault in ring 0. #DB is what a guest can arrange (MOV SS or a breakpoint before SYSCALL):
 * absorb it. IRETQ to a guest's bad selector is a refusal; IRETQ to where a guest was interrupted
 * is the guest's own fault when that is behind an edge. All else ends the hypervisor.
 */
exception_ring0:
	cmpl	$1, 8(%rsp)
	je	absorb_debug
	fixup gate_iret_user, refuse_iret
	fixup gate_iret_resume, reflect_iret
	.irp	register, ds, es, fs, gs
	fixup gate_load_\register, null_selector
	.endr
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

reflect_iret: /* the frame that IRETQ did not take becomes that of the guest's fault */
	pop	%rax
	lea	entry_top - IRET_FRAME(%rip), %rsp
	push	$0
	push	$13
	jmp	exception

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
 * change of root the stack is another one. \handler(rip, cs, rsp, rflags, registers), the last
 * of use only where the hypervisor's root was in force already.
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
	mov	%rsp, %r8
	mov	desc + DESC_HV_CR3(%rip), %rax
	mov	%rax, %cr3
	cld
	call	\handler
.endm

machine_check:
	unmaskable hv_machine_check

nmi:
	unmaskable hv_nmi
	mov	%r12, %cr2
	mov	%rbx, %cr3
	testb	$3, 128(%rsp) /* CS */
	jnz	nmi_leave_guest
	pop_registers
	iretq

/*
 * IRETQ to a guest may fault, and the fault would allow the next NMI while this one's stack is in
 * use. So it leaves from the entry stack, which is free when a guest was interrupted, or from its
 * alias for a 16-bit stack segment.
 */
nmi_leave_guest:
	.irp	offset, 0, 8, 16, 24, 32
	mov	120 + \offset(%rsp), %rax
	mov	%rax, entry_top - IRET_FRAME + \offset(%rip)
	.endr
	lea	entry_top - IRET_FRAME(%rip), %rcx
	testb	$SELECTOR_GUESTS, 152(%rsp) /* SS */
	jz	1f
	mov	144(%rsp), %eax /* RSP */
	alias_stack %rcx, %rax
1:	mov	%rcx, scratch(%rip)
	pop_registers
	mov	scratch(%rip), %rsp
	jmp	gate_iret_resume

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
