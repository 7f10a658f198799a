/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The processor: names of control bits and MSRs, instructions that C cannot say, and what was found
 * at boot. Bits keep the names of the manuals (Intel SDM 3A chapter 2, volume 4).
 */
#ifndef TORC_CPU_H
#define TORC_CPU_H

#include "types.h"

#define CR0_PE		0x00000001
#define CR0_MP		0x00000002
#define CR0_TS		0x00000008
#define CR0_ET		0x00000010
#define CR0_NE		0x00000020
#define CR0_WP		0x00010000
#define CR0_AM		0x00040000
#define CR0_PG		0x80000000

#define CR4_PAE		0x00000020
#define CR4_MCE		0x00000040
#define CR4_OSFXSR	0x00000200
#define CR4_OSXMMEXCPT	0x00000400
#define CR4_UMIP	0x00000800
#define CR4_FSGSBASE	0x00010000
#define CR4_OSXSAVE	0x00040000
#define CR4_SMEP	0x00100000

#define EFER_SCE	0x001
#define EFER_LME	0x100
#define EFER_LMA	0x400
#define EFER_NXE	0x800
#define EFER_AIBRSE	0x200000	/* AMD: automatic IBRS */

#define SPEC_CTRL_IBRS	1
#define SPEC_CTRL_STIBP	2
#define PRED_CMD_IBPB	1

#define CPUID_X2APIC	0x200000 /* leaf 1, ECX */

#define RFLAGS_RF	0x010000
#define RFLAGS_ID	0x200000

#define MSR_APIC_BASE		0x0000001b
#define MSR_TSC_ADJUST		0x0000003b
#define MSR_SPEC_CTRL		0x00000048
#define MSR_PRED_CMD		0x00000049
#define MSR_ARCH_CAPABILITIES	0x0000010a
#define MSR_SYSENTER_CS		0x00000174
#define MSR_PAT			0x00000277
#define MSR_TSC_DEADLINE	0x000006e0
#define MSR_X2APIC		0x00000800	/* first of the x2APIC registers */
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SYSCALL_MASK	0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102

#define APIC_BASE_EXTD		0x400
#define APIC_BASE_ENABLE	0x800

#define XCR0_X87	0x001
#define XCR0_SSE	0x002
#define XCR0_AVX	0x004
#define XCR0_AVX512	0x0e0	/* opmask, upper halves, upper registers: all or none */

/* Page table entry bits. */
#define PTE_P		0x001ul
#define PTE_W		0x002ul
#define PTE_U		0x004ul
#define PTE_PWT		0x008ul
#define PTE_PCD		0x010ul
#define PTE_A		0x020ul
#define PTE_D		0x040ul
#define PTE_PS		0x080ul	/* in L2 and L3: a large page */
#define PTE_PAT		0x080ul	/* in L1 */
#define PTE_G		0x100ul
#define PTE_NX		0x8000000000000000ul
#define PTE_ADDRESS	0x000ffffffffff000ul

#ifndef __ASSEMBLER__

#define CPU_READ_REGISTER(name) \
	static inline u64 read_##name(void) \
	{ \
		u64 value; \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value)); \
		return value; \
	}
#define CPU_WRITE_REGISTER(name) \
	static inline void write_##name(u64 value) \
	{ \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
	}

CPU_READ_REGISTER(cr0)
CPU_READ_REGISTER(cr2)
CPU_READ_REGISTER(cr3)
CPU_READ_REGISTER(cr4)
CPU_READ_REGISTER(dr6)
CPU_WRITE_REGISTER(cr0)
CPU_WRITE_REGISTER(cr2)
CPU_WRITE_REGISTER(cr3)
CPU_WRITE_REGISTER(cr4)
CPU_WRITE_REGISTER(dr0)
CPU_WRITE_REGISTER(dr1)
CPU_WRITE_REGISTER(dr2)
CPU_WRITE_REGISTER(dr3)
CPU_WRITE_REGISTER(dr6)
CPU_WRITE_REGISTER(dr7)

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

/* RDTSC that no earlier load can pass (Intel SDM 2B, RDTSC). */
static inline u64 rdtsc_ordered(void)
{
	__asm__ volatile("lfence" : : : "memory");
	return rdtsc();
}

/* WRFSBASE and WRGSBASE fault on a non-canonical value: check it first. */
#define CPU_SEGMENT_BASE(name) \
	static inline u64 rd##name(void) \
	{ \
		u64 value; \
		__asm__ volatile("rd" #name " %0" : "=r"(value)); \
		return value; \
	} \
	static inline void wr##name(u64 value) \
	{ \
		__asm__ volatile("wr" #name " %0" : : "r"(value) : "memory"); \
	}

CPU_SEGMENT_BASE(fsbase)
CPU_SEGMENT_BASE(gsbase)

static inline void xsetbv(u32 index, u64 value)
{
	__asm__ volatile("xsetbv"
			 : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

#define CPU_PORT(letter, type) \
	static inline type in##letter(u16 port) \
	{ \
		type value; \
		__asm__ volatile("in" #letter " %1, %0" : "=a"(value) : "Nd"(port)); \
		return value; \
	} \
	static inline void out##letter(u16 port, type value) \
	{ \
		__asm__ volatile("out" #letter " %0, %1" : : "a"(value), "Nd"(port) : "memory"); \
	}

CPU_PORT(b, u8)
CPU_PORT(w, u16)

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_count(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline struct cpuid cpuid(u32 leaf)
{
	return cpuid_count(leaf, 0);
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline void invlpg(u64 address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

/* Let interrupts in and sleep, with no gap between the two, and shut them out again. */
static inline void cpu_idle_once(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* Operand of LGDT and LIDT. */
struct descriptor_table {
	u16 limit;
	u64 base;
} __packed;

static inline void lidt(const struct descriptor_table *table)
{
	__asm__ volatile("lidt %0" : : "m"(*table));
}

/* Canonical for 48-bit addresses: bits 63..47 all equal. */
static inline bool is_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

/**
 * struct cpu_features - what this processor has, and what the hypervisor makes of it
 * @vendor: as CPUID leaf 0 says, e.g. "GenuineIntel"
 * @physical_bits: width of physical addresses
 * @frame_mask: frame numbers of that width
 * @xcr0: states enabled in XCR0 (0: no XSAVE)
 * @xsave_size: bytes of an XSAVE area for @xcr0 (512 without XSAVE)
 * @cr4: value CR4 was given, which is what it must hold while guests run
 * @fred, @lass, @cet: present in the processor, and kept off
 * @x87_pointers_stay: XRSTOR leaves the last x87 instruction's addresses as they are while no
 *	exception of it is pending (AMD without XSAVEERPTR, CPUID Fn8000_0008 EBX[2])
 */
struct cpu_features {
	char vendor[13];
	u8 physical_bits;
	u32 family, model, stepping;
	u64 frame_mask;
	u64 xcr0;
	u32 xsave_size;
	u64 cr4;
	bool smep, smap, umip, fsgsbase, pcid, xsave, gbpages, tsc_deadline, tsc_adjust;
	bool fred, lass, cet, la57;
	bool x87_pointers_stay;
};

extern struct cpu_features cpu_features;

/**
 * cpu_init() - check what the processor has and set CR0, CR4, EFER and XCR0
 * Panics, naming it, when something the hypervisor cannot do without is missing.
 */
void cpu_init(void);

/**
 * cpu_init_other() - the same on another CPU, which is taken to have what the first one has
 */
void cpu_init_other(void);

/**
 * cpu_report() - log what cpu_init() found
 */
void cpu_report(void);

#endif /* !__ASSEMBLER__ */
#endif
