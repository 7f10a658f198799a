/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The gate region: its pages, and the descriptor page that stands in it.
 *
 * Under a guest's root the region holds frames of one vCPU; under the hypervisor's root the same
 * addresses hold frames of the physical CPU, so that GDTR, IDTR, TR and the stacks of the TSS mean
 * something in both, and what the hypervisor pushes there stays out of a guest's sight.
 */
#ifndef TORC_GATE_H
#define TORC_GATE_H

#include "layout.h"

/* Pages, as offsets from GATE_BASE. */
#define GATE_IDT 0x3000 /* shared, read-only */
#define GATE_DESC 0x4000 /* struct gate_desc; read-only under a guest's root */
#define GATE_ENTRY_STACK 0x5000
#define GATE_IST_STACK 0x7000 /* #DB, #MC and #DF share a page */
#define GATE_VCPU 0x8000
#define GATE_LDT 0x10000 /* 16 pages, present as far as the vCPU's LDT reaches */

#define GATE_ENTRY_TOP 0x6000
#define GATE_NMI_TOP 0x7000
#define GATE_DB_TOP 0x7500
#define GATE_MC_TOP 0x7a80
#define GATE_DF_TOP 0x8000
#define GATE_SCRATCH 0x5000 /* lowest word of the entry stack: RSP of a ring-1 caller */

/*
 * IRETQ to a 16-bit stack segment loads SP alone and leaves bits 31..16 of ESP as ring 0 had them
 * (Intel SDM 3A 6.14.3 does not say so; processors do it). So that a program finds its own there,
 * the entry stack has aliases at this address, one for each value of these bits.
 */
#define GATE_ALIASES (GATE_BASE + LAYOUT_ADDRESS(0x100000000)) /* 4 GiB of them, every 64 KiB */
#define SELECTOR_GUESTS 0x44 /* one of these: LDT, or GDT behind our own: it may have 16 bits */

/* Interrupt stack table indexes. */
#define IST_NMI 1
#define IST_DB 2
#define IST_MC 3
#define IST_DF 4

/* Selectors of ring 0. */
#define SEL_HV_CS 0x08
#define SEL_HV_SS 0x10
#define SEL_TSS 0x40
#define SEL_LDT 0x50

#define GDT_ENTRIES 16

#define GATE_VECTOR_STRIDE 16 /* bytes of code for each vector at gate_vectors */

/* Fields of the descriptor page, as offsets within it. */
#define DESC_TSS 0x80
#define DESC_HV_CR3 0x100
#define DESC_HV_STACK 0x108
#define DESC_KERNEL_GS 0x110
#define DESC_FIRST_RING1 0x118
#define DESC_FIRST_RING3 0x138
#define DESC_IRET 0x158
#define DESC_IRET_SIZE 40
#define DESC_CPU 0x220

/* Detail of the shutdown that an entry never registered leads to. */
#define SHUTDOWN_NO_ENTRY 0x656e7472

/* SYSCALL's mask: everything but the always-one bit goes, VM, VIF and VIP too. */
#define GATE_SYSCALL_MASK 0x3f7fd5
/*
 * What a guest may have in RFLAGS: CF PF AF ZF SF TF DF OF NT RF AC ID. NT is harmless out there:
 * SYSCALL's mask and the interrupt gates clear it on every way in, and programs find it kept on
 * hardware.
 */
#define GATE_RFLAGS_ALLOWED 0x254dd5
#define GATE_RFLAGS_FORCED 0x202

#ifndef __ASSEMBLER__

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_map;
} __packed;
_Static_assert(sizeof(struct tss) == 104, "Intel SDM 3A 8.7");

struct idt_entry {
	u16 offset0;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset1;
	u32 offset2;
	u32 reserved;
};
_Static_assert(sizeof(struct idt_entry) == 16, "Intel SDM 3A 6.14.1");

/* An interrupt gate of ring 0 to code at @offset. */
static inline struct idt_entry idt_entry(u64 offset)
{
	return (struct idt_entry){
		.offset0 = (u16)offset,
		.selector = SEL_HV_CS,
		.type = 0x8e,
		.offset1 = (u16)(offset >> 16),
		.offset2 = (u32)(offset >> 32),
	};
}

struct iret_frame {
	u64 rip, cs, rflags, rsp, ss;
};

/**
 * struct gate_desc - descriptors and data of the gate, one page
 * @hv_cr3: root of the hypervisor on this CPU
 * @hv_stack: top of the CPU's stack; read under the hypervisor's root only
 * @kernel_gs: GS base for entries from ring 3
 * @first_ring1: @first_ring3: bit v set: the hypervisor sees vector v from that ring first
 * @iret: by TORC_ENTRY_*: the frame that IRETQ pops to enter ring 1
 * @cpu: struct cpu; under the hypervisor's root only
 */
struct gate_desc {
	u64 gdt[GDT_ENTRIES];
	struct tss tss;
	u8 pad0[DESC_HV_CR3 - DESC_TSS - sizeof(struct tss)];
	u64 hv_cr3;
	u64 hv_stack;
	u64 kernel_gs;
	u32 first_ring1[8];
	u32 first_ring3[8];
	struct iret_frame iret[5];
	struct cpu *cpu;
	u8 pad1[PAGE_SIZE - DESC_CPU - 8];
};
_Static_assert(sizeof(struct gate_desc) == PAGE_SIZE, "one page");
_Static_assert(offsetof(struct gate_desc, hv_cr3) == DESC_HV_CR3, "gate.S");
_Static_assert(offsetof(struct gate_desc, kernel_gs) == DESC_KERNEL_GS, "gate.S");
_Static_assert(offsetof(struct gate_desc, first_ring1) == DESC_FIRST_RING1, "gate.S");
_Static_assert(offsetof(struct gate_desc, iret) == DESC_IRET, "gate.S");
_Static_assert(offsetof(struct gate_desc, cpu) == DESC_CPU, "struct cpu pointer");

struct regs;

/* Entry points of gate.S, at gate addresses. */
extern char gate_syscall[], gate_syscall_compat[], gate_vectors[], gate_no_entry[];
extern char gate_entry_jump[];

/* Ways behind that jump, for processors that need them (harden.S). */
extern char entry_ibpb[], entry_fill_returns[];

/**
 * gate_resume - leaves the hypervisor for the guest whose root is @root
 * @stack: address of the registers under that root: top of the entry stack or of an alias of it
 * @regs: their address here
 */
void gate_resume(paddr_t root, u64 stack, const struct regs *regs) __noreturn;

/**
 * gate_resume_segments - the same, loading segment registers under the guest's own tables first
 * @selectors: DS, ES, FS, GS from low to high word; one that faults is loaded as null
 * @fs_base: @gs_base: canonical
 * @ldt: selector for LLDT
 */
void gate_resume_segments(paddr_t root, u64 stack, u64 selectors, u64 fs_base, u64 gs_base, u16 ldt)
	__noreturn;

#endif
#endif
