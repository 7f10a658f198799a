/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The scheduler: who runs next, when the timer rings, and that neither a sleeping vCPU nor the end
 * of a domain leaves anything behind.
 */
#include <criterion/criterion.h>
#include <setjmp.h>
#include "apic.h"
#include "console.h"
#include "power.h"
#include "sched.h"
#include "timer.h"
#include "unit.h"

#define DOMAINS 4
#define SLICE 10000000ull

static struct domain domains[DOMAINS];
static struct vcpu vcpus[DOMAINS];
static struct torc_vcpu_page pages[DOMAINS];
static struct vcpu *loaded; /* whose state is in the processor */
static bool dirty; /* and has changed there */
static unsigned int kicks;

struct cpu cpus[CPU_MAX];
unsigned int cpu_count = 1;

static u64 armed; /* deadline of the timer, TIMER_NEVER when it is off */
static unsigned int raised[DOMAINS], arms, idles, flushes;
static void (*interrupt)(void); /* what comes in while the processor sleeps */
static jmp_buf off;

void vcpu_save(struct vcpu *saved)
{
	cr_assert_eq(saved, loaded);
	dirty = false;
}

void vcpu_load(struct vcpu *next)
{
	cr_assert_not(dirty, "the one before was not saved");
	loaded = next;
}

void apic_send_ipi(u32 target __unused, u8 vector)
{
	cr_assert_eq(vector, VECTOR_IPI);
	kicks++;
}

void timer_arm(u64 deadline)
{
	armed = deadline;
	arms++;
}

void timer_disarm(void)
{
	armed = TIMER_NEVER;
	arms++;
}

void event_raise_locked(struct vcpu *woken, unsigned int port)
{
	cr_assert_eq(port, TORC_PORT_TIMER);
	raised[woken - vcpus]++;
	sched_notify(woken);
}

void console_flush(void)
{
	flushes++;
}

void report_memory(void)
{
}

void power_off(void)
{
	longjmp(off, 1);
}

void cpu_idle_once(void)
{
	cr_assert_null(test_cpu.current);
	cr_assert_lt(idles++, 100, "asleep for ever");
	if (interrupt)
		interrupt();
}

static void create(void)
{
	unsigned int i;

	for (i = 0; i < DOMAINS; i++)
		sched_forget(&domains[i]); /* of the test before */
	loaded = NULL;
	memset(domains, 0, sizeof(domains));
	memset(vcpus, 0, sizeof(vcpus));
	for (i = 0; i < DOMAINS; i++) {
		domains[i] = (struct domain){ .id = i + 1, .vcpu_count = 1, .vcpu = { &vcpus[i] },
					      .next = i + 1 < DOMAINS ? &domains[i + 1] : NULL };
		vcpus[i] = (struct vcpu){ .domain = &domains[i], .page = &pages[i],
					  .timer_deadline = TIMER_NEVER, .state = VCPU_DOWN };
	}
	domain_list = domains;
	domain_count = DOMAINS;
	dirty = false;
	test_cpu = (struct cpu){ .deadline = TIMER_NEVER };
	test_now_ns = 1000;
	armed = 77;
}

TestSuite(sched, .init = create);

static void start(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		sched_start(&vcpus[i]);
}

/* Number of the vCPU that runs now, loaded in the processor. */
static unsigned int pick(void)
{
	struct vcpu *next;

	idles = 0;
	next = sched_pick();
	cr_assert_eq(next, test_cpu.current);
	cr_assert_eq(next, loaded);
	cr_assert_eq(next, test_cpu.loaded);
	cr_assert_eq(next->cpu, &test_cpu);
	dirty = true;
	return (unsigned int)(next - vcpus);
}

/* The slice of the running vCPU ends. */
static void end_slice(void)
{
	test_now_ns = test_cpu.current->slice_end;
	sched_tick();
}

Test(sched, alone_without_a_timer)
{
	start(1);
	cr_expect_eq(pick(), 0);
	cr_expect_eq(armed, TIMER_NEVER);
	test_now_ns += 5 * SLICE;
	sched_tick();
	cr_expect_eq(pick(), 0);
	cr_expect_eq(armed, TIMER_NEVER);
}

Test(sched, round_robin)
{
	unsigned int i;

	start(3);
	for (i = 0; i < 9; i++) {
		cr_expect_eq(pick(), i % 3);
		cr_expect_eq(armed, test_now_ns + SLICE);
		cr_expect_eq(pick(), i % 3, "until its slice ends");
		end_slice();
	}
}

Test(sched, yield_goes_behind_the_others)
{
	start(2);
	cr_expect_eq(pick(), 0);
	sched_yield();
	cr_expect_eq(pick(), 1);
	sched_yield();
	cr_expect_eq(pick(), 0);
}

