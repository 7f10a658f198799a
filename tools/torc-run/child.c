/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "util.h"

#define LINES_SHOWN 20

void child_require(const char *program, const char *package)
{
	char *directories = text("%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	char *directory;

	if (strchr(program, '/')) {
		if (!access(program, R_OK))
			return;
	} else {
		while ((directory = strsep(&directories, ":")) != NULL)
			if (!access(text("%s/%s", *directory ? directory : ".", program), X_OK))
				return;
	}
	die(STATUS_EMULATOR, "%s is missing; it comes with: apt-get install %s", program, package);
}

static void __attribute__((noreturn))
become(char *const *arguments, const char *output, pid_t parent)
{
	int input = open("/dev/null", O_RDONLY);
	int sink = output ? open(output, O_WRONLY | O_CREAT | O_APPEND, 0600) : STDERR_FILENO;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent &&
	    dup2(input, STDIN_FILENO) >= 0 && dup2(sink, STDOUT_FILENO) >= 0 &&
	    dup2(sink, STDERR_FILENO) >= 0)
		execvp(arguments[0], arguments);
	_exit(127);
}

pid_t child_start(char *const *arguments, const char *output)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child < 0)
		die(STATUS_EMULATOR, "cannot start %s: %s", arguments[0], strerror(errno));
	if (child == 0)
		become(arguments, output, parent);
	return child;
}

bool child_run(char *const *arguments, const char *output)
{
	pid_t child = child_start(arguments, output);
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void child_show_output(const char *output)
{
	char *lines[LINES_SHOWN] = { NULL };
	unsigned int next = 0;
	size_t size = 0;
	FILE *file = fopen(output, "re");

	if (!file)
		return;
	while (getline(&lines[next % LINES_SHOWN], &size, file) > 0) {
		next++;
		size = 0;
		free(lines[next % LINES_SHOWN]);
		lines[next % LINES_SHOWN] = NULL;
	}
	fclose(file);
	for (unsigned int i = 1; i < LINES_SHOWN; i++)
		if (lines[(next + i) % LINES_SHOWN])
			fprintf(stderr, "  %s", lines[(next + i) % LINES_SHOWN]);
}
