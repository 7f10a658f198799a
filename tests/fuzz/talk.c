/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * libFuzzer: two domains that the builder made bind and close ports, grant pages, copy, show rings,
 * start and stop vCPUs and end, in any order. Now and then all references are counted anew,
 * those of frames, of domains and of channels. The domains stay for the next input, all that they
 * have to do with each other taken back, unless one has ended: then nothing of either may be left.
 */
#include <torc/events.h>
#include <torc/grant.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../unit/support/pair.h"
#include "talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORT_NUMBERS 8
#define GRANT_NUMBERS 8
#define PORTS_USED 256
#define RINGS_USED 64 /* an input has no more steps (LENGTH_talk in the Makefile) */
#define AUDIT_STEPS 16 /* counting takes longer than they do */
#define LAST_ID 60000 /* ids are given once: from here on no domain ends */

/* What a step hands over, some of it changed. */
static u64 word(const struct talk_step *step, unsigned int number, u64 value)
{
	u64 raw = step->raw[0] | step->raw[1] << 8 | (u64)step->raw[2] << 16;

	return step->wild >> number & 1 ? value ^ raw << 8 * (step->wild >> 4 & 7) : value;
}

static u64 any_domain(u8 number)
{
	const u64 ids[] = { TORC_DOMAIN_NONE, back->id, front->id, LAST_ID + 1 };

	return ids[number % ARRAY_SIZE(ids)];
}

static u64 any_port(u8 number)
{
	return TORC_PORT_FIRST_FREE + number % PORT_NUMBERS;
}

/* Pages whose contents matter to nobody, and one that is not there. */
static u64 any_page(u8 number)
{
	static const pfn_t pages[] = { PAGE_GRANTS, PAGE_DATA, PAGE_OTHER, 1u << 20 };

	return pages[number % ARRAY_SIZE(pages)];
}

static u64 any_grant(u8 number)
{
	return number % GRANT_NUMBERS;
}

static void write_grant(struct domain *of, const struct talk_step *step)
{
	u64 *grants = page_in(of, PAGE_GRANTS);

	grants[any_grant(step->a)] = word(step, 0, any_domain(step->b) << TORC_GRANT_DOMAIN_SHIFT |
		any_page(step->c) << TORC_GRANT_PFN_SHIFT | (step->c >> 2 & 7));
}

static void copy(struct vcpu *of, const struct talk_step *step)
{
	struct torc_copy_op *op = (struct torc_copy_op *)batch_op(2);
	u64 words[4];

	*op = (struct torc_copy_op){
		.bytes = 1 + step->c * 16, .source_domain = any_domain(step->a),
		.target_domain = any_domain(step->a >> 2), .source = any_grant(step->b),
		.target = any_grant(step->b >> 4),
	};
	if (!op->source_domain)
		op->source = any_page(step->b);
	if (!op->target_domain)
		op->target = any_page(step->b >> 4);
	memcpy(words, op, sizeof(words));
	words[step->wild & 3] = word(step, step->wild & 3, words[step->wild & 3]);
	memcpy(op, words, sizeof(words));
	/* Nothing is copied over what the domain itself lives by. */
	if (!op->target_domain && op->target != PAGE_DATA && op->target != PAGE_OTHER &&
	    op->target < of->domain->pages)
		return;
	hc_grant_copy(of, word(step, 2, 2), word(step, 3, 1));
}

static void start_or_stop(struct domain *of, const struct talk_step *step, bool up)
{
	u64 number = word(step, 0, 1 + step->a % 2);

	if (!up)
		hc_vcpu_down(of->vcpu[0], number ? number : 1);
	else if (number && number < of->vcpu_count && of->vcpu[number]->state == VCPU_DOWN)
		bring_up(of, number);
}

static void run_step(struct domain *of, const struct talk_step *step)
{
	struct vcpu *v = of->vcpu[0];

	switch ((step->what & 127) % TALKS) {
	case TALK_BIND:
		hc_event_bind(v, word(step, 0, step->a % 6),
			      word(step, 1, step->a % 6 ? any_domain(step->b) : step->b),
			      word(step, 2, any_port(step->c)));
		break;
	case TALK_SEND: hc_event_send(v, word(step, 0, any_port(step->a))); break;
	case TALK_CLOSE: hc_event_close(v, word(step, 0, any_port(step->a))); break;
	case TALK_MOVE:
		hc_event_move(v, word(step, 0, any_port(step->a)), word(step, 1, step->b % 4));
		break;
	case TALK_REARM: hc_event_rearm(v, word(step, 0, any_port(step->a))); break;
	case TALK_GRANT: write_grant(of, step); break;
	case TALK_REGISTER:
		hc_grant_register(v, word(step, 0, step->a % 3),
				  word(step, 1, step->b & 1 ? PAGE_GRANTS : any_page(step->c)));
		break;
	case TALK_COPY: copy(v, step); break;
	case TALK_MAP_RING:
		hc_grant_map_ring(v, word(step, 0, any_domain(step->a)),
				  word(step, 1, any_grant(step->b)));
		break;
	case TALK_UNMAP_RING: hc_grant_unmap_ring(v, word(step, 0, step->a % 4)); break;
	case TALK_SETTLE: hc_grant_settle(v, word(step, 0, step->a & 1)); break;
	case TALK_UP: start_or_stop(of, step, true); break;
	case TALK_DOWN: start_or_stop(of, step, false); break;
	default:
		if (front->id < LAST_ID)
			end(of, TORC_SHUTDOWN_POWEROFF);
	}
}

static void require(const char *problem)
{
	if (!problem)
		return;
	fprintf(stderr, "%s\n", problem);
	abort();
}

static bool both_live(void)
{
	return domain_list && domain_list->next;
}

static void begin(void)
{
	if (!frame_table)
		builder_create();
	if (both_live())
		return;
	test_cpu.current = NULL; /* it was one of theirs */
	pair_build();
}

/* No ports, no grants, no rings, one vCPU. */
static void take_back(struct domain *of)
{
	struct vcpu *v = of->vcpu[0];
	u64 i;

	pair_on(of);
	for (i = 0; i < PORTS_USED; i++)
		hc_event_close(v, i);
	for (i = 0; i < RINGS_USED; i++)
		hc_grant_unmap_ring(v, i);
	for (i = 0; i < TORC_GRANT_PAGES; i++)
		hc_grant_register(v, i, INVALID_PFN);
	for (i = 1; i < of->vcpu_count; i++)
		hc_vcpu_down(v, i);
	memset(page_in(of, PAGE_GRANTS), 0, PAGE_SIZE);
}

static void finish(void)
{
	if (both_live()) {
		take_back(back);
		take_back(front);
		require(pair_audit());
		if (back->references != 1 || front->references != 1)
			require("a domain is still referenced");
		return;
	}
	if (domain_list)
		end(domain_list, TORC_SHUTDOWN_POWEROFF);
	if (memory_pages_out != 1 || memory_chunks_out) /* the one that windows share */
		require("memory is left");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk_step step;
	struct domain *of;
	unsigned int steps = 0;

	begin();
	for (; size >= sizeof(step) && both_live(); size -= sizeof(step), data += sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		of = step.what >> 7 ? front : back;
		pair_on(of);
		run_step(of, &step);
		if (++steps % AUDIT_STEPS == 0 && both_live())
			require(pair_audit());
	}
	finish();
	return 0;
}
