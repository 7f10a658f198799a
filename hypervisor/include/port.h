/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Event ports: see core/port.c. */
#ifndef TORC_PORT_H
#define TORC_PORT_H

#include <torc/events.h>
#include "domain.h"

/** ports_leave - @vcpu goes down: its ports move to another that is up; holding sched_lock */
void ports_leave(struct vcpu *vcpu);

/** ports_close - closes all ports of a domain that has ended */
void ports_close(struct domain *domain);

/** virq_raise - fires @virq in each domain that bound it; no lock behind a domain's is held */
void virq_raise(unsigned int virq);

/** pirq_raise - interrupt @vector, of those from VECTOR_PIRQ on, has arrived */
void pirq_raise(unsigned int vector);

#endif
