/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/**
 * @file vcpu.h
 * The vCPU page: what a guest kernel and the gate tell each other without a hypercall.
 *
 * One page for each vCPU, of the guest's own memory, mapped writable at TORC_VCPU_PAGE under that
 * vCPU's roots and wherever the guest maps it besides. The hypervisor trusts nothing in it.
 *
 * Entering ring 1. The gate fills a frame, sets irq_on = 0 and busy = 1 in one store, and enters
 * the entry registered for the kind (set_entry) in ring 1 with RSP pointing at the frame itself,
 * inside this page. RAX has been saved in the frame (not for a system call, where RAX is live and
 * RCX and R11 are dead); all other registers are as they were. After an entry from ring 3 the GS
 * base is the one set by set_kernel_gs and the user's stands in user_gs. The guest copies the
 * frame, loads a stack of its own, then clears busy. A synchronous entry that finds busy set is
 * written to the double-fault frame instead; if that happens again before the guest sets
 * double_fault.vector to zero, the domain is stopped with a report. The NMI entry turns irq_on off
 * but leaves busy alone, as it may interrupt any of this; nmi_return puts irq_on back to
 * irq_was_on.
 *
 * Leaving ring 1. To ring 3, and to ring 1 with virtual interrupts on, through the return calls of
 * the hypercall page with the frame in `ret`; to ring 1 with interrupts off by IRETQ with the
 * ring-1 selectors. A refused return (non-canonical address, selector that faults) changes nothing,
 * comes back behind the call and has the vector in R11. TORC_CALL_RETURN_SYSCALL refuses addresses
 * in the upper half too.
 */
#ifndef TORC_VCPU_H
#define TORC_VCPU_H

#include <torc/base.h>

/* Offsets for the assembler. */
#define TORC_VCPU_IRQ_ON 0x000
#define TORC_VCPU_BUSY 0x001
#define TORC_VCPU_PENDING 0x008
#define TORC_VCPU_USER_GS 0x010
#define TORC_VCPU_SYNC 0x040
#define TORC_VCPU_NMI 0x0a0
#define TORC_VCPU_DOUBLE_FAULT 0x100
#define TORC_VCPU_RET 0x160

#define TORC_FRAME_RAX 0x00
#define TORC_FRAME_VECTOR 0x08
#define TORC_FRAME_ERROR 0x10
#define TORC_FRAME_RIP 0x18
#define TORC_FRAME_CS 0x20
#define TORC_FRAME_RFLAGS 0x28
#define TORC_FRAME_RSP 0x30
#define TORC_FRAME_SS 0x38
#define TORC_FRAME_CR2 0x40
#define TORC_FRAME_IRQ_WAS_ON 0x48
#define TORC_FRAME_RCX 0x50
#define TORC_FRAME_R11 0x58
#define TORC_FRAME_SIZE 0x60

#define TORC_RET_RIP 0x00
#define TORC_RET_CS 0x08
#define TORC_RET_RFLAGS 0x10
#define TORC_RET_RSP 0x18
#define TORC_RET_SS 0x20
#define TORC_RET_RCX 0x28
#define TORC_RET_R11 0x30

/* Kinds of entry, for set_entry. */
#define TORC_ENTRY_SYSCALL 0 /* SYSCALL from 64-bit ring 3: sync frame, rip rflags rsp only */
#define TORC_ENTRY_EXCEPTION 1 /* processor exceptions, INT3, INTO and INT 0x80: sync frame */
#define TORC_ENTRY_EVENT 2 /* pending events: sync frame, error = the pending word taken */
#define TORC_ENTRY_NMI 3 /* virtual NMI: NMI frame */
#define TORC_ENTRY_DOUBLE_FAULT 4 /* a synchronous entry with busy set: double-fault frame */
#define TORC_ENTRY_COUNT 5

/* Vectors above the processor's that a frame can carry. */
#define TORC_VECTOR_SYSCALL32 0x80 /* INT 0x80 */
#define TORC_VECTOR_EVENT 0x100

#define TORC_EVENT_PORTS 4096

