/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the hypervisor wants of ACPI: CPUs, interrupt controllers, and how to switch off. Tables are
 * taken for hostile: lengths, checksums and places are checked, and a table that fails is ignored.
 */
#ifndef TORC_ACPI_H
#define TORC_ACPI_H

#include "types.h"

#define ACPI_MAX_IOAPICS	8
#define ACPI_MAX_OVERRIDES	16

struct acpi_ioapic {
	paddr_t address;
	u32 gsi_base;
};

struct acpi_override {
	u8 irq;			/* ISA interrupt */
	u32 gsi;		/* input of an I/O APIC that it really is */
	u16 flags;		/* MPS INTI: bits 1:0 polarity, 3:2 trigger mode */
};

/**
 * struct acpi_info - what was found; all zero when there are no usable tables
 * @cpu_apic_id: local APIC ids of enabled CPUs
 * @pm1a_control: I/O port, 0 if none; @pm1b_control likewise
 * @s5_type_a: SLP_TYP of S5 for PM1a; valid with @has_s5
 */
struct acpi_info {
	unsigned int cpu_count;
	unsigned int ioapic_count;
	unsigned int override_count;
	u32 cpu_apic_id[CPU_MAX];
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
	struct acpi_override override[ACPI_MAX_OVERRIDES];
	u16 pm1a_control;
	u16 pm1b_control;
	u16 smi_command;
	u8 acpi_enable;
	u8 s5_type_a;
	u8 s5_type_b;
	bool has_s5;
	bool has_madt;
	bool hardware_reduced;
};

extern struct acpi_info acpi_info;

/**
 * acpi_init() - find and read the tables
 * @rsdp: from the boot loader, or INVALID_PADDR to search the BIOS area
 */
void acpi_init(paddr_t rsdp);

/**
 * acpi_find_s5() - look for the _S5_ package in AML
 * @aml: body of a DSDT or SSDT
 * @bytes: its length
 * @type_a: receives SLP_TYPa; @type_b: SLP_TYPb
 * Return: false if there is none or it is not of a form known here.
 */
bool acpi_find_s5(const u8 *aml, size_t bytes, u8 *type_a, u8 *type_b);

#endif
