/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What an NMI leaves on the vCPU's NMI stack, which ring 1 can read.
 *
 * Background: the way out of the hypervisor changes to the guest's root before the guest's
 * registers are all in place; an NMI there saves whatever registers hold.
 * Attack: make hypercalls under a storm of NMIs and read the stack.
 * Vulnerable: addresses of the hypervisor's text, stack and direct map, and words of what it
 * did last, perhaps for another domain.
 * Fixed: nothing but the guest's own registers.
 */
#include "conformance.h"

#define STORM_NS 3000000000UL
#define NMI_STACK ((uint64_t)TORC_GATE_BASE + 0x6000)
#define WORDS 512

/* The hypervisor's direct map. Half a TiB above its start this guest has its own memory. */
static bool is_hypervisors(uint64_t word)
{
	return word >= 0xffff880000000000UL && word < 0xffff888000000000UL;
}

static bool is_image(uint64_t word)
{
	return word >= 0xffff800040000000UL && word < 0xffff800080000000UL;
}

/* row: nmi-stack */
void test_main(void)
{
	uint64_t end = torc_clock_ns(TORC_CLOCK) + STORM_NS;
	volatile uint64_t *stack = (void *)NMI_STACK;
	uint64_t seen = 0, used = 0, word, ldt = page_of(guest_pages(1));
	uint32_t i;

	while (torc_clock_ns(TORC_CLOCK) < end) {
		torc_version();
		/* Back by the way that loads segments. */
		REQUIRE(torc_ldt_set(&ldt, 1) == TORC_OK, "LDT");
		for (i = 0; i < WORDS; i++) {
			word = stack[i];
			used += word != 0;
			if (!is_hypervisors(word) && !is_image(word))
				continue;
			if (seen++ < 8)
				printf("word %u: 0x%lx\n", i, word);
			stack[i] = 0;
		}
	}
	REQUIRE(used, "no NMI left anything on the stack at 0x%lx", NMI_STACK);
	CHECK(!seen, "%lu addresses of the hypervisor on the NMI stack", seen);
}
