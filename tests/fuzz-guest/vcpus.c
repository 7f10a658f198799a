/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Calls on vCPUs: what a worker may do to its own without dying of it, and spare vCPUs, which come
 * up with states that are changed here and there, yield some times, and go down.
 */
#include <torc/state.h>
#include "fuzz.h"

#define MSR_GS_BASE 0xc0000101
#define SPARES 4
#define LIVES 20 /* times that a spare yields */

extern char guest_entry_syscall[], guest_entry_exception[], guest_entry_nmi[];
extern char guest_entry_double_fault[];

static const uint64_t entries[TORC_ENTRY_COUNT] = {
	[TORC_ENTRY_SYSCALL] = (uint64_t)guest_entry_syscall,
	[TORC_ENTRY_EXCEPTION] = (uint64_t)guest_entry_exception,
	[TORC_ENTRY_EVENT] = (uint64_t)guest_entry_exception,
	[TORC_ENTRY_NMI] = (uint64_t)guest_entry_nmi,
	[TORC_ENTRY_DOUBLE_FAULT] = (uint64_t)guest_entry_double_fault,
};

uint32_t worker_count;
static struct torc_vcpu_state *spare_state[SPARES];

static bool nothing_make(struct worker *worker, uint64_t *a)
{
	(void)worker;
	(void)a;
	return true;
}

/* Wakes up by the timer at the latest. */
static bool block_make(struct worker *worker, uint64_t *a)
{
	(void)a;
	return torc_set_timer(torc_clock_ns(TORC_CLOCK) + below(worker, 50000)) == TORC_OK;
}

static bool timer_make(struct worker *worker, uint64_t *a)
{
	a[0] = once_in(worker, 2) ? boundary(worker) :
				    torc_clock_ns(TORC_CLOCK) + below(worker, 1000000);
	return true;
}

/* It ends by itself when all is done. */
static bool shutdown_make(struct worker *worker, uint64_t *a)
{
	a[0] = TORC_SHUTDOWN_SUSPEND + below(worker, 3);
	return true;
}

static bool shutdown_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return a[0] >= TORC_SHUTDOWN_SUSPEND;
}

static bool canonical(uint64_t address)
{
	return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

static bool in_hole(uint64_t address)
{
	return address >= TORC_HOLE_START && address < TORC_HOLE_END;
}

static bool entry_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, TORC_ENTRY_COUNT);
	a[1] = entries[a[0]];
	return true;
}

static bool entry_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return a[0] >= TORC_ENTRY_COUNT || a[1] == entries[a[0]] || !canonical(a[1]) ||
	       in_hole(a[1]);
}

/* Ring 3 is never entered, so any base will do. */
static bool base_make(struct worker *worker, uint64_t *a)
{
	a[0] = (int64_t)(draw(worker) << 16) >> 16;
	return true;
}

static bool page_make(struct worker *worker, uint64_t *a)
{
	a[0] = worker->vcpu_pfn[!worker->which];
	return true;
}

static bool page_safe(struct worker *worker, const uint64_t *a)
{
	return a[0] == worker->vcpu_pfn[0] || a[0] == worker->vcpu_pfn[1] ||
	       !page_exists(a[0]) || page_use(a[0]) == USE_TABLE;
}

static void page_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	if (result == TORC_OK)
		worker->which = a[0] == worker->vcpu_pfn[1];
}

/* Data and code of ring 3, and everything near it. */
static uint64_t make_descriptor(struct worker *worker)
{
	uint64_t descriptor = once_in(worker, 2) ? 0x00cff3000000ffff : 0x00affb000000ffff;

	return once_in(worker, 4) ? descriptor ^ 1UL << below(worker, 64) : descriptor;
}

static bool descriptor_make(struct worker *worker, uint64_t *a)
{
	a[0] = TORC_GDT_FIRST_FREE + below(worker, 4);
	a[1] = make_descriptor(worker);
	return true;
}

