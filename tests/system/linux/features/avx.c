/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The 256-bit registers belong to a process: across switches, signals, fork and ptrace. Each check
 * fills all of them, goes through the kernel without any C in between, and stores them again.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <ucontext.h>

#include "feature.h"

#define REGISTERS	16
#define RING		3
#define ROUNDS		200
#define XSTATE_AVX	4
#define FRAME_MAGIC	0x46505853 /* tells that a signal frame has more than FXSAVE */

/* Where things are in the XSAVE format (Intel SDM 1, 13.4) and in what Linux adds to it. */
#define AT_XMM		160
#define AT_MAGIC	464
#define AT_FEATURES	472
#define AT_XSTATE_BV	512

struct registers {
	uint8_t ymm[REGISTERS][32];
};

#define EACH_REGISTER(instruction)                                                          \
	".irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t" instruction "\n\t.endr\n\t"
#define LOAD	EACH_REGISTER("vmovdqu 32*\\i(%[in]), %%ymm\\i")
#define STORE	EACH_REGISTER("vmovdqu %%ymm\\i, 32*\\i(%[out])") "vzeroupper\n\t"
#define CLOBBERED                                                                           \
	"memory", "cc", "rcx", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",       \
		"xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",\
		"xmm15"

static void fill(struct registers *registers, unsigned int seed)
{
	uint8_t *byte = &registers->ymm[0][0];
	size_t i;

	for (i = 0; i < sizeof(*registers); i++)
		byte[i] = (uint8_t)(seed * 37 + i * 11 + (i >> 5));
}

/* Makes a system call while the registers are full. */
static long call_with(const struct registers *in, struct registers *out, long number, long first,
		      long second, long third)
{
	long result;

	__asm__ volatile(LOAD "syscall\n\t" STORE
			 : "=a"(result)
			 : "0"(number), [in] "r"(in), [out] "r"(out), "D"(first), "S"(second),
			   "d"(third)
			 : CLOBBERED);
	return result;
}

/* A word goes round; each of a ring of processes waits for it with other registers. */
static bool passes_on(int from, int to, unsigned int seed)
{
	struct registers in, out;
	struct rusage usage;
	char word = 0;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		fill(&in, seed + i);
		need(call_with(&in, &out, SYS_read, from, (long)&word, 1) == 1);
		need(!memcmp(&in, &out, sizeof(in)));
		need(write(to, &word, 1) == 1);
	}
	getrusage(RUSAGE_SELF, &usage);
	need(usage.ru_nvcsw + usage.ru_nivcsw >= ROUNDS - 1);
	return true;
}

static bool switches(void)
{
	int status, bad = 0, link[RING][2];
	unsigned int i;

	for (i = 0; i < RING; i++)
		need(pipe(link[i]) == 0);
	for (i = 0; i < RING; i++)
		if (fork() == 0)
			_exit(passes_on(link[i][0], link[(i + 1) % RING][1], i * 81) ? 0 : 1);
	need(write(link[0][1], "", 1) == 1);
	for (i = 0; i < RING; i++)
		bad += wait(&status) < 0 || status != 0;
	need(bad == 0);
	return true;
}

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
	static const struct registers zeros;
	struct registers out;

	(void)number;
	call_with(&zeros, &out, SYS_getpid, 0, 0, 0);
	ticks++;
}

/* Spins, with the registers full, until signals have come at any place of the loop. */
static bool signals(void)
{
	struct itimerval interval = { { 0, 4000 }, { 0, 4000 } };
	struct registers in, out;

	fill(&in, 5);
	signal(SIGALRM, on_tick);
	setitimer(ITIMER_REAL, &interval, NULL);
	__asm__ volatile(LOAD
			 "1: pause\n\t"
			 "cmpl $30, %[ticks]\n\t"
			 "jl 1b\n\t" STORE
			 :
			 : [in] "r"(&in), [out] "r"(&out), [ticks] "m"(ticks)
			 : CLOBBERED);
	need(!memcmp(&in, &out, sizeof(in)));
	return true;
}

static unsigned int upper_halves(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(0xd, 2, &a, &b, &c, &d) ? b : 0;
}

static struct registers expected;
static bool frame_good;

/* Looks at the state that the interrupted program has, and turns one register's upper half over. */
static void on_signal(int number, siginfo_t *info, void *context)
{
	uint8_t *state = (uint8_t *)((ucontext_t *)context)->uc_mcontext.fpregs;
	uint8_t *upper = state + upper_halves();
	uint64_t features, in_use;
	uint32_t magic;
	int i;

	(void)number;
	(void)info;
	memcpy(&magic, state + AT_MAGIC, sizeof(magic));
	memcpy(&features, state + AT_FEATURES, sizeof(features));
	memcpy(&in_use, state + AT_XSTATE_BV, sizeof(in_use));
	frame_good = magic == FRAME_MAGIC && (features & in_use & XSTATE_AVX);
	for (i = 0; i < REGISTERS && frame_good; i++)
		frame_good = !memcmp(state + AT_XMM + 16 * i, expected.ymm[i], 16) &&
			     !memcmp(upper + 16 * i, expected.ymm[i] + 16, 16);
	for (i = 0; i < 16; i++)
		upper[16 * 9 + i] ^= 0xff;
}

static bool frame(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct registers out;
	int i;

	fill(&expected, 7);
	sigaction(SIGUSR1, &action, NULL);
	need(call_with(&expected, &out, SYS_kill, getpid(), SIGUSR1, 0) == 0);
	need(frame_good);
	for (i = 0; i < 16; i++)
		expected.ymm[9][16 + i] ^= 0xff;
	need(!memcmp(&expected, &out, sizeof(out)));
	return true;
}

static bool forks(void)
{
	struct registers in, out;
	int status;
	long child;

	fill(&in, 8);
	child = call_with(&in, &out, SYS_fork, 0, 0, 0);
	if (child == 0)
		_exit(memcmp(&in, &out, sizeof(in)) ? 1 : 0);
	need(!memcmp(&in, &out, sizeof(in)));
	need(waitpid((pid_t)child, &status, 0) == child && status == 0);
	return true;
}

static int traced(void)
{
	struct registers in, out;

	fill(&in, 9);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	call_with(&in, &out, SYS_kill, getpid(), SIGSTOP, 0);
	in.ymm[3][31] ^= 0xff;
	return memcmp(&in, &out, sizeof(in)) ? 1 : 0;
}

static bool traces(void)
{
	static uint8_t state[16384];
	struct iovec vector = { state, sizeof(state) };
	struct registers in;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(traced());
	need(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	need(ptrace(PTRACE_GETREGSET, child, (void *)NT_X86_XSTATE, &vector) == 0);
	fill(&in, 9);
	need(!memcmp(state + upper_halves() + 16 * 3, in.ymm[3] + 16, 16));
	state[upper_halves() + 16 * 3 + 15] ^= 0xff;
	need(ptrace(PTRACE_SETREGSET, child, (void *)NT_X86_XSTATE, &vector) == 0);
	need(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	need(waitpid(child, &status, 0) == child && status == 0);
	return true;
}

static const struct check checks[] = {
	{ "kept across switches", switches },
	{ "kept across signals", signals },
	{ "shown and changed in a signal frame", frame },
	{ "handed to a child", forks },
	{ "shown to and changed by a tracer", traces },
};

int main(void)
{
	return RUN_CHECKS("avx", checks);
}
