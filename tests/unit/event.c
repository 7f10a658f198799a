/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Events and the frames by which a guest is entered: what stands in a frame, what becomes of
 * irq_on and busy, the chain from the sync frame over the double-fault frame to the end, and that
 * nothing a guest writes into its vCPU page leads elsewhere.
 *
 * Attack: garbage in the vCPU page; send again and again to a vCPU that does not take its events.
 * Vulnerable: an entry leads elsewhere than where the guest registered one; each send interrupts a
 * CPU.
 * Fixed: only registered entries are used, and what is pending is told once.
 */
#include <criterion/criterion.h>
#include "entry.h"
#include "sched.h"
#include "unit.h"

static struct torc_vcpu_page *page;
static struct regs at; /* where the guest was */

#define ENTRY(kind) (0xffffffff81000000ull + (kind)*0x100)
#define KERNEL_GS   0xffff888012340000ull
#define USER_GS	    0x00007f1122334455ull

static void create(void)
{
	unsigned int kind;

	world_create();
	page = vcpu->page;
	for (kind = 0; kind < TORC_ENTRY_COUNT; kind++)
		vcpu->desc->iret[kind] = (struct iret_frame){ .rip = ENTRY(kind),
							      .cs = TORC_SEL_KERNEL_CS,
							      .rflags = GATE_RFLAGS_FORCED,
							      .rsp = TORC_VCPU_PAGE + 0x40 * kind,
							      .ss = TORC_SEL_KERNEL_SS };
	vcpu->desc->kernel_gs = KERNEL_GS;
	test_gs_base = USER_GS;
	*vcpu->regs = (struct regs){ .r15 = 15,
				     .r14 = 14,
				     .r13 = 13,
				     .r12 = 12,
				     .r11 = 11,
				     .r10 = 10,
				     .r9 = 9,
				     .r8 = 8,
				     .rdi = 7,
				     .rsi = 6,
				     .rbp = 5,
				     .rbx = 4,
				     .rdx = 3,
				     .rcx = 2,
				     .rax = 0x1111,
				     .rip = 0x401000,
				     .rflags = 0x246,
				     .rsp = 0x7fff0000 };
}

/* The guest was in ring 1 or 3. */
static void in_ring(unsigned int ring)
{
	vcpu->regs->cs = ring == 3 ? TORC_SEL_USER_CS : TORC_SEL_KERNEL_CS;
	vcpu->regs->ss = ring == 3 ? TORC_SEL_USER_SS : TORC_SEL_KERNEL_SS;
	at = *vcpu->regs;
}

TestSuite(event, .init = create);

static void expect_frame(const struct torc_frame *frame, u64 vector, u64 error, u64 cr2,
			 u8 irq_was_on)
{
	cr_expect_eq(frame->vector, vector);
	cr_expect_eq(frame->error, error);
	cr_expect_eq(frame->cr2, cr2);
	cr_expect_eq(frame->rax, at.rax);
	cr_expect_eq(frame->rip, at.rip);
	cr_expect_eq(frame->cs, at.cs);
	cr_expect_eq(frame->rflags, at.rflags);
	cr_expect_eq(frame->rsp, at.rsp);
	cr_expect_eq(frame->ss, at.ss);
	cr_expect_eq(frame->irq_was_on, irq_was_on);
}

/* The vCPU goes on at entry @kind, all other registers as they were. */
static void expect_entered(unsigned int kind)
{
	struct regs want = at;
	const struct iret_frame *entry = &vcpu->desc->iret[kind];

	want.rip = entry->rip;
	want.cs = entry->cs;
	want.rflags = entry->rflags;
	want.rsp = entry->rsp;
	want.ss = entry->ss;
	cr_expect(!memcmp(vcpu->regs, &want, sizeof(want)), "entry %u: rip %lx cs %lx rsp %lx",
		  kind, vcpu->regs->rip, vcpu->regs->cs, vcpu->regs->rsp);
}

static void expect_not_entered(void)
{
	cr_expect(!memcmp(vcpu->regs, &at, sizeof(at)));
}

Test(event, exception_from_ring_3)
{
	in_ring(3);
	page->irq_on = 0; /* means nothing there */
	page->busy = 1;
	cr_assert(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 14, 6, 0xdead000));
	expect_frame(&page->sync, 14, 6, 0xdead000, 1);
	expect_entered(TORC_ENTRY_EXCEPTION);
	cr_expect(page->irq_on == 0 && page->busy == 1);
	cr_expect_eq(page->user_gs, USER_GS);
	cr_expect_eq(test_gs_base, KERNEL_GS);
}