static bool ldt_make(struct worker *worker, uint64_t *a)
{
	a[0] = once_in(worker, 2) ? 0 : below(worker, 3);
	a[1] = any_page(worker);
	a[2] = once_in(worker, 8) ? 0 : once_in(worker, 2) ? 512 : 1 + below(worker, 512);
	return true;
}

/* A breakpoint where this kernel neither runs nor keeps its stack. */
static bool breakpoint_safe(uint64_t address)
{
	uint64_t first = (uint64_t)guest_linear(arena[0] << TORC_PAGE_SHIFT);

	return address - first < ARENA_PAGES * TORC_PAGE_SIZE || !canonical(address) ||
	       in_hole(address) || in_hole(address + 8) || address < 0x10000;
}

static uint64_t make_breakpoint(struct worker *worker)
{
	uint64_t page = (uint64_t)guest_linear(arena_page(worker) << TORC_PAGE_SHIFT);

	return once_in(worker, 8) ? TORC_HOLE_START - 9 + below(worker, 18) :
				    page + below(worker, TORC_PAGE_SIZE);
}

static bool debugreg_make(struct worker *worker, uint64_t *a)
{
	static const uint8_t numbers[] = { 0, 1, 2, 3, 6, 7, 7, 7 };

	a[0] = numbers[below(worker, sizeof(numbers))];
	if (a[0] < 4)
		a[1] = make_breakpoint(worker);
	else
		a[1] = draw(worker) & (once_in(worker, 2) ? 0x11110155 : 0xffff27ff);
	return true;
}

static bool debugreg_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return a[0] > 3 || breakpoint_safe(a[1]);
}

static bool bit_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, 2);
	return true;
}

static bool xcr0_make(struct worker *worker, uint64_t *a)
{
	a[0] = once_in(worker, 2) ? guest_start->xcr0 : guest_start->xcr0 & (draw(worker) | 1);
	return true;
}

static bool msr_make(struct worker *worker, uint64_t *a)
{
	static const uint32_t numbers[] = { 0xc0000100, MSR_GS_BASE, 0xc0000102, 0xc0000080,
					    0x277 };

	a[0] = numbers[below(worker, ARRAY_SIZE(numbers))];
	a[1] = a[0] == MSR_GS_BASE ? (uint64_t)guest_cpu() : draw(worker) & 0xffffffff;
	return true;
}

static bool msr_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return a[0] != MSR_GS_BASE || a[1] == (uint64_t)guest_cpu() || !canonical(a[1]);
}

/* The frame of an NMI that never came; those that come are returned from in guest_nmi()'s entry. */
static bool nmi_return_make(struct worker *worker, uint64_t *a)
{
	(void)a;
	TORC_SHIM_VCPU->nmi_masked = 1;
	TORC_SHIM_VCPU->nmi.rip = once_in(worker, 2) ? 0x800000000000 : draw(worker) | 1UL << 62;
	TORC_SHIM_VCPU->nmi.rip &= ~(1UL << 63);
	return true;
}

static void nmi_return_after(struct worker *worker, const uint64_t *a, int64_t result)
{
	(void)worker;
	(void)a;
	(void)result;
	TORC_SHIM_VCPU->nmi_masked = 0;
}

void guest_nmi(struct guest_regs *regs)
{
	(void)regs;
}

static bool number_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, guest_start->vcpus);
	return true;
}

static bool index_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, 4);
	return true;
}

static bool set_make(struct worker *worker, uint64_t *a)
{
	a[0] = below(worker, 1UL << guest_start->vcpus);
	return true;
}

/* What a spare does. */
static void spare_begin(struct guest_cpu *cpu)
{
	uint32_t i;

	for (i = 0; i < LIVES; i++)
		torc_yield();
	for (;;)
		torc_vcpu_down(cpu->number);
}

static struct torc_vcpu_state *make_spare(uint32_t number)
{
	struct guest_cpu *cpu = guest_pages(1);
	struct torc_vcpu_state *state = guest_pages(1);
	uint16_t control = 0x37f;
	uint32_t mxcsr = 0x1f80;

