/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A domain copied in canonical form: its pages and the state of its vCPU are read, written to a new
 * domain, and that one has the same tables with other frames behind them.
 *
 * Attack: hand over a vCPU whose state is wrong in some field, or entries that name no page.
 * Vulnerable: the tools' way starts what the guest's own way refuses.
 * Fixed: both are checked alike.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <torc/events.h>
#include <torc/manage.h>
#include "pair.h"
#include "state.h"

#define PAGE_WANT 90
#define PAGE_COPY 91
#define PAGES 1024

static struct domain *made;

/* A new domain of front's size and layout. */
static void create(void)
{
	struct torc_domain_create *want;

	pair_create();
	want = page_in(back, PAGE_WANT);
	*want = (struct torc_domain_create){
		.size = sizeof(*want), .vcpus = 1, .pages = PAGES, .max_pages = PAGES,
		.linear_base = front->linear_base, .time_page = front->time_pfn,
		.console_ring = m2p_table[virt_to_mfn(front->console)], .name = "made",
	};
	cr_assert_gt(hc_domain_create(BACK, PAGE_WANT), 0);
	made = front->next;
}

TestSuite(manage_copy, .init = create, .fini = pair_end);

/* Page @pfn of @from, as it is read: into back's page. Returns its level. */
static u32 read_page(const struct domain *from, pfn_t pfn)
{
	struct torc_memory_op *op = (struct torc_memory_op *)batch_op(0);

	*op = (struct torc_memory_op){ .op = TORC_MEMORY_READ, .level = 77, .pfn = pfn,
				       .own = PAGE_COPY };
	cr_assert_eq(hc_domain_memory(BACK, from->id, 0, 1), 0);
	return op->level;
}

static void write_page(pfn_t pfn, u32 level)
{
	struct torc_memory_op *op = (struct torc_memory_op *)batch_op(0);

	*op = (struct torc_memory_op){ .op = TORC_MEMORY_WRITE, .level = level, .pfn = pfn,
				       .own = PAGE_COPY };
	cr_assert_eq(hc_domain_memory(BACK, made->id, 0, 1), 0);
}

static void copy_pages(void)
{
	pfn_t pfn;

	for (pfn = 0; pfn < PAGES; pfn++)
		write_page(pfn, read_page(front, pfn));
}

static s64 vcpu_state(const struct domain *of, u64 write)
{
	return hc_domain_vcpu(BACK, of->id, 0, PAGE_STATE, write);
}

static void copy_vcpu(void)
{
	front->paused = true;
	cr_assert_eq(vcpu_state(front, 0), 0);
	cr_assert_eq(vcpu_state(made, 1), 0);
}

Test(manage_copy, the_copy_is_the_same)
{
	struct torc_vcpu_state first, second;
	static u64 page[512];
	unsigned int tables = 0;
	u32 level;
	pfn_t pfn;

	copy_pages();
	copy_vcpu();
	EXPECT_PAIR();
	cr_expect_eq(made->vcpu[0]->state, VCPU_RUNNABLE);
	for (pfn = 0; pfn < PAGES; pfn++) {
		level = read_page(front, pfn);
		memcpy(page, page_of(PAGE_COPY), PAGE_SIZE);
		cr_assert_eq(read_page(made, pfn), level, "page %lx", pfn);
		cr_assert(!memcmp(page, page_of(PAGE_COPY), PAGE_SIZE), "page %lx", pfn);
		tables += level > 0;
	}
	cr_expect_gt(tables, 6);
	vcpu_get_state(FRONT, &first);
	vcpu_get_state(made->vcpu[0], &second);
	cr_expect(!memcmp(&first, &second, sizeof(first)));
	cr_expect_neq(FRONT->root, made->vcpu[0]->root);
}

/* The copy's tables are in its linear map as the hypervisor wants it: they end as memory again. */
Test(manage_copy, the_copys_tables_can_end)
{
	pfn_t root;

	copy_pages();
	copy_vcpu();
	root = m2p_table[made->vcpu[0]->root];
	pair_on(made);
	*batch_op(0) = (struct torc_batch_op){ .op = TORC_OP_PIN, .value = 4,
					       .entry = root << PAGE_SHIFT };
	*batch_op(1) = (struct torc_batch_op){ .op = TORC_OP_UNPIN, .entry = root << PAGE_SHIFT };
	cr_expect_eq(batch_run(0, 2), 0);
	EXPECT_PAIR();
	pair_on(back);
}

/* Entries that lead out of the domain come to nothing, and what is not present stays as it is. */
Test(manage_copy, entries_that_name_no_page)
{
	u64 *copy = page_of(PAGE_COPY);

	memset(copy, 0, PAGE_SIZE);
	copy[0] = PAGES << PAGE_SHIFT | PTE_P;
	copy[1] = 5 << PAGE_SHIFT | PTE_P | PTE_NX;
	copy[2] = ~0xfffull & ~PTE_NX;
	write_page(40, 1);
	copy = page_in(made, 40);
	cr_expect_eq(copy[0], 0);
	cr_expect_eq(copy[1], mfn_to_paddr(domain_mfn(made, 5)) | PTE_P | PTE_NX);
	cr_expect_eq(copy[2], ~0xfffull & ~PTE_NX);
	cr_expect(frame_table[domain_mfn(made, 40)].flags & FRAME_LINEAR_RO);
	cr_expect_eq(read_page(made, 40), 0, "it is no table yet");
	cr_expect_eq(page_of(PAGE_COPY)[1], copy[1]);
	write_page(40, 0);
	cr_expect_eq(frame_table[domain_mfn(made, 40)].flags, 0);
}

