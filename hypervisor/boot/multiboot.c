/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the boot loader left in memory, version 1 (QEMU) or 2 (GRUB), becomes one struct boot_info.
 * The loader's structures may lie anywhere below 4 GiB, in memory that will be reused; so all of it
 * is copied. The modules themselves stay where they are: the allocator keeps off them.
 */
#include "boot.h"
#include "layout.h"
#include "lib.h"
#include "log.h"

#define MB1_HAS_CMDLINE	0x004
#define MB1_HAS_MODULES	0x008
#define MB1_HAS_MEMORY_MAP 0x040
#define MB1_HAS_LOADER	0x200

/* Fields used, with their offsets as the Multiboot Specification 0.6.96, section 3.3, has them. */
struct mb1_info {
	u32 flags;
	u32 memory_size[2], boot_device;
	u32 cmdline;
	u32 module_count, modules;
	u32 symbols[4];
	u32 memory_map_bytes, memory_map;
	u32 drives[2], config_table;
	u32 loader_name;
};

struct mb1_module {
	u32 start, end;
	u32 string;
	u32 reserved;
};

/* Multiboot2 Specification 2.0, section 3.6. */
enum mb2_tag_type {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER = 2,
	MB2_MODULE = 3,
	MB2_MEMORY_MAP = 6,
	MB2_RSDP_1 = 14,
	MB2_RSDP_2 = 15
};

struct mb2_tag {
	u32 type;
	u32 size;	/* with this header, without the padding to 8 bytes */
};

/* An entry of a memory map, in both versions; version 1 has a word with its size in front. */
struct memory {
	u64 address, length;
	u32 type;
} __packed;

enum memory_type {
	MEMORY_RAM = 1,
	MEMORY_ACPI = 3,
	MEMORY_NVS = 4
};

/* The direct map has 240 slots of 512 GiB; RAM beyond 64 TiB is left alone. */
#define MAX_RAM_ADDRESS	(1ul << 46)

static struct range ram_ranges[BOOT_MAX_REGIONS];
static struct range firmware_ranges[BOOT_MAX_REGIONS];
static struct range taken_ranges[BOOT_MAX_REGIONS];
static struct range_list taken = { taken_ranges, 0, BOOT_MAX_REGIONS };

static char strings[BOOT_STRINGS];
static size_t strings_used;
static u8 rsdp_copy[36];

static struct boot_info boot_info = {
	.cmdline = "",
	.loader = "",
	.ram = { ram_ranges, 0, BOOT_MAX_REGIONS },
	.firmware = { firmware_ranges, 0, BOOT_MAX_REGIONS },
	.rsdp = INVALID_PADDR,
};

static const char *keep_string(paddr_t from, size_t limit)
{
	const char *text = phys_to_virt(from);
	char *copy = strings + strings_used;
	size_t room = sizeof(strings) - strings_used;
	size_t length = strnlen(text, MIN(limit, room));

	if (length == room)
		panic("boot: command line and module strings exceed %u bytes", BOOT_STRINGS);
	memcpy(copy, text, length);
	copy[length] = '\0';
	strings_used += length + 1;
	return copy;
}

static void add_module(u64 start, u64 end, const char *string)
{
	struct boot_module *module = &boot_info.module[boot_info.module_count];

	if (boot_info.module_count == BOOT_MAX_MODULES)
		panic("boot: more than %u modules", BOOT_MAX_MODULES);
	if (end < start)
		panic("boot: module %u ends before it starts", boot_info.module_count + 1);
	module->memory = (struct range){ start, end };
	module->string = string;
	boot_info.module_count++;
}

/*
 * Loaders pass on what firmware said, and that may be unsorted, overlapping and not page aligned.
 * A page counts as RAM only if all of it is RAM and nothing else claims it.
 */
static void add_memory(paddr_t entry)
{
	struct memory m;
	u64 start, end;
	bool fits;

	memcpy(&m, phys_to_virt(entry), sizeof(m));
	start = MIN(m.address, MAX_RAM_ADDRESS);
	end = m.address + m.length < m.address ? UINT64_MAX : m.address + m.length;
	end = MIN(end, MAX_RAM_ADDRESS);
	if (m.type == MEMORY_RAM) {
		fits = range_list_add(&boot_info.ram, ALIGN_UP(start, PAGE_SIZE),
				      ALIGN_DOWN(end, PAGE_SIZE));
	} else {
		start = ALIGN_DOWN(start, PAGE_SIZE);
		end = ALIGN_UP(end, PAGE_SIZE);
		fits = range_list_add(&taken, start, end);
		if (m.type == MEMORY_ACPI || m.type == MEMORY_NVS)
			fits &= range_list_add(&boot_info.firmware, start, end);
	}
	if (!fits)
		panic("boot: the memory map has more than %u pieces", BOOT_MAX_REGIONS);
}

