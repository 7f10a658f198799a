/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Every privileged and sensitive instruction, from ring 1 and from ring 3.
 *
 * Background: ring 1 is privileged for paging but not for instructions. Some of them the
 * hypervisor carries out on the vCPU's own state, and counts in the census; the others fault.
 * Attack: execute each of them, with operands that a guest may use and with others.
 * Vulnerable: the machine's state changes.
 * Fixed: abi/instructions.tbl says what happens to each; no row of it goes untried. Afterwards the
 * vCPU works as before, the census names what was emulated, and nothing of ring 3 ever was.
 */
#include "conformance.h"
#include "instructions.h"

/* As the table has them, by their names there. */
enum outcome { EMULATED, CHECKED, GP, UD, GP_UD, UMIP, RUNS, RUNS_UD, OPERAND, ENTERS };

static const struct row {
	const char *name;
	enum outcome ring1, ring3;
} rows[TORC_INSN_COUNT] = {
#define ROW(id, ring1, ring3, name) [TORC_INSN_##id] = { name, ring1, ring3 },
	TORC_INSTRUCTIONS(ROW)
#undef ROW
};

#define INSTRUCTION(name, row, code)	CODE(code_##name, code);
#define ALLOWED(name, row, code)	CODE(code_##name, code);
#define REFUSED(name, row, fault, code) CODE(code_##name, code);
INSTRUCTIONS
#undef INSTRUCTION
#undef ALLOWED
#undef REFUSED

static const struct instruction {
	const char *name;
	const uint8_t *code, *end;
	uint32_t row;
	enum outcome ring1, ring3;
} instructions[] = {
#define CASE(name, row, ring1, ring3) \
	{ #name, code_##name, code_##name##_end, TORC_INSN_##row, ring1, ring3 },
#define INSTRUCTION(name, row, code)	CASE(name, row, OPERAND, OPERAND)
#define ALLOWED(name, row, code)	CASE(name, row, RUNS, OPERAND)
#define REFUSED(name, row, fault, code) CASE(name, row, fault, fault)
	INSTRUCTIONS
#undef INSTRUCTION
#undef ALLOWED
#undef REFUSED
#undef CASE
};

#define COUNT	(sizeof(instructions) / sizeof(instructions[0]))
#define SCRATCH 0x4000 /* in ring 3's memory */

/* What must happen: what the case says, else (OPERAND) its row; an operand that is allowed runs. */
static enum outcome expected(enum outcome by_case, enum outcome by_row)
{
	if (by_case != OPERAND)
		return by_case;
	return by_row == OPERAND ? RUNS : by_row;
}

static bool is_right(enum outcome outcome, bool faulted, uint64_t vector)
{
	switch (outcome) {
	case EMULATED:
	case RUNS:
		return !faulted;
	case RUNS_UD:
		return !faulted || vector == 6;
	case UMIP:
		return !faulted || vector == 13;
	case GP:
		return faulted && vector == 13;
	case UD:
		return faulted && vector == 6;
	case GP_UD:
		return faulted && (vector == 13 || vector == 6);
	default:
		return false; /* the row needs a case that says more */
	}
}

static void judge(const char *name, const char *ring, enum outcome outcome, bool faulted,
		  uint64_t vector)
{
	bool right = is_right(outcome, faulted, vector);

	if (faulted)
		CHECK(right, "%s in %s: vector %lu", name, ring, vector);
	else
		CHECK(right, "%s in %s: no fault", name, ring);
}

/* An event soon, so that HLT ends. */
static void arm(void)
{
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 100000);
}

static void try_ring1(const struct instruction *instruction)
{
	struct guest_fault fault;

	arm();
	fault = guest_probe_code(instruction->code, (size_t)(instruction->end - instruction->code),
				 0);
	torc_irq_off();
	judge(instruction->name, "ring 1",
	      expected(instruction->ring1, rows[instruction->row].ring1), fault.hit, fault.vector);
}

