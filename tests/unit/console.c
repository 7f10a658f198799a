/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The console: ring indexes that run freely, indexes that a guest makes up, lines of several
 * domains on one port, and where input goes.
 *
 * Attack: indexes that are wrong or change under way; output without end, or while a CPU is on its
 * way to sleep.
 * Vulnerable: memory outside the ring is shown, or a CPU waits for the port in place of its work.
 * Fixed: each index is read once and cut to the ring; nobody who has to go waits, and the end of a
 * domain shows so many lines at most.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "console.h"
#include "entry.h"
#include "sched.h"
#include "serial.h"
#include "unit.h"

#define DOMAINS 3

static struct domain domains[DOMAINS];
static struct vcpu vcpus[DOMAINS];
static struct torc_console_ring *rings[DOMAINS];
static unsigned int raised[DOMAINS], statuses;

void event_raise(struct vcpu *vcpu, unsigned int port)
{
	cr_assert_eq(port, TORC_PORT_CONSOLE);
	raised[vcpu - vcpus]++;
}

void report_status(void)
{
	statuses++;
}

static void create(unsigned int count)
{
	static const char *const names[] = { "one", "two", "three" };
	unsigned int i;

	memset(domains, 0, sizeof(domains));
	domain_list = NULL;
	for (i = 0; i < count; i++) {
		strcpy(domains[i].name, names[i]);
		domains[i].id = i + 1;
		/* exactly as large as it is: reading or writing outside shows */
		free(rings[i]);
		rings[i] = calloc(1, sizeof(*rings[i]));
		domains[i].console = rings[i];
		domains[i].vcpu[0] = &vcpus[i];
		domains[i].vcpu_count = 1;
		domains[i].next = NULL;
		if (i)
			domains[i - 1].next = &domains[i];
		else
			domain_list = &domains[0];
		console_admit(&domains[i]);
	}
	serial_output_length = 0;
	serial_output[0] = '\0';
	memset(raised, 0, sizeof(raised));
}

static void free_rings(void)
{
	unsigned int i;

	for (i = 0; i < DOMAINS; i++)
		free(rings[i]);
}

TestSuite(console, .fini = free_rings);

/* A guest writes @text and says so. */
static void write_ring(unsigned int domain, const char *text)
{
	struct torc_console_ring *ring = rings[domain];

	while (*text)
		ring->out[ring->out_prod++ % TORC_CONSOLE_OUT] = *text++;
}

static void say(unsigned int domain, const char *text)
{
	write_ring(domain, text);
	while (console_drain_some(&domains[domain]))
		;
}

static void type(const char *text)
{
	serial_type(text, strlen(text));
	console_input();
}

static void expect_output(const char *text)
{
	cr_expect_str_eq(serial_output, text);
	serial_output_length = 0;
	serial_output[0] = '\0';
}

/* What the guest finds in its input ring. */
static void expect_input(unsigned int domain, const char *text)
{
	struct torc_console_ring *ring = rings[domain];

	while (*text) {
		cr_assert_neq(ring->in_cons, ring->in_prod, "no more input, \"%s\" is missing",
			      text);
		cr_expect_eq(ring->in[ring->in_cons++ % TORC_CONSOLE_IN], *text++);
	}
	cr_expect_eq(ring->in_cons, ring->in_prod);
}

Test(console, a_single_domain_is_raw)
{
	create(1);
	say(0, "a\r\nb\x1b[0m");
	expect_output("a\r\nb\x1b[0m");
	cr_expect_eq(rings[0]->out_cons, rings[0]->out_prod);
	type("hello");
	expect_input(0, "hello");
	cr_expect_gt(raised[0], 0);
}

Test(console, indexes_wrap_at_2_to_the_32)
{
	create(1);
	rings[0]->out_prod = domains[0].console_out_cons = 0xfffffffb;
	rings[0]->in_cons = rings[0]->in_prod = domains[0].console_in_prod = 0xfffffffe;
	say(0, "0123456789");
	expect_output("0123456789");
	cr_expect_eq(rings[0]->out_cons, 5);
	type("abcdef");
	cr_expect_eq(rings[0]->in_prod, 4);
	expect_input(0, "abcdef");
}

