/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Time. The PIT is the one clock of known rate that every PC (and QEMU and Bochs) has: TSC and
 * local APIC timer are measured against its channel 2, which raises no interrupt. Afterwards the
 * TSC tells the time, and the local APIC ends a wait.
 */
#include "acpi.h"
#include "apic.h"
#include "cpu.h"
#include "log.h"
#include "pit.h"
#include "timer.h"

#define PIT_GATE_PORT		0x61
#define PIT_GATE		0x01
#define PIT_SPEAKER		0x02
#define PIT_OUT			0x20	/* channel 2 has counted down */

#define WINDOW			(PIT_HZ / 25)	/* 40 ms; the counter runs for 55 */
#define SAMPLES			16
#define PATIENCE		10000000	/* PIT reads, in all */

#define NS_PER_SECOND		1000000000ul
#define MAX_WAIT_NS		(1000 * NS_PER_SECOND)
#define MIN_TSC_KHZ		1000ul
#define MAX_TSC_KHZ		100000000ul

u64 tsc_khz;
struct tsc_scale tsc_scale;
u64 wallclock_boot_ns;

static bool use_deadline;	/* TSC-deadline mode instead of counting down */
static u64 ticks_per_ns;	/* of what ends a wait: TSC or APIC timer; 32 fraction bits */

/* One moment on three clocks, and how long it took to read them. */
struct sample {
	u64 tsc;
	u64 width;	/* TSC ticks */
	u16 pit;	/* counts down */
	u32 apic;	/* counts down */
};

static struct sample sample_once(void)
{
	struct sample s;
	u64 before = rdtsc_ordered();

	outb(PIT_COMMAND, PIT_LATCH);
	s.apic = apic_timer_count();
	s.tsc = rdtsc_ordered();
	s.width = s.tsc - before;
	s.pit = inb(PIT_CHANNEL2);
	s.pit |= (u16)(inb(PIT_CHANNEL2) << 8);
	return s;
}

/* The narrowest of several: an emulator may be held up by its host at any moment. */
static struct sample sample(void)
{
	struct sample best = sample_once();

	for (unsigned int i = 1; i < SAMPLES; i++) {
		struct sample s = sample_once();

		if (s.width < best.width)
			best = s;
	}
	return best;
}

static void pit_start(void)
{
	outb(PIT_GATE_PORT, (inb(PIT_GATE_PORT) & ~PIT_SPEAKER) | PIT_GATE);
	outb(PIT_COMMAND, PIT_START);
	outb(PIT_CHANNEL2, 0xff);
	outb(PIT_CHANNEL2, 0xff);
}

/*
 * Rates of TSC and APIC timer, in Hz. An emulator that its host holds up may find the counter run
 * out, and gone round: its output tells, and it is done again.
 */
static void calibrate(u64 *tsc_rate, u64 *apic_rate)
{
	struct sample first, last;
	u64 elapsed, patience = PATIENCE;

	apic_timer_mode(APIC_LVT_MASKED | APIC_LVT_ONE_SHOT);
	do {
		pit_start();
		apic_timer_start(~0u);
		first = sample();
		do {
			if (patience-- == 0)
				panic("timer: no working PIT (8254) to measure time with");
			last = sample_once();
		} while ((u16)(first.pit - last.pit) < WINDOW);
		last = sample();
	} while (inb(PIT_GATE_PORT) & PIT_OUT);
	apic_timer_start(0);

	elapsed = (u16)(first.pit - last.pit);
	*tsc_rate = (last.tsc - first.tsc) * PIT_HZ / elapsed;
	*apic_rate = (u64)(first.apic - last.apic) * PIT_HZ / elapsed;
}

/* numerator * 2^32 / denominator, for quotients of less than 64 bits. */
static u64 fraction(u64 numerator, u64 denominator)
{
	u64 high = numerator >> 32, low = numerator << 32;

	__asm__("divq %2" : "+d"(high), "+a"(low) : "r"(denominator) : "cc");
	return low;
}

/* See struct tsc_scale: mul = 2^32 * 10^9 / (hz * 2^shift), with its top bit set. */
static void set_scale(u64 hz)
{
	s8 shift = 0;

	if (hz <= NS_PER_SECOND) {
		while (hz << shift <= NS_PER_SECOND)
			shift++;
	} else {
		while (hz >> -shift > 2 * NS_PER_SECOND)
			shift--;
	}
	tsc_scale.shift = shift;
	tsc_scale.mul = (u32)(shift < 0 ? fraction(NS_PER_SECOND << -shift, hz) :
			      fraction(NS_PER_SECOND, hz << shift));
}

void timer_init(void)
{
	u64 tsc_hz, apic_hz;

	if (acpi_info.hardware_reduced)
		panic("timer: this machine is ACPI hardware-reduced, it has no PIT");
	tsc_scale.base = rdtsc();
	calibrate(&tsc_hz, &apic_hz);
	tsc_khz = tsc_hz / 1000;
	if (tsc_khz < MIN_TSC_KHZ || tsc_khz > MAX_TSC_KHZ || apic_hz == 0)
		panic("timer: implausible rates: TSC %lu kHz, APIC timer %lu kHz", tsc_khz,
		      apic_hz / 1000);
	set_scale(tsc_hz);
	use_deadline = cpu_features.tsc_deadline;
	ticks_per_ns = fraction(use_deadline ? tsc_hz : apic_hz, NS_PER_SECOND);
	wallclock_boot_ns = rtc_read_ns() - time_now_ns();
	timer_disarm();
	log("timer: TSC %lu.%03lu MHz, %s %lu.%03lu MHz", tsc_khz / 1000, tsc_khz % 1000,
	    use_deadline ? "with deadline; APIC timer" : "APIC timer", apic_hz / 1000000,
	    apic_hz / 1000 % 1000);
}

u64 time_now_ns(void)
{
	return tsc_to_ns(rdtsc());
}

void timer_arm(u64 deadline_ns)
{
	u64 now = time_now_ns(), ticks;
	u64 wait = deadline_ns > now ? MIN(deadline_ns - now, MAX_WAIT_NS) : 0;

	if (deadline_ns == TIMER_NEVER) {
		timer_disarm();
		return;
	}
	ticks = (u64)(((unsigned __int128)wait * ticks_per_ns) >> 32) + 1;
	if (use_deadline) {
		apic_timer_mode(APIC_LVT_TSC_DEADLINE);
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + ticks);
	} else {
		apic_timer_mode(APIC_LVT_ONE_SHOT);
		apic_timer_start((u32)MIN(ticks, (u64)UINT32_MAX));
	}
}

void timer_disarm(void)
{
	if (use_deadline)
		wrmsr(MSR_TSC_DEADLINE, 0);
	else
		apic_timer_start(0);
	apic_timer_mode(APIC_LVT_MASKED);
}
