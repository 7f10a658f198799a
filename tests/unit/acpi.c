/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * ACPI tables that are cut, wrong or made to hurt. Around each table there is forbidden memory,
 * which the direct map of the test does not cover; a table that claims to reach into it must be
 * ignored.
 */
#include <criterion/criterion.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include "acpi.h"
#include "arena.h"
#include "unit.h"

#define MACHINE MIB(2)
#define RSDP	0xf0000
#define BODY	36 /* length of a table's header */

enum { RSDT, XSDT, MADT, FADT, DSDT, TABLES };

/* Tables end at the ends of their pages, two pages each, behind a forbidden one. */
static u32 length[TABLES];
static bool high; /* XSDT and X_DSDT are used */

static u64 place(unsigned int table)
{
	return 0x120000 + table * 0x4000 + 0x3000 - length[table];
}

static u8 *bytes(unsigned int table)
{
	return phys_to_virt(place(table));
}

static void put(unsigned int table, u32 at, u64 value, unsigned int size)
{
	memcpy(bytes(table) + at, &value, size);
}

static u8 sum(const u8 *data, size_t count)
{
	u8 total = 0;

	while (count--)
		total += *data++;
	return total;
}

/* Makes the checksum right for the length that the header claims, if that much is there. */
static void seal(unsigned int table)
{
	u32 claimed;

	memcpy(&claimed, bytes(table) + 4, 4);
	bytes(table)[9] -= sum(bytes(table), MIN(claimed, length[table]));
}

static void seal_rsdp(void)
{
	u8 *rsdp = phys_to_virt(RSDP);

	rsdp[8] -= sum(rsdp, 20);
	rsdp[32] -= sum(rsdp, 36);
}

static void begin(unsigned int table, const char *signature, u32 size)
{
	length[table] = size;
	arena_forbid((0x120000 + table * 0x4000) >> PAGE_SHIFT, 4);
	ASAN_UNPOISON_MEMORY_REGION(bytes(table), size);
	memset(bytes(table), 0, size);
	memcpy(bytes(table), signature, 4);
	put(table, 4, size, 4);
}

static const u8 madt_entries[] = {
	0,  8,	0, 10, 1, 0, 0, 0, /* CPU of APIC id 10 */
	0,  8,	1, 11, 0, 0, 0, 0, /* disabled */
	0,  8,	2, 12, 3, 0, 0, 0, 1,  12, 5, 0,  0, 0, 0xc0, 0xfe, 24, 0, 0, 0, /* I/O APIC */
	0,  8,	3, 255, 1, 0, 0, 0, /* no APIC id at all */
	9,  16, 0, 0,  12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, /* 12 once more, as an x2APIC */
	9,  16, 0, 0,  255, 255, 255, 255, 1, 0, 0, 0, 4, 0, 0, 0, /* no x2APIC id */
	2,  10, 0, 0,  2, 0, 0, 0, 0,  0, /* ISA 0 is input 2 */
	2,  10, 0, 9,  9, 0, 0, 0, 13, 0,  9, 16, 0, 0, 0,    1,    0,	0, 1, 0,
	0,  0,	0, 0,  0, 0, /* x2APIC id 256 */
	77, 5,	1, 2,  3,    /* unknown */
};

static const u8 aml[] = { 0x10, 8, '_', 'S', '5', '_', 0x12, 8, 4, 0x0a, 5, 0x0a, 7, 0, 0 };

static void make_tables(void)
{
	u8 *rsdp = phys_to_virt(RSDP);
	unsigned int i;

	begin(MADT, "APIC", 44 + sizeof(madt_entries));
	memcpy(bytes(MADT) + 44, madt_entries, sizeof(madt_entries));
	begin(DSDT, "DSDT", BODY + sizeof(aml));
	memcpy(bytes(DSDT) + BODY, aml, sizeof(aml));
	begin(FADT, "FACP", high ? 244 : 116);
	put(FADT, 40, high ? 0x1000 : place(DSDT), 4);
	if (high)
		put(FADT, 140, place(DSDT), 8);
	put(FADT, 48, 0xb2, 4);
	put(FADT, 52, 0xa0, 1);
	put(FADT, 64, 0x604, 4);
	put(FADT, 112, 1u << 20, 4);
	begin(RSDT, "RSDT", BODY + 8);
	put(RSDT, BODY, place(MADT), 4);
	put(RSDT, BODY + 4, place(FADT), 4);
	begin(XSDT, "XSDT", BODY + 16);
	put(XSDT, BODY, place(MADT), 8);
	put(XSDT, BODY + 8, place(FADT), 8);
	for (i = 0; i < TABLES; i++)
		seal(i);
	memset(rsdp, 0, 36);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = high ? 2 : 0;
	memcpy(rsdp + 16, &(u32){ place(RSDT) }, 4);
	memcpy(rsdp + 20, &(u32){ 36 }, 4);
	memcpy(rsdp + 24, &(u64){ place(XSDT) }, 8);
	seal_rsdp();
}

