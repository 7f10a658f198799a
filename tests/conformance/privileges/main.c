/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A domain without privileges makes every call that needs one.
 *
 * Attack: control of other domains, of the scheduler, a look at the machine, without the right.
 * Vulnerable: the call is carried out, or its operands are looked at first and tell something.
 * Fixed: TORC_EPERM, whatever the operands are.
 */
#include "conformance.h"

/* row: privileges */
void test_main(void)
{
	uint64_t page = guest_page(), other = guest_start->domain == 1 ? 2 : 1, id;

	REQUIRE(guest_start->privileges == 0, "it has the privileges %lx", guest_start->privileges);
	expect_status("create", torc_domain_create(page), TORC_EPERM);
	for (id = other; id; id = id == other ? 77 : 0) {
		expect_status("pause", torc_domain_control(id, TORC_DOMAIN_PAUSE, 0), TORC_EPERM);
		expect_status("end", torc_domain_control(id, TORC_DOMAIN_DESTROY, 0), TORC_EPERM);
		expect_status("memory", torc_domain_memory(id, 0, 1), TORC_EPERM);
		expect_status("vcpu", torc_domain_vcpu(id, 0, page, 0), TORC_EPERM);
		expect_status("info", torc_domain_info(id, page), TORC_EPERM);
		expect_status("weight", torc_domain_schedule(id, TORC_SCHED_WEIGHT, 0, 1),
			      TORC_EPERM);
		expect_status("observe", torc_observe(TORC_OBSERVE_DOMAIN, id, page), TORC_EPERM);
	}
	expect_status("slice", torc_domain_schedule(0, TORC_SCHED_SLICE_NS, 0, 1000000),
		      TORC_EPERM);
	expect_status("log", torc_observe(TORC_OBSERVE_LOG, 0, page), TORC_EPERM);
	expect_status("trace", torc_observe_trace(~0UL), TORC_EPERM);
	expect_status("virtual interrupt", torc_event_bind(TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0),
		      TORC_EPERM);
	expect_status("interrupt", torc_event_bind(TORC_EVENT_PIRQ, 9, 0), TORC_EPERM);
}
