/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Numbers, sizes and command lines. What is refused leaves the result untouched. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib.h"
#include "unit.h"

#define UNTOUCHED 0x1234567890abcdefull

/* Parses text that ends at forbidden memory. */
static bool parse(bool (*function)(const char *, u64 *), const char *text, u64 *value)
{
	char *copy = malloc(strlen(text) + 1);
	bool good;

	memcpy(copy, text, strlen(text) + 1);
	*value = UNTOUCHED;
	good = function(copy, value);
	free(copy);
	return good;
}

static void accept(bool (*function)(const char *, u64 *), const char *text, u64 want)
{
	u64 value;

	cr_expect(parse(function, text, &value), "\"%s\" is refused", text);
	cr_expect_eq(value, want, "\"%s\" is %lu", text, value);
}

static void refuse(bool (*function)(const char *, u64 *), const char *text)
{
	u64 value;

	cr_expect_not(parse(function, text, &value), "\"%s\" is %lu", text, value);
	cr_expect_eq(value, UNTOUCHED, "\"%s\"", text);
}

Test(parse, numbers)
{
	accept(parse_number, "0", 0);
	accept(parse_number, "007", 7);
	accept(parse_number, "18446744073709551615", ~0ull);
	accept(parse_number, "0x0", 0);
	accept(parse_number, "0XfFfFfFfFfFfFfFfF", ~0ull);
	accept(parse_number, "0xabcdef0123456789", 0xabcdef0123456789);
	accept(parse_number, "00000000000000000000000000000000001", 1);
}

Test(parse, what_is_no_number)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"0x",
		"0xg",
		"0x ",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1a",
		"a",
		"12K",
		"1.5",
		"1e3",
		"18446744073709551616",
		"18446744073709551620",
		"99999999999999999999",
		"0x10000000000000000",
		"0b1",
		"0x-1",
		"1,000",
		"\xff",
		"1\n",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(parse_number, bad[i]);
}

Test(parse, sizes)
{
	accept(parse_size, "0", 0);
	accept(parse_size, "64M", 64 << 20);
	accept(parse_size, "1k", 1024);
	accept(parse_size, "0x10K", 16384);
	accept(parse_size, "3G", 3ull << 30);
	accept(parse_size, "2t", 2ull << 40);
	accept(parse_size, "4096", 4096);
	accept(parse_size, "16777215T", 16777215ull << 40);
	accept(parse_size, "17179869183G", 17179869183ull << 30);
	accept(parse_size, "0T", 0);
}

Test(parse, what_is_no_size)
{
	static const char *const bad[] = {
		"",
		"K",
		"M",
		"1Q",
		"1MB",
		"1MM",
		"1M ",
		" 1M",
		"-1M",
		"1.5G",
		"16777216T",
		"18446744073709551615K",
		"18014398509481984K",
		"17592186044416M",
		"0xK",
		"1K1",
		"M1",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(parse_size, bad[i]);
}

/* Every number written out is read back. */
Test(parse, random_numbers)
{
	struct random dice = { 31337 };
	unsigned int round;

	for (round = 0; round < 50000; round++) {
		u64 want = random_next(&dice) >> random_below(&dice, 64);
		char text[40];

		snprintf(text, sizeof(text), random_once_in(&dice, 2) ? "%lu" : "0x%lx", want);
		accept(parse_number, text, want);
		want >>= 40;
		snprintf(text, sizeof(text), "%luT", want);
		accept(parse_size, text, want << 40);
	}
}

static char value[8];

static int get(const char *cmdline, const char *key)
{
	strcpy(value, "before");
	return cmdline_get(cmdline, key, value, sizeof(value));
}

Test(cmdline, words)
{
	cr_expect_eq(get("a b=c bb=d", "b"), 1);
	cr_expect_str_eq(value, "c");
	cr_expect_eq(get("a b=c", "a"), 0);
	cr_expect_str_eq(value, "");
	cr_expect_eq(get("a= b=c", "a"), 0);
	cr_expect_str_eq(value, "");
	cr_expect_eq(get("a=b=c", "a"), 3);
	cr_expect_str_eq(value, "b=c");
	cr_expect_eq(get("  \t a=1\n\rb=2 ", "b"), 1);
	cr_expect_str_eq(value, "2");
	cr_expect_eq(get("a=1 a=2", "a"), 1);
	cr_expect_str_eq(value, "1", "the first counts");
}

Test(cmdline, absent_words)
{
	static const char *const lines[] = { "",       " ",  "ab=c", "xa=c", "b",  "-- a=1",
					     "x -- a", "aa", "A=1",  "=a",   "b=a" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		cr_expect_eq(get(lines[i], "a"), -1, "%s", lines[i]);
		cr_expect_str_eq(value, "before");
	}
	cr_expect_eq(get("--a=1 a=2", "a"), 1, "only a word of its own ends the search");
	cr_expect_eq(get("--- a=2", "a"), 1);
}

Test(cmdline, long_values_are_cut)
{
	char one[1] = { 'x' };

	cr_expect_eq(get("a=1234567", "a"), 7);
	cr_expect_str_eq(value, "1234567");
	cr_expect_eq(get("a=12345678", "a"), 8);
	cr_expect_str_eq(value, "1234567");
	cr_expect_eq(get("a=123456789 b", "a"), 9);
	cr_expect_eq(cmdline_get("a=123", "a", one, 1), 3);
	cr_expect_eq(one[0], '\0');
	one[0] = 'x';
	cr_expect_eq(cmdline_get("a=123", "a", one, 0), 3);
	cr_expect_eq(one[0], 'x');
}

Test(cmdline, comparison)
{
	cr_expect(cmdline_is("exit=isa-debug", "exit", "isa-debug"));
	cr_expect(cmdline_is("quiet", "quiet", ""));
	cr_expect_not(cmdline_is("exit=isa-debugger", "exit", "isa-debug"));
	cr_expect_not(cmdline_is("exit=isa", "exit", "isa-debug"));
	cr_expect_not(cmdline_is("", "exit", ""));
	cr_expect_not(
		cmdline_is("a=0123456789012345678901234567890123456789012345678901234567890123",
			   "a", "012345678901234567890123456789012345678901234567890123456789012"),
		"a value that was cut is not equal");
}

Test(cmdline, faults)
{
	static const char *const known[] = { "a", "bb", "log", NULL };
	static const struct {
		const char *cmdline, *word, *fault;
	} cases[] = {
		{ "", NULL, NULL },
		{ " \t ", NULL, NULL },
		{ "a bb=1 log=com2", NULL, NULL },
		{ "log=a=b -- c a=1 a=1", NULL, NULL },
		{ "a=1 c=2 d=3", "c=2", "is unknown" },
		{ "b", "b", "is unknown" },
		{ "bbb=x", "bbb=x", "is unknown" },
		{ "=a", "=a", "is unknown" },
		{ "---", "---", "is unknown" },
		{ "foo a=1", "foo", "is unknown" },
		{ "a=1 bb a=2 c", "a=2", "is given twice" },
		{ "a a", "a", "is given twice" },
		{ "longer-than-that=x", "longer-", "is unknown" },
	};
	char word[8];
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fault = cmdline_fault(cases[i].cmdline, known, word, sizeof(word));

		cr_assert_eq(!fault, !cases[i].fault, "%s", cases[i].cmdline);
		if (!fault)
			continue;
		cr_expect_str_eq(fault, cases[i].fault);
		cr_expect_str_eq(word, cases[i].word);
	}
}

