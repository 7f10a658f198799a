/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Event ports: what domains, vCPUs and the machine tell each other with.
 *
 * A port of a domain is bound to one of its vCPUs, in whose page it fires; event.c does that. What
 * stands behind a port is told here: the other end of a channel between domains, a vCPU, a virtual
 * interrupt or one of the machine. abi/include/torc/events.h has the guest's view.
 *
 * Tables and pages change under sched_lock, which firing needs anyway: so a port cannot be closed,
 * moved or bound anew while it fires, and a page of ports is published complete. Both ends of a
 * channel hold a reference on the other's domain, so that firing need not look it up. Who takes a
 * channel apart gives these references back behind the lock, for a domain may go with the last.
 *
 * When a domain ends its ports are closed before its own reference goes: nobody can reach it any
 * more, and nobody who is connected to it keeps it.
 */
#include "alloc.h"
#include "apic.h"
#include "hypercall.h"
#include "port.h"
#include "sched.h"

/**
 * struct port - one event port
 * @remote: INTERDOMAIN: the other end's domain, referenced
 * @detail: UNBOUND: the id it waits for; VIRQ: which; PIRQ: index of its vector
 * @remote_port: INTERDOMAIN: the other end
 * @vcpu: where it fires
 * @kind: TORC_EVENT_*, 0 when it is free
 */
struct port {
	union {
		struct domain *remote;
		u64 detail;
	};
	u16 remote_port;
	u8 vcpu;
	u8 kind;
};
_Static_assert(sizeof(struct port) == 16, "PORTS_PER_PAGE counts on it");
_Static_assert(VCPU_MAX <= 256, "fits struct port");

/* Interrupts of the machine, by vector. */
static struct pirq {
	struct domain *domain; /* NULL: free */
	u16 port;
	u8 gsi;
	bool level;
} pirqs[PIRQ_VECTORS];

/* Port @number of @domain if it is bound, else NULL. */
static struct port *port_find(const struct domain *domain, u64 number)
{
	struct port *page;

	if (number >= TORC_EVENT_PORTS)
		return NULL;
	number = index_nospec(number, TORC_EVENT_PORTS);
	page = domain->ports[number / PORTS_PER_PAGE];
	if (!page || !page[number % PORTS_PER_PAGE].kind)
		return NULL;
	return &page[number % PORTS_PER_PAGE];
}

static bool is_up(const struct vcpu *vcpu)
{
	return vcpu && vcpu->state != VCPU_DOWN;
}

static void fire(struct domain *domain, u64 number)
{
	const struct port *port = port_find(domain, number);

	event_raise_locked(domain->vcpu[port->vcpu], number);
}

/* The lowest free port; 0 when there is none or no memory. */
static u64 port_alloc(struct domain *domain)
{
	u64 number;
	mfn_t mfn;

	for (; (number = domain->lowest_port) < TORC_EVENT_PORTS; domain->lowest_port++) {
		if (!domain->ports[number / PORTS_PER_PAGE]) {
			mfn = page_alloc();
			if (mfn == INVALID_MFN)
				return 0;
			domain->ports[number / PORTS_PER_PAGE] = mfn_to_virt(mfn);
		}
		if (!port_find(domain, number))
			return number;
	}
	return 0;
}

/* Puts @port in force. A bit that an earlier use of the number left goes. */
static s64 port_set(struct domain *domain, u64 number, struct port port)
{
	struct torc_vcpu_page *page = domain->vcpu[port.vcpu]->page;
	u64 bit = 1ull << (number % 64);

	__atomic_fetch_and(&page->event_pending[number / 64], ~bit, __ATOMIC_ACQ_REL);
	domain->ports[number / PORTS_PER_PAGE][number % PORTS_PER_PAGE] = port;
	return number;
}

static s64 bind_interdomain(struct vcpu *vcpu, u64 number, struct domain *remote, u64 remote_port)
{
	struct port *other = port_find(remote, remote_port);

	if (!other)
		return TORC_ENOENT;
	if (other->kind != TORC_EVENT_UNBOUND || other->detail != vcpu->domain->id)
		return TORC_EBUSY;
	other->kind = TORC_EVENT_INTERDOMAIN;
	other->remote = vcpu->domain;
	other->remote_port = number;
	return port_set(vcpu->domain, number, (struct port){
		.kind = TORC_EVENT_INTERDOMAIN, .vcpu = vcpu->id, .remote = remote,
		.remote_port = remote_port });
}

