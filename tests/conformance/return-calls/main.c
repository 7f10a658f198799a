/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The return calls: what they accept, and what they refuse without a change.
 *
 * Background: the frame of a return stands in memory that the guest can write, and the gate loads
 * it into the processor in ring 0.
 * Attack: addresses that are not canonical (SYSRET and IRETQ would fault in ring 0,
 * CVE-2012-0217's mistake), selectors of ring 0 or of nothing, flags that change the interrupt
 * flag or I/O level.
 * Vulnerable: a fault in ring 0 on the guest's stack, ring 3 code at a lower ring.
 * Fixed: the call comes back with the vector in R11 and nothing else has changed; RPL is made 3
 * and flags are filtered.
 */
#include "conformance.h"

#define FLAGS_FORBIDDEN 0x1a3000UL /* IOPL VM VIF VIP */

CODE(report, "pushf\n pop %rbx\n mov %cs, %ecx\n mov %ss, %edx\n syscall");
CODE(report32, ".code32\n mov %cs, %ecx\n mov %ss, %edx\n int $0x80\n .code64");

static struct guest_regs start_at(uint64_t rip)
{
	struct guest_regs regs = guest_user_regs(0);

	memcpy(guest_user_memory(), report, CODE_BYTES(report));
	regs.rip = rip;
	return regs;
}

/* A refusal leaves irq_on 0, GS base and stack as they were, and names #GP, #SS or #NP. */
static void expect_refusal(const char *what, struct guest_regs *regs, bool by_syscall)
{
	uint64_t gs = torc_read_gs_base();

	guest_user_run(regs, by_syscall);
	CHECK(regs->vector == GUEST_VECTOR_REFUSED, "%s: not refused, vector %lu", what,
	      regs->vector);
	if (regs->vector == GUEST_VECTOR_REFUSED)
		CHECK(regs->error >= 10 && regs->error <= 14, "%s: refused by vector %lu", what,
		      regs->error);
	CHECK(torc_read_gs_base() == gs, "%s: GS base changed", what);
	CHECK(TORC_SHIM_VCPU->irq_on == 0, "%s: virtual interrupts on after a refusal", what);
}

/* row: rip-returns, row: bases */
static void check_addresses(void)
{
	static const uint64_t bad[] = { 0x0000800000000000, 0x00ffffffffffffff, 0x8000000000000000,
					0xfffe000000000000, 0xffff7fffffffffff };
	struct guest_regs regs;
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		regs = start_at(bad[i]);
		expect_refusal("rip not canonical, general", &regs, false);
		regs = start_at(bad[i]);
		expect_refusal("rip not canonical, system call", &regs, true);
		regs = start_at(GUEST_USER_BASE);
		torc_set_user_gs(bad[i]);
		expect_refusal("GS base not canonical, general", &regs, false);
		regs = start_at(GUEST_USER_BASE);
		expect_refusal("GS base not canonical, system call", &regs, true);
		torc_set_user_gs(0);
	}
	/* Canonical but the kernel's: ring 3 faults there, by the general form. */
	regs = start_at(GUEST_VIRT_OFFSET + 0x100000);
	guest_user_run(&regs, false);
	CHECK(regs.vector == 14 && (regs.error & 5) == 5, "kernel rip: vector %lu error 0x%lx",
	      regs.vector, regs.error);
	regs = start_at(TORC_CALL_PAGE);
	guest_user_run(&regs, false);
	CHECK(regs.vector == 14, "hypercall page from ring 3: vector %lu", regs.vector);
	/* SYSRET to a negative address is refused altogether: nothing of ring 3 is there. */
	regs = start_at(GUEST_VIRT_OFFSET + 0x100000);
	guest_user_run(&regs, true);
	CHECK(regs.vector == GUEST_VECTOR_REFUSED || regs.vector == 14, "kernel rip by SYSRET: %lu",
	      regs.vector);
}

/* row: rsp-not-canonical - any RSP is taken. */
static void check_rsp(void)
{
	static const uint64_t values[] = { 0, 0x0000800000000000, 0xffff800000008000, ~0UL };
	struct guest_regs regs;
	uint32_t i;

	memcpy(guest_user_memory(), "\x0f\x05", 2);
	for (i = 0; i < 2 * sizeof(values) / sizeof(values[0]); i++) {
		regs = guest_user_regs(0);
		regs.rsp = values[i / 2];
		guest_user_run(&regs, i & 1);
		CHECK(regs.vector == GUEST_VECTOR_SYSCALL && regs.rsp == values[i / 2],
		      "rsp 0x%lx: vector %lu, rsp 0x%lx", values[i / 2], regs.vector, regs.rsp);
	}
}

