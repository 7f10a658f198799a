/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * vCPUs: their part of the gate region, and moving their state into the processor and out of it.
 */
#include "alloc.h"
#include "cpu.h"
#include "lib.h"
#include "log.h"
#include "mitigation.h"
#include "observe.h"
#include "paging.h"
#include "sched.h"
#include "timer.h"

#define STACK_SIZE 16384 /* of a CPU */
#define GATE_INDEX(offset) ((offset) >> PAGE_SHIFT)

/*
 * Flat descriptors, accessed bit set so that the processor never writes the table (Intel SDM 3A
 * 3.4.5.1).
 */
static const u64 gdt_template[GDT_ENTRIES] = {
	[SEL_HV_CS >> 3] = 0x00af9b000000ffff,
	[SEL_HV_SS >> 3] = 0x00cf93000000ffff,
	[TORC_SEL_KERNEL_CS >> 3] = 0x00afbb000000ffff,
	[TORC_SEL_USER_CS32 >> 3] = 0x00cffb000000ffff,
	[TORC_SEL_USER_SS >> 3] = 0x00cff3000000ffff,
	[TORC_SEL_USER_CS >> 3] = 0x00affb000000ffff,
	[TORC_SEL_KERNEL_SS >> 3] = 0x00cfb3000000ffff,
};

/* Two entries: the second has bits 63..32 of the base (Intel SDM 3A 8.2.3). */
static void set_system_descriptor(u64 *gdt, u16 selector, u64 base, u32 limit, u8 type)
{
	gdt[selector >> 3] = (limit & 0xffff) | (base & 0xffffff) << 16 |
			     (u64)(0x80 | type) << 40 | (u64)(limit >> 16 & 0xf) << 48 |
			     (base >> 24 & 0xff) << 56;
	gdt[(selector >> 3) + 1] = base >> 32;
}

static void desc_init(struct gate_desc *desc)
{
	u64 tss = GATE_BASE + GATE_DESC + DESC_TSS;

	memcpy(desc->gdt, gdt_template, sizeof(gdt_template));
	set_system_descriptor(desc->gdt, SEL_TSS, tss, sizeof(struct tss) - 1, 9);
	desc->tss.rsp[0] = GATE_BASE + GATE_ENTRY_TOP;
	desc->tss.ist[IST_NMI - 1] = GATE_BASE + GATE_NMI_TOP;
	desc->tss.ist[IST_DB - 1] = GATE_BASE + GATE_DB_TOP;
	desc->tss.ist[IST_MC - 1] = GATE_BASE + GATE_MC_TOP;
	desc->tss.ist[IST_DF - 1] = GATE_BASE + GATE_DF_TOP;
	desc->tss.io_map = sizeof(struct tss);
}

/* Which frame of the vCPU page an entry kind's frame is. */
static const u16 frame_offset[TORC_ENTRY_COUNT] = {
	[TORC_ENTRY_SYSCALL] = TORC_VCPU_SYNC,
	[TORC_ENTRY_EXCEPTION] = TORC_VCPU_SYNC,
	[TORC_ENTRY_EVENT] = TORC_VCPU_SYNC,
	[TORC_ENTRY_NMI] = TORC_VCPU_NMI,
	[TORC_ENTRY_DOUBLE_FAULT] = TORC_VCPU_DOUBLE_FAULT,
};

static void desc_init_guest(struct gate_desc *desc)
{
	unsigned int kind;

	desc_init(desc);
	desc->first_ring1[0] = 1u << 13;
	for (kind = 0; kind < TORC_ENTRY_COUNT; kind++)
		desc->iret[kind] = (struct iret_frame){
			.rip = (u64)gate_no_entry,
			.cs = TORC_SEL_KERNEL_CS,
			.rflags = GATE_RFLAGS_FORCED,
			.rsp = TORC_VCPU_PAGE + frame_offset[kind],
			.ss = TORC_SEL_KERNEL_SS,
		};
}

static u64 data_entry(mfn_t mfn, u64 writable)
{
	return mfn_to_paddr(mfn) | PTE_P | PTE_NX | PTE_A | PTE_D | writable;
}

/* Fills @gate with new pages; false when they run out. */
static bool alloc_all(mfn_t *gate, unsigned int count)
{
	while (count-- > 0) {
		*gate = page_alloc();
		if (*gate++ == INVALID_MFN)
			return false;
	}
	return true;
}