Test(cmdline, the_rest_behind_a_word)
{
	cr_expect_str_eq(cmdline_after("file domain  name=x -- y", "domain"), "name=x -- y");
	cr_expect_str_eq(cmdline_after("a -- b -- c", "--"), "b -- c");
	cr_expect_str_eq(cmdline_after("a --", "--"), "");
	cr_expect_str_eq(cmdline_after("domain", "domain"), "");
	cr_expect_null(cmdline_after("domains", "domain"));
	cr_expect_null(cmdline_after("subdomain x", "domain"));
	cr_expect_null(cmdline_after("domain=x", "domain"));
	cr_expect_null(cmdline_after("", "domain"));
}

/* Any bytes at all: nothing outside is read or written. */
Test(cmdline, random_lines)
{
	static const char alphabet[] = "a=- \tb0\xff\x01";
	struct random dice = { 8 };
	unsigned int round, found = 0;

	for (round = 0; round < 100000; round++) {
		u64 length = random_below(&dice, 20), size = random_below(&dice, 6), i;
		char *line = malloc(length + 1), *buffer = malloc(size ? size : 1);
		int result;

		for (i = 0; i < length; i++)
			line[i] = alphabet[random_below(&dice, sizeof(alphabet) - 1)];
		line[length] = '\0';
		result = cmdline_get(line, "a", buffer, size);
		cr_assert(result >= -1 && result <= (int)length);
		if (result >= 0 && size)
			cr_assert_eq(strlen(buffer), MIN((u64)result, size - 1));
		found += result >= 0;
		cmdline_after(line, "-");
		free(line);
		free(buffer);
	}
	cr_expect_gt(found, 1000, "%u", found);
}

Test(parse, sets)
{
	accept(parse_set, "0", 1);
	accept(parse_set, "63", 1ull << 63);
	accept(parse_set, "0-63", ~0ull);
	accept(parse_set, "0-1,3", 0xb);
	accept(parse_set, "7,5-6,0x4", 0xf0);
	accept(parse_set, "2-2,2", 4);
	accept(parse_set, "62-63,0,0", 3ull << 62 | 1);
}

Test(parse, what_is_no_set)
{
	static const char *const bad[] = {
		"", ",", "-", "x", "0,", ",0", "0,,1", "0-", "-1", "1-0", "64", "0-64", "0-1-2",
		"0 1", "0, 1", "1x", "0-3x", "99999999999999999999", "0-99999999999999999999",
		"4294967296", "0;1",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(parse_set, bad[i]);
}
