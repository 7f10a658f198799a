/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Hypercalls other than batches: what each argument outside its range is answered, and that nothing
 * which a guest asks for makes the processor fault in ring 0 (the doubles of its registers end the
 * test then) or gives it a descriptor, a breakpoint or a selector that leads out of its rings.
 *
 * Attack: numbers of calls that are none; descriptors, breakpoints, MSRs, bases and state
 * components that ring 0 must not load, or that lead into it.
 * Vulnerable: a fault in ring 0, or a way there.
 * Fixed: each value is checked before it is taken.
 */
#include <criterion/criterion.h>
#include "arena.h"
#include "console.h"
#include "hypercall.h"
#include "entry.h"
#include "sched.h"
#include "timer.h"
#include "unit.h"

#define CANONICAL     0xffff888000000000ull
#define NOT_CANONICAL 0x0000800000000000ull

static struct gate_desc *desc;
static struct census_entry census[4];
static unsigned int drains, lines_left;

bool console_drain_some(struct domain *drained)
{
	drains += drained == domain;
	if (lines_left)
		lines_left--;
	return lines_left > 0;
}

/* The parts of a vCPU that vcpu.c makes, in pages of the hypervisor. */
static void create(void)
{
	world_create();
	memory_give(16, 64, 0, 0);
	arena_allow(1, 1);
	memset(mfn_to_virt(1), 0, PAGE_SIZE);
	vcpu->gate[GATE_FRAME_L1] = 1;
	desc = vcpu->desc;
	memset(desc, 0, sizeof(*desc));
	vcpu->dr[6] = 0xffff0ff0;
	vcpu->dr[7] = 0x400;
	vcpu->xcr0 = XCR0_X87;
	cpu_features.xsave = true;
	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;
	domain->census = census;
	test_cpu.current = vcpu;
	test_gs_base = CANONICAL;
}

TestSuite(hypercall, .init = create);

/* Calls by number, as a guest does; returns RAX. */
static s64 call(u64 number, u64 a, u64 b, u64 c)
{
	*vcpu->regs = (struct regs){
		.rax = number, .rdi = a, .rsi = b, .rdx = c, .vector = VECTOR_HYPERCALL
	};
	hypercall(vcpu);
	return vcpu->regs->rax;
}

Test(hypercall, numbers_that_are_none)
{
	static const u64 reserved[] = { TORC_HC_SUSPEND,
					TORC_HC_DOMAIN_FIRST_LOOK,
					0x16,
					0x1f,
					TORC_HC_COUNT,
					0xff,
					0x100,
					1ull << 32,
					1ull << 32 | TORC_HC_VERSION,
					~0ull,
					1ull << 63 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reserved); i++)
		EXPECT_ERROR(TORC_ENOSYS, call(reserved[i], 1, 2, 3));
	cr_expect_eq(call(TORC_HC_VERSION, 0, 0, 0), TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR);
}

Test(hypercall, entries)
{
	static const u64 bad[] = { NOT_CANONICAL,     TORC_HOLE_START,	  TORC_CALL_PAGE,
				   TORC_HOLE_END - 1, 0xffff7fffffffffff, 1ull << 63 };
	unsigned int i;
	u64 kind;

	for (kind = 0; kind < TORC_ENTRY_COUNT; kind++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			cr_expect_eq(call(TORC_HC_SET_ENTRY, kind, bad[i], 0), TORC_EINVAL);
		cr_expect_eq(desc->iret[kind].rip, 0);
		cr_expect_eq(call(TORC_HC_SET_ENTRY, kind, CANONICAL, 0), 0);
		cr_expect_eq(desc->iret[kind].rip, CANONICAL);
		cr_expect_eq(call(TORC_HC_SET_ENTRY, kind, 0x1000, 0), 0, "the lower half");
		cr_expect_eq(call(TORC_HC_SET_ENTRY, kind, CANONICAL, 0), 0);
	}
	cr_expect_eq(call(TORC_HC_SET_ENTRY, TORC_ENTRY_COUNT, CANONICAL, 0), TORC_EINVAL);
	cr_expect_eq(call(TORC_HC_SET_ENTRY, ~0ull, CANONICAL, 0), TORC_EINVAL);
	cr_expect_eq(call(TORC_HC_SET_ENTRY, 1ull << 32, CANONICAL, 0), TORC_EINVAL);
}

