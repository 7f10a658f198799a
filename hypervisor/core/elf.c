/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Reading ELF64. The file may be cut, wrong or made to hurt: each structure is copied out
 * after a check that it lies inside the file, with sums that cannot wrap.
 */
#include <torc/base.h>
#include "elf.h"
#include "lib.h"

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "System V ABI, ELF-64 object file format");

struct note_header {
	u32 namesz, descsz, type;
};

#define PT_LOAD 1
#define PT_NOTE 4
#define MACHINE_X86_64 62
#define MAX_ADDRESS (1ull << 40) /* of guest-physical memory */
#define MAX_PROGRAM_HEADERS 64 /* each may be as long as the file, and all are looked through */

static bool inside(const struct elf_image *image, u64 offset, u64 bytes)
{
	return offset <= image->size && bytes <= image->size - offset;
}

static bool copy_out(const struct elf_image *image, u64 offset, void *to, size_t bytes)
{
	if (!inside(image, offset, bytes))
		return false;
	memcpy(to, image->data + offset, bytes);
	return true;
}

static bool program_header(const struct elf_image *image, unsigned int index,
			   struct program_header *header)
{
	struct elf_header elf;
	u64 offset;

	if (!copy_out(image, 0, &elf, sizeof(elf)) || index >= elf.phnum ||
	    __builtin_add_overflow(elf.phoff, (u64)index * sizeof(*header), &offset))
		return false;
	return copy_out(image, offset, header, sizeof(*header));
}

static const char *check_header(const struct elf_image *image)
{
	static const u8 magic[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }; /* 64-bit, little-endian */
	struct elf_header elf;

	if (!copy_out(image, 0, &elf, sizeof(elf)))
		return "the kernel is no ELF file: too short";
	if (memcmp(elf.ident, magic, sizeof(magic)))
		return "the kernel is no 64-bit little-endian ELF file";
	if (elf.machine != MACHINE_X86_64)
		return "the kernel is not for x86-64";
	if (elf.phnum == 0 || elf.phentsize != sizeof(struct program_header))
		return "the kernel has no program headers";
	if (elf.phnum > MAX_PROGRAM_HEADERS)
		return "the kernel has too many program headers";
	if (!inside(image, elf.phoff, (u64)elf.phnum * sizeof(struct program_header)))
		return "the kernel's program headers lie outside the file";
	return NULL;
}

bool elf_segment(const struct elf_image *image, unsigned int index, struct program_header *segment)
{
	unsigned int i;

	for (i = 0; program_header(image, i, segment); i++)
		if (segment->type == PT_LOAD && segment->memsz && index-- == 0)
			return true;
	return false;
}

static const char *check_segments(const struct elf_image *image, u64 *first, u64 *end)
{
	struct program_header header;
	unsigned int i;

	*first = ~0ull;
	*end = 0;
	for (i = 0; elf_segment(image, i, &header); i++) {
		if (!inside(image, header.offset, header.filesz))
			return "a segment of the kernel lies outside the file";
		if (header.filesz > header.memsz)
			return "a segment of the kernel is larger in the file than in memory";
		if (header.paddr >= MAX_ADDRESS || header.memsz > MAX_ADDRESS - header.paddr)
			return "a segment of the kernel has an impossible physical address";
		*first = MIN(*first, header.paddr);
		*end = MAX(*end, header.paddr + header.memsz);
	}
	return *end ? NULL : "the kernel has nothing to load";
}

/* Looks through one note segment; true when the Torc note is there and long enough. */
static bool find_note_in(const struct elf_image *image, const struct program_header *segment,
			 struct torc_note *note)
{
	u64 at = segment->offset, end = segment->offset + segment->filesz;
	struct note_header header;
	char name[sizeof(TORC_NOTE_NAME)];

	while (at < end && copy_out(image, at, &header, sizeof(header))) {
		u64 desc = at + sizeof(header) + ALIGN_UP((u64)header.namesz, 4);

		if (header.type == TORC_NOTE_TYPE && header.namesz == sizeof(name) &&
		    copy_out(image, at + sizeof(header), name, sizeof(name)) &&
		    !memcmp(name, TORC_NOTE_NAME, sizeof(name)))
			return header.descsz >= sizeof(*note) &&
			       copy_out(image, desc, note, sizeof(*note));
		at = desc + ALIGN_UP((u64)header.descsz, 4);
	}
	return false;
}

static bool find_note(const struct elf_image *image, struct torc_note *note)
{
	struct program_header header;
	unsigned int i;

	for (i = 0; program_header(image, i, &header); i++)
		if (header.type == PT_NOTE && inside(image, header.offset, header.filesz) &&
		    find_note_in(image, &header, note))
			return true;
	return false;
}

const char *elf_check(const struct elf_image *image, struct torc_note *note, u64 *first, u64 *end)
{
	const char *why = check_header(image) ?: check_segments(image, first, end);

	if (!why && !find_note(image, note))
		why = "the kernel has no Torc note: it is not built for Torc";
	return why;
}
