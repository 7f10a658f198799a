/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The processor: what it has, what is turned on, what is kept off (docs/security.md).
 */
#include "cpu.h"
#include "lib.h"
#include "log.h"
#include "mitigation.h"

/* Values at reset, in case firmware changed them: entry 0 write-back, entry 3 uncached. */
#define PAT_RESET	0x0007040600070406ul
#define DR7_RESET	0x400

struct cpu_features cpu_features;

static bool bit(u32 word, unsigned int n)
{
	return word >> n & 1;
}

static void need(bool present, const char *what)
{
	if (!present)
		panic("this processor lacks %s, which Torc needs", what);
}

/* Family and model as the manuals count them (Intel SDM 2A, CPUID, figure 3-6). */
static void read_model(u32 eax)
{
	struct cpu_features *f = &cpu_features;

	f->stepping = eax & 15;
	f->model = eax >> 4 & 15;
	f->family = eax >> 8 & 15;
	if (f->family == 6 || f->family == 15)
		f->model |= (eax >> 16 & 15) << 4;
	if (f->family == 15)
		f->family += eax >> 20 & 255;
}

static void read_basic_leaves(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid r = cpuid(0);

	memcpy(f->vendor, &r.ebx, 4);
	memcpy(f->vendor + 4, &r.edx, 4);
	memcpy(f->vendor + 8, &r.ecx, 4);

	r = cpuid(1);
	read_model(r.eax);
	need(bit(r.edx, 4), "a time stamp counter");
	need(bit(r.edx, 9), "a local APIC");
	need(bit(r.edx, 16), "PAT");
	need(bit(r.edx, 24) && bit(r.edx, 25) && bit(r.edx, 26), "FXSR or SSE2");
	f->pcid = bit(r.ecx, 17);
	f->tsc_deadline = bit(r.ecx, 24);
	f->xsave = bit(r.ecx, 26);
}

static void read_structured_leaf(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid r = { 0 };

	if (cpuid(0).eax >= 7)
		r = cpuid(7);
	f->fsgsbase = bit(r.ebx, 0);
	f->tsc_adjust = bit(r.ebx, 1);
	f->smep = bit(r.ebx, 7);
	f->smap = bit(r.ebx, 20);
	f->umip = bit(r.ecx, 2);
	f->la57 = bit(r.ecx, 16);
	f->cet = bit(r.ecx, 7) || bit(r.edx, 20);
	if (r.eax >= 1) {
		r = cpuid_count(7, 1);
		f->lass = bit(r.eax, 6);
		f->fred = bit(r.eax, 17);
	}
	need(f->fsgsbase, "FSGSBASE");
}

static void read_extended_leaves(void)
{
	struct cpu_features *f = &cpu_features;
	u32 last = cpuid(0x80000000).eax;
	struct cpuid r = cpuid(0x80000001);

	need(bit(r.edx, 11), "SYSCALL");
	f->gbpages = bit(r.edx, 26);
	r = last >= 0x80000008 ? cpuid(0x80000008) : (struct cpuid){ .eax = 36 };
	f->physical_bits = r.eax & 255;
	f->frame_mask = (1ull << (f->physical_bits - PAGE_SHIFT)) - 1;
	f->x87_pointers_stay = strcmp(f->vendor, "GenuineIntel") != 0 && !bit(r.ebx, 2);
}

/* XCR0: the states a guest's threads may use. AMX and protection keys stay off. */
static void find_xsave(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid r;

	f->xsave_size = 512;
	if (!f->xsave)
		return;
	r = cpuid_count(13, 0);
	f->xcr0 = r.eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
	if (!(f->xcr0 & XCR0_AVX) || (f->xcr0 & XCR0_AVX512) != XCR0_AVX512)
		f->xcr0 &= ~(u64)XCR0_AVX512;
	xsetbv(0, f->xcr0);
	f->xsave_size = cpuid_count(13, 0).ebx;
}

static void load_registers(void)
{
	write_cr0(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(cpu_features.cr4);
	/* FRED above all: with it on, events would pass by the gate. */
	if (read_cr4() != cpu_features.cr4)
		panic("this machine wants %lx in CR4 where %lx was written", read_cr4(),
		      cpu_features.cr4);
	wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE |
	      (mitigation(SET_AUTO_IBRS) ? EFER_AIBRSE : 0));
	if (mitigation(SET_IBRS) || mitigation(SET_STIBP))
		wrmsr(MSR_SPEC_CTRL, (mitigation(SET_IBRS) ? SPEC_CTRL_IBRS : 0) |
				     (mitigation(SET_STIBP) ? SPEC_CTRL_STIBP : 0));
	wrmsr(MSR_SYSENTER_CS, 0);
	wrmsr(MSR_PAT, PAT_RESET);
	write_dr7(DR7_RESET);
}

void cpu_init(void)
{
	struct cpu_features *f = &cpu_features;

	read_basic_leaves();
	read_structured_leaf();
	read_extended_leaves();

	f->cr4 = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE;
	f->cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	f->cr4 |= f->smep ? CR4_SMEP : 0;
	f->cr4 |= f->umip ? CR4_UMIP : 0;
	mitigation_init();
	load_registers();
	find_xsave();
}

void cpu_init_other(void)
{
	load_registers();
	if (cpu_features.xsave)
		xsetbv(0, cpu_features.xcr0);
}

void cpu_report(void)
{
	const struct cpu_features *f = &cpu_features;

	log("cpu: %s family %u model %u stepping %u, %u-bit physical addresses", f->vendor,
	    f->family, f->model, f->stepping, f->physical_bits);
	log("cpu: uses fsgsbase%s%s%s%s%s", f->smep ? " smep" : "", f->umip ? " umip" : "",
	    f->xsave ? " xsave" : "", f->tsc_deadline ? " tsc-deadline" : "",
	    f->gbpages ? " 1g-pages" : "");
	if (f->smap || f->pcid || f->la57 || f->cet || f->lass || f->fred)
		log("cpu: has but leaves off%s%s%s%s%s%s", f->smap ? " smap" : "",
		    f->pcid ? " pcid" : "", f->la57 ? " la57" : "", f->cet ? " cet" : "",
		    f->lass ? " lass" : "", f->fred ? " fred" : "");
	log("cpu: xcr0 %lx, %u bytes of state", f->xcr0, f->xsave_size);
	mitigation_report();
}
