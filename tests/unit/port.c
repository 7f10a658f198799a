/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Event ports: what each kind does, what each refusal is called and that it takes no port, where a
 * port fires after vCPUs have come and gone, and what is left to the other side when a domain ends.
 *
 * Attack: numbers that are none, ends of channels of others, all ports at once, ports that are
 * bound and moved while their vCPU or the other domain goes.
 * Vulnerable: an event goes through a pointer to what is gone, is heard by others, or each call
 * takes longer.
 * Fixed: an error; what fires is looked up under the lock under which it changes.
 */
#include "apic.h"
#include "pair.h"
#include "port.h"

#define FIRST TORC_PORT_FIRST_FREE
#define NOBODY 77 /* an id that no domain has */

TestSuite(port, .init = pair_create, .fini = pair_end);

static s64 bind(struct domain *of, u64 kind, u64 detail, u64 remote)
{
	return hc_event_bind(of->vcpu[0], kind, detail, remote);
}

/* A channel: back's port waits, front binds to it. Returns the numbers. */
static void connect(s64 *back_port, s64 *front_port)
{
	*back_port = bind(back, TORC_EVENT_UNBOUND, front->id, 0);
	cr_assert_geq(*back_port, FIRST);
	*front_port = bind(front, TORC_EVENT_INTERDOMAIN, back->id, *back_port);
	cr_assert_geq(*front_port, FIRST);
	EXPECT_PAIR();
}

/* The call fails and takes nothing; the lowest free port of both is still the same. */
#define NO_PORT(error, call) \
	do { \
		s64 lowest_ = bind(back, TORC_EVENT_UNBOUND, NOBODY, 0); \
		s64 other_ = bind(front, TORC_EVENT_UNBOUND, NOBODY, 0); \
		hc_event_close(BACK, lowest_); \
		hc_event_close(FRONT, other_); \
		REFUSED(error, call); \
		cr_expect_eq(bind(back, TORC_EVENT_UNBOUND, NOBODY, 0), lowest_); \
		cr_expect_eq(bind(front, TORC_EVENT_UNBOUND, NOBODY, 0), other_); \
		hc_event_close(BACK, lowest_); \
		hc_event_close(FRONT, other_); \
	} while (0)

Test(port, a_channel_goes_both_ways)
{
	s64 b, f;

	connect(&b, &f);
	cr_expect_eq(back->references, 2);
	cr_expect_eq(front->references, 2);
	cr_expect_eq(hc_event_send(BACK, b), 0);
	cr_expect(event_is_pending(front, 0, f) && !event_is_pending(back, 0, b));
	cr_expect_eq(hc_event_send(FRONT, f), 0);
	cr_expect(event_is_pending(back, 0, b) && !event_is_pending(front, 0, f));
	cr_expect_eq(hc_event_close(FRONT, f), 0);
	EXPECT_PAIR();
	cr_expect(event_is_pending(back, 0, b), "the other side is told");
	cr_expect_eq(hc_event_send(BACK, b), TORC_EAGAIN, "and waits");
	cr_expect_eq(hc_event_send(FRONT, f), TORC_ENOENT);
	cr_expect_eq(bind(front, TORC_EVENT_INTERDOMAIN, back->id, b), f, "for that one");
	cr_expect_eq(hc_event_close(BACK, b), 0);
	cr_expect(event_is_pending(front, 0, f));
	cr_expect_eq(hc_event_send(FRONT, f), TORC_EAGAIN);
	cr_expect_eq(bind(back, TORC_EVENT_INTERDOMAIN, front->id, f), b);
	EXPECT_PAIR();
	cr_expect_eq(hc_event_close(BACK, b), 0);
	cr_expect_eq(hc_event_close(BACK, b), TORC_ENOENT);
	EXPECT_PAIR();
}

