/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file irq.h
 * The virtual interrupt flag: a byte of the vCPU page instead of RFLAGS.IF.
 *
 * CLI and STI fault in ring 1 and POPF silently leaves IF alone, so a port replaces all of them.
 * Turning interrupts on must look for events that came while they were off: nobody else will, as
 * a sender does not read this byte. An event that comes after the store is delivered by the
 * hypervisor itself, so no fence is needed between the store and the look. What STI; HLT was for
 * is the hypercall torc_block().
 */
#ifndef TORC_IRQ_H
#define TORC_IRQ_H

#include <torc/self.h>

/* The bit that stands for "on" in saved flags: where RFLAGS has IF. */
#define TORC_IRQ_FLAG_SHIFT 9
#define TORC_IRQ_FLAG (1UL << TORC_IRQ_FLAG_SHIFT)

/**
 * torc_irq_deliver() - takes the events that are pending now
 *
 * The slow path of torc_irq_on(); virtual interrupts are on when it returns. In irq.S, and keeps
 * all registers but RAX, RCX and R11.
 */
void torc_irq_deliver(void);

/** torc_irq_flags() - the virtual interrupt flag as TORC_IRQ_FLAG or 0 */
static inline unsigned long torc_irq_flags(void)
{
	return (unsigned long)TORC_SHIM_VCPU->irq_on << TORC_IRQ_FLAG_SHIFT;
}

/** torc_irq_off() - turns virtual interrupts off */
static inline void torc_irq_off(void)
{
	TORC_SHIM_VCPU->irq_on = 0;
	torc_barrier();
}

/** torc_irq_on() - turns virtual interrupts on and takes pending events */
static inline void torc_irq_on(void)
{
	torc_barrier();
	TORC_SHIM_VCPU->irq_on = 1;
	if (torc_unlikely(TORC_SHIM_VCPU->pending))
		torc_irq_deliver();
	torc_barrier();
}

/** torc_irq_save() - turns virtual interrupts off; returns the flag for torc_irq_restore() */
static inline unsigned long torc_irq_save(void)
{
	unsigned long flags = torc_irq_flags();

	torc_irq_off();
	return flags;
}

/** torc_irq_restore() - turns virtual interrupts on again if they were on in @flags */
static inline void torc_irq_restore(unsigned long flags)
{
	if (flags & TORC_IRQ_FLAG)
		torc_irq_on();
}

#endif
