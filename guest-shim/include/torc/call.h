/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file call.h
 * How a guest kernel enters the hypervisor: a plain call into the hypercall page.
 *
 * The page is out of reach of a 32-bit displacement, so its address travels in RCX, which
 * the SYSCALL behind it destroys anyway. calls.h, made from the ABI's table, wraps torc_call()
 * in one function for each hypercall.
 */
#ifndef TORC_CALL_H
#define TORC_CALL_H

#include <torc/abi.h>

/* The instruction that calls the address in RCX. A port may need to annotate it. */
#ifndef TORC_SHIM_CALL
#define TORC_SHIM_CALL "call *%%rcx"
#endif

#define torc_barrier() __asm__ volatile("" ::: "memory")
#define torc_unlikely(condition) __builtin_expect(!!(condition), 0)

/**
 * torc_call() - one hypercall
 * @number: TORC_HC_*
 * @a0: @a1: @a2: @a3: arguments, 0 for those the call does not have
 * @rdx: receives RDX, or NULL
 *
 * Works with virtual interrupts on and off. Uses a word of the stack below RSP, so the
 * caller must be built without a red zone.
 *
 * Return: what RAX holds: a value >= 0 or a TORC_E* error.
 */
static inline __attribute__((always_inline)) int64_t
torc_call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t *rdx)
{
	uint64_t target = TORC_CALL_PAGE + TORC_CALL_HYPERCALL;
	register uint64_t r10 __asm__("r10") = a3;

	__asm__ volatile(TORC_SHIM_CALL
			 : "+a"(number), "+d"(a2), "+c"(target)
			 : "D"(a0), "S"(a1), "r"(r10)
			 : "r11", "memory", "cc");
	if (rdx)
		*rdx = a2;
	return (int64_t)number;
}

/**
 * torc_gate_call() - calls one of the gate's own entries, which stay on the guest's root
 * @entry: TORC_CALL_EVENTS or TORC_CALL_INVLPG
 * @argument: RDI
 */
static inline __attribute__((always_inline)) void torc_gate_call(uint64_t entry, uint64_t argument)
{
	uint64_t target = TORC_CALL_PAGE + entry;

	__asm__ volatile(TORC_SHIM_CALL
			 : "+c"(target)
			 : "D"(argument)
			 : "rax", "r11", "memory", "cc");
}

#endif