Test(port, channels_that_are_refused)
{
	s64 waits = bind(back, TORC_EVENT_UNBOUND, front->id, 0);
	s64 other = bind(back, TORC_EVENT_UNBOUND, NOBODY, 0);
	s64 ipi = bind(back, TORC_EVENT_IPI, 0, 0);
	s64 b, f;

	connect(&b, &f);
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, NOBODY, waits));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, 0, waits));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, 1ull << 32 | back->id, waits));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, back->id, b + 1));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, back->id, FIRST - 1));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, back->id, TORC_EVENT_PORTS));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, back->id, ~0ull));
	NO_PORT(TORC_EBUSY, bind(front, TORC_EVENT_INTERDOMAIN, back->id, other));
	NO_PORT(TORC_EBUSY, bind(front, TORC_EVENT_INTERDOMAIN, back->id, ipi));
	NO_PORT(TORC_EBUSY, bind(front, TORC_EVENT_INTERDOMAIN, back->id, b));
	NO_PORT(TORC_EBUSY, bind(back, TORC_EVENT_INTERDOMAIN, back->id, waits));
	NO_PORT(TORC_EINVAL, bind(front, 0, 0, 0));
	NO_PORT(TORC_EINVAL, bind(front, TORC_EVENT_PIRQ + 1, 0, 0));
	NO_PORT(TORC_EINVAL, bind(front, 1ull << 32 | TORC_EVENT_UNBOUND, 0, 0));
}

Test(port, numbers_that_are_no_ports)
{
	static const u64 bad[] = { 0, FIRST - 1, FIRST + 1, TORC_EVENT_PORTS, 1ull << 32 | FIRST,
				   ~0ull };
	unsigned int i;

	NO_PORT(TORC_ENOENT, hc_event_send(FRONT, FIRST));
	bind(front, TORC_EVENT_UNBOUND, back->id, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		REFUSED(TORC_ENOENT, hc_event_send(FRONT, bad[i]));
		REFUSED(TORC_ENOENT, hc_event_close(FRONT, bad[i]));
		REFUSED(TORC_ENOENT, hc_event_move(FRONT, bad[i], 0));
		REFUSED(TORC_ENOENT, hc_event_rearm(FRONT, bad[i]));
	}
	REFUSED(TORC_EAGAIN, hc_event_send(FRONT, FIRST));
	REFUSED(TORC_ENOENT, hc_event_move(FRONT, FIRST, 1));
	REFUSED(TORC_ENOENT, hc_event_move(FRONT, FIRST, 2));
	REFUSED(TORC_ENOENT, hc_event_move(FRONT, FIRST, 1ull << 32));
}

/* Closing one end of a channel of a domain with itself, by either end. */
Test(port, a_domain_may_speak_with_itself)
{
	unsigned int end;
	s64 a, b;

	for (end = 0; end < 2; end++) {
		a = bind(front, TORC_EVENT_UNBOUND, front->id, 0);
		NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_INTERDOMAIN, front->id, a + 1));
		b = bind(front, TORC_EVENT_INTERDOMAIN, front->id, a);
		EXPECT_PAIR();
		cr_expect_eq(front->references, 3);
		cr_expect_eq(hc_event_send(FRONT, a), 0);
		cr_expect(event_is_pending(front, 0, b));
		cr_expect_eq(hc_event_send(FRONT, b), 0);
		cr_expect(event_is_pending(front, 0, a));
		cr_expect_eq(hc_event_close(FRONT, end ? b : a), 0);
		EXPECT_PAIR();
		cr_expect(event_is_pending(front, 0, end ? a : b));
		cr_expect_eq(hc_event_close(FRONT, end ? a : b), 0);
	}
	a = bind(front, TORC_EVENT_UNBOUND, front->id, 0);
	bind(front, TORC_EVENT_INTERDOMAIN, front->id, a);
}