/* Ports bound from the start; others are given out by the event hypercalls. */
#define TORC_PORT_TIMER 1 /* set_timer's deadline has passed */
#define TORC_PORT_CONSOLE 2 /* the console ring has input; at vCPU 0 */
#define TORC_PORT_CONTROL 3 /* a request for the call control; at vCPU 0 if it is up */
#define TORC_PORT_IPI 4 /* another vCPU of the domain called vcpu_kick */
#define TORC_PORT_FIRST_FREE 16

#ifndef __ASSEMBLER__

/**
 * struct torc_frame - what interrupted the guest, and where
 * @rax: RAX at that time
 * @vector: processor's vector, TORC_VECTOR_SYSCALL32 or TORC_VECTOR_EVENT
 * @error: the processor's error code or 0; for an event the pending word that was taken
 * @rip: @cs, @rflags, @rsp, @ss: as the processor pushed them; RPL of @cs is 1 or 3
 * @cr2: fault address, valid for vector 14
 * @irq_was_on: virtual interrupts were on before this entry (always 1 from ring 3)
 * @reserved: 0
 * @rcx: @r11: NMI frame only: what nmi_return loads; the guest stores them before that call
 *
 * Written by the gate or the hypervisor, read by the guest. Registers and addresses are as the
 * processor has them. The size never changes: the page around it grows.
 */
struct torc_frame {
	uint64_t rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
	uint64_t cr2;
	uint8_t irq_was_on;
	uint8_t reserved[7];
	uint64_t rcx;
	uint64_t r11;
};
TORC_SIZE(torc_frame, TORC_FRAME_SIZE);
TORC_OFFSET(torc_frame, rax, TORC_FRAME_RAX);
TORC_OFFSET(torc_frame, vector, TORC_FRAME_VECTOR);
TORC_OFFSET(torc_frame, error, TORC_FRAME_ERROR);
TORC_OFFSET(torc_frame, rip, TORC_FRAME_RIP);
TORC_OFFSET(torc_frame, cs, TORC_FRAME_CS);
TORC_OFFSET(torc_frame, rflags, TORC_FRAME_RFLAGS);
TORC_OFFSET(torc_frame, rsp, TORC_FRAME_RSP);
TORC_OFFSET(torc_frame, ss, TORC_FRAME_SS);
TORC_OFFSET(torc_frame, cr2, TORC_FRAME_CR2);
TORC_OFFSET(torc_frame, irq_was_on, TORC_FRAME_IRQ_WAS_ON);
TORC_OFFSET(torc_frame, rcx, TORC_FRAME_RCX);
TORC_OFFSET(torc_frame, r11, TORC_FRAME_R11);

/**
 * struct torc_return - where a return call goes
 * @rip: canonical address; below 2^47 for TORC_CALL_RETURN_SYSCALL
 * @cs: TORC_SEL_KERNEL_CS returns to ring 1; anything else is made a ring-3 selector
 * @rflags: arithmetic flags, DF, TF, RF, NT, AC, ID are taken; IF is forced on, the rest off
 * @rsp: any value
 * @ss: made a ring-3 selector; ignored for ring 1
 * @rcx: @r11: loaded by TORC_CALL_RETURN, ignored by TORC_CALL_RETURN_SYSCALL
 * @reserved: not read
 *
 * Written by the guest with irq_on = 0, read by the gate. The size never changes: the page around
 * it grows.
 */
struct torc_return {
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t ss;
	uint64_t rcx;
	uint64_t r11;
	uint64_t reserved;
};
TORC_SIZE(torc_return, 64);
TORC_OFFSET(torc_return, rip, TORC_RET_RIP);
TORC_OFFSET(torc_return, cs, TORC_RET_CS);
TORC_OFFSET(torc_return, rflags, TORC_RET_RFLAGS);
TORC_OFFSET(torc_return, rsp, TORC_RET_RSP);
TORC_OFFSET(torc_return, ss, TORC_RET_SS);
TORC_OFFSET(torc_return, rcx, TORC_RET_RCX);
TORC_OFFSET(torc_return, r11, TORC_RET_R11);

