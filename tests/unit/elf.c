/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The ELF reader on files that are cut, wrong or made to hurt. Every file is put in memory of
 * exactly its size, so a read outside of it ends the test; and what is accepted must keep the
 * promises that the domain builder relies on.
 *
 * Attack: files that are cut, flipped, random, or point outside themselves.
 * Vulnerable: the builder reads or writes outside of file or memory.
 * Fixed: refused, or what is accepted keeps the promises.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>
#include "elf.h"
#include "elf_file.h"
#include "unit.h"

static struct elf_file file;

static void create(void)
{
	elf_file_make(&file);
}

TestSuite(elf, .init = create);

/* Whatever is accepted has segments within file and memory, and a range that covers them. */
static void expect_promises(const struct elf_image *image, u64 first, u64 end)
{
	struct program_header segment;
	unsigned int i;
	u64 low = ~0ull, high = 0;

	for (i = 0; elf_segment(image, i, &segment); i++) {
		cr_assert_leq(segment.offset, image->size);
		cr_assert_leq(segment.filesz, image->size - segment.offset);
		cr_assert_leq(segment.filesz, segment.memsz);
		cr_assert_lt(segment.paddr, 1ull << 40);
		cr_assert_leq(segment.paddr + segment.memsz, 1ull << 40);
		low = MIN(low, segment.paddr);
		high = MAX(high, segment.paddr + segment.memsz);
	}
	cr_assert_gt(i, 0);
	cr_assert_eq(first, low);
	cr_assert_eq(end, high);
}

/* elf_check() on a copy of exactly @size bytes. */
static const char *check_bytes(const void *bytes, size_t size)
{
	u8 *copy = malloc(size ? size : 1);
	struct elf_image image = { copy + (size ? 0 : 1), size };
	struct torc_note note;
	const char *why;
	u64 first, end;

	memcpy(copy, bytes, size);
	why = elf_check(&image, &note, &first, &end);
	if (!why)
		expect_promises(&image, first, end);
	free(copy);
	return why;
}

static const char *check(void)
{
	return check_bytes(&file, sizeof(file));
}

#define EXPECT_REFUSED(text)                                                                  \
	do {                                                                                  \
		const char *why_ = check();                                                   \
		cr_expect(why_ &&strstr(why_, text), "it says \"%s\"", why_ ? why_ : "fine"); \
	} while (0)

Test(elf, a_good_file_is_read)
{
	struct elf_image image = { (u8 *)&file, sizeof(file) };
	struct program_header segment;
	struct torc_note note;
	u64 first, end;

	cr_assert_null(elf_check(&image, &note, &first, &end));
	cr_expect_eq(first, ELF_FILE_FIRST);
	cr_expect_eq(end, ELF_FILE_END);
	cr_expect(!memcmp(&note, (u8 *)&file.note + 20, sizeof(note)));
	cr_assert(elf_segment(&image, 0, &segment));
	cr_expect(segment.paddr == ELF_FILE_FIRST && segment.filesz == ELF_FILE_CODE &&
		  segment.offset == offsetof(struct elf_file, code));
	cr_assert(elf_segment(&image, 1, &segment));
	cr_expect(segment.paddr == ELF_FILE_DATA && segment.filesz == sizeof(file.data) &&
		  segment.memsz == ELF_FILE_END - ELF_FILE_DATA);
	cr_expect_not(elf_segment(&image, 2, &segment));
	cr_expect_not(elf_segment(&image, ~0u, &segment));
}

/* All of the file is needed, so every shorter one is refused. */
Test(elf, every_truncation_is_refused)
{
	size_t size;

	for (size = 0; size < sizeof(file); size++)
		cr_expect_not_null(check_bytes(&file, size), "%zu of %zu bytes", size,
				   sizeof(file));
	cr_expect_null(check());
}

Test(elf, every_flipped_bit_is_survived)
{
	unsigned int bit, refused = 0;

	for (bit = 0; bit < 8 * offsetof(struct elf_file, data); bit++) {
		((u8 *)&file)[bit / 8] ^= 1u << bit % 8;
		refused += check() != NULL;
		((u8 *)&file)[bit / 8] ^= 1u << bit % 8;
	}
	cr_expect_gt(refused, 500, "%u", refused);
}

Test(elf, every_byte_at_its_extremes_is_survived)
{
	static const u8 values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	unsigned int at, i, run;

	for (at = 0; at < offsetof(struct elf_file, data); at++)
		for (run = 1; run <= 8; run *= 2)
			for (i = 0; i < ARRAY_SIZE(values); i++) {
				elf_file_make(&file);
				memset((u8 *)&file + at, values[i], run);
				check();
			}
}

