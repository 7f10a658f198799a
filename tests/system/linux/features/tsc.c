/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * A program that wants the time stamp counter taken from it gets that, or is told that it cannot
 * be: never a success without an effect.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <x86intrin.h>

#include "feature.h"

static bool counts(void)
{
	unsigned long long first = __rdtsc();

	need(__rdtsc() >= first);
	return true;
}

static bool forbids(void)
{
	int mode = 0;

	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0)
		return dies_by(counts, SIGSEGV);
	need(errno == EINVAL);
	need(prctl(PR_GET_TSC, &mode) == 0 && mode == PR_TSC_ENABLE);
	return counts();
}

static const struct check checks[] = {
	{ "RDTSC", counts },
	{ "RDTSC forbidden or refused to be", forbids },
};

int main(void)
{
	return RUN_CHECKS("tsc", checks);
}
