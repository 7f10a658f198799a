/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The virtual interrupt flag: nothing is delivered while it is off, everything when it comes on,
 * by whatever way: the byte and the events call, a return to ring 1 or ring 3, block. Masked ports
 * wait.
 */
#include "conformance.h"

static void fire(void)
{
	uint64_t before = torc_clock_ns(TORC_CLOCK);

	torc_set_timer(1); /* in the past: at once */
	while (torc_clock_ns(TORC_CLOCK) - before < 100000)
		;
}

static uint64_t fired(void)
{
	return guest_event_count[TORC_PORT_TIMER];
}

static void check_off_and_on(void)
{
	uint64_t before = fired();

	torc_irq_off();
	fire();
	fire();
	CHECK(fired() == before, "delivered while off");
	CHECK(TORC_SHIM_VCPU->pending & 1, "pending word 0x%lx", TORC_SHIM_VCPU->pending);
	CHECK(TORC_SHIM_VCPU->event_pending[0] == 1UL << TORC_PORT_TIMER, "ports 0x%lx",
	      TORC_SHIM_VCPU->event_pending[0]);
	torc_irq_on();
	CHECK(fired() == before + 1, "not delivered once by on: %lu", fired() - before);
	CHECK(TORC_SHIM_VCPU->irq_on == 1, "off after the delivery");
	CHECK(TORC_SHIM_VCPU->pending == 0, "still pending");
	fire();
	CHECK(fired() == before + 2, "not delivered while on: %lu", fired() - before);
	torc_irq_off();
}

static void check_save_restore(void)
{
	unsigned long outer, inner;

	torc_irq_on();
	outer = torc_irq_save();
	CHECK(outer == TORC_IRQ_FLAG && torc_irq_flags() == 0, "save: 0x%lx", outer);
	inner = torc_irq_save();
	CHECK(inner == 0, "nested save: 0x%lx", inner);
	torc_irq_restore(inner);
	CHECK(torc_irq_flags() == 0, "nested restore turned on");
	torc_irq_restore(outer);
	CHECK(torc_irq_flags() == TORC_IRQ_FLAG, "restore left off");
	torc_irq_off();
}

/* Registers live across a delivery by the events call: RAX is in the frame, RCX and R11 may die. */
static void check_registers(void)
{
	uint64_t a = 0x1111, b = 0x2222, d = 0x3333, S = 0x4444, D = 0x5555;
	uint64_t before = fired();

	fire();
	TORC_SHIM_VCPU->irq_on = 1;
	__asm__ volatile("call torc_irq_deliver"
			 : "+a"(a), "+b"(b), "+d"(d), "+S"(S), "+D"(D)
			 :
			 : "rcx", "r11", "memory", "cc");
	CHECK(fired() == before + 1, "the events call delivered %lu", fired() - before);
	CHECK(a == 0x1111 && b == 0x2222 && d == 0x3333 && S == 0x4444 && D == 0x5555,
	      "registers changed: %lx %lx %lx %lx %lx", a, b, d, S, D);
	torc_irq_off();
	torc_irq_deliver();
	CHECK(TORC_SHIM_VCPU->irq_on == 1, "the events call without an event left interrupts off");
	torc_irq_off();
}

/* An event that waits is delivered by the way into ring 3, before its first instruction. */
static void check_return_to_ring3(bool by_syscall)
{
	struct guest_regs regs = guest_user_regs(0);
	uint64_t before = fired();

	memcpy(guest_user_memory(), "\xcc", 1); /* int3 */
	regs.rbx = 0x1234;
	regs.rax = 0x77;
	regs.rcx = 0x88;
	regs.r11 = 0x99;
	fire();
	guest_user_run(&regs, by_syscall);
	CHECK(fired() == before + 1, "return to ring 3 delivered %lu", fired() - before);
	CHECK(regs.vector == 3 && regs.rbx == 0x1234 && regs.rax == 0x77,
	      "ring 3 after the event: vector %lu rbx 0x%lx", regs.vector, regs.rbx);
	CHECK(by_syscall || (regs.rcx == 0x88 && regs.r11 == 0x99),
	      "ring 3 after the event: rcx 0x%lx r11 0x%lx", regs.rcx, regs.r11);
}

/* Ring 3 is always interruptible: it spins until the event stops it from outside. */
static bool stop_spinning;

static bool hook(struct guest_regs *regs)
{
	return !stop_spinning && regs->vector == 14;
}

static void check_interrupts_ring3(void)
{
	static const uint8_t spin[] = { 0x48, 0xff, 0xc0, /* inc rax */
					0x48, 0x39, 0xd8, /* cmp rax, rbx */
					0x75, 0xf8,	  /* jne */
					0x0f, 0x05 };
	struct guest_regs regs = guest_user_regs(0);
	uint64_t before = fired();

	guest_trap_hook = hook;
	memcpy(guest_user_memory(), spin, sizeof(spin));
	regs.rbx = 20000000;
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 1000000);
	guest_user_run(&regs, false);
	guest_trap_hook = NULL;
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL && regs.rax == 20000000, "vector %lu rax %lu",
	      regs.vector, regs.rax);
	CHECK(fired() == before + 1, "in ring 3 %lu events", fired() - before);
}

static void check_mask(void)
{
	uint64_t before = fired();

	torc_event_mask(TORC_PORT_TIMER);
	torc_irq_on();
	fire();
	CHECK(fired() == before, "a masked port was delivered");
	CHECK(TORC_SHIM_VCPU->event_pending[0] & 1UL << TORC_PORT_TIMER,
	      "a masked port did not record");
	torc_event_unmask(TORC_PORT_TIMER);
	CHECK(fired() == before + 1, "unmask delivered %lu", fired() - before);
	torc_irq_off();
}

void test_main(void)
{
	check_off_and_on();
	check_save_restore();
	check_registers();
	check_return_to_ring3(false);
	check_return_to_ring3(true);
	check_interrupts_ring3();
	check_mask();
}
