/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * hello: the smallest guest that uses each part of the shim once. docs/porting.md walks through it.
 */
#include "guest.h"

#define MILLISECOND 1000000UL

/* A program for ring 3: asks for the call number 42, and gets the answer in RAX. */
extern const uint8_t program[], program_end[];
__asm__(".pushsection .rodata\n"
	"program:\n"
	"	mov	$42, %eax\n"
	"	syscall\n"
	"	mov	%rax, %rdi\n"
	"	mov	$1, %eax\n"
	"	syscall\n"
	"program_end:\n"
	".popsection\n");

/* What the processor says: the low bits of CS are the ring that this code runs in. */
static uint32_t current_ring(void)
{
	uint32_t selector;

	__asm__ volatile("mov %%cs, %0" : "=r"(selector));
	return selector & 3;
}

static void greet(void)
{
	uint64_t wall = torc_clock_wall_ns(TORC_CLOCK) / (1000 * MILLISECOND);

	printf("hello from domain %u: %lu pages of memory, ABI %u.%u, ring %u\n",
	       guest_start->domain, guest_start->pages, guest_start->abi_version >> 16,
	       guest_start->abi_version & 0xffff, current_ring());
	printf("command line: %s\n",
	       guest_start->cmdline ? (const char *)guest_linear(guest_start->cmdline) : "(none)");
	printf("time: %lu s since 1970\n", wall);
}

/* Sleeps twice: the timer's event wakes the vCPU, and its handler has run by then. */
static void use_timer(void)
{
	uint64_t start = torc_clock_ns(TORC_CLOCK);
	uint32_t i;

	for (i = 0; i < 2; i++) {
		guest_sleep_ns(10 * MILLISECOND);
		printf("timer: %lu ms, fired %lu times\n",
		       (torc_clock_ns(TORC_CLOCK) - start) / MILLISECOND,
		       guest_event_count[TORC_PORT_TIMER]);
	}
}

/* Runs the program; every system call comes back here as the registers of ring 3. */
static void use_ring3(void)
{
	struct guest_regs regs = guest_user_code(program, (size_t)(program_end - program));

	while (regs.vector == GUEST_VECTOR_SYSCALL && regs.rax != 1) {
		printf("ring 3: system call %lu from 0x%lx, CS 0x%lx\n", regs.rax, regs.rip,
		       regs.cs);
		regs.rax *= 2;
		guest_user_run(&regs, true);
	}
	printf("ring 3: ended by vector 0x%lx with %lu\n", regs.vector, regs.rdi);
}

int main(void)
{
	greet();
	use_timer();
	use_ring3();
	printf("good bye\n");
	return 0;
}
