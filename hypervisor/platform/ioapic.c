/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * I/O APICs: all inputs masked but those that the hypervisor itself wants.
 */
#include "acpi.h"
#include "apic.h"
#include "domain.h"
#include "layout.h"

#define IOAPIC_VERSION		1
#define IOAPIC_REDIRECTION	16	/* two registers per input */

#define REDIRECT_ACTIVE_LOW	0x02000
#define REDIRECT_LEVEL		0x08000
#define REDIRECT_MASKED		0x10000

/* MPS INTI flags of a MADT override (ACPI 6.4, table 5.26). */
#define INTI_POLARITY		0x3
#define INTI_ACTIVE_LOW		0x3
#define INTI_TRIGGER		0xc
#define INTI_LEVEL		0xc

static u32 ioapic_read(const struct acpi_ioapic *ioapic, u8 reg)
{
	volatile u32 *page = phys_to_virt(ioapic->address);

	page[0] = reg;
	return page[4];
}

static void ioapic_write(const struct acpi_ioapic *ioapic, u8 reg, u32 value)
{
	volatile u32 *page = phys_to_virt(ioapic->address);

	page[0] = reg;
	page[4] = value;
}

/* Inputs of an I/O APIC; 0 if nothing answers there. */
static u32 input_count(const struct acpi_ioapic *ioapic)
{
	u32 version = ioapic_read(ioapic, IOAPIC_VERSION);
	u32 last = version >> 16 & 0xff;

	return version == ~0u || last > (255 - IOAPIC_REDIRECTION) / 2 ? 0 : last + 1;
}

static u8 redirection(const struct acpi_ioapic *ioapic, u32 gsi)
{
	return (u8)(IOAPIC_REDIRECTION + 2 * (gsi - ioapic->gsi_base));
}

static void set_input(const struct acpi_ioapic *ioapic, u32 gsi, u32 target, u32 low)
{
	u8 reg = redirection(ioapic, gsi);

	/* The masked half is written first and the live one last: no moment of half an entry. */
	ioapic_write(ioapic, reg, REDIRECT_MASKED);
	ioapic_write(ioapic, reg + 1, target << 24);
	ioapic_write(ioapic, reg, low);
}

void ioapic_init(void)
{
	for (unsigned int i = 0; i < acpi_info.ioapic_count; i++) {
		const struct acpi_ioapic *ioapic = &acpi_info.ioapic[i];

		for (u32 input = 0; input < input_count(ioapic); input++)
			set_input(ioapic, ioapic->gsi_base + input, 0, REDIRECT_MASKED);
	}
}

/* The I/O APIC that has input @gsi, or NULL. */
static const struct acpi_ioapic *find(u32 gsi)
{
	for (unsigned int i = 0; i < acpi_info.ioapic_count; i++) {
		const struct acpi_ioapic *ioapic = &acpi_info.ioapic[i];

		if (gsi >= ioapic->gsi_base && gsi - ioapic->gsi_base < input_count(ioapic))
			return ioapic;
	}
	return NULL;
}

static bool route(u32 gsi, u32 low)
{
	const struct acpi_ioapic *ioapic = find(gsi);

	if (ioapic)
		set_input(ioapic, gsi, cpus[0].apic_id, low);
	return ioapic;
}

bool ioapic_route(u32 gsi, u8 vector, bool level, bool active_low)
{
	return route(gsi, vector | (level ? REDIRECT_LEVEL : 0) |
			  (active_low ? REDIRECT_ACTIVE_LOW : 0));
}

bool ioapic_in_use(u32 gsi)
{
	const struct acpi_ioapic *ioapic = find(gsi);

	return ioapic && !(ioapic_read(ioapic, redirection(ioapic, gsi)) & REDIRECT_MASKED);
}

void ioapic_mask(u32 gsi, bool masked)
{
	const struct acpi_ioapic *ioapic = find(gsi);
	u8 reg = redirection(ioapic, gsi);
	u32 low = ioapic_read(ioapic, reg) & ~REDIRECT_MASKED;

	ioapic_write(ioapic, reg, masked ? low | REDIRECT_MASKED : low);
}

bool ioapic_route_isa(u8 irq, u32 delivery)
{
	u32 gsi = irq, low = delivery;

	for (unsigned int i = 0; i < acpi_info.override_count; i++) {
		const struct acpi_override *o = &acpi_info.override[i];

		if (o->irq != irq)
			continue;
		gsi = o->gsi;
		if ((o->flags & INTI_POLARITY) == INTI_ACTIVE_LOW)
			low |= REDIRECT_ACTIVE_LOW;
		if ((o->flags & INTI_TRIGGER) == INTI_LEVEL)
			low |= REDIRECT_LEVEL;
	}
	return route(gsi, low);
}
