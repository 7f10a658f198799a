/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Domains: their memory, their list, their end.
 *
 * No frame of a domain is ever mapped by another one, so the end of a domain needs no walk through
 * its tables: its frames lose owner, type and counts all at once.
 */
#include "alloc.h"
#include "console.h"
#include "lib.h"
#include "lock.h"
#include "log.h"
#include "paging.h"
#include "sched.h"

struct lock domains_lock;
struct domain *domain_list;
unsigned int domain_count;
static u16 last_id;

/** domain_new_id - an id never used before; 0 when there is none left */
u16 domain_new_id(void)
{
	return last_id == UINT16_MAX ? 0 : ++last_id;
}

static void *page_zalloc(void)
{
	mfn_t mfn = page_alloc();

	return mfn == INVALID_MFN ? NULL : mfn_to_virt(mfn);
}

static void page_drop(void *page)
{
	if (page)
		page_free(virt_to_mfn(page));
}

static bool add_chunk(struct domain *domain, u64 chunk)
{
	u32 **directory = &domain->chunks[chunk >> 9];
	mfn_t mfn;
	unsigned int i;

	if (!*directory)
		*directory = page_zalloc();
	if (!*directory)
		return false;
	mfn = chunk_alloc();
	if (mfn == INVALID_MFN)
		return false;
	(*directory)[chunk & 511] = mfn >> 9;
	for (i = 0; i < CHUNK_PAGES; i++) {
		frame_table[mfn + i] = (struct frame){ .owner = domain->id };
		m2p_table[mfn + i] = domain->pages + i;
	}
	domain->pages += CHUNK_PAGES;
	return true;
}

static void drop_memory(struct domain *domain)
{
	u64 pfn;
	unsigned int i;

	for (pfn = 0; pfn < domain->pages; pfn += CHUNK_PAGES) {
		mfn_t mfn = domain_mfn(domain, pfn);

		for (i = 0; i < CHUNK_PAGES; i++) {
			frame_table[mfn + i] = (struct frame){ .owner = OWNER_NONE };
			m2p_table[mfn + i] = TORC_INVALID_FRAME;
		}
		chunk_free(mfn);
	}
	for (i = 0; i < CHUNK_DIRECTORY; i++)
		page_drop(domain->chunks[i]);
}

/**
 * domain_create - an empty domain with memory and windows but without vCPUs
 * @pages: rounded up to whole chunks
 * @id: from domain_new_id()
 * Return: NULL when memory does not suffice.
 */
struct domain *domain_create(const char *name, u64 pages, u16 id)
{
	struct domain *domain = page_zalloc();
	unsigned int i;

	_Static_assert(sizeof(struct domain) <= PAGE_SIZE, "allocated as one page");
	if (!domain)
		return NULL;
	strlcpy(domain->name, name, sizeof(domain->name));
	domain->id = id;
	policy_set_weight(&domain->share, WEIGHT_DEFAULT, 0);
	domain->linear_root = INVALID_MFN;
	domain->orphan = INVALID_MFN;
	for (i = 0; i < ARRAY_SIZE(domain->windows_l3); i++)
		domain->windows_l3[i] = INVALID_MFN;
	domain->chunks = page_zalloc();
	domain->census = page_zalloc();
	if (!domain->chunks || !domain->census)
		goto fail;
	while (domain->pages < pages)
		if (!add_chunk(domain, domain->pages / CHUNK_PAGES))
			goto fail;
	return domain;
fail:
	domain_destroy(domain);
	return NULL;
}

/** domain_insert - puts a complete domain at the end of the list; holding domains_lock */
void domain_insert(struct domain *domain)
{
	struct domain **link = &domain_list;

	while (*link)
		link = &(*link)->next;
	*link = domain;
	__atomic_fetch_add(&domain_count, 1, __ATOMIC_RELEASE);
}

static void domain_remove(struct domain *domain)
{
	struct domain **link;

	for (link = &domain_list; *link; link = &(*link)->next) {
		if (*link == domain) {
			*link = domain->next;
			return;
		}
	}
}

/**
 * domain_destroy - gives back everything of @domain, complete or not
 * None of its vCPUs may be current on any CPU.
 */
void domain_destroy(struct domain *domain)
{
	unsigned int i;

	for (i = 0; i < domain->vcpu_count; i++)
		if (domain->vcpu[i])
			vcpu_destroy(domain->vcpu[i]);
	windows_destroy(domain);
	if (domain->chunks)
		drop_memory(domain);
	page_drop(domain->chunks);
	page_drop(domain->census);
	page_drop(domain);
}

static const char *const reason_names[] = {
	[TORC_SHUTDOWN_POWEROFF] = "poweroff",
	[TORC_SHUTDOWN_REBOOT] = "reboot",
	[TORC_SHUTDOWN_CRASH] = "crash",
};

/* The memory that it needs is the one just given back. Other domains wait meanwhile. */
static void start_anew(u16 id, const struct domain_source *source, bool focus)
{
	struct domain *domain = domain_build(source);

	if (!domain)
		return;
	log("domain %u %s rebooted as %u", id, domain->name, domain->id);
	if (focus)
		console_focus(domain);
}

/**
 * domain_reap - gives back everything of a domain that sched_end() has ended, and says so
 * A reboot starts it anew, as a new domain, if what it was built from has been kept.
 */
void domain_reap(struct domain *domain)
{
	const struct domain_source source = domain->source;
	unsigned int reason = domain->ending - 1;
	u16 id = domain->id;
	bool focus;

	lock_take(&domains_lock);
	focus = console_forget(domain);
	domain_remove(domain);
	lock_drop(&domains_lock);
	census_log(domain);
	log("domain %u %s ended: %s", id, domain->name, reason_names[reason]);
	domain_destroy(domain);
	if (reason == TORC_SHUTDOWN_REBOOT && source.kept) {
		lock_take(&domains_lock);
		start_anew(id, &source, focus);
		lock_drop(&domains_lock);
	}
	__atomic_fetch_sub(&domain_count, 1, __ATOMIC_RELEASE);
}
