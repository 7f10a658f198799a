/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include "doubles.h"
#include "timer.h"

u64 test_now_ns = 1000;
u64 tsc_khz = 1000000;
struct tsc_scale tsc_scale = { .mul = 0x80000000, .shift = 1 };
u64 wallclock_boot_ns = 1700000000000000000ull;

u64 time_now_ns(void)
{
	return test_now_ns;
}
