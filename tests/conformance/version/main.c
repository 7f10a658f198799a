/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The version hypercall tells the ABI's version, and numbers without a hypercall give TORC_ENOSYS
 * whatever the arguments, reserved ones included.
 */
#include "conformance.h"

static int64_t call(uint64_t number)
{
	return torc_call(number, ~0UL, ~0UL, ~0UL, ~0UL, NULL);
}

/* row: unknown-calls */
void test_main(void)
{
	static const uint64_t reserved[] = { TORC_HC_SUSPEND, TORC_HC_DOMAIN_FIRST_LOOK };
	uint64_t number;
	uint32_t i;

	expect_status("version", torc_version(), TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR);
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		CHECK(call(reserved[i]) == TORC_ENOSYS, "reserved call 0x%lx: %ld", reserved[i],
		      call(reserved[i]));
	for (number = TORC_HC_COUNT; number < 0x1000; number++)
		CHECK(call(number) == TORC_ENOSYS, "number 0x%lx: %ld", number, call(number));
	for (i = 12; i < 64; i++) {
		number = 1UL << i;
		CHECK(call(number) == TORC_ENOSYS, "number 0x%lx: %ld", number, call(number));
		CHECK(call(number | TORC_HC_VERSION) == TORC_ENOSYS, "number 0x%lx", number);
		CHECK(call(-number) == TORC_ENOSYS, "number 0x%lx", -number);
	}
	expect_status("version", torc_version(), TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR);
}
