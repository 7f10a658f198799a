/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* The log, kept for the test to read; and panics, which a test may expect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "doubles.h"
#include "log.h"

void (*log_hears)(const char *line);

static char text[1 << 16];
static u64 length;

jmp_buf panic_jump;
bool panic_expected;
static char why[400];

const char *logged(void)
{
	return text;
}

void log_forget(void)
{
	length = 0;
	text[0] = '\0';
}

void log(const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length + sizeof(line) + 2 > sizeof(text))
		log_forget();
	length += (u64)sprintf(text + length, "%s\n", line);
	if (log_hears)
		log_hears(line);
}

const char *panic_text(void)
{
	return why;
}

void panic_report(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
}

void panic_stop(void)
{
	if (panic_expected)
		longjmp(panic_jump, 1);
	fprintf(stderr, "panic: %s\n", why);
	abort();
}

size_t log_read(u64 *first, u64 *end, char *to, size_t room)
{
	size_t bytes = *first < length ? MIN(length - *first, room) : 0;

	*end = length;
	memcpy(to, text + *first, bytes);
	return bytes;
}
