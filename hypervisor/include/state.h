/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* What a guest may put into a vCPU's registers, and vCPUs that come and go. */
#ifndef TORC_HV_STATE_H
#define TORC_HV_STATE_H

#include <torc/state.h>
#include "domain.h"

/* control.c */

/** address_allowed - may a guest be entered at @address: canonical, no slot of the hypervisor */
bool address_allowed(u64 address);

/** range_allowed - may a guest have something mapped there? */
bool range_allowed(u64 start, u64 bytes);

/** descriptor_check - may a guest have *@descriptor? Sets its accessed bit. */
bool descriptor_check(u64 *descriptor);

/** debugreg_check - may *@value stand in debug register @number? Sets and clears what is fixed. */
bool debugreg_check(unsigned int number, u64 *value);

/** xcr0_allowed - is @value a valid combination of states that guests may use? */
bool xcr0_allowed(u64 value);

/**
 * ldt_load_page - copies @entries descriptors of the guest's page @source to page @page of the LDT
 * Return: 0; TORC_ENOENT, TORC_ENOMEM. The LDT ends there; vcpu_set_ldt() puts it in force.
 */
int ldt_load_page(struct vcpu *vcpu, u64 page, pfn_t source, unsigned int entries);

/* state.c */

/** system_to_hypervisor - hypervisor time at @ns of @domain's system time; 0 and too much: never */
u64 system_to_hypervisor(const struct domain *domain, u64 ns);

/**
 * vcpu_put_state - makes @vcpu, which is down and on no CPU, ready to start
 * @state: is changed: what is fixed is set
 * Return: 0; STOPPED; TORC_EINVAL for a field outside its range, TORC_ENOENT for a page that does
 *	not exist, errors of table_get() and frame_get_writable(). Holding the domain's lock.
 */
int vcpu_put_state(struct vcpu *vcpu, struct torc_vcpu_state *state);

/**
 * vcpu_get_state - the canonical state of @vcpu, which is on no CPU and stays so
 * Pages of the LDT are those it was loaded from: a guest keeps them as they are while it is in
 * force.
 */
void vcpu_get_state(const struct vcpu *vcpu, struct torc_vcpu_state *state);

/**
 * vcpu_start - starts @vcpu, if it is down, with the state in frame @page
 * Return: as the hypercall vcpu_up. Holding the locks of its domain and of the page's.
 */
s64 vcpu_start(struct vcpu *vcpu, mfn_t page);

/** vcpu_release - gives back root and pages of @vcpu, which is down; behind table_settle() */
void vcpu_release(struct vcpu *vcpu);

#endif
