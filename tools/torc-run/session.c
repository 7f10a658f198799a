/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "console.h"
#include "log.h"
#include "session.h"

/* A machine that has said its last word and is still there after this many seconds is killed. */
#define GRACE_SECONDS 5

enum end {
	END_NONE,
	END_BY_ITSELF, /* the emulator exited */
	END_LINGERING, /* it did not, after the hypervisor's last word */
	END_TIMEOUT,
	END_SIGNAL, /* or Ctrl-A x, or nobody reads stdout */
};

struct session {
	const struct options *options;
	struct launch *launch;
	struct console console;
	struct log log;
	pid_t emulator;
	int signals;
	int signal;	  /* that ended the run, with END_SIGNAL */
	int wait_status;  /* of the emulator, with END_BY_ITSELF */
	double deadline;  /* of --timeout; INFINITY: none */
	double last_word; /* when to stop waiting for the power to go; INFINITY: not said yet */
	enum end end;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_signals(void)
{
	sigset_t set;
	int descriptor;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (descriptor < 0)
		die(STATUS_EMULATOR, "signalfd: %s", strerror(errno));
	return descriptor;
}

static void stop(struct session *session, enum end end, int signal)
{
	if (session->end != END_NONE)
		return;
	session->end = end;
	session->signal = signal;
}

static void read_signals(struct session *session)
{
	struct signalfd_siginfo information;

	while (read(session->signals, &information, sizeof(information)) == sizeof(information)) {
		if (information.ssi_signo != SIGCHLD)
			stop(session, END_SIGNAL, (int)information.ssi_signo);
		else if (waitpid(session->emulator, &session->wait_status, WNOHANG) ==
			 session->emulator)
			stop(session, END_BY_ITSELF, 0);
	}
}

static void read_console(struct session *session)
{
	char bytes[4096];
	size_t count = serial_read(&session->launch->com1, bytes, sizeof(bytes));

	if (count && !console_output(&session->console, bytes, count))
		stop(session, END_SIGNAL, SIGPIPE);
}

static void read_log(struct session *session)
{
	char bytes[4096];
	size_t count = serial_read(&session->launch->com2, bytes, sizeof(bytes));

	log_feed(&session->log, bytes, count);
	if ((session->log.ended || session->log.panicked) && isinf(session->last_word))
		session->last_word = now() + GRACE_SECONDS;
}

static void check_clock(struct session *session)
{
	double time = now();

	if (time >= session->last_word)
		stop(session, END_LINGERING, 0);
	else if (time >= session->deadline)
		stop(session, END_TIMEOUT, 0);
}

static int poll_timeout(const struct session *session)
{
	double left = fmin(session->deadline, session->last_word) - now();

	if (isinf(left))
		return -1;
	return left <= 0 ? 0 : (int)fmin(left * 1000 + 1, 60000);
}

/* Input waits until there is a domain: firmware and boot loader would eat it. */
static void wait_for_something(struct session *session)
{
	struct serial *com1 = &session->launch->com1;
	struct serial *com2 = &session->launch->com2;
	struct console *console = &session->console;
	bool sending = console->pending && session->log.domains && !com1->listening;
	struct pollfd events[] = {
		{ .fd = session->signals, .events = POLLIN },
		{ .fd = com1->own, .events = (short)(POLLIN | (sending ? POLLOUT : 0)) },
		{ .fd = com2->own, .events = POLLIN },
		{ .fd = console_wants_input(console) ? STDIN_FILENO : -1, .events = POLLIN },
	};

	if (poll(events, ARRAY_SIZE(events), poll_timeout(session)) < 0)
		return;
	if (events[0].revents)
		read_signals(session);
	if (events[1].revents && com1->listening)
		serial_accept(com1);
	else if (events[1].revents & ~POLLOUT)
		read_console(session);
	if (events[1].revents & POLLOUT && com1->own >= 0)
		console_send(console, com1);
	if (events[2].revents)
		read_log(session);
	if (events[3].revents)
		console_read(console);
	if (console->quit)
		stop(session, END_SIGNAL, SIGINT);
}

static bool has_more(const struct serial *serial)
{
	struct pollfd event = { .fd = serial->own, .events = POLLIN };

	return !serial->listening && serial->own >= 0 && poll(&event, 1, 0) > 0;
}

/* The emulator is gone; what it wrote may still lie in the lines. */
static void drain(struct session *session)
{
	while (has_more(&session->launch->com2))
		read_log(session);
	while (has_more(&session->launch->com1))
		read_console(session);
	log_close(&session->log);
	console_close(&session->console);
}

static void end_emulator(struct session *session)
{
	if (session->end == END_BY_ITSELF)
		return;
	kill(session->emulator, SIGKILL);
	waitpid(session->emulator, NULL, 0);
}

static bool emulator_failed(const struct session *session)
{
	return session->end == END_BY_ITSELF &&
	       !session->options->machine->clean_exit(session->wait_status);
}

/* The emulator did not end as it does when the machine goes off, or did so too early. */
static enum status judge_emulator(const struct session *session)
{
	int status = session->wait_status;
	const char *name = session->options->machine->name;

	if (session->launch->output)
		child_show_output(session->launch->output);
	if (WIFSIGNALED(status))
		note("%s was killed by signal %d (%s)", name, WTERMSIG(status),
		     strsignal(WTERMSIG(status)));
	else
		note("%s ended with status %d %s", name, WEXITSTATUS(status),
		     session->log.ended	   ? "instead of being switched off" :
		     session->log.domains ? "while domains were running" :
					    "before the hypervisor had started domains");
	return STATUS_EMULATOR;
}

/* The machine went off and the hypervisor had not said that it would. */
static enum status judge_silent_end(const struct session *session)
{
	if (!session->log.booted)
		return judge_emulator(session);
	if (session->launch->output)
		child_show_output(session->launch->output);
	note("the machine was reset or switched off without a word from the hypervisor");
	return STATUS_HYPERVISOR;
}

static enum status judge(const struct session *session)
{
	const struct log *log = &session->log;

	if (log->panicked)
		return STATUS_HYPERVISOR;
	if (session->end == END_TIMEOUT) {
		note("time ran out after %g s", session->options->timeout);
		return STATUS_TIMEOUT;
	}
	if (session->end == END_SIGNAL)
		return (enum status)(STATUS_SIGNAL + session->signal);
	if (emulator_failed(session))
		return judge_emulator(session);
	if (!log->ended)
		return judge_silent_end(session);
	if (session->end == END_LINGERING)
		note("the hypervisor ended, but the machine did not go off");
	if (log->rebooted && !session->options->reboot)
		note("a domain asked for a reboot and was ended; --reboot starts it anew");
	return log->failed || !log->domains ? STATUS_DOMAIN : STATUS_OK;
}

enum status session_run(const struct options *options, struct launch *launch, const char *skip)
{
	struct session session = {
		.options = options,
		.launch = launch,
		.signals = open_signals(),
		.deadline = options->timeout > 0 ? now() + options->timeout : INFINITY,
		.last_word = INFINITY,
	};

	session.emulator = child_start(launch->words.items, launch->output);
	serial_started(&launch->com1);
	serial_started(&launch->com2);
	console_open(&session.console, skip);
	session.log.terminal = session.console.interactive && isatty(STDERR_FILENO);
	while (session.end == END_NONE) {
		wait_for_something(&session);
		check_clock(&session);
	}
	end_emulator(&session);
	drain(&session);
	return judge(&session);
}
