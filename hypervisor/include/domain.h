/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Domains, their vCPUs, and the physical CPUs that run them.
 */
#ifndef TORC_DOMAIN_H
#define TORC_DOMAIN_H

#include <torc/abi.h>
#include "lock.h"
#include "boot.h"
#include "frame.h"
#include "gate.h"
#include "policy.h"
#include "regs.h"

#define DOMAIN_MAX 128
#define VCPU_MAX 32 /* of one domain */
#define CHUNK_DIRECTORY 512 /* pages of chunk numbers: 512 GiB of guest memory */
#define LDT_PAGES (TORC_LDT_MAX_ENTRIES * 8 / PAGE_SIZE)

enum vcpu_state {
	VCPU_RUNNABLE,
	VCPU_BLOCKED,
	VCPU_DOWN,
};

/* One copied root: the hardware walks @copy, whose source is the guest's table @source. */
struct root_copy {
	mfn_t source;
	mfn_t copy;
};

/* Frames of a gate region: pages in the order of their addresses, tables; and a vCPU's own. */
enum {
	GATE_FRAME_DESC, GATE_FRAME_STACK, GATE_FRAME_NMI, GATE_FRAME_IST, GATE_FRAME_L1,
	GATE_FRAME_L2, GATE_FRAMES,
	GATE_FRAME_L3 = GATE_FRAMES, GATE_FRAME_ALIAS_L2, GATE_FRAME_ALIAS_L1, VCPU_GATE_FRAMES
};

#define ROOT_COPIES 64 /* of one vCPU; a direct-mapped cache */

/**
 * struct vcpu - a virtual CPU
 * @regs: its registers while it does not run, at the top of its entry stack
 * @desc: its descriptor page, through the direct map
 * @page: its vCPU page, through the direct map: the guest's, trusted in nothing
 * @root: guest's level-4 table in force, referenced
 * @roots: copies of level-4 tables, filled on demand; @root_copies have a frame
 * @gate: frames of the gate region
 * @page_pfn: pfn of the vCPU page, referenced writable
 * @batch_pfn: pages of the batch area, referenced writable; INVALID_PFN when absent
 * @fpu: XSAVE area while it does not run (frames of the hypervisor)
 * @reload: segment registers or LDT must be loaded at the next resume
 */
struct vcpu {
	struct domain *domain;
	struct regs *regs;
	struct gate_desc *desc;
	struct torc_vcpu_page *page;
	u32 id;
	enum vcpu_state state;
	bool reload;
	bool ts;
	bool nmi_pending;
	u16 ldt_entries;
	mfn_t root;
	struct root_copy *roots;
	u32 root_copies;
	mfn_t gate[VCPU_GATE_FRAMES];
	pfn_t page_pfn;
	pfn_t batch_pfn[TORC_BATCH_PAGES];
	mfn_t ldt_mfn[LDT_PAGES];
	u32 ldt_pfn[LDT_PAGES]; /* where the guest had them */
	u64 fs_base, gs_base;
	u16 sel[4]; /* DS ES FS GS */
	u64 dr[8];
	u64 xcr0;
	void *fpu;
	u64 timer_deadline; /* TIMER_NEVER: not armed */
	u64 last_dispatch, run_ns, steal_ns, ready_since;
	struct entity entity;
	struct vcpu *next_all;
	struct cpu *cpu; /* where it runs, or NULL */
	struct cpu *home; /* where it ran last; NULL: nowhere yet */
};

/* Output of a domain that waits for the end of its line. */
struct console_line {
	char text[256];
	u32 length;
};

struct census_entry {
	u64 rip;
	u32 count;
	u16 instruction;
};

/**
 * struct domain_source - what a domain is built from
 * @string: the module's string from the word "domain" on
 * @kernel: @initrd: as loaded; @initrd may be empty
 * @initrds: how many there were
 * @restarts: how often the domain is built again when it reboots; all that stays in memory for it
 */
struct domain_source {
	const char *string;
	struct range kernel, initrd;
	u32 initrds;
	u32 restarts;
};

#define PORTS_PER_PAGE (PAGE_SIZE / 16)
#define PORT_PAGES (TORC_EVENT_PORTS / PORTS_PER_PAGE)

