/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Bochs: slower than QEMU, stricter, and like an Intel processor where QEMU is like an AMD one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "child.h"
#include "machine.h"
#include "workdir.h"

#define BIOS_IMAGE     "/usr/share/bochs/BIOS-bochs-latest"
#define VGA_BIOS_IMAGE "/usr/share/vgabios/vgabios.bin"
#define HOST_MAXIMUM   2048 /* MiB that Bochs holds in memory; it keeps the rest in a file */

/*
 * The terminal display needs no window and, its output going to a file, shows nothing. Time follows
 * the instructions executed. Bochs never drops a byte of a serial port on a socket or in a file;
 * the "term" mode does, when the reader is slow.
 */
static const char configuration[] =
	"config_interface: textconfig\n"
	"display_library: term\n"
	"memory: guest=%llu, host=%llu\n"
	"romimage: file=\"" BIOS_IMAGE "\"\n"
	"vgaromimage: file=\"" VGA_BIOS_IMAGE "\"\n"
	"cpu: model=corei7_haswell_4770, count=%lu, ips=50000000, reset_on_triple_fault=0, "
	"ignore_bad_msrs=1\n"
	"clock: sync=none, time0=utc\n"
	"ata0-master: type=disk, path=\"%s\", mode=flat\n"
	"boot: disk\n"
	"com1: enabled=1, mode=socket-client, dev=127.0.0.1:%u\n"
	"com2: enabled=1, mode=file, dev=\"/dev/fd/%d\"\n"
	"port_e9_hack: enabled=1\n"
	"sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n"
	"log: \"%s\"\n"
	"panic: action=fatal\n"
	"error: action=report\n"
	"info: action=ignore\n"
	"debug: action=ignore\n";

/* Being switched off ends Bochs with status 1, as an error does; the log tells them apart. */
static bool bochs_clean_exit(int wait_status)
{
	return WIFEXITED(wait_status);
}

static void bochs_prepare(const struct options *options, const char *image, struct launch *launch)
{
	unsigned long long guest = options->memory / MIB;
	unsigned long long host = guest < HOST_MAXIMUM ? guest : HOST_MAXIMUM;
	struct list *words = &launch->words;
	unsigned int port = serial_listen(&launch->com1);

	child_require(BIOS_IMAGE, "bochsbios");
	child_require(VGA_BIOS_IMAGE, "vgabios");
	child_require("/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so", "bochs-term");
	serial_pipe(&launch->com2);
	launch->output = workdir_path("bochs.log");
	list_add(words, "%s", options->machine->program);
	list_add(words, "-q");
	list_add(words, "-f");
	list_add(words, "%s",
		 workdir_write("bochsrc", text(configuration, guest, host, options->cpus, image,
					       port, launch->com2.other, launch->output)));
	/* Debian's Bochs has its debugger built in, which waits for a command to begin. */
	list_add(words, "-rc");
	list_add(words, "%s", workdir_write("debugger-commands", "continue\n"));
	for (size_t i = 0; i < options->emulator_arguments.count; i++)
		list_add(words, "%s", options->emulator_arguments.items[i]);
	/* The terminal display refuses to start without. */
	setenv("TERM", "vt100", 1);
}

const struct machine machine_bochs = {
	.name = "bochs",
	.program = "bochs-bin",
	.package = "bochs",
	.firmwares = 1u << FIRMWARE_BIOS,
	.cpus_maximum = 8,
	.gives_icount = false,
	.clean_exit = bochs_clean_exit,
	.prepare = bochs_prepare,
};
