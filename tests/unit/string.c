/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* The hypervisor's own memory and string functions, against those of the C library. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "unit.h"

void *hv_memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *hv_memmove(void *to, const void *from, size_t bytes);
void *hv_memset(void *to, int value, size_t bytes);
int hv_memcmp(const void *a, const void *b, size_t bytes);
size_t hv_strlen(const char *s);
size_t hv_strnlen(const char *s, size_t max);
int hv_strcmp(const char *a, const char *b);
char *hv_strchr(const char *s, int c);

#define ROOM 96

static u8 ours[ROOM], theirs[ROOM], other[ROOM];
static struct random dice = { 606 };

static void scramble(void)
{
	unsigned int i;

	for (i = 0; i < ROOM; i++) {
		ours[i] = theirs[i] = random_next(&dice) >> 30;
		other[i] = random_next(&dice) >> 30;
	}
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

Test(string, memory_at_every_alignment_and_length)
{
	unsigned int to, from, bytes;

	for (to = 0; to < 9; to++)
		for (from = 0; from < 9; from++)
			for (bytes = 0; bytes < 70; bytes++) {
				scramble();
				cr_assert_eq(hv_memcpy(ours + to, other + from, bytes), ours + to);
				memcpy(theirs + to, other + from, bytes);
				cr_assert(!memcmp(ours, theirs, ROOM));
				cr_assert_eq(hv_memset(ours + to, (int)(from * 300), bytes),
					     ours + to);
				memset(theirs + to, (int)(from * 300), bytes);
				cr_assert(!memcmp(ours, theirs, ROOM));
			}
}

Test(string, overlapping_moves)
{
	unsigned int to, from, bytes;

	for (to = 0; to < 32; to++)
		for (from = 0; from < 32; from++)
			for (bytes = 0; bytes < 60; bytes += 3) {
				scramble();
				cr_assert_eq(hv_memmove(ours + to, ours + from, bytes), ours + to);
				memmove(theirs + to, theirs + from, bytes);
				cr_assert(!memcmp(ours, theirs, ROOM), "%u from %u, %u bytes", to,
					  from, bytes);
			}
}

Test(string, comparison)
{
	unsigned int round, i;

	for (round = 0; round < 50000; round++) {
		char a[9] = { 0 }, b[9] = { 0 };
		size_t n = random_below(&dice, 10);

		for (i = 0; i < 8; i++) {
			a[i] = "ab\xff\0"[random_below(&dice, 4)];
			b[i] = random_once_in(&dice, 4) ? "ab\xff\0"[random_below(&dice, 4)] : a[i];
		}
		cr_assert_eq(sign(hv_strcmp(a, b)), sign(strcmp(a, b)));
		cr_assert_eq(sign(hv_memcmp(a, b, MIN(n, 9ul))), sign(memcmp(a, b, MIN(n, 9ul))));
		cr_assert_eq(hv_strlen(a), strlen(a));
		cr_assert_eq(hv_strnlen(a, n), strnlen(a, n));
		cr_assert_eq(hv_strchr(a, 'b'), strchr(a, 'b'));
		cr_assert_eq(hv_strchr(a, 0xff), strchr(a, 0xff));
		cr_assert_eq(hv_strchr(a, 0), strchr(a, 0));
	}
}
