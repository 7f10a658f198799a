/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Privileged and sensitive instructions, and what each must do in ring 1 and in ring 3:
 *
 *	RUNS	has an effect on the vCPU alone (carried out by the hypervisor, or harmless)
 *	GP, UD	faults
 *	GP_UD	faults by one or the other, as processor models differ
 *	MAY_GP	faults where the processor has UMIP, else shows an address that is no secret
 *
 * RBX points at 64 bytes that can be written. An instruction that needs other registers loads them.
 */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#define MSR(number) "mov $" #number ", %ecx\n xor %eax, %eax\n xor %edx, %edx\n"
#define ZERO "xor %eax, %eax\n xor %edx, %edx\n"
#define IRET(ss) \
	"mov %rsp, %rdx\n push $" #ss "\n push %rdx\n push $2\n push $8\n push %rbx\n iretq"
#define WORD(value) "movq $" #value ", (%rbx)\n"

/* INSTRUCTION(name, code, ring 1, ring 3) */
#define INSTRUCTIONS                                                                         \
	/* row: mov-cr */                                                                    \
	INSTRUCTION(mov_from_cr0, "mov %cr0, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_from_cr2, "mov %cr2, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_from_cr3, "mov %cr3, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_from_cr4, "mov %cr4, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_from_cr8, "mov %cr8, %rdx", RUNS, GP)                                \
	INSTRUCTION(cr0_paging_off, "mov $0x11, %edx\n mov %rdx, %cr0", GP, GP)              \
	INSTRUCTION(cr0_no_wp, "mov $0x80040033, %edx\n mov %rdx, %cr0", GP, GP)             \
	INSTRUCTION(cr0_no_ne, "mov $0x80050013, %edx\n mov %rdx, %cr0", GP, GP)             \
	INSTRUCTION(mov_to_cr2, "mov %rdx, %cr2", GP, GP)                                    \
	INSTRUCTION(cr3_garbage, "mov $0x123456789000, %rdx\n mov %rdx, %cr3", GP, GP)       \
	INSTRUCTION(cr3_data_page, "lea -1(%rbx), %rdx\n mov %rdx, %cr3", GP, GP)            \
	INSTRUCTION(cr4_zero, "xor %edx, %edx\n mov %rdx, %cr4", GP, GP)                     \
	INSTRUCTION(cr4_all, "mov $-1, %rdx\n mov %rdx, %cr4", GP, GP)                       \
	INSTRUCTION(mov_to_cr8, "mov %rdx, %cr8", GP, GP)                                    \
	INSTRUCTION(mov_from_cr1, ".byte 0x0f, 0x20, 0xca", GP_UD, GP_UD)                    \
	INSTRUCTION(mov_to_cr15, ".byte 0x44, 0x0f, 0x22, 0xfa", GP_UD, GP_UD)               \
	/* row: mov-dr */                                                                    \
	INSTRUCTION(mov_from_dr0, "mov %dr0, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_from_dr6, "mov %dr6, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_from_dr7, "mov %dr7, %rdx", RUNS, GP)                                \
	INSTRUCTION(mov_to_dr0, "xor %edx, %edx\n mov %rdx, %dr0", RUNS, GP)                 \
	INSTRUCTION(dr0_in_gate, "mov $0xffff800000000000, %rdx\n mov %rdx, %dr0", GP, GP)   \
	INSTRUCTION(dr7_detect, "mov $0x2400, %edx\n mov %rdx, %dr7", GP, GP)                \
	INSTRUCTION(mov_from_dr5, "mov %dr5, %rdx", GP_UD, GP_UD)                            \
	/* row: clts-lmsw */                                                                 \
	INSTRUCTION(clts, "clts", RUNS, GP)                                                  \
	INSTRUCTION(lmsw, "mov $0xf, %edx\n lmsw %dx", GP, GP)                               \
	/* row: load-tables */                                                               \
	INSTRUCTION(lgdt, "lgdt (%rbx)", GP, GP)                                             \
	INSTRUCTION(lidt, "lidt (%rbx)", GP, GP)                                             \
	INSTRUCTION(lldt, "xor %edx, %edx\n lldt %dx", GP, GP)                               \
	INSTRUCTION(ltr, "mov $0x40, %edx\n ltr %dx", GP, GP)                                \
	/* row: store-tables */                                                              \
	INSTRUCTION(sgdt, "sgdt (%rbx)", MAY_GP, MAY_GP)                                     \
	INSTRUCTION(sidt, "sidt (%rbx)", MAY_GP, MAY_GP)                                     \
	INSTRUCTION(sldt, "sldt %edx", MAY_GP, MAY_GP)                                       \
	INSTRUCTION(str, "str %edx", MAY_GP, MAY_GP)                                         \
	INSTRUCTION(smsw, "smsw %edx", MAY_GP, MAY_GP)                                       \
	/* row: caches */                                                                    \
	INSTRUCTION(invlpg, "invlpg (%rbx)", RUNS, GP)                                       \
	INSTRUCTION(invd, "invd", RUNS, GP)                                                  \
	INSTRUCTION(wbinvd, "wbinvd", RUNS, GP)                                              \
	INSTRUCTION(invpcid, "xor %eax, %eax\n invpcid (%rbx), %rax", GP_UD, GP_UD)          \
	/* row: halt */                                                                      \
	INSTRUCTION(hlt, "hlt", RUNS, GP)                                                    \
	/* row: msr */                                                                       \
	INSTRUCTION(rdmsr_efer, MSR(0xc0000080) "rdmsr", RUNS, GP)                           \
	INSTRUCTION(rdmsr_apic, MSR(0x1b) "rdmsr", GP, GP)                                   \
	INSTRUCTION(rdmsr_lstar, MSR(0xc0000082) "rdmsr", GP, GP)                            \
	INSTRUCTION(wrmsr_efer, MSR(0xc0000080) "wrmsr", GP, GP)                             \
	INSTRUCTION(wrmsr_star, MSR(0xc0000081) "wrmsr", GP, GP)                             \
	INSTRUCTION(wrmsr_lstar, MSR(0xc0000082) "wrmsr", GP, GP)                            \
	INSTRUCTION(wrmsr_sysenter, MSR(0x174) "wrmsr", GP, GP)                              \
	INSTRUCTION(wrmsr_kernel_gs,                                                         \
		    MSR(0xc0000102) "mov $0x8000, %edx\n wrmsr", GP, GP)                     \
	INSTRUCTION(rdpmc, "xor %ecx, %ecx\n rdpmc", GP, GP)                                 \
	/* row: ports */                                                                     \
	INSTRUCTION(in_byte, "in $0x64, %al", RUNS, GP)                                      \
	INSTRUCTION(in_dx, "mov $0xcf8, %edx\n in %dx, %eax", RUNS, GP)                      \
	INSTRUCTION(out_byte, "mov $0xfe, %eax\n out %al, $0x64", RUNS, GP)                  \
	INSTRUCTION(out_dx, "mov $0xcf9, %edx\n mov $6, %eax\n out %al, %dx", RUNS, GP)      \
	INSTRUCTION(out_pic, "xor %eax, %eax\n out %al, $0x21", RUNS, GP)                    \
	INSTRUCTION(insb, "mov %rbx, %rdi\n mov $0x3f8, %edx\n insb", GP, GP)                \
	INSTRUCTION(outsb, "mov %rbx, %rsi\n mov $0x3f8, %edx\n outsb", GP, GP)              \
	/* row: interrupt-flag */                                                            \
	INSTRUCTION(cli, "cli", RUNS, GP)                                                    \
	INSTRUCTION(sti, "sti", RUNS, GP)                                                    \
	/* row: swapgs */                                                                    \
	INSTRUCTION(swapgs, "swapgs", GP, GP)                                                \
	/* row: fast-returns */                                                              \
	INSTRUCTION(sysretq, "sysretq", GP, GP)                                              \
	INSTRUCTION(sysretl, "sysretl", GP, GP)                                              \
	INSTRUCTION(sysexit, "sysexit", GP_UD, GP_UD)                                           \
	INSTRUCTION(sysexitq, ".byte 0x48, 0x0f, 0x35", GP_UD, GP_UD)                        \
	/* row: sysenter */                                                                  \
	INSTRUCTION(sysenter, "sysenter", GP_UD, GP_UD)                                      \
	/* row: xsetbv */                                                                    \
	INSTRUCTION(xsetbv_zero, MSR(0) "xsetbv", GP_UD, GP_UD)                              \
	INSTRUCTION(xsetbv_amx, MSR(0) "mov $0x60003, %eax\n xsetbv", GP_UD, GP_UD)          \
	INSTRUCTION(xsetbv_one, MSR(1) "xsetbv", GP_UD, GP_UD)                               \
	/* row: undefined */                                                                 \
	INSTRUCTION(stac, "stac", UD, UD)                                                    \
	INSTRUCTION(clac, "clac", UD, UD)                                                    \
	INSTRUCTION(monitor, "mov %rbx, %rax\n xor %ecx, %ecx\n monitor", UD, UD)            \
	INSTRUCTION(mwait, "xor %eax, %eax\n xor %ecx, %ecx\n mwait", UD, UD)                \
	INSTRUCTION(rsm, "rsm", UD, UD)                                                      \
	/* row: virtualization */                                                            \
	INSTRUCTION(vmcall, "vmcall", GP_UD, GP_UD)                                          \
	INSTRUCTION(vmxon, "vmxon (%rbx)", GP_UD, GP_UD)                                     \
	INSTRUCTION(vmlaunch, "vmlaunch", GP_UD, GP_UD)                                      \
	INSTRUCTION(vmptrld, "vmptrld (%rbx)", GP_UD, GP_UD)                                 \
	INSTRUCTION(invept, "xor %eax, %eax\n invept (%rbx), %rax", GP_UD, GP_UD)            \
	INSTRUCTION(vmrun, "xor %eax, %eax\n vmrun", GP_UD, GP_UD)                           \
	INSTRUCTION(vmload, "xor %eax, %eax\n vmload", GP_UD, GP_UD)                         \
	INSTRUCTION(vmsave, "xor %eax, %eax\n vmsave", GP_UD, GP_UD)                         \
	INSTRUCTION(stgi, "stgi", GP_UD, GP_UD)                                              \
	INSTRUCTION(clgi, "clgi", GP_UD, GP_UD)                                              \
	INSTRUCTION(skinit, "xor %eax, %eax\n skinit", GP_UD, GP_UD)                         \
	INSTRUCTION(invlpga, "xor %eax, %eax\n xor %ecx, %ecx\n invlpga", GP_UD, GP_UD)      \
	INSTRUCTION(getsec, "xor %eax, %eax\n getsec", GP_UD, GP_UD)                         \
	INSTRUCTION(encls, "xor %eax, %eax\n encls", GP_UD, GP_UD)                           \
	/* row: supervisor-state */                                                          \
	INSTRUCTION(xsaves, ZERO ".byte 0x0f, 0xc7, 0x2b", GP_UD, GP_UD)                    \
	INSTRUCTION(xrstors, ZERO ".byte 0x0f, 0xc7, 0x1b", GP_UD, GP_UD)                   \
	INSTRUCTION(wrpkru, "xor %ecx, %ecx\n xor %edx, %edx\n xor %eax, %eax\n wrpkru", UD, UD) \
	/* row: interrupts */                                                                \
	INSTRUCTION(int_nmi, "int $2", GP, GP)                                               \
	INSTRUCTION(int_double_fault, "int $8", GP, GP)                                      \
	INSTRUCTION(int_page_fault, "int $14", GP, GP)                                       \
	INSTRUCTION(int_machine_check, "int $18", GP, GP)                                    \
	INSTRUCTION(int_device, "int $0x20", GP, GP)                                         \
	INSTRUCTION(int_ipi, "int $0xff", GP, GP)                                            \
	/* row: ring0-selectors */                                                           \
	INSTRUCTION(ds_ring0, "mov $0x10, %edx\n mov %edx, %ds", GP, GP)                     \
	INSTRUCTION(es_tss, "mov $0x40, %edx\n mov %edx, %es", GP, GP)                       \
	INSTRUCTION(fs_beyond, "mov $0x80, %edx\n mov %edx, %fs", GP, GP)                    \
	INSTRUCTION(gs_ring1, "mov $0x50, %edx\n mov %edx, %gs", GP, GP)                     \
	INSTRUCTION(ss_ring0, "mov $0x10, %edx\n mov %edx, %ss", GP, GP)                     \
	INSTRUCTION(jump_ring0, WORD(0x100000) "movw $8, 4(%rbx)\n ljmp *(%rbx)", GP, GP)    \
	INSTRUCTION(jump_tss, WORD(0) "movw $0x40, 4(%rbx)\n ljmp *(%rbx)", GP, GP)          \
	INSTRUCTION(call_ring0, WORD(0x100000) "movw $8, 4(%rbx)\n lcall *(%rbx)", GP, GP)   \
	INSTRUCTION(retf_ring0, "push $8\n push %rbx\n lretq", GP, GP)                       \
	INSTRUCTION(iret_ring0, IRET(0x10), GP, GP)                                          \
	INSTRUCTION(iret_ring0_null_ss, IRET(0), GP, GP)

#endif
