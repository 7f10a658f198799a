/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Hypercalls on a vCPU's registers: descriptors, debug registers, FPU control, MSRs. What a
 * guest may put where is checked here, bit by bit; docs/abi.md has the table.
 */
#include "alloc.h"
#include "cpu.h"
#include "hypercall.h"
#include "lib.h"
#include "paging.h"
#include "state.h"

#define DESCRIPTOR_S (1ull << 44)
#define DESCRIPTOR_ACCESSED (1ull << 40)
#define DESCRIPTOR_CODE (1ull << 43)
#define DESCRIPTOR_CONFORMING (1ull << 42)
#define DESCRIPTOR_DPL3 (3ull << 45)
#define DESCRIPTOR_PRESENT (1ull << 47)
#define DESCRIPTOR_LONG (1ull << 53)
#define DESCRIPTOR_DB (1ull << 54)

/*
 * A descriptor a guest may have: none, or a data or code segment of ring 3. Conforming code runs
 * at its caller's level, so it is refused; so are gates and other system descriptors, for they
 * lead into rings. The accessed bit is set now, because the processor could not write it into the
 * read-only table.
 */
bool descriptor_check(u64 *descriptor)
{
	u64 d = *descriptor;

	if (!(d & DESCRIPTOR_PRESENT)) {
		/* Not usable whatever it says, but a system type must not become so by accident. */
		return d == 0 || ((d & DESCRIPTOR_S) && (d & DESCRIPTOR_DPL3) == DESCRIPTOR_DPL3);
	}
	if (!(d & DESCRIPTOR_S) || (d & DESCRIPTOR_DPL3) != DESCRIPTOR_DPL3)
		return false;
	if (d & DESCRIPTOR_CODE) {
		if (d & DESCRIPTOR_CONFORMING)
			return false;
		if ((d & DESCRIPTOR_LONG) && (d & DESCRIPTOR_DB))
			return false;
	}
	*descriptor = d | DESCRIPTOR_ACCESSED;
	return true;
}

s64 hc_set_descriptor(struct vcpu *vcpu, u64 index, u64 descriptor)
{
	if (index < TORC_GDT_FIRST_FREE || index > TORC_GDT_LAST_FREE ||
	    !descriptor_check(&descriptor))
		return TORC_EINVAL;
	vcpu->desc->gdt[index_nospec(index, TORC_GDT_LAST_FREE + 1)] = descriptor;
	return TORC_OK;
}

/* A page for LDT page @page, kept until the vCPU ends. */
static u64 *ldt_page(struct vcpu *vcpu, u64 page)
{
	if (!vcpu->ldt_mfn[page]) {
		mfn_t mfn = page_alloc();

		if (mfn == INVALID_MFN)
			return NULL;
		vcpu->ldt_mfn[page] = mfn;
	}
	return mfn_to_virt(vcpu->ldt_mfn[page]);
}

int ldt_load_page(struct vcpu *vcpu, u64 page, pfn_t source, unsigned int entries)
{
	mfn_t mfn = domain_mfn(vcpu->domain, source);
	const u64 *from;
	u64 *to, descriptor;
	unsigned int i;

	if (mfn == INVALID_MFN)
		return TORC_ENOENT;
	to = ldt_page(vcpu, page);
	if (!to)
		return TORC_ENOMEM;
	from = mfn_to_virt(mfn);
	for (i = 0; i < entries; i++) {
		descriptor = READ_ONCE(from[i]);
		/* One that is refused becomes empty: loading it faults, as it should. */
		to[i] = descriptor_check(&descriptor) ? descriptor : 0;
	}
	vcpu->ldt_pfn[page] = source;
	vcpu->ldt_entries = page * ENTRIES + entries;
	return 0;
}

s64 hc_ldt_load(struct vcpu *vcpu, u64 page, u64 source, u64 entries)
{
	int error;

	if (page >= LDT_PAGES || entries > ENTRIES || page * ENTRIES > vcpu->ldt_entries)
		return TORC_EINVAL;
	if (entries == 0 && page == 0) {
		vcpu->ldt_entries = 0;
		vcpu_set_ldt(vcpu);
		return TORC_OK;
	}
	if (entries == 0)
		return TORC_EINVAL;
	error = ldt_load_page(vcpu, index_nospec(page, LDT_PAGES), source, entries);
	if (!error)
		vcpu_set_ldt(vcpu);
	return error;
}

