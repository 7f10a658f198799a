/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * libFuzzer: the ELF reader on any bytes. What it accepts must be what the builder can rely on.
 *
 * Attack: any bytes as a kernel's file.
 * Vulnerable: the reader reads outside of it, or accepts what the builder cannot load.
 * Fixed: refused, or true.
 */
#include <stdlib.h>
#include "elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image image = { data, size };
	struct program_header segment;
	struct torc_note note;
	u64 first, end, low = ~0ull, high = 0;
	unsigned int i;

	if (elf_check(&image, &note, &first, &end))
		return 0;
	for (i = 0; elf_segment(&image, i, &segment); i++) {
		require(segment.offset <= size && segment.filesz <= size - segment.offset);
		require(segment.filesz <= segment.memsz);
		require(segment.paddr < 1ull << 40);
		require(segment.memsz <= (1ull << 40) - segment.paddr);
		low = MIN(low, segment.paddr);
		high = MAX(high, segment.paddr + segment.memsz);
	}
	require(i > 0 && first == low && end == high);
	return 0;
}
