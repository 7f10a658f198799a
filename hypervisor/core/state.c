/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * vCPUs that come and go: a canonical state put into one that is down, and what it held given back.
 *
 * Everything of a state is checked before anything is taken, each field as the hypercall that sets
 * it alone would.
 */
#include "cpu.h"
#include "hypercall.h"
#include "lib.h"
#include "paging.h"
#include "port.h"
#include "sched.h"
#include "state.h"
#include "timer.h"

#define FLAGS (TORC_STATE_BLOCKED | TORC_STATE_RING3 | TORC_STATE_TS | TORC_STATE_NMI)

/* The XSAVE area: legacy part and header stand where they do everywhere (Intel SDM 1 13.4). */
#define FPU_MXCSR 24
#define FPU_MXCSR_BITS 0xffffu
#define FPU_XSTATE_BV 512
#define FPU_HEADER_END 576

/* The other components: place and size in the canonical area. */
static const struct {
	u8 number;
	u16 offset, bytes;
} component[] = { { 2, 576, 256 }, { 5, 1088, 64 }, { 6, 1152, 512 }, { 7, 1664, 1024 } };

static bool all_zero(const void *from, size_t bytes)
{
	const u8 *byte = from;

	while (bytes--)
		if (*byte++)
			return false;
	return true;
}

static bool fpu_allowed(const u8 *fpu)
{
	u32 mxcsr;
	u64 present;

	memcpy(&mxcsr, fpu + FPU_MXCSR, sizeof(mxcsr));
	memcpy(&present, fpu + FPU_XSTATE_BV, sizeof(present));
	return !(mxcsr & ~FPU_MXCSR_BITS) &&
	       !(present & ~(cpu_features.xcr0 | XCR0_X87 | XCR0_SSE)) &&
	       all_zero(fpu + FPU_XSTATE_BV + 8, FPU_HEADER_END - FPU_XSTATE_BV - 8);
}

static void fpu_put(struct vcpu *vcpu, const u8 *fpu)
{
	u64 present;
	unsigned int i;

	memcpy(&present, fpu + FPU_XSTATE_BV, sizeof(present));
	memcpy(vcpu->fpu, fpu, FPU_HEADER_END);
	for (i = 0; i < ARRAY_SIZE(component); i++)
		if (present >> component[i].number & 1)
			memcpy((u8 *)vcpu->fpu + cpuid_count(13, component[i].number).ebx,
			       fpu + component[i].offset, component[i].bytes);
}

static bool registers_allowed(const struct torc_vcpu_state *state)
{
	bool ring3 = state->cs != TORC_SEL_KERNEL_CS;

	return state->size >= sizeof(*state) && !(state->flags & ~FLAGS) &&
	       ring3 == !!(state->flags & TORC_STATE_RING3) && is_canonical(state->rip) &&
	       is_canonical(state->fs_base) && is_canonical(state->gs_base) &&
	       is_canonical(state->kernel_gs);
}

/* Debug registers and descriptors as they may stand: @state is a copy that may be changed. */
static bool control_allowed(struct torc_vcpu_state *state)
{
	static const u8 dr_number[] = { 0, 1, 2, 3, 6, 7 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(state->entries); i++)
		if (state->entries[i] &&
		    (i >= TORC_ENTRY_COUNT || !address_allowed(state->entries[i])))
			return false;
	for (i = 0; i < ARRAY_SIZE(state->dr); i++)
		if (!debugreg_check(dr_number[i], &state->dr[i]))
			return false;
	for (i = 0; i < ARRAY_SIZE(state->gdt); i++)
		if (!descriptor_check(&state->gdt[i]))
			return false;
	return state->ldt_entries <= TORC_LDT_MAX_ENTRIES && !state->reserved0 && !state->cr4 &&
	       (!state->xcr0 || xcr0_allowed(state->xcr0)) &&
	       all_zero(state->msr, sizeof(state->msr)) && fpu_allowed(state->fpu);
}

/* Frames that a vCPU holds while it is up; the only one that this writes to comes last. */
static int take_pages(struct vcpu *vcpu, const struct torc_vcpu_state *state)
{
	unsigned int i, page;
	int error = 0;

	for (i = 0; !error && i < TORC_BATCH_PAGES; i++)
		error = page_register(vcpu->domain, vcpu->batch_pfn, TORC_BATCH_PAGES, i,
				      state->batch_pages[i]);
	for (page = 0; !error && page * ENTRIES < state->ldt_entries; page++)
		error = ldt_load_page(vcpu, page, state->ldt_pages[page],
				      MIN(state->ldt_entries - page * ENTRIES, (u32)ENTRIES));
	return error ? error : vcpu_set_page(vcpu, state->vcpu_page);
}

