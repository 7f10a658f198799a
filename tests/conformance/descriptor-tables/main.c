/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * IDT, GDT, TSS and LDT stand in memory that ring 1 can read and must not write.
 *
 * Attack: write each of their words from ring 1; give in an LDT with code of ring 0 and a call gate
 * in it, and change the page that it came from afterwards; load all segments, so that the processor
 * wants to set accessed bits.
 * Vulnerable: a descriptor of the guest's choice is in force, or the processor faults on its way to
 * write one.
 * Fixed: writes fault, with CR0.WP set for good; the LDT is a copy without its bad entries; and
 * accessed bits are preset.
 */
#include "conformance.h"

#define IDT  (TORC_GATE_BASE + 0x3000)
#define DESC (TORC_GATE_BASE + 0x4000)
#define TSS  (DESC + 0x80)
#define LDT  (TORC_GATE_BASE + 0x10000)

static void expect_read_only(const char *what, uint64_t start, uint64_t bytes)
{
	struct guest_fault fault;
	uint64_t at;

	for (at = start; at < start + bytes; at += 8) {
		fault = guest_probe_write(at);
		if (!fault.hit || fault.vector != 14 || !(fault.error & 2)) {
			FAILURE("%s at 0x%lx: hit %d vector %lu error 0x%lx", what, at, fault.hit,
				fault.vector, fault.error);
			return;
		}
	}
}

static void check_writes(void)
{
	expect_read_only("IDT", IDT, 256 * 16); /* row: write-idt */
	expect_read_only("GDT", DESC, 16 * 8);	/* row: write-gdt */
	expect_read_only("TSS", TSS, 104);	/* row: write-tss */
	expect_read_only("rest of the descriptor page", TSS + 104, 0x1000 - 0x80 - 104);
}

/* row: write-ldt, row: forged-ldt */
static void check_ldt(void)
{
	uint64_t *page = guest_pages(1);
	uint64_t pfn = page_of(page);

	page[0] = 0x00cff2000000ffff; /* data of ring 3, not accessed yet */
	page[1] = 0x00cffa000000ffff; /* code of ring 3 */
	page[2] = 0x00af9b000000ffff; /* code of ring 0 */
	page[3] = 0x0000ec0000080000; /* call gate */
	expect_status("ldt_load", torc_ldt_load(0, pfn, 4), TORC_OK);
	expect_read_only("LDT", LDT, TORC_PAGE_SIZE);
	page[0] = 0x00cf92000000ffff;
	__asm__ volatile("mov %0, %%es" : : "r"(0x7));
	__asm__ volatile("mov %0, %%es" : : "r"(0));
	CHECK(guest_probe_code("\xb8\x17\x00\x00\x00\x8e\xc0", 7, 0).hit,
	      "code of ring 0 in the LDT");
	CHECK(guest_probe_code("\xb8\x1f\x00\x00\x00\x8e\xc0", 7, 0).hit, "call gate in the LDT");
	CHECK(guest_probe_code("\xb8\x27\x00\x00\x00\x8e\xc0", 7, 0).hit, "entry behind the LDT");
	expect_status("ldt_load nothing", torc_ldt_load(0, 0, 0), TORC_OK);
	CHECK(guest_probe_code("\xb8\x07\x00\x00\x00\x8e\xc0", 7, 0).hit,
	      "entry of an LDT removed");
}

/* row: accessed-bits - every segment of the GDT that ring 1 or ring 3 may load, loads. */
CODE(load_all, "mov $0x2b, %ecx\n mov %ecx, %ds\n mov %ecx, %es\n mov %ecx, %fs\n mov %ecx, %gs\n"
	       "mov %ecx, %ss\n xor %ecx, %ecx\n mov %ecx, %ds\n mov %ecx, %es\n syscall");

static void check_loads(void)
{
	struct guest_regs regs = guest_user_regs(0);

	memcpy(guest_user_memory(), load_all, CODE_BYTES(load_all));
	guest_user_run(&regs, false);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL,
	      "segment loads in ring 3: vector %lu error 0x%lx", regs.vector, regs.error);
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(TORC_SEL_USER_SS));
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0));
}

void test_main(void)
{
	check_writes();
	check_ldt();
	check_loads();
}
