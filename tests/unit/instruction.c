/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The decoder of privileged instructions: a table of encodings, each also with every prefix, and
 * cut at each of its bytes.
 *
 * Attack: bytes of every kind, prefixes without end, instructions that end where nothing is mapped.
 * Vulnerable: the decoder reads past what there is, or takes one instruction for another.
 * Fixed: it looks at 15 bytes at most and at no more than there are.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "instruction.h"
#include "unit.h"

struct encoding {
	const char *bytes;
	u8 length;
	struct instruction want; /* its length is @length */
};

#define CODE(string) .bytes = string, .length = sizeof(string) - 1

static const struct encoding encodings[] = {
	{ CODE("\xfa"), { .id = INSN_CLI } },
	{ CODE("\xfb"), { .id = INSN_STI } },
	{ CODE("\xf4"), { .id = INSN_HLT } },
	{ CODE("\x0f\x06"), { .id = INSN_CLTS } },
	{ CODE("\x0f\x07"), { .id = INSN_SYSRET } },
	{ CODE("\x0f\x08"), { .id = INSN_INVD } },
	{ CODE("\x0f\x09"), { .id = INSN_WBINVD } },
	{ CODE("\x0f\x30"), { .id = INSN_WRMSR } },
	{ CODE("\x0f\x32"), { .id = INSN_RDMSR } },
	{ CODE("\x0f\x33"), { .id = INSN_RDPMC } },
	{ CODE("\x0f\x35"), { .id = INSN_SYSEXIT } },
	{ CODE("\x48\x0f\x07"), { .id = INSN_SYSRET } },
	{ CODE("\x0f\x01\xd1"), { .id = INSN_XSETBV } },
	{ CODE("\x0f\x01\xf8"), { .id = INSN_SWAPGS } },
	{ CODE("\x0f\x01\xf0"), { .id = INSN_LMSW } },			   /* lmsw %ax */
	{ CODE("\x0f\x01\x30"), { .id = INSN_LMSW } },			   /* lmsw (%rax) */
	{ CODE("\x0f\x01\x10"), { .id = INSN_LGDT } },			   /* lgdt (%rax) */
	{ CODE("\x0f\x01\x54\x24\x08"), { .id = INSN_LGDT } },		   /* lgdt 8(%rsp) */
	{ CODE("\x0f\x01\x1d\x11\x22\x33\x44"), { .id = INSN_LIDT } },	   /* lidt x(%rip) */
	{ CODE("\x0f\x01\x1c\x25\x11\x22\x33\x44"), { .id = INSN_LIDT } }, /* lidt x */
	{ CODE("\x41\x0f\x01\x5c\x24\x10"), { .id = INSN_LIDT } },	   /* lidt 16(%r12) */
	{ CODE("\x0f\x01\x38"), { .id = INSN_INVLPG } },		   /* invlpg (%rax) */
	{ CODE("\x0f\x01\xbc\xc8\x11\x22\x33\x44"), { .id = INSN_INVLPG } },
	{ CODE("\x0f\x01\x7d\x00"), { .id = INSN_INVLPG } },		     /* invlpg (%rbp) */
	{ CODE("\x0f\x01\x3c\x05\x11\x22\x33\x44"), { .id = INSN_INVLPG } }, /* no base */
	{ CODE("\x0f\x00\xd0"), { .id = INSN_LLDT } },			     /* lldt %ax */
	{ CODE("\x0f\x00\xd8"), { .id = INSN_LTR } },			     /* ltr %ax */
	{ CODE("\x0f\x00\x10"), { .id = INSN_LLDT } },
	{ CODE("\x0f\x00\x5c\x24\x08"), { .id = INSN_LTR } },
	{ CODE("\x66\x0f\x38\x82\x07"), { .id = INSN_INVPCID } }, /* invpcid (%rdi), %rax */
	{ CODE("\x66\x44\x0f\x38\x82\x44\x24\x08"), { .id = INSN_INVPCID } },
	{ CODE("\x0f\x20\xc0"), { .id = INSN_MOV_FROM_CR } },
	{ CODE("\x0f\x20\xd9"), { .id = INSN_MOV_FROM_CR, .reg = 3, .gpr = 1 } },
	{ CODE("\x44\x0f\x20\xc0"), { .id = INSN_MOV_FROM_CR, .reg = 8 } },
	{ CODE("\x41\x0f\x20\xd7"), { .id = INSN_MOV_FROM_CR, .reg = 2, .gpr = 15 } },
	{ CODE("\x4f\x0f\x20\xc4"), { .id = INSN_MOV_FROM_CR, .reg = 8, .gpr = 12 } },
	{ CODE("\x0f\x22\xe2"), { .id = INSN_MOV_TO_CR, .reg = 4, .gpr = 2 } },
	{ CODE("\x0f\x22\x1c"), { .id = INSN_MOV_TO_CR, .reg = 3, .gpr = 4 } }, /* mod ignored */
	{ CODE("\x0f\x22\x9c"), { .id = INSN_MOV_TO_CR, .reg = 3, .gpr = 4 } },
	{ CODE("\x41\x0f\x22\xd8"), { .id = INSN_MOV_TO_CR, .reg = 3, .gpr = 8 } },
	{ CODE("\x0f\x21\xff"), { .id = INSN_MOV_FROM_DR, .reg = 7, .gpr = 7 } },
	{ CODE("\x49\x0f\x21\xf5"), { .id = INSN_MOV_FROM_DR, .reg = 6, .gpr = 13 } },
	{ CODE("\x0f\x23\xc6"), { .id = INSN_MOV_TO_DR, .reg = 0, .gpr = 6 } },
	{ CODE("\xe4\x60"), { .id = INSN_IN, .size = 1, .immediate_port = true, .port = 0x60 } },
	{ CODE("\xe5\xff"), { .id = INSN_IN, .size = 4, .immediate_port = true, .port = 0xff } },
	{ CODE("\xe6\x80"), { .id = INSN_OUT, .size = 1, .immediate_port = true, .port = 0x80 } },
	{ CODE("\xe7\x01"), { .id = INSN_OUT, .size = 4, .immediate_port = true, .port = 1 } },
	{ CODE("\xec"), { .id = INSN_IN, .size = 1 } },
	{ CODE("\xed"), { .id = INSN_IN, .size = 4 } },
	{ CODE("\xee"), { .id = INSN_OUT, .size = 1 } },
	{ CODE("\xef"), { .id = INSN_OUT, .size = 4 } },
	{ CODE("\x66\xed"), { .id = INSN_IN, .size = 2 } },
	{ CODE("\x66\xef"), { .id = INSN_OUT, .size = 2 } },
	{ CODE("\x66\xe5\x10"), { .id = INSN_IN, .size = 2, .immediate_port = true, .port = 16 } },
	{ CODE("\x66\xec"), { .id = INSN_IN, .size = 1 } },
	{ CODE("\x66\x48\xed"), { .id = INSN_IN, .size = 4 } }, /* REX.W wins */
	{ CODE("\x6c"), { .id = INSN_INS, .size = 1 } },
	{ CODE("\x6d"), { .id = INSN_INS, .size = 4 } },
	{ CODE("\x6e"), { .id = INSN_OUTS, .size = 1 } },
	{ CODE("\x6f"), { .id = INSN_OUTS, .size = 4 } },
	{ CODE("\xf3\x66\x6d"), { .id = INSN_INS, .size = 2 } },
	{ CODE("\xf3\x48\x6f"), { .id = INSN_OUTS, .size = 4 } },
};