static void put_registers(struct vcpu *vcpu, const struct torc_vcpu_state *s)
{
	bool ring3 = s->flags & TORC_STATE_RING3;
	unsigned int i;

	*vcpu->regs = (struct regs){
		.rax = s->gpr[0], .rbx = s->gpr[1], .rcx = s->gpr[2], .rdx = s->gpr[3],
		.rsi = s->gpr[4], .rdi = s->gpr[5], .rbp = s->gpr[6], .r8 = s->gpr[7],
		.r9 = s->gpr[8], .r10 = s->gpr[9], .r11 = s->gpr[10], .r12 = s->gpr[11],
		.r13 = s->gpr[12], .r14 = s->gpr[13], .r15 = s->gpr[14],
		.rip = s->rip,
		.cs = ring3 ? (u16)s->cs | 3 : TORC_SEL_KERNEL_CS,
		.rflags = (s->rflags & GATE_RFLAGS_ALLOWED) | GATE_RFLAGS_FORCED,
		.rsp = s->rsp,
		.ss = ring3 ? (u16)s->ss | 3 : TORC_SEL_KERNEL_SS,
	};
	memcpy(vcpu->sel, s->sel, sizeof(vcpu->sel));
	vcpu->fs_base = s->fs_base;
	vcpu->gs_base = s->gs_base;
	vcpu->desc->kernel_gs = s->kernel_gs;
	for (i = 0; i < TORC_ENTRY_COUNT; i++)
		vcpu->desc->iret[i].rip = s->entries[i] ? s->entries[i] : (u64)gate_no_entry;
	memcpy(vcpu->dr, s->dr, 4 * sizeof(vcpu->dr[0]));
	vcpu->dr[6] = s->dr[4];
	vcpu->dr[7] = s->dr[5];
	memcpy(&vcpu->desc->gdt[TORC_GDT_FIRST_FREE], s->gdt, sizeof(s->gdt));
	vcpu->ts = s->flags & TORC_STATE_TS;
	vcpu->nmi_pending = s->flags & TORC_STATE_NMI;
	vcpu->xcr0 = s->xcr0 ? s->xcr0 : XCR0_X87;
	vcpu->home = NULL;
	fpu_put(vcpu, s->fpu);
}

u64 system_to_hypervisor(const struct domain *domain, u64 ns)
{
	u64 absolute;

	return ns && !__builtin_add_overflow(ns, domain->start_ns, &absolute) ? absolute :
									     TIMER_NEVER;
}

int vcpu_put_state(struct vcpu *vcpu, struct torc_vcpu_state *state)
{
	mfn_t root = domain_mfn(vcpu->domain, state->root >> PAGE_SHIFT);
	int error;

	if (!registers_allowed(state) || !control_allowed(state) ||
	    !IS_ALIGNED(state->root, PAGE_SIZE))
		return TORC_EINVAL;
	if (root == INVALID_MFN)
		return TORC_ENOENT;
	error = root_load(vcpu, root);
	if (error)
		return error;
	error = take_pages(vcpu, state);
	if (error) {
		vcpu_release(vcpu);
		return error;
	}
	put_registers(vcpu, state);
	vcpu->ldt_entries = state->ldt_entries;
	vcpu_map_ldt(vcpu);
	vcpu->timer_deadline = system_to_hypervisor(vcpu->domain, state->timer_ns);
	return 0;
}

static void fpu_get(const struct vcpu *vcpu, u8 *fpu)
{
	u64 present;
	unsigned int i;

	memcpy(fpu, vcpu->fpu, FPU_HEADER_END);
	memcpy(&present, fpu + FPU_XSTATE_BV, sizeof(present));
	for (i = 0; i < ARRAY_SIZE(component); i++)
		if (present >> component[i].number & 1)
			memcpy(fpu + component[i].offset,
			       (u8 *)vcpu->fpu + cpuid_count(13, component[i].number).ebx,
			       component[i].bytes);
}

static u64 flags_of(const struct vcpu *vcpu)
{
	return (vcpu->state == VCPU_DOWN ? TORC_STATE_DOWN : 0) |
	       (vcpu->state == VCPU_BLOCKED ? TORC_STATE_BLOCKED : 0) |
	       ((vcpu->regs->cs & 3) == 3 ? TORC_STATE_RING3 : 0) |
	       (vcpu->ts ? TORC_STATE_TS : 0) | (vcpu->nmi_pending ? TORC_STATE_NMI : 0);
}

static u64 hypervisor_to_system(const struct domain *domain, u64 ns)
{
	return ns == TIMER_NEVER ? 0 : MAX(ns - domain->start_ns, 1ull);
}

