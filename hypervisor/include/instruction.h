/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Decoding of the privileged and sensitive instructions that a guest kernel may have left.
 */
#ifndef TORC_INSTRUCTION_H
#define TORC_INSTRUCTION_H

#include "types.h"

#define INSTRUCTION_MAX 15 /* bytes; Intel SDM 2A 2.3.11 */

/* Numbers that the census reports; docs/abi.md lists them. */
enum instruction_id {
	INSN_NONE,
	INSN_CLI, INSN_STI, INSN_HLT, INSN_CLTS, INSN_LMSW,
	INSN_MOV_FROM_CR, INSN_MOV_TO_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_DR,
	INSN_RDMSR, INSN_WRMSR, INSN_RDPMC, INSN_XSETBV,
	INSN_IN, INSN_OUT, INSN_INS, INSN_OUTS,
	INSN_INVD, INSN_WBINVD, INSN_INVLPG, INSN_INVPCID,
	INSN_LGDT, INSN_LIDT, INSN_LLDT, INSN_LTR, INSN_SWAPGS, INSN_SYSRET, INSN_SYSEXIT,
	INSN_COUNT
};

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
