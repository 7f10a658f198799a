/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The few string, number and command-line functions that the hypervisor needs. No locks, no
 * hardware: everything here also runs in unit tests on a host.
 */
#ifndef TORC_LIB_H
#define TORC_LIB_H

#include "types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
char *strchr(const char *s, int c);

/**
 * vsnprintf() - the usual one, reduced
 *
 * Knows %d %u %x %s %% with the flag '0', a width, a precision for %s only, and the sizes l, ll, z.
 * Anything else is printed as it stands.
 * Return: length of the whole text without its end mark, however little of it fitted.
 */
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
	__format_printf(3, 0);
int snprintf(char *buffer, size_t size, const char *format, ...) __format_printf(3, 4);

/**
 * parse_number() - read a whole string as a number
 * @text: decimal, or hexadecimal with 0x
 * Return: false, with *@value untouched, when there is no digit, a stray character or an overflow.
 */
bool parse_number(const char *text, u64 *value);

/**
 * parse_size() - like parse_number(), with an optional suffix K, M, G or T (powers of 1024)
 */
bool parse_size(const char *text, u64 *bytes);

/**
 * parse_set() - read a set of numbers below 64, as in "0-3,6", as bits
 * Return: false, with *@set untouched, when it is no list of such numbers, and ranges that go up.
 */
bool parse_set(const char *text, u64 *set);

/**
 * word_is() - are the @length bytes at @word those of @text?
 */
bool word_is(const char *word, size_t length, const char *text);

/**
 * cmdline_get() - look a word up in a command line
 * @cmdline: words separated by blanks; a word "--" ends the part that is searched
 * @key: name of the word
 * @buffer: receives the value of "key=value" ("" for a bare "key"), cut to @size; untouched if
 *          the word is absent
 * Return: length of the value, not less than @size when it was cut; -1 when the word is absent.
 * The first of several equal keys counts.
 */
int cmdline_get(const char *cmdline, const char *key, char *buffer, size_t size);

/**
 * cmdline_is() - does the command line say "key=value"?
 */
bool cmdline_is(const char *cmdline, const char *key, const char *value);

/**
 * cmdline_fault() - is a word of a command line not among those known, or given twice?
 * @known: names of the words, at most 32, ended by NULL; "--" ends the part that is looked at
 * @word: receives the first bad word, cut to @size
 * Return: what is wrong with it, as in "is unknown"; NULL when nothing is.
 */
const char *cmdline_fault(const char *cmdline, const char *const *known, char *word, size_t size);

/**
 * cmdline_after() - what follows a bare word
 * Return: the text after the first word equal to @word, blanks skipped, or NULL.
 * The search does not stop at "--", so that "--" itself can be looked for.
 */
const char *cmdline_after(const char *cmdline, const char *word);

#endif