static void create(void)
{
	if (!host_memory) {
		arena_create(MACHINE);
		memset(host_memory, 0, MIB(1) + 0x10000);
		arena_forbid(0x111000 >> PAGE_SHIFT, (MACHINE - 0x111000) >> PAGE_SHIFT);
	}
	make_tables();
	memset(&acpi_info, 0, sizeof(acpi_info));
	log_forget();
}

TestSuite(acpi, .init = create);

static void read_tables(void)
{
	memset(&acpi_info, 0, sizeof(acpi_info));
	acpi_init(INVALID_PADDR);
	cr_assert_leq(acpi_info.cpu_count, CPU_MAX);
	cr_assert_leq(acpi_info.ioapic_count, ACPI_MAX_IOAPICS);
	cr_assert_leq(acpi_info.override_count, ACPI_MAX_OVERRIDES);
	cr_assert_leq(acpi_info.s5_type_a, 7);
	cr_assert_leq(acpi_info.s5_type_b, 7);
}

static void expect_all_found(void)
{
	read_tables();
	cr_expect(acpi_info.has_madt && acpi_info.has_s5 && acpi_info.hardware_reduced);
	cr_assert_eq(acpi_info.cpu_count, 3);
	cr_expect(acpi_info.cpu_apic_id[0] == 10 && acpi_info.cpu_apic_id[1] == 12 &&
		  acpi_info.cpu_apic_id[2] == 256);
	cr_assert_eq(acpi_info.ioapic_count, 1);
	cr_expect(acpi_info.ioapic[0].address == 0xfec00000 && acpi_info.ioapic[0].gsi_base == 24);
	cr_assert_eq(acpi_info.override_count, 2);
	cr_expect(acpi_info.override[1].irq == 9 && acpi_info.override[1].gsi == 9 &&
		  acpi_info.override[1].flags == 13);
	cr_expect(acpi_info.pm1a_control == 0x604 && acpi_info.smi_command == 0xb2 &&
		  acpi_info.acpi_enable == 0xa0);
	cr_expect(acpi_info.s5_type_a == 5 && acpi_info.s5_type_b == 7);
}

Test(acpi, good_tables_of_both_revisions)
{
	expect_all_found();
	high = true;
	create();
	expect_all_found();
}

Test(acpi, the_root_pointer_is_searched)
{
	u8 *rsdp = phys_to_virt(RSDP);

	/* in the EBDA, whose segment stands at 0x40e */
	memcpy(phys_to_virt(0x9fc10), rsdp, 36);
	memset(rsdp, 0, 36);
	read_tables();
	cr_expect_eq(acpi_info.cpu_count, 0);
	cr_expect(strstr(logged(), "no tables"));
	memcpy(phys_to_virt(0x40e), &(u16){ 0x9fc0 }, 2);
	expect_all_found();
	/* given by the loader, anywhere */
	memcpy(phys_to_virt(0x5008), phys_to_virt(0x9fc10), 36);
	memset(phys_to_virt(0x9fc10), 0, 36);
	memset(&acpi_info, 0, sizeof(acpi_info));
	acpi_init(0x5008);
	cr_expect_eq(acpi_info.cpu_count, 3);
}

Test(acpi, wrong_checksums)
{
	unsigned int table;

	((u8 *)phys_to_virt(RSDP))[9] ^= 1;
	read_tables();
	cr_expect_eq(acpi_info.cpu_count, 0);
	for (table = RSDT; table < TABLES; table++) {
		create();
		bytes(table)[length[table] - 1] ^= 0x10;
		read_tables();
		cr_expect_eq(acpi_info.has_madt, table != MADT && table != RSDT);
		cr_expect_eq(acpi_info.has_s5, table == MADT || table == XSDT);
	}
	high = true;
	create();
	((u8 *)phys_to_virt(RSDP))[33] ^= 1; /* outside the first checksum, inside the second */
	read_tables();
	cr_expect_eq(acpi_info.cpu_count, 0);
	create();
	bytes(XSDT)[10] ^= 1; /* then the other root serves */
	expect_all_found();
}

