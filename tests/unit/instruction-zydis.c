/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The decoder against another one, Zydis: what both know must be the same instruction of the same
 * length with the same registers; what Zydis calls one of ours and ours does not must be odd.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <Zydis/Zydis.h>
#include "instruction.h"
#include "unit.h"

static const ZydisMnemonic mnemonics[INSN_COUNT] = {
	[INSN_CLI] = ZYDIS_MNEMONIC_CLI, [INSN_STI] = ZYDIS_MNEMONIC_STI,
	[INSN_HLT] = ZYDIS_MNEMONIC_HLT, [INSN_CLTS] = ZYDIS_MNEMONIC_CLTS,
	[INSN_LMSW] = ZYDIS_MNEMONIC_LMSW, [INSN_MOV_FROM_CR] = ZYDIS_MNEMONIC_MOV,
	[INSN_MOV_TO_CR] = ZYDIS_MNEMONIC_MOV, [INSN_MOV_FROM_DR] = ZYDIS_MNEMONIC_MOV,
	[INSN_MOV_TO_DR] = ZYDIS_MNEMONIC_MOV, [INSN_RDMSR] = ZYDIS_MNEMONIC_RDMSR,
	[INSN_WRMSR] = ZYDIS_MNEMONIC_WRMSR, [INSN_RDPMC] = ZYDIS_MNEMONIC_RDPMC,
	[INSN_XSETBV] = ZYDIS_MNEMONIC_XSETBV, [INSN_IN] = ZYDIS_MNEMONIC_IN,
	[INSN_OUT] = ZYDIS_MNEMONIC_OUT, [INSN_INVD] = ZYDIS_MNEMONIC_INVD,
	[INSN_WBINVD] = ZYDIS_MNEMONIC_WBINVD, [INSN_INVLPG] = ZYDIS_MNEMONIC_INVLPG,
	[INSN_INVPCID] = ZYDIS_MNEMONIC_INVPCID, [INSN_LGDT] = ZYDIS_MNEMONIC_LGDT,
	[INSN_LIDT] = ZYDIS_MNEMONIC_LIDT, [INSN_LLDT] = ZYDIS_MNEMONIC_LLDT,
	[INSN_LTR] = ZYDIS_MNEMONIC_LTR, [INSN_SWAPGS] = ZYDIS_MNEMONIC_SWAPGS,
	[INSN_SYSRET] = ZYDIS_MNEMONIC_SYSRET, [INSN_SYSEXIT] = ZYDIS_MNEMONIC_SYSEXIT,
};

struct other {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisDecoder decoder;
static struct random dice = { 2718281828 };

static void create(void)
{
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

TestSuite(zydis, .init = create);

static bool decode(const u8 *bytes, size_t count, struct other *other)
{
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, count, &other->insn,
						   other->operands));
}

static bool is_string_io(ZydisMnemonic mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_INSB || mnemonic == ZYDIS_MNEMONIC_INSD ||
	       mnemonic == ZYDIS_MNEMONIC_INSW || mnemonic == ZYDIS_MNEMONIC_OUTSB ||
	       mnemonic == ZYDIS_MNEMONIC_OUTSD || mnemonic == ZYDIS_MNEMONIC_OUTSW;
}

/* Number of a register within its kind: RBX 3, CR4 4. */
static unsigned int number(const ZydisDecodedOperand *operand)
{
	return (u8)ZydisRegisterGetId(operand->reg.value);
}