Test(port, ipi_ports_fire_where_they_are_bound)
{
	s64 port;

	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_IPI, 1, 0));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_IPI, 2, 0));
	NO_PORT(TORC_ENOENT, bind(front, TORC_EVENT_IPI, ~0ull, 0));
	bring_up(front, 1);
	port = bind(front, TORC_EVENT_IPI, 1, 0);
	cr_expect_eq(hc_event_send(FRONT, port), 0);
	cr_expect(event_is_pending(front, 1, port) && !event_is_pending(front, 0, port));
}

/* All ports there are, over the pages they stand in; the lowest free number is given out. */
Test(port, all_ports_can_be_bound)
{
	u64 port, pages = memory_pages_out;

	for (port = FIRST; port < TORC_EVENT_PORTS; port++)
		cr_assert_eq(bind(front, TORC_EVENT_UNBOUND, NOBODY, 0), port);
	cr_expect_eq(memory_pages_out, pages + PORT_PAGES);
	cr_expect_eq(bind(front, TORC_EVENT_UNBOUND, NOBODY, 0), TORC_ENOMEM);
	cr_expect_eq(front->lowest_port, TORC_EVENT_PORTS, "nobody looks for one any more");
	REFUSED(TORC_ENOMEM, bind(front, TORC_EVENT_UNBOUND, NOBODY, 0));
	REFUSED(TORC_ENOMEM, bind(front, TORC_EVENT_INTERDOMAIN, front->id, FIRST));
	REFUSED(TORC_ENOENT, hc_event_close(FRONT, TORC_EVENT_PORTS));
	cr_expect_eq(hc_event_close(FRONT, 4095), 0);
	cr_expect_eq(hc_event_close(FRONT, 700), 0);
	cr_expect_eq(bind(front, TORC_EVENT_UNBOUND, NOBODY, 0), 700);
	cr_expect_eq(bind(front, TORC_EVENT_IPI, 0, 0), 4095);
	cr_expect_eq(hc_event_send(FRONT, 4095), 0);
	cr_expect(event_is_pending(front, 0, 4095));
}

Test(port, without_memory_no_port)
{
	s64 port = bind(back, TORC_EVENT_UNBOUND, front->id, 0);

	memory_fail_after = 0;
	REFUSED(TORC_ENOMEM, bind(front, TORC_EVENT_UNBOUND, NOBODY, 0));
	REFUSED(TORC_ENOMEM, bind(front, TORC_EVENT_INTERDOMAIN, back->id, port));
	memory_fail_after = ~0ull;
	cr_expect_eq(bind(front, TORC_EVENT_INTERDOMAIN, back->id, port), FIRST);
}

/* What was pending for an earlier use of a number is not for the next one. */
Test(port, a_new_port_is_not_pending)
{
	s64 port = bind(front, TORC_EVENT_IPI, 0, 0);

	cr_expect_eq(hc_event_send(FRONT, port), 0);
	cr_expect_eq(hc_event_close(FRONT, port), 0);
	cr_expect_eq(bind(front, TORC_EVENT_IPI, 0, 0), port);
	cr_expect_not(event_is_pending(front, 0, port));
}

static void mask(struct domain *of, u32 number, unsigned int port, bool on)
{
	u64 bit = 1ull << port % 64, *word = &of->vcpu[number]->page->event_mask[port / 64];

	*word = on ? *word | bit : *word & ~bit;
}

static bool is_masked(struct domain *of, u32 number, unsigned int port)
{
	return of->vcpu[number]->page->event_mask[port / 64] >> port % 64 & 1;
}

