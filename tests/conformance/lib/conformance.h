/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Conformance tests: guests that try one property each and say on the console how it went, as
 * "VERDICT: success", or "VERDICT: skip|error|failure TEXT". Error means that the test itself is
 * broken, failure that the hypervisor is; the worst verdict of a run wins.
 *
 * A test defines test_main(). Beside the runtime (guest.h) it has these:
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "guest.h"

enum verdict { VERDICT_SUCCESS, VERDICT_SKIP, VERDICT_ERROR, VERDICT_FAILURE };

void test_main(void);

/** verdict() - records a verdict unless a worse one stands, and prints the text */
void verdict(enum verdict verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** verdict_end() - prints the verdict line and powers the domain off */
void verdict_end(void) __attribute__((noreturn));

#define FAILURE(...) verdict(VERDICT_FAILURE, __VA_ARGS__)

/** CHECK() - a property that must hold; the text says what was found instead */
#define CHECK(condition, ...)                 \
	do {                                  \
		if (!(condition))             \
			FAILURE(__VA_ARGS__); \
	} while (0)

/** REQUIRE() - something without which the test means nothing: ends it as broken */
#define REQUIRE(condition, ...)                              \
	do {                                                 \
		if (!(condition)) {                          \
			verdict(VERDICT_ERROR, __VA_ARGS__); \
			verdict_end();                       \
		}                                            \
	} while (0)

/** expect_status() - a call or operation that must give exactly this result */
void expect_status(const char *what, int64_t found, int64_t expected);

/** expect_fault() - a probe that must have raised exactly this vector */
void expect_fault(const char *what, struct guest_fault fault, uint64_t vector);

/** ring3_code() - runs assembled code in ring 3: CODE(name, "instructions") makes name, name_end */
#define CODE(name, instructions)                       \
	extern const uint8_t name[], name##_end[];     \
	__asm__(".pushsection .rodata\n" #name ":\n" instructions "\n" #name "_end:\n.popsection")

#define CODE_BYTES(name) ((size_t)(name##_end - name))

/** page_of() - pfn of something in the linear map */
static inline uint64_t page_of(const void *pointer)
{
	return guest_linear_gpa(pointer) >> TORC_PAGE_SHIFT;
}

/** next_number() - a number behind blanks of the command line, 0 for none; *@text goes behind it */
uint64_t next_number(const char **text);

/** batch_whole() - torc_batch() past the shim's queue, again for as long as it stops early */
static inline int64_t batch_whole(uint64_t first, uint64_t count)
{
	int64_t result;

	do {
		result = torc_batch(first, count);
	} while (result == TORC_EAGAIN);
	return result;
}

/** batch_for() - torc_batch() that a timer stops @ns from now, if it takes that long */
int64_t batch_for(uint64_t ns, uint64_t first, uint64_t count);

/** ordinary() - memory that can be written, and no table */
bool ordinary(const void *page);

#define WIDE_BITS (TORC_PTE_PRESENT | TORC_PTE_USER | TORC_PTE_ACCESSED)

/**
 * wide_tree() - a level-2 table to be, whose first @tables entries name full ones of level 1
 * Return: its page; those of level 1 follow it, then the page that they name read-only.
 */
uint64_t *wide_tree(uint32_t tables);

/** FOREIGN - an entry that no table may have: it names a frame of the hypervisor */
#define FOREIGN (1UL << TORC_PAGE_SHIFT | TORC_PTE_PRESENT)

#endif
