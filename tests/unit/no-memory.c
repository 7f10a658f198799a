/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Each allocation in turn fails: that one only, or all from there on. Whoever asked for memory is
 * told so, all rules about frames hold, and once the domains are gone so is what they took.
 *
 * A guest that could make the hypervisor go on with half a structure would find frames of others in
 * it; one that could make it lose pages would stop all others by asking again and again.
 *
 * Attack: use up the memory, so that any allocation of a call fails.
 * Vulnerable: half a structure with frames of others in it, or memory that is lost with each
 * attempt.
 * Fixed: what was taken is given back.
 */
#include "console.h"
#include "pair.h"
#include "state.h"

#define PAGE_WANT 90
#define PAGE_LDT 100

static void create(void)
{
	builder_create();
	cpu_features.xsave = true;
}

TestSuite(no_memory, .init = create, .fini = builder_remove);

/* @attempt fails as often as it has allocations, which are @least or more. */
static void fail_each(s64 (*attempt)(void), unsigned int least)
{
	unsigned int n = 0, once, failures;
	s64 result;

	for (once = 0; once < 2; once++)
		for (n = 0;; n++) {
			pair_build();
			memory_failures = 0;
			memory_fail_after = n;
			memory_fail_once = once;
			result = attempt();
			failures = memory_failures;
			memory_fail_after = ~0ull;
			EXPECT_PAIR();
			cr_expect_eq(result, failures ? TORC_ENOMEM : 0, "allocation %u: %ld", n,
				     (long)result);
			if (failures)
				cr_expect_eq(attempt(), 0, "with memory it succeeds");
			pair_destroy();
			cr_assert_eq(memory_chunks_out, 0, "allocation %u", n);
			if (!failures)
				break;
		}
	cr_expect_geq(n, least, "%u allocations only", n);
}

static s64 build_another(void)
{
	return make("domain name=another mem=4M maxmem=6M vcpus=2") ? 0 : TORC_ENOMEM;
}

Test(no_memory, for_a_domain_of_the_boot_loader)
{
	fail_each(build_another, 40);
}

static s64 create_another(void)
{
	struct torc_domain_create *want = page_in(back, PAGE_WANT);
	s64 id;

	*want = (struct torc_domain_create){
		.size = sizeof(*want), .vcpus = 2, .pages = 1024, .max_pages = 1536,
		.linear_base = ELF_FILE_LINEAR, .console_ring = 5, .time_page = 6, .name = "made",
	};
	id = hc_domain_create(BACK, PAGE_WANT);
	return id > 0 ? 0 : id;
}

Test(no_memory, for_a_domain_of_the_tools)
{
	fail_each(create_another, 40);
}

/* A vCPU with an LDT of three pages: the state is refused, and what it named is free again. */
static s64 start_vcpu(void)
{
	struct torc_vcpu_state *state = page_in(back, PAGE_STATE);
	unsigned int i;
	s64 result;

	vcpu_get_state(BACK, state);
	state->vcpu_page = PAGE_VCPU;
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		state->batch_pages[i] = i < 2 ? PAGE_DATA + i : INVALID_PFN;
	state->ldt_entries = 2 * ENTRIES + 1;
	for (i = 0; i < 3; i++)
		state->ldt_pages[i] = PAGE_LDT;
	result = hc_vcpu_up(BACK, 1, PAGE_STATE);
	if (result) {
		cr_expect_eq(back->vcpu[1]->state, VCPU_DOWN);
		cr_expect_eq(frame_table[domain_mfn(back, PAGE_DATA)].ref_count, 1, "linear map");
		cr_expect_eq(back->vcpu[1]->root, INVALID_MFN);
	}
	return result;
}

Test(no_memory, for_a_vcpu_that_starts)
{
	fail_each(start_vcpu, 3);
}