/* Not privileged, or not to be carried out: the fault is the guest's. */
static const struct encoding others[] = {
	{ CODE("\x90") },
	{ CODE("\xcc") },
	{ CODE("\xcf") },
	{ CODE("\x9d") },
	{ CODE("\xcd\x80") },
	{ CODE("\x0f\x05") },
	{ CODE("\x0f\x0b") },
	{ CODE("\x0f\x31") },
	{ CODE("\x0f\x34") },
	{ CODE("\x0f\xa2") },
	{ CODE("\x0f\x24\xc0") },
	{ CODE("\x0f\x26\xc0") },
	{ CODE("\x0f\x00\xc0") },
	/* sldt */ { CODE("\x0f\x00\xc8") }, /* str */
	{ CODE("\x0f\x00\xe0") },
	/* verr */ { CODE("\x0f\x01\x00") }, /* sgdt */
	{ CODE("\x0f\x01\x08") },
	/* sidt */ { CODE("\x0f\x01\xe0") }, /* smsw */
	{ CODE("\x0f\x01\xd0") },
	/* xgetbv */ { CODE("\x0f\x01\xf9") }, /* rdtscp */
	{ CODE("\x0f\x01\xca") },
	/* clac */ { CODE("\x0f\x01\xc1") }, /* vmcall */
	{ CODE("\x0f\x01\xd9") },
	/* vmmcall */ { CODE("\x0f\x01\xd8") }, /* vmrun */
	{ CODE("\x0f\x38\x82\x07") },
	/* invpcid without 66 */ { CODE("\xf0\xfa") }, /* lock cli */
	{ CODE("\x0f\x38\x80\x07") },
	/* invept */ { CODE("\xc5\xf8\x77") },
	{ CODE("\x8e\xd0") },
	{ CODE("\x48\x66\x0f\x20\xc0") },
	/* REX not before the opcode */ { CODE("\xea") },
};

