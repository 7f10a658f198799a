/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * From the gate into C and back. The hypervisor keeps nothing on its stack for a vCPU: each entry
 * starts at the top of the CPU's stack, does its work, picks who runs next and leaves. It
 * runs with interrupts off; the idle loop alone lets them in.
 */
#include "apic.h"
#include "console.h"
#include "cpu.h"
#include "entry.h"
#include "log.h"
#include "observe.h"
#include "paging.h"
#include "port.h"
#include "sched.h"
#include "storm.h"

static void interrupt(u64 vector)
{
	switch (vector) {
	case VECTOR_TIMER:
		apic_eoi();
		sched_tick();
		break;
	case VECTOR_SERIAL:
		console_input();
		apic_eoi();
		break;
	case VECTOR_IPI:
		apic_eoi();
		sched_kicked();
		break;
	case VECTOR_PIRQ ... VECTOR_PIRQ + PIRQ_VECTORS - 1:
		pirq_raise(vector);
		apic_eoi();
		break;
	default: /* left by firmware; or spurious, when nothing is in service and nothing lost */
		apic_eoi();
		break;
	}
}

/* Vectors that the descriptor page sends here first. */
static void exception(struct vcpu *vcpu)
{
	struct regs *regs = vcpu->regs;
	bool done = false;

	count(vcpu->domain, TORC_COUNTER_EXCEPTION + regs->vector, 1);
	trace(vcpu, TORC_TRACE_EXCEPTION, regs->vector, regs->rip);
	if (regs->vector == 13 && (regs->cs & 3) == 1) {
		lock_take(&vcpu->domain->lock);
		done = emulate(vcpu);
		lock_drop(&vcpu->domain->lock);
	}
	if (done)
		return;
	if (!frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, regs->vector, regs->error, read_cr2()))
		guest_crash(vcpu, "exception %lu while both sync and double-fault frame are in use",
			    regs->vector);
}

/** hv_exit - leaves for whoever runs next */
void hv_exit(void)
{
	struct vcpu *vcpu;
	paddr_t root;

	for (;;) {
		vcpu = sched_pick();
		event_deliver(vcpu);
		if (vcpu->state != VCPU_RUNNABLE)
			continue;
		root = root_copy_of(vcpu);
		if (root != INVALID_PADDR)
			vcpu_resume(vcpu, root);
		guest_crash(vcpu, "the hypervisor has no memory for a root copy");
	}
}

/** hv_entry - a guest was interrupted, faulted or called; its registers are on its entry stack */
void hv_entry(void)
{
	struct cpu *cpu = this_cpu();
	struct vcpu *vcpu = cpu->current;
	u64 vector = vcpu->regs->vector;

	cpu_pass(cpu);
	if (vector == VECTOR_HYPERCALL) {
		hypercall(vcpu);
	} else if (vector == VECTOR_TRIPLE) {
		guest_crash(vcpu, "exception while both sync and double-fault frame are in use");
	} else if (vector < 32) {
		exception(vcpu);
	} else {
		count(vcpu->domain, TORC_COUNTER_INTERRUPT, 1);
		interrupt(vector);
	}
	hv_exit();
}

void hv_idle_interrupt(struct regs *regs)
{
	this_cpu()->idle = false; /* from here on it may hang */
	interrupt(regs->vector);
}

#define CR2_POISON 0x5a5a5a5a5a5a5a5aull

/*
 * An NMI stops this CPU for good when another one panics or the watchdog has found that it hangs.
 * Otherwise all that matters is that they do no harm. CR2 is poisoned so that the gate's putting it
 * back is something a test can see.
 */
void hv_nmi(u64 rip, u64 cs, u64 rsp, u64 rflags, const struct regs *registers)
{
	struct cpu *cpu = this_cpu();

	if (READ_ONCE(cpu->stopped))
		panic_attend(rip, cs);
	if (cpu == &cpus[0])
		watchdog_look();
	if (READ_ONCE(cpu->hung))
		watchdog_strike(registers, rip, rsp, rflags);
	cpu->nmi_count++;
	if (cs & 3)
		cpu->nmi_in_ring[cs & 3]++;
	else if (rip < IMAGE_BASE)
		cpu->nmi_in_gate++;
	write_cr2(CR2_POISON);
}

void hv_machine_check(u64 rip, u64 cs, u64 rsp, u64 rflags)
{
	panic("machine check at %04lx:%016lx rsp %016lx rflags %lx", cs,
	      rip, rsp, rflags);
}

void hv_broken(u64 vector, u64 error, u64 rip, u64 cr2, u64 rsp)
{
	panic("exception %lu in ring 0, error %lx, rip %016lx, cr2 %016lx, rsp %016lx",
	      vector, error, rip,
	      cr2, rsp);
}
