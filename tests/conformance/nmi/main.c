/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Virtual NMIs: come whatever irq_on and busy say, have a frame of their own, are masked until
 * nmi_return, and leave every register as it was, segments of the guest's own too.
 */
#include "conformance.h"

#define ROUNDS 20000
#define LDT_SELECTOR(index) ((index) << 3 | 7)
#define ESP 0x1234f000UL
#define PERIOD_NS 200000
#define LIMIT_NS 20000000000UL

static uint32_t count, in_ldt;
static uint32_t nested; /* NMIs to send from within the handler */
static struct torc_frame seen;
static uint8_t busy_seen, on_seen;

void guest_nmi(struct guest_regs *regs)
{
	count++;
	seen = *(struct torc_frame *)&TORC_SHIM_VCPU->nmi;
	in_ldt += seen.cs == LDT_SELECTOR(0) && seen.ss == LDT_SELECTOR(1);
	busy_seen = TORC_SHIM_VCPU->busy;
	on_seen = TORC_SHIM_VCPU->irq_on;
	CHECK(regs->vector == 2, "NMI entry with vector %lu", regs->vector);
	if (nested) {
		uint32_t before = count;

		nested--;
		torc_nmi_send(0);
		torc_yield();
		CHECK(count == before, "an NMI came inside the handler");
	}
}

static void check_one(uint8_t irq_on, uint8_t busy)
{
	uint32_t before = count;

	TORC_SHIM_VCPU->busy = busy;
	TORC_SHIM_VCPU->irq_on = irq_on;
	torc_nmi_send(0);
	CHECK(count == before + 1, "irq_on %u busy %u: %u NMIs", irq_on, busy, count - before);
	CHECK(seen.vector == 2 && seen.cs == TORC_SEL_KERNEL_CS && seen.irq_was_on == irq_on,
	      "frame: vector %lu cs 0x%lx irq_was_on %u", seen.vector, seen.cs, seen.irq_was_on);
	CHECK(on_seen == 0 && busy_seen == busy, "in the handler: irq_on %u busy %u", on_seen,
	      busy_seen);
	CHECK(TORC_SHIM_VCPU->irq_on == irq_on && TORC_SHIM_VCPU->busy == busy,
	      "after the handler: irq_on %u busy %u", TORC_SHIM_VCPU->irq_on, TORC_SHIM_VCPU->busy);
	CHECK(TORC_SHIM_VCPU->nmi_masked == 0, "still masked");
	TORC_SHIM_VCPU->busy = 0;
	torc_irq_off();
}

static void check_masked(void)
{
	uint32_t before = count;

	nested = 3;
	torc_nmi_send(0);
	CHECK(count == before + 4, "three nested NMIs and the first: %u", count - before);
}

/* Every register across an NMI that comes at the end of the hypercall which sent it. */
static void check_registers(void)
{
	uint64_t values[14], i, flags;

	__asm__ volatile(
		"push %%rbp\n\t"
		"push %[values]\n\t"
		"mov $0x1101, %%ebx\n\t mov $0x1102, %%ebp\n\t mov $0x1103, %%r8d\n\t"
		"mov $0x1104, %%r9d\n\t mov $0x1105, %%r10d\n\t mov $0x1106, %%r12d\n\t"
		"mov $0x1107, %%r13d\n\t mov $0x1108, %%r14d\n\t mov $0x1109, %%r15d\n\t"
		"mov $0x110a, %%esi\n\t mov $0x110b, %%edx\n\t xor %%edi, %%edi\n\t"
		"movabs %[page], %%rcx\n\t mov %[number], %%eax\n\t"
		"call *%%rcx\n\t"
		"pushf\n\t pop %%rcx\n\t"
		"pop %%rdi\n\t"
		"mov %%rbx, (%%rdi)\n\t mov %%rbp, 8(%%rdi)\n\t mov %%r8, 16(%%rdi)\n\t"
		"mov %%r9, 24(%%rdi)\n\t mov %%r10, 32(%%rdi)\n\t mov %%r12, 40(%%rdi)\n\t"
		"mov %%r13, 48(%%rdi)\n\t mov %%r14, 56(%%rdi)\n\t mov %%r15, 64(%%rdi)\n\t"
		"mov %%rsi, 72(%%rdi)\n\t mov %%rax, 80(%%rdi)\n\t"
		"pop %%rbp"
		: "=c"(flags)
		: [values] "D"(values), [page] "i"(TORC_CALL_PAGE), [number] "i"(TORC_HC_NMI_SEND)
		: "rax", "rbx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		  "memory", "cc");
	for (i = 0; i < 10; i++)
		CHECK(values[i] == 0x1101 + i, "register %lu is 0x%lx", i, values[i]);
	CHECK(values[10] == 0, "result of nmi_send: 0x%lx", values[10]);
	CHECK(flags & GUEST_FLAG_IF, "flags 0x%lx", flags);
}

/* Ring 3 is interrupted too: a timer event sends the NMI, which comes before ring 3 goes on. */
void guest_event(uint32_t port)
{
	if (port == TORC_PORT_TIMER)
		torc_nmi_send(0);
}

static void check_ring3(void)
{
	static const uint8_t spin[] = { 0x48, 0xff, 0xc0, /* inc rax */
					0x48, 0x39, 0xd8, /* cmp rax, rbx */
					0x75, 0xf8, 0x0f, 0x05 };
	struct guest_regs regs = guest_user_regs(0);
	uint32_t before = count;

	memcpy(guest_user_memory(), spin, sizeof(spin));
	regs.rbx = 10000000;
	regs.rcx = 0x1234;
	torc_set_timer(torc_clock_ns(TORC_CLOCK) + 1000000);
	guest_user_run(&regs, false);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL && regs.rax == 10000000,
	      "ring 3: vector %lu rax %lu", regs.vector, regs.rax);
	CHECK(count == before + 1, "ring 3: %u NMIs", count - before);
}

