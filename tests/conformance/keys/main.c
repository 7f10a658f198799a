/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Echoes what is typed, and ends as a key says. System tests type to it; it is no test by itself.
 *
 *	c	crashes
 *	q	powers off
 *	r	reboots
 */
#include "conformance.h"

static unsigned int lives; /* counts on only if a reboot does not start with fresh memory */

static void key(char byte)
{
	switch (byte) {
	case 'c':
		__asm__ volatile("ud2");
		break;
	case 'q':
		torc_end(TORC_SHUTDOWN_POWEROFF, 0);
	case 'r':
		torc_end(TORC_SHUTDOWN_REBOOT, 0);
	default:
		printf("%c", byte);
	}
}

void test_main(void)
{
	volatile struct torc_console_ring *ring =
		guest_linear(guest_start->console_ring << TORC_PAGE_SHIFT);
	char byte;

	printf("domain %u ready, life %u\n", guest_start->domain, ++lives);
	for (;;) {
		while (torc_console_read(ring, &byte, 1))
			key(byte);
		guest_flush_console();
		torc_block();
		torc_irq_off();
	}
}
