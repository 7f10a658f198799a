/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Every hypercall, with each argument outside its range: a named error, and nothing changed.
 *
 * Background: arguments are the widest surface between a guest and the hypervisor.
 * Attack: indexes beyond arrays, pages beyond memory, addresses in the hypervisor's slots or not
 * canonical, reserved bits, values that turn negative or wrap when shifted.
 * Vulnerable: memory of the hypervisor changes, or it faults.
 * Fixed: TORC_EINVAL for a value outside its range, TORC_ENOENT for a page that is not there.
 */
#include "conformance.h"

#define NON_CANONICAL 0x0000800000000000UL
#define FS_BASE	      0xc0000100 /* then GS base, kernel GS base */

/* row: hostile-arguments - one call with one bad argument, and what it must give. */
static const struct {
	const char *what;
	uint64_t number;
	uint64_t argument[3];
	int64_t expected;
} bad[] = {
	{ "shutdown, bad reason", TORC_HC_SHUTDOWN, { 4 }, TORC_EINVAL },
	{ "shutdown, suspend", TORC_HC_SHUTDOWN, { TORC_SHUTDOWN_SUSPEND }, TORC_ENOSYS },
	{ "shutdown, huge reason", TORC_HC_SHUTDOWN, { 1UL << 32 }, TORC_EINVAL },
	{ "set_entry, kind 5", TORC_HC_SET_ENTRY, { TORC_ENTRY_COUNT, 0x1000 }, TORC_EINVAL },
	{ "set_entry, kind 2^32", TORC_HC_SET_ENTRY, { 1UL << 32, 0x1000 }, TORC_EINVAL },
	{ "set_entry, kind -1", TORC_HC_SET_ENTRY, { ~0UL, 0x1000 }, TORC_EINVAL },
	/* row: entry-address */
	{ "set_entry, not canonical", TORC_HC_SET_ENTRY, { 1, NON_CANONICAL }, TORC_EINVAL },
	{ "set_entry, not canonical high",
	  TORC_HC_SET_ENTRY,
	  { 1, 0xfff0000000000000 },
	  TORC_EINVAL },
	{ "set_entry, in the gate", TORC_HC_SET_ENTRY, { 1, TORC_GATE_BASE }, TORC_EINVAL },
	{ "set_entry, in a window", TORC_HC_SET_ENTRY, { 1, TORC_WINDOW_M2P }, TORC_EINVAL },
	{ "set_entry, last slot", TORC_HC_SET_ENTRY, { 1, TORC_HOLE_END - 1 }, TORC_EINVAL },
	{ "set_kernel_gs, not canonical", TORC_HC_SET_KERNEL_GS, { NON_CANONICAL }, TORC_EINVAL },
	{ "set_kernel_gs, high", TORC_HC_SET_KERNEL_GS, { 0xffff7fffffffffff }, TORC_EINVAL },
	{ "vcpu_set_page, beyond memory", TORC_HC_VCPU_SET_PAGE, { 1UL << 30 }, TORC_ENOENT },
	{ "vcpu_set_page, none", TORC_HC_VCPU_SET_PAGE, { ~0UL }, TORC_ENOENT },
	{ "vcpu_set_page, 2^52", TORC_HC_VCPU_SET_PAGE, { 1UL << 52 }, TORC_ENOENT },
	{ "set_descriptor, index 11", TORC_HC_SET_DESCRIPTOR, { 11, 0 }, TORC_EINVAL },
	{ "set_descriptor, index 16", TORC_HC_SET_DESCRIPTOR, { 16, 0 }, TORC_EINVAL },
	{ "set_descriptor, index 0", TORC_HC_SET_DESCRIPTOR, { 0, 0 }, TORC_EINVAL },
	{ "set_descriptor, index -1", TORC_HC_SET_DESCRIPTOR, { ~0UL, 0 }, TORC_EINVAL },
	{ "set_descriptor, index 2^32+12",
	  TORC_HC_SET_DESCRIPTOR,
	  { (1UL << 32) + 12, 0 },
	  TORC_EINVAL },
	{ "ldt_load, page 16", TORC_HC_LDT_LOAD, { 16, 16, 1 }, TORC_EINVAL },
	{ "ldt_load, page 1 first", TORC_HC_LDT_LOAD, { 1, 16, 1 }, TORC_EINVAL },
	{ "ldt_load, 513 entries", TORC_HC_LDT_LOAD, { 0, 16, 513 }, TORC_EINVAL },
	{ "ldt_load, page -1", TORC_HC_LDT_LOAD, { ~0UL, 16, 1 }, TORC_EINVAL },
	{ "ldt_load, no source", TORC_HC_LDT_LOAD, { 0, 1UL << 40, 1 }, TORC_ENOENT },
	{ "set_debugreg 4", TORC_HC_SET_DEBUGREG, { 4, 0 }, TORC_EINVAL },
	{ "set_debugreg 5", TORC_HC_SET_DEBUGREG, { 5, 0 }, TORC_EINVAL },
	{ "set_debugreg 8", TORC_HC_SET_DEBUGREG, { 8, 0 }, TORC_EINVAL },
	{ "set_debugreg 2^32", TORC_HC_SET_DEBUGREG, { 1UL << 32, 0 }, TORC_EINVAL },
	/* row: hypervisor-breakpoints */
	{ "DR0 in the gate", TORC_HC_SET_DEBUGREG, { 0, TORC_GATE_BASE }, TORC_EINVAL },
	{ "DR3 in a window", TORC_HC_SET_DEBUGREG, { 3, TORC_HOLE_END - 1 }, TORC_EINVAL },
	{ "DR1 not canonical", TORC_HC_SET_DEBUGREG, { 1, NON_CANONICAL }, TORC_EINVAL },
	{ "DR7 above 32 bits", TORC_HC_SET_DEBUGREG, { 7, 1UL << 32 }, TORC_EINVAL },
	{ "DR7 general detect", TORC_HC_SET_DEBUGREG, { 7, 0x2401 }, TORC_EINVAL },
	{ "DR7 I/O breakpoint", TORC_HC_SET_DEBUGREG, { 7, 0x20401 }, TORC_EINVAL },
	{ "DR7 I/O breakpoint 3", TORC_HC_SET_DEBUGREG, { 7, 0x20000440 }, TORC_EINVAL },
	{ "get_debugreg 4", TORC_HC_GET_DEBUGREG, { 4 }, TORC_EINVAL },
	{ "get_debugreg 8", TORC_HC_GET_DEBUGREG, { 8 }, TORC_EINVAL },
	{ "get_debugreg -1", TORC_HC_GET_DEBUGREG, { ~0UL }, TORC_EINVAL },
	{ "set_task_switched 2", TORC_HC_SET_TASK_SWITCHED, { 2 }, TORC_EINVAL },
	{ "set_xcr0 without x87", TORC_HC_SET_XCR0, { 2 }, TORC_EINVAL },
	{ "set_xcr0 AVX without SSE", TORC_HC_SET_XCR0, { 5 }, TORC_EINVAL },
	{ "set_xcr0 everything", TORC_HC_SET_XCR0, { ~0UL }, TORC_EINVAL },
	{ "set_xcr0 AMX", TORC_HC_SET_XCR0, { 0x60003 }, TORC_EINVAL },
	{ "set_xcr0 high bit", TORC_HC_SET_XCR0, { 1UL << 63 | 3 }, TORC_EINVAL },
	{ "nmi_send to vCPU 77", TORC_HC_NMI_SEND, { 77 }, TORC_ENOENT },
	{ "nmi_send to vCPU -1", TORC_HC_NMI_SEND, { ~0UL }, TORC_ENOENT },
	{ "census, huge index", TORC_HC_CENSUS, { 1UL << 40 }, TORC_ENOENT },
	{ "census, index -1", TORC_HC_CENSUS, { ~0UL }, TORC_ENOENT },
	{ "batch_register, index 8", TORC_HC_BATCH_REGISTER, { 8, 16 }, TORC_EINVAL },
	{ "batch_register, index -1", TORC_HC_BATCH_REGISTER, { ~0UL, 16 }, TORC_EINVAL },
	{ "batch_register, no page", TORC_HC_BATCH_REGISTER, { 7, 1UL << 40 }, TORC_ENOENT },
	{ "batch, past the area", TORC_HC_BATCH, { 0, TORC_BATCH_MAX_OPS + 1 }, TORC_EINVAL },
	{ "batch, from past the area", TORC_HC_BATCH, { TORC_BATCH_MAX_OPS, 1 }, TORC_EINVAL },
	{ "batch, count wraps", TORC_HC_BATCH, { 1, ~0UL }, TORC_EINVAL },
	{ "batch, both wrap", TORC_HC_BATCH, { ~0UL, 2 }, TORC_EINVAL },
};

