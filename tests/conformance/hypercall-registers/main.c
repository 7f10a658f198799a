/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What a hypercall leaves in registers.
 *
 * Attack: calls of several kinds, refused ones too, with a pattern in every register, all of which
 * are read behind the call.
 * Vulnerable: one of them holds a word of the hypervisor's, or has lost the guest's.
 * Fixed: all but RAX, RDX, RCX and R11 are kept, and those have a result, an address in the
 * hypercall page, and flags.
 */
#include "conformance.h"

enum { RBX, RBP, RSI, RDI, R8, R9, R10, R12, R13, R14, R15, RCX, R11, RAX, RDX, VALUES };

static const char *const names[] = { "rbx", "rbp", "rsi", "rdi", "r8", "r9",
				     "r10", "r12", "r13", "r14", "r15" };

/* Calls with patterns in all registers; @values receives what comes back. */
void call_with_patterns(uint64_t *values, uint64_t entry, uint64_t number, uint64_t rdi);

__asm__(".pushsection .text\n"
	"call_with_patterns:\n"
	"	push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rdi\n"
	"	mov %rdx, %rax\n mov %rcx, %rdi\n"
	"	movabs $0xffff800000002000, %rcx\n add %rsi, %rcx\n"
	"	mov $0x2200, %ebx\n mov $0x2201, %ebp\n mov $0x2202, %esi\n mov $0x2204, %r8d\n"
	"	mov $0x2205, %r9d\n mov $0x2206, %r10d\n mov $0x2207, %r12d\n mov $0x2208, %r13d\n"
	"	mov $0x2209, %r14d\n mov $0x220a, %r15d\n mov $0x220b, %edx\n mov $0x220c, %r11d\n"
	"	call *%rcx\n"
	"	xchg %rdi, (%rsp)\n"
	"	mov %rbx, (%rdi)\n mov %rbp, 8(%rdi)\n mov %rsi, 16(%rdi)\n mov %r8, 32(%rdi)\n"
	"	mov %r9, 40(%rdi)\n mov %r10, 48(%rdi)\n mov %r12, 56(%rdi)\n mov %r13, 64(%rdi)\n"
	"	mov %r14, 72(%rdi)\n mov %r15, 80(%rdi)\n mov %rcx, 88(%rdi)\n mov %r11, 96(%rdi)\n"
	"	mov %rax, 104(%rdi)\n mov %rdx, 112(%rdi)\n"
	"	pop %rax\n mov %rax, 24(%rdi)\n"
	"	pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
	"	ret\n"
	".popsection\n");

static void check(const char *what, uint64_t entry, uint64_t number, uint64_t rdi)
{
	uint64_t values[VALUES], expected;
	uint32_t i;

	call_with_patterns(values, entry, number, rdi);
	for (i = RBX; i <= R15; i++) {
		expected = i == RDI ? rdi : 0x2200 + i;
		CHECK(values[i] == expected, "%s: %s is 0x%lx", what, names[i], values[i]);
	}
	CHECK(values[RCX] >= TORC_CALL_PAGE && values[RCX] < TORC_CALL_PAGE + 0x1000,
	      "%s: rcx is 0x%lx", what, values[RCX]);
	CHECK(values[R11] < 1UL << 22, "%s: r11 is 0x%lx", what, values[R11]);
	CHECK(values[RDX] == 0x220b || number == TORC_HC_GET_DEBUGREG || number == TORC_HC_CENSUS ||
		      number == TORC_HC_CONTROL,
	      "%s: rdx is 0x%lx", what, values[RDX]);
	if (entry != TORC_CALL_HYPERCALL)
		CHECK(values[RAX] == number, "%s: rax is 0x%lx", what, values[RAX]);
}

/* row: hypercall-leaks */
void test_main(void)
{
	check("version", TORC_CALL_HYPERCALL, TORC_HC_VERSION, 0);
	check("no such call", TORC_CALL_HYPERCALL, 0x1234, 0);
	check("yield", TORC_CALL_HYPERCALL, TORC_HC_YIELD, 0);
	check("set_timer", TORC_CALL_HYPERCALL, TORC_HC_SET_TIMER, 0);
	check("get_debugreg", TORC_CALL_HYPERCALL, TORC_HC_GET_DEBUGREG, 7);
	check("get_debugreg 99", TORC_CALL_HYPERCALL, TORC_HC_GET_DEBUGREG, 99);
	check("census", TORC_CALL_HYPERCALL, TORC_HC_CENSUS, 0);
	check("batch", TORC_CALL_HYPERCALL, TORC_HC_BATCH, 5000);
	check("console_notify", TORC_CALL_HYPERCALL, TORC_HC_CONSOLE_NOTIFY, 0);
	check("events", TORC_CALL_EVENTS, 0x3333, 0);
	torc_irq_off();
	check("flush", TORC_CALL_INVLPG, 0x3333, 0x5000);
}
