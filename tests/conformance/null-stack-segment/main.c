/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A null stack segment cannot be loaded in ring 1 or ring 3 (Intel SDM 3A 5.7: only rings 0 to 2
 * may in 64-bit mode, and only with RPL = CPL; a selector with another RPL faults).
 *
 * Attack: MOV SS, LSS and POP of null selectors with each RPL.
 * Vulnerable: the ring changes.
 * Fixed: #GP, or the load is allowed and the ring stays.
 */
#include "conformance.h"

/* row: null-ss */
CODE(mov_ss_0, "xor %edx, %edx\n mov %edx, %ss");
CODE(mov_ss_1, "mov $1, %edx\n mov %edx, %ss");
CODE(mov_ss_2, "mov $2, %edx\n mov %edx, %ss");
CODE(mov_ss_3, "mov $3, %edx\n mov %edx, %ss");
CODE(lss_0, "movq $0, (%rbx)\n lss (%rbx), %edx");

static uint64_t ring(void)
{
	uint64_t cs;

	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	return cs & 3;
}

static void check(const char *what, const uint8_t *code, size_t bytes, bool may_load)
{
	struct guest_fault fault = guest_probe_code(code, bytes, 0);
	struct guest_regs regs = guest_user_regs(0);

	CHECK(ring() == 1, "%s: now in ring %lu", what, ring());
	if (!may_load)
		expect_fault(what, fault, 13);
	/* Ring 1 must still be unable to do what ring 0 can. */
	expect_fault("write of the GDT", guest_probe_write(TORC_GATE_BASE + 0x4000), 14);
	expect_fault("lgdt", guest_probe_code("\x0f\x01\x13", 3, 0), 13);
	memcpy(guest_user_memory(), code, bytes);
	memcpy(guest_user_memory() + bytes, "\x0f\x05", 2);
	regs.rbx = GUEST_USER_BASE + 0x4000;
	guest_user_run(&regs, false);
	CHECK(regs.vector == 13, "%s in ring 3: vector %lu", what, regs.vector);
}

void test_main(void)
{
	check("mov ss, 0", mov_ss_0, CODE_BYTES(mov_ss_0), false);
	check("mov ss, 1", mov_ss_1, CODE_BYTES(mov_ss_1), true);
	check("mov ss, 2", mov_ss_2, CODE_BYTES(mov_ss_2), false);
	check("mov ss, 3", mov_ss_3, CODE_BYTES(mov_ss_3), false);
	check("lss null", lss_0, CODE_BYTES(lss_0), false);
}
