/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A vCPU that is interrupted and goes on later finds everything as it was: general, XMM, segment
 * and debug registers, bases, flags. Two domains do this to each other, each with values of its
 * own.
 */
#include "conformance.h"

#define SECONDS 2
#define TURNS "200000"
#define WRITES_8 0x99990455UL /* all four breakpoints: writes, 8 bytes */

static uint64_t general[14], vectors[32];
static uint32_t seed;
static volatile uint64_t watched[2][4]; /* each domain has breakpoints on its own words */
static volatile uint64_t hits;

/* Loads all registers from a seed, spins, stores them. RDI: general, RSI: vectors, RDX: seed. */
void spin_with_registers(uint64_t *general, uint64_t *vectors, uint64_t seed);

__asm__(".pushsection .text\n"
	"spin_with_registers:\n"
	"	push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"	push %rdi\n push %rsi\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	lea \\n(%rdx), %rax\n movq %rax, %xmm\\n\n punpcklqdq %xmm\\n, %xmm\\n\n"
	"	.endr\n"
	"	lea 0x101(%rdx), %rax\n lea 0x102(%rdx), %rbx\n lea 0x103(%rdx), %rbp\n"
	"	lea 0x104(%rdx), %rsi\n lea 0x105(%rdx), %rdi\n lea 0x106(%rdx), %r8\n"
	"	lea 0x107(%rdx), %r9\n lea 0x108(%rdx), %r10\n lea 0x109(%rdx), %r11\n"
	"	lea 0x10a(%rdx), %r12\n lea 0x10b(%rdx), %r13\n lea 0x10c(%rdx), %r14\n"
	"	lea 0x10d(%rdx), %r15\n"
	"	mov $" TURNS ", %ecx\n"
	"1:	dec %ecx\n jnz 1b\n"
	"	mov %rdi, %rcx\n mov %rsi, %rdx\n pop %rsi\n pop %rdi\n"
	"	mov %rax, (%rdi)\n mov %rbx, 8(%rdi)\n mov %rbp, 16(%rdi)\n mov %rdx, 24(%rdi)\n"
	"	mov %rcx, 32(%rdi)\n mov %r8, 40(%rdi)\n mov %r9, 48(%rdi)\n mov %r10, 56(%rdi)\n"
	"	mov %r11, 64(%rdi)\n mov %r12, 72(%rdi)\n mov %r13, 80(%rdi)\n mov %r14, 88(%rdi)\n"
	"	mov %r15, 96(%rdi)\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu %xmm\\n, 16*\\n(%rsi)\n"
	"	.endr\n"
	"	pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
	"	ret\n"
	".popsection\n");

static bool breakpoint(struct guest_regs *regs)
{
	uint64_t status;

	if (regs->vector != 1)
		return false;
	torc_get_debugreg(6, &status);
	torc_set_debugreg(6, 0);
	hits |= status & 0xf;
	return true;
}

/* The debug registers that count are the processor's, not those the hypervisor remembers. */
static bool check_breakpoints(void)
{
	uint32_t own = seed >> 16 & 1, i;

	for (i = 0; i < 4; i++) {
		hits = 0;
		watched[own][i]++;
		CHECK(hits == 1U << i, "breakpoint %u: DR6 says 0x%lx", i, hits);
		watched[!own][i]++;
		CHECK(hits == 1U << i, "breakpoint %u of the other domain hit", i);
	}
	return hits == 8;
}

/* row: processor-state */
static bool round(void)
{
	uint64_t value;
	uint32_t i;

	spin_with_registers(general, vectors, seed);
	for (i = 0; i < 13; i++) {
		if (general[i] == seed + 0x101 + i)
			continue;
		FAILURE("register %u is 0x%lx", i, general[i]);
		return false;
	}
	for (i = 0; i < 32; i++) {
		if (vectors[i] == seed + i / 2)
			continue;
		FAILURE("xmm%u is 0x%lx", i / 2, vectors[i]);
		return false;
	}
	__asm__ volatile("mov %%ds, %0" : "=r"(value));
	CHECK((uint16_t)value == (seed & 0x10000 ? TORC_SEL_USER_SS : 0), "DS is 0x%lx", value);
	CHECK(torc_read_fs_base() == seed * 0x1000UL, "FS base 0x%lx", torc_read_fs_base());
	return check_breakpoints();
}

void test_main(void)
{
	uint64_t end = torc_clock_ns(TORC_CLOCK) + SECONDS * 1000000000UL, rounds = 0;
	const volatile struct torc_vcpu_page *page = TORC_SHIM_VCPU;
	uint32_t i;

	seed = guest_start->domain << 16;
	__asm__ volatile("mov %0, %%ds" : : "r"(seed & 0x10000 ? TORC_SEL_USER_SS : 0));
	torc_write_fs_base(seed * 0x1000UL);
	guest_trap_hook = breakpoint;
	for (i = 0; i < 4; i++)
		REQUIRE(torc_set_debugreg(i, (uint64_t)&watched[seed >> 16 & 1][i]) == TORC_OK,
			"cannot set DR%u", i);
	REQUIRE(torc_set_debugreg(7, WRITES_8) == TORC_OK, "cannot set DR7");
	while (torc_clock_ns(TORC_CLOCK) < end && round())
		rounds++;
	CHECK(page->steal_ns > 0, "never preempted");
	printf("%lu rounds, ran %lu ms, waited %lu ms\n", rounds, page->run_ns / 1000000,
	       page->steal_ns / 1000000);
}
