/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A system call and its return keep every register but RCX and R11, in both directions, by both
 * forms of the return call; the general form keeps those two as well. Arithmetic flags and DF, AC,
 * ID survive; a value in a register of one ring never shows up in another register.
 */
#include "conformance.h"

#define PATTERN(n) (0x0101010101010101UL * (n) ^ 0x8000000000000000UL)
#define FLAGS_KEPT 0x240cd5UL /* ID AC OF DF SF ZF AF PF CF */

/* Calls, and calls again with whatever came back: the kernel sees both states. */
CODE(twice, "syscall\n syscall\n ud2");

static void fill(struct guest_regs *regs, uint64_t seed)
{
	uint64_t *value = &regs->r15;
	uint32_t i;

	for (i = 0; i < 15; i++)
		value[i] = PATTERN(seed + i);
}

static const char *const names[] = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10",
				     "r9",  "r8",  "rax", "rcx", "rdx", "rsi", "rdi" };

static void compare(const char *where, const struct guest_regs *found, uint64_t seed, bool dead)
{
	const uint64_t *value = &found->r15;
	uint32_t i;

	for (i = 0; i < 15; i++) {
		if (dead && (i == 6 || i == 11)) /* r11 and rcx: destroyed by SYSCALL itself */
			continue;
		CHECK(value[i] == PATTERN(seed + i), "%s: %s is 0x%lx instead of 0x%lx", where,
		      names[i], value[i], PATTERN(seed + i));
	}
}

static void round_trip(bool by_syscall, uint64_t flags)
{
	struct guest_regs regs = guest_user_regs(0);
	uint64_t gs = 0x7fff12345678;

	memcpy(guest_user_memory(), twice, CODE_BYTES(twice));
	fill(&regs, 1);
	regs.rflags = flags | GUEST_FLAG_IF | 2;
	regs.rsp = 0xfedcba9876543210; /* any value: nothing is pushed there */
	torc_set_user_gs(gs);
	guest_user_run(&regs, by_syscall);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "vector %lu", regs.vector);
	CHECK(regs.rip == GUEST_USER_BASE + 2, "rip 0x%lx", regs.rip);
	CHECK(regs.rsp == 0xfedcba9876543210, "rsp 0x%lx", regs.rsp);
	CHECK((regs.rflags & FLAGS_KEPT) == flags, "flags 0x%lx instead of 0x%lx", regs.rflags,
	      flags);
	CHECK(torc_user_gs() == gs, "user GS base 0x%lx", torc_user_gs());
	compare("into the kernel", &regs, 1, true);

	fill(&regs, 77);
	guest_user_run(&regs, by_syscall);
	compare("through ring 3", &regs, 77, true);
	CHECK(regs.rip == GUEST_USER_BASE + 4, "rip 0x%lx", regs.rip);
	CHECK((regs.rflags & FLAGS_KEPT) == flags, "flags 0x%lx instead of 0x%lx", regs.rflags,
	      flags);

	fill(&regs, 99);
	guest_user_run(&regs, by_syscall);
	CHECK(regs.vector == 6, "vector %lu instead of #UD", regs.vector);
	compare("to an exception", &regs, 99, by_syscall);
}

void test_main(void)
{
	uint64_t fs = 0x123456789000;
	uint32_t i;

	torc_write_fs_base(fs);
	for (i = 0; i < 64; i++) {
		round_trip(i & 1, FLAGS_KEPT & 0x5555555555555555UL);
		round_trip(i & 1, FLAGS_KEPT & ~0x5555555555555555UL);
		round_trip(i & 1, 0);
	}
	CHECK(torc_read_fs_base() == fs, "FS base 0x%lx", torc_read_fs_base());
}
