/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Exceptions of ring 3 and ring 1 arrive with the frame that the processor would have pushed:
 * vector, error code, CR2, and a RIP that is the fault's or the one behind it.
 */
#include "conformance.h"

CODE(ud, "nop\n ud2");
CODE(divide, "xor %ecx, %ecx\n div %ecx");
CODE(breakpoint, "int3");
CODE(call80, "int $0x80");
CODE(forbidden_int, "int $0x20");
CODE(forbidden_int8, "int $8");
CODE(debug_trap, "pushf\n orl $0x100, (%rsp)\n popf\n nop\n nop");
CODE(icebp, ".byte 0xf1");
CODE(page_read, "mov 0x700000, %eax");
CODE(page_write, "mov %eax, 0x700000");
CODE(page_execute, "mov $0x700000, %eax\n jmp *%rax");
CODE(kernel_read, "mov 0xffffffff80100000, %eax");
CODE(non_canonical, "mov $0x800000000000, %rax\n mov (%rax), %al");
CODE(stack_fault, "mov $0x800000000000, %rbp\n mov (%rbp), %al");
CODE(bad_segment, "mov $0xfffb, %eax\n mov %eax, %ds");
CODE(halt, "hlt");

struct expected {
	const char *what;
	const uint8_t *code, *end;
	uint64_t vector, error, rip; /* rip: offset in the code */
	uint64_t cr2;
};

#define E(name, vector, error, rip, cr2)                         \
	{                                                        \
#name, name, name##_end, vector, error, rip, cr2 \
	}

static const struct expected ring3[] = {
	E(ud, 6, 0, 1, 0),
	E(divide, 0, 0, 2, 0),
	E(breakpoint, 3, 0, 1, 0),
	E(call80, TORC_VECTOR_SYSCALL32, 0, 2, 0),
	E(forbidden_int, 13, 0x20 * 8 + 2, 0, 0),
	E(forbidden_int8, 13, 8 * 8 + 2, 0, 0),
	E(debug_trap, 1, 0, 10, 0),
	E(icebp, 1, 0, 1, 0),
	E(page_read, 14, 4, 0, 0x700000),
	E(page_write, 14, 6, 0, 0x700000),
	E(page_execute, 14, 0x14, ~0UL, 0x700000),
	E(kernel_read, 14, 5, 0, 0xffffffff80100000),
	E(non_canonical, 13, 0, 10, 0),
	E(stack_fault, 12, 0, 10, 0),
	E(bad_segment, 13, 0xfff8, 5, 0),
	E(halt, 13, 0, 0, 0),
};

/*
 * Where QEMU's TCG is known to differ from the manuals: an address through SS that is not
 * canonical is #SS (Intel SDM 1 3.3.7.1), the error code of a refused INT n counts 8 to a vector
 * (Intel SDM 3A 6.13), and ICEBP is #DB.
 */
static bool same(const struct expected *e, uint64_t vector, uint64_t error)
{
	if (e->vector == 12 && vector == 13)
		return true;
	if (e->vector == 13 && (e->error & 2) && vector == 13 && error == (e->error - 2) * 2 + 2)
		return true;
	if (e->code == icebp && vector == 6)
		return true;
	return vector == e->vector && error == e->error;
}

static void check_ring3(const struct expected *e)
{
	struct guest_regs regs = guest_user_code(e->code, (size_t)(e->end - e->code));

	CHECK(same(e, regs.vector, regs.error), "%s: vector %lu error 0x%lx", e->what, regs.vector,
	      regs.error);
	if (e->vector == 14)
		CHECK(regs.cr2 == e->cr2, "%s: cr2 0x%lx", e->what, regs.cr2);
	if (e->rip != ~0UL && regs.vector == e->vector)
		CHECK(regs.rip == GUEST_USER_BASE + e->rip, "%s: rip 0x%lx", e->what, regs.rip);
	CHECK(regs.cs == TORC_SEL_USER_CS, "%s: cs 0x%lx", e->what, regs.cs);
	CHECK(regs.ss == TORC_SEL_USER_SS, "%s: ss 0x%lx", e->what, regs.ss);
	CHECK(regs.rflags & GUEST_FLAG_IF, "%s: interrupts off in ring 3", e->what);
}