Test(port, a_move_takes_along_what_is_pending_and_masked)
{
	unsigned int masked, pending;
	s64 port;

	bring_up(front, 1);
	port = bind(front, TORC_EVENT_IPI, 0, 0);
	for (masked = 0; masked < 2; masked++) {
		for (pending = 0; pending < 2; pending++) {
			mask(front, 0, port, masked);
			mask(front, 1, port, !masked);
			if (pending)
				hc_event_send(FRONT, port);
			cr_expect_eq(hc_event_move(FRONT, port, 0), 0);
			cr_expect_eq(is_masked(front, 0, port), masked, "to where it is");
			FRONT->page->pending = 0;
			cr_expect_eq(hc_event_move(FRONT, port, 1), 0);
			cr_expect_eq(is_masked(front, 1, port), masked);
			cr_expect_eq(front->vcpu[1]->page->pending != 0, pending && !masked);
			cr_expect_eq(event_is_pending(front, 1, port), pending);
			cr_expect_not(event_is_pending(front, 0, port));
			mask(front, 1, port, false);
			hc_event_send(FRONT, port);
			cr_expect(event_is_pending(front, 1, port), "fires there now");
			cr_expect_eq(hc_event_move(FRONT, port, 0), 0);
		}
	}
}

/* To the lowest that is up, with what is pending, and not those of others. */
Test(port, ports_of_a_vcpu_that_goes_down_move)
{
	s64 stays, moves;

	bring_up(back, 1);
	bring_up(back, 2);
	stays = bind(back, TORC_EVENT_IPI, 1, 0);
	moves = bind(back, TORC_EVENT_IPI, 2, 0);
	cr_expect_eq(bind(back, TORC_EVENT_IPI, 0, 0), moves + 1);
	pair_on(front); /* back's vCPU 0 leaves its CPU */
	cr_expect_eq(hc_vcpu_down(back->vcpu[1], 0), 0);
	cr_expect_eq(hc_event_send(back->vcpu[1], moves + 1), 0);
	cr_expect(event_is_pending(back, 1, moves + 1));
	cr_expect_eq(hc_event_send(back->vcpu[1], moves), 0);
	cr_expect(back->vcpu[2]->page->event_pending[moves / 64], "not the others");
	cr_expect_eq(hc_vcpu_down(back->vcpu[1], 2), 0);
	cr_expect(event_is_pending(back, 1, moves) && !event_is_pending(back, 1, stays));
	cr_expect_eq(hc_event_send(back->vcpu[1], stays), 0);
	cr_expect(event_is_pending(back, 1, stays));
}

/* Another CPU decides it while this one stops a vCPU. */
static void ending_begins(void)
{
	front->ending = TORC_SHUTDOWN_POWEROFF + 1;
	front->vcpu[0]->state = front->vcpu[1]->state = VCPU_DOWN;
}

/* Pages of a domain that ends stay until it is gone: another of its CPUs may still be in a call. */
Test(port, a_domain_that_ends_keeps_its_pages)
{
	s64 port;

	bring_up(front, 1);
	port = hc_event_bind(front->vcpu[1], TORC_EVENT_IPI, 1, 0);
	sched_stops = ending_begins;
	cr_expect_eq(hc_vcpu_down(FRONT, 1), TORC_EAGAIN);
	cr_expect_eq(hc_event_rearm(FRONT, port), 0, "that page is still there");
	sched_stops = NULL;
}

Test(port, rearm_unmasks)
{
	s64 port = bind(front, TORC_EVENT_IPI, 0, 0);

	mask(front, 0, port, true);
	hc_event_send(FRONT, port);
	cr_expect_eq(FRONT->page->pending, 0);
	cr_expect_eq(hc_event_rearm(FRONT, port), 0);
	cr_expect(!is_masked(front, 0, port) && FRONT->page->pending);
	cr_expect(event_is_pending(front, 0, port));
	cr_expect_eq(hc_event_rearm(FRONT, port), 0);
	cr_expect_not(event_is_pending(front, 0, port), "it was not pending");
}

