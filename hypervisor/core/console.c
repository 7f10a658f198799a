/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * All guests share one serial port. A single guest has it raw. With several, output is
 * shown line by line, each with its domain's name in front. Input goes to the domain in focus;
 * Ctrl-T moves the focus, and Ctrl-Y shows what the hypervisor knows of each domain.
 */
#include "console.h"
#include "entry.h"
#include "lib.h"
#include "log.h"
#include "sched.h"
#include "serial.h"

#define FOCUS_KEY 0x14 /* Ctrl-T */
#define STATUS_KEY 0x19 /* Ctrl-Y */

static struct domain *focus;
static struct domain *unfinished; /* whose line the port is in the middle of, if in any */
static bool prefixes;

void console_admit(struct domain *domain)
{
	if (!focus)
		focus = domain;
	prefixes |= domain_list->next != NULL;
}

static void show_line(struct domain *domain)
{
	struct console_line *line = &domain->line;

	if (!line->length)
		return;
	if (unfinished != domain && !serial_at_line_start(SERIAL_COM1))
		serial_write(SERIAL_COM1, "\r\n", 2);
	if (serial_at_line_start(SERIAL_COM1)) {
		serial_write(SERIAL_COM1, domain->name, strlen(domain->name));
		serial_write(SERIAL_COM1, ": ", 2);
	}
	serial_write(SERIAL_COM1, line->text, line->length);
	unfinished = domain;
	line->length = 0;
}

static void show_byte(struct domain *domain, char byte)
{
	struct console_line *line = &domain->line;

	if (byte == '\n')
		line->text[line->length++] = '\r';
	line->text[line->length++] = byte;
	if (byte == '\n' || line->length == sizeof(line->text) - 1)
		show_line(domain);
}

static void show(struct domain *domain, const char *text, size_t length)
{
	size_t i;

	if (!prefixes) {
		serial_write(SERIAL_COM1, text, length);
		return;
	}
	for (i = 0; i < length; i++)
		if (text[i] != '\r')
			show_byte(domain, text[i]);
}

static bool drain_some(struct domain *domain)
{
	struct torc_console_ring *ring = domain->console;
	u32 cons = domain->console_out_cons;
	u32 prod = READ_ONCE(ring->out_prod);
	char buffer[64];
	size_t n = 0;

	if (prod - cons > TORC_CONSOLE_OUT)
		cons = prod - TORC_CONSOLE_OUT;
	while (n < sizeof(buffer) && cons != prod) {
		buffer[n] = READ_ONCE(ring->out[cons++ % TORC_CONSOLE_OUT]);
		if (buffer[n++] == '\n')
			break;
	}
	show(domain, buffer, n);
	domain->console_out_cons = cons;
	WRITE_ONCE(ring->out_cons, cons);
	return cons != prod;
}

bool console_drain_some(struct domain *domain)
{
	bool more;

	lock_take(&domains_lock);
	more = drain_some(domain);
	lock_drop(&domains_lock);
	return more;
}

static void drain(struct domain *domain)
{
	unsigned int pieces;

	/* So often at most: the guest may be adding more. */
	for (pieces = 0; pieces < TORC_CONSOLE_OUT / 16 && drain_some(domain); pieces++)
		;
}

static void next_focus(void)
{
	focus = focus && focus->next ? focus->next : domain_list;
	if (focus && prefixes)
		log("console input goes to domain %u %s", focus->id, focus->name);
}

static void take(struct domain *domain, char byte)
{
	struct torc_console_ring *ring = domain->console;
	u32 cons = READ_ONCE(ring->in_cons);

	if (domain->console_in_prod - cons >= TORC_CONSOLE_IN)
		return; /* full: as a real line does, drop it */
	ring->in[domain->console_in_prod++ % TORC_CONSOLE_IN] = byte;
	__atomic_store_n(&ring->in_prod, domain->console_in_prod, __ATOMIC_RELEASE);
	event_raise(domain->vcpu[0], TORC_PORT_CONSOLE);
}

void console_input(void)
{
	int c;

	lock_take(&domains_lock);
	while ((c = serial_getc()) >= 0) {
		if (c == FOCUS_KEY)
			next_focus();
		else if (c == STATUS_KEY)
			report_status();
		else if (focus)
			take(focus, c);
	}
	lock_drop(&domains_lock);
}

bool console_flush(void)
{
	struct domain *domain;

	if (!lock_try(&domains_lock))
		return false;
	for (domain = domain_list; domain; domain = domain->next)
		show_line(domain);
	lock_drop(&domains_lock);
	return true;
}

bool console_forget(struct domain *domain)
{
	drain(domain);
	show_line(domain);
	if (unfinished == domain)
		unfinished = NULL;
	if (focus != domain)
		return false;
	focus = domain->next ? domain->next : domain_list;
	return true;
}

void console_focus(struct domain *domain)
{
	focus = domain;
}