/* row: return-selectors - every selector but the kernel's CS ends in ring 3 or is refused. */
static void check_selectors(void)
{
	struct guest_regs regs;
	uint64_t selector;

	for (selector = 0; selector < 0x100; selector++) {
		if (selector == TORC_SEL_KERNEL_CS)
			continue;
		regs = start_at(GUEST_USER_BASE);
		if ((selector | 3) == TORC_SEL_USER_CS32)
			memcpy(guest_user_memory(), report32, CODE_BYTES(report32));
		regs.cs = selector;
		guest_user_run(&regs, false);
		if (regs.vector == GUEST_VECTOR_REFUSED) {
			CHECK((selector | 3) != TORC_SEL_USER_CS &&
				      (selector | 3) != TORC_SEL_USER_CS32,
			      "CS 0x%lx refused", selector);
			continue;
		}
		CHECK((regs.rcx & 3) == 3 || regs.vector == GUEST_VECTOR_SYSCALL,
		      "CS 0x%lx ran as 0x%lx", selector, regs.rcx);
		CHECK(regs.cs == (selector | 3), "CS 0x%lx came back as 0x%lx", selector, regs.cs);
	}
	for (selector = 0; selector < 0x100; selector++) {
		regs = start_at(GUEST_USER_BASE);
		regs.ss = selector;
		guest_user_run(&regs, false);
		if (regs.vector == GUEST_VECTOR_REFUSED)
			CHECK((selector | 3) != TORC_SEL_USER_SS, "SS 0x%lx refused", selector);
		else
			CHECK((regs.rdx & 3) == 3 && (regs.rdx & ~3UL) == (selector & ~3UL),
			      "SS 0x%lx ran as 0x%lx", selector, regs.rdx);
	}
}

/* row: return-flags - flags come out filtered, whatever is asked for. */
static void check_flags(void)
{
	uint64_t flags;
	struct guest_regs regs;
	uint32_t bit, form;

	for (bit = 0; bit < 64; bit++) {
		if (bit == 8) /* TF: a trap after the first instruction */
			continue;
		for (form = 0; form < 2; form++) {
			regs = start_at(GUEST_USER_BASE);
			regs.rflags = 1UL << bit;
			guest_user_run(&regs, form);
			flags = regs.rbx;
			CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "flag %u: vector %lu", bit,
			      regs.vector);
			CHECK(!(flags & FLAGS_FORBIDDEN), "flag %u: flags 0x%lx", bit, flags);
			CHECK(flags & GUEST_FLAG_IF, "flag %u: interrupts off", bit);
			CHECK(!(flags >> 22), "flag %u: reserved flags 0x%lx", bit, flags);
		}
	}
	regs = start_at(GUEST_USER_BASE);
	regs.rflags = 0x100;
	guest_user_run(&regs, false);
	CHECK(regs.vector == 1 && regs.rip == GUEST_USER_BASE + 1, "TF: vector %lu at 0x%lx",
	      regs.vector, regs.rip);
}

/* To ring 1 with virtual interrupts on: registers, flags and stack as asked for, irq_on set. */
static void check_ring1(void)
{
	uint64_t rcx, r11, flags, on, rsp, target_rsp;

	__asm__ volatile(
		"mov	%%rsp, %[target]\n\t"
		"sub	$64, %[target]\n\t"
		"lea	1f(%%rip), %%rax\n\t"
		"mov	%%rax, %c[rip](%[page])\n\t"
		"movq	%[cs], %c[cs_at](%[page])\n\t"
		"movq	$0x4200cd7, %c[rflags](%[page])\n\t"
		"mov	%[target], %c[rsp_at](%[page])\n\t"
		"movq	$0x1111, %c[rcx_at](%[page])\n\t"
		"movq	$0x2222, %c[r11_at](%[page])\n\t"
		"mov	%[call], %%rcx\n\t"
		"mov	%%rsp, %%rbx\n\t"
		"call	*%%rcx\n\t"
		"ud2\n"
		"1:	mov	%%rsp, %%rax\n\t"
		"mov	%%rbx, %%rsp\n\t"
		"pushf\n\t"
		"pop	%%rdx\n\t"
		"cld\n\t"
		"mov	%%r11, %%rsi\n\t"
		"movzbl (%[page]), %%edi"
		: "=&a"(rsp), "=&c"(rcx), "=&d"(flags), "=&S"(r11),
		  "=&D"(on), [target] "=&r"(target_rsp)
		: [page] "r"(TORC_VCPU_PAGE), [call] "r"(TORC_CALL_PAGE + TORC_CALL_RETURN),
		  [cs] "i"(TORC_SEL_KERNEL_CS), [rip] "i"(TORC_VCPU_RET + TORC_RET_RIP),
		  [cs_at] "i"(TORC_VCPU_RET + TORC_RET_CS),
		  [rflags] "i"(TORC_VCPU_RET + TORC_RET_RFLAGS),
		  [rsp_at] "i"(TORC_VCPU_RET + TORC_RET_RSP),
		  [rcx_at] "i"(TORC_VCPU_RET + TORC_RET_RCX),
		  [r11_at] "i"(TORC_VCPU_RET + TORC_RET_R11)
		: "rbx", "r11", "memory", "cc");
	torc_irq_off();
	CHECK(rcx == 0x1111 && r11 == 0x2222, "ring 1: rcx 0x%lx r11 0x%lx", rcx, r11);
	CHECK(rsp == target_rsp, "ring 1: rsp 0x%lx instead of 0x%lx", rsp, target_rsp);
	CHECK((flags & 0x200cd5) == 0x200cd5 && !(flags & FLAGS_FORBIDDEN), "ring 1: flags 0x%lx",
	      flags);
	CHECK(on == 1, "ring 1: irq_on %lu", on);
}

void test_main(void)
{
	check_addresses();
	check_rsp();
	check_selectors();
	check_flags();
	check_ring1();
}