Test(sched, asleep_until_woken)
{
	start(3);
	cr_expect_eq(pick(), 0);
	sched_block(&vcpus[0]);
	cr_expect_eq(pick(), 1);
	end_slice();
	cr_expect_eq(pick(), 2);
	end_slice();
	cr_expect_eq(pick(), 1, "not the sleeper");
	sched_notify(&vcpus[0]);
	sched_notify(&vcpus[0]); /* once is enough */
	sched_notify(&vcpus[1]); /* nothing to wake */
	end_slice();
	cr_expect_eq(pick(), 2);
	end_slice();
	cr_expect_eq(pick(), 0);
	end_slice();
	cr_expect_eq(pick(), 1);
}

/* Without the second look at pending a guest sleeps through its event. */
Test(sched, no_sleep_over_a_pending_event)
{
	start(1);
	pick();
	pages[0].pending = 1;
	sched_block(&vcpus[0]);
	cr_expect_eq(pick(), 0);
	pages[0].pending = 0;
	vcpus[0].nmi_pending = true;
	sched_block(&vcpus[0]);
	cr_expect_eq(pick(), 0);
	cr_expect_eq(idles, 0);
}

static void ring(void)
{
	test_now_ns = armed;
	sched_tick();
}

Test(sched, a_deadline_wakes_the_sleeper)
{
	start(1);
	cr_expect_eq(pick(), 0);
	sched_set_timer(&vcpus[0], 5000000);
	sched_block(&vcpus[0]);
	interrupt = ring;
	cr_expect_eq(pick(), 0);
	cr_expect_eq(idles, 1);
	cr_expect_eq(raised[0], 1);
	cr_expect_eq(vcpus[0].timer_deadline, TIMER_NEVER);
	cr_expect_eq(armed, TIMER_NEVER);
	cr_expect_gt(flushes, 0, "lines that are not complete are shown");
}

/* The hardware cannot count as far as the deadline: it rings early, and must be wound up again. */
static void ring_early(void)
{
	static unsigned int times;

	cr_assert_eq(armed, 5000000);
	armed = TIMER_NEVER; /* one shot */
	if (times++ < 3)
		test_now_ns += 1000;
	else
		test_now_ns = 5000000;
	sched_tick();
}

Test(sched, a_timer_that_rings_early_is_armed_again)
{
	start(1);
	pick();
	sched_set_timer(&vcpus[0], 5000000);
	sched_block(&vcpus[0]);
	interrupt = ring_early;
	cr_expect_eq(pick(), 0);
	cr_expect_eq(idles, 4);
	cr_expect_eq(raised[0], 1);
}

Test(sched, the_timer_is_left_alone_while_it_is_right)
{
	unsigned int before, i;

	start(2);
	pick();
	before = arms;
	for (i = 0; i < 5; i++)
		pick();
	cr_expect_eq(arms, before);
	sched_set_timer(&vcpus[0], test_now_ns + 10);
	pick();
	cr_expect_eq(armed, test_now_ns + 10, "the nearest of all deadlines");
	sched_set_timer(&vcpus[0], TIMER_NEVER);
	ring();
	pick();
	cr_expect_eq(armed, vcpus[0].slice_end);
	cr_expect_eq(raised[0], 0);
}

Test(sched, long_work_is_asked_to_stop_when_somebody_waits)
{
	unsigned int i, asked = 0;

	cr_expect_not(sched_preempt_due(100000), "not while domains are built");
	start(1);
	pick();
	test_now_ns += 2 * SLICE;
	for (i = 0; i < 10000; i++)
		cr_expect_not(sched_preempt_due(1), "nobody waits");
	sched_start(&vcpus[1]);
	for (i = 0; i < 10000; i++)
		asked += sched_preempt_due(1);
	cr_expect(asked > 0 && asked <= 10000 / 64, "now and then: %u", asked);
	create();
	start(1);
	pick();
	sched_set_timer(&vcpus[0], test_now_ns);
	cr_expect(sched_preempt_due(100000), "a deadline has passed");
}

Test(sched, time_is_counted)
{
	start(2);
	pick();
	test_now_ns += SLICE;
	sched_tick();
	pick();
	cr_expect_eq(vcpus[0].run_ns, SLICE);
	cr_expect_eq(vcpus[1].steal_ns, SLICE);
	cr_expect_eq(pages[1].steal_ns, SLICE);
	sched_block(&vcpus[1]);
	test_now_ns += 5;
	pick();
	cr_expect_eq(vcpus[1].run_ns, 5);
	cr_expect_eq(vcpus[0].steal_ns, 5);
	cr_expect_eq(pages[0].run_ns, SLICE);
}

/* A domain leaves, wherever its vCPU stands: in front, in the middle, last, or running. */
Test(sched, the_end_of_a_domain_leaves_nothing_behind)
{
	unsigned int gone, i;

	for (gone = 0; gone < DOMAINS; gone++) {
		bool seen[DOMAINS] = { false };

		create();
		start(DOMAINS);
		pick(); /* 0 runs */
		sched_forget(&domains[gone]);
		if (gone)
			domains[gone - 1].next = domains[gone].next;
		else
			domain_list = domains[0].next;
		if (gone == 0) {
			cr_expect_null(test_cpu.current);
			dirty = false; /* what it had in the processor is of no use */
		}
		memset(&vcpus[gone], 0x55, sizeof(struct vcpu)); /* its memory is somebody else's */
		for (i = 0; i < 2 * DOMAINS; i++) {
			seen[pick()] = true;
			end_slice();
		}
		for (i = 0; i < DOMAINS; i++)
			cr_expect_eq(seen[i], i != gone, "domain %u ended, %u", gone, i);
	}
}

