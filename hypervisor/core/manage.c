/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Control of other domains by those that have the privilege: making them, their memory and vCPUs in
 * canonical form, pausing and ending them.
 *
 * The other domain is looked up by id and referenced for the length of a call, so it may end
 * meanwhile but does not go. Where memory of both is touched both locks are held.
 *
 * An entry of a table in canonical form is the entry with the pfn in place of the mfn and without
 * the hypervisor's bits. A table is read as long as it is one; it is written as ordinary memory,
 * and validated like all others when a root that leads to it is loaded.
 */
#include "area.h"
#include "console.h"
#include "cpu.h"
#include "grant.h"
#include "hypercall.h"
#include "lib.h"
#include "log.h"
#include "paging.h"
#include "sched.h"
#include "start.h"
#include "state.h"

/* The domain @id if it is another one than @vcpu's; else an error. */
static int other_get(const struct vcpu *vcpu, u64 id, struct domain **other)
{
	if (id == vcpu->domain->id)
		return TORC_EINVAL;
	*other = domain_get(id);
	return *other ? 0 : TORC_ENOENT;
}

/* Copies @bytes to the beginning of the caller's page @pfn. Holding its domain's lock. */
static int put_page(struct vcpu *vcpu, pfn_t pfn, const void *from, size_t bytes)
{
	mfn_t mfn;
	int error = page_find(vcpu->domain, pfn, &mfn);

	if (!error)
		memcpy(mfn_to_virt(mfn), from, bytes);
	return error;
}

static bool create_allowed(const struct torc_domain_create *want)
{
	return want->size >= sizeof(*want) && want->vcpus >= 1 && want->vcpus <= VCPU_MAX &&
	       want->pages && IS_ALIGNED(want->pages, CHUNK_PAGES) &&
	       IS_ALIGNED(want->max_pages, CHUNK_PAGES) && want->max_pages >= want->pages &&
	       want->max_pages <= GIB(512) >> PAGE_SHIFT &&
	       IS_ALIGNED(want->linear_base, CHUNK_SIZE) &&
	       range_allowed(want->linear_base, want->max_pages << PAGE_SHIFT) &&
	       want->console_ring < want->pages && want->time_page < want->pages &&
	       want->console_ring != want->time_page && domain_name_allowed(want->name);
}

/* All of the new domain but its place in the list. */
static bool furnish(struct domain *domain, const struct torc_domain_create *want)
{
	domain->privileges = want->privileges;
	domain->linear_base = want->linear_base;
	domain->time_pfn = want->time_page;
	domain->console = mfn_to_virt(domain_mfn(domain, want->console_ring));
	domain->paused = true;
	if (!windows_create(domain))
		return false;
	while (domain->vcpu_count < want->vcpus)
		if (!vcpu_create(domain, domain->vcpu_count++))
			return false;
	if (frame_get_writable(domain, domain_mfn(domain, want->console_ring)) ||
	    frame_get_writable(domain, domain_mfn(domain, want->time_page)))
		return false;
	start_shared(domain);
	return true;
}

static s64 create(const struct torc_domain_create *want)
{
	struct domain *domain;
	u16 id;

	if (domain_name_taken(want->name))
		return TORC_EBUSY;
	id = domain_count < DOMAIN_MAX ? domain_new_id() : 0;
	domain = id ? domain_create(want->name, want->pages, want->max_pages, id) : NULL;
	if (!domain)
		return TORC_ENOMEM;
	if (!furnish(domain, want)) {
		domain_destroy(domain);
		return TORC_ENOMEM;
	}
	domain_insert(domain);
	log("domain %u %s made, %lu MiB, %u vcpus", id, domain->name,
	    want->pages >> (20 - PAGE_SHIFT), want->vcpus);
	return id;
}

s64 hc_domain_create(struct vcpu *vcpu, u64 parameters)
{
	struct torc_domain_create want;
	s64 result;
	mfn_t mfn;

	lock_take(&vcpu->domain->lock);
	mfn = domain_mfn(vcpu->domain, parameters);
	if (mfn != INVALID_MFN)
		memcpy(&want, mfn_to_virt(mfn), sizeof(want));
	lock_drop(&vcpu->domain->lock);
	if (mfn == INVALID_MFN)
		return TORC_ENOENT;
	if (!create_allowed(&want))
		return TORC_EINVAL;
	if (want.privileges & ~vcpu->domain->privileges)
		return TORC_EPERM;
	lock_take(&domains_lock);
	result = create(&want);
	lock_drop(&domains_lock);
	return result;
}