/* Decodes @count bytes that stand right in front of forbidden memory. */
static bool decode(const u8 *bytes, size_t count, struct instruction *insn)
{
	u8 *copy = malloc(count ? count : 1);
	bool known;

	memcpy(copy, bytes, count);
	known = instruction_decode(count ? copy : copy + 1, count, insn);
	free(copy);
	return known;
}

static bool same(const struct instruction *a, const struct instruction *b)
{
	return a->id == b->id && a->length == b->length && a->reg == b->reg && a->gpr == b->gpr &&
	       a->size == b->size && a->immediate_port == b->immediate_port && a->port == b->port;
}

/* The table: complete, cut at each byte, and with more bytes behind. */
Test(instruction, table)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		struct instruction want = e->want, insn;
		u8 longer[32];
		size_t n;

		want.length = e->length;
		for (n = 0; n < e->length; n++)
			cr_expect_not(decode((const u8 *)e->bytes, n, &insn), "row %u, %zu bytes",
				      i, n);
		cr_expect(decode((const u8 *)e->bytes, e->length, &insn), "row %u", i);
		cr_expect(same(&insn, &want), "row %u: %s, length %u, reg %u, gpr %u, size %u", i,
			  instruction_names[insn.id], insn.length, insn.reg, insn.gpr, insn.size);
		memset(longer, 0xf0, sizeof(longer));
		memcpy(longer, e->bytes, e->length);
		cr_expect(decode(longer, 15, &insn) && same(&insn, &want), "row %u, longer", i);
	}
}

Test(instruction, others_are_left_alone)
{
	u8 bytes[15];
	struct instruction insn;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		memset(bytes, 0x90, sizeof(bytes));
		memcpy(bytes, others[i].bytes, others[i].length);
		cr_expect_not(decode(bytes, sizeof(bytes), &insn), "row %u is %s", i,
			      instruction_names[insn.id]);
	}
}

/* Segment, address-size and repeat prefixes change nothing but the length. */
Test(instruction, prefixes_that_change_nothing)
{
	static const u8 prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf2, 0xf3 };
	unsigned int i, p;

	for (i = 0; i < ARRAY_SIZE(encodings); i++)
		for (p = 0; p < ARRAY_SIZE(prefixes); p++) {
			struct instruction want = encodings[i].want, insn;
			u8 bytes[15] = { prefixes[p], prefixes[p] };

			memcpy(bytes + 2, encodings[i].bytes, encodings[i].length);
			want.length = encodings[i].length + 2;
			cr_expect(decode(bytes, want.length, &insn) && same(&insn, &want),
				  "row %u prefix %02x", i, prefixes[p]);
		}
}

/* Intel SDM 2A 2.3.11: more than 15 bytes are no instruction. */
Test(instruction, fifteen_bytes_are_the_limit)
{
	u8 bytes[32];
	struct instruction insn;

	memset(bytes, 0x3e, sizeof(bytes));
	bytes[14] = 0xfa;
	cr_expect(decode(bytes, 15, &insn));
	cr_expect_eq(insn.length, 15);
	bytes[14] = 0x3e;
	bytes[15] = 0xfa;
	cr_expect_not(decode(bytes, 16, &insn));
	cr_expect_not(decode(bytes, 32, &insn));
}

Test(instruction, every_instruction_has_a_name)
{
	unsigned int i;

	for (i = 0; i < INSN_COUNT; i++)
		cr_expect(instruction_names[i] && instruction_names[i][0], "%u", i);
}

Test(instruction, random_bytes_do_no_harm)
{
	struct random dice = { 99 };
	unsigned int round, known = 0;
	u8 bytes[16], i;

	for (round = 0; round < 300000; round++) {
		size_t count = random_below(&dice, sizeof(bytes) + 1);
		struct instruction insn;

		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = random_next(&dice) >> 20;
		if (random_once_in(&dice, 2))
			bytes[0] = 0x0f;
		if (!decode(bytes, count, &insn))
			continue;
		known++;
		cr_assert(insn.id > INSN_NONE && insn.id < INSN_COUNT);
		cr_assert(insn.length >= 1 && insn.length <= count && insn.length <= 15);
		cr_assert(insn.reg < 16 && insn.gpr < 16);
		/* Fewer bytes than it says it has are not enough; its own bytes are. */
		cr_assert(decode(bytes, insn.length, &insn));
		cr_assert_not(decode(bytes, insn.length - 1u, &insn));
	}
	cr_expect_gt(known, 5000, "%u", known);
}