#define CENSUS_ENTRIES 128 /* more sites than that share the last entry */

/**
 * struct domain - a running VM
 * @references: its life is one; it goes with the last
 * @privileges: TORC_PRIVILEGE_*
 * @pages: pfns below it are the domain's; it has @owned_pages of them, in whole chunks
 * @target_pages: that it is to have; @request: TORC_CONTROL_* that its kernel has not taken yet
 * @paused: none of its vCPUs is to run
 * @ending: its end is decided: the reason of shutdown + 1. It goes once no vCPU of it is on a CPU.
 * @lock: for what its vCPUs share: tables, frames and pages that they registered
 * @unflushed: entries of upper levels went that other CPUs may have cached
 * @chunks: chunk numbers (mfn >> 9) by pfn >> 9, two levels; 0 where there is none
 * @windows_l3: level-3 tables behind slots 257..260, shared by all vCPUs
 * @grant_pfn: pages of the grant table, referenced writable; INVALID_PFN when absent
 * @rings: foreign ring pages shown to it, a page of them; NULL before the first; see ring.c
 * @ring_scratch: what is shown in place of those that were taken back
 * @ports: event ports, a page of them each, made when one of them is bound; see port.c
 * @lowest_port: none below is free
 */
struct domain {
	u16 id;
	unsigned int references;
	u64 privileges;
	char name[TORC_DOMAIN_NAME_BYTES];
	struct domain_source source;
	u64 pages, owned_pages, target_pages;
	bool paused;
	u64 request;
	u32 vcpu_count;
	struct vcpu *vcpu[VCPU_MAX];
	struct share share;
	unsigned int ending;
	struct lock lock;
	bool unflushed;
	u64 linear_base;
	mfn_t linear_root; /* see linear.c */
	mfn_t orphan; /* see paging.c; INVALID_MFN mostly */
	u32 **chunks; /* a page of pointers to pages */
	mfn_t windows_l3[4];
	pfn_t time_pfn;
	struct torc_console_ring *console; /* the guest's page, referenced writable */
	u64 start_ns; /* hypervisor time at system time 0 */
	u32 console_out_cons, console_in_prod;
	struct console_line line;
	u64 *counters; /* TORC_COUNTER_* */
	struct census_entry *census;
	u32 census_used;
	pfn_t grant_pfn[TORC_GRANT_PAGES];
	struct ring_slot *rings;
	mfn_t ring_scratch;
	struct port *ports[PORT_PAGES];
	u32 lowest_port;
	u16 virq_port[TORC_VIRQ_COUNT]; /* 0: not bound */
	struct domain *next;
};

/**
 * struct cpu - a physical CPU
 * @root: the hypervisor's root on this CPU
 * @apic_id: of its local APIC
 * @online: it has started, and this_cpu() works there; set by itself
 * @passes: odd while it is in a guest; see flush.c
 * @current: vCPU whose registers are live; NULL while idle
 * @need_resched: it looks anew who runs before it goes on; set by others holding sched_lock
 * @loaded: vCPU whose FPU, segment and debug registers are in the processor, if it ran here last;
 *	only to be compared, for it may be gone
 * @idle: it sleeps, or is about to
 * @predicts_for: id of the domain that ran here last
 * @kicked: an IPI is on its way to it
 * @stopped: another CPU panics; the next NMI is the last thing that happens here
 * @hung: the watchdog found that it hangs: the same, with a panic of its own
 * @armed: what the timer was armed for; 0 when it must be armed anew
 * @deadline: the earliest of the vCPUs that ran here last, or earlier
 * @slice_end: when it has to look anew who runs, or, idle, whether somebody does
 */
struct cpu {
	u32 id;
	u32 apic_id;
	bool online;
	u32 passes;
	paddr_t root;
	struct vcpu *current;
	struct vcpu *loaded;
	struct gate_desc *desc;
	bool need_resched, idle, kicked, stopped, hung;
	u16 predicts_for;
	u64 *counters;
	struct torc_trace_record *trace[TORC_TRACE_PAGES];
	u32 traced; /* records */
	unsigned int work; /* since the last look at the clock */
	u64 armed, deadline, slice_end;
	u64 nmi_count, nmi_in_gate, nmi_in_ring[4];
};

