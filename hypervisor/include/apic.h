/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Interrupt controllers: this CPU's local APIC, the I/O APICs, and the old PIC that must be silent.
 */
#ifndef TORC_APIC_H
#define TORC_APIC_H

#include "types.h"

#define VECTOR_PIRQ	0x90	/* interrupts that domains have bound */
#define PIRQ_VECTORS	32
#define VECTOR_PIC	0xe0	/* 16 vectors where a PIC that misbehaves would show */
#define VECTOR_TIMER	0xf0
#define VECTOR_SERIAL	0xf1
#define VECTOR_IPI	0xf2
#define VECTOR_SPURIOUS	0xff	/* needs no EOI */

/**
 * apic_init() - enable this CPU's local APIC, all its local interrupts masked; the PIC silenced
 *
 * In x2APIC mode where the processor has it (SDM 3A 11.12.1), through memory otherwise.
 */
void apic_init(void);

/**
 * apic_enable() - enable this CPU's local APIC, in the mode that apic_init() chose
 */
void apic_enable(void);

/**
 * apic_eoi() - end the interrupt in service on this CPU
 */
void apic_eoi(void);

/**
 * apic_id() - this CPU's local APIC id
 */
u32 apic_id(void);

/**
 * apic_send_ipi() - send a fixed interrupt to one CPU
 */
void apic_send_ipi(u32 target_apic_id, u8 vector);

/**
 * apic_send_nmi() - send an NMI to one CPU
 */
void apic_send_nmi(u32 target_apic_id);

/**
 * apic_send_init() - reset one CPU; apic_send_startup() then starts it in real mode
 * @page: where, below 1 MiB
 */
void apic_send_init(u32 target_apic_id);
void apic_send_startup(u32 target_apic_id, paddr_t page);

/* Local APIC timer, for timer.c: initial count (0 stops it), current count, and its LVT entry. */
#define APIC_LVT_MASKED		0x10000u
#define APIC_LVT_ONE_SHOT	0x00000u
#define APIC_LVT_TSC_DEADLINE	0x40000u
void apic_timer_mode(u32 lvt);
void apic_timer_start(u32 count);
u32 apic_timer_count(void);

/**
 * ioapic_init() - mask every input of every I/O APIC that the MADT names
 */
void ioapic_init(void);

/**
 * ioapic_route() - send an interrupt of the machine to the first CPU, as @vector
 * @gsi: its global number (ACPI 6.4, 5.2.13)
 * Return: false if no I/O APIC has that input.
 */
bool ioapic_route(u32 gsi, u8 vector, bool level, bool active_low);

/** ioapic_in_use() - is input @gsi routed and not masked? */
bool ioapic_in_use(u32 gsi);

/** ioapic_mask() - hold an input that was routed, or let it come again as it was */
void ioapic_mask(u32 gsi, bool masked);

#define APIC_DELIVER_NMI	0x00400u

/**
 * ioapic_route_isa() - send a legacy ISA interrupt to the first CPU
 * @irq: 0..15; MADT overrides of number, polarity and trigger mode apply
 * @delivery: the vector where it arrives, or APIC_DELIVER_NMI
 * Return: false if no I/O APIC has that input.
 */
bool ioapic_route_isa(u8 irq, u32 delivery);

/**
 * pic_silence() - remap the 8259 pair to VECTOR_PIC and mask all of it
 */
void pic_silence(void);

#endif