Test(event, exception_from_ring_1)
{
	unsigned int irq_on;

	for (irq_on = 0; irq_on < 2; irq_on++) {
		create();
		in_ring(1);
		page->user_gs = 0x77;
		page->irq_on = irq_on;
		cr_assert(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 6, 0, 0));
		expect_frame(&page->sync, 6, 0, 0, irq_on);
		expect_entered(TORC_ENTRY_EXCEPTION);
		cr_expect(page->irq_on == 0 && page->busy == 1);
		cr_expect_eq(page->user_gs, 0x77, "the user's base is not touched");
		cr_expect_eq(test_gs_base, USER_GS, "nor the one in force");
	}
}

/* Every one of the guest's registers comes to its entry as it was: only the frame's five change. */
Test(event, registers_stay_live)
{
	in_ring(3);
	cr_assert(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 3, 0, 0));
	cr_expect_eq(vcpu->regs->rcx, 2);
	cr_expect_eq(vcpu->regs->r11, 11);
	cr_expect_eq(vcpu->regs->rax, 0x1111);
	cr_expect_eq(vcpu->regs->r15, 15);
}

Test(event, busy_leads_to_the_double_fault_frame)
{
	in_ring(1);
	page->busy = 1;
	page->irq_on = 1;
	memset(&page->sync, 0x55, sizeof(page->sync));
	cr_assert(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 14, 2, 0x1000));
	expect_frame(&page->double_fault, 14, 2, 0x1000, 1);
	expect_entered(TORC_ENTRY_DOUBLE_FAULT);
	cr_expect_eq(page->sync.vector, 0x5555555555555555, "the sync frame is not touched");
	cr_expect(page->irq_on == 0 && page->busy == 1);
}

Test(event, busy_again_is_the_end)
{
	struct torc_vcpu_page before;

	in_ring(1);
	page->busy = 1;
	page->double_fault.vector = 14;
	before = *page;
	cr_expect_not(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 13, 0, 0));
	expect_not_entered();
	cr_expect(!memcmp(&before, page, sizeof(before)),
		  "the report shows the frames as they were");
	page->double_fault.vector = 0; /* the guest has copied it */
	cr_expect(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 13, 0, 0));
	expect_entered(TORC_ENTRY_DOUBLE_FAULT);
}

/* From ring 3 busy cannot be set but by a guest that lies about it: the sync frame is free. */
Test(event, from_ring_3_the_sync_frame_is_free)
{
	in_ring(3);
	page->busy = 1;
	page->double_fault.vector = 14;
	cr_expect(frame_deliver(vcpu, TORC_ENTRY_EXCEPTION, 13, 8, 0));
	expect_entered(TORC_ENTRY_EXCEPTION);
	expect_frame(&page->sync, 13, 8, 0, 1);
}

Test(event, raise_sets_port_and_word)
{
	static const unsigned int ports[] = { 0, 1, 2, 63, 64, 65, 127, 4095 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		unsigned int port = ports[i];

		create();
		wakes = 0;
		event_raise(vcpu, port);
		cr_expect_eq(page->event_pending[port / 64], 1ull << port % 64);
		cr_expect_eq(page->pending, 1ull << port / 64);
		cr_expect_eq(wakes, 1);
	}
}

Test(event, a_masked_port_fires_silently)
{
	page->event_mask[1] = 1ull << 5;
	event_raise(vcpu, 64 + 5);
	cr_expect_eq(page->event_pending[1], 1ull << 5);
	cr_expect_eq(page->pending, 0);
	cr_expect_eq(wakes, 0);
	event_raise(vcpu, 64 + 6);
	cr_expect_eq(page->pending, 2);
	cr_expect_eq(wakes, 1);
}

/* Who sends without end must not interrupt without end: it is told again once it took the word. */
Test(event, what_is_pending_is_told_once)
{
	event_raise(vcpu, 5);
	event_raise(vcpu, 5);
	event_raise(vcpu, 6);
	cr_expect_eq(wakes, 1);
	event_raise(vcpu, 64);
	cr_expect_eq(wakes, 2, "another word");
	in_ring(3);
	event_deliver(vcpu);
	event_raise(vcpu, 5);
	cr_expect_eq(wakes, 3);
	vcpu->state = VCPU_BLOCKED; /* a bit that the guest set itself, before or after it slept */
	page->pending = 1;
	event_raise(vcpu, 5);
	cr_expect_eq(wakes, 4);
}

Test(event, delivery_takes_the_pending_word)
{
	in_ring(3);
	page->pending = 0x8001;
	event_deliver(vcpu);
	expect_frame(&page->sync, TORC_VECTOR_EVENT, 0x8001, 0, 1);
	expect_entered(TORC_ENTRY_EVENT);
	cr_expect_eq(page->pending, 0);
	cr_expect_eq(crashes, 0);
}

Test(event, nothing_pending_nothing_delivered)
{
	struct torc_vcpu_page before = *page;

	in_ring(3);
	event_deliver(vcpu);
	expect_not_entered();
	cr_expect(!memcmp(&before, page, sizeof(before)));
}

