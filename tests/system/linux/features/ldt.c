/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Local descriptor tables: each process has its own, switched with it. The check reads through GS,
 * whose base is the address of a word; a static program's words lie below 4 GiB.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "feature.h"

static uint32_t words[2] = { 0x11223344, 0x55667788 };

static int set_entry(unsigned int number, const uint32_t *word)
{
	struct user_desc entry = {
		.entry_number = number,
		.base_addr = (uint32_t)(uintptr_t)word,
		.limit = 0xfff,
		.seg_32bit = 1,
		.useable = 1,
	};
	struct user_desc empty = {
		.entry_number = number,
		.read_exec_only = 1,
		.seg_not_present = 1,
	};

	return (int)syscall(SYS_modify_ldt, 1, word ? &entry : &empty, sizeof(entry));
}

static uint32_t read_through(unsigned int number)
{
	uint32_t value;

	__asm__ volatile("mov %1, %%gs\n\tmov %%gs:0, %0"
			 : "=r"(value)
			 : "r"(number << 3 | 7)
			 : "memory");
	return value;
}

static bool reads(void)
{
	need(set_entry(0, &words[0]) == 0 && set_entry(1, &words[1]) == 0);
	need(read_through(0) == words[0]);
	need(read_through(1) == words[1]);
	return true;
}

static bool tells(void)
{
	uint64_t table[4] = { 1, 1, 1, 1 };

	need(set_entry(2, &words[0]) == 0);
	need(syscall(SYS_modify_ldt, 0, table, sizeof(table)) == sizeof(table));
	need(table[0] == 0 && table[1] == 0 && table[3] == 0);
	need((table[2] >> 16 & 0xffffff) == ((uintptr_t)&words[0] & 0xffffff));
	return true;
}

/* One process of two whose entry of the same number has another base. */
static bool keeps_reading(const uint32_t *word)
{
	int i;

	need(set_entry(0, word) == 0);
	for (i = 0; i < 500; i++) {
		need(read_through(0) == *word);
		sched_yield();
	}
	return true;
}

static bool switches(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(keeps_reading(&words[1]) ? 0 : 1);
	need(keeps_reading(&words[0]));
	need(waitpid(child, &status, 0) == child && status == 0);
	return true;
}

static bool reads_entry_0(void)
{
	return read_through(0) == words[0];
}

static bool inherits(void)
{
	need(set_entry(0, &words[0]) == 0);
	need(status_of(reads_entry_0) == 0);
	return true;
}

static bool is_private(void)
{
	int status;
	int go[2];
	char c = 0;
	pid_t child;

	need(pipe(go) == 0);
	child = fork();
	if (child == 0) {
		(void)!read(go[0], &c, 1);
		_exit(reads_entry_0() ? 0 : 1);
	}
	need(set_entry(0, &words[0]) == 0 && reads_entry_0());
	need(write(go[1], &c, 1) == 1);
	need(waitpid(child, &status, 0) == child);
	need(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	return true;
}

static bool removes(void)
{
	need(set_entry(0, &words[0]) == 0 && reads_entry_0());
	need(set_entry(0, NULL) == 0);
	need(dies_by(reads_entry_0, SIGSEGV));
	return true;
}

static void *set_in_thread(void *argument)
{
	(void)argument;
	return set_entry(0, &words[0]) == 0 ? words : NULL;
}

static bool shares(void)
{
	pthread_t thread;
	void *result;

	need(set_entry(0, &words[1]) == 0 && read_through(0) == words[1]);
	need(pthread_create(&thread, NULL, set_in_thread, NULL) == 0);
	need(pthread_join(thread, &result) == 0 && result == words);
	need(reads_entry_0());
	return true;
}

static bool fills(void)
{
	unsigned int i;

	for (i = LDT_ENTRIES; i-- > LDT_ENTRIES - 20;)
		need(set_entry(i, &words[i & 1]) == 0);
	for (i = LDT_ENTRIES - 20; i < LDT_ENTRIES; i++)
		need(read_through(i) == words[i & 1]);
	need(set_entry(LDT_ENTRIES, &words[0]) != 0);
	return true;
}

static const struct check checks[] = {
	{ "entries are used", reads },
	{ "entries can be read back", tells },
	{ "two processes have two tables", switches },
	{ "a child has a copy", inherits },
	{ "another process does not have it", is_private },
	{ "an entry removed is gone", removes },
	{ "threads share one", shares },
	{ "up to the last entry", fills },
};

int main(void)
{
	return RUN_CHECKS("ldt", checks);
}