static void try_ring3(const struct instruction *instruction)
{
	size_t bytes = (size_t)(instruction->end - instruction->code);
	struct guest_regs regs = guest_user_regs(0);
	uint8_t *memory = guest_user_memory();

	memcpy(memory, instruction->code, bytes);
	memcpy(memory + bytes, "\x0f\x05", 2);
	regs.rbx = GUEST_USER_BASE + SCRATCH;
	guest_user_run(&regs, false);
	judge(instruction->name, "ring 3",
	      expected(instruction->ring3, rows[instruction->row].ring3),
	      regs.vector != GUEST_VECTOR_SYSCALL, regs.vector);
}

/* row: popf - POPF leaves IF and IOPL alone and changes nothing else that matters. */
CODE(popf, "pushf\n pop %rdx\n mov %rdx, %rcx\n xor $0x3200, %rcx\n push %rcx\n popf\n"
	   "pushf\n pop %rcx\n push %rdx\n popf\n mov %rcx, (%rbx)");

static void check_popf(void)
{
	struct guest_fault fault = guest_probe_code(popf, CODE_BYTES(popf), 0);
	struct guest_regs regs = guest_user_regs(0);
	uint8_t *memory = guest_user_memory();
	uint64_t flags;

	CHECK(!fault.hit, "popf in ring 1: vector %lu", fault.vector);
	memcpy(memory, popf, CODE_BYTES(popf));
	memcpy(memory + CODE_BYTES(popf), "\x0f\x05", 2);
	regs.rbx = GUEST_USER_BASE + SCRATCH;
	guest_user_run(&regs, false);
	flags = *(uint64_t *)(memory + SCRATCH);
	CHECK((flags & 0x3200) == 0x200, "popf in ring 3: flags 0x%lx", flags);
}

/* Only ring 1 shows in the census, at the addresses where it really was. */
static void read_census(bool emulated[TORC_INSN_COUNT])
{
	int64_t count;
	uint64_t index, address, number;

	for (index = 0; (count = torc_census(index, &address)) >= 0; index++) {
		number = (uint64_t)count >> 32;
		CHECK(address >= GUEST_VIRT_OFFSET, "census: instruction %lu at 0x%lx", number,
		      address);
		CHECK(number >= 1 && number < TORC_INSN_COUNT, "census: number %lu", number);
		if (number < TORC_INSN_COUNT)
			emulated[number] = true;
	}
	CHECK(count == TORC_ENOENT, "census ends by %ld", count);
	printf("census: %lu sites\n", index);
}

/* Every row was tried, and the census has those that are emulated and no others. */
static void check_rows(void)
{
	bool emulated[TORC_INSN_COUNT] = { false }, tried[TORC_INSN_COUNT] = { false };
	const struct row *row;
	uint32_t i;

	read_census(emulated);
	for (i = 0; i < COUNT; i++)
		tried[instructions[i].row] = true;
	for (i = 1; i < TORC_INSN_COUNT; i++) {
		row = &rows[i];
		CHECK(tried[i] || row->ring1 == ENTERS, "%s: not tried", row->name);
		CHECK(emulated[i] || row->ring1 != EMULATED, "%s: not in the census", row->name);
		CHECK(!emulated[i] || row->ring1 == EMULATED || row->ring1 == CHECKED,
		      "%s: in the census", row->name);
	}
}

static uint64_t read_cr3(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

void test_main(void)
{
	uint64_t gs = torc_read_gs_base();
	uint32_t i;

	guest_user_memory();
	for (i = 0; i < COUNT; i++) {
		try_ring1(&instructions[i]);
		CHECK(torc_version() >= 0, "after %s: no hypercall works", instructions[i].name);
	}
	CHECK(torc_read_gs_base() == gs, "GS base changed to 0x%lx", torc_read_gs_base());
	for (i = 0; i < COUNT; i++)
		try_ring3(&instructions[i]);
	check_popf();
	check_rows();
	CHECK(read_cr3() == guest_root, "CR3 reads as 0x%lx", read_cr3());
}
