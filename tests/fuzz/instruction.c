/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * libFuzzer: the instruction decoder on any bytes. It says the same of an instruction with and
 * without what stands behind it, and nothing of one that is cut.
 *
 * Attack: any bytes as an instruction.
 * Vulnerable: the decoder reads past them, or says something else of the same bytes.
 * Fixed: it depends on the instruction's own bytes alone.
 */
#include <stdlib.h>
#include <string.h>
#include "instruction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct instruction insn, again;
	size_t n;

	if (!instruction_decode(data, size, &insn))
		return 0;
	require(insn.id > INSN_NONE && insn.id < INSN_COUNT);
	require(insn.length >= 1 && insn.length <= size && insn.length <= INSTRUCTION_MAX);
	require(insn.reg < 16 && insn.gpr < 16);
	for (n = 0; n <= insn.length; n++) {
		u8 *copy = malloc(n ? n : 1);

		memcpy(copy, data, n);
		require(instruction_decode(copy, n, &again) == (n == insn.length));
		free(copy);
	}
	require(again.id == insn.id && again.length == insn.length && again.reg == insn.reg &&
		again.gpr == insn.gpr && again.size == insn.size && again.port == insn.port);
	return 0;
}