Test(port, a_virtual_interrupt_tells_of_domains)
{
	struct domain *third;
	s64 port, again;

	NO_PORT(TORC_EINVAL, bind(back, TORC_EVENT_VIRQ, TORC_VIRQ_COUNT, 0));
	NO_PORT(TORC_EINVAL, bind(back, TORC_EVENT_VIRQ, ~0ull, 0));
	NO_PORT(TORC_EPERM, bind(front, TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0));
	port = bind(back, TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0);
	NO_PORT(TORC_EBUSY, bind(back, TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0));
	REFUSED(TORC_EINVAL, hc_event_send(BACK, port));
	cr_assert(make("domain name=third mem=4M"));
	cr_expect(event_is_pending(back, 0, port));
	cr_expect_eq(FRONT->page->pending, 0);
	third = front->next;
	end(third, TORC_SHUTDOWN_POWEROFF);
	cr_expect(event_is_pending(back, 0, port));
	cr_expect_eq(hc_event_close(BACK, port), 0);
	virq_raise(TORC_VIRQ_DOMAIN);
	cr_expect_eq(BACK->page->pending, 0);
	again = bind(back, TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0);
	cr_expect_eq(again, port);
}

Test(port, interrupts_of_the_machine_that_are_refused)
{
	unsigned int gsi;
	u64 port;

	test_inputs[7] = (struct test_input){ .vector = 0xf1 }; /* the hypervisor's own */
	NO_PORT(TORC_EPERM, bind(front, TORC_EVENT_PIRQ, 9, 0));
	NO_PORT(TORC_EINVAL, bind(back, TORC_EVENT_PIRQ, 0x400, 0));
	NO_PORT(TORC_EINVAL, bind(back, TORC_EVENT_PIRQ, 1ull << 32 | 9, 0));
	NO_PORT(TORC_EBUSY, bind(back, TORC_EVENT_PIRQ, 7, 0));
	NO_PORT(TORC_ENOENT, bind(back, TORC_EVENT_PIRQ, TEST_INPUTS, 0));
	cr_expect_geq(bind(back, TORC_EVENT_PIRQ, 9, 0), FIRST);
	ioapic_mask(9, true);
	NO_PORT(TORC_EBUSY, bind(back, TORC_EVENT_PIRQ, 9, 0));
	for (gsi = 0; gsi < PIRQ_VECTORS; gsi++)
		if (gsi != 7 && gsi != 9)
			cr_assert_geq(bind(back, TORC_EVENT_PIRQ, gsi, 0), FIRST);
	cr_assert_geq(bind(back, TORC_EVENT_PIRQ, PIRQ_VECTORS, 0), FIRST);
	NO_PORT(TORC_EBUSY, bind(back, TORC_EVENT_PIRQ, PIRQ_VECTORS + 1, 0));
	for (port = FIRST; port < FIRST + PIRQ_VECTORS; port++)
		cr_expect_eq(bind(front, TORC_EVENT_INTERDOMAIN, back->id, port), TORC_EBUSY,
			     "whatever number stands behind it");
}

/* The input's vector, as far as it is routed to a domain. */
static unsigned int vector_of(unsigned int gsi)
{
	return test_inputs[gsi].vector;
}

Test(port, an_edge_fires_each_time)
{
	s64 port = bind(back, TORC_EVENT_PIRQ, 9 | TORC_PIRQ_ACTIVE_LOW, 0);

	cr_assert(vector_of(9) >= VECTOR_PIRQ && vector_of(9) < VECTOR_PIRQ + PIRQ_VECTORS);
	cr_expect(test_inputs[9].active_low && !test_inputs[9].level);
	REFUSED(TORC_EINVAL, hc_event_send(BACK, port));
	pirq_raise(vector_of(9));
	cr_expect(event_is_pending(back, 0, port) && !test_inputs[9].masked);
	pirq_raise(vector_of(9));
	cr_expect(event_is_pending(back, 0, port));
	ioapic_mask(9, true);
	cr_expect_eq(hc_event_rearm(BACK, port), 0);
	cr_expect(test_inputs[9].masked, "only a level is let come again");
	ioapic_mask(9, false);
	cr_expect_eq(hc_event_close(BACK, port), 0);
	cr_expect(test_inputs[9].masked);
	pirq_raise(vector_of(9)); /* that was on its way */
	cr_expect_eq(BACK->page->pending, 0);
	cr_expect_eq(bind(back, TORC_EVENT_PIRQ, 9, 0), port, "it is free again");
}

