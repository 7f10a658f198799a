/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * vCPUs that start with a state the guest made, and stop: each field outside its range is refused
 * and nothing is kept; what was taken is given back.
 *
 * Attack: a start state with any field outside its range, or a vCPU that does not exist.
 * Vulnerable: what the single calls refuse comes in by this way, and faults in ring 0.
 * Fixed: each field is checked as its own call would, and nothing is kept.
 */
#include <criterion/criterion.h>
#include "arena.h"
#include "console.h"
#include "hypercall.h"
#include "sched.h"
#include "state.h"
#include "timer.h"
#include "unit.h"

enum { STATE_PAGE = 10, ROOT, OTHER_PAGE, BATCH, LDT, NO_TABLE };

#define NOT_CANONICAL 0x0000800000000000ull
#define FPU_MXCSR 24
#define FPU_XSTATE_BV 512

static struct cpu elsewhere;
static struct vcpu *other;
static struct torc_vcpu_state *state;

static void create(void)
{
	u32 mxcsr = 0x1f80;
	unsigned int i;

	world_create();
	cpu_features.xsave = true;
	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	test_cpu.current = vcpu;
	vcpu->cpu = &test_cpu;
	cr_assert_eq(root_load(vcpu, mfn_of(ROOT + 20)), 0);
	domain->vcpu_count = 2;
	other = vcpu_create(domain, 1);
	cr_assert_not_null(other);
	state = (struct torc_vcpu_state *)page_of(STATE_PAGE);
	*state = (struct torc_vcpu_state){
		.size = sizeof(*state), .rip = LINEAR_BASE, .cs = TORC_SEL_KERNEL_CS,
		.rsp = LINEAR_BASE + 0x2000, .root = (u64)ROOT << PAGE_SHIFT,
		.vcpu_page = OTHER_PAGE, .ldt_entries = 5, .ldt_pages = { LDT },
	};
	memcpy(state->fpu + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		state->batch_pages[i] = i == 3 ? BATCH : INVALID_PFN;
	starts = 0;
}

static void destroy(void)
{
	vcpu_destroy(other);
	domain->vcpu_count = 1;
	test_cpu.current = NULL;
}

TestSuite(state, .init = create, .fini = destroy);

Test(state, a_vcpu_starts_and_stops)
{
	u64 pages = memory_pages_out;

	state->gpr[5] = 0x1234;
	state->rflags = ~0ull;
	cr_expect_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
	EXPECT_AUDIT();
	cr_expect_eq(starts, 1);
	cr_expect_eq(other->regs->rdi, 0x1234);
	cr_expect_eq(other->regs->rflags, GATE_RFLAGS_ALLOWED | GATE_RFLAGS_FORCED);
	cr_expect_eq(other->regs->ss, TORC_SEL_KERNEL_SS);
	cr_expect_eq(other->root, mfn_of(ROOT));
	cr_expect_eq(other->page->vcpu, 1);
	cr_expect_eq(other->ldt_entries, 5);
	cr_expect_eq(other->timer_deadline, TIMER_NEVER);
	cr_expect_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), TORC_EBUSY, "it is up");
	other->cpu = &elsewhere;
	cr_expect_eq(hc_vcpu_down(vcpu, 1), TORC_EAGAIN, "it runs");
	cr_expect_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), TORC_EAGAIN, "still");
	other->cpu = NULL;
	cr_expect_eq(hc_vcpu_down(vcpu, 1), 0);
	cr_expect_eq(frame_of(ROOT)->ref_count, 0);
	cr_expect_eq(frame_of(OTHER_PAGE)->ref_count, 0);
	cr_expect_eq(frame_of(BATCH)->ref_count, 0);
	EXPECT_AUDIT();
	cr_expect_eq(hc_vcpu_down(vcpu, 1), 0, "once more does no harm");
	cr_expect_eq(hc_vcpu_down(vcpu, 0), TORC_EBUSY, "the last one");
	cr_expect_leq(memory_pages_out, pages + 1, "the LDT's page is kept");
}

