/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The registers of a guest, as the gate leaves them on the vCPU's entry stack whenever the
 * hypervisor is entered. They stand at one fixed place, the top of that stack.
 */
#ifndef TORC_REGS_H
#define TORC_REGS_H

#include "types.h"

#define REGS_SIZE 176

/* Values of regs.vector that no processor vector has. */
#define VECTOR_HYPERCALL 0x200
#define VECTOR_TRIPLE 0x201 /* a second double-fault frame was needed */

#ifndef __ASSEMBLER__

struct regs {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct regs) == REGS_SIZE, "gate.S pushes these");

#endif
#endif