Test(port, a_level_waits_for_rearm)
{
	s64 port = bind(back, TORC_EVENT_PIRQ, 10 | TORC_PIRQ_LEVEL, 0);
	s64 other = bind(back, TORC_EVENT_UNBOUND, vector_of(10) - VECTOR_PIRQ, 0);

	cr_expect(test_inputs[10].level && !test_inputs[10].active_low);
	pirq_raise(vector_of(10));
	cr_expect(event_is_pending(back, 0, port) && test_inputs[10].masked);
	cr_expect_eq(hc_event_rearm(BACK, other), 0);
	cr_expect(test_inputs[10].masked, "another port, whatever stands behind it");
	cr_expect_eq(hc_event_rearm(BACK, port), 0);
	cr_expect(!test_inputs[10].masked && !event_is_pending(back, 0, port));
	ports_close(back);
	cr_expect(test_inputs[10].masked);
}

/* Either side ends first: the other is told, its port waits, and nobody holds a domain. */
Test(port, a_domain_ends_with_channels)
{
	s64 b, f, own, spoken[2];

	connect(&b, &f);
	connect(&spoken[0], &spoken[1]);
	own = bind(front, TORC_EVENT_UNBOUND, front->id, 0);
	bind(front, TORC_EVENT_INTERDOMAIN, front->id, own);
	hc_event_send(BACK, b);
	end(front, TORC_SHUTDOWN_POWEROFF);
	cr_assert(domain_list == back && !back->next, "it is gone at once");
	EXPECT_PAIR();
	cr_expect(event_is_pending(back, 0, b));
	BACK->page->pending = 1ull << spoken[0] / 64;
	cr_expect(event_is_pending(back, 0, spoken[0]));
	cr_expect_eq(hc_event_send(BACK, b), TORC_EAGAIN);
	cr_expect_eq(hc_event_close(BACK, b), 0);
}

Test(port, the_other_domain_ends_with_channels)
{
	s64 b, f;

	connect(&b, &f);
	bind(back, TORC_EVENT_PIRQ, 9, 0);
	bind(back, TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0);
	end(back, TORC_SHUTDOWN_POWEROFF);
	cr_assert(domain_list == front && !front->next);
	EXPECT_PAIR();
	cr_expect(test_inputs[9].masked);
	pirq_raise(vector_of(9));
	cr_expect(event_is_pending(front, 0, f));
	cr_expect_eq(hc_event_send(FRONT, f), TORC_EAGAIN);
}

/* Somebody still looks at a domain that has ended: it is found no more once that is over. */
Test(port, a_domain_that_ends_is_bound_to_no_more)
{
	s64 waits = bind(front, TORC_EVENT_UNBOUND, back->id, 0);
	struct domain *held = domain_get(front->id);
	u16 id = front->id;

	end(front, TORC_SHUTDOWN_POWEROFF);
	cr_expect_eq(bind(back, TORC_EVENT_INTERDOMAIN, id, waits), TORC_ENOENT, "no such port");
	domain_put(held);
	cr_expect_null(domain_get(id));
	cr_expect_eq(bind(back, TORC_EVENT_INTERDOMAIN, id, waits), TORC_ENOENT);
}

static bool builder_may_stop(unsigned int work __unused)
{
	return test_cpu.current != NULL;
}

/* The last reference is given back by another domain's call: that domain's time is not asked. */
Test(port, a_reboot_in_anothers_call)
{
	struct domain *held;

	front->source.restarts = 1;
	held = domain_get(front->id);
	pair_on(back);
	end(front, TORC_SHUTDOWN_REBOOT);
	preempt_due_if = builder_may_stop;
	domain_put(held);
	preempt_due_if = NULL;
	cr_assert_not_null(back->next);
	cr_expect_str_eq(back->next->name, "front");
	cr_expect_eq(test_cpu.current, BACK);
}
