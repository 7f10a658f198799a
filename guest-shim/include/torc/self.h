/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file self.h
 * The running vCPU's page, by the cheapest address that the kernel has for it.
 *
 * TORC_VCPU_PAGE always works, but costs a 64-bit immediate at each use. A kernel that keeps its
 * per-CPU data at a GS base registers a page of its own there (vcpu_set_page) and defines, before
 * it includes any header of the shim,
 *   #define TORC_SHIM_VCPU ((volatile struct torc_vcpu_page __seg_gs *)(offset))
 * so that turning virtual interrupts off is one instruction.
 */
#ifndef TORC_SELF_H
#define TORC_SELF_H

#include <torc/call.h>

#ifndef TORC_SHIM_VCPU
#define TORC_SHIM_VCPU ((volatile struct torc_vcpu_page *)TORC_VCPU_PAGE)
#endif

#endif
