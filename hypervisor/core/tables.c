/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The interrupt descriptor table, one for all, and the registers that lead into the gate.
 */
#include "alloc.h"
#include "cpu.h"
#include "domain.h"
#include "log.h"

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

#define IDT_INTERRUPT_GATE 0x8e
#define IDT_DPL3 0x60

paddr_t idt_phys;

static const u8 vector_ist[256] = { [1] = IST_DB, [2] = IST_NMI, [8] = IST_DF, [18] = IST_MC };

static bool vector_open_to_ring3(unsigned int vector)
{
	return vector == 3 || vector == 4 || vector == TORC_VECTOR_SYSCALL32;
}

/** gate_init - makes the interrupt descriptor table; once */
void gate_init(void)
{
	mfn_t mfn = page_alloc();
	struct idt_entry *idt;
	unsigned int vector;

	if (mfn == INVALID_MFN)
		panic("no memory for the interrupt descriptor table");
	idt_phys = mfn_to_paddr(mfn);
	idt = mfn_to_virt(mfn);
	for (vector = 0; vector < 256; vector++) {
		u64 offset = (u64)gate_vectors + vector * GATE_VECTOR_STRIDE;

		idt[vector] = (struct idt_entry){
			.offset0 = offset,
			.selector = SEL_HV_CS,
			.ist = vector_ist[vector],
			.type = IDT_INTERRUPT_GATE | (vector_open_to_ring3(vector) ? IDT_DPL3 : 0),
			.offset1 = offset >> 16,
			.offset2 = offset >> 32,
		};
	}
}

/** gate_load_tables - loads this CPU's descriptor tables, task register and SYSCALL registers */
void gate_load_tables(void)
{
	struct descriptor_table gdt = { GDT_ENTRIES * 8 - 1, GATE_BASE + GATE_DESC };
	struct descriptor_table idt = { PAGE_SIZE - 1, GATE_BASE + GATE_IDT };

	write_cr3(read_cr3());
	lgdt(&gdt);
	__asm__ volatile("push %0\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %1, %%ss\n\t"
			 "mov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs"
			 : : "i"(SEL_HV_CS), "r"(SEL_HV_SS), "r"(0) : "rax", "memory");
	lidt(&idt);
	lldt(0);
	ltr(SEL_TSS);
	wrmsr(MSR_STAR, (u64)SEL_HV_CS << 32 | (u64)TORC_SEL_USER_CS32 << 48);
	wrmsr(MSR_LSTAR, (u64)gate_syscall);
	wrmsr(MSR_CSTAR, (u64)gate_syscall_compat);
	wrmsr(MSR_SYSCALL_MASK, GATE_SYSCALL_MASK);
	wrmsr(MSR_SYSENTER_CS, 0);
}
