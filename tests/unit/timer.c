/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Calibration against a PIT that may jump: the host of an emulated machine holds it up whenever it
 * likes, and all its clocks go on meanwhile. The ports are the test's, so the source is included.
 */
#include <criterion/criterion.h>
#include "acpi.h"
#include "apic.h"
#include "doubles.h"
#include "timer.h"

#define MS 1000000ull
#define ACCESS_NS 1000 /* of a port */
#define TSC_KHZ 2500000ull
#define APIC_KHZ 1000000ull

static u64 now, started; /* ns */
static u64 accesses, stall_at, stall_ns;
static u16 latch;
static bool second_byte, always_out;

static u64 pit_ticks(void)
{
	return (now - started) * 1193182 / 1000000000;
}

static void access(void)
{
	now += ACCESS_NS;
	if (++accesses == stall_at)
		now += stall_ns;
}

static u8 test_inb(u16 port)
{
	access();
	if (port == 0x61) /* bit 5: the output of channel 2, up when it has counted down */
		return pit_ticks() >= 0xffff || always_out ? 0x20 : 0;
	second_byte = !second_byte;
	return second_byte ? (u8)latch : latch >> 8;
}

static void test_outb(u16 port, u8 value)
{
	access();
	if (port == 0x42)
		started = now;
	else if (port == 0x43 && value == 0x80)
		latch = (u16)(0xffff - pit_ticks());
}

static u64 test_rdtsc(void)
{
	return now * (TSC_KHZ / 1000) / 1000;
}

struct acpi_info acpi_info;

void apic_timer_mode(u32 lvt)
{
	(void)lvt;
}

void apic_timer_start(u32 count)
{
	(void)count;
}

u32 apic_timer_count(void)
{
	return (u32)(0xffffffff - now * (APIC_KHZ / 1000) / 1000);
}

u64 rtc_read_ns(void)
{
	return 1700000000000000000ull;
}

#define inb test_inb
#define outb test_outb
#define rdtsc test_rdtsc
#define rdtsc_ordered test_rdtsc
#include "../../hypervisor/platform/timer.c"

static void expect_rate(void)
{
	second_byte = false;
	accesses = 0;
	now += 1000 * MS;
	timer_init();
	cr_expect(tsc_khz > TSC_KHZ - TSC_KHZ / 500 && tsc_khz < TSC_KHZ + TSC_KHZ / 500,
		  "%lu kHz with a stall of %llu ms at access %llu", tsc_khz,
		  (unsigned long long)(stall_ns / MS), (unsigned long long)stall_at);
}

Test(timer, a_machine_that_is_left_alone)
{
	expect_rate();
	cr_expect(accesses * ACCESS_NS < 100 * MS, "it takes no longer than it must");
}

/* Anywhere, and for about as long as the counter runs. */
Test(timer, a_machine_that_is_held_up_once, .timeout = 120)
{
	for (stall_ns = 5 * MS; stall_ns < 130 * MS; stall_ns += 5 * MS)
		for (stall_at = 1; stall_at < 42000; stall_at += stall_at < 200 ? 7 : 997)
			expect_rate();
	for (stall_ns = 5 * MS; stall_ns < 130 * MS; stall_ns += 5 * MS)
		for (stall_at = 39800; stall_at < 40300; stall_at += 7)
			expect_rate();
}

Test(timer, a_counter_that_has_always_run_out, .timeout = 120)
{
	panic_expected = true;
	if (!setjmp(panic_jump)) {
		always_out = true;
		timer_init();
		cr_assert_fail("it is content");
	}
	cr_expect(strstr(panic_text(), "PIT"), "%s", panic_text());
}
