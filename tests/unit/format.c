/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Formatted text: what the hypervisor's own function writes is what a C library writes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"

int hv_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int hv_snprintf(char *buffer, size_t size, const char *format, ...);

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat"

/* Both write the same into buffers of any size, and return the same. */
#define SAME(...)                                                                     \
	do {                                                                          \
		char ours_[256], theirs_[256];                                        \
		int want_ = snprintf(theirs_, sizeof(theirs_), __VA_ARGS__);          \
		size_t size_;                                                         \
		for (size_ = 0; size_ <= (size_t)want_ + 2; size_++) {                \
			char *small_ = malloc(size_ + 1);                             \
			small_[size_] = 0x5a;                                         \
			cr_expect_eq(hv_snprintf(small_, size_, __VA_ARGS__), want_); \
			cr_expect_eq(small_[size_], 0x5a);                            \
			snprintf(theirs_, size_ ? size_ : 1, __VA_ARGS__);            \
			if (size_)                                                    \
				cr_expect_str_eq(small_, theirs_);                    \
			free(small_);                                                 \
		}                                                                     \
		hv_snprintf(ours_, sizeof(ours_), __VA_ARGS__);                       \
		snprintf(theirs_, sizeof(theirs_), __VA_ARGS__);                      \
		cr_expect_str_eq(ours_, theirs_);                                     \
	} while (0)

Test(format, integers)
{
	SAME("%d %d %u", 0, -1, 1u);
	SAME("%d|%5d|%05d", -3, 42, -42);
	SAME("%d %d", -2147483647 - 1, 2147483647);
	SAME("%ld %ld", -9223372036854775807l - 1, 9223372036854775807l);
	SAME("%lu %lx %lx", ~0ul, ~0ul, 1ul << 63);
	SAME("%016lx %08x %4x|", 0xabcul, 0xdeadu, 15u);
	SAME("%llu %lld %zu %zx", ~0ull, -5ll, (size_t)5, ~(size_t)0);
	SAME("%2d %1x", 12345, 0xabcdeu);
}

Test(format, text)
{
	SAME("%s|%10s|%.3s%%", "a", "bc", "fghij");
	SAME("%5.2s|%.0s|%.s", "abc", "abc", "abc");
	SAME("%s", "");
	SAME("plain");
	SAME("%s%s", "", "");
}

Test(format, no_text_at_all)
{
	char buffer[32];

	cr_expect_eq(hv_snprintf(buffer, sizeof(buffer), "%s", (char *)NULL), 6);
	cr_expect_str_eq(buffer, "(null)");
}

/* With a precision the text need not be terminated; nothing behind it may be read. */
Test(format, precision_guards_the_end)
{
	char *text = malloc(4), buffer[32];

	memcpy(text, "abcd", 4);
	cr_expect_eq(hv_snprintf(buffer, sizeof(buffer), "%.4s", text), 4);
	cr_expect_str_eq(buffer, "abcd");
	free(text);
}

/*
 * What is not known is not interpreted: no argument is taken, nothing is lost but the percent
 * sign.
 */
Test(format, unknown_conversions)
{
	char buffer[64];

	hv_snprintf(buffer, sizeof(buffer), "%q %d", 7);
	cr_expect_str_eq(buffer, "q 7");
	hv_snprintf(buffer, sizeof(buffer), "end%");
	cr_expect_str_eq(buffer, "end");
	hv_snprintf(buffer, sizeof(buffer), "end%05l");
	cr_expect_str_eq(buffer, "end");
}

static void compare(const char *format, ...)
{
	char ours[512], theirs[512];
	va_list arguments, again;
	int a, b;

	va_start(arguments, format);
	va_copy(again, arguments);
	a = hv_vsnprintf(ours, sizeof(ours), format, arguments);
	b = vsnprintf(theirs, sizeof(theirs), format, again);
	va_end(arguments);
	va_end(again);
	cr_assert_eq(a, b, "\"%s\": %d, not %d", format, a, b);
	cr_assert(!strcmp(ours, theirs), "\"%s\": \"%s\", not \"%s\"", format, ours, theirs);
}

Test(format, random_conversions)
{
	static const char *const kinds[] = { "ld", "lu", "lx", "llx", "zu" };
	struct random dice = { 5150 };
	unsigned int round;

	for (round = 0; round < 100000; round++) {
		char format[64], width[8] = "";
		u64 value = random_next(&dice) >> random_below(&dice, 64);

		if (random_once_in(&dice, 2))
			snprintf(width, sizeof(width), "%lu", 1 + random_below(&dice, 30));
		snprintf(format, sizeof(format), "<%%%s%s%s> %%%lus",
			 random_once_in(&dice, 2) ? "0" : "", width,
			 kinds[random_below(&dice, ARRAY_SIZE(kinds))],
			 1 + random_below(&dice, 20));
		compare(format, value, "text");
	}
}
