/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file event.h
 * Event ports: from the word that an event entry delivers to the ports that fired.
 *
 * Two levels: bit w of the pending word says that word w of the bitmap may hold fired ports. The
 * gate has taken the pending word already; the bitmap's bits are taken here, atomically, since
 * senders on other CPUs set them meanwhile. A masked port stays in the bitmap until it is unmasked.
 */
#ifndef TORC_EVENT_H
#define TORC_EVENT_H

#include <torc/irq.h>

/*
 * Atomic changes of a field of the vCPU page. The compiler's own atomics refuse a page that is
 * addressed through GS (self.h).
 */
#define torc_atomic_or(field, bits) \
	__asm__ volatile("lock orq %1, %0" : "+m"(field) : "r"(bits) : "memory", "cc")
#define torc_atomic_and(field, bits) \
	__asm__ volatile("lock andq %1, %0" : "+m"(field) : "r"(bits) : "memory", "cc")

/**
 * torc_event_take() - takes the unmasked fired ports of one word of the bitmap
 * @word: 0..63
 *
 * Return: bits of the ports word * 64 .. word * 64 + 63.
 */
static inline uint64_t torc_event_take(uint32_t word)
{
	uint64_t taken = TORC_SHIM_VCPU->event_pending[word] & ~TORC_SHIM_VCPU->event_mask[word];

	if (taken)
		torc_atomic_and(TORC_SHIM_VCPU->event_pending[word], ~taken);
	return taken;
}

/**
 * torc_event_dispatch() - calls a handler for each port that fired
 * @words: pending word of the event frame (its error field)
 * @handler: called with virtual interrupts off
 */
static inline void torc_event_dispatch(uint64_t words, void (*handler)(uint32_t port))
{
	uint64_t ports;
	uint32_t word;

	for (; words; words &= words - 1) {
		word = (uint32_t)__builtin_ctzll(words);
		for (ports = torc_event_take(word); ports; ports &= ports - 1)
			handler(word * 64 + (uint32_t)__builtin_ctzll(ports));
	}
}

/** torc_event_mask() - keeps a port from notifying; it still records that it fired */
static inline void torc_event_mask(uint32_t port)
{
	torc_atomic_or(TORC_SHIM_VCPU->event_mask[port / 64], 1ULL << port % 64);
}

/**
 * torc_event_unmask() - lets a port notify again; an event that it recorded meanwhile is delivered
 * @port: 0..TORC_EVENT_PORTS - 1
 */
static inline void torc_event_unmask(uint32_t port)
{
	uint64_t bit = 1ULL << port % 64;

	torc_atomic_and(TORC_SHIM_VCPU->event_mask[port / 64], ~bit);
	if (!(TORC_SHIM_VCPU->event_pending[port / 64] & bit))
		return;
	torc_atomic_or(TORC_SHIM_VCPU->pending, 1ULL << port / 64);
	if (TORC_SHIM_VCPU->irq_on)
		torc_irq_deliver();
}

#endif
