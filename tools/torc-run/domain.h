/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the user says about one domain, and the boot modules that tell it to the hypervisor.
 */
#ifndef DOMAIN_H
#define DOMAIN_H

#include <stdint.h>

#include "util.h"

#define DOMAIN_MEMORY_DEFAULT (256 * MIB)

struct domain {
	char *name;
	char *kernel;
	char *initrd;  /* NULL: none */
	char *cmdline; /* NULL: none */
	uint64_t memory;
	unsigned long vcpus;
	const char *share; /* " weight=N cap=N cpus=LIST", as far as they are given */
};

/**
 * domain_parse() - read "name=N,kernel=F[,KEY=VALUE...]"
 * Keys are initrd, mem, maxmem, vcpus, weight, cap, cpus, privileges and cmdline too.
 * @specification: what the user wrote; a comma in a value stands there twice
 * @domain: receives it, defaults filled in
 *
 * Ends the program with a message that names key and value when something is wrong with them.
 */
void domain_parse(const char *specification, struct domain *domain);

/**
 * struct module - a file for the boot loader, and the words that go with it
 * @words: "domain name=... -- COMMAND LINE" or "initrd"
 */
struct module {
	const char *path;
	char *words;
};

/**
 * domain_modules() - boot modules of a domain, the kernel first
 * @modules: receives one or two
 * Return: how many.
 */
unsigned int domain_modules(const struct domain *domain, struct module modules[2]);

#endif
