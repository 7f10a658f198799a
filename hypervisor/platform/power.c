/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Switching the machine off: by ACPI if it is there, else by what emulators offer.
 */
#include "acpi.h"
#include "cpu.h"
#include "lib.h"
#include "power.h"
#include "serial.h"
#include "storm.h"

#define PORT_DEBUG_EXIT		0xf4	/* QEMU isa-debug-exit: status is value * 2 + 1 */
#define PORT_QEMU_POWER		0x604
#define PORT_BOCHS_SHUTDOWN	0x8900

#define PM1_SCI_ENABLE		0x0001
#define PM1_SLEEP_ENABLE	0x2000
#define PM1_SLEEP_TYPE_SHIFT	10

#define PATIENCE		1000000	/* polls until the machine should have gone */

static bool debug_exit;

void power_init(const char *cmdline)
{
	debug_exit = cmdline_is(cmdline, "exit", "isa-debug");
}

void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void linger(void)
{
	for (unsigned int i = 0; i < PATIENCE; i++)
		cpu_relax();
}

/* ACPI 6.4, section 4.8.3.2.1: SLP_TYP and SLP_EN, in ACPI mode. */
static void acpi_power_off(void)
{
	const struct acpi_info *a = &acpi_info;

	if (!a->has_s5 || a->pm1a_control == 0)
		return;
	if (!(inw(a->pm1a_control) & PM1_SCI_ENABLE) && a->smi_command != 0) {
		outb(a->smi_command, a->acpi_enable);
		for (unsigned int i = 0; i < PATIENCE; i++) {
			if (inw(a->pm1a_control) & PM1_SCI_ENABLE)
				break;
		}
	}
	outw(a->pm1a_control, (u16)(a->s5_type_a << PM1_SLEEP_TYPE_SHIFT) | PM1_SLEEP_ENABLE);
	if (a->pm1b_control != 0)
		outw(a->pm1b_control,
		     (u16)(a->s5_type_b << PM1_SLEEP_TYPE_SHIFT) | PM1_SLEEP_ENABLE);
	linger();
}

void power_off(void)
{
	irq_disable();
	watchdog_start(0);
	serial_drain();
	acpi_power_off();
	outw(PORT_QEMU_POWER, 0x2000);
	linger();
	for (const char *c = "Shutdown"; *c != '\0'; c++)
		outb(PORT_BOCHS_SHUTDOWN, (u8)*c);
	halt();
}

void power_off_failed(void)
{
	irq_disable();
	serial_drain();
	if (debug_exit)
		outb(PORT_DEBUG_EXIT, 3);
	power_off();
}
