/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The end of the machine.
 */
#ifndef TORC_POWER_H
#define TORC_POWER_H

#include "types.h"

/**
 * power_init() - read exit= from the hypervisor's command line
 */
void power_init(const char *cmdline);

/**
 * power_off() - ACPI S5, then the ports of QEMU and Bochs, then halt
 */
void power_off(void) __noreturn;

/**
 * power_off_failed() - the same after a panic; with exit=isa-debug QEMU ends with status 7
 */
void power_off_failed(void) __noreturn;

/**
 * halt() - stop this CPU for good
 */
void halt(void) __noreturn;

#endif
