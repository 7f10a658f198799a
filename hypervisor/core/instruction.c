/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A decoder for just the instructions that fault in ring 1. Everything else, and everything
 * odd, is "not recognised", and the fault goes to the guest. Opcodes: Intel SDM 2, appendix A.
 */
#include "instruction.h"

#define NAME(id, ring1, ring3, name) [INSN_##id] = name,

const char *const instruction_names[INSN_COUNT] = {
	[INSN_NONE] = "?", TORC_INSTRUCTIONS(NAME)
};

/* The bytes not looked at yet. */
struct cursor {
	const u8 *bytes;
	size_t count;
	size_t at;
};

static int next(struct cursor *c)
{
	return c->at < c->count && c->at < INSTRUCTION_MAX ? c->bytes[c->at++] : -1;
}

struct prefixes {
	bool operand16;
	u8 rex;
};

static int skip_prefixes(struct cursor *c, struct prefixes *prefixes)
{
	int byte;

	*prefixes = (struct prefixes){ 0 };
	for (;;) {
		byte = next(c);
		switch (byte) {
		case 0x66:
			prefixes->operand16 = true;
			break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		case 0x67: case 0xf2: case 0xf3:
			break;
		default:
			if (byte < 0x40 || byte > 0x4f)
				return byte;
			/* REX counts only right before the opcode. */
			prefixes->rex = byte;
			return next(c);
		}
	}
}

/* Takes ModRM's address bytes off; returns ModRM or -1. */
static int skip_modrm(struct cursor *c)
{
	int modrm = next(c), base = modrm & 7, displacement;

	if (modrm < 0 || modrm >> 6 == 3)
		return modrm;
	if (base == 4)
		base = next(c); /* SIB */
	if (base < 0)
		return -1;
	displacement = (int[]){ 0, 1, 4 }[modrm >> 6];
	if ((base & 7) == 5 && modrm >> 6 == 0)
		displacement = 4;
	while (displacement-- > 0)
		if (next(c) < 0)
			return -1;
	return modrm;
}

/* By opcode: those without operands. */
static const u8 plain[256] = { [0xf4] = INSN_HLT, [0xfa] = INSN_CLI, [0xfb] = INSN_STI };

/* By opcode, behind 0f: those without operands, and moves of control and debug registers. */
static const u8 plain_0f[256] = {
	[0x06] = INSN_CLTS, [0x07] = INSN_SYSRET, [0x08] = INSN_INVD, [0x09] = INSN_WBINVD,
	[0x20] = INSN_MOV_FROM_CR, [0x21] = INSN_MOV_FROM_DR, [0x22] = INSN_MOV_TO_CR,
	[0x23] = INSN_MOV_TO_DR, [0x30] = INSN_WRMSR, [0x32] = INSN_RDMSR, [0x33] = INSN_RDPMC,
	[0x35] = INSN_SYSEXIT,
};

/* By the reg field of ModRM; of group 0f01 all but LMSW with an operand in memory only. */
static const u8 group_0f00[8] = { [2] = INSN_LLDT, [3] = INSN_LTR };
static const u8 group_0f01[8] = {
	[2] = INSN_LGDT, [3] = INSN_LIDT, [6] = INSN_LMSW, [7] = INSN_INVLPG
};

static enum instruction_id decode_group(int opcode, int modrm)
{
	unsigned int reg = modrm >> 3 & 7;

	if (modrm < 0)
		return INSN_NONE;
	if (opcode == 0x00)
		return group_0f00[reg];
	if (modrm == 0xd1)
		return INSN_XSETBV;
	if (modrm == 0xf8)
		return INSN_SWAPGS;
	return modrm >> 6 == 3 && reg != 6 ? INSN_NONE : group_0f01[reg];
}

static enum instruction_id decode_0f(struct cursor *c, const struct prefixes *prefixes,
				     struct instruction *insn)
{
	int opcode = next(c), modrm;

	switch (opcode) {
	case 0x00: case 0x01:
		return decode_group(opcode, skip_modrm(c));
	case 0x20 ... 0x23:
		modrm = next(c); /* mod is ignored: always registers */
		if (modrm < 0)
			return INSN_NONE;
		insn->reg = (modrm >> 3 & 7) | (prefixes->rex & 4) << 1;
		insn->gpr = (modrm & 7) | (prefixes->rex & 1) << 3;
		break;
	case 0x38:
		return next(c) == 0x82 && prefixes->operand16 && skip_modrm(c) >= 0 ? INSN_INVPCID :
										       INSN_NONE;
	}
	return opcode < 0 ? INSN_NONE : plain_0f[opcode];
}

static enum instruction_id decode_port(struct cursor *c, const struct prefixes *prefixes,
				       int opcode, struct instruction *insn)
{
	bool operand16 = prefixes->operand16 && !(prefixes->rex & 8); /* Intel SDM 2A 2.2.1.2 */
	int port;

	insn->size = !(opcode & 1) ? 1 : operand16 ? 2 : 4;
	if (opcode >= 0x6c && opcode <= 0x6f)
		return opcode < 0x6e ? INSN_INS : INSN_OUTS;
	if (!(opcode & 8)) {
		port = next(c);
		if (port < 0)
			return INSN_NONE;
		insn->immediate_port = true;
		insn->port = port;
	}
	return opcode & 2 ? INSN_OUT : INSN_IN;
}

bool instruction_decode(const u8 *bytes, size_t count, struct instruction *insn)
{
	struct cursor c = { bytes, count, 0 };
	struct prefixes prefixes;
	int opcode = skip_prefixes(&c, &prefixes);

	*insn = (struct instruction){ .id = INSN_NONE };
	switch (opcode) {
	case 0x0f:
		insn->id = decode_0f(&c, &prefixes, insn);
		break;
	case 0x6c ... 0x6f: case 0xe4 ... 0xe7: case 0xec ... 0xef:
		insn->id = decode_port(&c, &prefixes, opcode, insn);
		break;
	default:
		insn->id = opcode < 0 ? INSN_NONE : plain[opcode];
	}
	insn->length = c.at;
	return insn->id != INSN_NONE;
}
