/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * What happens at an entry: events are counted, faults and system calls go to whoever waits for
 * them (a probe in ring 1, guest_user_run for ring 3), and anything else ends the guest.
 */
#include "guest.h"

bool (*guest_trap_hook)(struct guest_regs *regs);
volatile uint64_t guest_event_count[TORC_EVENT_PORTS];

void guest_trap(struct guest_regs *regs);
void guest_refused(uint64_t vector) __attribute__((noreturn));
void guest_enter_user(const struct guest_regs *regs, bool by_syscall);

__attribute__((weak)) void guest_event(uint32_t port)
{
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
	struct guest_cpu *cpu = guest_cpu();

	if (regs->vector == TORC_VECTOR_EVENT) {
		torc_event_dispatch(regs->error, guest_event);
		return;
	}
	if (guest_trap_hook && guest_trap_hook(regs))
		return;
	if ((regs->cs & 3) == 3 && cpu->user_context) {
		*cpu->user_regs = *regs;
		guest_resume(cpu->user_context, 1);
	}
	if ((regs->cs & 3) == 1 && cpu->probe_context) {
		*cpu->probe_fault = (struct guest_fault){ true, regs->vector, regs->error,
							  regs->cr2, *regs };
		guest_resume(cpu->probe_context, 1);
	}
	guest_crash("unexpected entry", regs);
}

void guest_refused(uint64_t vector)
{
	struct guest_cpu *cpu = guest_cpu();

	if (!cpu->user_context)
		guest_crash("a return was refused", NULL);
	cpu->user_regs->vector = GUEST_VECTOR_REFUSED;
	cpu->user_regs->error = vector;
	guest_resume(cpu->user_context, 1);
}

struct guest_fault guest_probe(void (*function)(void *), void *argument)
{
	struct guest_cpu *cpu = guest_cpu();
	struct guest_context context, *outer = cpu->probe_context;
	struct guest_fault fault, *outer_fault = cpu->probe_fault;
	unsigned long flags = torc_irq_flags();

	fault.hit = false;
	if (guest_save(&context) == 0) {
		cpu->probe_context = &context;
		cpu->probe_fault = &fault;
		function(argument);
	}
	cpu->probe_context = outer;
	cpu->probe_fault = outer_fault;
	torc_irq_off();
	torc_irq_restore(flags);
	return fault;
}

void guest_user_run(struct guest_regs *regs, bool by_syscall)
{
	struct guest_cpu *cpu = guest_cpu();
	struct guest_context context;
	unsigned long flags = torc_irq_save();

	if (guest_save(&context) == 0) {
		cpu->user_context = &context;
		cpu->user_regs = regs;
		guest_enter_user(regs, by_syscall);
	}
	cpu->user_context = NULL;
	torc_irq_restore(flags);
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