/* Tables of a gate region: they show the pages that all share, and its own. */
static void map_region(const mfn_t *gate, u64 desc_writable)
{
	u64 *l1 = mfn_to_virt(gate[GATE_FRAME_L1]), *l2 = mfn_to_virt(gate[GATE_FRAME_L2]);
	unsigned int i;

	_Static_assert(GATE_DESC + GATE_FRAME_IST * PAGE_SIZE == GATE_IST_STACK, "in that order");
	l2[0] = mfn_to_paddr(gate[GATE_FRAME_L1]) | PTE_P | PTE_W;
	for (i = 0; i < GATE_TEXT_PAGES; i++)
		l1[i] = (gate_text_phys + i * PAGE_SIZE) | PTE_P | PTE_A;
	l1[GATE_INDEX(GATE_HYPERCALL_OFFSET)] = gate_hypercall_phys | PTE_P | PTE_A;
	l1[GATE_INDEX(GATE_IDT)] = idt_phys | PTE_P | PTE_NX | PTE_A;
	for (i = GATE_FRAME_DESC; i <= GATE_FRAME_IST; i++)
		l1[GATE_INDEX(GATE_DESC) + i] =
			data_entry(gate[i], i == GATE_FRAME_DESC ? desc_writable : PTE_W);
}

void cpu_prepare(struct cpu *cpu)
{
	mfn_t gate[GATE_FRAMES];

	if (!alloc_all(gate, GATE_FRAMES) || !observe_prepare(cpu))
		panic("no memory for the gate region of CPU %u", cpu->id);
	map_region(gate, PTE_W);
	cpu->root = hv_root_new(gate[GATE_FRAME_L2]);
	cpu->desc = mfn_to_virt(gate[GATE_FRAME_DESC]);
	desc_init(cpu->desc);
	cpu->desc->hv_cr3 = cpu->root;
	cpu->desc->hv_stack = (u64)boot_alloc(STACK_SIZE) + STACK_SIZE - 8;
	cpu->desc->cpu = cpu;
	cpu->deadline = TIMER_NEVER;
}

void cpu_enter(const struct cpu *cpu)
{
	write_cr3(cpu->root);
	gate_load_tables();
}

/*
 * The aliases repeat: all four level-3 entries name one table, all 512 of that another, all of
 * that one page.
 */
static void map_aliases(const mfn_t *gate)
{
	u64 *l3 = mfn_to_virt(gate[GATE_FRAME_L3]), *l2 = mfn_to_virt(gate[GATE_FRAME_ALIAS_L2]);
	u64 *l1 = mfn_to_virt(gate[GATE_FRAME_ALIAS_L1]);
	unsigned int i;

	for (i = 0; i < 4; i++)
		l3[((GATE_ALIASES >> 30) & 511) + i] =
			mfn_to_paddr(gate[GATE_FRAME_ALIAS_L2]) | PTE_P | PTE_W;
	for (i = 0; i < ENTRIES; i++)
		l2[i] = mfn_to_paddr(gate[GATE_FRAME_ALIAS_L1]) | PTE_P | PTE_W;
	for (i = GATE_INDEX(GATE_ENTRY_STACK); i < ENTRIES; i += 16)
		l1[i] = data_entry(gate[GATE_FRAME_STACK], PTE_W);
}

static bool gate_create(struct vcpu *vcpu)
{
	const mfn_t *gate = vcpu->gate;

	if (!alloc_all(vcpu->gate, VCPU_GATE_FRAMES))
		return false;
	map_aliases(gate);
	*(u64 *)mfn_to_virt(gate[GATE_FRAME_L3]) =
		mfn_to_paddr(gate[GATE_FRAME_L2]) | PTE_P | PTE_W;
	map_region(gate, 0);
	vcpu->desc = mfn_to_virt(gate[GATE_FRAME_DESC]);
	desc_init_guest(vcpu->desc);
	vcpu->regs = mfn_to_virt(gate[GATE_FRAME_STACK]) + PAGE_SIZE - REGS_SIZE;
	return true;
}

/* x87 and SSE control words as after FNINIT and reset; all other components absent. */
static void fpu_reset(void *fpu)
{
	*(u16 *)fpu = 0x37f;
	*(u32 *)((u8 *)fpu + 24) = 0x1f80;
}

/**
 * vcpu_create - makes vCPU @id of @domain, down, without page and root
 * Return: NULL without memory; vcpu_destroy() then gives back what domain->vcpu[@id] has.
 */
struct vcpu *vcpu_create(struct domain *domain, u32 id)
{
	struct vcpu *vcpu = page_zalloc();
	unsigned int i;

