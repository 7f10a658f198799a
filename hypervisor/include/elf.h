/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Guest kernels in ELF64, read from memory that nobody vouches for. */
#ifndef TORC_ELF_H
#define TORC_ELF_H

#include <torc/elfnote.h>
#include "types.h"

struct elf_image {
	const u8 *data;
	u64 size;
};

/* As in the file; addresses are guest-physical. */
struct program_header {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct program_header) == 56, "System V ABI, ELF-64 object file format");

/**
 * elf_check - is @image a guest kernel that this hypervisor can start?
 * @note: receives the Torc note
 * @first: @end: receive the guest-physical range that the segments cover
 * Return: NULL, or why not.
 */
const char *elf_check(const struct elf_image *image, struct torc_note *note, u64 *first, u64 *end);

/**
 * elf_segment - the segment number @index of those that are loaded and not empty
 * Of an image that elf_check() accepted they lie within file and memory.
 * Return: false behind the last.
 */
bool elf_segment(const struct elf_image *image, unsigned int index, struct program_header *segment);

#endif
