/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Starting other programs.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * child_require() - end the program, naming tool and package, unless the tool can be found
 * @program: looked up in PATH when it has no slash, else the file itself
 * @package: the Debian package to install
 */
void child_require(const char *program, const char *package);

/**
 * child_start() - start a program
 * @arguments: ended by NULL; [0] is looked up in PATH
 * @output: file for its stdout and stderr; NULL sends both to stderr
 *
 * It has a session of its own, stdin from /dev/null, and dies with this program.
 */
pid_t child_start(char *const *arguments, const char *output);

/**
 * child_run() - start a program and wait for its end
 * Return: true when it exited with status 0.
 */
bool child_run(char *const *arguments, const char *output);

/**
 * child_show_output() - copy the last lines of a program's output to stderr
 */
void child_show_output(const char *output);

#endif