	_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "allocated as one page");
	if (!vcpu)
		return NULL;
	domain->vcpu[id] = vcpu;
	vcpu->domain = domain;
	vcpu->id = id;
	vcpu->state = VCPU_DOWN;
	vcpu->entity = (struct entity){ .share = &domain->share, .affinity = ~0ull };
	vcpu->root = INVALID_MFN;
	vcpu->page_pfn = INVALID_PFN;
	vcpu->timer_deadline = TIMER_NEVER;
	vcpu->xcr0 = XCR0_X87;
	vcpu->dr[6] = 0xffff0ff0;
	vcpu->dr[7] = 0x400;
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		vcpu->batch_pfn[i] = INVALID_PFN;
	memset(vcpu->gate, 0xff, sizeof(vcpu->gate)); /* INVALID_MFN */
	vcpu->fpu = page_zalloc();
	vcpu->roots = vcpu->fpu ? page_zalloc() : NULL; /* root_prepare() follows */
	if (!vcpu->fpu || !vcpu->roots || !root_prepare(vcpu) || !gate_create(vcpu))
		return NULL;
	fpu_reset(vcpu->fpu);
	return vcpu;
}

/** vcpu_destroy - gives back the hypervisor's pages of @vcpu, complete or not */
void vcpu_destroy(struct vcpu *vcpu)
{
	unsigned int i;

	root_free_copies(vcpu);
	for (i = 0; i < LDT_PAGES; i++)
		if (vcpu->ldt_mfn[i])
			page_free(vcpu->ldt_mfn[i]);
	for (i = 0; i < VCPU_GATE_FRAMES; i++)
		if (vcpu->gate[i] != INVALID_MFN)
			page_free(vcpu->gate[i]);
	page_drop(vcpu->fpu);
	page_drop(vcpu->roots);
	vcpu->domain->vcpu[vcpu->id] = NULL;
	page_drop(vcpu);
}

static void init_page(const struct vcpu *vcpu, struct torc_vcpu_page *page)
{
	page->version = TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR;
	page->size = sizeof(*page);
	page->vcpu = vcpu->id;
}

/** vcpu_drop_page - the vCPU, which is down, has no page any more */
void vcpu_drop_page(struct vcpu *vcpu)
{
	struct domain *domain = vcpu->domain;

	if (vcpu->page_pfn == INVALID_PFN)
		return;
	frame_put_writable(domain, domain_mfn(domain, vcpu->page_pfn));
	vcpu->page = NULL;
	vcpu->page_pfn = INVALID_PFN;
	((u64 *)mfn_to_virt(vcpu->gate[GATE_FRAME_L1]))[GATE_INDEX(GATE_VCPU)] = 0;
}

/**
 * vcpu_set_page - makes @pfn the vCPU page; the old one's contents move along
 * Return: 0, TORC_ENOENT for no such page, TORC_EBUSY when it is a table.
 */
int vcpu_set_page(struct vcpu *vcpu, pfn_t pfn)
{
	struct domain *domain = vcpu->domain;
	mfn_t mfn = domain_mfn(domain, pfn);
	u64 *table;
	int error = frame_get_writable(domain, mfn);

	if (error)
		return error;
	lock_take(&sched_lock);
	if (vcpu->page_pfn != INVALID_PFN) {
		memcpy(mfn_to_virt(mfn), vcpu->page, PAGE_SIZE);
		frame_put_writable(domain, domain_mfn(domain, vcpu->page_pfn));
	} else {
		init_page(vcpu, mfn_to_virt(mfn));
	}
	vcpu->page = mfn_to_virt(mfn);
	vcpu->page_pfn = pfn;
	lock_drop(&sched_lock);
	table = mfn_to_virt(vcpu->gate[GATE_FRAME_L1]);
	table[GATE_INDEX(GATE_VCPU)] = data_entry(mfn, PTE_W);
	return 0;
}