static s64 request(struct domain *domain, u64 action)
{
	if (action > TORC_CONTROL_MEMORY)
		return TORC_EINVAL;
	__atomic_store_n(&domain->request, action, __ATOMIC_RELEASE);
	event_raise(domain->vcpu[0], TORC_PORT_CONTROL);
	return TORC_OK;
}

static s64 control(struct domain *domain, u64 action, u64 value)
{
	switch (action) {
	case TORC_DOMAIN_PAUSE:
		return sched_pause(domain) ? TORC_OK : TORC_EAGAIN;
	case TORC_DOMAIN_UNPAUSE:
		sched_unpause(domain);
		return TORC_OK;
	case TORC_DOMAIN_DESTROY:
		sched_end(domain, TORC_SHUTDOWN_POWEROFF);
		return TORC_OK;
	case TORC_DOMAIN_REQUEST:
		return request(domain, value);
	case TORC_DOMAIN_TARGET:
		if (value > domain->pages)
			return TORC_EINVAL;
		domain->target_pages = value;
		return request(domain, TORC_CONTROL_MEMORY);
	default:
		return TORC_EINVAL;
	}
}

s64 hc_domain_control(struct vcpu *vcpu, u64 id, u64 action, u64 value)
{
	struct domain *other;
	s64 result = other_get(vcpu, id, &other);

	if (result)
		return result;
	result = control(other, action, value);
	domain_put(other);
	return result;
}

/* A request is taken once: the exchange is one instruction. The target was set before it. */
s64 hc_control(struct vcpu *vcpu, u64 *detail)
{
	s64 request = __atomic_exchange_n(&vcpu->domain->request, TORC_CONTROL_NONE,
					  __ATOMIC_ACQ_REL);

	*detail = vcpu->domain->target_pages;
	return request;
}

static void inform(struct domain *domain, struct torc_domain_info *info)
{
	u32 i;

	*info = (struct torc_domain_info){
		.size = sizeof(*info),
		.domain = domain->id,
		.flags = (domain->paused ? TORC_DOMAIN_PAUSED : 0) |
			 (domain->ending ? TORC_DOMAIN_ENDING : 0),
		.vcpus = domain->vcpu_count,
		.pages = domain->owned_pages,
		.max_pages = domain->pages,
		.target_pages = domain->target_pages,
		.privileges = domain->privileges,
	};
	snprintf(info->name, sizeof(info->name), "%s", domain->name);
	for (i = 0; i < domain->vcpu_count; i++) {
		if (domain->vcpu[i]->state != VCPU_DOWN)
			info->vcpus_up |= 1ull << i;
		info->run_ns += domain->vcpu[i]->run_ns;
		info->wait_ns += domain->vcpu[i]->steal_ns;
	}
}

s64 hc_domain_info(struct vcpu *vcpu, u64 id, u64 page)
{
	struct torc_domain_info info;
	struct domain *other;
	int error;

	other = domain_get_next(id ? id - 1 : 0);
	if (!other)
		return TORC_ENOENT;
	inform(other, &info);
	domain_put(other);
	lock_take(&vcpu->domain->lock);
	error = put_page(vcpu, page, &info, sizeof(info));
	lock_drop(&vcpu->domain->lock);
	return error ? error : (s64)info.domain;
}

/* An entry as it stands in a table of @domain, to or from canonical form; 0 if it cannot be. */
static u64 entry_to_canonical(const struct domain *domain, u64 entry)
{
	if (!(entry & PTE_P))
		return entry;
	if (!frame_owned_by(entry_mfn(entry), domain->id))
		return 0;
	return (entry & ~(PTE_ADDRESS | TORC_PTE_HYPERVISOR)) |
	       m2p_table[entry_mfn(entry)] << PAGE_SHIFT;
}

static u64 entry_from_canonical(const struct domain *domain, u64 entry)
{
	mfn_t mfn = domain_mfn(domain, entry_mfn(entry));

	if (!(entry & PTE_P))
		return entry;
	return mfn == INVALID_MFN ? 0 : (entry & ~PTE_ADDRESS) | mfn_to_paddr(mfn);
}