/*
 * All CPUs; the one that booted is the first. In the image, that is in slot 256, where no guest
 * can set a breakpoint: one that struck in the NMI handler would allow the next NMI too early.
 */
extern struct cpu cpus[CPU_MAX];
extern unsigned int cpu_count;

/** this_cpu - the CPU that executes this; the pointer stands in the CPU's own gate region */
static inline struct cpu *this_cpu(void)
{
	return ((struct gate_desc *)(GATE_BASE + GATE_DESC))->cpu;
}

/** cpu_pass - @cpu, which executes this, comes from a guest or leaves for one; see mm/flush.c */
static inline void cpu_pass(struct cpu *cpu)
{
	__atomic_fetch_add(&cpu->passes, 1, __ATOMIC_SEQ_CST);
}

/** domain_mfn - frame behind @pfn of @domain, INVALID_MFN when there is none */
static inline mfn_t domain_mfn(const struct domain *domain, pfn_t pfn)
{
	u32 chunk;

	if (pfn >= domain->pages)
		return INVALID_MFN;
	pfn = index_nospec(pfn, domain->pages);
	chunk = domain->chunks[pfn >> 18][(pfn >> 9) & 511];
	return chunk ? ((mfn_t)chunk << 9) | (pfn & 511) : INVALID_MFN;
}

/** vcpu_find - the vCPU that a guest names by its number in @domain; NULL when there is none */
static inline struct vcpu *vcpu_find(const struct domain *domain, u64 number)
{
	if (number >= domain->vcpu_count)
		return NULL;
	return domain->vcpu[index_nospec(number, domain->vcpu_count)];
}

/*
 * The list, and what consoles share; a change of the list takes domain_list_lock besides, which is
 * enough for a look.
 */
extern struct lock domains_lock, domain_list_lock;
extern struct domain *domain_list;
extern unsigned int domain_count; /* of those on the list or about to be started anew */

/* domain.c */
u16 domain_new_id(void);
bool domain_name_allowed(const char *name);
bool domain_name_taken(const char *name);
struct domain *domain_create(const char *name, u64 pages, u64 most, u16 id);
bool domain_add_chunk(struct domain *domain, pfn_t pfn);
void domain_drop_chunk(struct domain *domain, pfn_t pfn);
void domain_insert(struct domain *domain);
void domain_destroy(struct domain *domain);
void domain_retire(struct domain *domain);

/** domain_get - the domain of that id, which stays until domain_put(); NULL when there is none */
struct domain *domain_get(u64 id);

/** domain_get_next - the same for the domain with the lowest id above @id */
struct domain *domain_get_next(u64 id);

/** domain_put - gives a reference back; with the last goes the domain. Holding no lock. */
void domain_put(struct domain *domain);

/* vcpu.c */
struct vcpu *vcpu_create(struct domain *domain, u32 id);
void vcpu_destroy(struct vcpu *vcpu);
int vcpu_set_page(struct vcpu *vcpu, pfn_t pfn);
void vcpu_drop_page(struct vcpu *vcpu);
void vcpu_map_ldt(struct vcpu *vcpu);
void vcpu_set_ldt(struct vcpu *vcpu);
void vcpu_save(struct vcpu *vcpu);
void vcpu_load(struct vcpu *vcpu);
void vcpu_load_debug(struct vcpu *vcpu);
void vcpu_resume(struct vcpu *vcpu, paddr_t root) __noreturn;

/**
 * cpu_prepare - makes @cpu's root, its gate region and its stack, on any CPU
 * Panics without memory.
 */
void cpu_prepare(struct cpu *cpu);

/** cpu_enter - puts them in force; runs on @cpu itself */
void cpu_enter(const struct cpu *cpu);

/* tables.c */
extern paddr_t idt_phys;
void gate_init(void);
void gate_load_tables(void);

/* build.c */

/**
 * domain_build - makes and starts a domain, or logs why not
 * Return: the domain, at the end of the list; NULL when it is refused.
 */
struct domain *domain_build(const struct domain_source *source);

#endif
