/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the help for unit tests (tests/unit/support) wants of Criterion, in a program that is none
 * of its tests: an assertion that fails aborts, which is a finding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <criterion/criterion.h>
#include <criterion/options.h>

struct criterion_options criterion_options;

void cri_asserts_passed_incr(void)
{
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
	if (!stats->passed)
		fprintf(stderr, "%s:%u: %s\n", stats->file, stats->line, stats->message);
}

void criterion_abort_test(void)
{
	abort();
}

void criterion_continue_test(void)
{
	abort();
}

char *cr_translate_assert_msg(int index, ...)
{
	(void)index;
	return NULL;
}

int cr_asprintf(char **text, const char *format, ...)
{
	*text = NULL;
	(void)format;
	return 0;
}

void cr_asprintf_free(char *text)
{
	(void)text;
}
