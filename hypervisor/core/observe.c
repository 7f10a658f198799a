/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What happened: counters of each CPU and each domain, the trace, and the log, for domains that may
 * know.
 *
 * A CPU alone writes its own counters and its own trace; those of a domain are added to atomically.
 * A trace record is written with number 0 first and its own number last, so a reader on another CPU
 * knows what it has caught half-written.
 */
#include "alloc.h"
#include "cpu.h"
#include "hypercall.h"
#include "lib.h"
#include "log.h"
#include "observe.h"
#include "paging.h"

u32 trace_kinds;

void trace_add(const struct vcpu *vcpu, unsigned int kind, u64 a, u64 b)
{
	struct cpu *cpu = this_cpu();
	struct torc_trace_record *record;
	u32 number;

	if (!cpu->trace[0])
		return;
	number = ++cpu->traced ? cpu->traced : ++cpu->traced;
	record = &cpu->trace[number / TORC_TRACE_RECORDS % TORC_TRACE_PAGES]
			    [number % TORC_TRACE_RECORDS];
	WRITE_ONCE(record->number, 0);
	barrier();
	record->tsc = rdtsc();
	record->kind = kind;
	record->vcpu = vcpu->id;
	record->domain = vcpu->domain->id;
	record->a = a;
	record->b = b;
	barrier();
	WRITE_ONCE(record->number, number);
}

bool observe_prepare(struct cpu *cpu)
{
	unsigned int i;
	mfn_t mfn;

	for (i = 0; i < TORC_TRACE_PAGES; i++) {
		mfn = page_alloc();
		if (mfn == INVALID_MFN)
			return false;
		cpu->trace[i] = mfn_to_virt(mfn);
	}
	mfn = page_alloc();
	if (mfn == INVALID_MFN)
		return false;
	cpu->counters = mfn_to_virt(mfn);
	return true;
}

static s64 read_counters(const u64 *counters, u64 *to)
{
	memcpy(to, counters, TORC_COUNTERS * sizeof(*to));
	return TORC_COUNTERS * sizeof(*to);
}

static s64 read_domain(u64 id, void *to)
{
	struct domain *domain = domain_get(id);
	s64 bytes;

	if (!domain)
		return TORC_ENOENT;
	bytes = read_counters(domain->counters, to);
	domain_put(domain);
	return bytes;
}

static s64 read_trace(u64 index, void *to)
{
	if (index >= cpu_count * TORC_TRACE_PAGES)
		return TORC_ENOENT;
	memcpy(to, cpus[index / TORC_TRACE_PAGES].trace[index % TORC_TRACE_PAGES], PAGE_SIZE);
	return PAGE_SIZE;
}

static s64 read_log(u64 first, struct torc_log_text *to)
{
	u64 end;
	size_t bytes = log_read(&first, &end, to->text, sizeof(to->text));

	to->first = first;
	to->end = end;
	return offsetof(struct torc_log_text, text) + bytes;
}

static s64 observe(u64 what, u64 index, void *to)
{
	switch (what) {
	case TORC_OBSERVE_CPU:
		return index < cpu_count ? read_counters(cpus[index].counters, to) : TORC_ENOENT;
	case TORC_OBSERVE_DOMAIN:
		return read_domain(index, to);
	case TORC_OBSERVE_TRACE:
		return read_trace(index, to);
	case TORC_OBSERVE_LOG:
		return read_log(index, to);
	default:
		return TORC_EINVAL;
	}
}

/* The page is held by its reference, not by the lock: another domain may go meanwhile. */
s64 hc_observe(struct vcpu *vcpu, u64 what, u64 index, u64 page)
{
	struct domain *domain = vcpu->domain;
	mfn_t mfn;
	s64 result;

	lock_take(&domain->lock);
	mfn = domain_mfn(domain, page);
	result = frame_get_writable(domain, mfn);
	lock_drop(&domain->lock);
	if (result)
		return result;
	result = observe(what, index, mfn_to_virt(mfn));
	lock_take(&domain->lock);
	frame_put_writable(domain, mfn);
	lock_drop(&domain->lock);
	return result;
}

s64 hc_observe_trace(struct vcpu *vcpu __unused, u64 kinds)
{
	if (kinds >> TORC_TRACE_KINDS)
		return TORC_EINVAL;
	WRITE_ONCE(trace_kinds, kinds);
	return TORC_OK;
}
