/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The interrupt descriptor table, one for all, and the registers that lead into the gate.
 */
#include "alloc.h"
#include "cpu.h"
#include "domain.h"
#include "log.h"

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
	struct idt_entry *idt = page_zalloc();
	unsigned int vector;

	if (!idt)
		panic("no memory for the interrupt descriptor table");
	idt_phys = virt_to_phys(idt);
	for (vector = 0; vector < 256; vector++) {
		idt[vector] = idt_entry((u64)gate_vectors + vector * GATE_VECTOR_STRIDE);
		idt[vector].ist = vector_ist[vector];
		if (vector_open_to_ring3(vector))
			idt[vector].type |= IDT_DPL3;
	}
}

/** gate_load_tables - loads this CPU's descriptor tables, task register and SYSCALL registers */
void gate_load_tables(void)
{
	struct descriptor_table gdt = { GDT_ENTRIES * 8 - 1, GATE_BASE + GATE_DESC };
	struct descriptor_table idt = { PAGE_SIZE - 1, GATE_BASE + GATE_IDT };

	__asm__ volatile("lgdt %3\n\t"
			 "push %0\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %1, %%ss\n\t"
			 "mov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 "lldt %w2\n\t"
			 "ltr %w4"
			 : : "i"(SEL_HV_CS), "r"(SEL_HV_SS), "r"(0), "m"(gdt), "r"(SEL_TSS)
			 : "rax", "memory");
	lidt(&idt);
	wrmsr(MSR_STAR, (u64)SEL_HV_CS << 32 | (u64)TORC_SEL_USER_CS32 << 48);
	wrmsr(MSR_LSTAR, (u64)gate_syscall);
	wrmsr(MSR_CSTAR, (u64)gate_syscall_compat);
	wrmsr(MSR_SYSCALL_MASK, GATE_SYSCALL_MASK);
}
