/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Reports: of a guest that is stopped, its reason, registers, the code it was at and its stack; on
 * request, of all domains.
 */
#include "alloc.h"
#include "console.h"
#include "cpu.h"
#include "entry.h"
#include "lib.h"
#include "log.h"
#include "paging.h"
#include "sched.h"
#include "storm.h"

void report_general(const struct regs *r)
{
	log("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log("  r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
}

static void report_registers(const struct regs *r, const struct torc_frame *sync)
{
	log("  rip %016lx cs %04lx rflags %08lx rsp %016lx ss %04lx", r->rip, r->cs, r->rflags,
	    r->rsp, r->ss);
	report_general(r);
	log("  last frame: vector %lu error %lx rip %016lx cs %04lx rsp %016lx cr2 %016lx",
	    sync->vector, sync->error, sync->rip, sync->cs, sync->rsp, sync->cr2);
}

static void report_code(struct vcpu *vcpu)
{
	u8 bytes[32];
	size_t count = guest_read(vcpu, (gva_t){ vcpu->regs->rip }, bytes, sizeof(bytes)), i;
	char text[3 * sizeof(bytes) + 1] = "";

	for (i = 0; i < count; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	log("  code:%s", count ? text : " not readable");
}

static void report_stack(struct vcpu *vcpu)
{
	u64 words[16];
	size_t count = guest_read(vcpu, (gva_t){ vcpu->regs->rsp }, words, sizeof(words)) / 8, i;

	if (!count)
		log("  stack: not readable");
	for (i = 0; i + 4 <= count; i += 4)
		log("  stack: %016lx %016lx %016lx %016lx", words[i], words[i + 1], words[i + 2],
		    words[i + 3]);
}

void guest_crash(struct vcpu *vcpu, const char *reason, ...)
{
	struct domain *domain = vcpu->domain;
	char text[160];
	va_list arguments;

	va_start(arguments, reason);
	vsnprintf(text, sizeof(text), reason, arguments);
	va_end(arguments);
	log("domain %u %s vcpu %u stopped: %s", domain->id, domain->name, vcpu->id, text);
	report_registers(vcpu->regs, &vcpu->page->sync);
	lock_take(&domain->lock);
	report_code(vcpu);
	report_stack(vcpu);
	lock_drop(&domain->lock);
	sched_end(domain, TORC_SHUTDOWN_CRASH);
}

static const char *state_name(const struct vcpu *vcpu)
{
	if (vcpu->state == VCPU_RUNNABLE)
		return vcpu->cpu ? "running" : "ready";
	return vcpu->state == VCPU_BLOCKED ? "blocked" : "down";
}

void report_machine(void)
{
	struct alloc_stats stats = alloc_stats();
	unsigned int i;

	for (i = 0; nmi_storm && i < cpu_count; i++)
		if (cpus[i].nmi_count)
			log("cpu %u took %lu NMIs: %lu in ring 3, %lu in ring 1, %lu in the gate",
			    i, cpus[i].nmi_count, cpus[i].nmi_in_ring[3],
			    cpus[i].nmi_in_ring[1], cpus[i].nmi_in_gate);
	log("memory: %lu KiB hypervisor, at most %lu KiB so far, of %lu MiB",
	    (stats.hypervisor_pages + stats.reserved_pages) << (PAGE_SHIFT - 10),
	    (stats.most_hypervisor_pages + stats.reserved_pages) << (PAGE_SHIFT - 10),
	    stats.ram_pages >> (20 - PAGE_SHIFT));
}

void report_status(void)
{
	struct alloc_stats stats = alloc_stats();
	struct domain *domain;
	u32 i;

	report_machine();
	log("memory: %lu MiB guests, %lu MiB free chunks",
	    stats.guest_chunks * CHUNK_SIZE >> 20, stats.free_chunks * CHUNK_SIZE >> 20);
	for (domain = domain_list; domain; domain = domain->next) {
		log("domain %u %s: %lu MiB, weight %u, cap %lu %%, %u instructions in its census",
		    domain->id, domain->name, domain->pages >> (20 - PAGE_SHIFT),
		    domain->share.weight,
		    100 * domain->share.budget / MAX(domain->share.period, 1ul),
		    domain->census_used);
		for (i = 0; i < domain->vcpu_count; i++)
			log("  vcpu %u %s, ran %lu ms, waited %lu ms", i,
			    state_name(domain->vcpu[i]), domain->vcpu[i]->run_ns / 1000000,
			    domain->vcpu[i]->steal_ns / 1000000);
	}
}
