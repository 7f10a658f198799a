/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * RFLAGS.AC means in ring 3 what it means on hardware whose kernel has CR0.AM on: an access that is
 * not aligned raises #AC (Intel SDM 3A 6.15, interrupt 17). Ring 1 never gets one.
 *
 * QEMU's TCG does not check alignment, so this runs on Bochs.
 */
#include "conformance.h"

#define MISALIGNED "pushf\n orl $0x40000, (%rsp)\n popf\n mov -7(%rsp), %eax\n"
#define OFFSET	   9 /* of the access */

CODE(user, MISALIGNED "syscall");
CODE(kernel, MISALIGNED "pushf\n andl $~0x40000, (%rsp)\n popf");

void test_main(void)
{
	struct guest_regs regs = guest_user_code(user, CODE_BYTES(user));
	struct guest_fault fault;
	uint64_t cr0;

	CHECK(regs.vector == 17 && regs.error == 0, "ring 3: vector %lu error 0x%lx", regs.vector,
	      regs.error);
	CHECK(regs.rip == GUEST_USER_BASE + OFFSET, "ring 3: rip 0x%lx", regs.rip);
	CHECK(regs.rflags & 0x40000, "ring 3: flags 0x%lx", regs.rflags);

	fault = guest_probe_code(kernel, CODE_BYTES(kernel), 0);
	CHECK(!fault.hit, "ring 1: vector %lu", fault.vector);

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	CHECK(cr0 == TORC_CR0, "CR0 reads as 0x%lx", cr0);
}
