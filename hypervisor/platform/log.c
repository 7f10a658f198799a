/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The log, and the last words of a machine that cannot go on.
 */
#include "cpu.h"
#include "lib.h"
#include "lock.h"
#include "log.h"
#include "power.h"
#include "serial.h"
#include "smp.h"
#include "timer.h"

#define LOG_RING	65536
#define PREFIX		"torc: "
#define PATIENCE_NS	500000000ull	/* with a CPU that is to say where it was */

static char ring[LOG_RING];
static u64 ring_end;		/* bytes ever written */
static u64 ring_printed;	/* of these, before log_init() has chosen a port */
static enum serial_port log_port;
static bool log_open;
static struct lock log_lock;
static struct cpu *panicking; /* the CPU that panics */
static struct cpu *speaker; /* of a panic: the one whose turn it is to say something */

/* Sends ring text, whose lines end in a plain newline, to the serial port. */
static void print(u64 from, u64 to)
{
	if (!serial_at_line_start(log_port))
		serial_write(log_port, "\r\n", 2);
	while (from < to) {
		u64 at = from;

		while (at < to && ring[at % LOG_RING] != '\n')
			at++;
		for (; from < at; from++)
			serial_write(log_port, &ring[from % LOG_RING], 1);
		if (at < to) {
			serial_write(log_port, "\r\n", 2);
			from++;
		}
	}
}

/* Strings come from modules and guests too: what could steer a terminal is not passed on. */
static void append(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		bool printable = (text[i] >= ' ' && text[i] <= '~') || text[i] == '\n';

		ring[ring_end++ % LOG_RING] = printable ? text[i] : '?';
	}
}

static void append_lines(const char *text)
{
	do {
		const char *end = strchr(text, '\n');
		size_t bytes = end ? (size_t)(end - text) : strlen(text);

		append(PREFIX, sizeof(PREFIX) - 1);
		append(text, bytes);
		append("\n", 1);
		text += bytes + (end != NULL);
	} while (*text != '\0');
	if (log_open) {
		print(ring_printed, ring_end);
		ring_printed = ring_end;
	}
}

/* Who speaks in a panic does not wait: who holds the lock may have been stopped. */
void log(const char *format, ...)
{
	char text[LOG_LINE_MAX];
	bool alone = READ_ONCE(speaker) == smp_self();
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!alone)
		lock_take(&log_lock);
	append_lines(text);
	if (!alone)
		lock_drop(&log_lock);
}

size_t log_read(u64 *first, u64 *end, char *text, size_t room)
{
	size_t bytes;

	lock_take(&log_lock);
	*end = ring_end;
	*first = MIN(*first, ring_end);
	if (ring_end > LOG_RING)
		*first = MAX(*first, ring_end - LOG_RING);
	for (bytes = 0; bytes < room && *first + bytes < ring_end; bytes++)
		text[bytes] = ring[(*first + bytes) % LOG_RING];
	lock_drop(&log_lock);
	return bytes;
}

void log_init(const char *cmdline)
{
	char port[8] = "com1";
	bool com1 = serial_init(SERIAL_COM1), com2 = serial_init(SERIAL_COM2);

	cmdline_get(cmdline, "log", port, sizeof(port));
	if (strcmp(port, "com2") == 0)
		log_port = SERIAL_COM2;
	if (log_port == SERIAL_COM2 ? !com2 : !com1)
		log_port = log_port == SERIAL_COM2 ? SERIAL_COM1 : SERIAL_COM2;
	log_open = true;
	print(ring_printed, ring_end);
	ring_printed = ring_end;
	if (strcmp(port, "com1") != 0 && strcmp(port, "com2") != 0)
		log("log=%s is neither com1 nor com2: using com1", port);
	else if (strcmp(port, log_port == SERIAL_COM2 ? "com2" : "com1") != 0)
		log("there is no %s: the log goes to the other port", port);
}

void panic_report(const char *format, ...)
{
	char text[LOG_LINE_MAX];
	struct cpu *self = smp_self(), *first = NULL;
	va_list arguments;

	/* The first message is the one that matters. */
	if (!__atomic_compare_exchange_n(&panicking, &first, self, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		while (first != self)
			cpu_relax();
		power_off_failed();
	}
	speaker = self;
	smp_stop_others();
	if (!log_open)
		log_init("");
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log("panic: %s", text);
}

void panic_attend(u64 rip, u64 cs)
{
	struct cpu *self = this_cpu();
	const struct vcpu *vcpu = self->current;

	while (READ_ONCE(speaker) != self)
		cpu_relax();
	log("cpu %u was in ring %lu at %016lx, domain %s vcpu %u", self->id, cs & 3, rip,
	    vcpu ? vcpu->domain->name : "(none)", vcpu ? vcpu->id : 0);
	WRITE_ONCE(speaker, NULL);
	halt();
}

void panic_stop(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		u64 end = time_now_ns() + PATIENCE_NS;

		if (&cpus[i] == panicking)
			continue;
		WRITE_ONCE(speaker, &cpus[i]);
		while (READ_ONCE(speaker) && time_now_ns() < end)
			cpu_relax();
		if (__atomic_exchange_n(&speaker, panicking, __ATOMIC_ACQ_REL))
			log("cpu %u does not answer", i);
	}
	power_off_failed();
}
