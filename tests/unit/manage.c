/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Control of domains: what is made and what is refused, by whom; requests; what domain_info tells;
 * and pages and vCPUs in canonical form, from one domain to a new one that is the same then.
 *
 * Attack: make, control and read domains without the privilege, or give away more than one has;
 * page lists and requests without end.
 * Vulnerable: any domain rules all others, or a CPU is kept.
 * Fixed: each call looks at who may, privileges only shrink, and long calls stop.
 */
#include <stdlib.h>
#include <torc/manage.h>
#include "alloc.h"
#include "entry.h"
#include "hypercall.h"
#include "pair.h"
#include "state.h"
#include "timer.h"

#define NOBODY 77
#define PAGE_WANT 90
#define PAGE_COPY 91

static struct torc_domain_create *want;

static void create(void)
{
	pair_create();
	want = page_in(back, PAGE_WANT);
	*want = (struct torc_domain_create){
		.size = sizeof(*want), .vcpus = 2, .pages = 1024, .max_pages = 1536,
		.privileges = TORC_PRIVILEGE_OBSERVE, .linear_base = ELF_FILE_LINEAR,
		.console_ring = 5, .time_page = 6, .name = "made",
	};
}

TestSuite(manage, .init = create, .fini = pair_end);

Test(manage, a_domain_is_made)
{
	struct domain *made;
	s64 id = hc_domain_create(BACK, PAGE_WANT);

	cr_assert_eq(id, 3, "%ld", id);
	made = front->next;
	EXPECT_PAIR();
	cr_expect(made->id == 3 && made->references == 1 && made->paused);
	cr_expect_str_eq(made->name, "made");
	cr_expect(made->pages == 1536 && made->owned_pages == 1024 && made->target_pages == 1024);
	cr_expect_eq(made->privileges, TORC_PRIVILEGE_OBSERVE);
	cr_expect(made->vcpu_count == 2 && made->vcpu[1]->state == VCPU_DOWN);
	cr_expect_eq(((struct torc_time *)page_in(made, 6))->size, sizeof(struct torc_time));
	cr_expect_eq(made->console, page_in(made, 5));
	cr_expect_eq(made->console->size, sizeof(*made->console));
	cr_expect_eq(hc_domain_control(BACK, 3, TORC_DOMAIN_DESTROY, 0), 0);
	cr_expect_eq(made->ending, TORC_SHUTDOWN_POWEROFF + 1);
}

static void refuse(int error, const char *what)
{
	s64 result = hc_domain_create(BACK, PAGE_WANT);

	cr_expect_eq(result, error, "%s: %ld", what, (long)result);
	cr_expect_null(front->next, "%s", what);
}

