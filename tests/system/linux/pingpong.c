/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * usage: pingpong COUNT
 *
 * Runs in the guest: two processes on two CPUs that wake each other COUNT times, by futex, pipe and
 * eventfd, and sleep in between. What they hand over is a number that must be the next one.
 * A wake-up that gets lost stops the game: after PATIENCE seconds without a move that is told, and
 * is a failure. Ends with "pingpong: N exchanges, 0 failures".
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 60
#define LOOKS 20 /* of the referee, each second */

enum way { BY_FUTEX, BY_PIPE, BY_EVENTFD, WAYS };
static const char *const name[WAYS] = { "futex", "pipe", "eventfd" };

/* Shared by both sides. */
static struct board {
	_Atomic uint32_t turn; /* of the futex game: even is the first side's move */
	_Atomic uint64_t moves;
} *board;
static int channel[2][2]; /* by receiver: read end and write end */

static _Noreturn void give_up(const char *why, uint64_t move)
{
	printf("pingpong: %s at move %ju\n", why, (uintmax_t)move);
	exit(1);
}

static void move_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		give_up("no such CPU", 0);
}

static void futex(int operation, uint32_t value)
{
	syscall(SYS_futex, &board->turn, operation, value, NULL, NULL, 0);
}

/* Receives move @move as side @side. */
static void take(enum way way, int side, uint64_t move)
{
	uint64_t value = 0;
	uint32_t turn;

	if (way == BY_FUTEX) {
		while ((turn = atomic_load(&board->turn)) != (uint32_t)move)
			futex(FUTEX_WAIT, turn);
		return;
	}
	if (read(channel[side][0], &value, sizeof(value)) != sizeof(value))
		give_up("read failed", move);
	if (value != move)
		give_up("another number came", move);
}

static void give(enum way way, int side, uint64_t move)
{
	if (way == BY_FUTEX) {
		atomic_store(&board->turn, (uint32_t)move);
		futex(FUTEX_WAKE, INT_MAX);
	} else if (write(channel[!side][1], &move, sizeof(move)) != sizeof(move)) {
		give_up("write failed", move);
	}
	atomic_fetch_add(&board->moves, 1);
}

/* Move 1 is side 0's, and so on; each side takes what the other one gives. */
static void play(enum way way, int side, uint64_t count)
{
	uint64_t move;

	for (move = 1; move <= 2 * count; move++) {
		if (move % 2 != (uint64_t)side)
			give(way, side, move);
		else
			take(way, side, move);
	}
}

static void make_channels(enum way way)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (way == BY_PIPE && pipe(channel[i]))
			give_up("no pipe", 0);
		if (way == BY_EVENTFD)
			channel[i][0] = channel[i][1] = eventfd(0, 0);
	}
}

static void close_channels(enum way way)
{
	int i;

	for (i = 0; i < 2 && way != BY_FUTEX; i++) {
		close(channel[i][0]);
		if (way == BY_PIPE)
			close(channel[i][1]);
	}
}

static pid_t start(enum way way, int side, unsigned int cpu, uint64_t count)
{
	pid_t pid = fork();

	if (pid == 0) {
		move_to(cpu);
		play(way, side, count);
		exit(0);
	}
	return pid;
}

/* Waits for both sides as long as they move. Return: 0, or 1 for a game that was not finished. */
static int referee(const pid_t *side)
{
	uint64_t seen = 0;
	int patience = PATIENCE * LOOKS, left = 2, status, failed = 0;

	while (left && patience) {
		while (left && waitpid(-1, &status, WNOHANG) > 0) {
			failed |= status != 0;
			left--;
		}
		if (!left)
			break;
		usleep(1000000 / LOOKS);
		patience = atomic_load(&board->moves) == seen ? patience - 1 : PATIENCE * LOOKS;
		seen = atomic_load(&board->moves);
	}
	if (left) {
		printf("pingpong: no move after %ju\n", (uintmax_t)seen);
		kill(side[0], SIGKILL);
		kill(side[1], SIGKILL);
	}
	return failed || left;
}

int main(int argc, char **argv)
{
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), first;
	uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 0) : 0;
	unsigned long exchanges = 0;
	int failures = 0, failed;
	enum way way;
	pid_t side[2];

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (!count || cpus < 2 || board == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (way = 0; way < WAYS; way++) {
		first = way % (cpus - 1); /* neighbours, other ones each time */
		atomic_store(&board->turn, 0);
		atomic_store(&board->moves, 0);
		make_channels(way);
		side[0] = start(way, 0, first, count);
		side[1] = start(way, 1, first + 1, count);
		close_channels(way);
		failed = referee(side);
		printf("pingpong: %s, cpu %u and %u: %ju moves\n", name[way], first, first + 1,
		       (uintmax_t)atomic_load(&board->moves));
		exchanges += atomic_load(&board->moves) / 2;
		failures += failed;
	}
	printf("pingpong: %lu exchanges, %d failures\n", exchanges, failures);
	return failures != 0;
}
