/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <stdio.h>
#include <stdlib.h>
#include <torc/events.h>
#include "pair.h"
#include "state.h"

struct domain *back, *front;

/* As in core/port.c, whose tables the audit counts references in. */
struct port {
	struct domain *remote;
	u16 remote_port;
	u8 vcpu;
	u8 kind;
};

void pair_build(void)
{
	cr_assert(make("domain name=back mem=4M maxmem=8M vcpus=3 privileges=all"));
	cr_assert(make("domain name=front mem=4M maxmem=8M vcpus=2"));
	back = domain_list;
	front = back->next;
	pair_on(front);
	batch_register_all();
	pair_on(back);
	batch_register_all();
}

void pair_create(void)
{
	builder_create();
	cpu_features.xsave = true;
	pair_build();
}

void pair_destroy(void)
{
	struct domain *last;

	while (domain_list) {
		for (last = domain_list; last->next; last = last->next)
			;
		end(last, TORC_SHUTDOWN_POWEROFF);
	}
	cr_expect_eq(memory_pages_out, 1, "%lu pages: all but the one windows share",
		     memory_pages_out);
	cr_expect_eq(memory_chunks_out, 0);
}

void pair_end(void)
{
	pair_destroy();
	builder_remove();
}

void pair_on(struct domain *of)
{
	domain = of;
	vcpu = of->vcpu[0];
	if (test_cpu.current)
		test_cpu.current->cpu = NULL;
	test_cpu.current = vcpu;
	vcpu->cpu = &test_cpu;
}

void *page_in(const struct domain *of, pfn_t pfn)
{
	return mfn_to_virt(domain_mfn(of, pfn));
}

void bring_up(struct domain *of, u32 number)
{
	struct torc_vcpu_state *state = page_in(of, PAGE_STATE);
	unsigned int i;

	vcpu_get_state(of->vcpu[0], state);
	state->vcpu_page = PAGE_VCPU + number;
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		state->batch_pages[i] = INVALID_PFN;
	cr_assert_eq(hc_vcpu_up(of->vcpu[0], number, PAGE_STATE), 0);
}

bool event_is_pending(struct domain *of, u32 number, unsigned int port)
{
	struct torc_vcpu_page *page = of->vcpu[number]->page;
	u64 bit = 1ull << port % 64;
	bool pending = page->event_pending[port / 64] & bit;
	bool told = page->pending >> port / 64 & 1;

	cr_expect(!pending || told || (page->event_mask[port / 64] & bit));
	page->event_pending[port / 64] &= ~bit;
	page->pending = 0;
	return pending;
}

static unsigned int channels_to(const struct domain *of)
{
	const struct domain *other;
	unsigned int count = 0, i;

	for (other = domain_list; other; other = other->next)
		for (i = 0; i < TORC_EVENT_PORTS; i++) {
			const struct port *page = other->ports[i / PORTS_PER_PAGE];
			const struct port *port = page ? &page[i % PORTS_PER_PAGE] : NULL;

			if (port && port->kind == TORC_EVENT_INTERDOMAIN && port->remote == of)
				count++;
		}
	return count;
}

static unsigned int shown_of(const struct domain *of, mfn_t mfn, unsigned int level)
{
	const u64 *table = mfn_to_virt(mfn);
	unsigned int count = 0, i;

	for (i = 0; i < ENTRIES; i++)
		if (!(table[i] & PTE_P))
			continue;
		else if (level > 1)
			count += shown_of(of, entry_mfn(table[i]), level - 1);
		else
			count += frame_table[entry_mfn(table[i])].owner == of->id;
	return count;
}

const char *pair_audit(void)
{
	static char wrong[80];
	struct domain *was = domain, *viewer;
	const char *problem = NULL;
	unsigned int uses;

	for (domain = domain_list; domain && !problem; domain = domain->next) {
		uses = 1 + channels_to(domain);
		for (viewer = domain_list; viewer; viewer = viewer->next)
			uses += shown_of(domain, viewer->windows_l3[3], 3);
		problem = audit();
		if (problem || domain->references == uses)
			continue;
		snprintf(wrong, sizeof(wrong), "domain %u has %u references, %u uses", domain->id,
			 domain->references, uses);
		problem = wrong;
	}
	domain = was;
	return problem;
}

struct pair_picture {
	struct picture *memory[2];
	struct domain domain[2];
	u64 pages, chunks;
};

static struct domain *one(unsigned int i)
{
	return i ? front : back;
}

struct pair_picture *pair_picture_take(void)
{
	struct pair_picture *picture = calloc(1, sizeof(*picture));
	struct domain *was = domain;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pair_on(one(i));
		picture->memory[i] = picture_take();
		picture->domain[i] = *domain;
	}
	picture->pages = memory_pages_out;
	picture->chunks = memory_chunks_out;
	pair_on(was);
	return picture;
}

const char *pair_picture_differs(struct pair_picture *picture)
{
	struct domain *was = domain;
	const char *difference = NULL;
	unsigned int i;

	if (picture->pages != memory_pages_out || picture->chunks != memory_chunks_out)
		difference = "the hypervisor keeps memory";
	for (i = 0; i < 2; i++) {
		pair_on(one(i));
		if (!difference)
			difference = picture_differs(picture->memory[i]);
		if (!difference && memcmp(&picture->domain[i], domain, sizeof(*domain)))
			difference = "the domain has changed";
		picture_free(picture->memory[i]);
	}
	pair_on(was);
	free(picture);
	return difference;
}
