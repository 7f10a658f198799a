/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "util.h"

#define ESCAPE 0x01 /* Ctrl-A */

static struct termios cooked;

static void restore_terminal(void)
{
	tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

/* A terminal that does not control this session stops nobody in it from reading. */
static bool in_foreground(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || group == getpgrp();
}

void console_open(struct console *console, const char *skip)
{
	struct termios raw;

	*console = (struct console){ .skip = skip, .exact = isatty(STDOUT_FILENO) };
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &cooked))
		return;
	if (!in_foreground()) {
		console->input_ended = true;
		return;
	}
	fputs("torc-run: Ctrl-A x ends the machine, Ctrl-A h helps\n", stderr);
	raw = cooked;
	cfmakeraw(&raw);
	atexit(restore_terminal);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	console->interactive = true;
}

/* The mark's first character occurs in it only once, so a mismatch starts over. */
static bool skipped(struct console *console, char byte)
{
	if (console->skip) {
		if (byte != console->skip[console->skip_matched])
			console->skip_matched = 0;
		if (byte == console->skip[console->skip_matched])
			console->skip_matched++;
		if (!console->skip[console->skip_matched]) {
			console->skip = NULL;
			console->skip_line_end = true;
		}
		return true;
	}
	console->skip_line_end = console->skip_line_end && (byte == '\r' || byte == '\n');
	return console->skip_line_end;
}

/* In a file or pipe a line ends with a newline alone. */
static void put(struct console *console, char byte)
{
	if (console->held_return && byte != '\n')
		putchar_unlocked('\r');
	console->held_return = byte == '\r' && !console->exact;
	if (!console->held_return)
		putchar_unlocked(byte);
}

bool console_output(struct console *console, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!skipped(console, bytes[i]))
			put(console, bytes[i]);
	return fflush(stdout) == 0;
}

void console_close(struct console *console)
{
	if (console->held_return)
		putchar_unlocked('\r');
	console->held_return = false;
	fflush(stdout);
	if (console->interactive)
		restore_terminal();
}

bool console_wants_input(const struct console *console)
{
	return !console->input_ended &&
	       (console->interactive || console->pending < sizeof(console->input));
}

static void type(struct console *console, char byte)
{
	if (console->pending < sizeof(console->input))
		console->input[console->pending++] = byte;
}

static void show_help(void)
{
	fputs("\r\nCtrl-A x  end the machine\r\n"
	      "Ctrl-A a  send a Ctrl-A\r\n"
	      "Ctrl-A h  this help\r\n"
	      "Ctrl-T    input to the next domain\r\n",
	      stderr);
}

static void escaped(struct console *console, char byte)
{
	console->escape = false;
	switch (byte) {
	case 'x':
	case 'X':
		console->quit = true;
		break;
	case 'a':
	case ESCAPE:
		type(console, ESCAPE);
		break;
	case 'h':
	case '?':
		show_help();
		break;
	}
}

void console_read(struct console *console)
{
	char bytes[256];
	size_t room = sizeof(console->input) - console->pending;
	ssize_t got;

	if (console->interactive || room > sizeof(bytes))
		room = sizeof(bytes);
	got = read(STDIN_FILENO, bytes, room);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0)
		console->input_ended = true;
	for (ssize_t i = 0; i < got; i++) {
		if (console->escape)
			escaped(console, bytes[i]);
		else if (console->interactive && bytes[i] == ESCAPE)
			console->escape = true;
		else
			type(console, bytes[i]);
	}
}

void console_send(struct console *console, struct serial *serial)
{
	size_t sent = serial_write(serial, console->input, console->pending);

	console->pending -= sent;
	memmove(console->input, console->input + sent, console->pending);
}
