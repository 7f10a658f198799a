/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A guest that faults before it registered any entry is stopped with a report.
 */
#include "conformance.h"

void guest_begin(const struct torc_start *start);

/* row: own-end - in place of the runtime's, which would register entries. */
void guest_begin(const struct torc_start *start)
{
	guest_start = start;
	printf("a fault without any entry\n");
	__asm__ volatile("ud2");
	__builtin_unreachable();
}

void test_main(void)
{
}
