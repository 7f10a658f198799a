/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Inputs of interrupt controllers, as variables. */
#include "apic.h"
#include "doubles.h"

struct test_input test_inputs[TEST_INPUTS];

bool ioapic_route(u32 gsi, u8 vector, bool level, bool active_low)
{
	if (gsi >= TEST_INPUTS)
		return false;
	test_inputs[gsi] = (struct test_input){ vector, level, active_low, false };
	return true;
}

bool ioapic_in_use(u32 gsi)
{
	return gsi < TEST_INPUTS && test_inputs[gsi].vector && !test_inputs[gsi].masked;
}

void ioapic_mask(u32 gsi, bool masked)
{
	test_inputs[gsi].masked = masked;
}