/* The vCPU that loaded its root last goes: the linear map is looked up in another one's. */
Test(state, the_linear_root_is_always_somebodys)
{
	cr_assert_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
	cr_expect_eq(domain->linear_root, mfn_of(ROOT));
	cr_assert_eq(hc_vcpu_down(vcpu, 1), 0);
	cr_expect_eq(domain->linear_root, vcpu->root);
}

Test(state, programs_keep_their_ring)
{
	state->flags = TORC_STATE_RING3 | TORC_STATE_TS | TORC_STATE_NMI;
	state->cs = SEL_HV_CS;
	state->ss = SEL_HV_SS;
	cr_expect_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
	cr_expect_eq(other->regs->cs, SEL_HV_CS | 3, "which faults at the return");
	cr_expect_eq(other->regs->ss, SEL_HV_SS | 3);
	cr_expect(other->ts && other->nmi_pending);
}

static void refuse_as(int error, const char *what)
{
	EXPECT_UNCHANGED_AFTER({
		cr_expect_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), error, "%s", what);
	});
	EXPECT_AUDIT();
	cr_expect_eq(starts, 0, "%s", what);
	destroy();
	create();
}

#define REFUSE_AS(error, change) \
	do { \
		change; \
		refuse_as(error, #change); \
	} while (0)
#define REFUSE(change) REFUSE_AS(TORC_EINVAL, change)

Test(state, fields_outside_their_range)
{
	REFUSE(state->size--);
	REFUSE(state->flags = TORC_STATE_DOWN);
	REFUSE(state->cr4 = 1);
	REFUSE(state->flags = 0x80);
	REFUSE(state->flags = TORC_STATE_RING3);
	REFUSE(state->cs = TORC_SEL_USER_CS);
	REFUSE(state->rip = NOT_CANONICAL);
	REFUSE(state->fs_base = NOT_CANONICAL);
	REFUSE(state->gs_base = NOT_CANONICAL);
	REFUSE(state->kernel_gs = NOT_CANONICAL);
	REFUSE(state->entries[4] = TORC_HOLE_START);
	REFUSE(state->entries[0] = NOT_CANONICAL);
	REFUSE(state->entries[TORC_ENTRY_COUNT] = LINEAR_BASE);
	REFUSE(state->root |= 8);
	REFUSE_AS(TORC_ENOENT, state->root = domain->pages << PAGE_SHIFT);
	REFUSE_AS(TORC_ENOENT, state->vcpu_page = domain->pages);
	REFUSE_AS(TORC_EBUSY, state->vcpu_page = ROOT);
	REFUSE_AS(TORC_ENOENT, state->batch_pages[7] = domain->pages);
	REFUSE_AS(TORC_EBUSY, state->batch_pages[0] = ROOT);
	REFUSE(state->dr[0] = TORC_HOLE_START);
	REFUSE(state->dr[5] = 0x2000);
	REFUSE(state->gdt[1] = 0x00af9b000000ffff);
	REFUSE(state->ldt_entries = TORC_LDT_MAX_ENTRIES + 1);
	REFUSE_AS(TORC_ENOENT, state->ldt_pages[0] = domain->pages);
	REFUSE(state->reserved0 = 1);
	REFUSE(state->xcr0 = XCR0_X87 | XCR0_AVX);
	REFUSE(state->msr[15] = 1);
	REFUSE(state->fpu[FPU_MXCSR + 3] = 1);
	REFUSE(state->fpu[FPU_XSTATE_BV] = 0x80);
	REFUSE(state->fpu[FPU_XSTATE_BV + 15] = 0x80);
}

Test(state, vcpus_that_are_none)
{
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_up(vcpu, 2, STATE_PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_up(vcpu, ~0ull, STATE_PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_up(vcpu, 1, domain->pages));
	EXPECT_ERROR(TORC_EBUSY, hc_vcpu_up(vcpu, 0, STATE_PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_down(vcpu, 2));
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_kick(vcpu, 4));
	EXPECT_ERROR(0, hc_vcpu_kick(vcpu, 2));
}

/* All fields of a state, as the hypervisor itself would write them. */
static void fill(struct torc_vcpu_state *full)
{
	static const u64 present = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	unsigned int i;

	full->flags = TORC_STATE_RING3 | TORC_STATE_TS | TORC_STATE_NMI;
	for (i = 0; i < ARRAY_SIZE(full->gpr); i++)
		full->gpr[i] = 0x0123456789abcdefull * (i + 1);
	full->cs = TORC_SEL_USER_CS;
	full->rflags = GATE_RFLAGS_FORCED | 0xcd5;
	full->ss = TORC_SEL_USER_SS;
	for (i = 0; i < ARRAY_SIZE(full->sel); i++)
		full->sel[i] = 0x63 + 8 * i;
	full->fs_base = 0x7000;
	full->gs_base = 0x8000;
	full->kernel_gs = LINEAR_BASE + 0x9000;
	for (i = 0; i < TORC_ENTRY_COUNT; i++)
		full->entries[i] = i == 3 ? 0 : LINEAR_BASE + i;
	for (i = 0; i < 4; i++)
		full->dr[i] = 0x5000 + i;
	full->dr[4] = 0xffff0ff1;
	full->dr[5] = 0x401;
	for (i = 0; i < ARRAY_SIZE(full->gdt); i++)
		full->gdt[i] = 0x00cff3000000ffff + (i << 16);
	full->timer_ns = 123456789;
	full->xcr0 = XCR0_X87 | XCR0_SSE;
	for (i = 32; i < FPU_XSTATE_BV; i++)
		full->fpu[i] = i % 255;
	memcpy(full->fpu + FPU_XSTATE_BV, &present, sizeof(present));
	memset(full->fpu + 576, 0x77, 256);
}

/* Read out and put in again a state is the same, on this machine or another. */
Test(state, what_is_put_in_is_read_out)
{
	struct torc_vcpu_state before, after;

	domain->start_ns = 5000;
	fill(state);
	before = *state;
	cr_assert_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
	vcpu_get_state(other, &after);
	cr_expect(!memcmp(&before, &after, offsetof(struct torc_vcpu_state, fpu)));
	cr_expect(!memcmp(before.fpu, after.fpu, sizeof(after.fpu)));
	other->state = VCPU_BLOCKED;
	vcpu_get_state(other, &after);
	cr_expect_eq(after.flags, before.flags | TORC_STATE_BLOCKED);
	other->timer_deadline = TIMER_NEVER;
	vcpu_get_state(other, &after);
	cr_expect_eq(after.timer_ns, 0);
	other->timer_deadline = domain->start_ns;
	vcpu_get_state(other, &after);
	cr_expect_eq(after.timer_ns, 1, "armed, though at time 0");
	cr_expect_eq(hc_vcpu_down(vcpu, 1), 0);
	vcpu_get_state(other, &after);
	cr_expect(after.flags & TORC_STATE_DOWN && !after.root && after.vcpu_page == INVALID_PFN);
}

/* A vCPU gives its root back, and the domain keeps note of one falling tree: see unit root.c. */
Test(state, a_falling_tree_comes_before_a_vcpu_goes)
{
	unsigned int i;

	cr_assert_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
	for (i = 0; i < 4; i++)
		plain(NO_TABLE, i, entry_of(OTHER_PAGE, RO));
	world_leave_falling(NO_TABLE, 1);
	cr_expect_eq(hc_vcpu_down(vcpu, 1), TORC_EAGAIN);
	cr_expect(other->state != VCPU_DOWN && domain->orphan == mfn_of(NO_TABLE));
	EXPECT_AUDIT();
	preempt_at = 0;
	cr_expect_eq(hc_vcpu_down(vcpu, 1), 0);
	cr_expect_eq(domain->orphan, INVALID_MFN);
	cr_expect_eq(frame_of(NO_TABLE)->type, FRAME_NONE);
	EXPECT_AUDIT();
}

/* Without XSAVE there is no XCR0 to speak of, and what is read can be put in all the same. */
Test(state, without_xsave)
{
	struct torc_vcpu_state after;

	cpu_features.xsave = false;
	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE;
	cr_assert_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
	vcpu_get_state(other, &after);
	cr_expect_eq(after.xcr0, 0);
	cr_expect_eq(hc_vcpu_down(vcpu, 1), 0);
	*state = after;
	cr_expect_eq(hc_vcpu_up(vcpu, 1, STATE_PAGE), 0);
}
