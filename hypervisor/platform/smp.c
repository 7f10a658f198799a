/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Starting the other CPUs, one after the other, by INIT and start-up IPIs (Intel SDM 3A 8.4.4.1).
 */
#include "acpi.h"
#include "alloc.h"
#include "apic.h"
#include "boot.h"
#include "cpu.h"
#include "domain.h"
#include "entry.h"
#include "lib.h"
#include "log.h"
#include "sched.h"
#include "smp.h"
#include "storm.h"
#include "timer.h"

#define LOWEST		0x1000
#define LOW_END		0xa0000	/* a start-up IPI names a page below 1 MiB; video memory is there */
#define MS		1000000ull
#define PATIENCE_MS	1000
#define XAPIC_LAST	254	/* 255 means all of them */

struct cpu cpus[CPU_MAX];
unsigned int cpu_count = 1;

/* For ap.S. */
u64 ap_stack;
paddr_t ap_root;
struct cpu *ap_cpu;
extern const paddr_t ap_code;
extern const size_t ap_code_bytes;

static bool page_is_free(const struct boot_info *info, paddr_t page)
{
	unsigned int i;

	if (!range_list_covers(&info->ram, page, page + PAGE_SIZE))
		return false;
	for (i = 0; i < info->module_count; i++)
		if (info->module[i].memory.start < page + PAGE_SIZE &&
		    page < info->module[i].memory.end)
			return false;
	return true;
}

/* A page for the start-up code: the highest, for firmware keeps its own data low. */
static paddr_t find_low_page(const struct boot_info *info)
{
	paddr_t page;

	for (page = LOW_END - PAGE_SIZE; page >= LOWEST; page -= PAGE_SIZE)
		if (page_is_free(info, page))
			return page;
	return INVALID_PADDR;
}

static void wait_ns(u64 ns)
{
	u64 end = time_now_ns() + ns;

	while (time_now_ns() < end)
		cpu_relax();
}

static bool wait_online(const struct cpu *cpu)
{
	u64 end = time_now_ns() + PATIENCE_MS * MS;

	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
		if (time_now_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

/*
 * The TSCs of all CPUs tell one time. A new CPU answers questions for its TSC; what it says lies
 * between the first CPU's TSC before and behind the question, or the two differ.
 */
static struct {
	u64 asked, answered, tsc; /* questions and answers are counted; the last one is END */
	u64 add; /* to the TSC, before the answer */
} question;
#define END (~0ull)
#define QUESTIONS 1000

static void answer(void)
{
	do {
		while (READ_ONCE(question.asked) == question.answered)
			cpu_relax();
		if (question.add)
			wrmsr(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) + question.add);
		question.tsc = rdtsc_ordered();
		__atomic_store_n(&question.answered, question.asked, __ATOMIC_RELEASE);
	} while (question.answered != END);
}

static u64 ask(u64 number, u64 add)
{
	question.add = add;
	__atomic_store_n(&question.asked, number, __ATOMIC_RELEASE);
	while (__atomic_load_n(&question.answered, __ATOMIC_ACQUIRE) != number)
		cpu_relax();
	return question.tsc;
}

/* How many ticks the other CPU is ahead; 0 if no difference shows. */
static s64 tsc_ahead(void)
{
	s64 least = INT64_MIN, most = INT64_MAX;

	for (unsigned int i = 0; i < QUESTIONS; i++) {
		u64 before = rdtsc_ordered(), there = ask(question.asked + 1, 0);

		least = MAX(least, (s64)(there - rdtsc_ordered()));
		most = MIN(most, (s64)(there - before));
	}
	return least > 0 || most < 0 ? least + (most - least) / 2 : 0;
}

/* False if there is a difference that cannot be taken out. */
static bool tsc_agrees(const struct cpu *cpu)
{
	s64 first = tsc_ahead(), ahead = first;

	if (first && cpu_features.tsc_adjust) {
		ask(question.asked + 1, -(u64)first);
		ahead = tsc_ahead();
	}
	if (first)
		log("cpu %u: its TSC is %ld ticks ahead%s", cpu->id, first,
		    ahead ? ", for good" : ": taken out");
	if (!ahead)
		ask(END, 0);
	return !ahead;
}

static bool start(struct cpu *cpu, paddr_t page)
{
	cpu_prepare(cpu);
	ap_cpu = cpu;
	ap_stack = cpu->desc->hv_stack;
	ap_root = cpu->root;
	apic_send_init(cpu->apic_id);
	wait_ns(10 * MS);
	apic_send_startup(cpu->apic_id, page);
	wait_ns(MS / 5);
	if (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
		apic_send_startup(cpu->apic_id, page);
	return wait_online(cpu) && tsc_agrees(cpu);
}

/*
 * A CPU that is late could come up on what the next one is given by then, and so could one that is
 * left alone with its questions: either ends the series.
 */
static void start_all(paddr_t page)
{
	unsigned int i;

	for (i = 0; i < acpi_info.cpu_count && cpu_count < CPU_MAX; i++) {
		struct cpu *cpu = &cpus[cpu_count];

		if (acpi_info.cpu_apic_id[i] == cpus[0].apic_id ||
		    (acpi_info.cpu_apic_id[i] > XAPIC_LAST && !(cpuid(1).ecx & CPUID_X2APIC)))
			continue;
		cpu->id = cpu_count;
		cpu->apic_id = acpi_info.cpu_apic_id[i];
		if (!start(cpu, page)) {
			log("cpu with APIC id %u cannot be used: it and the rest are left out",
			    cpu->apic_id);
			apic_send_init(cpu->apic_id);
			break;
		}
		cpu_count++;
	}
}

void smp_start(const struct boot_info *info)
{
	paddr_t page = find_low_page(info);

	if (acpi_info.cpu_count > 1 && page == INVALID_PADDR) {
		log("no memory below 640 KiB: the other CPUs are left out");
	} else if (acpi_info.cpu_count > 1) {
		memcpy(phys_to_virt(page), phys_to_virt(ap_code), ap_code_bytes);
		start_all(page);
	}
	log("%u CPUs run", cpu_count);
}

/* The first C of another CPU, on its own stack and root. */
void ap_main(struct cpu *cpu)
{
	cpu_init_other();
	cpu_enter(cpu);
	apic_enable();
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	answer();
	while (!sched_is_open())
		cpu_idle_once();
	hv_exit();
}

struct cpu *smp_self(void)
{
	return cpus[0].online ? this_cpu() : &cpus[0];
}

void smp_stop_others(void)
{
	watchdog_start(0);
	for (unsigned int i = 0; i < cpu_count; i++) {
		if (&cpus[i] == smp_self())
			continue;
		WRITE_ONCE(cpus[i].stopped, true);
		apic_send_nmi(cpus[i].apic_id);
	}
}
