/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Numbers and command lines, both as people write them.
 */
#include "lib.h"

static bool digit_value(char c, unsigned int base, unsigned int *value)
{
	unsigned int v;

	if (c >= '0' && c <= '9')
		v = (unsigned int)(c - '0');
	else if (c >= 'a' && c <= 'f')
		v = (unsigned int)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		v = (unsigned int)(c - 'A') + 10;
	else
		return false;
	*value = v;
	return v < base;
}

/* Reads digits; returns where they end, or NULL when there are none or too many. */
static const char *parse_digits(const char *text, u64 *value)
{
	unsigned int base = 10, digit;
	u64 result = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (!digit_value(*text, base, &digit))
		return NULL;
	for (; digit_value(*text, base, &digit); text++) {
		if (__builtin_mul_overflow(result, base, &result) ||
		    __builtin_add_overflow(result, digit, &result))
			return NULL;
	}
	*value = result;
	return text;
}

bool parse_number(const char *text, u64 *value)
{
	u64 result;
	const char *end = parse_digits(text, &result);

	if (end == NULL || *end != '\0')
		return false;
	*value = result;
	return true;
}

static unsigned int suffix_shift(char c)
{
	switch (c) {
	case 'K': case 'k':
		return 10;
	case 'M': case 'm':
		return 20;
	case 'G': case 'g':
		return 30;
	case 'T': case 't':
		return 40;
	default:
		return 0;
	}
}

bool parse_size(const char *text, u64 *bytes)
{
	u64 result;
	const char *end = parse_digits(text, &result);
	unsigned int shift;

	if (end == NULL)
		return false;
	shift = suffix_shift(*end);
	if (shift != 0)
		end++;
	if (*end != '\0' || result > UINT64_MAX >> shift)
		return false;
	*bytes = result << shift;
	return true;
}

bool parse_set(const char *text, u64 *set)
{
	u64 first, last, result = 0;

	do {
		text = parse_digits(text, &first);
		last = first;
		if (text != NULL && *text == '-')
			text = parse_digits(text + 1, &last);
		if (text == NULL || last < first || last > 63)
			return false;
		result |= ~0ull >> (63 - last) & ~0ull << first;
	} while (*text++ == ',');
	if (text[-1] != '\0')
		return false;
	*set = result;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

static const char *word_end(const char *s)
{
	while (*s != '\0' && !is_blank(*s))
		s++;
	return s;
}

int cmdline_get(const char *cmdline, const char *key, char *buffer, size_t size)
{
	size_t key_length = strlen(key), length;
	const char *word, *end;

	for (word = skip_blanks(cmdline); *word != '\0'; word = skip_blanks(end)) {
		end = word_end(word);
		length = (size_t)(end - word);
		if (length == 2 && memcmp(word, "--", 2) == 0)
			break;
		if (length < key_length || memcmp(word, key, key_length) != 0)
			continue;
		if (length > key_length && word[key_length] != '=')
			continue;
		word = length > key_length ? word + key_length + 1 : end;
		length = (size_t)(end - word);
		if (size > 0) {
			size_t copied = MIN(length, size - 1);

			memcpy(buffer, word, copied);
			buffer[copied] = '\0';
		}
		return (int)length;
	}
	return -1;
}

/* The place in @known of a word's part before "=", or where @known ends. */
static unsigned int find_key(const char *const *known, const char *word, size_t length)
{
	const char *equals = strchr(word, '=');
	unsigned int i;

	if (equals != NULL && (size_t)(equals - word) < length)
		length = (size_t)(equals - word);
	for (i = 0; known[i] != NULL; i++)
		if (strlen(known[i]) == length && memcmp(known[i], word, length) == 0)
			break;
	return i;
}

const char *cmdline_fault(const char *cmdline, const char *const *known, char *word, size_t size)
{
	const char *at, *end;
	u32 seen = 0;

	for (at = skip_blanks(cmdline); *at != '\0'; at = skip_blanks(end)) {
		unsigned int i;

		end = word_end(at);
		if (end - at == 2 && memcmp(at, "--", 2) == 0)
			break;
		i = find_key(known, at, (size_t)(end - at));
		if (known[i] == NULL || (seen >> i & 1)) {
			strlcpy(word, at, MIN(size, (size_t)(end - at) + 1));
			return known[i] == NULL ? "is unknown" : "is given twice";
		}
		seen |= 1u << i;
	}
	return NULL;
}

bool cmdline_is(const char *cmdline, const char *key, const char *value)
{
	char buffer[64];
	int length = cmdline_get(cmdline, key, buffer, sizeof(buffer));

	return length >= 0 && (size_t)length < sizeof(buffer) && strcmp(buffer, value) == 0;
}

const char *cmdline_after(const char *cmdline, const char *word)
{
	size_t length = strlen(word);
	const char *at, *end;

	for (at = skip_blanks(cmdline); *at != '\0'; at = skip_blanks(end)) {
		end = word_end(at);
		if ((size_t)(end - at) == length && memcmp(at, word, length) == 0)
			return skip_blanks(end);
	}
	return NULL;
}
