// SPDX-License-Identifier: BSD-2-Clause
// Copyright (c) 2026 The Torc authors

/*
 * Rows about processes: made, replaced, switched between. The fork rows run with 32 MiB resident,
 * because copying and dropping that many entries is what a direct-paging guest pays for.
 */

#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/futex.h>
#include <unistd.h>

#define RESIDENT (32UL << 20)

static void reap(pid_t child, const char *what)
{
	int status;

	bench_check(child > 0 && waitpid(child, &status, 0) == child && status == 0, what);
}

/*
 * The program itself with -l is the smallest thing that is sure to be there; its output is closed.
 */
static void replace(void)
{
	close(1);
	execl(bench_program, "bench", "-l", (char *)NULL);
	_exit(127);
}

static uint64_t fork_exit(long n)
{
	volatile char *resident = bench_map(RESIDENT, 1);
	uint64_t start = bench_now();

	while (n--) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		reap(child, "fork");
	}
	start = bench_now() - start;
	bench_unmap(resident, RESIDENT);
	return start;
}

static uint64_t fork_exec(long n)
{
	volatile char *resident = bench_map(RESIDENT, 1);
	uint64_t start = bench_now();

	while (n--) {
		pid_t child = fork();

		if (!child)
			replace();
		reap(child, "fork and exec");
	}
	start = bench_now() - start;
	bench_unmap(resident, RESIDENT);
	return start;
}

static pid_t spawn(void)
{
	pid_t child = vfork();

	if (!child)
		replace();
	return child;
}

static uint64_t vfork_exec(long n)
{
	uint64_t start = bench_now();

	while (n--)
		reap(spawn(), "vfork and exec");
	return bench_now() - start;
}

/* Waits for one's turn by yielding, and hands the turn over. */
static void hand_over(volatile long *turns, long n, int parity)
{
	for (long i = parity; i < n; i += 2) {
		while (*turns != i)
			sched_yield();
		*turns = i + 1;
	}
}

/*
 * Two processes yield to each other; an operation is one hand-over, so one switch. A scheduler may
 * let a yield return at once, which is part of the cost then.
 */
static uint64_t yield_switch(long n)
{
	volatile long *turns =
		mmap(NULL, BENCH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t start;
	pid_t child;

	bench_check((void *)turns != MAP_FAILED, "mmap");
	*turns = -1;
	child = fork();
	bench_check(child >= 0, "fork");
	if (!child) {
		*turns = 0;
		hand_over(turns, n, 1);
		_exit(0);
	}
	while (*turns)
		sched_yield();
	start = bench_now();
	hand_over(turns, n, 0);
	start = bench_now() - start;
	reap(child, "yield child");
	munmap((void *)turns, BENCH_PAGE);
	return start;
}

static void bounce(int from, int to)
{
	char byte;

	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		;
	_exit(0);
}

static uint64_t ping(int from, int to, long n)
{
	uint64_t start = bench_now();
	char byte = 0;

	while (n--) {
		bench_check(write(to, &byte, 1) == 1, "write");
		bench_check(read(from, &byte, 1) == 1, "read");
	}
	return bench_now() - start;
}

/* A byte to another process and back: two switches. */
static uint64_t pipe_round_trip(long n)
{
	int there[2], back[2];
	uint64_t took;
	pid_t child;

	bench_check(pipe(there) == 0 && pipe(back) == 0, "pipe");
	child = fork();
	bench_check(child >= 0, "fork");
	if (!child) {
		close(there[1]);
		bounce(there[0], back[1]);
	}
	took = ping(back[0], there[1], n);
	close(there[1]);
	reap(child, "pipe child");
	close(there[0]);
	close(back[0]);
	close(back[1]);
	return took;
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	bench_check(fd >= 0, "socket");
	bench_check(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "loopback");
	close(fd);
}

static uint64_t tcp_round_trip(long n)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;
	uint64_t took;
	pid_t child;

	loopback_up();
	bench_check(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0, "bind");
	bench_check(getsockname(listener, (struct sockaddr *)&at, &length) == 0, "getsockname");
	bench_check(listen(listener, 1) == 0, "listen");
	child = fork();
	bench_check(child >= 0, "fork");
	if (!child) {
		fd = accept(listener, NULL, NULL);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		bounce(fd, fd);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	bench_check(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	took = ping(fd, fd, n);
	close(fd);
	reap(child, "tcp child");
	close(listener);
	return took;
}

/* Whose turn it is; odd belongs to the other thread. -1 ends it. */
static volatile int turn;

static void take_turn(int mine, int next)
{
	int seen;

	while ((seen = turn) != mine && seen >= 0)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	if (seen < 0)
		return;
	turn = next;
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other_thread(void *unused)
{
	while (turn >= 0)
		take_turn(1, 0);
	return unused;
}

static uint64_t futex_round_trip(long n)
{
	pthread_t thread;
	uint64_t start;

	turn = 0;
	bench_check(pthread_create(&thread, NULL, other_thread, NULL) == 0, "pthread_create");
	start = bench_now();
	while (n--)
		take_turn(0, 1);
	start = bench_now() - start;
	while (turn == 1)
		sched_yield();
	turn = -1;
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	pthread_join(thread, NULL);
	return start;
}

const struct row process_rows[] = {
	{ "fork_exit", 20, fork_exit },
	{ "fork_exec", 20, fork_exec },
	{ "vfork_exec", 50, vfork_exec },
	{ "yield_switch", 20000, yield_switch },
	{ "pipe_round_trip", 5000, pipe_round_trip },
	{ "futex_round_trip", 5000, futex_round_trip },
	{ "tcp_round_trip", 2000, tcp_round_trip },
	{ NULL, 0, NULL },
};
