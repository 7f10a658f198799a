/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Decoding of the privileged and sensitive instructions that a guest kernel may have left.
 */
#ifndef TORC_INSTRUCTION_H
#define TORC_INSTRUCTION_H

#include <torc/instructions.h>
#include "types.h"

#define INSTRUCTION_MAX 15 /* bytes; Intel SDM 2A 2.3.11 */

#define INSTRUCTION_ID(id, ring1, ring3, name) INSN_##id = TORC_INSN_##id,

/* Numbers that the census reports: those of abi/instructions.tbl. */
enum instruction_id { INSN_NONE, TORC_INSTRUCTIONS(INSTRUCTION_ID) INSN_COUNT = TORC_INSN_COUNT };

/**
 * struct instruction - what instruction_decode() found
 * @length: bytes
 * @reg: control or debug register number
 * @gpr: general register operand, 0..15, of moves to and from CR and DR
 * @size: operand bytes of IN and OUT: 1, 2 or 4
 * @immediate_port: IN and OUT with @port in the instruction, else in DX
 */
struct instruction {
	enum instruction_id id;
	u8 length;
	u8 reg;
	u8 gpr;
	u8 size;
	bool immediate_port;
	u8 port;
};

/**
 * instruction_decode - recognises a privileged instruction in 64-bit code
 * @bytes: @count: what could be read at its address
 * Return: false when it is none of the list, or not complete.
 */
bool instruction_decode(const u8 *bytes, size_t count, struct instruction *insn);

extern const char *const instruction_names[INSN_COUNT];

#endif
