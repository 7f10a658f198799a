/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A domain beside the fuzzer that wants nothing of anybody: its memory keeps what was written, its
 * clock goes forward, its timer rings. Its command line: for how many seconds it looks.
 */
#include "guest.h"

#define PAGES 128
#define SLEEP_NS 5000000UL
#define LATE_NS 30000000000UL /* more than a busy host makes of it */

#define SILENT 50 /* rounds without the timer's ring: one that is put off long enough needs none */

static uint64_t *memory;

static uint64_t pattern(uint64_t word)
{
	return (word + 1) * 0x9e3779b97f4a7c15;
}

static uint64_t count_wrong(void)
{
	uint64_t word, wrong = 0;

	for (word = 0; word < PAGES * TORC_PAGE_SIZE / 8; word++)
		wrong += memory[word] != pattern(word);
	return wrong;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (*text - '0');
	return value;
}

int main(void)
{
	uint64_t seconds = number(guest_linear(guest_start->cmdline)), word, before, now;
	uint64_t end = torc_clock_ns(TORC_CLOCK) + seconds * 1000000000;
	uint64_t wrong = 0, late = 0, rounds = 0, silent = 0, rings;

	memory = guest_pages(PAGES);
	for (word = 0; word < PAGES * TORC_PAGE_SIZE / 8; word++)
		memory[word] = pattern(word);
	do {
		before = torc_clock_ns(TORC_CLOCK);
		rings = guest_event_count[TORC_PORT_TIMER];
		guest_sleep_ns(SLEEP_NS);
		now = torc_clock_ns(TORC_CLOCK);
		silent = guest_event_count[TORC_PORT_TIMER] == rings ? silent + 1 : 0;
		late += now < before + SLEEP_NS || now > before + LATE_NS || silent == SILENT;
		wrong += count_wrong();
		rounds++;
	} while (now < end);
	printf("bystander: %lu rounds, %lu words wrong, %lu times late\n", rounds, wrong, late);
	printf(wrong || late ? "VERDICT: failure\n" : "VERDICT: success\n");
	return 0;
}
