/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Verdicts, and what several tests build.
 */
#include "conformance.h"

static const char *const names[] = { "success", "skip", "error", "failure" };

static enum verdict worst;
static char worst_text[160];
static uint32_t count;

#define SHOWN 40 /* failures printed; the others are only counted */

void verdict(enum verdict found, const char *format, ...)
{
	char text[sizeof(worst_text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	count++;
	if (count <= SHOWN)
		printf("%s: %s\n", names[found], text);
	if (found > worst) {
		worst = found;
		memcpy(worst_text, text, sizeof(text));
	}
}

void verdict_end(void)
{
	guest_flush_console();
	if (worst == VERDICT_SUCCESS)
		printf("VERDICT: success\n");
	else
		printf("VERDICT: %s %s (%u findings)\n", names[worst], worst_text, count);
	torc_end(TORC_SHUTDOWN_POWEROFF, 0);
}

void expect_status(const char *what, int64_t found, int64_t expected)
{
	CHECK(found == expected, "%s: %ld instead of %ld", what, found, expected);
}

void expect_fault(const char *what, struct guest_fault fault, uint64_t vector)
{
	if (!fault.hit)
		FAILURE("%s: no fault instead of vector %lu", what, vector);
	else
		CHECK(fault.vector == vector, "%s: vector %lu error 0x%lx instead of vector %lu",
		      what, fault.vector, fault.error, vector);
}

uint64_t next_number(const char **text)
{
	uint64_t value = 0;

	while (**text == ' ')
		(*text)++;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		value = value * 10 + (uint64_t)(**text - '0');
	return value;
}

int64_t batch_for(uint64_t ns, uint64_t first, uint64_t count)
{
	int64_t result;

	torc_set_timer(torc_clock_ns(TORC_CLOCK) + ns);
	result = torc_batch(first, count);
	torc_set_timer(0);
	return result;
}

bool ordinary(const void *page)
{
	return !guest_probe_write((uint64_t)page).hit;
}

uint64_t *wide_tree(uint32_t tables)
{
	uint64_t *top = guest_pages(tables + 2), *entry = top + 512, i;
	uint64_t data = torc_pte_make(page_of(top) + tables + 1, WIDE_BITS);

	for (i = 0; i < tables; i++)
		top[i] = torc_pte_make(page_of(top) + 1 + i, WIDE_BITS | TORC_PTE_WRITE);
	for (i = 0; i < tables * 512UL; i++)
		entry[i] = data;
	return top;
}

int main(void)
{
	test_main();
	verdict_end();
}