static s64 load_ldt(void)
{
	u64 page;
	s64 error = 0;

	for (page = 0; !error && page < 4; page++)
		error = hc_ldt_load(FRONT, page, PAGE_LDT, ENTRIES);
	cr_expect_eq(FRONT->ldt_entries, error ? (page - 1) * ENTRIES : 4 * ENTRIES);
	return error;
}

Test(no_memory, for_an_ldt)
{
	fail_each(load_ldt, 4);
}

static s64 map_ring(void)
{
	u64 *grants = page_in(front, PAGE_GRANTS);
	s64 slot;

	if (front->grant_pfn[0] == INVALID_PFN)
		cr_assert_eq(hc_grant_register(FRONT, 0, PAGE_GRANTS), 0);
	grants[1] = (u64)back->id << TORC_GRANT_DOMAIN_SHIFT |
		    (u64)PAGE_DATA << TORC_GRANT_PFN_SHIFT | TORC_GRANT_RING;
	slot = hc_grant_map_ring(BACK, front->id, 1);
	if (slot)
		cr_expect_eq(front->references, 1, "it is not kept");
	return slot;
}

Test(no_memory, for_a_ring_page)
{
	fail_each(map_ring, 4);
}

static s64 populate(void)
{
	s64 result = hc_memory_populate(FRONT, 1024);

	cr_expect_eq(front->owned_pages, result ? 1024 : 1536);
	cr_expect_eq(domain_mfn(front, 1024) == INVALID_MFN, result != 0);
	return result;
}

Test(no_memory, for_a_balloon)
{
	fail_each(populate, 1);
}

/* Both ends of a channel: neither is bound, and nobody keeps the other. */
static s64 connect(void)
{
	s64 port = hc_event_bind(FRONT, TORC_EVENT_UNBOUND, back->id, 0);
	s64 result = port < 0 ? port :
				hc_event_bind(BACK, TORC_EVENT_INTERDOMAIN, front->id, port);

	cr_expect_eq(front->references, result < 0 ? 1 : 2);
	if (port >= 0 && result < 0)
		cr_expect_eq(hc_event_close(FRONT, port), 0);
	return MIN(result, 0);
}

Test(no_memory, for_a_channel)
{
	fail_each(connect, 2);
}

/*
 * Copies of roots take turns with the frames there are: a vCPU goes on, as its first copy came with
 * it.
 */
Test(no_memory, for_copies_of_roots)
{
	unsigned int n, i, once;
	mfn_t first;

	for (once = 0; once < 2; once++)
		for (n = 0; n < 5; n++) {
			pair_build();
			first = FRONT->root;
			memory_fail_after = n;
			memory_fail_once = once;
			pair_on(front);
			for (i = 0; i < 4; i++) {
				memcpy(page_in(front, 820 + i), mfn_to_virt(first), PAGE_SIZE);
				*batch_op(0) = (struct torc_batch_op){
					.op = TORC_OP_NEW_ROOT, .entry = (820 + i) << PAGE_SHIFT };
				cr_assert_eq(batch_run(0, 1), 0);
				cr_expect_neq(root_copy_of(FRONT), INVALID_PADDR);
				EXPECT_PAIR();
			}
			cr_expect_eq(FRONT->root_copies, once && n < 4 ? 4 : MIN(n + 1, 5u));
			cr_assert_eq(root_load(FRONT, first), 0);
			memory_fail_after = ~0ull;
			pair_destroy();
		}
}

/* A domain that reboots when its place has gone to others is gone: the machine is as without it. */
Test(no_memory, for_a_reboot)
{
	unsigned int n;

	for (n = 0;; n++) {
		pair_build();
		back->source.restarts = 1;
		memory_failures = 0;
		memory_fail_after = n;
		end(back, TORC_SHUTDOWN_REBOOT);
		memory_fail_after = ~0ull;
		EXPECT_PAIR();
		cr_expect_eq(!domain_list->next, !!memory_failures);
		pair_destroy();
		if (!memory_failures)
			break;
	}
	cr_expect_geq(n, 40, "%u allocations only", n);
}
