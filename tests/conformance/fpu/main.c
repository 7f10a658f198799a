/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The FPU: set_task_switched makes its next use raise #NM in both rings, set_xcr0 what XGETBV
 * reads and what AVX needs.
 *
 * Attack: another domain changes both all the time, and gets the processor in between.
 * Vulnerable: its setting stays: the FPU can be used, or state components are there, that this
 * vCPU has turned off.
 * Fixed: both belong to the vCPU.
 */
#include "conformance.h"

#define NM 7
#define UD 6

CODE(sse, "movq %rax, %xmm0\n movq %xmm0, %rcx");
CODE(avx, "vmovd %eax, %xmm1");

static uint64_t xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static struct guest_regs user(const uint8_t *code, size_t bytes)
{
	struct guest_regs regs = guest_user_regs(0);
	uint8_t *memory = guest_user_memory();

	memcpy(memory, code, bytes);
	memcpy(memory + bytes, "\x0f\x05", 2);
	guest_user_run(&regs, false);
	return regs;
}

static void expect(const char *what, const uint8_t *code, size_t bytes, uint64_t vector)
{
	struct guest_fault fault = guest_probe_code(code, bytes, 0);
	struct guest_regs regs = user(code, bytes);

	CHECK(fault.hit == (vector != GUEST_VECTOR_SYSCALL) &&
		      (!fault.hit || fault.vector == vector),
	      "%s in ring 1: hit %d, vector %lu", what, fault.hit, fault.vector);
	CHECK(regs.vector == vector, "%s in ring 3: vector %lu", what, regs.vector);
}

static void check_task_switched(void)
{
	torc_stts();
	expect("SSE with TS set", sse, CODE_BYTES(sse), NM);
	torc_yield();
	expect("SSE with TS set, later", sse, CODE_BYTES(sse), NM);
	torc_clts();
	expect("SSE", sse, CODE_BYTES(sse), GUEST_VECTOR_SYSCALL);
	torc_yield();
	expect("SSE, later", sse, CODE_BYTES(sse), GUEST_VECTOR_SYSCALL);
}

static void check_xcr0(void)
{
	uint64_t value;

	for (value = 1; value <= 7; value += 2) {
		if (value == 5 || (value & ~guest_start->xcr0))
			continue;
		expect_status("set_xcr0", torc_set_xcr0(value), TORC_OK);
		torc_yield();
		CHECK(xcr0() == value, "XCR0 is 0x%lx instead of 0x%lx", xcr0(), value);
		expect("AVX", avx, CODE_BYTES(avx), value == 7 ? GUEST_VECTOR_SYSCALL : UD);
	}
}

void test_main(void)
{
	uint64_t end = torc_clock_ns(TORC_CLOCK) + 500000000;

	if (!(guest_start->xcr0 & 2)) {
		verdict(VERDICT_SKIP, "no XSAVE on this machine");
		return;
	}
	while (torc_clock_ns(TORC_CLOCK) < end) {
		check_task_switched();
		check_xcr0();
	}
}
