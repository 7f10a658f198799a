/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What boot loaders tell, in both versions of Multiboot, good and bad. Each test is a boot of its
 * own.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "arena.h"
#include "boot.h"
#include "unit.h"

#define INFO 0x9000u
#define STRINGS 0x20000u

static u32 at; /* where the next tag goes */

static void create(void)
{
	arena_create(MIB(2));
	memset(host_memory, 0, MIB(2));
	at = INFO + 8;
}

TestSuite(multiboot, .init = create);

static void put(u32 address, const void *bytes, size_t count)
{
	memcpy(phys_to_virt(address), bytes, count);
}

static void put_tag(u32 type, const void *body, u32 bytes)
{
	put(at, (u32[]){ type, bytes + 8 }, 8);
	put(at + 8, body, bytes);
	at = ALIGN_UP(at + 8 + bytes, 8u);
}

static void put_module(u32 start, u32 end, const char *string)
{
	u8 body[300];

	memcpy(body, (u32[]){ start, end }, 8);
	memcpy(body + 8, string, strlen(string) + 1);
	put_tag(3, body, 8 + (u32)strlen(string) + 1);
}

struct mb2_map {
	u32 entry_bytes, version;
	struct {
		u64 address, length;
		u32 type, reserved;
	} entry[6];
};

static void put_map(void)
{
	static const struct mb2_map map = { 24, 0, {
		{ 0, 0x9fc00, 1, 0 },		/* ends within a page */
		{ 0xf0000, 0x10000, 2, 0 },
		{ MIB(1), MIB(127), 1, 0 },
		{ MIB(127) + 0x800, 0x1000, 3, 0 }, /* ACPI, over RAM, not aligned */
		{ MIB(64), MIB(1), 5, 0 },	/* bad memory in the middle */
		{ ~0ull - 0xfff, 0x2000, 2, 0 }, /* wraps */
	} };

	put_tag(6, &map, sizeof(map));
}

static const struct boot_info *parse2(void)
{
	put_tag(0, "", 0);
	put(INFO, (u32[]){ at - INFO, 0 }, 8);
	return boot_info_parse(MULTIBOOT2_MAGIC, INFO);
}

static void expect_memory(const struct boot_info *info)
{
	cr_assert_eq(info->ram.count, 4);
	cr_expect(info->ram.range[0].start == 0 && info->ram.range[0].end == 0x9f000);
	cr_expect(info->ram.range[1].start == MIB(1) && info->ram.range[1].end == MIB(64));
	cr_expect(info->ram.range[2].start == MIB(65) && info->ram.range[2].end == MIB(127));
	cr_expect(info->ram.range[3].start == MIB(127) + 0x2000 &&
		  info->ram.range[3].end == MIB(128));
	cr_assert_eq(info->firmware.count, 1);
	cr_expect(info->firmware.range[0].start == MIB(127) &&
		  info->firmware.range[0].end == MIB(127) + 0x2000);
}

Test(multiboot, version_2)
{
	const struct boot_info *info;
	u8 rsdp[36] = "RSD PTR ";

	rsdp[15] = 2;
	rsdp[35] = 77;
	put_tag(1, "log=com2 x", 11);
	put_tag(2, "GRUB 2.06", 10);
	put_tag(99, "unknown", 7);
	put_module(0x200000, 0x201234, "domain name=a");
	put_module(0x300000, 0x300000, "");
	put_map();
	put_tag(14, rsdp, 20);
	put_tag(15, rsdp, 36);
	info = parse2();
	memset(host_memory, 0xff, MIB(2)); /* all of it has been copied */
	cr_expect_str_eq(info->cmdline, "log=com2 x");
	cr_expect_str_eq(info->loader, "GRUB 2.06");
	cr_assert_eq(info->module_count, 2);
	cr_expect_str_eq(info->module[0].string, "domain name=a");
	cr_expect_eq(info->module[0].memory.start, 0x200000);
	cr_expect_eq(info->module[0].memory.end, 0x201234);
	cr_expect_str_eq(info->module[1].string, "");
	cr_expect_neq(info->rsdp, INVALID_PADDR);
	expect_memory(info);
}

Test(multiboot, version_1)
{
	static const struct {
		u32 size;
		u64 address, length;
		u32 type;
	} __packed map[] = {
		{ 20, 0, 0x9fc00, 1 }, { 20, 0xf0000, 0x10000, 2 }, { 20, MIB(1), MIB(127), 1 },
		{ 20, MIB(127) + 0x800, 0x1000, 3 }, { 20, MIB(64), MIB(1), 5 },
	};
	const struct boot_info *info;

	put(STRINGS, "exit=isa-debug", 15);
	put(STRINGS + 32, "domain name=b mem=1G", 21);
	put(STRINGS + 64, "qemu", 5);
	put(STRINGS + 128, (u32[]){ 0x400000, 0x500001, STRINGS + 32, 0, 7, 8, 0, 0 }, 32);
	put(STRINGS + 256, map, sizeof(map));
	put(INFO, (u32[]){ 0x24c, 0, 0, 0, STRINGS, 2, STRINGS + 128, 0, 0, 0, 0, sizeof(map),
			   STRINGS + 256, 0, 0, 0, STRINGS + 64 }, 17 * 4);
	info = boot_info_parse(MULTIBOOT1_MAGIC, INFO);
	cr_expect_str_eq(info->cmdline, "exit=isa-debug");
	cr_expect_str_eq(info->loader, "qemu");
	cr_assert_eq(info->module_count, 2);
	cr_expect_str_eq(info->module[0].string, "domain name=b mem=1G");
	cr_expect_str_eq(info->module[1].string, "", "a module may have none");
	cr_expect_eq(info->rsdp, INVALID_PADDR);
	expect_memory(info);
}

