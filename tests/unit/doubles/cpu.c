/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Registers that need ring 0, as variables. Like the processor, some refuse what is not canonical.
 */
#include <stdlib.h>
#include "doubles.h"

static u64 counters[TORC_COUNTERS];
struct cpu test_cpu = { .counters = counters };
struct cpu *test_this_cpu = &test_cpu;
u64 test_fs_base, test_gs_base, test_cr2, test_cr4, test_dr[8], test_xcr0;
struct cpu_features cpu_features = { .frame_mask = 0xfffffff };

static void must_be_canonical(u64 value)
{
	if (!is_canonical(value))
		abort(); /* the processor would raise #GP in ring 0 */
}

struct cpu *this_cpu(void)
{
	return test_this_cpu;
}

u64 rdfsbase(void)
{
	return test_fs_base;
}

u64 rdgsbase(void)
{
	return test_gs_base;
}

void wrfsbase(u64 value)
{
	must_be_canonical(value);
	test_fs_base = value;
}

void wrgsbase(u64 value)
{
	must_be_canonical(value);
	test_gs_base = value;
}

u64 read_cr2(void)
{
	return test_cr2;
}

u64 read_cr4(void)
{
	return test_cr4;
}

u64 read_dr6(void)
{
	return test_dr[6];
}

void write_dr0(u64 value)
{
	must_be_canonical(value);
	test_dr[0] = value;
}

void write_dr1(u64 value)
{
	must_be_canonical(value);
	test_dr[1] = value;
}

void write_dr2(u64 value)
{
	must_be_canonical(value);
	test_dr[2] = value;
}

void write_dr3(u64 value)
{
	must_be_canonical(value);
	test_dr[3] = value;
}

void write_dr6(u64 value)
{
	if (value >> 32)
		abort();
	test_dr[6] = value;
}

void write_dr7(u64 value)
{
	if (value >> 32)
		abort();
	test_dr[7] = value;
}

u64 rdmsr(u32 msr)
{
	return msr == MSR_PAT ? 0x0007040600070406 : 0;
}

void xsetbv(u32 index, u64 value)
{
	if (index != 0 || (value & ~cpu_features.xcr0) || !(value & XCR0_X87))
		abort();
	test_xcr0 = value;
}
