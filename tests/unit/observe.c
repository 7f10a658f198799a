/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Counters, trace and log as domains read them: who may, what is refused, and what is read where
 * the rings of the trace and of the log begin anew.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "hypercall.h"
#include "log.h"
#include "observe.h"
#include "power.h"
#include "serial.h"
#include "smp.h"
#include "unit.h"

#define PAGE 10 /* of the domain, that is read to */
#define RECORDS (TORC_TRACE_PAGES * TORC_TRACE_RECORDS)
#define LOG_RING 65536
#define LINE "torc: a line of sixteen and more: %04u\n"

static struct torc_trace_record *records;
static struct torc_log_text *text;
static unsigned int looked_up;

struct cpu *smp_self(void)
{
	return &cpus[0];
}

void smp_stop_others(void)
{
}

bool serial_init(enum serial_port port __unused)
{
	return true;
}

void halt(void)
{
	abort();
}

void power_off_failed(void)
{
	abort();
}

struct domain *domain_get(u64 id)
{
	looked_up += id == foreign->id;
	return id == foreign->id ? foreign : NULL;
}

void domain_put(struct domain *put)
{
	looked_up -= put == foreign;
}

static void create(void)
{
	world_create();
	memory_give(16, 64, 0, 0);
	domain->privileges = TORC_PRIVILEGE_OBSERVE;
	test_this_cpu = &cpus[0];
	cpu_count = 2;
	cr_assert(observe_prepare(&cpus[0]) && observe_prepare(&cpus[1]));
	records = (struct torc_trace_record *)page_of(PAGE);
	text = (struct torc_log_text *)page_of(PAGE);
}

TestSuite(observe, .init = create);

