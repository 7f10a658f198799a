/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* What gate.S, the linker script and the hypervisor's root give to the C code. */
#include <stdlib.h>
#include "boot.h"
#include "gate.h"

char gate_syscall[1], gate_syscall_compat[1], gate_vectors[1], gate_no_entry[1];
const paddr_t gate_text_phys = 0x101000, gate_hypercall_phys = 0x103000;
paddr_t idt_phys = 0x104000;

paddr_t hv_root_new(mfn_t gate_l2 __unused)
{
	abort();
}

void *boot_alloc(size_t bytes __unused)
{
	abort();
}

void gate_load_tables(void)
{
	abort();
}

void gate_resume(paddr_t root __unused, u64 stack __unused, const struct regs *regs __unused)
{
	abort();
}

void gate_resume_segments(paddr_t root __unused, u64 stack __unused, u64 selectors __unused,
			  u64 fs_base __unused, u64 gs_base __unused, u16 ldt __unused)
{
	abort();
}
