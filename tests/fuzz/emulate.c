/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * libFuzzer: the emulator, on any code, registers and place of it. What it does not carry out
 * changes nothing; what it does moves RIP by the instruction's length; and all references add up.
 *
 * An input: which registers get which values (struct start), then the code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu.h"
#include "entry.h"
#include "instruction.h"
#include "world.h"
#include "doubles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE_PFN 77
#define CODE (LINEAR_BASE + (CODE_PFN << PAGE_SHIFT))
#define ROOT_PFN 30 /* one that may be loaded */

struct start {
	u8 offset[2]; /* of RIP in two pages */
	u8 choice[4]; /* RAX, RCX, RDX and RBX: from values[], or below 64 a power of two */
	u8 raw[4]; /* XORed into RAX */
	u8 stop;
} __packed;

static const u64 values[] = {
	0, ~0ull, 3, 7, 0x80050033, 0x8005003b, (u64)ROOT_PFN << PAGE_SHIFT,
	(u64)VCPU_PAGE_PFN << PAGE_SHIFT, (u64)WORLD_PAGES << PAGE_SHIFT, MSR_FS_BASE,
	MSR_LSTAR, LINEAR_BASE, TORC_VCPU_PAGE, 0x2000, 0x00007fff, 0x8000, 0x668, 0x40668,
};

static struct picture *picture;
static struct domain domain_before;

static void prepare(void)
{
	world_create_emulated();
	plain(ROOT_PFN, LINEAR_SLOT, entry_of(LINEAR_L3, TABLE));
	picture = picture_take();
	domain_before = *domain;
}

static u64 value(u8 choice)
{
	return choice < 64 ? 1ull << choice : values[choice % ARRAY_SIZE(values)];
}

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* CLTS is carried out by itself, by the processor, which a host refuses. */
static bool runs_clts(const u8 *code, size_t size)
{
	const u64 gpr[16] = { vcpu->regs->rax, vcpu->regs->rcx, vcpu->regs->rdx, vcpu->regs->rbx };
	struct instruction insn;

	return instruction_decode(code, size, &insn) &&
	       (insn.id == INSN_CLTS ||
		(insn.id == INSN_MOV_TO_CR && !insn.reg && !(gpr[insn.gpr] & CR0_TS)));
}

static void run(const struct start *start, u64 rip)
{
	struct regs before = *vcpu->regs;
	u32 used = domain->census_used;
	u64 moved;

	preempt_calls = 0;
	preempt_at = start->stop;
	if (!emulate(vcpu)) {
		require(!memcmp(&before, vcpu->regs, sizeof(before)), "registers have changed");
		require(domain->census_used == used, "it is counted");
	} else {
		moved = vcpu->regs->rip - rip;
		require(moved <= INSTRUCTION_MAX, "RIP is anywhere");
		require(moved == 0 || domain->census_used == used + 1, "it is not counted");
	}
	require(vcpu->regs->cs == before.cs && vcpu->regs->rflags == before.rflags,
		"segments or flags have changed");
	require(!audit(), "references");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct start start;
	u64 offset, rip;
	u32 raw;

	if (size < sizeof(start))
		return 0;
	memcpy(&start, data, sizeof(start));
	data += sizeof(start);
	size -= sizeof(start);
	if (!picture)
		prepare();
	picture_restore(picture);
	*domain = domain_before;
	memset(domain->census, 0, CENSUS_ENTRIES * sizeof(*domain->census));
	memcpy(&raw, start.raw, sizeof(raw));
	offset = (start.offset[0] | start.offset[1] << 8) % (2 * PAGE_SIZE);
	rip = CODE + offset;
	*vcpu->regs = (struct regs){
		.rax = value(start.choice[0]) ^ raw, .rcx = value(start.choice[1]),
		.rdx = value(start.choice[2]), .rbx = value(start.choice[3]),
		.cs = TORC_SEL_KERNEL_CS, .rip = rip, .vector = 13,
	};
	if (size > 2 * PAGE_SIZE - offset)
		size = 2 * PAGE_SIZE - offset;
	memcpy((u8 *)page_of(CODE_PFN) + offset, data, size);
	if (!runs_clts((u8 *)page_of(CODE_PFN) + offset, MIN(2 * PAGE_SIZE - offset, 15ul)))
		run(&start, rip);
	return 0;
}