static s64 bind_virq(struct vcpu *vcpu, u64 number, u64 virq)
{
	if (virq >= TORC_VIRQ_COUNT)
		return TORC_EINVAL;
	if (!(vcpu->domain->privileges & TORC_PRIVILEGE_OBSERVE))
		return TORC_EPERM;
	if (vcpu->domain->virq_port[virq])
		return TORC_EBUSY;
	vcpu->domain->virq_port[virq] = number;
	return port_set(vcpu->domain, number, (struct port){
		.kind = TORC_EVENT_VIRQ, .vcpu = vcpu->id, .detail = virq });
}

/* A vector for interrupt @gsi; -1 when it is taken or there is none left. */
static int pirq_find(u8 gsi)
{
	int i, free = -1;

	for (i = 0; i < PIRQ_VECTORS; i++) {
		if (pirqs[i].domain && pirqs[i].gsi == gsi)
			return -1;
		if (!pirqs[i].domain)
			free = i;
	}
	return free;
}

static s64 bind_pirq(struct vcpu *vcpu, u64 number, u64 detail)
{
	u8 gsi = detail & TORC_PIRQ_NUMBER;
	bool level = detail & TORC_PIRQ_LEVEL;
	int i = pirq_find(gsi);

	if (detail & ~(u64)(TORC_PIRQ_NUMBER | TORC_PIRQ_ACTIVE_LOW | TORC_PIRQ_LEVEL))
		return TORC_EINVAL;
	if (!(vcpu->domain->privileges & TORC_PRIVILEGE_DEVICES))
		return TORC_EPERM;
	if (i < 0 || ioapic_in_use(gsi))
		return TORC_EBUSY;
	pirqs[i] = (struct pirq){ vcpu->domain, number, gsi, level };
	port_set(vcpu->domain, number, (struct port){
		.kind = TORC_EVENT_PIRQ, .vcpu = vcpu->id, .detail = i });
	if (ioapic_route(gsi, VECTOR_PIRQ + i, level, detail & TORC_PIRQ_ACTIVE_LOW))
		return number;
	pirqs[i].domain = NULL;
	port_find(vcpu->domain, number)->kind = 0;
	return TORC_ENOENT;
}

static s64 bind(struct vcpu *vcpu, u64 kind, u64 detail, struct domain *remote, u64 remote_port)
{
	struct domain *domain = vcpu->domain;
	u64 number = port_alloc(domain);

	if (!number)
		return TORC_ENOMEM;
	switch (kind) {
	case TORC_EVENT_UNBOUND:
		return port_set(domain, number, (struct port){
			.kind = kind, .vcpu = vcpu->id, .detail = detail });
	case TORC_EVENT_INTERDOMAIN:
		return bind_interdomain(vcpu, number, remote, remote_port);
	case TORC_EVENT_IPI:
		if (!is_up(vcpu_find(domain, detail)))
			return TORC_ENOENT;
		return port_set(domain, number, (struct port){ .kind = kind, .vcpu = detail });
	case TORC_EVENT_VIRQ:
		return bind_virq(vcpu, number, detail);
	case TORC_EVENT_PIRQ:
		return bind_pirq(vcpu, number, detail);
	default:
		return TORC_EINVAL;
	}
}

s64 hc_event_bind(struct vcpu *vcpu, u64 kind, u64 detail, u64 remote_port)
{
	struct domain *remote = NULL, *own = NULL;
	s64 result;

	if (kind == TORC_EVENT_INTERDOMAIN) {
		remote = domain_get(detail);
		if (!remote)
			return TORC_ENOENT;
		own = domain_get(vcpu->domain->id);
	}
	lock_take(&sched_lock);
	result = bind(vcpu, kind, detail, remote, remote_port);
	lock_drop(&sched_lock);
	if (result < 0 && remote) {
		domain_put(remote);
		domain_put(own);
	}
	return result;
}

s64 hc_event_send(struct vcpu *vcpu, u64 number)
{
	const struct port *port;
	s64 result = TORC_OK;

	lock_take(&sched_lock);
	port = port_find(vcpu->domain, number);
	if (!port)
		result = TORC_ENOENT;
	else if (port->kind == TORC_EVENT_INTERDOMAIN)
		fire(port->remote, port->remote_port);
	else if (port->kind == TORC_EVENT_IPI)
		fire(vcpu->domain, number);
	else
		result = port->kind == TORC_EVENT_UNBOUND ? TORC_EAGAIN : TORC_EINVAL;
	lock_drop(&sched_lock);
	return result;
}

/*
 * Takes apart what stands behind @port, which is free then. Return: the domain at the other end of
 * a channel, which the caller puts, and with it a reference on its own.
 */
static struct domain *disconnect(struct domain *domain, struct port *port)
{
	struct domain *remote = NULL;
	struct port *other;