Test(console, the_whole_ring_is_shown)
{
	static char text[TORC_CONSOLE_OUT + 1];
	unsigned int i;

	create(1);
	for (i = 0; i < TORC_CONSOLE_OUT; i++)
		text[i] = 'a' + i % 26;
	say(0, "xyz"); /* so that it wraps */
	expect_output("xyz");
	say(0, text);
	expect_output(text);
}

/* out_prod is the guest's: anything more than a ring ahead counts as the last ring of it. */
Test(console, hostile_output_indexes)
{
	static const u32 jumps[] = { TORC_CONSOLE_OUT + 1, 0x7fffffff, 0x80000000, 0xffffffff,
				     TORC_CONSOLE_OUT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jumps); i++) {
		create(1);
		domains[0].console_out_cons = 12345;
		memset(rings[0]->out, 'z', TORC_CONSOLE_OUT);
		rings[0]->out_prod = 12345 + jumps[i];
		rings[0]->out_cons = 999; /* written only, never read */
		while (console_drain_some(&domains[0]))
			;
		cr_expect_eq(serial_output_length, TORC_CONSOLE_OUT);
		cr_expect_eq(rings[0]->out_cons, rings[0]->out_prod);
		cr_expect_eq(domains[0].console_out_cons, rings[0]->out_prod);
	}
}

/* in_cons is the guest's: no value makes the hypervisor write outside, or more than a ring. */
Test(console, hostile_input_indexes)
{
	static const u32 values[] = { 0, 1, TORC_CONSOLE_IN, 0x80000000, 0xffffffff, 0xfffffc00 };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		create(1);
		rings[0]->in_cons = values[i];
		rings[0]->in_prod = values[ARRAY_SIZE(values) - 1 - i]; /* written only */
		for (n = 0; n < 2 * TORC_CONSOLE_IN; n++)
			type("x");
		cr_expect_leq(domains[0].console_in_prod - 0, 2 * TORC_CONSOLE_IN);
	}
}

Test(console, full_input_is_dropped)
{
	unsigned int i;

	create(1);
	for (i = 0; i < TORC_CONSOLE_IN; i++)
		type("y");
	type("lost");
	cr_expect_eq(rings[0]->in_prod, TORC_CONSOLE_IN);
	rings[0]->in_cons += 2;
	type("abc");
	cr_expect_eq(rings[0]->in_prod, TORC_CONSOLE_IN + 2);
	cr_expect_eq(rings[0]->in[0], 'a');
	cr_expect_eq(rings[0]->in[1], 'b');
}

Test(console, random_indexes_do_no_harm)
{
	struct random dice = { 4242 };
	unsigned int round;

	create(3);
	for (round = 0; round < 20000; round++) {
		unsigned int i = random_below(&dice, 3);

		rings[i]->out_prod = random_once_in(&dice, 2)
					     ? random_next(&dice) >> 13
					     : domains[i].console_out_cons + random_below(&dice, 9);
		rings[i]->in_cons = random_next(&dice) >> 17;
		rings[i]->in_prod = random_next(&dice) >> 19;
		rings[i]->out[random_below(&dice, TORC_CONSOLE_OUT)] = random_next(&dice) >> 40;
		while (console_drain_some(&domains[i]))
			;
		type("k\x14");
		serial_output_length = 0;
	}
}

Test(console, lines_of_several_domains)
{
	create(2);
	say(0, "first\nsec");
	expect_output("one: first\r\n");
	say(1, "other\n");
	expect_output("two: other\r\n");
	say(0, "ond\n\n");
	expect_output("one: second\r\none: \r\n");
	say(1, "a\r\nb\r\n");
	expect_output("two: a\r\ntwo: b\r\n");
}

Test(console, an_incomplete_line_is_shown_when_nothing_runs)
{
	create(2);
	say(0, "login: ");
	expect_output("");
	console_flush();
	expect_output("one: login: ");
	console_flush();
	expect_output("");
}

/* A CPU that is on its way to sleep may have somebody to run by the time another is through. */
Test(console, a_cpu_that_goes_to_sleep_waits_for_nobody)
{
	create(2);
	say(0, "login: ");
	lock_take(&domains_lock);
	cr_expect_not(console_flush(), "it is to try again");
	expect_output("");
	lock_drop(&domains_lock);
	cr_expect(console_flush());
	expect_output("one: login: ");
}

