/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The first C code: one step after the other, up to hv_main().
 */
#include <torc/abi.h>

#include "acpi.h"
#include "alloc.h"
#include "apic.h"
#include "boot.h"
#include "cpu.h"
#include "gate.h"
#include "lib.h"
#include "log.h"
#include "power.h"
#include "serial.h"
#include "timer.h"

#define BOOT_TRAPS	32
#define STUB_BYTES	16

static struct idt_entry boot_idt[BOOT_TRAPS];

extern char boot_trap_stubs[];

/* Called by assembly only. */
void boot_main(u32 magic, u32 address) __noreturn __used;
void boot_trap(u64 vector, u64 error_code, u64 rip) __noreturn __used;

void boot_trap(u64 vector, u64 error_code, u64 rip)
{
	panic("exception %lu, error code %lx, at %lx (cr2 %lx) during boot", vector, error_code,
	      rip, read_cr2());
}

static void load_boot_idt(void)
{
	struct descriptor_table table = { sizeof(boot_idt) - 1, (u64)boot_idt };

	for (unsigned int i = 0; i < BOOT_TRAPS; i++)
		boot_idt[i] = idt_entry((u64)boot_trap_stubs + i * STUB_BYTES);
	lidt(&table);
}

static void check_value(const char *cmdline, const char *key, const char *only)
{
	char value[32];

	if (cmdline_get(cmdline, key, value, sizeof(value)) >= 0 && !cmdline_is(cmdline, key, only))
		log("command line: %s=%s has no effect: it can be %s only", key, value, only);
}

/* Whoever reads a word ignores what it does not know; that must not go unnoticed. */
static void check_words(const char *cmdline)
{
	static const char *const known[] = { "log", "exit", "reboot", "nmi", "watchdog", NULL };
	char word[64];
	const char *fault = cmdline_fault(cmdline, known, word, sizeof(word));

	if (fault)
		log("command line: \"%s\" has no effect: the word %s", word, fault);
	check_value(cmdline, "exit", "isa-debug");
	check_value(cmdline, "reboot", "allow");
}

static void report_memory(const struct boot_info *info)
{
	struct alloc_stats stats = alloc_stats();

	log("boot: %s, %u modules, %lu MiB of RAM, %lu MiB free", info->loader[0] ? info->loader :
	    "unnamed loader", info->module_count, stats.ram_pages >> (20 - PAGE_SHIFT),
	    (stats.free_chunks * CHUNK_PAGES + stats.free_pages) >> (20 - PAGE_SHIFT));
}

void boot_main(u32 magic, u32 address)
{
	const struct boot_info *info;

	load_boot_idt();
	log("Torc " TORC_VERSION ", ABI %u.%u", TORC_ABI_MAJOR, TORC_ABI_MINOR);
	info = boot_info_parse(magic, address);
	log_init(info->cmdline);
	check_words(info->cmdline);
	power_init(info->cmdline);
	cpu_init();
	cpu_report();
	alloc_init(info);
	hv_root_init(info);
	report_memory(info);
	acpi_init(info->rsdp);
	apic_init();
	ioapic_init();
	timer_init();
	if (!serial_irq_enable())
		log("serial: no interrupt for COM1, input must be polled");
	hv_main(info);
}
