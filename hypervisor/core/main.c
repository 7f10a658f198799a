/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The machine is up: make the domains that the boot modules ask for, and run them.
 */
#include "alloc.h"
#include "apic.h"
#include "boot.h"
#include "domain.h"
#include "entry.h"
#include "lib.h"
#include "log.h"
#include "sched.h"
#include "smp.h"
#include "storm.h"

/* The initrds of the domain module @index: modules behind it, before the next domain. */
static void find_initrd(const struct boot_info *info, unsigned int index,
			struct domain_source *source)
{
	for (index++; index < info->module_count; index++) {
		if (cmdline_after(info->module[index].string, "domain"))
			break;
		if (cmdline_after(info->module[index].string, "initrd") && source->initrds++ == 0)
			source->initrd = info->module[index].memory;
	}
}

/* Each takes an id, and ids are given once: there are enough for that many of all domains. */
#define RESTARTS 500

static void build_domains(const struct boot_info *info, bool kept)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < info->module_count; i++) {
		const struct boot_module *module = &info->module[i];
		struct domain_source source = {
			.string = cmdline_after(module->string, "domain"),
			.kernel = module->memory,
			.restarts = kept ? RESTARTS : 0,
		};

		if (source.string) {
			any = true;
			find_initrd(info, i, &source);
			domain_build(&source);
		} else if (!cmdline_after(module->string, "initrd")) {
			log("module %u \"%s\" ignored: it is neither a domain nor an initrd", i,
			    module->string);
		} else if (!any) {
			log("module %u \"%s\" ignored: no domain stands before this initrd", i,
			    module->string);
		}
	}
	if (!any)
		log("no domain to run: give boot modules that say \"domain name=NAME mem=SIZE\"");
}

void hv_main(const struct boot_info *info)
{
	bool kept = cmdline_is(info->cmdline, "reboot", "allow");

	frame_table_init();
	gate_init();
	cpus[0].apic_id = apic_id();
	cpu_prepare(&cpus[0]);
	cpu_enter(&cpus[0]);
	cpus[0].online = true;
	smp_start(info);
	policy_init(cpu_count);
	lock_take(&domains_lock);
	build_domains(info, kept);
	lock_drop(&domains_lock);
	if (!kept)
		release_modules(info);
	nmi_init(info->cmdline);
	sched_open();
	hv_exit();
}
