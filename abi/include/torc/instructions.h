/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/* Made from abi/instructions.tbl by abi/generate.awk: edit that table. */
#ifndef TORC_INSTRUCTIONS_H
#define TORC_INSTRUCTIONS_H

/* Numbers of the census. 0 stands for what did not fit in it. */
#define TORC_INSN_CLI 1
#define TORC_INSN_STI 2
#define TORC_INSN_HLT 3
#define TORC_INSN_CLTS 4
#define TORC_INSN_LMSW 5
#define TORC_INSN_MOV_FROM_CR 6
#define TORC_INSN_MOV_TO_CR 7
#define TORC_INSN_MOV_FROM_DR 8
#define TORC_INSN_MOV_TO_DR 9
#define TORC_INSN_RDMSR 10
#define TORC_INSN_WRMSR 11
#define TORC_INSN_RDPMC 12
#define TORC_INSN_XSETBV 13
#define TORC_INSN_IN 14
#define TORC_INSN_OUT 15
#define TORC_INSN_INS 16
#define TORC_INSN_OUTS 17
#define TORC_INSN_INVD 18
#define TORC_INSN_WBINVD 19
#define TORC_INSN_INVLPG 20
#define TORC_INSN_INVPCID 21
#define TORC_INSN_LGDT 22
#define TORC_INSN_LIDT 23
#define TORC_INSN_LLDT 24
#define TORC_INSN_LTR 25
#define TORC_INSN_SWAPGS 26
#define TORC_INSN_SYSRET 27
#define TORC_INSN_SYSEXIT 28
#define TORC_INSN_PUSHF_POPF 29
#define TORC_INSN_IRET 30
#define TORC_INSN_FAR_TRANSFER 31
#define TORC_INSN_LOAD_SEGMENT 32
#define TORC_INSN_INT 33
#define TORC_INSN_SYSCALL 34
#define TORC_INSN_SYSENTER 35
#define TORC_INSN_STORE_TABLE 36
#define TORC_INSN_CHECK_SELECTOR 37
#define TORC_INSN_CPUID 38
#define TORC_INSN_RDTSC 39
#define TORC_INSN_RDTSCP 40
#define TORC_INSN_XGETBV 41
#define TORC_INSN_FSGSBASE 42
#define TORC_INSN_PROTECTION_KEYS 43
#define TORC_INSN_SMAP 44
#define TORC_INSN_MONITOR 45
#define TORC_INSN_RSM 46
#define TORC_INSN_SUPERVISOR_STATE 47
#define TORC_INSN_VMX 48
#define TORC_INSN_SVM 49
#define TORC_INSN_ENCLAVES 50
#define TORC_INSN_NEWER 51
#define TORC_INSN_COUNT 52

/* X(id, what it does in ring 1, in ring 3, name); instructions.tbl explains the outcomes. */
#define TORC_INSTRUCTIONS(X) \
	X(CLI, EMULATED, GP, "cli") \
	X(STI, EMULATED, GP, "sti") \
	X(HLT, EMULATED, GP, "hlt") \
	X(CLTS, EMULATED, GP, "clts") \
	X(LMSW, GP, GP, "lmsw") \
	X(MOV_FROM_CR, CHECKED, GP, "mov from cr") \
	X(MOV_TO_CR, CHECKED, GP, "mov to cr") \
	X(MOV_FROM_DR, CHECKED, GP, "mov from dr") \
	X(MOV_TO_DR, CHECKED, GP, "mov to dr") \
	X(RDMSR, CHECKED, GP, "rdmsr") \
	X(WRMSR, CHECKED, GP, "wrmsr") \
	X(RDPMC, GP, GP, "rdpmc") \
	X(XSETBV, CHECKED, GP_UD, "xsetbv") \
	X(IN, EMULATED, GP, "in") \
	X(OUT, EMULATED, GP, "out") \
	X(INS, GP, GP, "ins") \
	X(OUTS, GP, GP, "outs") \
	X(INVD, EMULATED, GP, "invd") \
	X(WBINVD, EMULATED, GP, "wbinvd") \
	X(INVLPG, EMULATED, GP, "invlpg") \
	X(INVPCID, GP_UD, GP_UD, "invpcid") \
	X(LGDT, GP, GP, "lgdt") \
	X(LIDT, GP, GP, "lidt") \
	X(LLDT, GP, GP, "lldt") \
	X(LTR, GP, GP, "ltr") \
	X(SWAPGS, GP, GP, "swapgs") \
	X(SYSRET, GP, GP, "sysret") \
	X(SYSEXIT, GP_UD, GP_UD, "sysexit") \
	X(PUSHF_POPF, RUNS, RUNS, "pushf, popf") \
	X(IRET, OPERAND, OPERAND, "iret") \
	X(FAR_TRANSFER, OPERAND, OPERAND, "far jmp, far call, far ret") \
	X(LOAD_SEGMENT, OPERAND, OPERAND, \
	  "mov and pop to a segment register, lss, lfs, lgs") \
	X(INT, OPERAND, OPERAND, "int n, int3") \
	X(SYSCALL, ENTERS, ENTERS, "syscall") \
	X(SYSENTER, GP_UD, GP_UD, "sysenter") \
	X(STORE_TABLE, UMIP, UMIP, "sgdt, sidt, sldt, str, smsw") \
	X(CHECK_SELECTOR, RUNS, RUNS, "lar, lsl, verr, verw") \
	X(CPUID, RUNS, RUNS, "cpuid") \
	X(RDTSC, RUNS, RUNS, "rdtsc") \
	X(RDTSCP, RUNS_UD, RUNS_UD, "rdtscp, rdpid") \
	X(XGETBV, RUNS_UD, RUNS_UD, "xgetbv") \
	X(FSGSBASE, RUNS, RUNS, "rdfsbase, rdgsbase, wrfsbase, wrgsbase") \
	X(PROTECTION_KEYS, UD, UD, "rdpkru, wrpkru") \
	X(SMAP, UD, UD, "stac, clac") \
	X(MONITOR, UD, UD, "monitor, mwait") \
	X(RSM, UD, UD, "rsm") \
	X(SUPERVISOR_STATE, GP_UD, GP_UD, "xsaves, xrstors") \
	X(VMX, GP_UD, GP_UD, "vmcall, vmxon, vmlaunch, vmptrld, invept") \
	X(SVM, GP_UD, GP_UD, "vmrun, vmload, vmsave, stgi, clgi, skinit, invlpga") \
	X(ENCLAVES, GP_UD, GP_UD, "getsec, encls") \
	X(NEWER, GP_UD, GP_UD, "setssbsy, stui, clui, lkgs, erets, wrmsrns, hreset")

#endif
