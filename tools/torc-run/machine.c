/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <string.h>

#include "machine.h"

static const struct machine *const machines[] = { &machine_qemu, &machine_bochs };

const struct machine *machine_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(name, machines[i]->name))
			return machines[i];
	return NULL;
}

enum firmware machine_firmware_default(const struct machine *machine)
{
	enum firmware firmware = FIRMWARE_KERNEL;

	while (!(machine->firmwares & 1u << firmware))
		firmware++;
	return firmware;
}
