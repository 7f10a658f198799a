/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * printf, a line at a time to the console ring.
 */
#include "guest.h"

static char line[256];
static size_t used;

/* Where the characters of one printf go: the line, or a buffer that is cut when it is full. */
struct sink {
	char *buffer;
	size_t room;
};

void guest_flush_console(void)
{
	volatile struct torc_console_ring *ring;
	size_t done = 0;

	ring = guest_linear(guest_start->console_ring << TORC_PAGE_SHIFT);
	while (done < used)
		done += torc_console_write(ring, line + done, used - done);
	used = 0;
}

static void put(struct sink *sink, char character)
{
	if (sink->buffer) {
		if (sink->room > 1) {
			*sink->buffer++ = character;
			sink->room--;
		}
		return;
	}
	line[used++] = character;
	if (character == '\n' || used == sizeof(line))
		guest_flush_console();
}

struct conversion {
	uint32_t width;
	bool zeroes;
	bool left;
	bool is_long;
};

static void put_padded(struct sink *sink, const char *text, size_t length,
		       const struct conversion *how)
{
	size_t padding = length < how->width ? how->width - length : 0;

	if (!how->left)
		for (; padding; padding--)
			put(sink, how->zeroes ? '0' : ' ');
	while (length--)
		put(sink, *text++);
	for (; padding; padding--)
		put(sink, ' ');
}

static void put_number(struct sink *sink, uint64_t value, uint32_t base, bool negative,
		       const struct conversion *how)
{
	char digits[24];
	char *first = digits + sizeof(digits);

	do {
		*--first = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		*--first = '-';
	put_padded(sink, first, (size_t)(digits + sizeof(digits) - first), how);
}

static void put_signed(struct sink *sink, int64_t value, const struct conversion *how)
{
	put_number(sink, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0, how);
}

/* Reads flags, width and length of a conversion; returns what follows them. */
static const char *parse(const char *format, struct conversion *how)
{
	*how = (struct conversion){ 0 };
	for (; *format == '0' || *format == '-'; format++) {
		how->zeroes |= *format == '0';
		how->left |= *format == '-';
	}
	for (; *format >= '0' && *format <= '9'; format++)
		how->width = how->width * 10 + (uint32_t)(*format - '0');
	for (; *format == 'l' || *format == 'z'; format++)
		how->is_long = true;
	return format;
}

static void format_to(struct sink *sink, const char *format, va_list args)
{
	struct conversion how;
	const char *text;
	char character;

	for (; *format; format++) {
		if (*format != '%') {
			put(sink, *format);
			continue;
		}
		format = parse(format + 1, &how);
		switch (*format) {
		case 'd':
			put_signed(sink, how.is_long ? va_arg(args, long) : va_arg(args, int),
				   &how);
			break;
		case 'u':
		case 'x':
			put_number(sink,
				   how.is_long ? va_arg(args, unsigned long)
					       : va_arg(args, unsigned int),
				   *format == 'x' ? 16 : 10, false, &how);
			break;
		case 'p':
			put_number(sink, (uint64_t)va_arg(args, void *), 16, false, &how);
			break;
		case 's':
			text = va_arg(args, const char *);
			put_padded(sink, text, strlen(text), &how);
			break;
		case 'c':
			character = (char)va_arg(args, int);
			put_padded(sink, &character, 1, &how);
			break;
		default:
			put(sink, *format);
		}
	}
}

void vprintf(const char *format, va_list args)
{
	static struct guest_lock lock;
	struct sink console = { NULL, 0 };
	unsigned long flags = torc_irq_save();

	guest_lock(&lock);
	format_to(&console, format, args);
	guest_unlock(&lock);
	torc_irq_restore(flags);
}

void printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void vsnprintf(char *buffer, size_t room, const char *format, va_list args)
{
	struct sink sink = { buffer, room };

	format_to(&sink, format, args);
	*sink.buffer = 0;
}