	*cpu = (struct guest_cpu){
		.nmi_stack = (uint8_t *)guest_pages(1) + TORC_PAGE_SIZE,
		.double_fault_stack = (uint8_t *)guest_pages(1) + TORC_PAGE_SIZE,
		.self = cpu,
		.number = number,
	};
	*state = (struct torc_vcpu_state){
		.size = sizeof(*state),
		.gpr = { [5] = (uint64_t)cpu },
		.rip = (uint64_t)spare_begin, .cs = TORC_SEL_KERNEL_CS,
		.rsp = (uint64_t)guest_pages(4) + GUEST_STACK_BYTES - 8, .ss = TORC_SEL_KERNEL_SS,
		.gs_base = (uint64_t)cpu, .kernel_gs = (uint64_t)cpu,
		.root = guest_start->root,
		.vcpu_page = guest_page(),
	};
	memcpy(state->entries, entries, sizeof(entries));
	memset(state->batch_pages, 0xff, sizeof(state->batch_pages));
	memcpy(state->fpu, &control, sizeof(control));
	memcpy(state->fpu + 24, &mxcsr, sizeof(mxcsr));
	return state;
}

/* Changes a field: into what is refused, or into what a spare can live with. */
static void change_state(struct worker *worker, struct torc_vcpu_state *state)
{
	uint64_t pfn = any_page(worker);

	switch (below(worker, 16)) {
	case 0: state->size = mutate(worker, state->size); break;
	case 1: state->flags ^= 1U << below(worker, 8); break;
	case 2: state->rflags = draw(worker) & ~0x100UL; break;
	case 3: state->sel[below(worker, 4)] = draw(worker); break;
	case 4: state->fs_base = mutate(worker, 0); break;
	case 5: state->kernel_gs = mutate(worker, 0); break;
	case 6: state->entries[below(worker, 8)] = TORC_HOLE_START + below(worker, 4096); break;
	case 7: state->root = page_use(pfn) == USE_ARENA || page_use(pfn) == USE_CHUNK ?
			roots[below(worker, ROOTS)] << TORC_PAGE_SHIFT : pfn << TORC_PAGE_SHIFT;
		break;
	case 8: state->batch_pages[below(worker, 8)] = pfn; break;
	case 9: state->dr[below(worker, 4)] = make_breakpoint(worker); break;
	case 10: state->dr[4 + below(worker, 2)] = draw(worker); break;
	case 11: state->gdt[below(worker, 4)] = make_descriptor(worker); break;
	case 12: state->ldt_entries = below(worker, 1024);
		state->ldt_pages[below(worker, 2)] = pfn;
		break;
	case 13: state->timer_ns = boundary(worker); break;
	case 14: state->xcr0 = guest_start->xcr0 ^ once_in(worker, 2); break;
	default: state->fpu[24 + below(worker, 560)] ^= 1U << below(worker, 8);
	}
}

static bool up_make(struct worker *worker, uint64_t *a)
{
	if (worker_count == guest_start->vcpus)
		return false;
	a[0] = worker_count + below(worker, guest_start->vcpus - worker_count);
	a[1] = worker->state_pfn;
	memcpy(worker->state, spare_state[a[0] - worker_count], sizeof(struct torc_vcpu_state));
	if (once_in(worker, 2))
		change_state(worker, worker->state);
	return true;
}

/* A state is good for its own vCPU only: two of them would share a stack and a vCPU page. */
static bool up_safe(struct worker *worker, const uint64_t *a)
{
	const struct torc_vcpu_state *state = worker->state;
	const struct guest_cpu *cpu = (struct guest_cpu *)state->gpr[5];

	return (a[0] == cpu->number || a[0] >= guest_start->vcpus) &&
	       (a[1] == worker->state_pfn || !page_exists(a[1]) || page_use(a[1]) == USE_TABLE);
}