Test(hypercall, kernel_gs)
{
	cr_expect_eq(call(TORC_HC_SET_KERNEL_GS, NOT_CANONICAL, 0, 0), TORC_EINVAL);
	cr_expect_eq(desc->kernel_gs, 0);
	cr_expect_eq(call(TORC_HC_SET_KERNEL_GS, CANONICAL, 0, 0), 0);
	cr_expect_eq(desc->kernel_gs, CANONICAL);
	cr_expect_eq(test_gs_base, CANONICAL, "not the base in force");
}

#define SEGMENT(access, flags) ((u64)(access) << 40 | (u64)(flags) << 52 | 0xf00000000ffffull)

Test(hypercall, descriptors_that_are_allowed)
{
	static const u64 good[] = { 0,
				    SEGMENT(0xf2, 0xc),
				    SEGMENT(0xf3, 0x4),
				    SEGMENT(0xfa, 0xc),
				    SEGMENT(0xfb, 0xa),
				    SEGMENT(0xf0, 0),
				    SEGMENT(0xf6, 4),
				    SEGMENT(0x72, 0) /* not present */ };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		for (u64 index = TORC_GDT_FIRST_FREE; index <= TORC_GDT_LAST_FREE; index++) {
			u64 want = good[i] >> 47 & 1 ? good[i] | 1ull << 40 : good[i];

			cr_expect_eq(call(TORC_HC_SET_DESCRIPTOR, index, good[i], 0), 0);
			cr_expect_eq(desc->gdt[index], want, "accessed already: %lx",
				     desc->gdt[index]);
		}
}

/* Every access byte: only data and non-conforming code of ring 3 pass. */
Test(hypercall, descriptors_of_every_kind)
{
	unsigned int access, flags;

	for (access = 0; access < 256; access++)
		for (flags = 0; flags < 16; flags++) {
			bool present = access & 0x80, system = !(access & 0x10), code = access & 8;
			bool ring3 = (access & 0x60) == 0x60, conforming = code && (access & 4);
			bool both_sizes = code && (flags & 6) == 6;
			bool good = !system && ring3 && (!present || (!conforming && !both_sizes));
			s64 result = call(TORC_HC_SET_DESCRIPTOR, TORC_GDT_FIRST_FREE,
					  SEGMENT(access, flags), 0);

			cr_expect_eq(result, good ? 0 : TORC_EINVAL, "access %02x flags %x: %ld",
				     access, flags, result);
		}
}

Test(hypercall, descriptors_of_the_hypervisor)
{
	u64 index;

	for (index = 0; index < 40; index++)
		if (index < TORC_GDT_FIRST_FREE || index > TORC_GDT_LAST_FREE)
			EXPECT_ERROR(TORC_EINVAL, hc_set_descriptor(vcpu, index, 0));
	EXPECT_ERROR(TORC_EINVAL, hc_set_descriptor(vcpu, 1ull << 32 | 12, 0));
	EXPECT_ERROR(TORC_EINVAL, hc_set_descriptor(vcpu, ~0ull, 0));
}

static const u64 *ldt_entry(unsigned int index)
{
	return (u64 *)mfn_to_virt(vcpu->ldt_mfn[index / ENTRIES]) + index % ENTRIES;
}

