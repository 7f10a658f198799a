/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* What the gate calls, and how a guest comes to a bad end. */
#ifndef TORC_ENTRY_H
#define TORC_ENTRY_H

#include "domain.h"

void hv_entry(void) __noreturn;
void hv_exit(void) __noreturn;
void hv_idle_interrupt(struct regs *regs);
void hv_nmi(u64 rip, u64 cs, u64 rsp, u64 rflags, const struct regs *registers);
void hv_machine_check(u64 rip, u64 cs, u64 rsp, u64 rflags) __noreturn;
void hv_broken(u64 vector, u64 error, u64 rip, u64 cr2, u64 rsp) __noreturn;

/* hypercall.c */
void hypercall(struct vcpu *vcpu);

/* emulate.c */

/** emulate - tries to carry out the privileged instruction that raised #GP in ring 1 */
bool emulate(struct vcpu *vcpu);

/* report.c */

/** report_general - logs the general registers in @r, whose other fields need not be there */
void report_general(const struct regs *r);

/** report_machine - logs NMIs taken, and how much memory the hypervisor takes, now and at most */
void report_machine(void);

/** report_status - logs the state, run time and census of each domain */
void report_status(void);

/**
 * guest_crash - ends the domain of the current @vcpu with one report
 * @reason: printf format
 *
 * The vCPU does not run any more; it and its domain are there until hv_exit(). Not to be called
 * with the domain's lock held.
 */
void guest_crash(struct vcpu *vcpu, const char *reason, ...) __format_printf(2, 3);

#endif
