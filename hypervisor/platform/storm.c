/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A storm of NMIs on request, to test what they interrupt: the PIT's channel 0 counts through
 * short periods, and its I/O APIC input asks the local APIC for NMIs instead of a vector.
 */
#include "apic.h"
#include "cpu.h"
#include "lib.h"
#include "log.h"
#include "pit.h"
#include "storm.h"

#define MIN_HZ		19u	/* the counter has 16 bits */
#define MAX_HZ		100000u

void nmi_storm_init(const char *cmdline)
{
	char text[16];
	u64 hz;
	u16 count;

	if (cmdline_get(cmdline, "nmi", text, sizeof(text)) < 0)
		return;
	if (!parse_number(text, &hz) || hz < MIN_HZ || hz > MAX_HZ)
		panic("nmi=%s: give a rate of %u to %u Hz", text, MIN_HZ, MAX_HZ);
	count = (u16)(PIT_HZ / hz);
	outb(PIT_COMMAND, PIT_PERIODIC);
	outb(PIT_CHANNEL0, (u8)count);
	outb(PIT_CHANNEL0, (u8)(count >> 8));
	if (!ioapic_route_isa(PIT_IRQ, APIC_DELIVER_NMI))
		panic("nmi=%s: no I/O APIC has the PIT's input", text);
	log("%lu NMIs a second asked for", hz);
}