Test(hypercall, ldt)
{
	u64 good = SEGMENT(0xf2, 0xc), gate = SEGMENT(0xec, 0), i;

	for (i = 0; i < ENTRIES; i++)
		plain(20, i, i % 2 ? good : gate);
	cr_expect_eq(hc_ldt_load(vcpu, 0, 20, 5), 0);
	cr_expect_eq(vcpu->ldt_entries, 5);
	cr_expect_eq(*ldt_entry(0), 0, "a gate becomes nothing");
	cr_expect_eq(*ldt_entry(1), good | 1ull << 40);
	cr_expect_eq(page_of(20)[1], good, "the guest's page is not written");
	cr_expect_eq(*ldt_entry(5), 0);
	cr_expect(vcpu->reload);
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 1, 20, 5)); /* page 0 is not full */
	cr_expect_eq(hc_ldt_load(vcpu, 0, 20, 512), 0);
	cr_expect_eq(hc_ldt_load(vcpu, 1, 20, 512), 0);
	cr_expect_eq(vcpu->ldt_entries, 1024);
	cr_expect_eq((desc->gdt[SEL_LDT >> 3] & 0xffff), 1024 * 8 - 1);
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 16, 20, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, ~0ull, 20, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 3, 20, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 0, 20, 513));
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 0, 20, ~0ull));
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 1, 20, 0));
	EXPECT_ERROR(TORC_ENOENT, hc_ldt_load(vcpu, 0, WORLD_PAGES, 1));
	EXPECT_ERROR(TORC_ENOENT, hc_ldt_load(vcpu, 0, ~0ull, 1));
	cr_expect_eq(hc_ldt_load(vcpu, 0, 20, 3), 0, "a shorter one ends there");
	cr_expect_eq(vcpu->ldt_entries, 3);
	cr_expect_eq(((u64 *)mfn_to_virt(1))[(GATE_LDT >> PAGE_SHIFT) + 1], 0,
		     "page 1 is unmapped");
	cr_expect_eq(hc_ldt_load(vcpu, 0, 0, 0), 0);
	cr_expect_eq(vcpu->ldt_entries, 0);
	cr_expect_eq(((u64 *)mfn_to_virt(1))[GATE_LDT >> PAGE_SHIFT], 0);
}

Test(hypercall, ldt_of_full_length_and_without_memory)
{
	u64 page;

	for (page = 0; page < LDT_PAGES; page++)
		cr_assert_eq(hc_ldt_load(vcpu, page, 20, 512), 0);
	cr_expect_eq(vcpu->ldt_entries, TORC_LDT_MAX_ENTRIES);
	cr_expect_eq(desc->gdt[SEL_LDT >> 3] & 0xffff, 0xffff);
	/* Behind the last page stand other fields: a guest would choose what is written. */
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, LDT_PAGES, 20, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_ldt_load(vcpu, 1ull << 55, 20, 1));
	create();
	memory_fail_after = 0;
	EXPECT_ERROR(TORC_ENOMEM, hc_ldt_load(vcpu, 0, 20, 1));
}

Test(hypercall, breakpoints)
{
	/* Behind the hole the hypervisor has its direct map, in its own root. */
	const u64 free = TORC_HOLE_END + GIB(4) + mfn_to_paddr(frame_count);
	const u64 bad[] = { NOT_CANONICAL,	 TORC_HOLE_START,     TORC_VCPU_PAGE,
			    TORC_HOLE_END - 1,	 TORC_HOLE_START - 1, TORC_HOLE_START - 8,
			    TORC_HOLE_END,	 free - 1,	      ~0ull >> 1 };
	u64 number;
	unsigned int i;

	for (number = 0; number < 4; number++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			EXPECT_ERROR(TORC_EINVAL, hc_set_debugreg(vcpu, number, bad[i]));
		cr_expect_eq(hc_set_debugreg(vcpu, number, CANONICAL + number), 0);
		cr_expect_eq(test_dr[number], CANONICAL + number);
		cr_expect_eq(hc_set_debugreg(vcpu, number, free), 0);
	}
}

/* Numbers of which the low 32 bits alone are those of a register: a word anywhere would be set. */
Test(hypercall, debug_registers_that_are_none)
{
	static const u64 bad[] = { 4, 5, 8, 64, 1ull << 32, 1ull << 32 | 7, 1ull << 61, ~0ull };
	unsigned int i;
	u64 value;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERROR(TORC_EINVAL, hc_set_debugreg(vcpu, bad[i], 0x400));
		EXPECT_ERROR(TORC_EINVAL, hc_get_debugreg(vcpu, bad[i], &value));
	}
}

