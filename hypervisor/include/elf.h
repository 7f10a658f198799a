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

/* One loadable segment. */
struct elf_segment {
	u64 offset, file_size; /* within the image */
	u64 address, memory_size; /* guest-physical */
};

/**
 * elf_check - is @image a guest kernel that this hypervisor can start?
 * @note: receives the Torc note
 * @first: @end: receive the guest-physical range that the segments cover
 * Return: NULL, or why not.
 */
const char *elf_check(const struct elf_image *image, struct torc_note *note, u64 *first, u64 *end);

/**
 * elf_segment - the loadable segment number @index of an image that elf_check() accepted
 * Return: false behind the last.
 */
bool elf_segment(const struct elf_image *image, unsigned int index, struct elf_segment *segment);

#endif
