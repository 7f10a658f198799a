/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file power.h
 * The end of a domain.
 */
#ifndef TORC_POWER_H
#define TORC_POWER_H

#include <torc/call.h>

/**
 * torc_end() - ends the domain, and does not return
 * @reason: TORC_SHUTDOWN_POWEROFF, _REBOOT or _CRASH; the last prints a report of this vCPU
 * @detail: number shown with a crash
 */
static inline __attribute__((noreturn)) void torc_end(uint64_t reason, uint64_t detail)
{
	torc_call(TORC_HC_SHUTDOWN, reason, detail, 0, 0, NULL);
	__builtin_unreachable();
}

#endif