Test(hypercall, debug_control)
{
	unsigned int bit, n, kind;
	u64 value;

	for (bit = 0; bit < 64; bit++) {
		bool good = bit < 10 || bit == 10 || (bit >= 16 && bit < 32 && bit % 4 != 1);
		s64 result = hc_set_debugreg(vcpu, 7, 1ull << bit);

		cr_expect_eq(result, good ? 0 : TORC_EINVAL, "bit %u: %ld", bit, result);
	}
	for (n = 0; n < 4; n++)
		for (kind = 0; kind < 4; kind++) /* 2 is an I/O breakpoint */
			cr_expect_eq(hc_set_debugreg(vcpu, 7, (u64)kind << (16 + 4 * n)),
				     kind == 2 ? TORC_EINVAL : 0);
	cr_assert_eq(hc_set_debugreg(vcpu, 7, 0x3ff), 0);
	cr_expect_eq(test_dr[7], 0x7ff);
	cr_expect_eq(hc_set_debugreg(vcpu, 6, ~0ull), 0);
	cr_expect_eq(test_dr[6], 0xffffefff, "reserved bits are forced");
	for (n = 4; n < 70; n++) {
		if (n == 6 || n == 7)
			continue;
		EXPECT_ERROR(TORC_EINVAL, hc_set_debugreg(vcpu, n, 0));
		EXPECT_ERROR(TORC_EINVAL, hc_get_debugreg(vcpu, n, &value));
	}
	EXPECT_ERROR(TORC_EINVAL, hc_get_debugreg(vcpu, 1ull << 32, &value));
	cr_expect(hc_get_debugreg(vcpu, 7, &value) == 0 && value == 0x7ff);
}

Test(hypercall, state_components)
{
	static const u64 good[] = { 1, 3, 7, 0xe7 };
	u64 value;
	unsigned int i;

	for (value = 0; value < 0x200; value++) {
		bool want = false;

		for (i = 0; i < ARRAY_SIZE(good); i++)
			want |= value == good[i];
		cr_expect_eq(hc_set_xcr0(vcpu, value), want ? 0 : TORC_EINVAL, "%lx", value);
		if (want)
			cr_expect(test_xcr0 == value && vcpu->xcr0 == value);
	}
	EXPECT_ERROR(TORC_EINVAL, hc_set_xcr0(vcpu, 1ull << 63 | 1));
	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE;
	EXPECT_ERROR(TORC_EINVAL, hc_set_xcr0(vcpu, 7));
	cpu_features.xsave = false;
	EXPECT_ERROR(TORC_EINVAL, hc_set_xcr0(vcpu, 1));
	EXPECT_ERROR(TORC_EINVAL, hc_set_task_switched(vcpu, 2));
	cr_expect_eq(hc_set_task_switched(vcpu, 1), 0);
	cr_expect(vcpu->ts);
}

Test(hypercall, model_specific_registers)
{
	static const u64 writable[] = { MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE };
	static const u64 forbidden[] = { MSR_EFER,	   MSR_LSTAR,	  MSR_STAR,
					 MSR_SYSCALL_MASK, MSR_APIC_BASE, MSR_SYSENTER_CS,
					 0x1d9 /* DEBUGCTL */,	   MSR_PAT,	  0,
					 1ull << 32,	   ~0ull };
	u64 value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(writable); i++) {
		EXPECT_ERROR(TORC_EINVAL, hc_write_msr(vcpu, writable[i], NOT_CANONICAL));
		cr_expect_eq(hc_write_msr(vcpu, writable[i], CANONICAL + i), 0);
		cr_expect(hc_read_msr(vcpu, writable[i], &value) == 0 && value == CANONICAL + i);
	}
	for (i = 0; i < ARRAY_SIZE(forbidden); i++)
		EXPECT_ERROR(TORC_ENOENT, hc_write_msr(vcpu, forbidden[i], 0));
	EXPECT_ERROR(TORC_ENOENT, hc_read_msr(vcpu, MSR_LSTAR, &value));
	EXPECT_ERROR(TORC_ENOENT, hc_read_msr(vcpu, MSR_APIC_BASE, &value));
	EXPECT_ERROR(TORC_ENOENT, hc_read_msr(vcpu, 1ull << 32 | MSR_FS_BASE, &value));
}