static void read_page(const struct domain *domain, mfn_t mfn, u64 *to, u32 *level)
{
	const u64 *from = mfn_to_virt(mfn);
	unsigned int i;

	*level = is_table(&frame_table[mfn]) ? frame_table[mfn].type : 0;
	if (!*level)
		memcpy(to, from, PAGE_SIZE);
	for (i = 0; *level && i < ENTRIES; i++)
		to[i] = entry_to_canonical(domain, READ_ONCE(from[i]));
}

static void write_page(const struct domain *domain, mfn_t mfn, const u64 *from, u32 level)
{
	u64 *to = mfn_to_virt(mfn);
	unsigned int i;

	frame_table[mfn].flags &= ~FRAME_LINEAR_RO;
	if (!level) {
		memcpy(to, from, PAGE_SIZE);
		return;
	}
	frame_table[mfn].flags |= FRAME_LINEAR_RO;
	for (i = 0; i < ENTRIES; i++)
		to[i] = entry_from_canonical(domain, READ_ONCE(from[i]));
}

/* One operation, under the locks of both. */
static int memory_op(struct vcpu *vcpu, struct domain *other, struct torc_memory_op *op)
{
	bool write = op->op == TORC_MEMORY_WRITE;
	mfn_t own = domain_mfn(vcpu->domain, op->own), theirs = domain_mfn(other, op->pfn);

	if (op->flags || op->reserved0 || (!write && op->op != TORC_MEMORY_READ) ||
	    (write && op->level > 4))
		return TORC_EINVAL;
	if (own == INVALID_MFN || theirs == INVALID_MFN)
		return TORC_ENOENT;
	if (is_table(&frame_table[write ? theirs : own]))
		return TORC_EBUSY;
	if (write)
		write_page(other, theirs, mfn_to_virt(own), op->level);
	else
		read_page(other, theirs, mfn_to_virt(own), &op->level);
	return 0;
}

static int run_memory(struct vcpu *vcpu, void *context, void *op)
{
	int status;

	domains_lock_pair(vcpu->domain, context);
	status = memory_op(vcpu, context, op);
	domains_drop_pair(vcpu->domain, context);
	return status;
}

s64 hc_domain_memory(struct vcpu *vcpu, u64 id, u64 first, u64 count)
{
	struct domain *other;
	s64 result = other_get(vcpu, id, &other);

	if (result)
		return result;
	result = area_run(vcpu, first, count, run_memory, other);
	domain_put(other);
	return result;
}

/* Both domains are locked. */
static s64 vcpu_state(struct vcpu *caller, struct vcpu *vcpu, pfn_t page, bool write)
{
	struct torc_vcpu_state state;

	if (write)
		return vcpu_start(vcpu, domain_mfn(caller->domain, page));
	if (!vcpu->domain->paused || READ_ONCE(vcpu->cpu))
		return TORC_EBUSY;
	vcpu_get_state(vcpu, &state);
	return put_page(caller, page, &state, sizeof(state));
}

s64 hc_domain_schedule(struct vcpu *vcpu __unused, u64 id, u64 parameter, u64 index, u64 value)
{
	bool machine = parameter >= TORC_SCHED_SLICE_NS && parameter <= TORC_SCHED_PERIOD_NS;
	struct domain *domain = machine ? NULL : domain_get(id);
	s64 result = TORC_ENOENT;

	if (machine ? id == TORC_DOMAIN_NONE : domain != NULL)
		result = sched_set(domain, parameter, index, value);
	if (domain)
		domain_put(domain);
	return result;
}

s64 hc_domain_vcpu(struct vcpu *vcpu, u64 id, u64 number, u64 page, u64 write)
{
	struct domain *other;
	s64 result = other_get(vcpu, id, &other);

	if (result)
		return result;
	domains_lock_pair(vcpu->domain, other);
	if (write > 1)
		result = TORC_EINVAL;
	else if (!vcpu_find(other, number) || domain_mfn(vcpu->domain, page) == INVALID_MFN)
		result = TORC_ENOENT;
	else
		result = vcpu_state(vcpu, vcpu_find(other, number), page, write);
	domains_drop_pair(vcpu->domain, other);
	domain_put(other);
	return result;
}