Test(manage_copy, vcpus_that_are_refused)
{
	struct torc_vcpu_state *state = page_in(back, PAGE_STATE);

	REFUSED(TORC_EINVAL, vcpu_state(front, 2));
	REFUSED(TORC_EINVAL, vcpu_state(front, ~0ull));
	REFUSED(TORC_ENOENT, hc_domain_vcpu(BACK, front->id, 2, PAGE_STATE, 0));
	REFUSED(TORC_ENOENT, hc_domain_vcpu(BACK, front->id, ~0ull, PAGE_STATE, 1));
	REFUSED(TORC_ENOENT, hc_domain_vcpu(BACK, front->id, 0, back->pages, 0));
	REFUSED(TORC_ENOENT, hc_domain_vcpu(BACK, front->id, 1, back->owned_pages, 1));
	REFUSED(TORC_EBUSY, vcpu_state(front, 0));
	front->paused = true;
	FRONT->cpu = &cpus[1];
	cr_expect_eq(vcpu_state(front, 0), TORC_EBUSY, "it has not left its CPU");
	FRONT->cpu = NULL;
	REFUSED(TORC_EBUSY, hc_domain_vcpu(BACK, front->id, 0, m2p_table[BACK->root], 0));
	cr_assert_eq(vcpu_state(front, 0), 0);
	REFUSED(TORC_EBUSY, vcpu_state(front, 1));
	state->reserved0 = 1;
	cr_expect_eq(vcpu_state(made, 1), TORC_EINVAL);
	state->reserved0 = 0;
	state->root = (u64)PAGES << PAGE_SHIFT;
	cr_expect_eq(vcpu_state(made, 1), TORC_ENOENT);
	EXPECT_PAIR();
	cr_expect_eq(made->vcpu[0]->state, VCPU_DOWN);
}

/* A stop in the validation of the new tree is told, and called again for. */
Test(manage_copy, a_start_that_stops_goes_on)
{
	unsigned int calls = 0;
	s64 result;

	copy_pages();
	front->paused = true;
	cr_assert_eq(vcpu_state(front, 0), 0);
	do {
		preempt_calls = 0;
		preempt_at = 100;
		result = vcpu_state(made, 1);
	} while (result == TORC_EAGAIN && calls++ < 100);
	preempt_at = 0;
	cr_expect_eq(result, 0);
	cr_expect_gt(calls, 2);
	EXPECT_PAIR();
}

static unsigned int forgotten;

/* On its way off the list, without a reference: nobody gets one any more. */
bool console_forget(struct domain *ended)
{
	forgotten++;
	cr_expect_eq(ended->references, 0);
	cr_expect_null(domain_get(ended->id));
	cr_expect_null(domain_get_next(ended->id - 1));
	return false;
}

void console_focus(struct domain *domain __unused)
{
}

void console_admit(struct domain *domain __unused)
{
}

/* A domain that is being made ends, and one whose last user is another's call. */
Test(manage_copy, it_ends)
{
	struct domain *held = domain_get(made->id);
	u16 id = made->id;

	copy_pages();
	cr_expect_eq(hc_domain_control(BACK, id, TORC_DOMAIN_DESTROY, 0), 0);
	end(made, TORC_SHUTDOWN_POWEROFF);
	cr_expect_eq(front->next, made, "somebody holds it");
	cr_expect_eq(forgotten, 0);
	domain_put(held);
	cr_expect_eq(forgotten, 1);
	cr_expect_null(front->next);
	cr_expect_eq(hc_domain_control(BACK, id, TORC_DOMAIN_DESTROY, 0), TORC_ENOENT);
	cr_expect_eq(front->references, 1);
	end(front, TORC_SHUTDOWN_POWEROFF);
}

static void *give_back(void *held)
{
	domain_put(held);
	return NULL;
}

/*
 * Who finds that a domain is there no more makes another one of that name in its place: until the
 * list's lock is to be had, in which that happens, it must be found.
 */
Test(manage_copy, it_is_found_while_its_name_and_memory_are_not_free)
{
	struct domain *held = domain_get(made->id), *found;
	u64 id = made->id, chunks = memory_chunks_out;
	pthread_t thread;

	end(made, TORC_SHUTDOWN_POWEROFF);
	lock_take(&domains_lock);
	cr_assert_eq(pthread_create(&thread, NULL, give_back, held), 0);
	while (!lock_wanted(&domains_lock))
		usleep(1000);
	found = domain_get(id);
	cr_expect_eq(found, made);
	cr_expect(domain_name_taken("made"));
	lock_drop(&domains_lock);
	pthread_join(thread, NULL);
	if (found)
		domain_put(found);
	cr_expect_null(domain_get(id));
	cr_expect_eq(memory_chunks_out, chunks - PAGES / CHUNK_PAGES);
	cr_expect_gt(hc_domain_create(BACK, PAGE_WANT), 0);
}

static s64 virq;
static unsigned int returned;

static void expect_untold(void)
{
	returned++;
	cr_expect_not(event_is_pending(back, 0, virq));
}

/* A domain that waits for room is told when there is some. */
Test(manage_copy, its_end_is_told_when_its_memory_is_back)
{
	virq = hc_event_bind(BACK, TORC_EVENT_VIRQ, TORC_VIRQ_DOMAIN, 0);
	cr_assert_gt(virq, 0);
	memory_chunk_returns = expect_untold;
	end(made, TORC_SHUTDOWN_POWEROFF);
	memory_chunk_returns = NULL;
	cr_expect_eq(returned, PAGES / CHUNK_PAGES);
	cr_expect(event_is_pending(back, 0, virq));
}
