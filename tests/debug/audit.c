/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * An audit of all references on guests' frames, in a hypervisor that runs. It is linked into one
 * built for tests (Makefile), around functions of the product that say when: report_status() (the
 * status key) looks at all domains, console_forget() at one that has ended, before its memory goes,
 * and report_machine(), when all have ended, whether anything is left.
 *
 * Under a domain's lock what is counted stands still, but for a page that observe() is writing to.
 * So what is wrong once may be wrong by chance; what is wrong TRIES times is.
 */
#include "alloc.h"
#include "lib.h"
#include "log.h"
#include "../unit/support/recount.h"

#define TRIES 50
#define PAUSE 100000 /* turns between two of them */

void __real_frame_table_init(void);
void __real_report_status(void);
void __real_report_machine(void);
bool __real_console_forget(struct domain *domain);
void __wrap_frame_table_init(void);
void __wrap_report_status(void);
void __wrap_report_machine(void);
bool __wrap_console_forget(struct domain *domain);

static struct lock audit_lock; /* inside domains_lock, around domains' own */
static struct uses *uses;
static unsigned long audits, wrong;

void __wrap_frame_table_init(void)
{
	__real_frame_table_init();
	uses = boot_alloc(frame_count * sizeof(*uses));
}

static const char *audit_once(struct domain *domain)
{
	const char *problem;

	lock_take(&audit_lock);
	lock_take(&domain->lock);
	memset(uses, 0, frame_count * sizeof(*uses));
	lock_take(&domain_list_lock);
	problem = recount(domain, uses);
	lock_drop(&domain_list_lock);
	lock_drop(&domain->lock);
	lock_drop(&audit_lock);
	return problem;
}

static void audit_domain(struct domain *domain)
{
	const char *problem = audit_once(domain);
	unsigned int try, i;

	for (try = 1; problem && try < TRIES; try++) {
		for (i = 0; i < PAUSE; i++)
			cpu_relax();
		problem = audit_once(domain);
	}
	__atomic_fetch_add(&audits, 1, __ATOMIC_RELAXED);
	if (!problem)
		return;
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	log("audit: domain %u %s: %s", domain->id, domain->name, problem);
}

void __wrap_report_status(void)
{
	struct domain *domain;

	for (domain = domain_list; domain; domain = domain->next)
		audit_domain(domain);
	log("audit: %lu audits, %lu found something wrong", audits, wrong);
	__real_report_status();
}

bool __wrap_console_forget(struct domain *domain)
{
	audit_domain(domain);
	return __real_console_forget(domain);
}

void __wrap_report_machine(void)
{
	unsigned long left = 0;
	mfn_t mfn;

	for (mfn = 0; mfn < frame_count; mfn++)
		left += frame_table[mfn].owner != OWNER_NONE || frame_table[mfn].ref_count ||
			m2p_table[mfn] != TORC_INVALID_FRAME;
	log("audit: %lu audits, %lu found something wrong, %lu frames left over", audits, wrong,
	    left);
	log("audit: %lu KiB of memory are its own", frame_count * sizeof(*uses) / 1024);
	log("audit: %s", wrong || left || !audits ? "NOT clean" : "clean");
	__real_report_machine();
}
