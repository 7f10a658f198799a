/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * From the boot loader to C. A multiboot loader (QEMU's -kernel with version 1, GRUB with
 * version 2) enters in 32-bit protected mode without paging, EAX holding its magic and EBX the
 * address of its information. This code checks that the processor has 64-bit mode and NX, maps the
 * first 4 GiB with 2 MiB pages three times - where they are, at IMAGE_BASE (the first GiB) and at
 * DIRECT_BASE - and jumps up. These tables serve until hv_root_init() has built better ones.
 */
#include "layout.h"
#include "cpu.h"

#define MB1_MAGIC	0x1badb002
#define MB1_FLAGS	0x00000003	/* modules page aligned; memory map wanted */
#define MB2_MAGIC	0xe85250d6

#define COM1		0x3f8
#define PHYS(symbol)	((symbol) - IMAGE_BASE)
#define TABLE_PW	3		/* present, writable */
#define LARGE_PW	0x83
#define BOOT_CS		0x08

	.section .boot.header, "a"
	.balign 4
	.long	MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

	.balign 8
multiboot2_header:
	.long	MB2_MAGIC, 0, multiboot2_header_end - multiboot2_header
	.long	-(MB2_MAGIC + (multiboot2_header_end - multiboot2_header))
	.short	0, 0			/* end tag */
	.long	8
multiboot2_header_end:

/* Entries of @table: EAX, and @step more each. */
	.macro	fill_table table, count, step
	movl	$PHYS(\table), %ebx
	movl	$\count, %ecx
1:	movl	%eax, (%ebx)
	addl	$8, %ebx
	addl	$\step, %eax
	loop	1b
	.endm

	.section .boot.text, "ax"
	.code32
	.globl	_start
_start:
	cli
	cld
	movl	$PHYS(boot_stack_top), %esp
	movl	%eax, %esi
	movl	%ebx, %edi

	/* CPUID exists if the ID flag can be changed. */
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$RFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	xorl	%ecx, %eax
	movl	$message_long_mode, %ebp
	testl	$RFLAGS_ID, %eax
	jz	refuse

	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	refuse
	movl	$0x80000001, %eax
	cpuid
	testl	$1 << 29, %edx		/* long mode */
	jz	refuse
	movl	$message_nx, %ebp
	testl	$1 << 20, %edx		/* NX */
	jz	refuse

	/* Four L2 tables map 4 GiB; the loader has zeroed .bss, where all tables are. */
	movl	$LARGE_PW, %eax
	fill_table boot_l2, 2048, CHUNK_SIZE

	movl	$PHYS(boot_l2) + TABLE_PW, %eax
	movl	%eax, PHYS(boot_l3_image) + 8	/* IMAGE_BASE is 1 GiB into its slot */
	fill_table boot_l3_low, 4, PAGE_SIZE

	movl	$PHYS(boot_l3_low) + TABLE_PW, %eax
	movl	%eax, PHYS(boot_l4)
	movl	%eax, PHYS(boot_l4) + DIRECT_SLOT * 8
	movl	$PHYS(boot_l3_image) + TABLE_PW, %eax
	movl	%eax, PHYS(boot_l4) + HV_SLOT * 8

	xorl	%ebp, %ebp		/* the first CPU; ap.S comes with 1 */
	.globl	enter_long_mode
enter_long_mode:
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_l4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	xorl	%edx, %edx
	movl	$EFER_LME | EFER_NXE, %eax
	wrmsr
	movl	$CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE, %eax
	movl	%eax, %cr0
	lgdt	boot_gdt_low_pointer
	ljmp	$BOOT_CS, $long_mode

	/* One line on COM1, from EBP, and that was it. */
refuse:
	movl	$uart_setup, %ebx
	movl	$UART_STEPS, %ecx
1:	movw	(%ebx), %dx
	movb	2(%ebx), %al
	outb	%al, %dx
	addl	$3, %ebx
	loop	1b
2:	movb	(%ebp), %ah
	incl	%ebp
	testb	%ah, %ah
	jz	4f
	movl	$1000000, %ecx
	movw	$COM1 + 5, %dx
3:	inb	%dx, %al
	testb	$0x20, %al		/* room for a byte? */
	loopz	3b
	movb	%ah, %al
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	2b
4:	hlt
	jmp	4b

	.code64
long_mode:
	movabsq	$boot_high, %rax
	jmp	*%rax

	.section .boot.rodata, "a"
	.balign 8
	.globl	boot_gdt
boot_gdt:	/* accessed bits are set: the processor never writes it */
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code, ring 0 */
	.quad	0x00cf9b000000ffff	/* 32-bit code and data, for ap.S */
	.quad	0x00cf93000000ffff
boot_gdt_low_pointer:
	.short	. - boot_gdt - 1
	.long	boot_gdt

	/* 115200 baud, 8n1, FIFO on: port, value. */
	.macro	uart_step offset, value
	.short	COM1 + \offset
	.byte	\value
	.endm
	.equ	UART_STEPS, 6
uart_setup:
	uart_step 1, 0x00
	uart_step 3, 0x80
	uart_step 0, 0x01
	uart_step 1, 0x00
	uart_step 3, 0x03
	uart_step 2, 0x07

message_long_mode:
	.asciz	"torc: panic: this processor has no 64-bit mode\r\n"
message_nx:
	.asciz	"torc: panic: this processor lacks NX (no-execute pages)\r\n"

	.text
boot_high:
	lgdt	boot_gdt_pointer(%rip)
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	testl	%ebp, %ebp
	jnz	ap_high
	leaq	boot_stack_top(%rip), %rsp
	xchgl	%esi, %edi		/* boot_main(magic, address) */
	call	boot_main
	ud2

	.section .rodata
	.balign 8
boot_gdt_pointer:			/* by the direct map, which stays */
	.short	boot_gdt_low_pointer - boot_gdt - 1
	.quad	boot_gdt + DIRECT_BASE

	.balign 8
	.globl	gate_text_phys, gate_hypercall_phys
gate_text_phys:
	.quad	__gate_text_phys
gate_hypercall_phys:
	.quad	__gate_hypercall_phys

	.section .bss.page_aligned, "aw", @nobits
	.balign PAGE_SIZE
boot_l4:
	.skip	PAGE_SIZE
boot_l3_low:
	.skip	PAGE_SIZE
boot_l3_image:
	.skip	PAGE_SIZE
boot_l2:
	.skip	4 * PAGE_SIZE
	.globl	boot_stack_guard, boot_stack_top
boot_stack_guard:			/* a page that hv_root_init() leaves unmapped */
	.skip	PAGE_SIZE
	.skip	4 * PAGE_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
