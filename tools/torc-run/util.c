/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static void message(const char *format, va_list arguments)
{
	fputs("torc-run: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void die(enum status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message(format, arguments);
	va_end(arguments);
	if (status == STATUS_USAGE)
		fputs("Try 'torc-run --help' for the options.\n", stderr);
	exit(status);
}

void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	message(format, arguments);
	va_end(arguments);
}

static char *vtext(const char *format, va_list arguments)
{
	char *string;

	if (vasprintf(&string, format, arguments) < 0)
		die(STATUS_EMULATOR, "out of memory");
	return string;
}

char *text(const char *format, ...)
{
	va_list arguments;
	char *string;

	va_start(arguments, format);
	string = vtext(format, arguments);
	va_end(arguments);
	return string;
}

void list_add(struct list *list, const char *format, ...)
{
	va_list arguments;

	list->items = reallocarray(list->items, list->count + 2, sizeof(*list->items));
	if (!list->items)
		die(STATUS_EMULATOR, "out of memory");
	va_start(arguments, format);
	list->items[list->count++] = vtext(format, arguments);
	va_end(arguments);
	list->items[list->count] = NULL;
}

int size_parse(const char *string, uint64_t *bytes)
{
	static const char suffixes[] = "KMG";
	unsigned long long number;
	unsigned int shift = 0;
	const char *suffix;
	char *end;

	if (!isdigit((unsigned char)string[0]))
		return -EINVAL;
	errno = 0;
	number = strtoull(string, &end, 10);
	if (errno == ERANGE)
		return -ERANGE;
	if (*end != '\0') {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (!suffix || end[1] != '\0')
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (number == 0)
		return -EINVAL;
	if (number > (UINT64_MAX >> 1) >> shift)
		return -ERANGE;
	*bytes = number << shift;
	return 0;
}

char *size_text(uint64_t bytes)
{
	static const char suffixes[] = "KMG";
	unsigned int step = 0;

	while (step < 3 && bytes % KIB == 0) {
		bytes /= KIB;
		step++;
	}
	if (step == 0)
		return text("%llu", (unsigned long long)bytes);
	return text("%llu%c", (unsigned long long)bytes, suffixes[step - 1]);
}

int number_parse(const char *string, unsigned long minimum, unsigned long maximum,
		 unsigned long *number)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)string[0]))
		return -EINVAL;
	errno = 0;
	value = strtoul(string, &end, 10);
	if (errno || *end != '\0' || value < minimum || value > maximum)
		return -EINVAL;
	*number = value;
	return 0;
}
