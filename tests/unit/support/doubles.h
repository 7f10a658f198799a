/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Test doubles: stand-ins for the parts of the hypervisor that a test leaves out. They live in an
 * archive, so that each is linked only where the real thing is not.
 */
#ifndef UNIT_DOUBLES_H
#define UNIT_DOUBLES_H

#include <setjmp.h>
#include "types.h"

/* doubles/log.c */

/** logged - everything logged so far, lines ended by newlines */
const char *logged(void);
void log_forget(void);
extern void (*log_hears)(const char *line); /* called with each, if set */

extern jmp_buf panic_jump;
extern bool panic_expected;
const char *panic_text(void);

/* Runs @statement, which must panic with a message that contains @text. */
#define EXPECT_PANIC(text, statement) \
	do { \
		panic_expected = true; \
		if (!setjmp(panic_jump)) { \
			statement; \
			cr_assert_fail("no panic: %s", #statement); \
		} \
		panic_expected = false; \
		cr_expect(strstr(panic_text(), text), "panic says \"%s\"", panic_text()); \
	} while (0)

/* doubles/sched.c */
extern u64 preempt_calls; /* of sched_preempt_due() */
extern u64 preempt_at; /* the call that says "due"; 0: none */
extern bool preempt_always; /* every call from preempt_at on says so */
extern bool (*preempt_due_if)(unsigned int work); /* says it instead, if set */
extern unsigned int ipis;
extern void (*ipi_arrives)(u32 target);
extern bool pause_takes_longer; /* sched_pause() finds a vCPU that still runs */
extern void (*sched_stops)(void); /* called when sched_stop() has stopped a vCPU, if set */
extern unsigned int wakes, blocks, starts, ends, ended_for;
extern struct sched_setting {
	u64 what, index, value;
} settings[8]; /* by sched_set(), in turn */
extern unsigned int setting_count, setting_refused; /* how many; which @what is refused */

/* doubles/ioapic.c */
#define TEST_INPUTS 40
extern struct test_input {
	u8 vector; /* 0: not routed */
	bool level, active_low, masked;
} test_inputs[TEST_INPUTS];

/* doubles/crash.c */
extern unsigned int crashes;
extern char crash_reason[160];

/* doubles/memory.c: pages and chunks of the arena, handed out by hand */

/** memory_give - frames for page_alloc() and chunk_alloc(); forgets those given before */
void memory_give(mfn_t first_page, u64 pages, mfn_t first_chunk, u64 chunks);
extern u64 memory_pages_out, memory_chunks_out; /* allocated and not freed */
extern u64 memory_fail_after; /* so many allocations of pages and chunks succeed; ~0: all */
extern bool memory_fail_once; /* of those behind them only the first fails, not all */
extern unsigned int memory_failures; /* allocations that have failed so */
extern void (*memory_chunk_returns)(void); /* called with each that is freed */
extern u64 memory_ram_pages;  /* of the machine, as alloc_ram_pages() tells */

/* doubles/serial.c */
extern char serial_output[1 << 16];
extern u64 serial_output_length;
void serial_type(const char *bytes, u64 count); /* what serial_getc() will give */

/* doubles/cpu.c */
extern struct cpu test_cpu, *test_this_cpu;
extern u64 test_fs_base, test_gs_base, test_cr2, test_cr4, test_dr[8], test_xcr0;

/* doubles/console.c */
extern struct domain *console_focused;

/* doubles/timer.c */
extern u64 test_now_ns;

#endif