	switch (port->kind) {
	case TORC_EVENT_INTERDOMAIN:
		remote = port->remote;
		other = port_find(remote, port->remote_port);
		other->kind = TORC_EVENT_UNBOUND;
		other->detail = domain->id;
		fire(remote, port->remote_port);
		break;
	case TORC_EVENT_VIRQ:
		domain->virq_port[port->detail] = 0;
		break;
	case TORC_EVENT_PIRQ:
		ioapic_mask(pirqs[port->detail].gsi, true);
		pirqs[port->detail].domain = NULL;
		break;
	}
	port->kind = 0;
	return remote;
}

static s64 port_close(struct domain *domain, u64 number)
{
	struct domain *remote = NULL;
	struct port *port;

	lock_take(&sched_lock);
	port = port_find(domain, number);
	if (port) {
		remote = disconnect(domain, port);
		domain->lowest_port = MIN(domain->lowest_port, number);
	}
	lock_drop(&sched_lock);
	if (remote) {
		domain_put(domain);
		domain_put(remote);
	}
	return port ? TORC_OK : TORC_ENOENT;
}

s64 hc_event_close(struct vcpu *vcpu, u64 number)
{
	return port_close(vcpu->domain, number);
}

void ports_close(struct domain *domain)
{
	u64 number;

	for (number = TORC_PORT_FIRST_FREE; number < TORC_EVENT_PORTS; number++)
		if (domain->ports[number / PORTS_PER_PAGE])
			port_close(domain, number);
}

static void move(struct domain *domain, u64 number, struct port *port, u8 to)
{
	struct torc_vcpu_page *from = domain->vcpu[port->vcpu]->page;
	struct torc_vcpu_page *page = domain->vcpu[to]->page;
	u64 bit = 1ull << (number % 64);

	if (READ_ONCE(from->event_mask[number / 64]) & bit)
		__atomic_fetch_or(&page->event_mask[number / 64], bit, __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(&page->event_mask[number / 64], ~bit, __ATOMIC_ACQ_REL);
	port->vcpu = to;
	if (__atomic_fetch_and(&from->event_pending[number / 64], ~bit, __ATOMIC_ACQ_REL) & bit)
		fire(domain, number);
}

s64 hc_event_move(struct vcpu *vcpu, u64 number, u64 to)
{
	struct domain *domain = vcpu->domain;
	struct port *port;
	s64 result = TORC_OK;

	lock_take(&sched_lock);
	port = port_find(domain, number);
	if (!port || !is_up(vcpu_find(domain, to)))
		result = TORC_ENOENT;
	else
		move(domain, number, port, to);
	lock_drop(&sched_lock);
	return result;
}

void ports_leave(struct vcpu *vcpu)
{
	struct domain *domain = vcpu->domain;
	struct port *port;
	u64 number;
	u8 to = 0;

	if (domain->ending)
		return;
	while (!is_up(domain->vcpu[to]))
		to++;
	for (number = TORC_PORT_FIRST_FREE; number < TORC_EVENT_PORTS; number++) {
		port = port_find(domain, number);
		if (port && port->vcpu == vcpu->id)
			move(domain, number, port, to);
	}
}

s64 hc_event_rearm(struct vcpu *vcpu, u64 number)
{
	struct torc_vcpu_page *page;
	u64 bit = 1ull << (number % 64);
	struct port *port;

	lock_take(&sched_lock);
	port = port_find(vcpu->domain, number);
	if (port) {
		page = vcpu->domain->vcpu[port->vcpu]->page;
		__atomic_fetch_and(&page->event_mask[number / 64], ~bit, __ATOMIC_ACQ_REL);
		if (READ_ONCE(page->event_pending[number / 64]) & bit)
			fire(vcpu->domain, number);
		if (port->kind == TORC_EVENT_PIRQ && pirqs[port->detail].level)
			ioapic_mask(pirqs[port->detail].gsi, false);
	}
	lock_drop(&sched_lock);
	return port ? TORC_OK : TORC_ENOENT;
}

void virq_raise(unsigned int virq)
{
	struct domain *domain;

	lock_take(&domain_list_lock);
	lock_take(&sched_lock);
	for (domain = domain_list; domain; domain = domain->next)
		if (domain->virq_port[virq])
			fire(domain, domain->virq_port[virq]);
	lock_drop(&sched_lock);
	lock_drop(&domain_list_lock);
}

void pirq_raise(unsigned int vector)
{
	struct pirq *pirq = &pirqs[vector - VECTOR_PIRQ];

	lock_take(&sched_lock);
	if (pirq->domain) {
		if (pirq->level)
			ioapic_mask(pirq->gsi, true);
		fire(pirq->domain, pirq->port);
	}
	lock_drop(&sched_lock);
}