static const char *version_1_cmdline(const char *text)
{
	static const u32 map[] = { 20, 0, 0, MIB(64), 0, 1 };

	put(STRINGS, text, strlen(text) + 1);
	put(STRINGS + 256, map, sizeof(map));
	put(INFO, (u32[]){ 0x44, 0, 0, 0, STRINGS, 0, 0, 0, 0, 0, 0, sizeof(map),
			   STRINGS + 256 }, 13 * 4);
	return boot_info_parse(MULTIBOOT1_MAGIC, INFO)->cmdline;
}

/* QEMU says the path of the image first. */
Test(multiboot, the_path_in_the_command_line)
{
	cr_expect_str_eq(version_1_cmdline("/x/torc32.elf log=com2 a"), "log=com2 a");
	cr_expect_str_eq(version_1_cmdline("/x/torc32.elf"), "");
	cr_expect_str_eq(version_1_cmdline("torc32.elf "), "");
	cr_expect_str_eq(version_1_cmdline("log=com2 a"), "log=com2 a");
	cr_expect_str_eq(version_1_cmdline("log=com2"), "log=com2");
	cr_expect_str_eq(version_1_cmdline(""), "");
}

Test(multiboot, nothing_but_memory)
{
	const struct boot_info *info;

	put_map();
	info = parse2();
	cr_expect_str_eq(info->cmdline, "");
	cr_expect_str_eq(info->loader, "");
	cr_expect(info->module_count == 0 && info->rsdp == INVALID_PADDR);
}

Test(multiboot, another_loader)
{
	EXPECT_PANIC("speaks no multiboot", boot_info_parse(0x12345678, INFO));
}

Test(multiboot, no_memory_map)
{
	put_tag(1, "x", 2);
	EXPECT_PANIC("no memory map", parse2());
}

Test(multiboot, no_memory_map_in_version_1)
{
	EXPECT_PANIC("no memory map", boot_info_parse(MULTIBOOT1_MAGIC, INFO));
}

Test(multiboot, no_end)
{
	put_map();
	put(INFO, (u32[]){ at - INFO, 0 }, 8);
	EXPECT_PANIC("no end tag", boot_info_parse(MULTIBOOT2_MAGIC, INFO));
}

Test(multiboot, a_tag_longer_than_all)
{
	put(at, (u32[]){ 1, 0xfffffff8 }, 8);
	put(INFO, (u32[]){ 64, 0 }, 8);
	EXPECT_PANIC("no end tag", boot_info_parse(MULTIBOOT2_MAGIC, INFO));
}

Test(multiboot, a_tag_shorter_than_its_header)
{
	put(at, (u32[]){ 1, 0 }, 8);
	put(INFO, (u32[]){ 64, 0 }, 8);
	EXPECT_PANIC("no end tag", boot_info_parse(MULTIBOOT2_MAGIC, INFO));
}

Test(multiboot, a_module_tag_without_addresses)
{
	put_tag(3, "1234", 4);
	EXPECT_PANIC("module tag of 4 bytes", parse2());
}

Test(multiboot, a_module_that_ends_before_it_starts)
{
	put_module(0x300000, 0x2fffff, "domain");
	EXPECT_PANIC("module 1 ends before it starts", parse2());
}

Test(multiboot, too_many_modules)
{
	unsigned int i;

	for (i = 0; i <= BOOT_MAX_MODULES; i++)
		put_module(0, 1, "x");
	EXPECT_PANIC("more than 64 modules", parse2());
}

Test(multiboot, strings_that_fill_the_room)
{
	static char text[BOOT_STRINGS];

	memset(text, 'a', sizeof(text) - 1);
	put_tag(1, text, sizeof(text));
	put_map();
	cr_expect_str_eq(parse2()->cmdline, text);
}

Test(multiboot, strings_that_exceed_the_room)
{
	static char text[BOOT_STRINGS + 1];

	memset(text, 'a', sizeof(text) - 1);
	put_tag(1, text, sizeof(text));
	put_map();
	EXPECT_PANIC("exceed", parse2());
}

/* A string without its end in the tag: nothing behind the tag belongs to it. */
Test(multiboot, a_string_that_is_not_terminated)
{
	put_tag(1, "12345678", 8);
	put_map();
	cr_expect_str_eq(parse2()->cmdline, "12345678");
}

Test(multiboot, map_entries_that_are_too_short)
{
	put_tag(6, (u32[]){ 8, 0, 0, 0, 0, 0 }, 24);
	EXPECT_PANIC("entries of 8 bytes", parse2());
}

Test(multiboot, map_entries_of_no_length)
{
	put_tag(6, (u32[]){ 0, 0, 0, 0, 0, 0 }, 24);
	EXPECT_PANIC("entries of 0 bytes", parse2());
}

Test(multiboot, longer_map_entries_are_of_a_later_version)
{
	u32 map[] = { 32, 0, 0, 0, 0x200000, 0, 1, 0, 5, 5, 0x400000, 0, 0x200000, 0, 1, 0, 5, 5 };

	put_tag(6, map, sizeof(map));
	cr_expect_eq(parse2()->ram.count, 2);
}

Test(multiboot, a_map_in_too_many_pieces)
{
	static struct {
		u32 entry_bytes, version;
		struct {
			u64 address, length;
			u32 type, reserved;
		} entry[BOOT_MAX_REGIONS + 1];
	} map = { 24, 0, { { 0 } } };
	unsigned int i;

	for (i = 0; i <= BOOT_MAX_REGIONS; i++) {
		map.entry[i].address = i * MIB(2);
		map.entry[i].length = MIB(1);
		map.entry[i].type = 1;
	}
	put_tag(6, &map, sizeof(map));
	EXPECT_PANIC("more than 128 pieces", parse2());
}
