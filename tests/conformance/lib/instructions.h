/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The privileged and sensitive instructions, each with code that executes it. What must happen in
 * ring 1 and in ring 3 is what <torc/instructions.h> says of the table's row that is named here;
 * where that depends on the operand,
 *
 *	ALLOWED	is one with an operand that a guest may use
 *	REFUSED	is one with another, and the fault that it must raise in both rings
 *
 * RBX points at 64 bytes that can be written. An instruction that needs other registers loads them.
 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include <torc/instructions.h>

#define MSR(number) "mov $" #number ", %ecx\n xor %eax, %eax\n xor %edx, %edx\n"
#define ZERO "xor %eax, %eax\n xor %edx, %edx\n"
#define IRET(ss) \
	"mov %rsp, %rdx\n push $" #ss "\n push %rdx\n push $2\n push $8\n push %rbx\n iretq"
#define WORD(value) "movq $" #value ", (%rbx)\n"

/* INSTRUCTION(name, row, code), ALLOWED(name, row, code), REFUSED(name, row, fault, code) */
#define INSTRUCTIONS \
	/* row: mov-cr */ \
	ALLOWED(mov_from_cr0, MOV_FROM_CR, "mov %cr0, %rdx") \
	ALLOWED(mov_from_cr2, MOV_FROM_CR, "mov %cr2, %rdx") \
	ALLOWED(mov_from_cr3, MOV_FROM_CR, "mov %cr3, %rdx") \
	ALLOWED(mov_from_cr4, MOV_FROM_CR, "mov %cr4, %rdx") \
	ALLOWED(mov_from_cr8, MOV_FROM_CR, "mov %cr8, %rdx") \
	REFUSED(cr0_paging_off, MOV_TO_CR, GP, "mov $0x11, %edx\n mov %rdx, %cr0") \
	REFUSED(cr0_no_wp, MOV_TO_CR, GP, "mov $0x80040033, %edx\n mov %rdx, %cr0") \
	REFUSED(cr0_no_ne, MOV_TO_CR, GP, "mov $0x80050013, %edx\n mov %rdx, %cr0") \
	REFUSED(mov_to_cr2, MOV_TO_CR, GP, "mov %rdx, %cr2") \
	REFUSED(cr3_garbage, MOV_TO_CR, GP, "mov $0x123456789000, %rdx\n mov %rdx, %cr3") \
	REFUSED(cr3_data_page, MOV_TO_CR, GP, "lea -1(%rbx), %rdx\n mov %rdx, %cr3") \
	REFUSED(cr4_zero, MOV_TO_CR, GP, "xor %edx, %edx\n mov %rdx, %cr4") \
	REFUSED(cr4_all, MOV_TO_CR, GP, "mov $-1, %rdx\n mov %rdx, %cr4") \
	REFUSED(mov_to_cr8, MOV_TO_CR, GP, "mov %rdx, %cr8") \
	REFUSED(mov_from_cr1, MOV_FROM_CR, GP_UD, ".byte 0x0f, 0x20, 0xca") \
	REFUSED(mov_to_cr15, MOV_TO_CR, GP_UD, ".byte 0x44, 0x0f, 0x22, 0xfa") \
	/* row: mov-dr */ \
	ALLOWED(mov_from_dr0, MOV_FROM_DR, "mov %dr0, %rdx") \
	ALLOWED(mov_from_dr6, MOV_FROM_DR, "mov %dr6, %rdx") \
	ALLOWED(mov_from_dr7, MOV_FROM_DR, "mov %dr7, %rdx") \
	ALLOWED(mov_to_dr0, MOV_TO_DR, "xor %edx, %edx\n mov %rdx, %dr0") \
	REFUSED(dr0_in_gate, MOV_TO_DR, GP, "mov $0xffff800000000000, %rdx\n mov %rdx, %dr0") \
	REFUSED(dr7_detect, MOV_TO_DR, GP, "mov $0x2400, %edx\n mov %rdx, %dr7") \
	REFUSED(mov_from_dr5, MOV_FROM_DR, GP_UD, "mov %dr5, %rdx") \
	/* row: clts-lmsw */ \
	INSTRUCTION(clts, CLTS, "clts") \
	INSTRUCTION(lmsw, LMSW, "mov $0xf, %edx\n lmsw %dx") \
	/* row: load-tables */ \
	INSTRUCTION(lgdt, LGDT, "lgdt (%rbx)") \
	INSTRUCTION(lidt, LIDT, "lidt (%rbx)") \
	INSTRUCTION(lldt, LLDT, "xor %edx, %edx\n lldt %dx") \
	INSTRUCTION(ltr, LTR, "mov $0x40, %edx\n ltr %dx") \
	/* row: store-tables */ \
	INSTRUCTION(sgdt, STORE_TABLE, "sgdt (%rbx)") \
	INSTRUCTION(sidt, STORE_TABLE, "sidt (%rbx)") \
	INSTRUCTION(sldt, STORE_TABLE, "sldt %edx") \
	INSTRUCTION(str, STORE_TABLE, "str %edx") \
	INSTRUCTION(smsw, STORE_TABLE, "smsw %edx") \
	/* row: caches */ \
	INSTRUCTION(invlpg, INVLPG, "invlpg (%rbx)") \
	INSTRUCTION(invd, INVD, "invd") \
	INSTRUCTION(wbinvd, WBINVD, "wbinvd") \
	INSTRUCTION(invpcid, INVPCID, "xor %eax, %eax\n invpcid (%rbx), %rax") \
	/* row: halt */ \
	INSTRUCTION(hlt, HLT, "hlt") \
	/* row: msr */ \
	ALLOWED(rdmsr_efer, RDMSR, MSR(0xc0000080) "rdmsr") \
	REFUSED(rdmsr_apic, RDMSR, GP, MSR(0x1b) "rdmsr") \
	REFUSED(rdmsr_lstar, RDMSR, GP, MSR(0xc0000082) "rdmsr") \
	REFUSED(wrmsr_efer, WRMSR, GP, MSR(0xc0000080) "wrmsr") \
	REFUSED(wrmsr_star, WRMSR, GP, MSR(0xc0000081) "wrmsr") \
	REFUSED(wrmsr_lstar, WRMSR, GP, MSR(0xc0000082) "wrmsr") \
	REFUSED(wrmsr_sysenter, WRMSR, GP, MSR(0x174) "wrmsr") \
	REFUSED(wrmsr_kernel_gs, WRMSR, GP, MSR(0xc0000102) "mov $0x8000, %edx\n wrmsr") \
	INSTRUCTION(rdpmc, RDPMC, "xor %ecx, %ecx\n rdpmc") \
	/* row: ports */ \
	INSTRUCTION(in_byte, IN, "in $0x64, %al") \
	INSTRUCTION(in_dx, IN, "mov $0xcf8, %edx\n in %dx, %eax") \
	INSTRUCTION(out_byte, OUT, "mov $0xfe, %eax\n out %al, $0x64") \
	INSTRUCTION(out_dx, OUT, "mov $0xcf9, %edx\n mov $6, %eax\n out %al, %dx") \
	INSTRUCTION(out_pic, OUT, "xor %eax, %eax\n out %al, $0x21") \
	INSTRUCTION(insb, INS, "mov %rbx, %rdi\n mov $0x3f8, %edx\n insb") \
	INSTRUCTION(outsb, OUTS, "mov %rbx, %rsi\n mov $0x3f8, %edx\n outsb") \
	/* row: interrupt-flag */ \
	INSTRUCTION(cli, CLI, "cli") \
	INSTRUCTION(sti, STI, "sti") \
	/* row: swapgs */ \
	INSTRUCTION(swapgs, SWAPGS, "swapgs") \
	/* row: fast-returns */ \
	INSTRUCTION(sysretq, SYSRET, "sysretq") \
	INSTRUCTION(sysretl, SYSRET, "sysretl") \
	INSTRUCTION(sysexit, SYSEXIT, "sysexitl") \
	INSTRUCTION(sysexitq, SYSEXIT, ".byte 0x48, 0x0f, 0x35") \
	/* row: sysenter */ \
	INSTRUCTION(sysenter, SYSENTER, "sysenter") \
	/* row: xsetbv */ \
	REFUSED(xsetbv_zero, XSETBV, GP_UD, MSR(0) "xsetbv") \
	REFUSED(xsetbv_amx, XSETBV, GP_UD, MSR(0) "mov $0x60003, %eax\n xsetbv") \
	REFUSED(xsetbv_one, XSETBV, GP_UD, MSR(1) "xsetbv") \
	/* row: undefined */ \
	INSTRUCTION(stac, SMAP, "stac") \
	INSTRUCTION(clac, SMAP, "clac") \
	INSTRUCTION(monitor, MONITOR, "mov %rbx, %rax\n xor %ecx, %ecx\n monitor") \
	INSTRUCTION(mwait, MONITOR, "xor %eax, %eax\n xor %ecx, %ecx\n mwait") \
	INSTRUCTION(rsm, RSM, "rsm") \
	/* row: virtualization */ \
	INSTRUCTION(vmcall, VMX, "vmcall") \
	INSTRUCTION(vmxon, VMX, "vmxon (%rbx)") \
	INSTRUCTION(vmlaunch, VMX, "vmlaunch") \
	INSTRUCTION(vmptrld, VMX, "vmptrld (%rbx)") \
	INSTRUCTION(invept, VMX, "xor %eax, %eax\n invept (%rbx), %rax") \
	INSTRUCTION(vmrun, SVM, "xor %eax, %eax\n vmrun") \
	INSTRUCTION(vmload, SVM, "xor %eax, %eax\n vmload") \
	INSTRUCTION(vmsave, SVM, "xor %eax, %eax\n vmsave") \
	INSTRUCTION(stgi, SVM, "stgi") \
	INSTRUCTION(clgi, SVM, "clgi") \
	INSTRUCTION(skinit, SVM, "xor %eax, %eax\n skinit") \
	INSTRUCTION(invlpga, SVM, "xor %eax, %eax\n xor %ecx, %ecx\n invlpga") \
	INSTRUCTION(getsec, ENCLAVES, "xor %eax, %eax\n getsec") \
	INSTRUCTION(encls, ENCLAVES, "xor %eax, %eax\n encls") \
	/* row: newer */ \
	INSTRUCTION(setssbsy, NEWER, ".byte 0xf3, 0x0f, 0x01, 0xe8") \
	INSTRUCTION(stui, NEWER, ".byte 0xf3, 0x0f, 0x01, 0xef") \
	INSTRUCTION(clui, NEWER, ".byte 0xf3, 0x0f, 0x01, 0xee") \
	INSTRUCTION(lkgs, NEWER, ".byte 0xf2, 0x0f, 0x00, 0xf0") \
	INSTRUCTION(erets, NEWER, ".byte 0xf2, 0x0f, 0x01, 0xca") \
	INSTRUCTION(wrmsrns, NEWER, ".byte 0x0f, 0x01, 0xc6") \
	INSTRUCTION(hreset, NEWER, ".byte 0xf3, 0x0f, 0x3a, 0xf0, 0xc0, 0") \
	/* row: supervisor-state */ \
	INSTRUCTION(xsaves, SUPERVISOR_STATE, ZERO ".byte 0x0f, 0xc7, 0x2b") \
	INSTRUCTION(xrstors, SUPERVISOR_STATE, ZERO ".byte 0x0f, 0xc7, 0x1b") \
	INSTRUCTION(rdpkru, PROTECTION_KEYS, "xor %ecx, %ecx\n rdpkru") \
	INSTRUCTION(wrpkru, PROTECTION_KEYS, ZERO "xor %ecx, %ecx\n wrpkru") \
	/* row: interrupts */ \
	REFUSED(int_nmi, INT, GP, "int $2") \
	REFUSED(int_double_fault, INT, GP, "int $8") \
	REFUSED(int_page_fault, INT, GP, "int $14") \
	REFUSED(int_machine_check, INT, GP, "int $18") \
	REFUSED(int_device, INT, GP, "int $0x20") \
	REFUSED(int_ipi, INT, GP, "int $0xff") \
	/* row: ring0-selectors */ \
	ALLOWED(ds_itself, LOAD_SEGMENT, "mov %ds, %edx\n mov %edx, %ds") \
	REFUSED(ds_ring0, LOAD_SEGMENT, GP, "mov $0x10, %edx\n mov %edx, %ds") \
	REFUSED(es_tss, LOAD_SEGMENT, GP, "mov $0x40, %edx\n mov %edx, %es") \
	REFUSED(fs_beyond, LOAD_SEGMENT, GP, "mov $0x80, %edx\n mov %edx, %fs") \
	REFUSED(gs_ring1, LOAD_SEGMENT, GP, "mov $0x50, %edx\n mov %edx, %gs") \
	REFUSED(ss_ring0, LOAD_SEGMENT, GP, "mov $0x10, %edx\n mov %edx, %ss") \
	REFUSED(jump_ring0, FAR_TRANSFER, GP, WORD(0x100000) "movw $8, 4(%rbx)\n ljmp *(%rbx)") \
	REFUSED(jump_tss, FAR_TRANSFER, GP, WORD(0) "movw $0x40, 4(%rbx)\n ljmp *(%rbx)") \
	REFUSED(call_ring0, FAR_TRANSFER, GP, WORD(0x100000) "movw $8, 4(%rbx)\n lcall *(%rbx)") \
	REFUSED(retf_ring0, FAR_TRANSFER, GP, "push $8\n push %rbx\n lretq") \
	REFUSED(iret_ring0, IRET, GP, IRET(0x10)) \
	REFUSED(iret_ring0_null_ss, IRET, GP, IRET(0)) \
	/* row: unprivileged */ \
	INSTRUCTION(flags, PUSHF_POPF, "pushf\n popf") \
	INSTRUCTION(lar, CHECK_SELECTOR, "mov $0x2b, %edx\n lar %edx, %eax\n lsl %edx, %eax") \
	INSTRUCTION(verr, CHECK_SELECTOR, "mov $0x2b, %edx\n verr %dx\n verw %dx") \
	INSTRUCTION(cpuid, CPUID, ZERO "mov %rbx, %rsi\n cpuid\n mov %rsi, %rbx") \
	INSTRUCTION(rdtsc, RDTSC, "rdtsc") \
	INSTRUCTION(rdtscp, RDTSCP, "rdtscp") \
	INSTRUCTION(rdpid, RDTSCP, "rdpid %rax") \
	INSTRUCTION(xgetbv, XGETBV, "xor %ecx, %ecx\n xgetbv") \
	INSTRUCTION(fs_base, FSGSBASE, "rdfsbase %rdx\n wrfsbase %rdx") \
	INSTRUCTION(gs_base, FSGSBASE, "rdgsbase %rdx\n wrgsbase %rdx")

#endif