static bool is_special_move(const struct other *other)
{
	ZydisRegisterClass to, from;

	if (other->insn.mnemonic != ZYDIS_MNEMONIC_MOV ||
	    other->operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    other->operands[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	to = ZydisRegisterGetClass(other->operands[0].reg.value);
	from = ZydisRegisterGetClass(other->operands[1].reg.value);
	return to == ZYDIS_REGCLASS_CONTROL || to == ZYDIS_REGCLASS_DEBUG ||
	       from == ZYDIS_REGCLASS_CONTROL || from == ZYDIS_REGCLASS_DEBUG;
}

static const char *hex(const u8 *bytes)
{
	static char text[48];
	unsigned int i;

	for (i = 0; i < 15; i++)
		snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
	return text;
}

static void expect_same_registers(const struct instruction *ours, const struct other *other)
{
	bool reads = ours->id == INSN_MOV_FROM_CR || ours->id == INSN_MOV_FROM_DR;
	const ZydisDecodedOperand *special = &other->operands[reads ? 1 : 0];
	const ZydisDecodedOperand *general = &other->operands[reads ? 0 : 1];

	cr_assert_eq(ZydisRegisterGetClass(special->reg.value),
		     ours->id == INSN_MOV_FROM_CR || ours->id == INSN_MOV_TO_CR ?
			     ZYDIS_REGCLASS_CONTROL : ZYDIS_REGCLASS_DEBUG);
	cr_assert_eq(number(special), ours->reg);
	cr_assert_eq(number(general), ours->gpr);
}

static void expect_same_port(const u8 *bytes, const struct instruction *ours,
			     const struct other *other)
{
	const ZydisDecodedOperand *data = &other->operands[ours->id == INSN_IN ? 0 : 1];
	const ZydisDecodedOperand *port = &other->operands[ours->id == INSN_IN ? 1 : 0];

	cr_assert_eq(data->size, ours->size * 8u, "%s: %u bits", hex(bytes), data->size);
	cr_assert_eq(port->type == ZYDIS_OPERAND_TYPE_IMMEDIATE, ours->immediate_port);
	if (ours->immediate_port)
		cr_assert_eq(port->imm.value.u, ours->port);
}

static void expect_agreement(const u8 *bytes, const struct instruction *ours,
			     const struct other *other)
{
	ZydisMnemonic mnemonic = other->insn.mnemonic;

	cr_assert_eq(ours->length, other->insn.length, "%s: %s: %u bytes, not %u", hex(bytes),
		     instruction_names[ours->id], ours->length, other->insn.length);
	if (ours->id == INSN_INS || ours->id == INSN_OUTS)
		cr_assert(is_string_io(mnemonic), "%s", hex(bytes));
	else
		cr_assert_eq(mnemonic, mnemonics[ours->id], "%s: %s, not %s", hex(bytes),
			     instruction_names[ours->id], ZydisMnemonicGetString(mnemonic));
	if (mnemonic == ZYDIS_MNEMONIC_MOV)
		expect_same_registers(ours, other);
	if (ours->id == INSN_IN || ours->id == INSN_OUT)
		expect_same_port(bytes, ours, other);
}

static bool is_one_of_ours(const struct other *other)
{
	unsigned int i;

	if (is_special_move(other) || is_string_io(other->insn.mnemonic))
		return true;
	for (i = 1; i < INSN_COUNT; i++)
		if (mnemonics[i] == other->insn.mnemonic && i != INSN_MOV_FROM_CR &&
		    mnemonics[i] != ZYDIS_MNEMONIC_MOV)
			return true;
	return false;
}

/* Encodings that the decoder does not want: LOCK, and a REX prefix that another prefix follows. */
static bool is_odd(const struct other *other)
{
	unsigned int i;
	bool rex = false;

	for (i = 0; i < other->insn.raw.prefix_count; i++) {
		u8 value = other->insn.raw.prefixes[i].value;

		if (value == 0xf0 || rex)
			return true;
		rex = (value & 0xf0) == 0x40;
	}
	return false;
}

/* Returns whether both know it. */
static bool compare(const u8 *bytes)
{
	struct instruction ours;
	struct other other;
	bool known = instruction_decode(bytes, 15, &ours), legal = decode(bytes, 15, &other);

	/* What raises #UD is none of either's business: it never gets here. */
	if (known && legal)
		expect_agreement(bytes, &ours, &other);
	else if (legal && is_one_of_ours(&other) && !is_odd(&other))
		cr_assert_fail("%s is %s", hex(bytes),
			       ZydisMnemonicGetString(other.insn.mnemonic));
	return known && legal;
}

Test(zydis, every_opcode_and_modrm)
{
	static const u8 prefixes[][2] = { { 0x90 }, { 0x66 }, { 0x48 }, { 0x41 }, { 0x44 },
					  { 0x67 }, { 0xf2 }, { 0xf3 }, { 0x66, 0x4f } };
	unsigned int opcode, modrm, p, both = 0;
	u8 bytes[16];

	for (p = 0; p < ARRAY_SIZE(prefixes); p++)
		for (opcode = 0; opcode < 256; opcode++)
			for (modrm = 0; modrm < 256; modrm++) {
				unsigned int n = 0;

				memset(bytes, 0x24, sizeof(bytes));
				if (prefixes[p][0] != 0x90)
					bytes[n++] = prefixes[p][0];
				if (prefixes[p][1])
					bytes[n++] = prefixes[p][1];
				bytes[n] = opcode;
				bytes[n + 1] = modrm;
				both += compare(bytes);
				bytes[n] = 0x0f;
				bytes[n + 1] = opcode;
				bytes[n + 2] = modrm;
				both += compare(bytes);
			}
	cr_expect_gt(both, 30000, "%u", both);
}

Test(zydis, random_bytes)
{
	static const u8 starts[] = { 0x0f, 0x66, 0x48, 0x41, 0x44, 0xf3, 0x67, 0x2e, 0xe4, 0x6c };
	unsigned int round, i, both = 0;
	u8 bytes[16];

	for (round = 0; round < 3000000; round++) {
		for (i = 0; i < sizeof(bytes); i += 8) {
			u64 word = random_next(&dice);

			memcpy(bytes + i, &word, 8);
		}
		for (i = random_below(&dice, 5); i > 0; i--)
			bytes[i - 1] = starts[random_below(&dice, ARRAY_SIZE(starts))];
		both += compare(bytes);
	}
	cr_expect_gt(both, 50000, "%u", both);
}
