/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * ACPI tables: the root pointer, the MADT for processors and interrupt controllers, the FADT and
 * DSDT for switching off (ACPI 6.4, chapter 5.2). A table is believed only if all of it lies in
 * mapped memory and its checksum is right.
 */
#include "acpi.h"
#include "boot.h"
#include "layout.h"
#include "lib.h"
#include "log.h"

#define BIOS_EBDA_SEGMENT 0x40e
#define BIOS_START	0xe0000
#define BIOS_END	0x100000
#define MAX_TABLE	MIB(4)

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;		/* from here on only with revision 2 */
	u64 xsdt;
	u8 checksum_all;
	u8 reserved[3];
} __packed;

struct table {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
	u8 body[];
} __packed;

_Static_assert(sizeof(struct rsdp) == 36, "RSDP");
_Static_assert(sizeof(struct table) == 36, "table header");

/* Offsets in the FADT, from the table's start. */
enum {
	FADT_DSDT = 40,
	FADT_SMI_COMMAND = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A_CONTROL = 64,
	FADT_PM1B_CONTROL = 68,
	FADT_FLAGS = 112,
	FADT_X_DSDT = 140
};
#define FADT_HARDWARE_REDUCED	(1u << 20)

enum {
	MADT_FIRST_ENTRY = 44,
	MADT_LOCAL_APIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LOCAL_X2APIC = 9
};
#define MADT_CPU_ENABLED	1u
#define MADT_NO_ID		0xffffffffu

struct acpi_info acpi_info;

static bool checksum_ok(const void *data, size_t bytes)
{
	const u8 *byte = data;
	u8 sum = 0;

	while (bytes-- > 0)
		sum += *byte++;
	return sum == 0;
}

static u64 field(const void *table, size_t offset, size_t bytes)
{
	u64 value = 0;

	memcpy(&value, (const u8 *)table + offset, bytes);
	return value;
}

static const struct rsdp *rsdp_at(paddr_t paddr)
{
	const struct rsdp *rsdp = phys_to_virt(paddr);

	if (memcmp(rsdp->signature, "RSD PTR ", 8) != 0 || !checksum_ok(rsdp, 20))
		return NULL;
	if (rsdp->revision >= 2 && !checksum_ok(rsdp, sizeof(*rsdp)))
		return NULL;
	return rsdp;
}

static const struct rsdp *rsdp_search(paddr_t start, paddr_t end)
{
	const struct rsdp *rsdp = NULL;

	for (; rsdp == NULL && start < end; start += 16)
		rsdp = rsdp_at(start);
	return rsdp;
}

static const struct rsdp *rsdp_find(paddr_t given)
{
	const struct rsdp *rsdp = NULL;
	paddr_t ebda = (paddr_t)*(const u16 *)phys_to_virt(BIOS_EBDA_SEGMENT) << 4;

	if (given != INVALID_PADDR)
		rsdp = rsdp_at(given);
	if (rsdp == NULL)
		rsdp = rsdp_search(ebda, ebda + KIB(1));
	if (rsdp == NULL)
		rsdp = rsdp_search(BIOS_START, BIOS_END);
	return rsdp;
}

static const struct table *table_at(paddr_t paddr)
{
	const struct table *table = phys_to_virt(paddr);

	if (!direct_map_covers(paddr, sizeof(*table)) || table->length < sizeof(*table) ||
	    table->length > MAX_TABLE || !direct_map_covers(paddr, table->length) ||
	    !checksum_ok(table, table->length))
		return NULL;
	return table;
}

static void madt_cpu(u32 id, u32 flags)
{
	if (!(flags & MADT_CPU_ENABLED) || id == MADT_NO_ID)
		return;
	for (unsigned int i = 0; i < acpi_info.cpu_count; i++)
		if (acpi_info.cpu_apic_id[i] == id)
			return; /* some firmware lists it by both kinds of entry */
	if (acpi_info.cpu_count < CPU_MAX)
		acpi_info.cpu_apic_id[acpi_info.cpu_count++] = id;
	else
		log("acpi: processor %u is one too many and left alone", id);
}