Test(acpi, lengths_that_lie)
{
	static const u32 lengths[] = { 0,      1,	   8,	       35,	  0x10000,
				       MIB(4), MIB(4) + 1, 0x7fffffff, 0xffffffff };
	unsigned int table, i;

	for (table = RSDT; table < TABLES; table++)
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			create();
			put(table, 4, lengths[i], 4);
			seal(table);
			read_tables();
			if (table == MADT || table == RSDT)
				cr_expect_eq(acpi_info.cpu_count, 0, "table %u length %u", table,
					     lengths[i]);
			if (table == DSDT)
				cr_expect_not(acpi_info.has_s5);
		}
}

/* A shorter length with a good checksum: only what it covers is read. */
Test(acpi, every_shorter_length)
{
	unsigned int table, pass;
	u32 size;

	for (pass = 0; pass < 2; pass++) {
		high = pass;
		for (table = RSDT; table < TABLES; table++)
			for (size = 0; size < 300; size++) {
				make_tables();
				if (size > length[table])
					break;
				put(table, 4, size, 4);
				seal(table);
				/* what is cut off cannot be read at all */
				if (size >= 8)
					ASAN_POISON_MEMORY_REGION(
						bytes(table) + ALIGN_UP(size, 8),
						length[table] -
							MIN(ALIGN_UP(size, 8), length[table]));
				read_tables();
			}
	}
}

Test(acpi, addresses_that_lead_nowhere)
{
	static const u64 addresses[] = { 0,	      0x111ffc,	  MACHINE - 1, MACHINE,
					 MACHINE + 1, 0xfffffff0, GIB(4),      1ull << 46,
					 ~0ull - 35,  ~0ull,	  1ull << 63 };
	unsigned int i;

	high = true;
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		create();
		put(XSDT, BODY, addresses[i], 8);
		seal(XSDT);
		read_tables();
		cr_expect_not(acpi_info.has_madt);
		cr_expect(acpi_info.has_s5);
		create();
		put(FADT, 140, addresses[i], 8);
		put(FADT, 40, addresses[i], 4);
		seal(FADT);
		read_tables();
		cr_expect_not(acpi_info.has_s5);
		create();
		memcpy(phys_to_virt(RSDP + 24), &addresses[i], 8);
		memcpy(phys_to_virt(RSDP + 16), &addresses[i], 4);
		seal_rsdp();
		read_tables();
		cr_expect_eq(acpi_info.cpu_count, 0);
	}
}

Test(acpi, tables_that_name_each_other_end)
{
	put(RSDT, BODY, place(RSDT), 4);
	put(RSDT, BODY + 4, place(RSDT), 4);
	seal(RSDT);
	read_tables();
	put(FADT, 40, place(FADT), 4);
	seal(FADT);
	put(RSDT, BODY, place(FADT), 4);
	seal(RSDT);
	read_tables();
	cr_expect_not(acpi_info.has_s5);
}

Test(acpi, more_than_there_is_room_for)
{
	static const u8 cpu[] = { 0, 8, 0, 1, 1, 0, 0, 0 };
	static const u8 ioapic[] = { 1, 12, 5, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0 };
	static const u8 override[] = { 2, 10, 0, 9, 9, 0, 0, 0, 13, 0 };
	unsigned int i, at = 44;

	begin(MADT, "APIC", 44 + 100 * (8 + 12 + 10));
	for (i = 0; i < 100; i++) {
		memcpy(bytes(MADT) + at, cpu, 8);
		bytes(MADT)[at + 3] = (u8)i;
		memcpy(bytes(MADT) + at + 8, ioapic, 12);
		memcpy(bytes(MADT) + at + 20, override, 10);
		at += 30;
	}
	seal(MADT);
	put(RSDT, BODY, place(MADT), 4);
	seal(RSDT);
	read_tables();
	cr_expect_eq(acpi_info.cpu_count, CPU_MAX);
	cr_expect_eq(acpi_info.ioapic_count, ACPI_MAX_IOAPICS);
	cr_expect_eq(acpi_info.override_count, ACPI_MAX_OVERRIDES);
}

/*
 * MADT entries whose length is 0 or 1 would be read for ever; those longer than the table, beyond
 * it.
 */
Test(acpi, entries_with_bad_lengths)
{
	unsigned int at, value;

	for (at = 0; at < sizeof(madt_entries); at++)
		for (value = 0; value < 256; value++) {
			make_tables();
			bytes(MADT)[44 + at] = value;
			seal(MADT);
			read_tables();
		}
}

