/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A guest that says it crashed gets a report with its registers, and the other domain goes on.
 */
#include "conformance.h"

/* row: own-end */
void test_main(void)
{
	printf("the guest crashes\n");
	__asm__ volatile("call *%0"
			 :
			 : "c"(TORC_CALL_PAGE), "a"(TORC_HC_SHUTDOWN), "D"(TORC_SHUTDOWN_CRASH),
			   "S"(0x2a), "b"(0xdeadbeef)
			 : "memory");
	FAILURE("the domain went on");
}