/* DR7: enables, and for each breakpoint its kind and length (Intel SDM 3B 18.2.4). */
#define DR7_FIXED 0x400ull
#define DR7_WRITABLE 0xffff03ffull
#define DR7_KIND(value, n) (((value) >> (16 + 4 * (n))) & 3)
#define DR7_KIND_IO 2
#define DR6_FIXED 0xffff0ff0ull
#define DR6_WRITABLE 0xe00full

static bool breakpoint_allowed(u64 address)
{
	/* What the hypervisor's direct map covers too would tell which frames it touches. */
	return is_canonical(address) &&
	       (address < TORC_HOLE_START - 8 ||
		address >= TORC_HOLE_END + GIB(4) + mfn_to_paddr(frame_count));
}

static bool dr7_allowed(u64 value)
{
	unsigned int n;

	if (value & ~(DR7_WRITABLE | DR7_FIXED))
		return false;
	for (n = 0; n < 4; n++)
		if (DR7_KIND(value, n) == DR7_KIND_IO)
			return false;
	return true;
}

bool debugreg_check(unsigned int number, u64 *value)
{
	switch (number) {
	case 0 ... 3:
		return breakpoint_allowed(*value);
	case 6:
		*value = (*value & DR6_WRITABLE) | DR6_FIXED;
		return true;
	case 7:
		if (!dr7_allowed(*value))
			return false;
		*value |= DR7_FIXED;
		return true;
	default:
		return false;
	}
}

s64 hc_set_debugreg(struct vcpu *vcpu, u64 number, u64 value)
{
	if (number > 7 || !debugreg_check(number, &value))
		return TORC_EINVAL;
	vcpu->dr[6] = read_dr6();
	vcpu->dr[index_nospec(number, 8)] = value;
	vcpu_load_debug(vcpu);
	return TORC_OK;
}

s64 hc_get_debugreg(struct vcpu *vcpu, u64 number, u64 *value)
{
	if (number > 7 || number == 4 || number == 5)
		return TORC_EINVAL;
	*value = number == 6 ? read_dr6() : vcpu->dr[index_nospec(number, 8)];
	return TORC_OK;
}

s64 hc_set_task_switched(struct vcpu *vcpu, u64 on)
{
	if (on > 1)
		return TORC_EINVAL;
	vcpu->ts = on;
	if (!on)
		__asm__ volatile("clts");
	return TORC_OK;
}

/* Components that come together (Intel SDM 1 13.3). */
bool xcr0_allowed(u64 value)
{
	if (!cpu_features.xsave || (value & ~cpu_features.xcr0) || !(value & XCR0_X87))
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	if ((value & XCR0_AVX512) && ((value & XCR0_AVX512) != XCR0_AVX512 || !(value & XCR0_AVX)))
		return false;
	return true;
}

s64 hc_set_xcr0(struct vcpu *vcpu, u64 value)
{
	if (!xcr0_allowed(value))
		return TORC_EINVAL;
	vcpu->xcr0 = value;
	xsetbv(0, value);
	return TORC_OK;
}

s64 hc_read_msr(struct vcpu *vcpu, u64 msr, u64 *value)
{
	switch (msr) {
	case MSR_FS_BASE:
		*value = rdfsbase();
		return TORC_OK;
	case MSR_GS_BASE:
		*value = rdgsbase();
		return TORC_OK;
	case MSR_KERNEL_GS_BASE:
		*value = READ_ONCE(vcpu->page->user_gs);
		return TORC_OK;
	case MSR_EFER:
		*value = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
		return TORC_OK;
	case MSR_PAT:
		*value = rdmsr(MSR_PAT);
		return TORC_OK;
	default:
		return TORC_ENOENT;
	}
}

s64 hc_write_msr(struct vcpu *vcpu, u64 msr, u64 value)
{
	if (!is_canonical(value))
		return TORC_EINVAL;
	switch (msr) {
	case MSR_FS_BASE:
		wrfsbase(value);
		return TORC_OK;
	case MSR_GS_BASE:
		wrgsbase(value);
		return TORC_OK;
	case MSR_KERNEL_GS_BASE:
		WRITE_ONCE(vcpu->page->user_gs, value);
		return TORC_OK;
	default:
		return TORC_ENOENT;
	}
}