Test(elf, random_damage_is_survived)
{
	struct random dice = { 77 };
	unsigned int round, i, accepted = 0;

	for (round = 0; round < 200000; round++) {
		size_t size = sizeof(file);

		elf_file_make(&file);
		for (i = random_below(&dice, 6); i > 0; i--) {
			u64 at = random_below(&dice, offsetof(struct elf_file, data) - 8);
			u64 value = random_next(&dice) >> random_below(&dice, 64);

			memcpy((u8 *)&file + at, &value, 1ul << random_below(&dice, 4));
		}
		if (random_once_in(&dice, 4))
			size = random_below(&dice, sizeof(file) + 1);
		accepted += check_bytes(&file, size) == NULL;
	}
	cr_expect_gt(accepted, 1000, "%u", accepted);
}

Test(elf, headers_that_are_none)
{
	file.header.e_ident[1] = 'e';
	EXPECT_REFUSED("no 64-bit little-endian ELF file");
	create();
	file.header.e_ident[4] = 1; /* 32 bits */
	EXPECT_REFUSED("no 64-bit little-endian ELF file");
	create();
	file.header.e_ident[5] = 2; /* big-endian */
	EXPECT_REFUSED("no 64-bit little-endian ELF file");
	create();
	file.header.e_machine = 3;
	EXPECT_REFUSED("not for x86-64");
	create();
	file.header.e_phnum = 0;
	EXPECT_REFUSED("no program headers");
	create();
	file.header.e_phentsize = 32;
	EXPECT_REFUSED("no program headers");
}

Test(elf, program_headers_outside_the_file)
{
	static const u64 bad[] = { sizeof(struct elf_file),
				   sizeof(struct elf_file) - 167,
				   ~0ull,
				   ~0ull - 167,
				   1ull << 63,
				   -64ull };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.header.e_phoff = bad[i];
		EXPECT_REFUSED("program headers lie outside the file");
	}
	create();
	file.header.e_phnum = 64;
	EXPECT_REFUSED("program headers lie outside the file");
	file.header.e_phnum = 65;
	EXPECT_REFUSED("too many program headers");
	file.header.e_phnum = 0xffff;
	EXPECT_REFUSED("too many program headers");
}

Test(elf, segments_outside_the_file)
{
	static const u64 bad[] = { sizeof(struct elf_file) - ELF_FILE_CODE + 1,
				   sizeof(struct elf_file), ~0ull, -(u64)ELF_FILE_CODE,
				   1ull << 63 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.segment[1].p_offset = bad[i];
		EXPECT_REFUSED("a segment of the kernel lies outside the file");
	}
	create();
	file.segment[1].p_filesz = ~0ull;
	file.segment[1].p_memsz = ~0ull;
	EXPECT_REFUSED("a segment of the kernel lies outside the file");
}

Test(elf, segments_larger_in_the_file)
{
	file.segment[1].p_memsz = ELF_FILE_CODE - 1;
	EXPECT_REFUSED("larger in the file than in memory");
}

