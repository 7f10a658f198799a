/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the boot loader told, in one form for multiboot 1 and 2.
 */
#ifndef TORC_BOOT_H
#define TORC_BOOT_H

#include "ranges.h"
#include "types.h"

#define TORC_VERSION	"0.1.0"

#define BOOT_MAX_REGIONS 128
#define BOOT_MAX_MODULES 64
#define BOOT_STRINGS	 16384	/* bytes for the command line and all module strings together */

struct boot_module {
	struct range memory;	/* as loaded; any alignment, any place */
	const char *string;	/* never NULL */
};

/**
 * struct boot_info - normalised boot information; everything it points to is the hypervisor's own
 * @cmdline: the hypervisor's command line, "" if none
 * @loader: name of the boot loader, "" if unknown
 * @ram: usable RAM, page aligned; image and modules lie in it
 * @firmware: ACPI tables and NVS, page aligned outward; readable, not to be used
 * @module: in the loader's order
 * @rsdp: physical address of the ACPI root pointer (a copy, perhaps), INVALID_PADDR if not given
 */
struct boot_info {
	const char *cmdline;
	const char *loader;
	struct range_list ram;
	struct range_list firmware;
	unsigned int module_count;
	struct boot_module module[BOOT_MAX_MODULES];
	paddr_t rsdp;
};

/* Loader magics, as they come in EAX. */
#define MULTIBOOT1_MAGIC 0x2badb002
#define MULTIBOOT2_MAGIC 0x36d76289

/**
 * boot_info_parse() - fill boot_info from the loader's structures
 * @magic: EAX at entry
 * @address: EBX at entry
 * Panics, in words, when the structures are malformed or exceed the limits above.
 */
const struct boot_info *boot_info_parse(u32 magic, u32 address);

/**
 * hv_root_init() - build and load the hypervisor's own root
 *
 * Image with text RX, rodata R, data RW; direct map; nothing else. Needs alloc_init().
 */
void hv_root_init(const struct boot_info *info);

/**
 * hv_root_new() - a root for one CPU
 * @gate_l2: the level-2 table of the CPU's own gate region
 * Return: physical address of the L4 table, for CR3. Panics without memory.
 */
paddr_t hv_root_new(mfn_t gate_l2);

/**
 * direct_map_covers() - may phys_to_virt() of this range be dereferenced?
 */
bool direct_map_covers(paddr_t start, u64 bytes);

/**
 * hv_main() - what boot hands over to, IF=0, on the boot stack, under the hypervisor's root
 */
void hv_main(const struct boot_info *info) __noreturn;

#endif
