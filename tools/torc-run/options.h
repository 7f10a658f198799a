/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "domain.h"
#include "util.h"

enum firmware {
	FIRMWARE_KERNEL, /* the emulator loads hypervisor and modules itself */
	FIRMWARE_BIOS,	 /* GRUB from an image, by BIOS */
	FIRMWARE_UEFI,	 /* GRUB from the same image, by UEFI */
	FIRMWARE_COUNT,
};

extern const char *const firmware_names[FIRMWARE_COUNT];

struct machine;

struct options {
	const struct machine *machine;
	enum firmware firmware;
	unsigned long cpus;
	uint64_t memory; /* bytes; a whole number of MiB */
	double timeout;	 /* seconds, 0: none */
	bool icount;
	bool reboot;
	bool verbose;
	unsigned long gdb_port;	      /* 0: none */
	char *hypervisor;	      /* the image that @firmware needs */
	struct list hypervisor_words; /* of its command line, beyond what torc-run says itself */
	struct list emulator_arguments;
	struct domain *domains;
	size_t domain_count;
	struct module *modules; /* of all domains, in order */
	size_t module_count;
};

/**
 * options_parse() - read and check the command line; prints and exits on --help and on errors
 */
void options_parse(int argc, char **argv, struct options *options);

#endif
