/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * NMIs that come all the time: the PIT's channel 0 counts through short periods, and its I/O APIC
 * input asks the first CPU's local APIC for NMIs instead of a vector. The watchdog needs few; many
 * are there on request, to test what they interrupt.
 */
#include "apic.h"
#include "cpu.h"
#include "lib.h"
#include "log.h"
#include "pit.h"
#include "storm.h"

#define MIN_HZ		19u	/* the counter has 16 bits */
#define MAX_HZ		100000u
#define WATCHDOG_SECONDS 10
#define MAX_SECONDS	3600

bool nmi_storm;

/* Reads a number from a word of the command line; false if the word is not there. */
static bool get_number(const char *cmdline, const char *key, u64 least, u64 most, u64 *value)
{
	char text[16];

	if (cmdline_get(cmdline, key, text, sizeof(text)) < 0)
		return false;
	if (!parse_number(text, value) || *value < least || *value > most)
		panic("%s=%s: give %lu to %lu", key, text, least, most);
	return true;
}

void nmi_init(const char *cmdline)
{
	u64 seconds = WATCHDOG_SECONDS, hz;
	u16 count;

	get_number(cmdline, "watchdog", 0, MAX_SECONDS, &seconds);
	watchdog_start(seconds);
	hz = seconds ? MIN_HZ : 0;
	nmi_storm = get_number(cmdline, "nmi", MIN_HZ, MAX_HZ, &hz);
	if (!hz)
		return;
	count = (u16)(PIT_HZ / hz);
	outb(PIT_COMMAND, PIT_PERIODIC);
	outb(PIT_CHANNEL0, (u8)count);
	outb(PIT_CHANNEL0, (u8)(count >> 8));
	if (!ioapic_route_isa(PIT_IRQ, APIC_DELIVER_NMI))
		log("no I/O APIC has the PIT's input: there is no watchdog");
	else if (nmi_storm)
		log("%lu NMIs a second asked for", hz);
}