void vcpu_get_state(const struct vcpu *vcpu, struct torc_vcpu_state *s)
{
	const struct regs *r = vcpu->regs;
	unsigned int i;

	*s = (struct torc_vcpu_state){
		.size = sizeof(*s),
		.flags = flags_of(vcpu),
		.gpr = { r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->r8, r->r9,
			 r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 },
		.rip = r->rip, .cs = r->cs, .rflags = r->rflags, .rsp = r->rsp, .ss = r->ss,
		.fs_base = vcpu->fs_base, .gs_base = vcpu->gs_base,
		.kernel_gs = vcpu->desc->kernel_gs,
		.vcpu_page = vcpu->page_pfn,
		.dr = { vcpu->dr[0], vcpu->dr[1], vcpu->dr[2], vcpu->dr[3], vcpu->dr[6],
			vcpu->dr[7] },
		.ldt_entries = vcpu->ldt_entries,
		.timer_ns = hypervisor_to_system(vcpu->domain, vcpu->timer_deadline),
		.xcr0 = cpu_features.xsave ? vcpu->xcr0 : 0,
	};
	if (vcpu->state == VCPU_DOWN)
		return;
	s->root = m2p_table[vcpu->root] << PAGE_SHIFT;
	for (i = 0; i < TORC_ENTRY_COUNT; i++)
		if (vcpu->desc->iret[i].rip != (u64)gate_no_entry)
			s->entries[i] = vcpu->desc->iret[i].rip;
	for (i = 0; i < LDT_PAGES; i++)
		s->ldt_pages[i] = vcpu->ldt_pfn[i];
	memcpy(s->sel, vcpu->sel, sizeof(s->sel));
	memcpy(s->batch_pages, vcpu->batch_pfn, sizeof(s->batch_pages));
	memcpy(s->gdt, &vcpu->desc->gdt[TORC_GDT_FIRST_FREE], sizeof(s->gdt));
	fpu_get(vcpu, s->fpu);
}

/* The root that a vCPU which is up holds, for linear.c; @but is on its way down. */
static mfn_t another_root(const struct domain *domain, const struct vcpu *but)
{
	u32 i;

	for (i = 0; i < domain->vcpu_count; i++)
		if (domain->vcpu[i] != but && domain->vcpu[i]->root != INVALID_MFN)
			return domain->vcpu[i]->root;
	return INVALID_MFN;
}

void vcpu_release(struct vcpu *vcpu)
{
	struct domain *domain = vcpu->domain;
	unsigned int i;

	for (i = 0; i < TORC_BATCH_PAGES; i++)
		page_register(domain, vcpu->batch_pfn, TORC_BATCH_PAGES, i, INVALID_PFN);
	vcpu_drop_page(vcpu);
	if (vcpu->root != INVALID_MFN) {
		if (domain->linear_root == vcpu->root)
			domain->linear_root = another_root(domain, vcpu);
		table_release(domain, vcpu->root);
		vcpu->root = INVALID_MFN;
	}
}

s64 vcpu_start(struct vcpu *vcpu, mfn_t page)
{
	struct torc_vcpu_state state;
	int error;

	if (vcpu->state == VCPU_DOWN && READ_ONCE(vcpu->cpu)) /* it has not left yet */
		return TORC_EAGAIN;
	if (vcpu->state != VCPU_DOWN || vcpu->page) /* vcpu_down is to be called once more */
		return TORC_EBUSY;
	memcpy(&state, mfn_to_virt(page), sizeof(state));
	error = vcpu_put_state(vcpu, &state);
	if (!error)
		sched_start(vcpu);
	return error == STOPPED ? TORC_EAGAIN : error;
}

s64 hc_vcpu_up(struct vcpu *caller, u64 number, u64 page)
{
	struct vcpu *vcpu = vcpu_find(caller->domain, number);
	mfn_t mfn = domain_mfn(caller->domain, page);

	return vcpu && mfn != INVALID_MFN ? vcpu_start(vcpu, mfn) : TORC_ENOENT;
}

static bool is_last(const struct vcpu *vcpu)
{
	u32 i;

	for (i = 0; i < vcpu->domain->vcpu_count; i++)
		if (vcpu->domain->vcpu[i] != vcpu && vcpu->domain->vcpu[i]->state != VCPU_DOWN)
			return false;
	return true;
}

/* A vCPU that runs elsewhere is gone once its CPU has looked: until then the caller asks again. */
s64 hc_vcpu_down(struct vcpu *caller, u64 number)
{
	struct vcpu *vcpu = vcpu_find(caller->domain, number);
	bool gone;

	if (!vcpu)
		return TORC_ENOENT;
	if (is_last(vcpu))
		return TORC_EBUSY;
	if (!table_settle(vcpu->domain))
		return TORC_EAGAIN;
	lock_take(&sched_lock);
	sched_stop(vcpu);
	ports_leave(vcpu);
	/* Asked for in here: one that still ran could bind another port before it went. */
	gone = !vcpu->domain->ending && (!vcpu->cpu || vcpu == caller);
	lock_drop(&sched_lock);
	if (!gone)
		return TORC_EAGAIN;
	vcpu_release(vcpu);
	return TORC_OK;
}

s64 hc_vcpu_kick(struct vcpu *caller, u64 vcpus)
{
	const struct domain *domain = caller->domain;
	u32 i;

	if (domain->vcpu_count < 64 && vcpus >> domain->vcpu_count)
		return TORC_ENOENT;
	for (i = 0; i < domain->vcpu_count; i++)
		if (vcpus >> i & 1)
			event_raise(domain->vcpu[i], TORC_PORT_IPI);
	return TORC_OK;
}