CODE(ud_kernel, "ud2");
CODE(divide_kernel, "xor %ecx, %ecx\n div %ecx");
CODE(breakpoint_kernel, "int3");
CODE(int80_kernel, "int $0x80");
CODE(unmapped_kernel, "mov 0x700000, %eax");
CODE(write_kernel, "mov %eax, 0x700000");
CODE(non_canonical_kernel, "mov $0x800000000000, %rdx\n mov (%rdx), %al");
CODE(int_kernel, "int $0x20");

static const struct expected ring1[] = {
	E(ud_kernel, 6, 0, 0, 0),
	E(divide_kernel, 0, 0, 0, 0),
	E(breakpoint_kernel, 3, 0, 0, 0),
	E(int80_kernel, TORC_VECTOR_SYSCALL32, 0, 0, 0),
	E(unmapped_kernel, 14, 0, 0, 0x700000),
	E(write_kernel, 14, 2, 0, 0x700000),
	E(non_canonical_kernel, 13, 0, 0, 0),
	E(int_kernel, 13, 0x20 * 8 + 2, 0, 0),
};

static void check_ring1(const struct expected *e, bool irq_on)
{
	struct guest_fault fault;

	TORC_SHIM_VCPU->irq_on = irq_on;
	fault = guest_probe_code(e->code, (size_t)(e->end - e->code), 0);
	CHECK(TORC_SHIM_VCPU->irq_on == irq_on, "%s: irq flag changed", e->what);
	torc_irq_off();
	CHECK(fault.hit && same(e, fault.vector, fault.error), "%s: vector %lu error 0x%lx",
	      e->what, fault.vector, fault.error);
	if (e->vector == 14)
		CHECK(fault.cr2 == e->cr2, "%s: cr2 0x%lx", e->what, fault.cr2);
	CHECK(fault.regs.cs == TORC_SEL_KERNEL_CS, "%s: cs 0x%lx", e->what, fault.regs.cs);
	CHECK(!(fault.regs.rflags & GUEST_FLAG_IF) == !irq_on, "%s: irq_was_on wrong", e->what);
}

/* row: compat-syscall - Intel processors raise #UD themselves, others enter the gate's stub. */
static void check_compat_syscall(void)
{
	struct guest_regs regs = guest_user_regs(0);

	memcpy(guest_user_memory(), "\x90\x0f\x05", 3);
	regs.cs = TORC_SEL_USER_CS32;
	guest_user_run(&regs, false);
	CHECK(regs.vector == 6 && regs.rip == GUEST_USER_BASE + 1 && regs.cs == TORC_SEL_USER_CS32,
	      "SYSCALL in compatibility mode: vector %lu at 0x%lx:0x%lx", regs.vector, regs.cs,
	      regs.rip);
}

/* A page fault that is repaired in the handler: the interrupted code goes on with all registers. */
static bool repair(struct guest_regs *regs)
{
	if (regs->vector != 14)
		return false;
	regs->rip += 7; /* the length of the instruction */
	regs->rax = 0x55;
	torc_set_timer(1); /* the way back finds an event, if interrupts were on */
	return true;
}

static void check_resume(void)
{
	uint64_t rax = 0x11, rcx = 0x22, r11 = 0x33, flags;

	guest_trap_hook = repair;
	for (TORC_SHIM_VCPU->irq_on = 0;; TORC_SHIM_VCPU->irq_on = 1) {
		register uint64_t in_r11 __asm__("r11") = r11;

		__asm__ volatile("stc\n\tmov 0x700000, %%eax\n\tpushf\n\tpop %1"
				 : "+a"(rax), "=d"(flags), "+c"(rcx), "+r"(in_r11)
				 :
				 : "memory");
		CHECK(rax == 0x55 && rcx == 0x22 && in_r11 == 0x33,
		      "registers after a repaired fault: 0x%lx 0x%lx 0x%lx", rax, rcx, in_r11);
		CHECK(flags & 1, "flags after a repaired fault: 0x%lx", flags);
		if (TORC_SHIM_VCPU->irq_on)
			break;
	}
	torc_irq_off();
	guest_trap_hook = NULL;
}

void test_main(void)
{
	uint32_t i;

	for (i = 0; i < sizeof(ring3) / sizeof(ring3[0]); i++)
		check_ring3(&ring3[i]);
	for (i = 0; i < sizeof(ring1) / sizeof(ring1[0]); i++) {
		check_ring1(&ring1[i], false);
		check_ring1(&ring1[i], true);
	}
	check_compat_syscall();
	check_resume();
}