/**
 * struct torc_vcpu_page - shared between one vCPU and the hypervisor
 * @irq_on: virtual interrupt flag of ring 1, 0 or 1; guest, gate and hypervisor
 * @busy: the sync frame holds data the guest has not copied yet, 0 or 1; gate sets, guest clears
 * @nmi_masked: a virtual NMI is being handled, 0 or 1; hypervisor, by nmi_return
 * @version: TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR; hypervisor
 * @pending: word i of @event_pending may hold events if bit i is set; senders set, gate exchanges
 * @user_gs: GS base of ring 3, an address: gate saves it on entry and loads it on return; the
 *	guest may change it meanwhile
 * @size: of this structure as the hypervisor knows it, bytes; hypervisor
 * @vcpu: number of this vCPU within the domain; hypervisor
 * @steal_ns: time this vCPU was ready to run but did not, ns; hypervisor
 * @run_ns: time this vCPU ran, as of its last dispatch, ns; hypervisor
 * @sync: system calls, exceptions, events; gate
 * @nmi: virtual NMI; hypervisor
 * @double_fault: a synchronous entry that found @busy set; gate, and the guest sets its vector to 0
 * @ret: frame of the return calls; guest
 * @generation: 0, and another number whenever the domain goes on from a saved or forked state;
 *	hypervisor
 * @event_pending: bit p is set when event port p fired; hypervisor sets, guest clears
 * @event_mask: bit p set: port p fires but does not notify; guest
 * @reserved0: @reserved1: @reserved2: @reserved3: 0, kept for the hypervisor
 */
struct torc_vcpu_page {
	uint8_t irq_on;
	uint8_t busy;
	uint8_t nmi_masked;
	uint8_t reserved0;
	uint32_t version;
	uint64_t pending;
	uint64_t user_gs;
	uint32_t size;
	uint32_t vcpu;
	uint64_t steal_ns;
	uint64_t run_ns;
	uint64_t reserved1[2];
	struct torc_frame sync;
	struct torc_frame nmi;
	struct torc_frame double_fault;
	struct torc_return ret;
	uint64_t generation;
	uint64_t reserved2[75];
	uint64_t event_pending[TORC_EVENT_PORTS / 64];
	uint64_t event_mask[TORC_EVENT_PORTS / 64];
	uint64_t reserved3[256];
};
TORC_SIZE(torc_vcpu_page, TORC_PAGE_SIZE);
TORC_OFFSET(torc_vcpu_page, irq_on, TORC_VCPU_IRQ_ON);
TORC_OFFSET(torc_vcpu_page, busy, TORC_VCPU_BUSY);
TORC_OFFSET(torc_vcpu_page, nmi_masked, 0x002);
TORC_OFFSET(torc_vcpu_page, version, 0x004);
TORC_OFFSET(torc_vcpu_page, pending, TORC_VCPU_PENDING);
TORC_OFFSET(torc_vcpu_page, user_gs, TORC_VCPU_USER_GS);
TORC_OFFSET(torc_vcpu_page, size, 0x018);
TORC_OFFSET(torc_vcpu_page, vcpu, 0x01c);
TORC_OFFSET(torc_vcpu_page, steal_ns, 0x020);
TORC_OFFSET(torc_vcpu_page, run_ns, 0x028);
TORC_OFFSET(torc_vcpu_page, sync, TORC_VCPU_SYNC);
TORC_OFFSET(torc_vcpu_page, nmi, TORC_VCPU_NMI);
TORC_OFFSET(torc_vcpu_page, double_fault, TORC_VCPU_DOUBLE_FAULT);
TORC_OFFSET(torc_vcpu_page, ret, TORC_VCPU_RET);
TORC_OFFSET(torc_vcpu_page, generation, 0x1a0);
TORC_OFFSET(torc_vcpu_page, event_pending, 0x400);
TORC_OFFSET(torc_vcpu_page, event_mask, 0x600);

#endif /* __ASSEMBLER__ */
#endif