static void madt_entry(const u8 *entry, u8 length)
{
	struct acpi_info *a = &acpi_info;

	if (entry[0] == MADT_LOCAL_APIC && length >= 8)
		madt_cpu(entry[3] == 0xff ? MADT_NO_ID : entry[3], (u32)field(entry, 4, 4));
	else if (entry[0] == MADT_LOCAL_X2APIC && length >= 16)
		madt_cpu((u32)field(entry, 4, 4), (u32)field(entry, 8, 4));
	else if (entry[0] == MADT_IOAPIC && length >= 12 && a->ioapic_count < ACPI_MAX_IOAPICS)
		a->ioapic[a->ioapic_count++] = (struct acpi_ioapic){
			field(entry, 4, 4), (u32)field(entry, 8, 4) };
	else if (entry[0] == MADT_OVERRIDE && length >= 10 &&
		 a->override_count < ACPI_MAX_OVERRIDES)
		a->override[a->override_count++] = (struct acpi_override){
			entry[3], (u32)field(entry, 4, 4), (u16)field(entry, 8, 2) };
}

static void read_madt(const struct table *madt)
{
	const u8 *bytes = (const u8 *)madt;
	u32 at = MADT_FIRST_ENTRY;

	acpi_info.has_madt = true;
	while (at + 2 <= madt->length && bytes[at + 1] >= 2 && at + bytes[at + 1] <= madt->length) {
		madt_entry(bytes + at, bytes[at + 1]);
		at += bytes[at + 1];
	}
}

static void read_fadt(const struct table *fadt)
{
	struct acpi_info *a = &acpi_info;
	const struct table *dsdt;
	paddr_t address;

	if (fadt->length < FADT_FLAGS + 4)
		return;
	a->smi_command = (u16)field(fadt, FADT_SMI_COMMAND, 4);
	a->acpi_enable = (u8)field(fadt, FADT_ACPI_ENABLE, 1);
	a->pm1a_control = (u16)field(fadt, FADT_PM1A_CONTROL, 4);
	a->pm1b_control = (u16)field(fadt, FADT_PM1B_CONTROL, 4);
	a->hardware_reduced = field(fadt, FADT_FLAGS, 4) & FADT_HARDWARE_REDUCED;

	address = field(fadt, FADT_DSDT, 4);
	if (fadt->length >= FADT_X_DSDT + 8 && field(fadt, FADT_X_DSDT, 8) != 0)
		address = field(fadt, FADT_X_DSDT, 8);
	dsdt = table_at(address);
	if (dsdt != NULL && memcmp(dsdt->signature, "DSDT", 4) == 0)
		a->has_s5 = acpi_find_s5(dsdt->body, dsdt->length - sizeof(*dsdt),
					 &a->s5_type_a, &a->s5_type_b);
}

static void read_table(paddr_t paddr)
{
	const struct table *table = table_at(paddr);

	if (table == NULL)
		log("acpi: the table at %lx is damaged and ignored", paddr);
	else if (memcmp(table->signature, "APIC", 4) == 0 && !acpi_info.has_madt)
		read_madt(table);
	else if (memcmp(table->signature, "FACP", 4) == 0 && acpi_info.pm1a_control == 0)
		read_fadt(table);
}

void acpi_init(paddr_t given)
{
	const struct rsdp *rsdp = rsdp_find(given);
	const struct table *root = NULL;
	size_t entry = 8;

	if (rsdp != NULL && rsdp->revision >= 2 && rsdp->xsdt != 0)
		root = table_at(rsdp->xsdt);
	if (rsdp != NULL && root == NULL) {
		root = table_at(rsdp->rsdt);
		entry = 4;
	}
	if (root == NULL) {
		log("acpi: no tables");
		return;
	}
	for (size_t at = 0; at + entry <= root->length - sizeof(*root); at += entry)
		read_table(field(root->body, at, entry));
	log("acpi: %u processors, %u I/O APICs, %s", acpi_info.cpu_count, acpi_info.ioapic_count,
	    acpi_info.has_s5 ? "power-off known" : "power-off unknown");
}
