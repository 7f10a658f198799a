/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * usage: load SECONDS
 *
 * Runs in the guest: what programs ask of a kernel in a steady state, over and over, each result
 * checked: processes, memory, signals, tracing, threads, files, sockets, floating point.
 * Ends with "load: N rounds, 0 failures".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static const char *self;

static bool exits_with(pid_t child, int code)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == code;
}

static bool processes(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(7);
	if (!exits_with(child, 7))
		return false;
	child = vfork();
	if (child == 0) {
		execl(self, self, "exit", (char *)NULL);
		_exit(1);
	}
	return exits_with(child, 42);
}

static bool memory(void)
{
	size_t pages = 64, i;
	char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool good = true;

	if (area == MAP_FAILED)
		return false;
	for (i = 0; i < pages; i++)
		area[i * PAGE] = (char)i;
	if (mprotect(area, pages * PAGE, PROT_READ) || madvise(area, 8 * PAGE, MADV_DONTNEED))
		return false;
	for (i = 0; i < pages; i++)
		good = good && area[i * PAGE] == (i < 8 ? 0 : (char)i);
	return munmap(area, pages * PAGE) == 0 && good;
}

static volatile sig_atomic_t caught;
static char *fault_page;

static void on_signal(int number)
{
	caught += number;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	caught += number;
	if (info->si_addr == fault_page)
		mprotect(fault_page, PAGE, PROT_READ | PROT_WRITE);
}

static bool signals(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	caught = 0;
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	if (caught != SIGUSR1)
		return false;
	caught = 0;
	fault_page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &action, NULL);
	*fault_page = 1;
	signal(SIGSEGV, SIG_DFL);
	return munmap(fault_page, PAGE) == 0 && caught == SIGSEGV;
}

static bool tracing(void)
{
	int status, steps;
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		for (volatile int i = 0; i < 100; i++)
			;
		_exit(9);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return false;
	for (steps = 0; steps < 100; steps++)
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) ||
		    waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
		    WSTOPSIG(status) != SIGTRAP)
			return false;
	ptrace(PTRACE_DETACH, child, NULL, NULL);
	return exits_with(child, 9);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static _Thread_local int turns;

static void *ping_pong(void *argument)
{
	int me = (int)(long)argument;

	for (turns = 0; turns < 100; turns++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&turned, &lock);
		turn = !me;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&lock);
	}
	return (void *)(long)turns;
}

static bool threads(void)
{
	pthread_t thread[2];
	void *result[2];
	long i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, ping_pong, (void *)i))
			return false;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], &result[i]);
	return result[0] == (void *)100 && result[1] == (void *)100;
}

static bool files(void)
{
	char out[8192], in[sizeof(out)];
	char name[32];
	bool good;
	int file;

	snprintf(name, sizeof(name), "/tmp/load.%d", getpid());
	file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	memset(out, 0x5a, sizeof(out));
	good = file >= 0 && write(file, out, sizeof(out)) == sizeof(out) &&
	       pread(file, in, sizeof(in), 0) == sizeof(in) && !memcmp(in, out, sizeof(in));
	close(file);
	return unlink(name) == 0 && good;
}

static bool sockets(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), near, far;
	char text[16] = "";
	bool good;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (void *)&address, length) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &length))
		return false;
	near = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(near, (void *)&address, length))
		return false;
	far = accept(listener, NULL, NULL);
	good = write(near, "over loopback", 14) == 14 && read(far, text, sizeof(text)) == 14 &&
	       !strcmp(text, "over loopback");
	close(near);
	close(far);
	close(listener);
	return good;
}

static bool floating_point(void)
{
	double sum = 0;
	int i;

	for (i = 1; i <= 1000; i++) {
		sum += 1.0 / ((double)i * i);
		if (i % 100 == 0)
			sched_yield();
	}
	return fabs(sum - 1.6439345666815598) < 1e-12;
}

static const struct {
	const char *name;
	bool (*run)(void);
} activities[] = {
	{ "processes", processes }, { "memory", memory }, { "signals", signals },
	{ "tracing", tracing },	    { "threads", threads }, { "files", files },
	{ "sockets", sockets },	    { "floating point", floating_point },
};

int main(int argc, char **argv)
{
	unsigned long rounds = 0, failures = 0;
	time_t end;
	size_t i;

	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "exit"))
		return 42;
	self = argv[0];
	for (end = time(NULL) + atoi(argv[1]); time(NULL) < end; rounds++) {
		for (i = 0; i < sizeof(activities) / sizeof(activities[0]); i++) {
			if (activities[i].run())
				continue;
			printf("load: round %lu: %s failed\n", rounds, activities[i].name);
			failures++;
		}
	}
	printf("load: %lu rounds, %lu failures\n", rounds, failures);
	return failures != 0;
}