Test(observe, what_is_refused)
{
	u64 what;

	EXPECT_ERROR(TORC_EINVAL, hc_observe(vcpu, 0, 0, PAGE));
	EXPECT_ERROR(TORC_EINVAL, hc_observe(vcpu, TORC_OBSERVE_LOG + 1, 0, PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_observe(vcpu, TORC_OBSERVE_CPU, 2, PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_observe(vcpu, TORC_OBSERVE_CPU, ~0ull, PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_observe(vcpu, TORC_OBSERVE_DOMAIN, 77, PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_observe(vcpu, TORC_OBSERVE_TRACE, 2 * TORC_TRACE_PAGES, PAGE));
	EXPECT_ERROR(TORC_ENOENT, hc_observe(vcpu, TORC_OBSERVE_TRACE, ~0ull, PAGE));
	EXPECT_ERROR(TORC_EINVAL, hc_observe_trace(vcpu, 1 << TORC_TRACE_KINDS));
	EXPECT_ERROR(TORC_EINVAL, hc_observe_trace(vcpu, ~0ull));
	cr_assert_eq(table_pin(domain, mfn_of(20), 1), 0);
	for (what = TORC_OBSERVE_CPU; what <= TORC_OBSERVE_LOG; what++) {
		EXPECT_ERROR(TORC_ENOENT, hc_observe(vcpu, what, 0, domain->pages));
		EXPECT_ERROR(TORC_EBUSY, hc_observe(vcpu, what, 0, 20));
	}
	cr_expect_eq(looked_up, 0);
}

Test(observe, counters)
{
	static u64 theirs[TORC_COUNTERS];
	u64 *page = page_of(PAGE);

	foreign->counters = theirs;
	count(foreign, TORC_COUNTERS - 1, 5);
	count_sized(foreign, 0);
	count_sized(foreign, 1);
	count_sized(foreign, 1023);
	count_sized(foreign, 1024);
	memset(page, 0x55, PAGE_SIZE);
	cr_expect_eq(hc_observe(vcpu, TORC_OBSERVE_DOMAIN, foreign->id, PAGE), sizeof(theirs));
	cr_expect(!memcmp(page, theirs, sizeof(theirs)));
	cr_expect(page[TORC_COUNTER_BATCH] == 2 && page[TORC_COUNTER_BATCH + 9] == 1 &&
		  page[TORC_COUNTER_BATCH + 10] == 1 && page[TORC_COUNTERS - 1] == 5);
	cr_expect_eq(page[TORC_COUNTERS], 0x5555555555555555, "not a word more");
	cr_expect_eq(looked_up, 0, "and put");
	cr_expect_eq(hc_observe(vcpu, TORC_OBSERVE_CPU, 0, PAGE), sizeof(theirs));
	cr_expect(!memcmp(page, theirs, sizeof(theirs)), "the same, on this CPU");
	cr_expect_eq(hc_observe(vcpu, TORC_OBSERVE_CPU, 1, PAGE), sizeof(theirs));
	cr_expect_eq(page[TORC_COUNTERS - 1], 0);
	EXPECT_AUDIT();
}

static void read_trace(unsigned int page)
{
	cr_assert_eq(hc_observe(vcpu, TORC_OBSERVE_TRACE, page, PAGE), PAGE_SIZE);
	EXPECT_AUDIT();
}

Test(observe, flushes_are_traced)
{
	cr_expect_eq(hc_observe_trace(vcpu, 1 << TORC_TRACE_FLUSH), 0);
	flush_vcpus(domain, ~0ull);
	read_trace(0);
	cr_expect(records[1].number == 1 && records[1].kind == TORC_TRACE_FLUSH &&
		  records[1].domain == domain->id && records[1].a == 0);
	cr_expect_eq(hc_observe_trace(vcpu, 0), 0);
}

Test(observe, only_the_kinds_that_are_wanted)
{
	trace(vcpu, TORC_TRACE_EVENT, 1, 2);
	cr_expect_eq(hc_observe_trace(vcpu, 1 << TORC_TRACE_EVENT), 0);
	trace(vcpu, TORC_TRACE_FLUSH, 3, 4);
	trace(vcpu, TORC_TRACE_EVENT, 5, 6);
	read_trace(0);
	cr_expect(records[1].number == 1 && records[1].kind == TORC_TRACE_EVENT &&
		  records[1].domain == domain->id && records[1].vcpu == 0 && records[1].a == 5 &&
		  records[1].b == 6 && records[1].tsc);
	cr_expect(!records[0].number && !records[2].number);
	read_trace(TORC_TRACE_PAGES);
	cr_expect_eq(records[1].number, 0, "another CPU's");
}

/* Record n stands at n modulo their count, in every page and round, and there is no record 0. */
Test(observe, the_trace_begins_anew)
{
	static const u32 starts[] = { 0, RECORDS - 3, 1000, -5u };
	unsigned int i, n, page, last;
	u32 number;

	hc_observe_trace(vcpu, 1);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		cpus[0].traced = starts[i];
		for (n = 0; n < RECORDS; n++)
			trace(vcpu, 0, n, 0);
		number = starts[i];
		for (n = 0, last = ~0u; n < RECORDS; n++, last = page) {
			number += number == ~0u ? 2 : 1;
			page = number / TORC_TRACE_RECORDS % TORC_TRACE_PAGES;
			if (page != last)
				read_trace(page);
			if (starts[i] == -5u && n == 0)
				continue; /* overwritten: 0 was left out */
			cr_assert_eq(records[number % TORC_TRACE_RECORDS].number, number);
			cr_assert_eq(records[number % TORC_TRACE_RECORDS].a, n);
		}
	}
}

static s64 read_log(u64 first)
{
	return hc_observe(vcpu, TORC_OBSERVE_LOG, first, PAGE) - 16;
}

/* From the oldest byte on, piece by piece, it is what was written, each byte once. */
Test(observe, the_log_begins_anew)
{
	static char written[16 * LOG_RING];
	char line[64];
	u64 end = 8, at;
	unsigned int n;
	s64 bytes;

	cr_expect_eq(read_log(0), 0);
	cr_expect(text->first == 0 && text->end == 0);
	log("x");
	cr_expect_eq(read_log(0), 8);
	cr_expect(!memcmp(text->text, "torc: x\n", 8) && text->end == 8);
	cr_expect_eq(read_log(6), 2);
	cr_expect(text->first == 6 && text->text[0] == 'x');
	cr_expect_eq(read_log(8), 0);
	cr_expect_eq(read_log(~0ull), 0);
	cr_expect(text->first == 8 && text->end == 8);
	for (n = 0; n < 12 * LOG_RING / 40; n++) {
		snprintf(line, sizeof(line), LINE, n);
		memcpy(written + end, line, strlen(line));
		end += strlen(line);
		log("a line of sixteen and more: %04u", n);
	}
	cr_expect_eq(read_log(0), TORC_LOG_TEXT_BYTES);
	cr_expect_eq(text->first, end - LOG_RING, "the oldest there is");
	for (at = text->first; (bytes = read_log(at)) > 0; at += bytes) {
		cr_assert(text->first == at && text->end == end);
		cr_assert_eq(bytes, (s64)MIN(end - at, (u64)TORC_LOG_TEXT_BYTES));
		cr_assert(!memcmp(text->text, written + at, bytes));
	}
	cr_expect_eq(at, end);
	EXPECT_AUDIT();
}

Test(observe, without_memory)
{
	struct cpu cpu = { .id = 5 };
	u64 n;

	for (n = 0; n <= TORC_TRACE_PAGES; n++) {
		memory_fail_after = n;
		cr_expect_not(observe_prepare(&cpu));
	}
	memory_fail_after = n;
	cr_expect(observe_prepare(&cpu));
	test_this_cpu = &test_cpu;
	hc_observe_trace(vcpu, 1);
	trace(vcpu, 0, 1, 2); /* a CPU that has no trace */
}
