/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * What happens at an entry: events are counted, faults and system calls go to whoever waits for
 * them (a probe in ring 1, guest_user_run for ring 3), and anything else ends the guest.
 */
#include "guest.h"

/* At GS base 0 the entry code finds the stack for entries from ring 3. */
static struct {
	uint64_t user_entry_stack;
} per_cpu;

static struct guest_context *probe_context;
static struct guest_fault last_fault;
static struct guest_context *user_context;
static struct guest_regs *user_regs;

bool (*guest_trap_hook)(struct guest_regs *regs);
volatile uint64_t guest_event_count[TORC_PORT_FIRST_FREE];

void guest_trap(struct guest_regs *regs);
void guest_refused(uint64_t vector) __attribute__((noreturn));
void guest_enter_user(const struct guest_regs *regs, bool by_syscall);
extern char guest_entry_syscall[], guest_entry_exception[], guest_entry_nmi[];
extern char guest_entry_double_fault[];

__attribute__((weak)) void guest_event(uint32_t port)
{
	if (port < TORC_PORT_FIRST_FREE)
		guest_event_count[port]++;
}

__attribute__((weak)) void guest_nmi(struct guest_regs *regs)
{
	guest_crash("NMI", regs);
}

__attribute__((weak)) void guest_double_fault(struct guest_regs *regs)
{
	guest_crash("double fault", regs);
}

void guest_crash(const char *why, const struct guest_regs *regs)
{
	guest_flush_console();
	printf("guest: %s", why);
	if (regs)
		printf(": vector %lu error 0x%lx rip 0x%lx cs 0x%lx rsp 0x%lx cr2 0x%lx",
		       regs->vector, regs->error, regs->rip, regs->cs, regs->rsp, regs->cr2);
	printf("\n");
	torc_end(TORC_SHUTDOWN_CRASH, 0);
}

void guest_trap(struct guest_regs *regs)
{
	if (regs->vector == TORC_VECTOR_EVENT) {
		torc_event_dispatch(regs->error, guest_event);
		return;
	}
	if (guest_trap_hook && guest_trap_hook(regs))
		return;
	if ((regs->cs & 3) == 3 && user_context) {
		*user_regs = *regs;
		guest_resume(user_context, 1);
	}
	if ((regs->cs & 3) == 1 && probe_context) {
		last_fault = (struct guest_fault){ true, regs->vector, regs->error, regs->cr2,
						   *regs };
		guest_resume(probe_context, 1);
	}
	guest_crash("unexpected entry", regs);
}

void guest_refused(uint64_t vector)
{
	if (!user_context)
		guest_crash("a return was refused", NULL);
	user_regs->vector = GUEST_VECTOR_REFUSED;
	user_regs->error = vector;
	guest_resume(user_context, 1);
}

struct guest_fault guest_probe(void (*function)(void *), void *argument)
{
	struct guest_context context;
	struct guest_context *outer = probe_context;
	unsigned long flags = torc_irq_flags();
	struct guest_fault fault;

	last_fault.hit = false;
	if (guest_save(&context) == 0) {
		probe_context = &context;
		function(argument);
	}
	fault = last_fault;
	probe_context = outer;
	torc_irq_off();
	torc_irq_restore(flags);
	return fault;
}

void guest_user_run(struct guest_regs *regs, bool by_syscall)
{
	struct guest_context context;
	unsigned long flags = torc_irq_save();

	if (guest_save(&context) == 0) {
		user_context = &context;
		user_regs = regs;
		guest_enter_user(regs, by_syscall);
	}
	user_context = NULL;
	torc_irq_restore(flags);
}

/* The first C of a guest. */
void guest_begin(const struct torc_start *start);
void guest_memory_begin(void);

__attribute__((weak)) void guest_begin(const struct torc_start *start)
{
	static const uint64_t entries[TORC_ENTRY_COUNT] = {
		[TORC_ENTRY_SYSCALL] = (uint64_t)guest_entry_syscall,
		[TORC_ENTRY_EXCEPTION] = (uint64_t)guest_entry_exception,
		[TORC_ENTRY_EVENT] = (uint64_t)guest_entry_exception,
		[TORC_ENTRY_NMI] = (uint64_t)guest_entry_nmi,
		[TORC_ENTRY_DOUBLE_FAULT] = (uint64_t)guest_entry_double_fault,
	};

	guest_start = start;
	torc_write_gs_base((uint64_t)&per_cpu);
	if (torc_set_kernel_gs((uint64_t)&per_cpu) != TORC_OK || torc_entries(entries) != TORC_OK)
		guest_crash("cannot register entries", NULL);
	guest_memory_begin();
	main();
	guest_flush_console();
	torc_end(TORC_SHUTDOWN_POWEROFF, 0);
}

void guest_sleep_ns(uint64_t ns)
{
	uint64_t end = torc_clock_ns(TORC_CLOCK) + ns;
	unsigned long flags = torc_irq_save();

	while (torc_clock_ns(TORC_CLOCK) < end) {
		torc_set_timer(end);
		torc_block();
		torc_irq_off();
	}
	torc_irq_restore(flags);
}