#define READ_SELECTOR(name) \
	({ u16 value_; __asm__ volatile("mov %%" #name ", %0" : "=r"(value_)); value_; })

static void read_selectors(struct vcpu *vcpu)
{
	vcpu->sel[0] = READ_SELECTOR(ds);
	vcpu->sel[1] = READ_SELECTOR(es);
	vcpu->sel[2] = READ_SELECTOR(fs);
	vcpu->sel[3] = READ_SELECTOR(gs);
}

/** vcpu_map_ldt - makes the LDT of @vcpu what its gate region shows */
void vcpu_map_ldt(struct vcpu *vcpu)
{
	u64 *l1 = mfn_to_virt(vcpu->gate[GATE_FRAME_L1]);
	unsigned int i;

	for (i = 0; i < LDT_PAGES; i++)
		l1[GATE_INDEX(GATE_LDT) + i] =
			i * ENTRIES < vcpu->ldt_entries ? data_entry(vcpu->ldt_mfn[i], 0) : 0;
	if (vcpu->ldt_entries)
		set_system_descriptor(vcpu->desc->gdt, SEL_LDT, GATE_BASE + GATE_LDT,
				      vcpu->ldt_entries * 8 - 1, 2);
}

/** vcpu_set_ldt - puts the LDT of the current @vcpu in force at its next resume */
void vcpu_set_ldt(struct vcpu *vcpu)
{
	vcpu_map_ldt(vcpu);
	read_selectors(vcpu);
	vcpu->reload = true;
}

/* One of the instructions that save or load all states, which XCR0 must then allow. */
#define XSTATE(instruction, vcpu) \
	__asm__ volatile(instruction " (%0)" : : "r"((vcpu)->fpu), \
			 "a"((u32)cpu_features.xcr0), "d"((u32)(cpu_features.xcr0 >> 32)) \
			 : "memory")

static void fpu_save(struct vcpu *vcpu)
{
	__asm__ volatile("clts");
	if (!cpu_features.xsave) {
		XSTATE("fxsave64", vcpu);
		return;
	}
	xsetbv(0, cpu_features.xcr0);
	XSTATE("xsave64", vcpu);
	xsetbv(0, vcpu->xcr0);
}

static void fpu_load(struct vcpu *vcpu)
{
	static const u32 zero;

	__asm__ volatile("clts");
	if (cpu_features.x87_pointers_stay)
		__asm__ volatile("fnclex\n\temms\n\tfildl %0" : : "m"(zero));
	if (!cpu_features.xsave) {
		XSTATE("fxrstor64", vcpu);
		return;
	}
	xsetbv(0, cpu_features.xcr0);
	XSTATE("xrstor64", vcpu);
	xsetbv(0, vcpu->xcr0);
}

/** vcpu_save - takes the state of @vcpu that the gate leaves in the processor out of it */
void vcpu_save(struct vcpu *vcpu)
{
	read_selectors(vcpu);
	vcpu->fs_base = rdfsbase();
	vcpu->gs_base = rdgsbase();
	vcpu->dr[6] = read_dr6();
	fpu_save(vcpu);
}

/** vcpu_load_debug - puts the debug registers of the current @vcpu in force */
void vcpu_load_debug(struct vcpu *vcpu)
{
	write_dr7(0x400);
	write_dr0(vcpu->dr[0]);
	write_dr1(vcpu->dr[1]);
	write_dr2(vcpu->dr[2]);
	write_dr3(vcpu->dr[3]);
	write_dr6(vcpu->dr[6]);
	write_dr7(vcpu->dr[7]);
}

/** vcpu_load - puts it in again; selectors follow at the resume */
void vcpu_load(struct vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	if (mitigation(SWITCH_IBPB) && cpu->predicts_for != vcpu->domain->id)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	cpu->predicts_for = vcpu->domain->id;
	vcpu->desc->hv_cr3 = cpu->root;
	fpu_load(vcpu);
	write_cr2(0);
	wrfsbase(vcpu->fs_base);
	wrgsbase(vcpu->gs_base);
	vcpu_load_debug(vcpu);
	vcpu->reload = true;
}

/* Where the registers are popped from: an alias of the entry stack for a 16-bit stack segment. */
static u64 resume_stack(const struct regs *regs)
{
	u64 offset = GATE_ENTRY_TOP - REGS_SIZE;

	if ((regs->cs & 3) == 3 && (regs->ss & SELECTOR_GUESTS))
		return GATE_ALIASES + (regs->rsp & 0xffff0000) + offset;
	return GATE_BASE + offset;
}

/** vcpu_resume - leaves for the guest; @root is the copy to walk. Does not return. */
void vcpu_resume(struct vcpu *vcpu, paddr_t root)
{
	u64 selectors, stack = resume_stack(vcpu->regs);

	if (vcpu->ts)
		write_cr0(read_cr0() | CR0_TS);
	cpu_pass(vcpu->cpu);
	if (mitigation(CLEAR_BUFFERS))
		__asm__ volatile("verw %0" : : "m"((u16){ SEL_HV_SS }) : "cc");
	if (!vcpu->reload)
		gate_resume(root, stack, vcpu->regs);
	vcpu->reload = false;
	memcpy(&selectors, vcpu->sel, sizeof(selectors));
	gate_resume_segments(root, stack, selectors, rdfsbase(), rdgsbase(),
			     vcpu->ldt_entries ? SEL_LDT : 0);
}
