/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Numbers and command lines, both as people write them.
 */
#include "lib.h"

static bool digit_value(char c, unsigned int base, unsigned int *value)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *digit = strchr(digits, c);

	if (c == '\0' || digit == NULL)
		return false;
	*value = (unsigned int)(digit - digits);
	if (*value >= 16)
		*value -= 6;
	return *value < base;
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

bool parse_size(const char *text, u64 *bytes)
{
	static const char suffixes[] = "KMGTkmgt";
	u64 result;
	const char *end = parse_digits(text, &result), *suffix;
	unsigned int shift = 0;

	if (end == NULL)
		return false;
	suffix = strchr(suffixes, *end);
	if (*end != '\0' && suffix != NULL) {
		shift = 10 * (unsigned int)((suffix - suffixes) % 4 + 1);
		end++;
	}
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

/* The first word in @text and its length, or NULL. */
static const char *next_word(const char *text, size_t *length)
{
	text = skip_blanks(text);
	for (*length = 0; text[*length] != '\0' && !is_blank(text[*length]); ++*length)
		;
	return *length > 0 ? text : NULL;
}

bool word_is(const char *word, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(word, text, length) == 0;
}

/* The same for a command line, which a word "--" ends. */
static const char *next_setting(const char *text, size_t *length)
{
	const char *word = next_word(text, length);

	return word != NULL && !word_is(word, *length, "--") ? word : NULL;
}

/* Length of a word's part before "=". */
static size_t key_length(const char *word, size_t length)
{
	const char *equals = strchr(word, '=');

	return equals == NULL ? length : MIN(length, (size_t)(equals - word));
}

int cmdline_get(const char *cmdline, const char *key, char *buffer, size_t size)
{
	const char *word = cmdline;
	size_t length = 0, key_bytes;

	while ((word = next_setting(word + length, &length)) != NULL) {
		key_bytes = key_length(word, length);
		if (!word_is(word, key_bytes, key))
			continue;
		key_bytes = MIN(key_bytes + 1, length); /* and "=" */
		length -= key_bytes;
		snprintf(buffer, MIN(length + 1, size), "%s", word + key_bytes);
		return (int)length;
	}
	return -1;
}

const char *cmdline_fault(const char *cmdline, const char *const *known, char *word, size_t size)
{
	const char *at = cmdline;
	size_t length = 0;
	u32 seen = 0;

	while ((at = next_setting(at + length, &length)) != NULL) {
		unsigned int i = 0;

		while (known[i] != NULL && !word_is(at, key_length(at, length), known[i]))
			i++;
		if (known[i] == NULL || (seen >> i & 1)) {
			snprintf(word, MIN(size, length + 1), "%s", at);
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
	const char *at = cmdline;
	size_t length = 0;

	while ((at = next_word(at + length, &length)) != NULL) {
		if (word_is(at, length, word))
			return skip_blanks(at + length);
	}
	return NULL;
}
