/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Memory and strings. The memory functions that compilers call by themselves use the processor's
 * string instructions, which are small. But what is copied is most often pages that other CPUs
 * have written, where memory sets the pace; and under software emulation a loop over words takes
 * two thirds of the time of REP MOVSQ. So memcpy() has one.
 */
#include "lib.h"

typedef u64 __attribute__((aligned(1), may_alias)) any_word;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	const any_word *f = from;
	any_word *t = to;

	for (; bytes >= 64; bytes -= 64, t += 8, f += 8) {
		u64 a = f[0], b = f[1], c = f[2], d = f[3];
		u64 e = f[4], g = f[5], h = f[6], i = f[7];

		t[0] = a, t[1] = b, t[2] = c, t[3] = d;
		t[4] = e, t[5] = g, t[6] = h, t[7] = i;
	}
	__asm__ volatile("rep movsb" : "+D"(t), "+S"(f), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= bytes)
		return memcpy(to, from, bytes);
	while (bytes-- > 0)
		t[bytes] = f[bytes];
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *at = to;
	size_t words = bytes >> 3;
	u64 pattern = 0x0101010101010101ul * (u8)value;

	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
	bytes &= 7;
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *x = a, *y = b;

	for (; bytes > 0; bytes--, x++, y++) {
		if (*x != *y)
			return *x < *y ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a == *b && *a != '\0'; a++, b++)
		;
	return (u8)*a - (u8)*b;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (*s == '\0')
			return NULL;
	}
	return (char *)s;
}
