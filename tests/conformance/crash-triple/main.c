/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * An exception that finds both the synchronous and the double-fault frame in use ends the domain
 * with a report; the other domain goes on.
 */
#include "conformance.h"

/* row: own-end */
void test_main(void)
{
	printf("both frames in use, then a fault\n");
	TORC_SHIM_VCPU->double_fault.vector = 1;
	TORC_SHIM_VCPU->busy = 1;
	__asm__ volatile("ud2");
	FAILURE("the domain went on");
}
