/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Formatted text, into a buffer of fixed size.
 */
#include "lib.h"

struct output {
	char *buffer;
	size_t size;
	size_t length;	/* of the whole text, also of what did not fit */
};

struct spec {
	bool zero;
	size_t width;
	size_t precision;
	char length;	/* of the argument: 'l' or 'z' for 64 bits, 0 for int */
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->buffer[out->length] = c;
	out->length++;
}

static void put_times(struct output *out, char c, size_t count)
{
	while (count-- > 0)
		put(out, c);
}

/* @sign goes before padding zeros and after padding blanks. */
static void put_field(struct output *out, const struct spec *spec, const char *sign,
		      const char *text, size_t length)
{
	size_t total = length + strlen(sign);
	size_t padding = spec->width > total ? spec->width - total : 0;

	if (!spec->zero)
		put_times(out, ' ', padding);
	while (*sign != '\0')
		put(out, *sign++);
	if (spec->zero)
		put_times(out, '0', padding);
	while (length-- > 0)
		put(out, *text++);
}

static void put_number(struct output *out, const struct spec *spec, const char *sign, u64 value,
		       unsigned int base)
{
	char text[20];	/* 2^64 has 20 decimal digits */
	size_t at = sizeof(text);

	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	put_field(out, spec, sign, text + at, sizeof(text) - at);
}

/* Flag, width, precision and size, up to the conversion's letter. */
static const char *parse_spec(const char *f, struct spec *spec)
{
	*spec = (struct spec){ .precision = SIZE_MAX };
	spec->zero = *f == '0';
	for (; *f >= '0' && *f <= '9'; f++)
		spec->width = spec->width * 10 + (size_t)(*f - '0');
	if (*f == '.') {
		f++;
		spec->precision = 0;
		for (; *f >= '0' && *f <= '9'; f++)
			spec->precision = spec->precision * 10 + (size_t)(*f - '0');
	}
	for (; *f == 'l' || *f == 'z'; f++)
		spec->length = *f;
	return f;
}

static void convert_signed(struct output *out, const struct spec *spec, va_list *arguments)
{
	s64 value = spec->length ? va_arg(*arguments, s64) : va_arg(*arguments, int);

	put_number(out, spec, value < 0 ? "-" : "", value < 0 ? -(u64)value : (u64)value, 10);
}

static void convert_unsigned(struct output *out, const struct spec *spec, va_list *arguments,
			     char letter)
{
	u64 value = spec->length ? va_arg(*arguments, u64) : va_arg(*arguments, unsigned int);

	put_number(out, spec, "", value, letter == 'u' ? 10 : 16);
}

static void convert_string(struct output *out, struct spec *spec, const char *text)
{
	if (text == NULL)
		text = "(null)";
	spec->zero = false;
	put_field(out, spec, "", text, strnlen(text, spec->precision));
}

static void convert(struct output *out, struct spec *spec, char letter, va_list *arguments)
{
	switch (letter) {
	case 'd':
		convert_signed(out, spec, arguments);
		break;
	case 'u':
	case 'x':
		convert_unsigned(out, spec, arguments, letter);
		break;
	case 's':
		convert_string(out, spec, va_arg(*arguments, const char *));
		break;
	default:	/* "%%", and anything unknown */
		put(out, letter);
		break;
	}
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output out = { buffer, size, 0 };
	struct spec spec;
	va_list rest;

	va_copy(rest, arguments);
	while (*format != '\0') {
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = parse_spec(format + 1, &spec);
		if (*format != '\0')
			convert(&out, &spec, *format++, &rest);
	}
	va_end(rest);
	if (size > 0)
		buffer[MIN(out.length, size - 1)] = '\0';
	return (int)out.length;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}
