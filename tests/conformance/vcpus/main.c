/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * vCPUs start, have pages of their own, kick each other without losing a kick, stop, and start
 * again.
 *
 * Attack: start vCPUs again while they are on their way down; kick, start, stop and send NMIs to
 * those that are down, that run already, or that do not exist.
 * Vulnerable: an event goes to a vCPU that is gone or none, or nowhere, and its receiver sleeps for
 * ever.
 * Fixed: an error where there is no vCPU, and no kick is lost.
 */
#include "conformance.h"

#define ROUNDS 20000
#define LIVES 20

static uint32_t vcpus;
static volatile uint64_t ball; /* the number of the round; odd: it is at the other vCPU */

static void wait_for(uint64_t value)
{
	torc_irq_off();
	while (ball != value) {
		torc_block();
		torc_irq_off();
	}
}

static void play(void *argument)
{
	uint32_t number = (uint32_t)(uint64_t)argument;
	uint64_t round;

	CHECK(TORC_SHIM_VCPU->vcpu == number, "the page of vCPU %u says %u", number,
	      TORC_SHIM_VCPU->vcpu);
	CHECK(guest_cpu()->number == number, "GS base of vCPU %u", number);
	for (round = 0; round < ROUNDS; round++) {
		wait_for(2 * round + 1);
		ball = 2 * round + 2;
		torc_vcpu_kick(1);
	}
}

static void play_with(uint32_t number)
{
	uint64_t round;

	ball = 0;
	expect_status("vcpu_up", guest_vcpu_start(number, play, (void *)(uint64_t)number), TORC_OK);
	for (round = 0; round < ROUNDS; round++) {
		ball = 2 * round + 1;
		torc_vcpu_kick(1UL << number);
		wait_for(2 * round + 2);
	}
	guest_vcpu_wait(number);
	torc_irq_off();
}

static volatile uint32_t lives;

static void live(void *argument)
{
	(void)argument;
	__atomic_fetch_add(&lives, 1, __ATOMIC_RELAXED);
}

static void start_all(void)
{
	uint32_t i, life;

	for (life = 0; life < LIVES; life++)
		for (i = 1; i < vcpus; i++)
			expect_status("vcpu_up", guest_vcpu_start(i, live, NULL), TORC_OK);
	for (i = 1; i < vcpus; i++)
		guest_vcpu_wait(i);
	CHECK(lives == LIVES * (vcpus - 1), "%u lives instead of %u", lives, LIVES * (vcpus - 1));
}

static void refuse(void)
{
	expect_status("up of none", torc_vcpu_up(vcpus, 0), TORC_ENOENT);
	expect_status("up of itself", torc_vcpu_up(0, 0), TORC_EBUSY);
	expect_status("state nowhere", torc_vcpu_up(1, guest_start->pages), TORC_ENOENT);
	expect_status("empty state", torc_vcpu_up(1, guest_page()), TORC_EINVAL);
	expect_status("down of none", torc_vcpu_down(vcpus), TORC_ENOENT);
	expect_status("down of the last", torc_vcpu_down(0), TORC_EBUSY);
	expect_status("kick of none", torc_vcpu_kick(1UL << vcpus), TORC_ENOENT);
	expect_status("kick of one that is down", torc_vcpu_kick(2), TORC_OK);
	expect_status("NMI to one that is down", torc_nmi_send(1), TORC_OK);
}

void test_main(void)
{
	uint32_t i;

	vcpus = guest_start->vcpus;
	REQUIRE(vcpus > 1, "%u vCPUs", vcpus);
	refuse();
	start_all();
	refuse();
	for (i = 1; i < vcpus; i++)
		play_with(i);
}
