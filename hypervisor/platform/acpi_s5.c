/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The one thing wanted from AML without interpreting it: Name (_S5_, Package () { a, b, ... }),
 * whose first two elements are what PM1a and PM1b control take to switch off. Firmware writes
 * it as constants (ACPI 6.4, sections 7.4.2 and 20.2).
 */
#include "acpi.h"
#include "lib.h"

enum {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
	AML_ROOT = '\\'
};

/* Reads an integer constant; returns how long it is, or 0 if it is none. */
static size_t read_constant(const u8 *aml, size_t bytes, u8 *value)
{
	static const u8 lengths[] = {
		[AML_ZERO] = 1, [AML_ONE] = 1, [AML_BYTE] = 2, [AML_WORD] = 3, [AML_DWORD] = 5
	};
	size_t length = bytes > 0 && aml[0] < sizeof(lengths) ? lengths[aml[0]] : 0;

	if (length == 0 || bytes < length)
		return 0;
	*value = aml[length > 1];
	return length;
}

/* @aml: what follows the name. */
static bool read_package(const u8 *aml, size_t bytes, u8 *type_a, u8 *type_b)
{
	size_t at, length;
	u8 a, b;

	if (bytes < 2 || aml[0] != AML_PACKAGE)
		return false;
	at = 2 + (size_t)(aml[1] >> 6);	/* PkgLength says how many more bytes it has */
	if (at >= bytes || aml[at] < 1)	/* NumElements */
		return false;
	at++;
	length = read_constant(aml + at, bytes - at, &a);
	if (length == 0)
		return false;
	at += length;
	if (read_constant(aml + at, bytes - at, &b) == 0)
		b = a;
	*type_a = a & 7;
	*type_b = b & 7;
	return true;
}

bool acpi_find_s5(const u8 *aml, size_t bytes, u8 *type_a, u8 *type_b)
{
	for (size_t at = 1; at + 4 <= bytes; at++) {
		if (memcmp(aml + at, "_S5_", 4) != 0)
			continue;
		if (aml[at - 1] != AML_NAME &&
		    !(at >= 2 && aml[at - 1] == AML_ROOT && aml[at - 2] == AML_NAME))
			continue;
		if (read_package(aml + at + 4, bytes - at - 4, type_a, type_b))
			return true;
	}
	return false;
}