/* row: msr - registers that no guest may write. */
static const uint32_t msrs[] = {
	0x10,			       /* TSC */
	0x1b,			       /* APIC base */
	0x174,			       /* SYSENTER_CS */
	0x175,	    0x176,	0x1d9, /* SYSENTER_ESP, _EIP, DEBUGCTL */
	0x277,			       /* PAT: readable perhaps, never writable */
	0x2ff,	    0x600,	0x6a2, /* MTRR default, DS area, CET */
	0x832,			       /* x2APIC timer */
	0xc0000080, 0xc0000081, 0xc0000082,
	0xc0000083, 0xc0000084, /* EFER STAR LSTAR CSTAR FMASK */
	0xc0010117,		/* VM_HSAVE_PA */
	0xffffffff,
};

static void check_msrs(void)
{
	uint64_t value;
	uint32_t i;
	int64_t result;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		result = torc_write_msr(msrs[i], 0);
		CHECK(result == TORC_ENOENT, "write_msr 0x%x: %ld", msrs[i], result);
	}
	expect_status("write_msr of a 33-bit number", torc_write_msr(1UL << 32 | FS_BASE, 0),
		      TORC_ENOENT);
	expect_status("read_msr of a 33-bit number", torc_read_msr(1UL << 32 | FS_BASE, &value),
		      TORC_ENOENT);
	expect_status("read_msr 0xdeadbeef", torc_read_msr(0xdeadbeef, &value), TORC_ENOENT);
	for (i = 0; i < 3; i++)
		expect_status("write_msr of a base that is not canonical",
			      torc_write_msr(FS_BASE + i, NON_CANONICAL), TORC_EINVAL);
}