Test(elf, segments_at_impossible_addresses)
{
	static const struct {
		u64 address, size;
	} bad[] = {
		{ 1ull << 40, ELF_FILE_CODE },
		{ ~0ull, ELF_FILE_CODE },
		{ (1ull << 40) - ELF_FILE_CODE + 1, ELF_FILE_CODE },
		{ ELF_FILE_FIRST, 1ull << 40 },
		{ ELF_FILE_FIRST, ~0ull },
		{ ELF_FILE_FIRST, -ELF_FILE_FIRST },
		{ -4096ull, 8192 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.segment[1].p_paddr = bad[i].address;
		file.segment[1].p_memsz = bad[i].size;
		EXPECT_REFUSED("an impossible physical address");
	}
	create();
	file.segment[1].p_paddr = (1ull << 40) - ELF_FILE_CODE;
	cr_expect_null(check(), "the last possible address");
}

Test(elf, nothing_to_load)
{
	file.segment[1].p_type = 0;
	file.segment[2].p_memsz = file.segment[2].p_filesz = 0;
	EXPECT_REFUSED("nothing to load");
}

Test(elf, a_note_that_is_missing_or_cut)
{
	static const char why[] = "no Torc note";
	u32 size;

	file.segment[0].p_type = 0;
	EXPECT_REFUSED(why);
	create();
	file.note.name[0] = 'X';
	EXPECT_REFUSED(why);
	create();
	file.note.name[4] = 'x'; /* not terminated */
	EXPECT_REFUSED(why);
	create();
	file.note.namesz = 4;
	EXPECT_REFUSED(why);
	create();
	file.note.type = 2;
	EXPECT_REFUSED(why);
	create();
	file.segment[0].p_offset = sizeof(file) - 8;
	file.segment[0].p_filesz = 8;
	EXPECT_REFUSED(why);
	create();
	file.segment[0].p_offset = ~0ull - 8;
	EXPECT_REFUSED(why);
	create();
	for (size = 0; size < sizeof(struct torc_note); size++) {
		file.note.descsz = size;
		EXPECT_REFUSED(why);
	}
	/* Whole by its own sizes, but the file ends in the middle. */
	create();
	memcpy((u8 *)&file + sizeof(file) - 24, &file.note, 24);
	file.segment[0].p_offset = sizeof(file) - 24;
	file.segment[0].p_filesz = 24;
	EXPECT_REFUSED(why);
}

/* Sizes of a note that would carry a careless reader around or beyond the file. */
Test(elf, notes_of_giant_sizes)
{
	static const u32 sizes[] = { 0xffffffff, 0xfffffffc, 0x80000000, 0x7fffffff, 0xfffffff4 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		create();
		file.note.type = 2;
		file.note.namesz = sizes[i];
		EXPECT_REFUSED("no Torc note");
		file.note.namesz = 5;
		file.note.descsz = sizes[i];
		EXPECT_REFUSED("no Torc note");
	}
	/* Behind a name or descriptor that ends 2^32 bytes further on there is nothing. */
	for (i = 0; i < 2; i++) {
		create();
		memmove((u8 *)&file.note + 12, &file.note, sizeof(file.note));
		file.segment[0].p_filesz += 12;
		file.note.namesz = i ? 0 : 0xfffffffd;
		file.note.descsz = i ? 0xfffffffd : 0;
		file.note.type = 9;
		EXPECT_REFUSED("no Torc note");
		file.note.namesz = file.note.descsz = 0;
		cr_expect_null(check(), "it would be found with sizes of zero");
	}
	create();
	/* Runs out of the file, though the note does not. */
	file.segment[0].p_filesz = sizeof(file);
	EXPECT_REFUSED("no Torc note");
	create();
	file.note.descsz = 0xffffffff; /* longer is allowed if what is known is there */
	cr_expect_null(check());
}

Test(elf, a_note_behind_another_is_found)
{
	static u8 bytes[sizeof(file) + 64];
	struct elf_file *longer = (struct elf_file *)bytes;

	file.segment[0].p_offset = sizeof(file);
	file.segment[0].p_filesz = 16 + 20 + sizeof(struct torc_note);
	memcpy(bytes, &file, sizeof(file));
	cr_expect_not_null(check_bytes(longer, sizeof(bytes)), "nothing there yet");
	/* name of 1 byte padded to 4, no descriptor */
	memcpy(bytes + sizeof(file), (u32[]){ 1, 0, 9, 'G' }, 16);
	memcpy(bytes + sizeof(file) + 16, &file.note, 48);
	cr_expect_not_null(check_bytes(longer, sizeof(bytes)), "cut off");
	memmove(bytes + sizeof(file) - 24, bytes + sizeof(file), 64);
	memcpy(bytes + sizeof(file) - 24 + 16, &file.note, sizeof(file.note));
	longer->segment[0].p_offset -= 24;
	longer->segment[1].p_filesz -= 64;
	cr_expect_null(check_bytes(longer, sizeof(bytes)));
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * Many program headers, each with a note segment of a million empty notes: without a limit, work
 * that grows with the product would keep the machine busy for minutes.
 */
static void look_through_notes(u16 count)
{
	size_t headers = offsetof(struct elf_file, segment) + count * sizeof(file.segment[0]);
	size_t notes = 12 << 20, i;
	u8 *bytes = calloc(1, headers + notes);
	double start = seconds();

	file.header.e_phnum = count;
	memcpy(bytes, &file, offsetof(struct elf_file, note));
	for (i = 0; i < count; i++) {
		Elf64_Phdr segment = { .p_type = i ? PT_NOTE : PT_LOAD,
				       .p_offset = headers,
				       .p_filesz = notes,
				       .p_memsz = notes };

		memcpy(bytes + offsetof(struct elf_file, segment) + i * sizeof(segment), &segment,
		       sizeof(segment));
	}
	cr_expect_not_null(check_bytes(bytes, headers + notes));
	cr_expect_lt(seconds() - start, 5.0);
	free(bytes);
}

Test(elf, giant_counts_are_refused_quickly)
{
	look_through_notes(64);
	look_through_notes(65535);
}