Test(event, ring_1_with_interrupts_off_is_left_alone)
{
	in_ring(1);
	page->pending = 1;
	event_deliver(vcpu);
	expect_not_entered();
	cr_expect_eq(page->pending, 1, "it waits");
	page->irq_on = 1;
	event_deliver(vcpu);
	expect_entered(TORC_ENTRY_EVENT);
	expect_frame(&page->sync, TORC_VECTOR_EVENT, 1, 0, 1);
}

Test(event, ring_3_takes_events_always)
{
	in_ring(3);
	page->pending = 1;
	page->irq_on = 0;
	event_deliver(vcpu);
	expect_entered(TORC_ENTRY_EVENT);
}

/* Interrupts on while busy: a guest that clears them in the wrong order. */
Test(event, an_event_while_busy_follows_the_chain)
{
	in_ring(1);
	page->irq_on = 1;
	page->busy = 1;
	page->pending = 4;
	event_deliver(vcpu);
	expect_entered(TORC_ENTRY_DOUBLE_FAULT);
	expect_frame(&page->double_fault, TORC_VECTOR_EVENT, 4, 0, 1);
	cr_expect_eq(crashes, 0);
	in_ring(1);
	page->irq_on = 1;
	page->pending = 4;
	event_deliver(vcpu);
	cr_expect_eq(crashes, 1);
	cr_expect(strstr(crash_reason, "both sync and double-fault frame"), "%s", crash_reason);
}

Test(event, nmi_leaves_busy_alone)
{
	unsigned int busy;

	for (busy = 0; busy < 2; busy++) {
		create();
		in_ring(1);
		page->irq_on = 1;
		page->busy = busy;
		memset(&page->sync, 0x55, sizeof(page->sync));
		vcpu->nmi_pending = true;
		event_deliver(vcpu);
		expect_frame(&page->nmi, 2, 0, 0, 1);
		expect_entered(TORC_ENTRY_NMI);
		cr_expect(page->irq_on == 0 && page->busy == busy && page->nmi_masked == 1);
		cr_expect_eq(page->sync.vector, 0x5555555555555555);
		cr_expect_not(vcpu->nmi_pending);
	}
}

Test(event, nmi_comes_before_events_and_into_ring_1_at_any_time)
{
	in_ring(1);
	page->irq_on = 0;
	page->pending = 1;
	vcpu->nmi_pending = true;
	event_deliver(vcpu);
	expect_entered(TORC_ENTRY_NMI);
	cr_expect_eq(page->nmi.irq_was_on, 0);
	cr_expect_eq(page->pending, 1);
}

Test(event, a_masked_nmi_waits)
{
	in_ring(1);
	page->nmi_masked = 1;
	vcpu->nmi_pending = true;
	event_deliver(vcpu);
	expect_not_entered();
	cr_expect(vcpu->nmi_pending);
	page->irq_on = 1;
	page->pending = 1;
	event_deliver(vcpu);
	expect_entered(TORC_ENTRY_EVENT);
	cr_expect(vcpu->nmi_pending, "events go on meanwhile");
}

Test(event, nmi_from_ring_3_switches_the_base)
{
	in_ring(3);
	vcpu->nmi_pending = true;
	event_deliver(vcpu);
	cr_expect_eq(page->user_gs, USER_GS);
	cr_expect_eq(test_gs_base, KERNEL_GS);
	expect_frame(&page->nmi, 2, 0, 0, 1);
}

/*
 * Whatever the guest has in its page: the vCPU goes on at one of the registered entries or where
 * it was.
 */
Test(event, a_page_full_of_garbage_leads_nowhere_else)
{
	struct random dice = { 1701 };
	unsigned int round, entered = 0;

	for (round = 0; round < 20000; round++) {
		u64 *words = (u64 *)page;
		unsigned int i, kind;
		bool known = false;

		for (i = 0; i < PAGE_SIZE / 8; i++)
			words[i] = random_next(&dice) >> random_below(&dice, 64);
		page->irq_on = random_next(&dice) >> 20;
		page->busy = random_next(&dice) >> 20;
		test_gs_base = USER_GS;
		vcpu->nmi_pending = random_once_in(&dice, 3);
		vcpu->regs->rip = at.rip = 0x401000;
		in_ring(random_once_in(&dice, 2) ? 1 : 3);
		event_deliver(vcpu);
		if (vcpu->regs->rip == at.rip) {
			expect_not_entered();
			continue;
		}
		entered++;
		for (kind = 0; kind < TORC_ENTRY_COUNT; kind++)
			known |= vcpu->regs->rip == ENTRY(kind);
		cr_assert(known && vcpu->regs->cs == TORC_SEL_KERNEL_CS &&
			  vcpu->regs->ss == TORC_SEL_KERNEL_SS &&
			  vcpu->regs->rflags == GATE_RFLAGS_FORCED);
		cr_assert_eq(page->irq_on, 0);
	}
	cr_expect_gt(entered, 5000);
}