/* row: forged-descriptors - refused, and index 12 keeps what it had. */
static void check_descriptors(void)
{
	static const uint64_t bad_descriptors[] = {
		0x00af9b000000ffff, /* code of ring 0 */
		0x00afbb000000ffff, /* code of ring 1 */
		0x00cf93000000ffff, /* data of ring 0 */
		0x00008900000000ff, /* TSS */
		0x00008200000000ff, /* LDT */
		0x0000ec0000080000, /* call gate, DPL 3 */
		0x0000ee0000080000, /* interrupt gate */
		0x0000e50000080000, /* task gate */
		0x00ef9f000000ffff, /* conforming code of ring 0 */
		0x00cffe000000ffff, /* conforming code of ring 3 */
		0x00effb000000ffff, /* code with L and D */
		0x0000e00000000000, /* system type 0, DPL 3 */
	};
	uint32_t i;

	for (i = 0; i < sizeof(bad_descriptors) / sizeof(bad_descriptors[0]); i++)
		CHECK(torc_set_descriptor(12, bad_descriptors[i]) == TORC_EINVAL,
		      "descriptor 0x%lx taken", bad_descriptors[i]);
	expect_status("data segment", torc_set_descriptor(12, 0x00cff3000000ffff), TORC_OK);
	expect_status("no segment", torc_set_descriptor(12, 0), TORC_OK);
}

void test_main(void)
{
	int64_t found;
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		found = torc_call(bad[i].number, bad[i].argument[0], bad[i].argument[1],
				  bad[i].argument[2], 0, NULL);
		expect_status(bad[i].what, found, bad[i].expected);
	}
	check_msrs();
	check_descriptors();
	expect_status("vcpu_set_page with irq_on",
		      (TORC_SHIM_VCPU->irq_on = 1, torc_vcpu_set_page(guest_page())), TORC_EBUSY);
	torc_irq_off();
	expect_status("vcpu_set_page of a table", torc_vcpu_set_page(guest_root >> TORC_PAGE_SHIFT),
		      TORC_EBUSY);
	expect_status("batch_register of a table",
		      torc_batch_register(7, guest_root >> TORC_PAGE_SHIFT), TORC_EBUSY);
	expect_status("batch of nothing", torc_batch(0, 0), TORC_OK);
}