Test(hypercall, timer)
{
	domain->start_ns = 1000000;
	test_now_ns = 5000000;
	cr_expect_eq(hc_set_timer(vcpu, 4000001), 0);
	cr_expect_eq(vcpu->timer_deadline, 5000001);
	cr_expect_eq(vcpu->page->pending, 0);
	cr_expect_eq(hc_set_timer(vcpu, 0), 0);
	cr_expect_eq(vcpu->timer_deadline, TIMER_NEVER);
	cr_expect_eq(hc_set_timer(vcpu, ~0ull), 0, "further than time goes");
	cr_expect_eq(vcpu->timer_deadline, TIMER_NEVER);
	cr_expect_eq(vcpu->page->pending, 0);
	cr_expect_eq(hc_set_timer(vcpu, 4000000), 0, "now");
	cr_expect_eq(vcpu->timer_deadline, TIMER_NEVER);
	cr_expect_eq(vcpu->page->event_pending[0], 1ull << TORC_PORT_TIMER);
}

Test(hypercall, block)
{
	cr_expect_eq(hc_block(vcpu), 0);
	cr_expect(blocks == 1 && vcpu->page->irq_on == 1);
}

Test(hypercall, vcpu_page)
{
	cr_expect_eq(hc_vcpu_set_page(vcpu, 20), 0);
	cr_expect(vcpu->page_pfn == 20 && (u64 *)vcpu->page == page_of(20));
	EXPECT_AUDIT();
	vcpu->page->user_gs = 0x1234;
	cr_assert_eq(table_pin(domain, mfn_of(30), 1), 0);
	EXPECT_ERROR(TORC_EBUSY, hc_vcpu_set_page(vcpu, 30));
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_set_page(vcpu, WORLD_PAGES));
	EXPECT_ERROR(TORC_ENOENT, hc_vcpu_set_page(vcpu, ~0ull));
	vcpu->page->irq_on = 1;
	EXPECT_ERROR(TORC_EBUSY, hc_vcpu_set_page(vcpu, 21));
	vcpu->page->irq_on = 0;
	cr_expect_eq(hc_vcpu_set_page(vcpu, 20), 0, "the same page");
	EXPECT_AUDIT();
	cr_expect_eq(hc_vcpu_set_page(vcpu, 21), 0);
	cr_expect_eq(vcpu->page->user_gs, 0x1234, "contents move along");
	EXPECT_AUDIT();
}

Test(hypercall, nmi)
{
	EXPECT_ERROR(TORC_ENOENT, hc_nmi_send(vcpu, 1));
	EXPECT_ERROR(TORC_ENOENT, hc_nmi_send(vcpu, ~0ull));
	cr_expect_eq(hc_nmi_send(vcpu, 0), 0);
	cr_expect(vcpu->nmi_pending && wakes);
}

/*
 * Whatever the guest writes into the frame: it comes back to ring 1 or ring 3, with interrupts on.
 */
