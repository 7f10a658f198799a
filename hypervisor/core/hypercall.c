/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Hypercalls: the dispatch that abi/hypercalls.tbl describes, and the calls that concern the
 * vCPU's life. Those on memory stand in batch.c, those on registers in control.c.
 */
#include "console.h"
#include "cpu.h"
#include "entry.h"
#include "hypercall.h"
#include "observe.h"
#include "paging.h"
#include "sched.h"
#include "state.h"
#include "timer.h"

#define SYSCALL_BYTES 2

void hypercall(struct vcpu *vcpu)
{
	struct regs *regs = vcpu->regs;
	s64 result;

	count(vcpu->domain, TORC_COUNTER_HYPERCALL + (regs->rax & 127), 1);
	trace(vcpu, TORC_TRACE_HYPERCALL, regs->rax, regs->rdi);
	result = hypercall_dispatch(vcpu, regs);

	/* A call that moved the vCPU elsewhere has no result. */
	if (regs->vector == VECTOR_HYPERCALL)
		regs->rax = result;
}

s64 hc_version(struct vcpu *vcpu __unused)
{
	return TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR;
}

/* The port is slow, and other domains wait: the guest makes the call again for what is left. */
s64 hc_console_notify(struct vcpu *vcpu)
{
	while (console_drain_some(vcpu->domain)) {
		if (sched_preempt_due(PREEMPT_INTERVAL)) {
			vcpu->regs->rip -= SYSCALL_BYTES;
			return TORC_HC_CONSOLE_NOTIFY;
		}
	}
	return TORC_OK;
}

s64 hc_block(struct vcpu *vcpu)
{
	struct torc_vcpu_page *page = vcpu->page;

	WRITE_ONCE(page->irq_on, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sched_block(vcpu);
	return TORC_OK;
}

s64 hc_yield(struct vcpu *vcpu __unused)
{
	sched_yield();
	return TORC_OK;
}

s64 hc_set_timer(struct vcpu *vcpu, u64 deadline)
{
	u64 absolute = system_to_hypervisor(vcpu->domain, deadline);
	bool past = absolute <= time_now_ns();

	sched_set_timer(vcpu, past ? TIMER_NEVER : absolute);
	if (past)
		event_raise(vcpu, TORC_PORT_TIMER);
	return TORC_OK;
}

/*
 * An entry that nobody registered leads to a stub of the gate; the report is to show what led
 * there.
 */
static void crash_without_entry(struct vcpu *vcpu)
{
	const struct torc_frame *frame = &vcpu->page->sync;
	struct regs *regs = vcpu->regs;

	regs->rip = frame->rip;
	regs->cs = frame->cs;
	regs->rflags = frame->rflags;
	regs->rsp = frame->rsp;
	regs->ss = frame->ss;
	regs->rax = frame->rax;
	guest_crash(vcpu, "vector %lu, but no entry is registered for it", frame->vector);
}

s64 hc_shutdown(struct vcpu *vcpu, u64 reason, u64 detail)
{
	switch (reason) {
	case TORC_SHUTDOWN_POWEROFF:
	case TORC_SHUTDOWN_REBOOT:
		sched_end(vcpu->domain, reason);
		return TORC_OK;
	case TORC_SHUTDOWN_CRASH:
		if (detail == SHUTDOWN_NO_ENTRY)
			crash_without_entry(vcpu);
		else
			guest_crash(vcpu, "the guest says that it crashed, detail 0x%lx", detail);
		return TORC_OK;
	case TORC_SHUTDOWN_SUSPEND:
		return TORC_ENOSYS;
	default:
		return TORC_EINVAL;
	}
}

bool address_allowed(u64 address)
{
	return is_canonical(address) && (address < TORC_HOLE_START || address >= TORC_HOLE_END);
}

bool range_allowed(u64 start, u64 bytes)
{
	u64 last = start + bytes - 1;

	return last >= start && is_canonical(start) && is_canonical(last) &&
	       (start >> 63) == (last >> 63) && (last < TORC_HOLE_START || start >= TORC_HOLE_END);
}

s64 hc_set_entry(struct vcpu *vcpu, u64 kind, u64 address)
{
	if (kind >= TORC_ENTRY_COUNT || !address_allowed(address))
		return TORC_EINVAL;
	vcpu->desc->iret[index_nospec(kind, TORC_ENTRY_COUNT)].rip = address;
	return TORC_OK;
}

s64 hc_set_kernel_gs(struct vcpu *vcpu, u64 base)
{
	if (!is_canonical(base))
		return TORC_EINVAL;
	vcpu->desc->kernel_gs = base;
	return TORC_OK;
}

s64 hc_vcpu_set_page(struct vcpu *vcpu, u64 page)
{
	if (READ_ONCE(vcpu->page->irq_on))
		return TORC_EBUSY;
	return vcpu_set_page(vcpu, page);
}

s64 hc_nmi_send(struct vcpu *vcpu, u64 target)
{
	struct vcpu *other = vcpu_find(vcpu->domain, target);

	if (!other)
		return TORC_ENOENT;
	lock_take(&sched_lock);
	if (other->state != VCPU_DOWN)
		other->nmi_pending = true;
	sched_notify(other);
	lock_drop(&sched_lock);
	return TORC_OK;
}

/* Selectors of a frame that the guest returns by are rebuilt, as the gate's return calls do. */
s64 hc_nmi_return(struct vcpu *vcpu)
{
	struct torc_vcpu_page *page = vcpu->page;
	struct torc_frame frame = *(volatile struct torc_frame *)&page->nmi;
	struct regs *regs = vcpu->regs;
	bool ring1 = (frame.cs & 0xffff) == TORC_SEL_KERNEL_CS;
	u64 user_gs = READ_ONCE(page->user_gs);

	if (!is_canonical(frame.rip) || !is_canonical(user_gs))
		return TORC_EINVAL;
	regs->rip = frame.rip;
	regs->cs = ring1 ? TORC_SEL_KERNEL_CS : (u16)frame.cs | 3;
	regs->rflags = (frame.rflags & GATE_RFLAGS_ALLOWED) | GATE_RFLAGS_FORCED;
	regs->rsp = frame.rsp;
	regs->ss = ring1 ? TORC_SEL_KERNEL_SS : (u16)frame.ss | 3;
	regs->rax = frame.rax;
	regs->rcx = frame.rcx;
	regs->r11 = frame.r11;
	regs->vector = 0; /* RAX is not to be overwritten with a result */
	if (!ring1)
		wrgsbase(user_gs);
	WRITE_ONCE(page->irq_on, frame.irq_was_on != 0);
	WRITE_ONCE(page->nmi_masked, 0);
	return TORC_OK;
}

s64 hc_census(struct vcpu *vcpu, u64 index, u64 *address)
{
	const struct domain *domain = vcpu->domain;

	if (index >= domain->census_used)
		return TORC_ENOENT;
	index = index_nospec(index, domain->census_used);
	*address = domain->census[index].rip;
	return (s64)domain->census[index].instruction << 32 | domain->census[index].count;
}
