/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file events.h
 * Event ports: what they are bound to.
 *
 * A domain has TORC_EVENT_PORTS ports. Those below TORC_PORT_FIRST_FREE exist once for each vCPU
 * and are bound from the start (vcpu.h); the others are one set for the domain, given out by
 * event_bind.
 * Each of them is bound to one vCPU, at first the one that made the call, and fires in that vCPU's
 * page: its bit in event_pending is set, and unless the port is masked there the vCPU is told. The
 * guest clears the bit and then looks at what the event is about.
 *
 * Two ports of two domains form a channel: one side makes a port that waits for a domain
 * (TORC_EVENT_UNBOUND), and tells its number by any way it has; the other side binds to it
 * (TORC_EVENT_INTERDOMAIN). From then on event_send on either fires the other. When a side is
 * closed or its domain ends, the other fires once and waits for that domain again.
 *
 * When a vCPU goes down its ports move to the lowest vCPU that is up, with what is pending.
 */
#ifndef TORC_EVENTS_H
#define TORC_EVENTS_H

#include <torc/base.h>

/* Kinds of port, for event_bind, and what its `detail` says. */
#define TORC_EVENT_UNBOUND 1 /* the id of the domain that may bind to it */
#define TORC_EVENT_INTERDOMAIN 2 /* the other domain's id; `remote`: its unbound port */
#define TORC_EVENT_IPI 3 /* a vCPU's number: event_send fires the port there */
#define TORC_EVENT_VIRQ 4 /* TORC_VIRQ_*; one port of a domain each */
#define TORC_EVENT_PIRQ 5 /* an interrupt of the machine; TORC_PIRQ_* and its global number */

/* Virtual interrupts. */
#define TORC_VIRQ_DOMAIN 0 /* a domain has started, or is gone and its memory free; needs OBSERVE */
#define TORC_VIRQ_COUNT 1

/*
 * Interrupts of the machine need TORC_PRIVILEGE_DEVICES. A port bound to one fires once for each
 * edge, or once for a level until event_rearm says that the device has been quieted. The number is
 * that of ACPI's global system interrupts.
 */
#define TORC_PIRQ_NUMBER 0xff
#define TORC_PIRQ_ACTIVE_LOW 0x100
#define TORC_PIRQ_LEVEL 0x200

#endif
