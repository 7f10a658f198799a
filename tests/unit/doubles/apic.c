/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* IPIs that go to the test. */
#include "apic.h"
#include "doubles.h"

unsigned int ipis;
void (*ipi_arrives)(u32 target);

void apic_send_ipi(u32 target, u8 vector __unused)
{
	ipis++;
	if (ipi_arrives)
		ipi_arrives(target);
}
