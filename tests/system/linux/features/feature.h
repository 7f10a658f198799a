/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What the programs here share. Each has a theme and a table of named checks. A check runs in a
 * process of its own, so that one that dies or hangs is one that failed; one verdict line each:
 *
 *	feature: THEME: NAME: ok|FAILED
 */
#ifndef FEATURE_H
#define FEATURE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_SECONDS 30

struct check {
	const char *name;
	bool (*run)(void);
};

/* Leaves a check if something does not hold, and says what. */
#define need(condition)                                                                     \
	do {                                                                                \
		if (!(condition)) {                                                         \
			printf("  line %d: not so: %s (%s)\n", __LINE__, #condition,        \
			       strerror(errno));                                            \
			return false;                                                       \
		}                                                                           \
	} while (0)

/* The wait status of a process that ran a function and exited with 0 if it returned true. */
static inline int status_of(bool (*run)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(CHECK_SECONDS);
		status = run() ? 0 : 1;
		fflush(stdout);
		_exit(status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

static inline bool dies_by(bool (*run)(void), int signal)
{
	int status = status_of(run);

	return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

static inline int run_checks(const char *theme, const struct check *checks, size_t count)
{
	int status, failures = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		status = status_of(checks[i].run);
		if (WIFSIGNALED(status))
			printf("  died by signal %d\n", WTERMSIG(status));
		printf("feature: %s: %s: %s\n", theme, checks[i].name, status ? "FAILED" : "ok");
		failures += status != 0;
	}
	return failures ? 1 : 0;
}

#define RUN_CHECKS(theme, table) run_checks(theme, table, sizeof(table) / sizeof(table[0]))

#endif
