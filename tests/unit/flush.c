/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Flushes on other CPUs: who runs a guest is made to come, nobody else is, and the call does not
 * return before they have.
 *
 * Attack: go on using, on another CPU, a translation through a table that falls.
 * Vulnerable: the page behind it is written when it is something else.
 * Fixed: that CPU has been in the hypervisor before the last reference goes.
 */
#include <criterion/criterion.h>
#include "unit.h"

#define VCPUS 5

static struct cpu cpu[VCPUS];
static struct vcpu others[VCPUS];
static u32 arrived; /* set of CPUs */

static void arrive(u32 target)
{
	cr_assert(cpu[target].passes & 1, "CPU %u is in no guest", target);
	arrived |= 1u << target;
	cpu[target].passes++;
}

/* vCPU i is on CPU i; the caller's is 0, CPU 2 is in the hypervisor, and vCPU 4 runs nowhere. */
static void create(void)
{
	u32 i;

	world_create();
	for (i = 0; i < VCPUS; i++) {
		cpu[i] = (struct cpu){ .id = i, .apic_id = i, .passes = i == 2 ? 10 : 11,
				       .counters = test_cpu.counters };
		others[i] = (struct vcpu){ .id = i, .domain = domain, .cpu = &cpu[i] };
		domain->vcpu[i] = &others[i];
	}
	cpu[0].passes = 10;
	others[4].cpu = NULL;
	domain->vcpu_count = VCPUS;
	test_this_cpu = &cpu[0];
	ipi_arrives = arrive;
	ipis = arrived = 0;
}

static void destroy(void)
{
	domain->vcpu[0] = vcpu;
	domain->vcpu_count = 1;
	test_this_cpu = &test_cpu;
	ipi_arrives = NULL;
}

TestSuite(flush, .init = create, .fini = destroy);

Test(flush, everybody_in_a_guest_comes)
{
	flush_vcpus(domain, ~0ull);
	cr_expect_eq(arrived, 1u << 1 | 1u << 3, "%x", arrived);
}

Test(flush, only_the_vcpus_asked_for_come)
{
	flush_vcpus(domain, 1ull << 3 | 1ull << 2 | 1ull << 0);
	cr_expect_eq(arrived, 1u << 3, "%x", arrived);
	flush_vcpus(domain, 0);
	cr_expect_eq(ipis, 1);
}

/* A table that loses its last use is flushed for only when an entry that led to it has gone. */
Test(flush, tables_that_fall)
{
	enum { L1 = 10, L2, DATA = 20 };

	plain(L1, 0, entry_of(DATA, RO));
	cr_assert_eq(table_pin(domain, mfn_of(L2), 2), 0);
	cr_expect_eq(ipis, 2, "it must not be written from here on");
	cr_assert_eq(table_set(domain, mfn_of(L2), 0, entry_of(L1, TABLE), false, NULL), 0);
	cr_expect_eq(arrived, 1u << 1 | 1u << 3);
	cpu[1].passes = cpu[3].passes = 21;
	ipis = 0;
	cr_assert_eq(table_set(domain, mfn_of(L2), 0, 0, false, NULL), 0);
	cr_expect_eq(ipis, 2, "the entry may be cached");
	cr_expect_eq(frame_of(L1)->type, FRAME_NONE);
	cpu[1].passes = cpu[3].passes = 31;
	ipis = 0;
	cr_assert_eq(table_unpin(domain, mfn_of(L2)), 0);
	cr_expect_eq(ipis, 0, "nothing led to it");
}
