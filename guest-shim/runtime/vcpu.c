/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * vCPUs: how the first one begins, and starting others.
 */
#include <torc/state.h>
#include "guest.h"

#define VCPUS 32
#define FPU_CONTROL 0x37f
#define FPU_MXCSR 0x1f80
#define FPU_MXCSR_OFFSET 24

extern char guest_entry_syscall[], guest_entry_exception[], guest_entry_nmi[];
extern char guest_entry_double_fault[];

static const uint64_t entries[TORC_ENTRY_COUNT] = {
	[TORC_ENTRY_SYSCALL] = (uint64_t)guest_entry_syscall,
	[TORC_ENTRY_EXCEPTION] = (uint64_t)guest_entry_exception,
	[TORC_ENTRY_EVENT] = (uint64_t)guest_entry_exception,
	[TORC_ENTRY_NMI] = (uint64_t)guest_entry_nmi,
	[TORC_ENTRY_DOUBLE_FAULT] = (uint64_t)guest_entry_double_fault,
};

/* What a vCPU that was started once keeps for the next time. */
struct started {
	struct guest_cpu cpu;
	uint8_t *stack;
	void *page;
	uint8_t *batch_area;
	bool ended;
};

static struct guest_cpu first;
static struct started *started[VCPUS];

void guest_begin(const struct torc_start *start);
void guest_memory_begin(void);
void guest_queue_begin(void *area);

static void *small_stack(void)
{
	return (uint8_t *)guest_pages(1) + GUEST_SMALL_STACK_BYTES;
}

static void cpu_begin(struct guest_cpu *cpu, uint32_t number)
{
	cpu->self = cpu;
	cpu->number = number;
	cpu->nmi_stack = small_stack();
	cpu->double_fault_stack = small_stack();
}

/* The first C of a guest. */
__attribute__((weak)) void guest_begin(const struct torc_start *start)
{
	guest_start = start;
	first.self = &first;
	torc_write_gs_base((uint64_t)&first);
	guest_memory_begin();
	cpu_begin(&first, 0);
	if (torc_set_kernel_gs((uint64_t)&first) != TORC_OK || torc_entries(entries) != TORC_OK)
		guest_crash("cannot register entries", NULL);
	guest_queue_begin(guest_pages(TORC_BATCH_PAGES));
	main();
	guest_flush_console();
	torc_end(TORC_SHUTDOWN_POWEROFF, 0);
}

/* The first C of another vCPU. */
static void other_begin(struct guest_cpu *cpu)
{
	struct started *self = (struct started *)cpu;

	guest_queue_begin(self->batch_area);
	cpu->function(cpu->argument);
	__atomic_store_n(&self->ended, true, __ATOMIC_RELEASE);
	for (;;) /* until it happens, here or by guest_vcpu_wait() */
		torc_vcpu_down(cpu->number);
}

static struct started *prepare(uint32_t number)
{
	struct started *other = started[number];

	if (!other) {
		other = guest_pages(1);
		started[number] = other;
		cpu_begin(&other->cpu, number);
		other->stack = guest_pages(GUEST_STACK_BYTES / TORC_PAGE_SIZE);
		other->page = guest_pages(1);
		other->batch_area = guest_pages(TORC_BATCH_PAGES);
	}
	memset(other->page, 0, TORC_PAGE_SIZE);
	other->ended = false;
	return other;
}

static uint64_t pfn_of(const void *linear)
{
	return guest_linear_gpa(linear) >> TORC_PAGE_SHIFT;
}

static void fill(struct torc_vcpu_state *state, const struct started *other)
{
	uint16_t control = FPU_CONTROL;
	uint32_t mxcsr = FPU_MXCSR, i;

	memset(state, 0, sizeof(*state));
	state->size = sizeof(*state);
	state->rip = (uint64_t)other_begin;
	state->cs = TORC_SEL_KERNEL_CS;
	state->ss = TORC_SEL_KERNEL_SS;
	state->rsp = (uint64_t)other->stack + GUEST_STACK_BYTES - 8; /* as behind a call */
	state->gpr[5] = (uint64_t)&other->cpu; /* RDI */
	state->gs_base = state->kernel_gs = (uint64_t)&other->cpu;
	memcpy(state->entries, entries, sizeof(entries));
	state->root = guest_root;
	state->vcpu_page = pfn_of(other->page);
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		state->batch_pages[i] = TORC_INVALID_FRAME;
	memcpy(state->fpu, &control, sizeof(control));
	memcpy(state->fpu + FPU_MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

int64_t guest_vcpu_start(uint32_t number, void (*function)(void *), void *argument)
{
	static struct torc_vcpu_state *state;
	struct started *other;
	int64_t status;

	if (number >= VCPUS)
		return TORC_ENOENT;
	if (!state)
		state = guest_pages(1);
	guest_vcpu_wait(number);
	other = prepare(number);
	other->cpu.function = function;
	other->cpu.argument = argument;
	fill(state, other);
	do {
		status = torc_vcpu_up(number, pfn_of(state));
	} while (status == TORC_EAGAIN);
	return status;
}

void guest_vcpu_wait(uint32_t number)
{
	struct started *other = started[number];

	if (!other)
		return;
	while (!__atomic_load_n(&other->ended, __ATOMIC_ACQUIRE))
		torc_yield();
	while (torc_vcpu_down(number) == TORC_EAGAIN)
		torc_yield();
}

void guest_lock(struct guest_lock *lock)
{
	while (__atomic_exchange_n(&lock->taken, true, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

void guest_unlock(struct guest_lock *lock)
{
	__atomic_store_n(&lock->taken, false, __ATOMIC_RELEASE);
}
