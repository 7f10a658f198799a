/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static bool starts_with(const char *line, const char *prefix)
{
	return !strncmp(line, prefix, strlen(prefix));
}

/* "torc: domain ID NAME EVENT"; domain names hold no blanks. */
static void read_domain_line(struct log *log, const char *line)
{
	char event[16] = "", reason[16] = "";

	if (sscanf(line, "torc: domain %*u %*s %15s %15s", event, reason) < 1)
		return;
	log->domains = true;
	if (!strcmp(event, "refused:"))
		log->failed = true;
	else if (!strcmp(event, "ended:") && !strcmp(reason, "crash"))
		log->failed = true;
	else if (!strcmp(event, "ended:") && !strcmp(reason, "reboot"))
		log->rebooted = true;
}

static void read_line(struct log *log, const char *line)
{
	if (starts_with(line, "torc: Torc "))
		log->booted = true;
	else if (starts_with(line, "torc: panic: "))
		log->panicked = true;
	else if (starts_with(line, "torc: all domains ended"))
		log->ended = true;
	else if (starts_with(line, "torc: domain "))
		read_domain_line(log, line);
}

/* Before the hypervisor, firmware and GRUB use the same port; only their errors matter. */
static void end_line(struct log *log)
{
	log->line[log->length] = '\0';
	log->length = 0;
	log->escape = false;
	read_line(log, log->line);
	if (!log->booted && !strstr(log->line, "error: "))
		return;
	fprintf(stderr, "%s%s", log->line, log->terminal ? "\r\n" : "\n");
}

/* Drops control characters, and escape sequences up to the letter that ends them. */
static void take(struct log *log, char byte)
{
	if (byte == '\n') {
		end_line(log);
	} else if (log->escape) {
		log->escape = !isalpha((unsigned char)byte);
	} else if (byte == '\033') {
		log->escape = true;
	} else if (byte == '\t' || !iscntrl((unsigned char)byte)) {
		if (log->length == LOG_LINE - 1)
			end_line(log);
		log->line[log->length++] = byte;
	}
}

void log_feed(struct log *log, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		take(log, bytes[i]);
}

void log_close(struct log *log)
{
	if (log->length)
		end_line(log);
}
