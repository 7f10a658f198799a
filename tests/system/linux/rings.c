/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * rings: a program that looks at its own privilege. With the word "fault" it jumps to address 0
 * instead, and dies of it.
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	unsigned int cs, ss;

	if (argc > 1 && !strcmp(argv[1], "fault"))
		__asm__ volatile("xor %%eax, %%eax; jmp *%%rax" : : : "rax");
	__asm__("mov %%cs, %0" : "=r"(cs));
	__asm__("mov %%ss, %0" : "=r"(ss));
	printf("user CS 0x%x SS 0x%x, ring %u\n", cs, ss, cs & 3);
	return (cs & 3) == 3 && (ss & 3) == 3 ? 0 : 1;
}