static void subtract_taken(void)
{
	for (unsigned int i = 0; i < taken.count; i++) {
		if (!range_list_remove(&boot_info.ram, taken_ranges[i].start, taken_ranges[i].end))
			panic("boot: the memory map has more than %u pieces", BOOT_MAX_REGIONS);
	}
	if (boot_info.ram.count == 0)
		panic("boot: the loader gave no memory map");
}

/* QEMU puts the image's path in front; all words of the hypervisor are key=value. */
static const char *skip_path(const char *cmdline)
{
	const char *blank = strchr(cmdline, ' ');
	const char *equals = strchr(cmdline, '=');

	if (blank == NULL)
		return equals != NULL ? cmdline : "";
	return equals != NULL && equals < blank ? cmdline : blank + 1;
}

static void parse_multiboot1(paddr_t address)
{
	const struct mb1_info *info = phys_to_virt(address);
	struct mb1_module module;
	u32 size;

	if (info->flags & MB1_HAS_CMDLINE)
		boot_info.cmdline = skip_path(keep_string(info->cmdline, SIZE_MAX));
	if (info->flags & MB1_HAS_LOADER)
		boot_info.loader = keep_string(info->loader_name, SIZE_MAX);
	for (u32 i = 0; (info->flags & MB1_HAS_MODULES) && i < info->module_count; i++) {
		memcpy(&module, phys_to_virt(info->modules + i * sizeof(module)), sizeof(module));
		add_module(module.start, module.end,
			   module.string ? keep_string(module.string, SIZE_MAX) : "");
	}
	if (!(info->flags & MB1_HAS_MEMORY_MAP))
		panic("boot: the loader gave no memory map");
	for (u64 at = 0; at + sizeof(size) + sizeof(struct memory) <= info->memory_map_bytes;
	     at += sizeof(size) + size) {
		memcpy(&size, phys_to_virt(info->memory_map + at), sizeof(size));
		add_memory(info->memory_map + at + sizeof(size));
	}
}

static void parse_mb2_memory_map(paddr_t address, u32 bytes)
{
	const u32 *header = phys_to_virt(address);
	u32 entry_bytes = bytes < 8 ? 0 : header[0];

	if (entry_bytes < sizeof(struct memory) + 4) /* reserved ones */
		panic("boot: memory map entries of %u bytes", entry_bytes);
	for (u64 at = 8; at + entry_bytes <= bytes; at += entry_bytes)
		add_memory(address + at);
}

static void parse_mb2_tag(u32 type, paddr_t body, u32 bytes)
{
	const u32 *words = phys_to_virt(body);

	switch (type) {
	case MB2_CMDLINE:
		boot_info.cmdline = keep_string(body, bytes);
		break;
	case MB2_LOADER:
		boot_info.loader = keep_string(body, bytes);
		break;
	case MB2_MODULE:
		if (bytes < 8)
			panic("boot: module tag of %u bytes", bytes);
		add_module(words[0], words[1], keep_string(body + 8, bytes - 8));
		break;
	case MB2_MEMORY_MAP:
		parse_mb2_memory_map(body, bytes);
		break;
	case MB2_RSDP_1:
	case MB2_RSDP_2:	/* comes second, if both are there, and is the better one */
		memcpy(rsdp_copy, words, MIN(bytes, sizeof(rsdp_copy)));
		boot_info.rsdp = image_to_phys(rsdp_copy);
		break;
	default:
		break;
	}
}

static void parse_multiboot2(paddr_t address)
{
	const u32 *total = phys_to_virt(address);
	paddr_t end = address + *total;
	struct mb2_tag tag;

	for (address += 8; address + sizeof(tag) <= end; address += ALIGN_UP((u64)tag.size, 8)) {
		memcpy(&tag, phys_to_virt(address), sizeof(tag));
		if (tag.type == MB2_END)
			return;
		if (tag.size < sizeof(tag) || address + tag.size > end)
			break;
		parse_mb2_tag(tag.type, address + sizeof(tag), tag.size - sizeof(tag));
	}
	panic("boot: the loader's information has no end tag");
}

const struct boot_info *boot_info_parse(u32 magic, u32 address)
{
	if (magic == MULTIBOOT1_MAGIC)
		parse_multiboot1(address);
	else if (magic == MULTIBOOT2_MAGIC)
		parse_multiboot2(address);
	else
		panic("boot: started by something that speaks no multiboot (magic %x)", magic);
	subtract_taken();
	return &boot_info;
}
