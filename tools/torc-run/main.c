/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * torc-run: boots the Torc hypervisor with guests in an emulated machine.
 *
 * The command line (options.c, domain.c) gives a machine and boot modules. The hypervisor is loaded
 * by the emulator or by GRUB from a disc made for the run (image.c). The emulator's command line
 * (qemu.c, bochs.c) has two serial ports: COM1 carries the guests' consoles (console.c), COM2 the
 * hypervisor's log (log.c), which tells how the run went. session.c holds it together.
 */
#include <stdio.h>

#include "child.h"
#include "image.h"
#include "machine.h"
#include "session.h"

static void print_command(const struct list *words)
{
	for (size_t i = 0; i < words->count; i++)
		fprintf(stderr, "%s'%s'", i ? " " : "", words->items[i]);
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	struct options options;
	struct launch launch = { 0 };
	const char *image = NULL;

	options_parse(argc, argv, &options);
	child_require(options.machine->program, options.machine->package);
	if (options.firmware != FIRMWARE_KERNEL)
		image = image_make(&options);
	options.machine->prepare(&options, image, &launch);
	if (options.verbose)
		print_command(&launch.words);
	return (int)session_run(&options, &launch,
				options.firmware == FIRMWARE_UEFI ? IMAGE_MARK : NULL);
}
