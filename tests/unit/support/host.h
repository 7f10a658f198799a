/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Put in front of every file of a unit test, the hypervisor's own included: what must be different
 * on a host. The direct map becomes an array of the test, functions that need ring 0 or a gate
 * region become doubles (doubles/cpu.c), and two names that a C library has too get others.
 */
#ifndef UNIT_HOST_H
#define UNIT_HOST_H

#include <stdint.h>

extern unsigned char *host_memory; /* physical address 0 of the test's machine */
extern char __image_end[];

#define DIRECT_BASE ((uint64_t)host_memory)
#define IMAGE_BASE  ((uint64_t)__image_end - 0x180000)

#define log	    hv_log

#define this_cpu    hardware_this_cpu
#define rdfsbase    hardware_rdfsbase
#define rdgsbase    hardware_rdgsbase
#define wrfsbase    hardware_wrfsbase
#define wrgsbase    hardware_wrgsbase
#define read_cr2    hardware_read_cr2
#define read_cr4    hardware_read_cr4
#define read_dr6    hardware_read_dr6
#define write_dr0   hardware_write_dr0
#define write_dr1   hardware_write_dr1
#define write_dr2   hardware_write_dr2
#define write_dr3   hardware_write_dr3
#define write_dr6   hardware_write_dr6
#define write_dr7   hardware_write_dr7
#define rdmsr	    hardware_rdmsr
#define xsetbv	    hardware_xsetbv
#define cpu_idle_once hardware_cpu_idle_once

#include "cpu.h"
#include "domain.h"

#undef this_cpu
#undef rdfsbase
#undef rdgsbase
#undef wrfsbase
#undef wrgsbase
#undef read_cr2
#undef read_cr4
#undef read_dr6
#undef write_dr0
#undef write_dr1
#undef write_dr2
#undef write_dr3
#undef write_dr6
#undef write_dr7
#undef rdmsr
#undef xsetbv
#undef cpu_idle_once

struct cpu *this_cpu(void);
u64 rdfsbase(void);
u64 rdgsbase(void);
void wrfsbase(u64 value);
void wrgsbase(u64 value);
u64 read_cr2(void);
u64 read_cr4(void);
u64 read_dr6(void);
void write_dr0(u64 value);
void write_dr1(u64 value);
void write_dr2(u64 value);
void write_dr3(u64 value);
void write_dr6(u64 value);
void write_dr7(u64 value);
u64 rdmsr(u32 msr);
void xsetbv(u32 index, u64 value);
void cpu_idle_once(void);

#endif
