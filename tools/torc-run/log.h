/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypervisor's log: shown on stderr, and read for how the run went.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE 1024

/**
 * struct log - what the log has told so far
 * @terminal: stderr is a terminal in raw mode
 * @booted: the hypervisor has said its first line
 * @domains: a domain was started or refused, so input has somewhere to go
 * @failed: a domain crashed or was refused
 * @rebooted: a domain asked for a reboot
 * @ended: the hypervisor said that all domains have ended
 * @panicked: the hypervisor panicked
 */
struct log {
	bool terminal;
	bool booted;
	bool domains;
	bool failed;
	bool rebooted;
	bool ended;
	bool panicked;
	bool escape;
	size_t length;
	char line[LOG_LINE];
};

/**
 * log_feed() - take bytes of the log, in pieces of any size
 */
void log_feed(struct log *log, const char *bytes, size_t count);

/**
 * log_close() - the log has ended, perhaps amid a line
 */
void log_close(struct log *log);

#endif
