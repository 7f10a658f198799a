/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Events: bits in the vCPU page, and frames that the hypervisor itself writes there.
 *
 * The gate delivers what it finds pending when a guest returns; this file delivers to a vCPU
 * that was interrupted or sleeps. Both keep the same rules: into ring 3 always, into
 * ring 1 only while irq_on is set, and a busy sync frame leads to the double-fault frame.
 */
#include "cpu.h"
#include "entry.h"
#include "observe.h"
#include "sched.h"

void event_raise_locked(struct vcpu *vcpu, unsigned int port)
{
	struct torc_vcpu_page *page = vcpu->page;
	u64 bit = 1ull << (port % 64), word = 1ull << (port / 64);

	if (vcpu->state == VCPU_DOWN)
		return;
	count(vcpu->domain, TORC_COUNTER_EVENT, 1);
	trace(vcpu, TORC_TRACE_EVENT, port, 0);
	__atomic_fetch_or(&page->event_pending[port / 64], bit, __ATOMIC_ACQ_REL);
	if (READ_ONCE(page->event_mask[port / 64]) & bit)
		return;
	/* Until the guest has taken the word it is told once, even if it wrote there itself. */
	if (!(__atomic_fetch_or(&page->pending, word, __ATOMIC_ACQ_REL) & word) ||
	    vcpu->state == VCPU_BLOCKED)
		sched_notify(vcpu);
}

void event_raise(struct vcpu *vcpu, unsigned int port)
{
	lock_take(&sched_lock);
	event_raise_locked(vcpu, port);
	lock_drop(&sched_lock);
}

/* Leaves ring 3 as the gate would: the kernel's GS base in force. */
static void enter_from_ring3(struct vcpu *vcpu)
{
	vcpu->page->user_gs = rdgsbase();
	wrgsbase(vcpu->desc->kernel_gs);
}

static void write_frame(struct torc_frame *frame, const struct regs *regs, u64 vector, u64 error,
			u64 cr2, u8 irq_was_on)
{
	frame->rax = regs->rax;
	frame->vector = vector;
	frame->error = error;
	frame->rip = regs->rip;
	frame->cs = regs->cs;
	frame->rflags = regs->rflags;
	frame->rsp = regs->rsp;
	frame->ss = regs->ss;
	frame->cr2 = cr2;
	frame->irq_was_on = irq_was_on;
}

/**
 * frame_deliver - makes the current @vcpu enter entry @kind
 * Return: false when the guest can take no frame any more: it must be stopped.
 */
bool frame_deliver(struct vcpu *vcpu, unsigned int kind, u64 vector, u64 error, u64 cr2)
{
	struct torc_vcpu_page *page = vcpu->page;
	struct regs *regs = vcpu->regs;
	struct torc_frame *frame = kind == TORC_ENTRY_NMI ? &page->nmi : &page->sync;
	bool ring3 = (regs->cs & 3) == 3;
	u8 irq_was_on = ring3 ? 1 : READ_ONCE(page->irq_on);

	if (kind != TORC_ENTRY_NMI && !ring3 && READ_ONCE(page->busy)) {
		if (READ_ONCE(page->double_fault.vector))
			return false;
		kind = TORC_ENTRY_DOUBLE_FAULT;
		frame = &page->double_fault;
	}
	if (ring3)
		enter_from_ring3(vcpu);
	write_frame(frame, regs, vector, error, cr2, irq_was_on);
	page->irq_on = 0;
	if (kind == TORC_ENTRY_NMI)
		page->nmi_masked = 1;
	else
		page->busy = 1;
	/* Five words, from RIP on, as IRETQ has them. */
	*(struct iret_frame *)&regs->rip = vcpu->desc->iret[kind];
	return true;
}

static bool deliverable(struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->page->pending) &&
	       ((vcpu->regs->cs & 3) == 3 || READ_ONCE(vcpu->page->irq_on));
}

void event_deliver(struct vcpu *vcpu)
{
	u64 pending;

	if (vcpu->nmi_pending && !READ_ONCE(vcpu->page->nmi_masked)) {
		vcpu->nmi_pending = false;
		frame_deliver(vcpu, TORC_ENTRY_NMI, 2, 0, 0);
		return;
	}
	if (!deliverable(vcpu))
		return;
	pending = __atomic_exchange_n(&vcpu->page->pending, 0, __ATOMIC_ACQ_REL);
	if (!frame_deliver(vcpu, TORC_ENTRY_EVENT, TORC_VECTOR_EVENT, pending, 0))
		guest_crash(vcpu, "event while both sync and double-fault frame are in use");
}
