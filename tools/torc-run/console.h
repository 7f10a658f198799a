/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The guests' console: stdin and stdout of this program on one side, a serial line on the other.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "serial.h"

#define CONSOLE_INPUT 4096

/**
 * struct console
 * @interactive: stdin is a terminal of ours and in raw mode
 * @input_ended: stdin has no more
 * @quit: the user typed Ctrl-A x
 * @exact: stdout is a terminal, so that carriage returns matter
 */
struct console {
	bool interactive;
	bool input_ended;
	bool quit;
	bool exact;
	bool escape;
	bool held_return;
	const char *skip; /* mark that output is dropped up to; NULL: none (any more) */
	size_t skip_matched;
	bool skip_line_end;
	size_t pending;
	char input[CONSOLE_INPUT];
};

/**
 * console_open() - put a terminal on stdin into raw mode, until the program ends
 * @skip: output is dropped until after this line; NULL: everything counts
 */
void console_open(struct console *console, const char *skip);

/**
 * console_output() - show bytes that a guest printed
 * Return: false when stdout is closed.
 */
bool console_output(struct console *console, const char *bytes, size_t count);

/**
 * console_close() - the guests' output has ended; give the terminal back
 */
void console_close(struct console *console);

/**
 * console_wants_input() - is there room for what stdin has?
 *
 * Always on a terminal: Ctrl-A must be heard.
 */
bool console_wants_input(const struct console *console);

/**
 * console_read() - read stdin, which must be readable
 */
void console_read(struct console *console);

/**
 * console_send() - hand typed bytes on to the guests
 */
void console_send(struct console *console, struct serial *serial);

#endif
