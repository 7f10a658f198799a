/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The emulators. Each turns the options into a command line with two serial ports on it.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>

#include "options.h"
#include "serial.h"

/**
 * struct launch - a program to start, and this side's ends of its serial ports
 * @words: program and arguments
 * @com1: guest consoles
 * @com2: the hypervisor's log
 * @output: file that takes the emulator's own output, NULL: stderr
 */
struct launch {
	struct list words;
	struct serial com1;
	struct serial com2;
	char *output;
};

/**
 * struct machine - an emulator
 * @name: as --machine knows it
 * @program: what is started
 * @package: Debian package that holds @program
 * @firmwares: bit set of enum firmware; the lowest is the default
 * @cpus_maximum: how many processors it can emulate
 * @gives_icount: can count time in instructions, and wait for gdb
 * @clean_exit: did the emulator end by itself, the machine being switched off or reset?
 * @prepare: fills @launch; @image is the GRUB image, NULL with FIRMWARE_KERNEL
 */
struct machine {
	const char *name;
	const char *program;
	const char *package;
	unsigned int firmwares;
	unsigned long cpus_maximum;
	bool gives_icount;
	bool (*clean_exit)(int wait_status);
	void (*prepare)(const struct options *options, const char *image, struct launch *launch);
};

extern const struct machine machine_qemu;
extern const struct machine machine_bochs;

/**
 * machine_find() - machine by name, NULL when there is none
 */
const struct machine *machine_find(const char *name);

/**
 * machine_firmware_default() - what --firmware is when not given
 */
enum firmware machine_firmware_default(const struct machine *machine);

#endif