Test(hypercall, nmi_return_from_any_frame)
{
	static const u64 selectors[] = { TORC_SEL_KERNEL_CS,
					 TORC_SEL_USER_CS,
					 TORC_SEL_USER_CS32,
					 0,
					 SEL_HV_CS,
					 SEL_HV_CS | 3,
					 0x10,
					 TORC_SEL_USER_SS,
					 0x1b,
					 7,
					 TORC_SEL_KERNEL_SS };
	struct random dice = { 555 };
	unsigned int round, returned[3] = { 0 };

	for (round = 0; round < 50000; round++) {
		struct torc_frame *frame = &vcpu->page->nmi;
		u64 *words = (u64 *)frame,
		    cs = selectors[random_below(&dice, ARRAY_SIZE(selectors))];
		struct regs before;
		unsigned int i;
		s64 result;

		for (i = 0; i < sizeof(*frame) / 8; i++)
			words[i] = random_next(&dice) << random_below(&dice, 64);
		frame->cs = random_once_in(&dice, 8) ? cs | random_next(&dice) << 16 : cs;
		if (random_once_in(&dice, 2))
			frame->rip = random_next(&dice) >> 17;
		vcpu->page->user_gs = random_once_in(&dice, 3) ? NOT_CANONICAL : CANONICAL;
		vcpu->regs->vector = VECTOR_HYPERCALL;
		before = *vcpu->regs;
		result = hc_nmi_return(vcpu);
		if (result) {
			cr_assert_eq(result, TORC_EINVAL);
			cr_assert(!memcmp(&before, vcpu->regs, sizeof(before)));
			continue;
		}
		returned[(u16)frame->cs == TORC_SEL_USER_CS ? 0 :
			 (u16)frame->cs == TORC_SEL_USER_CS32 ? 1 : 2]++;
		cr_assert(is_canonical(vcpu->regs->rip));
		cr_assert_eq(vcpu->regs->cs, (u16)frame->cs == TORC_SEL_KERNEL_CS ?
						     TORC_SEL_KERNEL_CS : (u16)frame->cs | 3);
		cr_assert_eq(vcpu->regs->ss, (u16)frame->cs == TORC_SEL_KERNEL_CS ?
						     TORC_SEL_KERNEL_SS : (u16)frame->ss | 3);
		cr_assert_eq(vcpu->regs->rflags & ~(u64)GATE_RFLAGS_ALLOWED, GATE_RFLAGS_FORCED);
		cr_assert_eq(vcpu->regs->rax, frame->rax);
		cr_assert_eq(vcpu->page->nmi_masked, 0);
		cr_assert_leq(vcpu->page->irq_on, 1);
	}
	for (round = 0; round < ARRAY_SIZE(returned); round++)
		cr_expect_gt(returned[round], 300, "%u", returned[round]);
}

Test(hypercall, census)
{
	u64 address = 0x777;
	unsigned int i;

	for (i = 0; i < 4; i++)
		census[i] = (struct census_entry){ .rip = 0x1000 + i,
						   .count = 10 + i,
						   .instruction = 3 + i };
	domain->census_used = 3;
	for (i = 0; i < 3; i++) {
		cr_expect_eq(hc_census(vcpu, i, &address), (s64)(3 + i) << 32 | (10 + i));
		cr_expect_eq(address, 0x1000 + i);
	}
	address = 0x777;
	EXPECT_ERROR(TORC_ENOENT, hc_census(vcpu, 3, &address));
	EXPECT_ERROR(TORC_ENOENT, hc_census(vcpu, 1ull << 32, &address));
	EXPECT_ERROR(TORC_ENOENT, hc_census(vcpu, ~0ull, &address));
	cr_expect_eq(address, 0x777);
}

Test(hypercall, shutdown)
{
	static const u64 bad[] = { 4, 0x100, 1ull << 32, ~0ull };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(call(TORC_HC_SHUTDOWN, bad[i], 0, 0), TORC_EINVAL);
	cr_expect_eq(call(TORC_HC_SHUTDOWN, TORC_SHUTDOWN_SUSPEND, 0, 0), TORC_ENOSYS);
	cr_expect(!ends && !crashes);
	call(TORC_HC_SHUTDOWN, TORC_SHUTDOWN_REBOOT, 0, 0);
	cr_expect(ends == 1 && ended_for == TORC_SHUTDOWN_REBOOT);
	call(TORC_HC_SHUTDOWN, TORC_SHUTDOWN_CRASH, 0x5a5a, 0);
	cr_expect(crashes == 1 && strstr(crash_reason, "0x5a5a"));
}

Test(hypercall, console_output_is_shown_in_pieces)
{
	lines_left = 10;
	cr_expect_eq(call(TORC_HC_CONSOLE_NOTIFY, 0, 0, 0), TORC_OK);
	cr_expect_eq(drains, 10);
	lines_left = 10;
	preempt_calls = 0;
	preempt_at = 3;
	cr_expect_eq(call(TORC_HC_CONSOLE_NOTIFY, 0, 0, 0), TORC_HC_CONSOLE_NOTIFY, "called again");
	cr_expect_eq(vcpu->regs->rip, (u64)-2, "at its SYSCALL");
	cr_expect_eq(drains, 13);
	cr_expect_eq(lines_left, 7);
}
