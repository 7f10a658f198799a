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
#include "grant.h"
#include "lib.h"
#include "lock.h"
#include "log.h"
#include "paging.h"
#include "port.h"
#include "sched.h"

struct lock domains_lock;
struct lock domain_list_lock;
struct domain *domain_list;
unsigned int domain_count;
static u16 last_id;

/** domain_name_allowed - is @name, ended by 0 or cut off, one that can stand in front of a line? */
bool domain_name_allowed(const char *name)
{
	size_t i;

	for (i = 0; i < TORC_DOMAIN_NAME_BYTES && name[i]; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return i > 0 && i < TORC_DOMAIN_NAME_BYTES;
}

/** domain_name_taken - has a domain on the list that @name? Holding domains_lock. */
bool domain_name_taken(const char *name)
{
	const struct domain *domain;

	for (domain = domain_list; domain; domain = domain->next)
		if (!strcmp(domain->name, name))
			return true;
	return false;
}

/** domain_new_id - an id never used before; 0 when there is none left */
u16 domain_new_id(void)
{
	return last_id == UINT16_MAX ? 0 : ++last_id;
}

/** domain_add_chunk - zeroed memory for pages @pfn and the 511 behind it; false without memory */
bool domain_add_chunk(struct domain *domain, pfn_t pfn)
{
	mfn_t mfn = chunk_alloc();
	unsigned int i;

	if (mfn == INVALID_MFN)
		return false;
	for (i = 0; i < CHUNK_PAGES; i++) {
		frame_table[mfn + i] = (struct frame){ .owner = domain->id };
		m2p_table[mfn + i] = pfn + i;
	}
	domain->chunks[pfn >> 18][(pfn >> 9) & 511] = mfn >> 9;
	domain->owned_pages += CHUNK_PAGES;
	return true;
}

/** domain_drop_chunk - undoes it; nothing may refer to these frames, no CPU remember them */
void domain_drop_chunk(struct domain *domain, pfn_t pfn)
{
	mfn_t mfn = domain_mfn(domain, pfn);
	unsigned int i;

	for (i = 0; i < CHUNK_PAGES; i++) {
		frame_table[mfn + i] = (struct frame){ .owner = OWNER_NONE };
		m2p_table[mfn + i] = TORC_INVALID_FRAME;
	}
	domain->chunks[pfn >> 18][(pfn >> 9) & 511] = 0;
	domain->owned_pages -= CHUNK_PAGES;
	chunk_free(mfn);
}

static void drop_memory(struct domain *domain)
{
	pfn_t pfn;
	unsigned int i;

	for (pfn = 0; pfn < domain->pages; pfn += CHUNK_PAGES)
		if (domain_mfn(domain, pfn) != INVALID_MFN)
			domain_drop_chunk(domain, pfn);
	for (i = 0; i < CHUNK_DIRECTORY; i++)
		page_drop(domain->chunks[i]);
}

/* Room for the numbers of all chunks that the domain may come to have, and those of the first. */
static bool take_memory(struct domain *domain, u64 pages, u64 most)
{
	pfn_t pfn;

	for (pfn = 0; pfn < most; pfn += CHUNK_PAGES) {
		if (!domain->chunks[pfn >> 18])
			domain->chunks[pfn >> 18] = page_zalloc();
		if (!domain->chunks[pfn >> 18])
			return false;
		domain->pages = pfn + CHUNK_PAGES;
	}
	for (pfn = 0; pfn < pages; pfn += CHUNK_PAGES)
		if (!domain_add_chunk(domain, pfn))
			return false;
	domain->target_pages = domain->owned_pages;
	return true;
}

/**
 * domain_create - an empty domain with memory and windows but without vCPUs
 * @pages: that it has, @most: that it may come to have; both rounded up to whole chunks
 * @id: from domain_new_id()
 * Return: NULL when memory does not suffice.
 */
struct domain *domain_create(const char *name, u64 pages, u64 most, u16 id)
{
	struct domain *domain = page_zalloc();
	unsigned int i;

	_Static_assert(sizeof(struct domain) <= PAGE_SIZE, "allocated as one page");
	if (!domain)
		return NULL;
	snprintf(domain->name, sizeof(domain->name), "%s", name);
	domain->id = id;
	domain->references = 1;
	policy_set_weight(&domain->share, WEIGHT_DEFAULT, 0);
	domain->linear_root = INVALID_MFN;
	domain->orphan = INVALID_MFN;
	for (i = 0; i < ARRAY_SIZE(domain->windows_l3); i++)
		domain->windows_l3[i] = INVALID_MFN;
	for (i = 0; i < TORC_GRANT_PAGES; i++)
		domain->grant_pfn[i] = INVALID_PFN;
	domain->ring_scratch = INVALID_MFN;
	domain->lowest_port = TORC_PORT_FIRST_FREE;
	domain->chunks = page_zalloc();
	domain->census = page_zalloc();
	domain->counters = page_zalloc();
	if (domain->chunks && domain->census && domain->counters &&
	    take_memory(domain, pages, most))
		return domain;
	domain_destroy(domain);
	return NULL;
}

/** domain_insert - puts a complete domain at the end of the list; holding domains_lock */
void domain_insert(struct domain *domain)
{
	struct domain **link = &domain_list;

	lock_take(&domain_list_lock);
	while (*link)
		link = &(*link)->next;
	*link = domain;
	lock_drop(&domain_list_lock);
	console_admit(domain);
	virq_raise(TORC_VIRQ_DOMAIN);
	__atomic_fetch_add(&domain_count, 1, __ATOMIC_RELEASE);
}

/*
 * Gives back the last reference and takes the domain off the list, holding domains_lock. Return:
 * false when somebody has got another one meanwhile, which is the last then.
 */
static bool domain_remove(struct domain *domain)
{
	struct domain **link = &domain_list;
	bool last;

	lock_take(&domain_list_lock);
	last = !--domain->references;
	while (last && *link != domain)
		link = &(*link)->next;
	if (last)
		*link = domain->next;
	lock_drop(&domain_list_lock);
	return last;
}

struct domain *domain_get_next(u64 id)
{
	struct domain *domain, *found = NULL;

	lock_take(&domain_list_lock);
	for (domain = domain_list; domain; domain = domain->next)
		if (domain->id > id && (!found || domain->id < found->id))
			found = domain;
	if (found)
		found->references++;
	lock_drop(&domain_list_lock);
	return found;
}

struct domain *domain_get(u64 id)
{
	struct domain *domain;

	lock_take(&domain_list_lock);
	for (domain = domain_list; domain && domain->id != id; domain = domain->next)
		;
	if (domain)
		domain->references++;
	lock_drop(&domain_list_lock);
	return domain;
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
	page_drop(domain->counters);
	for (i = 0; i < PORT_PAGES; i++)
		page_drop(domain->ports[i]);
	page_drop(domain->rings);
	if (domain->ring_scratch != INVALID_MFN)
		page_free(domain->ring_scratch);
	page_drop(domain);
}

static const char *const reason_names[] = {
	[TORC_SHUTDOWN_POWEROFF] = "poweroff",
	[TORC_SHUTDOWN_REBOOT] = "reboot",
	[TORC_SHUTDOWN_CRASH] = "crash",
};

/*
 * The memory that it needs is the one just given back. Other domains wait meanwhile, the current
 * vCPU too if its call gave back the last reference: the builder does not stop half-way for it.
 */
static void start_anew(u16 id, const struct domain_source *source, bool focus)
{
	struct vcpu *current = this_cpu()->current;
	struct domain *domain;

	this_cpu()->current = NULL;
	domain = domain_build(source);
	this_cpu()->current = current;
	if (!domain)
		return;
	log("domain %u %s rebooted as %u", id, domain->name, domain->id);
	if (focus)
		console_focus(domain);
}

/*
 * Gives back everything of a domain that is off the list. A reboot starts it anew if what it was
 * built from was kept. All in one go under domains_lock: who finds the domain gone and wants to
 * make another waits until its name and its memory are free.
 */
static void reap(struct domain *domain)
{
	struct domain_source source = domain->source;
	unsigned int reason = domain->ending - 1;
	bool focus = console_forget(domain);
	u16 id = domain->id;

	log("domain %u %s ended: %s", id, domain->name, reason_names[reason]);
	domain_destroy(domain);
	virq_raise(TORC_VIRQ_DOMAIN);
	if (reason == TORC_SHUTDOWN_REBOOT && source.restarts-- > 0)
		start_anew(id, &source, focus);
	__atomic_fetch_sub(&domain_count, 1, __ATOMIC_RELEASE);
}

void domain_put(struct domain *domain)
{
	bool last;

	lock_take(&domain_list_lock);
	last = domain->references == 1;
	domain->references -= !last;
	lock_drop(&domain_list_lock);
	if (!last)
		return;
	lock_take(&domains_lock);
	if (domain_remove(domain))
		reap(domain);
	lock_drop(&domains_lock);
}

/* When no domain is left that can resume those which are paused, they would stay for ever. */
static void end_abandoned(void)
{
	struct domain *other;
	u64 id;

	for (id = 0; (other = domain_get_next(id)); id = other->id, domain_put(other)) {
		if (other->ending || other->paused || !(other->privileges & TORC_PRIVILEGE_CONTROL))
			continue;
		domain_put(other);
		return;
	}
	for (id = 0; (other = domain_get_next(id)); id = other->id, domain_put(other))
		if (other->paused && !other->ending) {
			log("domain %u %s ended: it is paused, and nobody may resume it",
			    other->id, other->name);
			sched_end(other, TORC_SHUTDOWN_POWEROFF);
		}
}

/**
 * domain_retire - the end of a domain that sched_end() has ended and no CPU runs any more
 * What others hold of it is taken back; its memory goes when the last of them is through with it.
 */
void domain_retire(struct domain *domain)
{
	ports_close(domain);
	rings_close(domain);
	if (domain->privileges & TORC_PRIVILEGE_CONTROL)
		end_abandoned();
	census_log(domain);
	domain_put(domain);
}