/* Its end is told while others wait, so a line takes no longer than what it holds. */
Test(console, a_domain_that_ends_shows_so_many_lines_at_most)
{
	char text[TORC_CONSOLE_OUT + 1] = "";

	create(2);
	memset(text, '\n', TORC_CONSOLE_OUT);
	write_ring(0, text);
	lock_take(&domains_lock);
	console_forget(domain_list);
	lock_drop(&domains_lock);
	cr_expect_leq(strlen(serial_output), TORC_CONSOLE_OUT / 16 * strlen("one: \r\n"));
}

Test(console, an_incomplete_line_is_ended_before_another_begins)
{
	create(2);
	say(0, "login: ");
	console_flush();
	say(1, "x\n");
	cr_expect_str_eq(serial_output, "one: login: \r\ntwo: x\r\n");
}

/* Typed keys are echoed one by one, with nothing else to do between them. */
Test(console, an_incomplete_line_goes_on_where_it_stands)
{
	create(3);
	say(0, "login: ");
	console_flush();
	say(0, "ro");
	console_flush();
	say(0, "ot\n");
	expect_output("one: login: root\r\n");
	say(0, "# ");
	console_flush();
	say(1, "$ ");
	console_flush();
	say(0, "l");
	console_flush();
	expect_output("one: # \r\ntwo: $ \r\none: l");
	serial_write(SERIAL_COM1, "\r\ntorc: x\r\n", 11);
	say(0, "s\n");
	cr_expect(strstr(serial_output, "torc: x\r\none: s\r\n"), "%s", serial_output);
}

/* The next domain may stand at the same address. */
Test(console, the_line_of_a_domain_that_ended_does_not_go_on)
{
	create(2);
	say(1, "last words");
	cr_expect_not(console_forget(&domains[1]));
	say(1, "first words\n");
	expect_output("two: last words\r\ntwo: first words\r\n");
	cr_expect(console_forget(&domains[0]), "it had the focus");
	console_focus(&domains[0]);
	type("x");
	expect_input(0, "x");
}

Test(console, a_line_longer_than_the_buffer_is_shown_in_pieces)
{
	char text[601], want[700];
	unsigned int i;

	create(2);
	for (i = 0; i < 600; i++)
		text[i] = 'a' + i % 26;
	text[600] = '\0';
	say(0, text);
	cr_expect_gt(serial_output_length, 500);
	say(0, "\n");
	snprintf(want, sizeof(want), "one: %s\r\n", text);
	expect_output(want);
}

Test(console, the_key_moves_the_focus_round)
{
	create(3);
	type("a\x14"
	     "b\x14"
	     "c\x14"
	     "d");
	expect_input(0, "ad");
	expect_input(1, "b");
	expect_input(2, "c");
	cr_expect(strstr(logged(), "domain 2 two"));
}

Test(console, the_status_key_is_not_passed_on)
{
	create(1);
	type("a\x19"
	     "b");
	expect_input(0, "ab");
	cr_expect_eq(statuses, 1);
}

/* The event goes to the domain that got input, not to the one that has the focus afterwards. */
Test(console, whoever_gets_input_is_told)
{
	create(2);
	type("a\x14");
	cr_expect(raised[0] && !raised[1], "domain 1 has a byte to read");
	memset(raised, 0, sizeof(raised));
	type("b\x14"
	     "c");
	cr_expect(raised[0] && raised[1]);
}

Test(console, a_domain_that_ends_gives_the_focus_on)
{
	create(3);
	type("\x14"); /* to the second */
	say(1, "last words");
	console_forget(&domains[1]);
	cr_expect_str_eq(serial_output, "two: last words");
	domains[0].next = &domains[2];
	type("x");
	expect_input(2, "x");
	console_forget(&domains[2]);
	domains[0].next = NULL;
	type("y");
	expect_input(0, "y");
	domain_list = NULL;
	console_forget(&domains[0]);
	type("nobody hears this\x14");
}

Test(console, a_domain_without_focus_ends_quietly)
{
	create(2);
	console_forget(&domains[1]);
	domains[0].next = NULL;
	type("x");
	expect_input(0, "x");
}
