/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A channel between two domains and a ring page that both see: no event is lost, and when the grant
 * is taken back, or the other side ends, nobody faults and nobody sees or changes what is not his
 * any more.
 *
 * Attack: the viewer goes on using a ring page behind its revocation.
 * Vulnerable: it reads and writes memory that its owner uses for something else.
 * Fixed: its window shows a page that means nothing to anybody.
 *
 * The command line is "owner" or "peer", and how often they wake each other, the same for both.
 */
#include "conformance.h"

#define OWNER 1 /* ids, in the order of the modules */
#define PEER 2
#define ROUNDS 20000 /* if the command line does not say */
#define RING_GRANT 0
#define SECRET 0x5ec2e7
#define SCRIBBLE 0xbad

static uint64_t port, rounds;
static uint64_t last_port; /* where each event answers one, so that none of the rounds is counted */
static volatile uint64_t *ring; /* [0] is the owner's turn, [1] the peer's */

/* True for the peer. */
static bool read_words(void)
{
	const char *text = guest_linear(guest_start->cmdline);
	bool is_peer = *text == 'p';

	while (*text && *text != ' ')
		text++;
	rounds = next_number(&text);
	if (!rounds)
		rounds = ROUNDS;
	return is_peer;
}

static void wait_for(const volatile uint64_t *word, uint64_t value)
{
	torc_irq_off();
	while (*word != value) {
		torc_block();
		torc_irq_off();
	}
}

/* Waits until the port has fired @count times in all. */
static void wait_fired(uint64_t count)
{
	torc_irq_off();
	while (guest_event_count[port] < count) {
		torc_block();
		torc_irq_off();
	}
}

static void refuse_both(void)
{
	expect_status("unknown kind", torc_event_bind(0, 0, 0), TORC_EINVAL);
	expect_status("no such vCPU", torc_event_bind(TORC_EVENT_IPI, 64, 0), TORC_ENOENT);
	expect_status("virq", torc_event_bind(TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0), TORC_EPERM);
	expect_status("pirq", torc_event_bind(TORC_EVENT_PIRQ, 9, 0), TORC_EPERM);
	expect_status("no such domain", torc_event_bind(TORC_EVENT_INTERDOMAIN, 77, 16),
		      TORC_ENOENT);
	expect_status("fixed port", torc_event_send(TORC_PORT_TIMER), TORC_ENOENT);
	expect_status("port behind the last", torc_event_send(TORC_EVENT_PORTS), TORC_ENOENT);
	expect_status("port never bound", torc_event_close(4095), TORC_ENOENT);
	expect_status("ring of nobody", torc_grant_map_ring(77, 0), TORC_ENOENT);
	expect_status("slot without a ring", torc_grant_unmap_ring(0), TORC_ENOENT);
	expect_status("slot that is none", torc_grant_unmap_ring(TORC_RING_SLOTS), TORC_ENOENT);
}

static void own(void)
{
	volatile uint64_t *grants = guest_pages(1);
	uint64_t round;

	port = (uint64_t)torc_event_bind(TORC_EVENT_UNBOUND, PEER, 0);
	REQUIRE(port == TORC_PORT_FIRST_FREE, "the first port is %ld", (int64_t)port);
	expect_status("own port", torc_event_bind(TORC_EVENT_INTERDOMAIN, OWNER, port), TORC_EBUSY);
	round = (uint64_t)torc_event_bind(TORC_EVENT_UNBOUND, 77, 0);
	expect_status("nobody there", torc_event_send(round), TORC_EAGAIN);
	expect_status("close", torc_event_close(round), TORC_OK);
	last_port = (uint64_t)torc_event_bind(TORC_EVENT_UNBOUND, PEER, 0);
	REQUIRE(last_port == TORC_PORT_FIRST_FREE + 1, "the second is %ld", (int64_t)last_port);
	ring = guest_pages(1);
	expect_status("grant table", torc_grant_register(0, page_of((void *)grants)), TORC_OK);
	grants[RING_GRANT] = (uint64_t)PEER << TORC_GRANT_DOMAIN_SHIFT |
			     page_of((void *)ring) << TORC_GRANT_PFN_SHIFT | TORC_GRANT_RING;
	for (round = 1; round <= rounds; round++) {
		wait_for(&ring[1], round);
		ring[0] = round;
		torc_event_send(port);
	}
	port = last_port;
	wait_fired(1);
	grants[RING_GRANT] = 0;
	expect_status("settle", torc_grant_settle(1), TORC_OK);
	ring[0] = SECRET;
	torc_event_send(port);
	wait_fired(2);
	CHECK(ring[0] == SECRET && ring[1] == rounds, "the peer wrote %lx %lx", ring[0], ring[1]);
}

/* The owner takes its time to start and to grant. */
static void connect(void)
{
	int64_t slot;

	do {
		port = (uint64_t)torc_event_bind(TORC_EVENT_INTERDOMAIN, OWNER,
						 TORC_PORT_FIRST_FREE);
		torc_yield();
	} while ((int64_t)port == TORC_ENOENT);
	REQUIRE((int64_t)port >= TORC_PORT_FIRST_FREE, "bind: %ld", (int64_t)port);
	do {
		slot = torc_grant_map_ring(OWNER, RING_GRANT);
		torc_yield();
	} while (slot == TORC_ENOENT || slot == TORC_EPERM);
	REQUIRE(slot == 0, "slot %ld", slot);
	ring = (volatile uint64_t *)TORC_WINDOW_RINGS;
	last_port = (uint64_t)torc_event_bind(TORC_EVENT_INTERDOMAIN, OWNER,
					      TORC_PORT_FIRST_FREE + 1);
	REQUIRE((int64_t)last_port > 0, "second bind: %ld", (int64_t)last_port);
}

static void peer(void)
{
	uint64_t round;

	connect();
	expect_status("a port that is taken",
		      torc_event_bind(TORC_EVENT_INTERDOMAIN, OWNER, TORC_PORT_FIRST_FREE),
		      TORC_EBUSY);
	expect_status("a grant that is none", torc_grant_map_ring(OWNER, 1), TORC_EPERM);
	expect_status("a grant far out", torc_grant_map_ring(OWNER, 600), TORC_ENOENT);
	expect_status("itself", torc_grant_map_ring(PEER, 0), TORC_EINVAL);
	for (round = 1; round <= rounds; round++) {
		ring[1] = round;
		torc_event_send(port);
		wait_for(&ring[0], round);
	}
	port = last_port;
	torc_event_send(port);
	wait_fired(1);
	CHECK(ring[0] == 0, "behind the revocation 0x%lx is seen", ring[0]);
	ring[0] = ring[1] = SCRIBBLE; /* no fault */
	torc_event_send(port);
	wait_fired(2); /* the owner is gone */
	expect_status("to nobody", torc_event_send(port), TORC_EAGAIN);
	expect_status("unmap", torc_grant_unmap_ring(0), TORC_OK);
	expect_status("unmap again", torc_grant_unmap_ring(0), TORC_ENOENT);
	expect_status("close", torc_event_close(port), TORC_OK);
	expect_status("close again", torc_event_close(port), TORC_ENOENT);
}

/* row: foreign-ring */
void test_main(void)
{
	bool is_peer = read_words();

	refuse_both();
	if (is_peer)
		peer();
	else
		own();
}