/*
 * Another vCPU's NMIs strike a program whose code and stack segments are in the LDT, the stack of
 * 16 bits; it counts as long as ESP and CS stay.
 */
CODE(watch_segments, ".code32\n mov $500000, %eax\n mov %cs, %edx\n"
		     "1: mov %cs, %esi\n cmp %edx, %esi\n jne 2f\n"
		     "cmp $0x1234f000, %esp\n jne 2f\n dec %eax\n jnz 1b\n"
		     "2: mov %esp, %ecx\n int $0x80\n .code64");

static volatile bool storm_over;

static void storm(void *target)
{
	while (!storm_over) {
		uint64_t next = torc_clock_ns(TORC_CLOCK) + PERIOD_NS;

		while (torc_clock_ns(TORC_CLOCK) < next)
			continue;
		torc_nmi_send((uint64_t)target);
	}
}

static void check_ldt(void)
{
	uint64_t *ldt = guest_pages(1), pfn = page_of(ldt);
	uint64_t end = torc_clock_ns(TORC_CLOCK) + LIMIT_NS;
	struct guest_regs regs;

	ldt[0] = torc_descriptor(0, 0xfffff, 0xc0fa); /* 32-bit code */
	ldt[1] = torc_descriptor(GUEST_USER_BASE, 0xffff, 0x00f2); /* 16-bit data */
	REQUIRE(torc_ldt_set(&pfn, 2) == TORC_OK, "LDT");
	memcpy(guest_user_memory(), watch_segments, CODE_BYTES(watch_segments));
	REQUIRE(guest_vcpu_start(1, storm, 0) == TORC_OK, "second vCPU");
	do {
		regs = guest_user_regs(0);
		regs.cs = LDT_SELECTOR(0);
		regs.ss = LDT_SELECTOR(1);
		regs.rsp = ESP;
		guest_user_run(&regs, false);
		CHECK(regs.vector == TORC_VECTOR_SYSCALL32 && (uint32_t)regs.rax == 0 &&
			      (uint32_t)regs.rcx == ESP && (uint16_t)regs.rdx == LDT_SELECTOR(0),
		      "program in the LDT: vector %lu, CS 0x%lx, ESP 0x%lx, %lu rounds left",
		      regs.vector, regs.rdx, regs.rcx, regs.rax);
	} while (in_ldt < 10 && torc_clock_ns(TORC_CLOCK) < end);
	storm_over = true;
	guest_vcpu_wait(1);
	CHECK(in_ldt >= 10, "program in the LDT: %u NMIs struck it", in_ldt);
}

void test_main(void)
{
	uint32_t round;

	check_one(0, 0);
	check_one(1, 0);
	check_one(0, 1);
	check_one(1, 1);
	check_masked();
	check_ring3();
	check_ldt();
	count = 0;
	for (round = 0; round < ROUNDS; round++)
		check_registers();
	CHECK(count == ROUNDS, "%u NMIs of %u", count, ROUNDS);
}
