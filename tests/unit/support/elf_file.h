/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* A small, valid guest kernel as an ELF file, to be loaded or to be spoilt. */
#ifndef UNIT_ELF_FILE_H
#define UNIT_ELF_FILE_H

#include <linux/elf.h>
#include <torc/elfnote.h>
#include "types.h"

struct elf_file_note {
	u32 namesz, descsz, type;
	char name[8];
	struct torc_note desc; /* right behind the name, as the file format wants it */
} __packed;

#define ELF_FILE_SEGMENTS 3
#define ELF_FILE_CODE 252 /* bytes of code, the last of the file */

/* Segments: the note, code at 2 MiB, data at 2 MiB + 64 KiB of which a part is not in the file. */
struct elf_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment[ELF_FILE_SEGMENTS];
	struct elf_file_note note;
	u8 data[128];
	u8 code[ELF_FILE_CODE];
};

#define ELF_FILE_FIRST 0x200000ull
#define ELF_FILE_DATA 0x210000ull
#define ELF_FILE_END 0x212345ull
#define ELF_FILE_VIRT_OFFSET 0xffffffff80000000ull
#define ELF_FILE_LINEAR 0xffff888000000000ull

void elf_file_make(struct elf_file *file);

#endif