/* Nor does it pass for what the processor still holds, when a new vCPU gets its memory. */
Test(sched, a_new_vcpu_in_the_memory_of_an_old_one_is_loaded)
{
	start(1);
	pick();
	sched_forget(&domains[0]);
	loaded = NULL;
	dirty = false;
	vcpus[0] = (struct vcpu){ .domain = &domains[0], .page = &pages[0],
				  .timer_deadline = TIMER_NEVER };
	start(1);
	cr_expect_eq(pick(), 0);
}

Test(sched, without_domains_the_machine_goes_off)
{
	start(1);
	pick();
	sched_forget(&domains[0]);
	domain_count = 0;
	if (!setjmp(off)) {
		sched_pick();
		cr_assert_fail("it goes on");
	}
	cr_expect(strstr(logged(), "all domains ended, power off"));
}

/* Random life: everybody who can run does, nobody runs twice at once, and no wake-up is lost. */
Test(sched, random_life)
{
	struct random dice = { 31 };
	unsigned int round, ran[DOMAINS] = { 0 }, i;

	start(DOMAINS);
	interrupt = ring;
	for (round = 0; round < 20000; round++) {
		unsigned int now, other = random_below(&dice, DOMAINS);

		now = pick();
		ran[now]++;
		cr_assert_eq(vcpus[now].state, VCPU_RUNNABLE);
		switch (random_below(&dice, 5)) {
		case 0:
			sched_set_timer(&vcpus[now],
					test_now_ns + random_below(&dice, 3 * SLICE));
			sched_block(&vcpus[now]);
			break;
		case 1:
			sched_yield();
			break;
		case 2:
			sched_notify(&vcpus[other]);
			break;
		case 3:
			test_now_ns += random_below(&dice, SLICE);
			sched_tick();
			break;
		default:
			end_slice();
		}
	}
	for (i = 0; i < DOMAINS; i++)
		cr_expect_gt(ran[i], round / 20, "vCPU %u ran %u times", i, ran[i]);
}

/* Two CPUs. What is in the processor is that of the CPU that is looked at. */
static struct vcpu *in_processor[2];

static struct vcpu *pick_on(unsigned int cpu)
{
	struct vcpu *next;

	test_this_cpu = &cpus[cpu];
	loaded = in_processor[cpu];
	dirty = cpus[cpu].current;
	idles = 0;
	next = sched_pick();
	cr_assert_eq(next, loaded);
	cr_assert_eq(next->cpu, &cpus[cpu]);
	in_processor[cpu] = loaded;
	return next;
}

static void two_cpus(void)
{
	unsigned int i;

	memset(in_processor, 0, sizeof(in_processor));
	cpu_count = 2;
	for (i = 0; i < 2; i++)
		cpus[i] = (struct cpu){ .id = i, .deadline = TIMER_NEVER };
	test_this_cpu = &cpus[0];
}

Test(sched, two_cpus_never_run_the_same)
{
	struct random dice = { 77 };
	unsigned int round, ran[DOMAINS] = { 0 }, i, cpu;

	two_cpus();
	start(DOMAINS);
	for (round = 0; round < 20000; round++) {
		struct vcpu *now;

		cpu = random_below(&dice, 2);
		now = pick_on(cpu);
		cr_assert_neq(now, cpus[!cpu].current);
		ran[now - vcpus]++;
		test_now_ns += random_below(&dice, SLICE);
		switch (random_below(&dice, 4)) {
		case 0:
			sched_block(now);
			test_this_cpu = &cpus[!cpu];
			sched_notify(now); /* from the other CPU, before or after it has stopped */
			break;
		case 1:
			sched_yield();
			break;
		default:
			sched_tick();
		}
	}
	for (i = 0; i < DOMAINS; i++)
		cr_expect_gt(ran[i], round / 20, "vCPU %u ran %u times", i, ran[i]);
}

Test(sched, other_cpus_are_kicked_once)
{
	struct vcpu *other;

	two_cpus();
	start(2);
	pick_on(0);
	other = pick_on(1);
	test_this_cpu = &cpus[0];
	kicks = 0;
	sched_notify(other);
	sched_notify(other);
	cr_expect_eq(kicks, 1, "it runs there");
	test_this_cpu = &cpus[1];
	sched_kicked();
	test_this_cpu = &cpus[0];
	cpus[1].idle = true;
	sched_start(&vcpus[2]);
	sched_start(&vcpus[3]);
	cr_expect_eq(kicks, 2, "who starts is for the idle one, which is on its way");
}
