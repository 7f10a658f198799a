/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <stdio.h>
#include "doubles.h"
#include "entry.h"

unsigned int crashes;
char crash_reason[160];

void guest_crash(struct vcpu *vcpu __unused, const char *reason, ...)
{
	va_list arguments;

	va_start(arguments, reason);
	vsnprintf(crash_reason, sizeof(crash_reason), reason, arguments);
	va_end(arguments);
	crashes++;
}
