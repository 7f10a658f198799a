/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#ifndef TORC_SMP_H
#define TORC_SMP_H

#include "boot.h"
#include "domain.h"

/**
 * smp_start - starts every other CPU that ACPI names
 * @info: tells which memory below 1 MiB is free
 * Precondition: cpus[0] runs, timer and local APIC work, modules are still where they were loaded.
 */
void smp_start(const struct boot_info *info);

/** smp_self - this_cpu(), also before that is there */
struct cpu *smp_self(void);

/** smp_stop_others - the hypervisor panics here: no other CPU does anything any more */
void smp_stop_others(void);

/** ap_main - where such a CPU arrives (ap.S) */
void ap_main(struct cpu *cpu) __noreturn;

#endif
