/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * QEMU, software emulation only: the guest machine behaves the same wherever this runs.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "child.h"
#include "machine.h"
#include "workdir.h"

#define UEFI_IMAGE "/usr/share/ovmf/OVMF.fd"

/* isa-debug-exit ends QEMU with (value << 1) | 1; the hypervisor writes 3 when it has panicked. */
#define PANIC_STATUS 7

static bool qemu_clean_exit(int wait_status)
{
	return WIFEXITED(wait_status) &&
	       (WEXITSTATUS(wait_status) == 0 || WEXITSTATUS(wait_status) == PANIC_STATUS);
}

/* In -initrd a comma separates modules, and two are one. */
static char *double_commas(const char *words)
{
	char *result = calloc(2, strlen(words) + 1);
	char *to = result;

	if (!result)
		die(STATUS_EMULATOR, "out of memory");
	for (; *words; words++) {
		if (*words == ',')
			*to++ = ',';
		*to++ = *words;
	}
	return result;
}

static void add_kernel(const struct options *options, struct list *words)
{
	char *modules = text("%s", "");
	char *cmdline = text("%s", "");

	for (size_t i = 0; i < options->hypervisor_words.count; i++)
		cmdline = text("%s%s%s", cmdline, i ? " " : "", options->hypervisor_words.items[i]);
	for (size_t i = 0; i < options->module_count; i++)
		modules = text("%s%s%s %s", modules, i ? "," : "",
			       workdir_link(text("module%zu", i), options->modules[i].path),
			       double_commas(options->modules[i].words));
	list_add(words, "-kernel");
	/* The hypervisor finds its path before its words; ours holds no blank and no "=". */
	list_add(words, "%s", workdir_link("torc", options->hypervisor));
	list_add(words, "-append");
	list_add(words, "%s", cmdline);
	list_add(words, "-initrd");
	list_add(words, "%s", modules);
}

static void add_image(const struct options *options, const char *image, struct list *words)
{
	list_add(words, "-drive");
	list_add(words, "file=%s,format=raw,media=cdrom,readonly=on", image);
	if (options->firmware != FIRMWARE_UEFI)
		return;
	child_require(UEFI_IMAGE, "ovmf");
	list_add(words, "-bios");
	list_add(words, "%s", UEFI_IMAGE);
}

static void add_serial(struct list *words, struct serial *serial, const char *name)
{
	serial_pair(serial);
	list_add(words, "-chardev");
	list_add(words, "socket,id=%s,fd=%d", name, serial->other);
	list_add(words, "-serial");
	list_add(words, "chardev:%s", name);
}

static void add_instruction_clock(struct list *words)
{
	list_add(words, "-icount");
	list_add(words, "shift=0,sleep=off");
	list_add(words, "-rtc");
	list_add(words, "base=2026-01-01T00:00:00,clock=vm");
}

static void qemu_prepare(const struct options *options, const char *image, struct launch *launch)
{
	static const char *const fixed[] = {
		"-machine",    "pc",
		"-accel",      "tcg",
		"-cpu",	       "max",
		"-nodefaults", "-vga",
		"std",	       "-display",
		"none",	       "-no-reboot",
		"-device",     "isa-debug-exit,iobase=0xf4,iosize=1",
	};
	struct list *words = &launch->words;

	list_add(words, "%s", options->machine->program);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		list_add(words, "%s", fixed[i]);
	list_add(words, "-m");
	list_add(words, "%lluM", (unsigned long long)(options->memory / MIB));
	list_add(words, "-smp");
	list_add(words, "%lu", options->cpus);
	add_serial(words, &launch->com1, "com1");
	add_serial(words, &launch->com2, "com2");
	if (image)
		add_image(options, image, words);
	else
		add_kernel(options, words);
	if (options->icount)
		add_instruction_clock(words);
	if (options->gdb_port) {
		list_add(words, "-gdb");
		list_add(words, "tcp:127.0.0.1:%lu", options->gdb_port);
		list_add(words, "-S");
	}
	for (size_t i = 0; i < options->emulator_arguments.count; i++)
		list_add(words, "%s", options->emulator_arguments.items[i]);
}

const struct machine machine_qemu = {
	.name = "qemu",
	.program = "qemu-system-x86_64",
	.package = "qemu-system-x86",
	.firmwares = 1u << FIRMWARE_KERNEL | 1u << FIRMWARE_BIOS | 1u << FIRMWARE_UEFI,
	.cpus_maximum = 255,
	.gives_icount = true,
	.clean_exit = qemu_clean_exit,
	.prepare = qemu_prepare,
};
