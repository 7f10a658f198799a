/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Every privileged instruction, from ring 1 and from ring 3.
 *
 * Background: ring 1 is privileged for paging but not for instructions. Some of them the
 * hypervisor carries out on the vCPU's own state, and counts in the census; the others fault.
 * Vulnerable: the machine's state changes.
 * Fixed: lib/instructions.h says what happens to each; afterwards the vCPU works as before, and
 * nothing of ring 3 was ever emulated.
 */
#include "conformance.h"
#include "instructions.h"

enum outcome { RUNS, GP, UD, GP_UD, MAY_GP };

#define INSTRUCTION(name, code, in_ring1, in_ring3) CODE(code_##name, code);
INSTRUCTIONS
#undef INSTRUCTION

static const struct instruction {
	const char *name;
	const uint8_t *code, *end;
	enum outcome ring1, ring3;
} instructions[] = {
#define INSTRUCTION(name, code, in_ring1, in_ring3) \
	{ #name, code_##name, code_##name##_end, in_ring1, in_ring3 },
	INSTRUCTIONS
#undef INSTRUCTION
};

#define COUNT	(sizeof(instructions) / sizeof(instructions[0]))
#define SCRATCH 0x4000 /* in ring 3's memory */

static void judge(const char *name, const char *ring, enum outcome expected, bool faulted,
		  uint64_t vector)
{
	bool good;

	switch (expected) {
	case RUNS:
		good = !faulted;
		break;
	case GP:
		good = faulted && vector == 13;
		break;
	case UD:
		good = faulted && vector == 6;
		break;
	case GP_UD:
		good = faulted && (vector == 13 || vector == 6);
		break;
	default:
		good = !faulted || vector == 13;
	}
	if (faulted)
		CHECK(good, "%s in %s: vector %lu", name, ring, vector);
	else
		CHECK(good, "%s in %s: no fault", name, ring);
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
	judge(instruction->name, "ring 1", instruction->ring1, fault.hit, fault.vector);
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
	judge(instruction->name, "ring 3", instruction->ring3, regs.vector != GUEST_VECTOR_SYSCALL,
	      regs.vector);
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

/* row: unprivileged - CPUID, RDTSC, XGETBV run; what they say of the machine is no secret. */
CODE(harmless,
     "xor %eax, %eax\n xor %ecx, %ecx\n push %rbx\n cpuid\n pop %rbx\n rdtsc\n pushf\n popf");

static void check_harmless(void)
{
	CHECK(!guest_probe_code(harmless, CODE_BYTES(harmless), 0).hit, "cpuid or rdtsc faults");
}

/* Only ring 1 shows in the census, at the addresses where it really was. */
static void check_census(void)
{
	int64_t count;
	uint64_t index, address, total = 0;

	for (index = 0; (count = torc_census(index, &address)) >= 0; index++) {
		total += (uint64_t)count & 0xffffffff;
		CHECK(address >= GUEST_VIRT_OFFSET, "census: instruction %ld at 0x%lx", count >> 32,
		      address);
	}
	CHECK(count == TORC_ENOENT, "census ends by %ld", count);
	CHECK(total >= 15, "census: %lu instructions", total);
	printf("census: %lu sites, %lu instructions\n", index, total);
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
	check_harmless();
	check_census();
	CHECK(read_cr3() == guest_root, "CR3 reads as 0x%lx", read_cr3());
}
