/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Small helpers: messages, formatted strings, argument lists, sizes.
 */
#ifndef UTIL_H
#define UTIL_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define KIB		  (UINT64_C(1) << 10)
#define MIB		  (UINT64_C(1) << 20)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/**
 * die() - print "torc-run: MESSAGE" on stderr and exit
 * @status: exit status; STATUS_USAGE adds a hint at --help
 *
 * Whatever must be undone (terminal mode, work directory) is registered with atexit().
 */
void die(enum status status, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/**
 * note() - print "torc-run: MESSAGE" on stderr
 */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * text() - formatted string of its own; memory is never given back, the program is short-lived
 */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * struct list - strings, always ended by NULL, so that @items serves as an argument vector
 */
struct list {
	char **items;
	size_t count;
};

/**
 * list_add() - append a formatted string
 */
void list_add(struct list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * size_parse() - read a size with an optional suffix K, M or G (powers of 1024)
 * @string: what the user wrote
 * @bytes: receives the size; untouched on error
 * Return: 0; -EINVAL when @string is no size, or zero; -ERANGE when it passes 2^63.
 */
int size_parse(const char *string, uint64_t *bytes);

/**
 * size_text() - shortest exact spelling that size_parse() reads
 */
char *size_text(uint64_t bytes);

/**
 * number_parse() - read a decimal number
 * Return: 0, or -EINVAL when @string is no number from @minimum to @maximum.
 */
int number_parse(const char *string, unsigned long minimum, unsigned long maximum,
		 unsigned long *number);

#endif
