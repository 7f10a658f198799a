/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The watchdog: a CPU that does not leave the hypervisor for too long ends the machine, with a
 * report.
 *
 * The hypervisor runs with interrupts off, so that only an NMI reaches a CPU that hangs; and the
 * others may all be waiting for a lock that it holds. So the first CPU is struck by an NMI of the
 * PIT 19 times a second (storm.c), and looks at every CPU: one that is in the hypervisor, is not
 * asleep, and has counted no pass (struct cpu) since the last look, is standing still. Another CPU
 * is sent an NMI when its time is over, for only it has its registers.
 *
 * No step of time is longer than what lies between two NMIs: a machine that was itself stopped for
 * a while does not hang.
 */
#include "apic.h"
#include "cpu.h"
#include "entry.h"
#include "log.h"
#include "storm.h"
#include "timer.h"

#define MAX_STEP_NS 110000000ul
#define NS_PER_SECOND 1000000000ul

static u64 patience_ns; /* 0: off */
static u64 looked_ns; /* when it looked last */
static struct {
	u32 passes;
	u64 ns; /* for which it did not change */
} seen[CPU_MAX];

void watchdog_look(void)
{
	u64 now = time_now_ns(), step = MIN(now - looked_ns, MAX_STEP_NS);

	looked_ns = now;
	for (unsigned int i = 0; patience_ns && i < cpu_count; i++) {
		u32 passes = READ_ONCE(cpus[i].passes);

		seen[i].ns += step;
		if ((passes & 1) || passes != seen[i].passes || READ_ONCE(cpus[i].idle))
			seen[i].ns = 0;
		seen[i].passes = passes;
		if (seen[i].ns < patience_ns)
			continue;
		WRITE_ONCE(cpus[i].hung, true);
		if (i)
			apic_send_nmi(cpus[i].apic_id);
	}
}

void watchdog_strike(const struct regs *regs, u64 rip, u64 rsp, u64 rflags)
{
	panic_report("cpu %u has not left the hypervisor for %lu s\n"
		     "  rip %016lx rsp %016lx rflags %lx", this_cpu()->id,
		     READ_ONCE(patience_ns) / NS_PER_SECOND, rip, rsp, rflags);
	report_general(regs);
	panic_stop();
}

void watchdog_start(u64 seconds)
{
	patience_ns = seconds * NS_PER_SECOND;
}
