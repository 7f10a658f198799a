/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * IRET with a 32-bit operand and VM set does not enter virtual-8086 mode, which long mode does not
 * have.
 *
 * Attack: IRETD with flags that have VM and IOPL 3, from ring 1, from ring 3 and from ring 3's
 * compatibility mode.
 * Vulnerable: code runs with I/O rights.
 * Fixed: a fault, or VM is ignored.
 */
#include "conformance.h"

/* row: vm86 */
CODE(iretd,
     "sub $40, %rsp\n movl $0x400100, (%rsp)\n movl $0x33, 4(%rsp)\n movl $0x23202, 8(%rsp)\n"
     "movl $0x407000, 12(%rsp)\n movl $0x2b, 16(%rsp)\n iretl");
CODE(after, "pushf\n pop %rax\n syscall");
CODE(iretd_ring1,
     "sub $40, %rsp\n movl $0x1000, (%rsp)\n movl $0x19, 4(%rsp)\n movl $0x23202, 8(%rsp)\n"
     "movl $0x7000, 12(%rsp)\n movl $0x39, 16(%rsp)\n iretl");
CODE(iretd32, ".code32\n push $0\n push $0\n push $0\n push $0\n push $0x2b\n push $0x407000\n"
	      "push $0x23202\n push $0x23\n push $0x400100\n iret\n .code64");
CODE(after32, ".code32\n pushf\n pop %eax\n int $0x80\n .code64");

static void check_ring3(uint16_t cs, const uint8_t *code, size_t bytes, const uint8_t *behind,
			size_t behind_bytes)
{
	struct guest_regs regs = guest_user_regs(0);
	uint8_t *memory = guest_user_memory();

	memcpy(memory, code, bytes);
	memcpy(memory + 0x100, behind, behind_bytes);
	regs.cs = cs;
	guest_user_run(&regs, false);
	if (regs.vector == GUEST_VECTOR_SYSCALL || regs.vector == TORC_VECTOR_SYSCALL32)
		CHECK(!(regs.rax & 0x23000), "CS 0x%x: flags 0x%lx", cs, regs.rax);
	else
		CHECK(regs.vector == 13 || regs.vector == 14, "CS 0x%x: vector %lu", cs,
		      regs.vector);
	CHECK((regs.cs & 3) == 3, "CS 0x%x: came from CS 0x%lx", cs, regs.cs);
}

void test_main(void)
{
	struct guest_fault fault = guest_probe_code(iretd_ring1, CODE_BYTES(iretd_ring1), 0);

	CHECK(fault.hit && (fault.vector == 13 || fault.vector == 14), "ring 1: vector %lu",
	      fault.vector);
	CHECK(!(fault.regs.rflags & 0x23000), "ring 1: flags 0x%lx", fault.regs.rflags);
	check_ring3(TORC_SEL_USER_CS, iretd, CODE_BYTES(iretd), after, CODE_BYTES(after));
	check_ring3(TORC_SEL_USER_CS32, iretd32, CODE_BYTES(iretd32), after32, CODE_BYTES(after32));
}
