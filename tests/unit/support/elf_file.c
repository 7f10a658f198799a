/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <torc/abi.h>
#include "elf_file.h"

_Static_assert(sizeof(struct elf_file_header) == 64, "ELF-64");
_Static_assert(sizeof(struct elf_file_segment) == 56, "ELF-64");
_Static_assert(sizeof(struct elf_file_note) == 20 + sizeof(struct torc_note), "no padding");
_Static_assert(offsetof(struct elf_file, code) + ELF_FILE_CODE == sizeof(struct elf_file),
	       "the code is the end of the file");

void elf_file_make(struct elf_file *file)
{
	unsigned int i;

	*file = (struct elf_file){
		.header = {
			.ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
			.type = 2, .machine = 62, .version = 1,
			.entry = ELF_FILE_FIRST,
			.phoff = offsetof(struct elf_file, segment),
			.ehsize = sizeof(struct elf_file_header),
			.phentsize = sizeof(struct elf_file_segment),
			.phnum = ELF_FILE_SEGMENTS,
		},
		.segment = {
			{ .type = ELF_FILE_NOTE, .offset = offsetof(struct elf_file, note),
			  .filesz = sizeof(struct elf_file_note),
			  .memsz = sizeof(struct elf_file_note), .align = 4 },
			{ .type = ELF_FILE_LOAD, .flags = 5,
			  .offset = offsetof(struct elf_file, code),
			  .paddr = ELF_FILE_FIRST, .filesz = ELF_FILE_CODE,
			  .memsz = ELF_FILE_CODE, .align = 4096 },
			{ .type = ELF_FILE_LOAD, .flags = 6,
			  .offset = offsetof(struct elf_file, data),
			  .paddr = ELF_FILE_DATA, .filesz = sizeof(file->data),
			  .memsz = ELF_FILE_END - ELF_FILE_DATA, .align = 4096 },
		},
		.note = { .namesz = 5, .descsz = sizeof(struct torc_note), .type = TORC_NOTE_TYPE,
			  .name = "Torc",
			  .desc = { .size = sizeof(struct torc_note),
				    .abi_major = TORC_ABI_MAJOR, .abi_minor = TORC_ABI_MINOR,
				    .entry = ELF_FILE_VIRT_OFFSET + ELF_FILE_FIRST,
				    .virt_offset = ELF_FILE_VIRT_OFFSET,
				    .linear_base = ELF_FILE_LINEAR } },
	};
	for (i = 0; i < ELF_FILE_CODE; i++)
		file->code[i] = (u8)(i * 7 + 1);
	for (i = 0; i < sizeof(file->data); i++)
		file->data[i] = (u8)(i * 5 + 2);
}
