/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <string.h>
#include "doubles.h"
#include "serial.h"

char serial_output[1 << 16];
u64 serial_output_length;

static const char *typed;
static u64 typed_count;

void serial_write(enum serial_port port __unused, const char *data, size_t bytes)
{
	bytes = MIN(bytes, sizeof(serial_output) - 1 - serial_output_length);
	memcpy(serial_output + serial_output_length, data, bytes);
	serial_output_length += bytes;
	serial_output[serial_output_length] = '\0';
}

bool serial_at_line_start(enum serial_port port __unused)
{
	return !serial_output_length || serial_output[serial_output_length - 1] == '\n';
}

void serial_type(const char *bytes, u64 count)
{
	typed = bytes;
	typed_count = count;
}

int serial_getc(void)
{
	if (!typed_count)
		return -1;
	typed_count--;
	return (unsigned char)*typed++;
}
