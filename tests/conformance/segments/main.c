/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The descriptors that a guest may set: TLS in the GDT, and the LDT, usable from ring 3 in 64-bit
 * and 32-bit code.
 *
 * Attack: descriptors of ring 0 and 1, gates, a TSS and an LDT in the LDT, as data and as code; a
 * 16-bit stack across an entry; descriptors that were taken out again.
 * Vulnerable: one of them loads, and is a way into ring 0; the upper half of ESP is ring 0's.
 * Fixed: a fault, or the return is refused; ESP is the program's.
 */
#include "conformance.h"

#define DATA		    0x4000
#define DATA16		    0x00f2 /* 16-bit data in ring 3 */
#define LDT_SELECTOR(index) ((index) << 3 | 7)

CODE(load_fs, "mov %ebx, %fs\n mov %fs:0, %eax\n syscall");
CODE(code32,
     ".code32\n mov %ds:(%ebx), %eax\n mov %esp, %ecx\n mov %cs, %edx\n int $0x80\n .code64");

static struct guest_regs run(const uint8_t *code, size_t bytes, uint16_t cs, uint64_t rbx)
{
	struct guest_regs regs = guest_user_regs(0);

	memcpy(guest_user_memory(), code, bytes);
	regs.cs = cs;
	regs.rbx = rbx;
	guest_user_run(&regs, false);
	return regs;
}

static void check_tls(void)
{
	uint32_t base = GUEST_USER_BASE + DATA, index;
	struct guest_regs regs;

	*(uint32_t *)(guest_user_memory() + DATA) = 0xabcd1234;
	for (index = TORC_GDT_FIRST_FREE; index <= TORC_GDT_LAST_FREE; index++) {
		expect_status("set_descriptor",
			      torc_set_descriptor(index, torc_descriptor(base, 0xfffff, 0xc0f2)),
			      TORC_OK);
		regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, torc_selector(index));
		CHECK(regs.vector == GUEST_VECTOR_SYSCALL && (uint32_t)regs.rax == 0xabcd1234,
		      "TLS %u: vector %lu rax 0x%lx", index, regs.vector, regs.rax);
		expect_status("set_descriptor", torc_set_descriptor(index, 0), TORC_OK);
		regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, torc_selector(index));
		CHECK(regs.vector == 13 && regs.error == index * 8,
		      "TLS %u removed: vector %lu error 0x%lx", index, regs.vector, regs.error);
	}
}

/* ESP's upper half is the program's, not ring 0's, on a 16-bit stack. */
static void check_16_bit_stack(uint16_t selector)
{
	struct guest_regs regs = guest_user_regs(0);

	memcpy(guest_user_memory(), code32, CODE_BYTES(code32));
	regs.cs = TORC_SEL_USER_CS32;
	regs.ss = selector;
	regs.rsp = 0x12344f00;
	regs.rbx = GUEST_USER_BASE + DATA;
	guest_user_run(&regs, false);
	CHECK(regs.vector == TORC_VECTOR_SYSCALL32, "stack 0x%x: vector %lu error 0x%lx", selector,
	      regs.vector, regs.error);
	CHECK((uint32_t)regs.rcx == 0x12344f00, "stack 0x%x: ESP was 0x%lx", selector, regs.rcx);
}

static void check_ldt(void)
{
	uint64_t *page = guest_pages(1);
	struct guest_regs regs;

	page[0] = torc_descriptor(GUEST_USER_BASE + DATA, 0xfffff, 0xc0f2);
	page[1] = torc_descriptor(0, 0xfffff, 0xc0fa); /* 32-bit code */
	page[2] = torc_descriptor(GUEST_USER_BASE, 0xffff, DATA16);
	page[511] = page[0];
	uint64_t pfn = page_of(page);

	expect_status("torc_ldt_set", torc_ldt_set(&pfn, 512), TORC_OK);
	regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, LDT_SELECTOR(0));
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL && (uint32_t)regs.rax == 0xabcd1234,
	      "LDT 0: vector %lu rax 0x%lx", regs.vector, regs.rax);
	regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, LDT_SELECTOR(511));
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "LDT 511: vector %lu", regs.vector);
	regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, LDT_SELECTOR(300));
	CHECK(regs.vector == 13, "LDT 300, empty: vector %lu", regs.vector);
	regs = run(code32, CODE_BYTES(code32), LDT_SELECTOR(1), GUEST_USER_BASE + DATA);
	CHECK(regs.vector == TORC_VECTOR_SYSCALL32 && (uint16_t)regs.rdx == LDT_SELECTOR(1),
	      "code in the LDT: vector %lu cs 0x%lx", regs.vector, regs.rdx);
	CHECK((uint32_t)regs.rax == 0xabcd1234, "code in the LDT read 0x%lx", regs.rax);

	check_16_bit_stack(LDT_SELECTOR(2));
	expect_status("torc_ldt_set", torc_ldt_set(&pfn, 0), TORC_OK);
	regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, LDT_SELECTOR(0));
	CHECK(regs.vector == 13, "LDT removed: vector %lu", regs.vector);
}

/* row: forged-ldt - descriptors that lead to another ring are never usable. */
static void check_bad(void)
{
	static const uint64_t bad[] = {
		0x00af9b000000ffff, 0x00afbb000000ffff, 0x00cf93000000ffff, 0x0000ec0000330000,
		0x0000ee0000330000, 0x0000890000000067, 0x0000820000000067, 0x00cf9f000000ffff,
	};
	uint64_t *page = guest_pages(1), pfn = page_of(page);
	struct guest_regs regs;
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		page[i] = bad[i];
	expect_status("torc_ldt_set", torc_ldt_set(&pfn, sizeof(bad) / sizeof(bad[0])), TORC_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		regs = run(load_fs, CODE_BYTES(load_fs), TORC_SEL_USER_CS, LDT_SELECTOR(i));
		CHECK(regs.vector == 13 || regs.vector == 11,
		      "descriptor 0x%lx as data: vector %lu", bad[i], regs.vector);
		regs = run(load_fs, CODE_BYTES(load_fs), LDT_SELECTOR(i), 0);
		CHECK(regs.vector == GUEST_VECTOR_REFUSED, "descriptor 0x%lx as code: vector %lu",
		      bad[i], regs.vector);
	}
	torc_ldt_set(&pfn, 0);
}

static void check_gdt_stacks(void)
{
	uint32_t index;

	for (index = TORC_GDT_FIRST_FREE; index <= TORC_GDT_LAST_FREE; index++) {
		torc_set_descriptor(index, torc_descriptor(GUEST_USER_BASE, 0xffff, DATA16));
		check_16_bit_stack(torc_selector(index));
		torc_set_descriptor(index, 0);
	}
}

void test_main(void)
{
	__asm__ volatile("mov %0, %%ds" : : "r"(TORC_SEL_USER_SS)); /* for programs of 32 bits */
	check_tls();
	check_gdt_stacks();
	check_ldt();
	check_bad();
}
