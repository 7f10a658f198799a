/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * System calls of a 32-bit program: INT 0x80 and the vDSO's way work; SYSENTER and SYSCALL, which
 * a domain does not offer, end the program that executes them and nothing else.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "feature.h"

static long by_interrupt(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number) : "memory");
	return result;
}

static bool interrupts(void)
{
	pid_t parent = getpid();
	int status;
	long child = by_interrupt(SYS_fork);

	if (child == 0)
		_exit(by_interrupt(SYS_getppid) == parent ? 0 : 1);
	need(waitpid((pid_t)child, &status, 0) == child && status == 0);
	return true;
}

static bool calls_vdso(void)
{
	unsigned long entry = getauxval(AT_SYSINFO);
	long result;

	need(entry != 0);
	__asm__ volatile("call *%2" : "=a"(result) : "0"(SYS_getppid), "r"(entry) : "memory");
	need(result == getppid());
	return true;
}

/* The call ends the program in another way, if it is one. */
static bool executes_sysenter(void)
{
	__asm__ volatile("mov %%esp, %%ebp\n\tsysenter" : : "a"(SYS_exit), "b"(0) : "memory");
	return true;
}

static bool executes_syscall(void)
{
	__asm__ volatile("syscall" : : "a"(SYS_exit), "b"(0) : "memory", "ecx");
	return true;
}

static bool sysenter_kills(void)
{
	need(dies_by(executes_sysenter, SIGSEGV) || dies_by(executes_sysenter, SIGILL));
	return interrupts();
}

static bool syscall_kills(void)
{
	need(dies_by(executes_syscall, SIGSEGV) || dies_by(executes_syscall, SIGILL));
	return interrupts();
}

static const struct check checks[] = {
	{ "INT 0x80", interrupts },
	{ "through the vDSO", calls_vdso },
	{ "SYSENTER ends the program only", sysenter_kills },
	{ "SYSCALL ends the program only", syscall_kills },
};

int main(void)
{
	return RUN_CHECKS("calls, 32 bits", checks);
}
