/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <torc/abi.h>
#include "elf_file.h"

_Static_assert(sizeof(struct elf_file_note) == 20 + sizeof(struct torc_note), "no padding");
_Static_assert(offsetof(struct elf_file, code) + ELF_FILE_CODE == sizeof(struct elf_file),
	       "the code is the end of the file");

void elf_file_make(struct elf_file *file)
{
	unsigned int i;

	*file = (struct elf_file){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_entry = ELF_FILE_FIRST,
			.e_phoff = offsetof(struct elf_file, segment),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = ELF_FILE_SEGMENTS,
		},
		.segment = {
			{ .p_type = PT_NOTE, .p_offset = offsetof(struct elf_file, note),
			  .p_filesz = sizeof(struct elf_file_note),
			  .p_memsz = sizeof(struct elf_file_note), .p_align = 4 },
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
			  .p_offset = offsetof(struct elf_file, code),
			  .p_paddr = ELF_FILE_FIRST, .p_filesz = ELF_FILE_CODE,
			  .p_memsz = ELF_FILE_CODE, .p_align = 4096 },
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W,
			  .p_offset = offsetof(struct elf_file, data),
			  .p_paddr = ELF_FILE_DATA, .p_filesz = sizeof(file->data),
			  .p_memsz = ELF_FILE_END - ELF_FILE_DATA, .p_align = 4096 },
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
