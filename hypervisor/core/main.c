/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The machine is up: make the domains that the boot modules ask for, and run them.
 */
#include "alloc.h"
#include "boot.h"
#include "console.h"
#include "domain.h"
#include "entry.h"
#include "lib.h"
#include "log.h"
#include "power.h"
#include "storm.h"

#define STACK_SIZE 16384

static struct cpu boot_cpu;
static u8 stack[STACK_SIZE] __aligned(16);

/* A module's string from the word that says what it is, or NULL. */
static const char *module_is(const struct boot_module *module, const char *word)
{
	return cmdline_after(module->string, word);
}

/* The initrd of the domain module @index: a module behind it, before the next domain. */
static struct range find_initrd(const struct boot_info *info, unsigned int index)
{
	for (index++; index < info->module_count; index++) {
		if (module_is(&info->module[index], "domain"))
			break;
		if (module_is(&info->module[index], "initrd"))
			return info->module[index].memory;
	}
	return (struct range){ 0, 0 };
}

static void build_domains(const struct boot_info *info)
{
	unsigned int i;

	for (i = 0; i < info->module_count; i++) {
		const struct boot_module *module = &info->module[i];
		const char *string = module_is(module, "domain");

		if (string)
			domain_build(string, module->memory, find_initrd(info, i));
		else if (!module_is(module, "initrd"))
			log("module %u \"%s\" ignored: it is neither a domain nor an initrd", i,
			    module->string);
	}
}

void hv_main(const struct boot_info *info)
{
	frame_table_init();
	gate_init();
	gate_init_cpu(&boot_cpu, (u64)(stack + STACK_SIZE));
	build_domains(info);
	release_modules(info);
	console_init();
	if (!domain_list) {
		log("no domain to run: give boot modules that say \"domain name=NAME mem=SIZE\"");
		power_off();
	}
	nmi_storm_init(info->cmdline);
	hv_exit();
}