#define REFUSE(error, change) \
	do { \
		struct torc_domain_create before_ = *want; \
		change; \
		refuse(error, #change); \
		*want = before_; \
	} while (0)

Test(manage, domains_that_are_not_made)
{
	u64 pages = memory_pages_out, chunks = memory_chunks_out;

	REFUSE(TORC_EINVAL, want->size--);
	REFUSE(TORC_EINVAL, want->vcpus = 0);
	REFUSE(TORC_EINVAL, want->vcpus = VCPU_MAX + 1);
	REFUSE(TORC_EINVAL, want->pages = 0);
	REFUSE(TORC_EINVAL, want->pages = 1000);
	REFUSE(TORC_EINVAL, want->max_pages = 1500);
	REFUSE(TORC_EINVAL, want->max_pages = 512);
	REFUSE(TORC_EINVAL, want->max_pages = (GIB(512) >> PAGE_SHIFT) + 512);
	REFUSE(TORC_EINVAL, want->max_pages = 1ull << 63);
	REFUSE(TORC_EINVAL, want->linear_base += PAGE_SIZE);
	REFUSE(TORC_EINVAL, want->linear_base = TORC_HOLE_START - MIB(2));
	REFUSE(TORC_EINVAL, want->linear_base = 0x0000800000000000);
	REFUSE(TORC_EINVAL, want->console_ring = 1024);
	REFUSE(TORC_EINVAL, want->time_page = 1024);
	REFUSE(TORC_EINVAL, want->time_page = want->console_ring);
	REFUSE(TORC_EINVAL, want->name[0] = '\0');
	REFUSE(TORC_EINVAL, want->name[1] = ' ');
	REFUSE(TORC_EINVAL, want->name[1] = ':');
	REFUSE(TORC_EINVAL, want->name[1] = '\x7f');
	REFUSE(TORC_EINVAL, want->name[1] = (char)0x80);
	REFUSE(TORC_EINVAL, memset(want->name, 'x', sizeof(want->name)));
	REFUSE(TORC_EPERM, want->privileges = 0x40);
	REFUSE(TORC_EPERM, back->privileges = TORC_PRIVILEGE_CREATE);
	back->privileges = TORC_PRIVILEGE_CREATE | TORC_PRIVILEGE_OBSERVE;
	REFUSE(TORC_EBUSY, memcpy(want->name, "front", 6));
	REFUSE(TORC_ENOMEM, want->pages = want->max_pages = 1ull << 20);
	REFUSED(TORC_ENOENT, hc_domain_create(BACK, back->pages));
	cr_expect(memory_pages_out == pages && memory_chunks_out == chunks);
	cr_expect_eq(domain_new_id(), 4, "only the one without memory has used an id");
}

Test(manage, without_memory_no_domain)
{
	u64 n, pages = memory_pages_out, chunks = memory_chunks_out;
	s64 result;

	for (n = 0; n < 200; n++) {
		memory_fail_after = n;
		memory_failures = 0;
		result = hc_domain_create(BACK, PAGE_WANT);
		if (result > 0)
			break;
		cr_assert_eq(result, TORC_ENOMEM);
		cr_assert(memory_pages_out == pages && memory_chunks_out == chunks, "after %lu", n);
	}
	cr_expect(n > 30 && n < 200);
	cr_expect(!memory_failures, "made without something");
	memory_fail_after = ~0ull;
	EXPECT_PAIR();
}

/* Until its last vCPU has left its CPU the tools must not take its state for final. */
Test(manage, a_pause_that_takes_longer_is_asked_for_again)
{
	pause_takes_longer = true;
	cr_expect_eq(hc_domain_control(BACK, front->id, TORC_DOMAIN_PAUSE, 0), TORC_EAGAIN);
	pause_takes_longer = false;
	cr_expect_eq(hc_domain_control(BACK, front->id, TORC_DOMAIN_PAUSE, 0), 0);
	cr_expect(front->paused);
}

/* When the last that could resume it ends, one that is paused would keep its memory for ever. */
Test(manage, who_is_paused_ends_with_the_last_who_could_resume)
{
	static const struct {
		u64 privileges;
		bool paused, ending, ends;
	} fronts[] = {
		{ 0, true, false, true },
		{ 0, false, false, false },
		{ TORC_PRIVILEGE_CONTROL, true, false, true },
		{ TORC_PRIVILEGE_CONTROL, false, false, false },
		{ TORC_PRIVILEGE_CONTROL, true, true, false },
		{ ~TORC_PRIVILEGE_CONTROL, true, false, true },
		{ 0, true, true, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fronts); i++) {
		front->privileges = fronts[i].privileges;
		front->paused = fronts[i].paused;
		front->ending = fronts[i].ending ? TORC_SHUTDOWN_REBOOT + 1 : 0;
		ends = 0;
		end(back, TORC_SHUTDOWN_POWEROFF);
		cr_expect_eq(ends, fronts[i].ends, "front %u", i);
		pair_destroy();
		pair_build();
	}
	/* One that runs with the privilege can; not one that ends itself, or without it. */
	cr_assert(make("domain name=third mem=4M privileges=control"));
	cr_assert(make("domain name=fourth mem=4M"));
	cr_assert(make("domain name=fifth mem=4M"));
	front->privileges = TORC_PRIVILEGE_CONTROL;
	front->ending = TORC_SHUTDOWN_POWEROFF + 1;
	front->next->next->paused = true;
	ends = 0;
	end(back, TORC_SHUTDOWN_POWEROFF);
	cr_expect_eq(ends, 0);
	end(front->next, TORC_SHUTDOWN_POWEROFF);
	cr_expect_eq(ends, 1);
}

/* The call as a guest makes it: what it needs is checked on the way. */
static s64 ask(struct vcpu *vcpu, u64 number, u64 first, u64 second, u64 third, u64 fourth)
{
	*vcpu->regs = (struct regs){ .vector = VECTOR_HYPERCALL, .rax = number, .rdi = first,
				     .rsi = second, .rdx = third, .r10 = fourth };
	hypercall(vcpu);
	return vcpu->regs->rax;
}

Test(manage, who_may_control_whom)
{
	static const struct {
		u64 number, privileges;
	} needs[] = {
		{ TORC_HC_DOMAIN_CREATE, TORC_PRIVILEGE_CREATE },
		{ TORC_HC_DOMAIN_CONTROL, TORC_PRIVILEGE_CONTROL },
		{ TORC_HC_DOMAIN_MEMORY, TORC_PRIVILEGE_MEMORY },
		{ TORC_HC_DOMAIN_VCPU, TORC_PRIVILEGE_CONTROL },
		{ TORC_HC_DOMAIN_INFO, TORC_PRIVILEGE_CONTROL | TORC_PRIVILEGE_OBSERVE },
		{ TORC_HC_DOMAIN_SCHEDULE, TORC_PRIVILEGE_SCHEDULE },
		{ TORC_HC_OBSERVE, TORC_PRIVILEGE_OBSERVE },
		{ TORC_HC_OBSERVE_TRACE, TORC_PRIVILEGE_OBSERVE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		REFUSED(TORC_EPERM, ask(FRONT, needs[i].number, back->id, 1, PAGE_DATA, 0));
		back->privileges = ~needs[i].privileges;
		REFUSED(TORC_EPERM, ask(BACK, needs[i].number, front->id, 1, PAGE_DATA, 0));
		back->privileges = needs[i].privileges;
		cr_expect_neq(ask(BACK, needs[i].number, NOBODY, 99, PAGE_DATA, 2), TORC_EPERM);
	}
	REFUSED(TORC_EINVAL, hc_domain_control(BACK, back->id, TORC_DOMAIN_PAUSE, 0));
	REFUSED(TORC_ENOENT, hc_domain_control(BACK, NOBODY, TORC_DOMAIN_PAUSE, 0));
	REFUSED(TORC_ENOENT, hc_domain_control(BACK, 0, TORC_DOMAIN_PAUSE, 0));
	REFUSED(TORC_EINVAL, hc_domain_control(BACK, front->id, 0, 0));
	REFUSED(TORC_EINVAL, hc_domain_control(BACK, front->id, TORC_DOMAIN_TARGET + 1, 0));
}

/* A request is taken once; the last of several counts. */
Test(manage, requests)
{
	u64 detail;

	REFUSED(TORC_EINVAL, hc_domain_control(BACK, front->id, TORC_DOMAIN_REQUEST,
					       TORC_CONTROL_MEMORY + 1));
	REFUSED(TORC_EINVAL, hc_domain_control(BACK, front->id, TORC_DOMAIN_TARGET,
					       front->pages + 1));
	cr_expect_eq(hc_control(FRONT, &detail), TORC_CONTROL_NONE);
	cr_expect_eq(detail, 1024);
	cr_expect_eq(hc_domain_control(BACK, front->id, TORC_DOMAIN_REQUEST, TORC_CONTROL_REBOOT),
		     0);
	cr_expect(event_is_pending(front, 0, TORC_PORT_CONTROL));
	cr_expect_eq(hc_control(FRONT, &detail), TORC_CONTROL_REBOOT);
	cr_expect_eq(hc_control(FRONT, &detail), TORC_CONTROL_NONE);
	cr_expect_eq(hc_domain_control(BACK, front->id, TORC_DOMAIN_TARGET, front->pages), 0);
	cr_expect(event_is_pending(front, 0, TORC_PORT_CONTROL));
	cr_expect_eq(hc_control(FRONT, &detail), TORC_CONTROL_MEMORY);
	cr_expect_eq(detail, front->pages);
	EXPECT_PAIR();
	cr_expect_eq(hc_domain_control(BACK, front->id, TORC_DOMAIN_PAUSE, 0), 0);
	cr_expect(front->paused);
	cr_expect_eq(hc_domain_control(BACK, front->id, TORC_DOMAIN_UNPAUSE, 0), 0);
	cr_expect_not(front->paused);
}

Test(manage, what_is_told_of_domains)
{
	const struct torc_domain_info *info = page_in(back, PAGE_DATA);

	REFUSED(TORC_ENOENT, hc_domain_info(BACK, front->id + 1, PAGE_DATA));
	REFUSED(TORC_ENOENT, hc_domain_info(BACK, ~0ull, PAGE_DATA));
	REFUSED(TORC_ENOENT, hc_domain_info(BACK, 0, back->pages));
	REFUSED(TORC_EBUSY, hc_domain_info(BACK, 0, m2p_table[BACK->root]));
	cr_expect_eq(hc_domain_info(BACK, 0, PAGE_DATA), back->id);
	cr_expect_eq(hc_domain_info(BACK, back->id, PAGE_DATA), back->id);
	cr_expect_str_eq(info->name, "back");
	front->paused = true;
	front->vcpu[1]->run_ns = 5;
	FRONT->run_ns = 7;
	FRONT->steal_ns = 9;
	cr_expect_eq(hc_domain_info(BACK, back->id + 1, PAGE_DATA), front->id);
	cr_expect_str_eq(info->name, "front");
	cr_expect(info->size == sizeof(*info) && info->domain == front->id && info->vcpus == 2);
	cr_expect_eq(info->flags, TORC_DOMAIN_PAUSED);
	cr_expect_eq(info->vcpus_up, 1);
	cr_expect(info->pages == 1024 && info->max_pages == 2048 && info->target_pages == 1024);
	cr_expect(info->run_ns == 12 && info->wait_ns == 9 && !info->privileges);
	front->ending = 1;
	back->privileges = TORC_PRIVILEGE_OBSERVE;
	cr_expect_eq(hc_domain_info(BACK, front->id, PAGE_DATA), front->id);
	cr_expect_eq(info->flags, TORC_DOMAIN_PAUSED | TORC_DOMAIN_ENDING);
	EXPECT_PAIR();
}

static struct torc_memory_op *memory_op(unsigned int index)
{
	return (struct torc_memory_op *)batch_op(index);
}

static int run(const struct domain *other, struct torc_memory_op op)
{
	s64 failed;

	*memory_op(1) = op;
	failed = hc_domain_memory(BACK, other->id, 1, 1);
	cr_expect(memory_op(1)->flags & TORC_BATCH_DONE);
	cr_expect_eq(failed, memory_op(1)->status != 0);
	return memory_op(1)->status;
}

static void refuse_op(int error, struct torc_memory_op op)
{
	struct pair_picture *picture;
	const char *difference;
	int status;

	*memory_op(1) = op;
	picture = pair_picture_take();
	status = run(front, op);
	*memory_op(1) = op;
	difference = pair_picture_differs(picture);
	cr_expect_eq(status, error, "op %u level %u pfn %lx own %lx: %d", op.op, op.level, op.pfn,
		     op.own, status);
	cr_expect_null(difference, "%s", difference);
	EXPECT_PAIR();
}

static struct torc_memory_op good(u8 kind)
{
	return (struct torc_memory_op){ .op = kind, .pfn = PAGE_DATA, .own = PAGE_COPY };
}

#define READ TORC_MEMORY_READ
#define WRITE TORC_MEMORY_WRITE

#define REFUSE_OP(error, kind, change) \
	do { \
		struct torc_memory_op op = good(kind); \
		change; \
		refuse_op(error, op); \
	} while (0)

Test(manage, pages_that_are_refused)
{
	pfn_t root = m2p_table[FRONT->root], own_root = m2p_table[BACK->root];

	REFUSE_OP(TORC_EINVAL, 0, op.level = 0);
	REFUSE_OP(TORC_EINVAL, 3, op.level = 0);
	REFUSE_OP(TORC_EINVAL, READ, op.flags = 1);
	REFUSE_OP(TORC_EINVAL, READ, op.reserved0 = 1);
	REFUSE_OP(TORC_EINVAL, WRITE, op.level = 5);
	REFUSE_OP(TORC_ENOENT, WRITE, op.own = back->pages);
	REFUSE_OP(TORC_ENOENT, READ, op.own = back->owned_pages);
	REFUSE_OP(TORC_ENOENT, READ, op.pfn = front->owned_pages);
	REFUSE_OP(TORC_ENOENT, WRITE, op.pfn = ~0ull);
	REFUSE_OP(TORC_EBUSY, READ, op.own = own_root);
	REFUSE_OP(TORC_EBUSY, WRITE, op.pfn = root);
	REFUSED(TORC_EINVAL, hc_domain_memory(BACK, front->id, 0, TORC_BATCH_MAX_OPS + 1));
	REFUSED(TORC_EINVAL, hc_domain_memory(BACK, front->id, TORC_BATCH_MAX_OPS, 1));
	REFUSED(TORC_EINVAL, hc_domain_memory(BACK, front->id, ~0ull, 2));
	REFUSED(TORC_OK, hc_domain_memory(BACK, front->id, TORC_BATCH_MAX_OPS, 0));
	cr_expect_eq(hc_batch_register(BACK, 7, INVALID_PFN), 0);
	REFUSED(TORC_ENOENT, hc_domain_memory(BACK, front->id, TORC_BATCH_MAX_OPS - 1, 1));
}

Test(manage, operations_that_stop_go_on)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		*memory_op(i) = good(WRITE);
		memory_op(i)->pfn = 100 + i;
	}
	*(u64 *)page_of(PAGE_COPY) = 1;
	preempt_calls = 0;
	preempt_at = 6;
	cr_expect_eq(hc_domain_memory(BACK, front->id, 0, 10), TORC_EAGAIN);
	preempt_at = 0;
	*(u64 *)page_of(PAGE_COPY) = 2;
	cr_expect_eq(hc_domain_memory(BACK, front->id, 0, 10), 0);
	for (i = 0; i < 10; i++)
		cr_expect_eq(*(u64 *)page_in(front, 100 + i), i < 5 ? 1 : 2);
	EXPECT_PAIR();
}