static bool down_make(struct worker *worker, uint64_t *a)
{
	if (worker_count == guest_start->vcpus)
		return false;
	a[0] = worker_count + below(worker, guest_start->vcpus - worker_count);
	return true;
}

static bool down_safe(struct worker *worker, const uint64_t *a)
{
	(void)worker;
	return a[0] >= worker_count;
}

void vcpus_begin(void)
{
	uint32_t i;

	if (guest_start->vcpus - worker_count > SPARES)
		guest_crash("too many spare vCPUs", NULL);
	for (i = worker_count; i < guest_start->vcpus; i++)
		spare_state[i - worker_count] = make_spare(i);
}

/* Runs on the worker's own vCPU. */
void worker_begin(struct worker *worker)
{
	uint32_t i;

	worker->which = 0;
	if (torc_vcpu_set_page(worker->vcpu_pfn[0]) != TORC_OK)
		guest_crash("cannot move the vCPU page", NULL);
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		if (torc_batch_register(i, worker->area_pfn[i]) != TORC_OK)
			guest_crash("cannot register the batch area", NULL);
	worker->present = 0xff;
}

const struct call vcpu_calls[CALLS] = {
	[TORC_HC_VERSION] = { 1, 0, NEVER_REFUSED, nothing_make, NULL, NULL },
	[TORC_HC_CONSOLE_NOTIFY] = { 1, 0, NEVER_REFUSED, nothing_make, NULL, NULL },
	[TORC_HC_BLOCK] = { 2, 0, NEVER_REFUSED, block_make, NULL, NULL },
	[TORC_HC_YIELD] = { 2, 0, NEVER_REFUSED, nothing_make, NULL, NULL },
	[TORC_HC_SET_TIMER] = { 3, 1, NEVER_REFUSED, timer_make, NULL, NULL },
	[TORC_HC_SHUTDOWN] = { 1, 2, NEVER_ACCEPTED, shutdown_make, shutdown_safe, NULL },
	[TORC_HC_SET_ENTRY] = { 2, 2, 0, entry_make, entry_safe, NULL },
	[TORC_HC_SET_KERNEL_GS] = { 2, 1, 0, base_make, NULL, NULL },
	[TORC_HC_VCPU_SET_PAGE] = { 4, 1, 0, page_make, page_safe, page_after },
	[TORC_HC_SET_DESCRIPTOR] = { 3, 2, 0, descriptor_make, NULL, NULL },
	[TORC_HC_LDT_LOAD] = { 4, 3, 0, ldt_make, NULL, NULL },
	[TORC_HC_SET_DEBUGREG] = { 4, 2, 0, debugreg_make, debugreg_safe, NULL },
	[TORC_HC_GET_DEBUGREG] = { 2, 1, 0, number_make, NULL, NULL },
	[TORC_HC_SET_TASK_SWITCHED] = { 2, 1, 0, bit_make, NULL, NULL },
	[TORC_HC_SET_XCR0] = { 2, 1, 0, xcr0_make, NULL, NULL },
	[TORC_HC_READ_MSR] = { 2, 1, 0, msr_make, NULL, NULL },
	[TORC_HC_WRITE_MSR] = { 2, 2, 0, msr_make, msr_safe, NULL },
	[TORC_HC_NMI_RETURN] = { 1, 0, NEVER_ACCEPTED, nmi_return_make, NULL, nmi_return_after },
	[TORC_HC_NMI_SEND] = { 2, 1, 0, number_make, NULL, NULL },
	[TORC_HC_CENSUS] = { 1, 1, NEVER_ACCEPTED, index_make, NULL, NULL },
	[TORC_HC_CONTROL] = { 1, 0, NEVER_REFUSED, nothing_make, NULL, NULL },
	[TORC_HC_VCPU_UP] = { 6, 2, CAN_STOP, up_make, up_safe, NULL },
	[TORC_HC_VCPU_DOWN] = { 4, 1, CAN_STOP, down_make, down_safe, NULL },
	[TORC_HC_VCPU_KICK] = { 2, 1, 0, set_make, NULL, NULL },
};