Test(acpi, random_damage_under_good_checksums)
{
	struct random dice = { 1066 };
	unsigned int round, found = 0;

	for (round = 0; round < 20000; round++) {
		unsigned int i;

		high = random_once_in(&dice, 2);
		make_tables();
		for (i = random_below(&dice, 5); i > 0; i--) {
			unsigned int table = random_below(&dice, TABLES);
			u32 at = random_below(&dice, length[table]);

			bytes(table)[at] = random_next(&dice) >> 30;
			seal(table);
		}
		read_tables();
		found += acpi_info.has_madt + acpi_info.has_s5;
	}
	cr_expect_gt(found, 10000, "%u", found);
}

static bool find_s5(const u8 *code, size_t count, u8 *a, u8 *b)
{
	u8 *copy = malloc(count ? count : 1);
	bool found;

	memcpy(copy, code, count);
	found = acpi_find_s5(copy, count, a, b);
	free(copy);
	return found;
}

#define EXPECT_S5(want_a, want_b, ...)                                                 \
	do {                                                                           \
		static const u8 code_[] = { __VA_ARGS__ };                             \
		u8 a_ = 99, b_ = 99;                                                   \
		cr_expect(find_s5(code_, sizeof(code_), &a_, &b_) && a_ == (want_a) && \
				  b_ == (want_b),                                      \
			  "%u, %u", a_, b_);                                           \
	} while (0)

#define S5_NAME 8, '_', 'S', '5', '_'

Test(s5, forms_that_firmware_uses)
{
	EXPECT_S5(5, 7, 0, S5_NAME, 0x12, 6, 4, 0x0a, 5, 0x0a, 7, 0, 0);
	EXPECT_S5(0, 0, 0, 8, '\\', '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0);
	EXPECT_S5(1, 1, 0, S5_NAME, 0x12, 4, 2, 1, 1);
	EXPECT_S5(3, 4, 0, S5_NAME, 0x12, 8, 2, 0x0b, 3, 0, 0x0b, 4, 0);
	EXPECT_S5(3, 4, 0, S5_NAME, 0x12, 12, 2, 0x0c, 3, 0, 0, 0, 0x0c, 4, 0, 0, 0);
	EXPECT_S5(6, 6, 0, S5_NAME, 0x12, 4, 1, 0x0a, 6); /* one element serves for both */
	EXPECT_S5(5, 7, 0, S5_NAME, 0x12, 0x46, 0, 4, 0x0a, 5, 0x0a, 7); /* long package length */
	EXPECT_S5(5, 7, '_', 'S', '5', '_', 0, S5_NAME, 0x12, 6, 4, 0x0a, 5, 0x0a,
		  7);							 /* second one */
	EXPECT_S5(5, 7, 0, S5_NAME, 0x12, 6, 4, 0x0a, 0xfd, 0x0a, 0xff); /* three bits each */
}

Test(s5, what_is_not_constant_is_not_guessed)
{
	static const u8 method[] = { 0x14, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 7 };
	static const u8 no_package[] = { 0, S5_NAME, 0x0a, 5, 0x0a, 7 };
	static const u8 names[] = { 0, S5_NAME, 0x12, 6, 4, 'A', 'B', 'C', 'D' };
	static const u8 empty[] = { 0, S5_NAME, 0x12, 2, 0, 5, 5 };
	u8 a = 99, b = 99;

	cr_expect_not(find_s5(method, sizeof(method), &a, &b));
	cr_expect_not(find_s5(no_package, sizeof(no_package), &a, &b));
	cr_expect_not(find_s5(names, sizeof(names), &a, &b));
	cr_expect_not(find_s5(empty, sizeof(empty), &a, &b));
	cr_expect(a == 99 && b == 99);
}

Test(s5, cut_anywhere_and_damaged)
{
	static const u8 code[] = { 0, S5_NAME, 0x12, 0x46, 0, 4, 0x0c, 5, 0, 0, 0, 0x0a, 7, 0, 0 };
	struct random dice = { 3 };
	unsigned int round;
	u8 a, b, copy[sizeof(code)];
	size_t n;

	for (n = 0; n <= sizeof(code); n++)
		find_s5(code, n, &a, &b);
	for (round = 0; round < 200000; round++) {
		memcpy(copy, code, sizeof(code));
		copy[random_below(&dice, sizeof(code))] = random_next(&dice) >> 30;
		copy[6 + random_below(&dice, 10)] = random_next(&dice) >> 30;
		find_s5(copy, random_below(&dice, sizeof(code) + 1), &a, &b);
	}
}
