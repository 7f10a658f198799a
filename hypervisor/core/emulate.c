/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Trap and emulate, for privileged instructions that a port left behind. Each one is counted in the
 * census, for in a finished port none is left on any path that matters. What is emulated
 * has an obvious meaning for a guest; the rest gets its #GP.
 */
#include "console.h"
#include "cpu.h"
#include "entry.h"
#include "hypercall.h"
#include "instruction.h"
#include "paging.h"

/* General register @number of the instruction encoding. */
static u64 *gpr(struct regs *regs, unsigned int number)
{
	u64 *const table[16] = {
		&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
		&regs->rsi, &regs->rdi, &regs->r8,  &regs->r9,	&regs->r10, &regs->r11,
		&regs->r12, &regs->r13, &regs->r14, &regs->r15,
	};

	return table[number];
}

/* Control registers as a guest sees them: docs/abi.md has the table. */
static bool read_cr(struct vcpu *vcpu, unsigned int number, u64 *value)
{
	switch (number) {
	case 0:
		*value = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG |
			 (vcpu->ts ? CR0_TS : 0);
		return true;
	case 2:
		*value = vcpu->page->sync.cr2;
		return true;
	case 3:
		*value = m2p_table[vcpu->root] << PAGE_SHIFT;
		return true;
	case 4:
		*value = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT |
			 (read_cr4() & (CR4_OSXSAVE | CR4_FSGSBASE));
		return true;
	case 8:
		*value = 0;
		return true;
	default:
		return false;
	}
}

/*
 * A write is carried out when it changes nothing but what the guest may change. @again: it stopped
 * half-way, and the guest is to execute the instruction once more.
 */
static bool write_cr(struct vcpu *vcpu, unsigned int number, u64 value, bool *again)
{
	mfn_t mfn = domain_mfn(vcpu->domain, value >> PAGE_SHIFT);
	int error;
	u64 now;

	switch (number) {
	case 0:
		if (!read_cr(vcpu, 0, &now) || ((now ^ value) & ~(CR0_TS | CR0_AM)))
			return false;
		return hc_set_task_switched(vcpu, !!(value & CR0_TS)) == 0;
	case 3:
		error = mfn == INVALID_MFN ? TORC_ENOENT : root_load(vcpu, mfn);
		*again = error == STOPPED;
		return !error || *again;
	case 4:
		return read_cr(vcpu, 4, &now) && now == value;
	default:
		return false;
	}
}

static bool emulate_msr(struct vcpu *vcpu, bool write)
{
	struct regs *regs = vcpu->regs;
	u64 value;

	if (write)
		return hc_write_msr(vcpu, (u32)regs->rcx, regs->rdx << 32 | (u32)regs->rax) == 0;
	if (hc_read_msr(vcpu, (u32)regs->rcx, &value))
		return false;
	regs->rax = (u32)value;
	regs->rdx = value >> 32;
	return true;
}

/* Nothing answers at any port. */
static void emulate_in(struct regs *regs, unsigned int size)
{
	if (size == 4)
		regs->rax = 0xffffffff;
	else
		regs->rax |= size == 2 ? 0xffff : 0xff;
}

static bool carry_out(struct vcpu *vcpu, const struct instruction *insn, bool *again)
{
	struct regs *regs = vcpu->regs;
	u64 value;

	switch (insn->id) {
	case INSN_CLI:
		vcpu->page->irq_on = 0;
		return true;
	case INSN_STI:
		vcpu->page->irq_on = 1;
		return true;
	case INSN_HLT:
		return hc_block(vcpu) == 0;
	case INSN_CLTS:
		return hc_set_task_switched(vcpu, 0) == 0;
	case INSN_MOV_FROM_CR:
		return read_cr(vcpu, insn->reg, gpr(regs, insn->gpr));
	case INSN_MOV_TO_CR:
		return write_cr(vcpu, insn->reg, *gpr(regs, insn->gpr), again);
	case INSN_MOV_FROM_DR:
		if (hc_get_debugreg(vcpu, insn->reg, &value))
			return false;
		*gpr(regs, insn->gpr) = value;
		return true;
	case INSN_MOV_TO_DR:
		return hc_set_debugreg(vcpu, insn->reg, *gpr(regs, insn->gpr)) == 0;
	case INSN_RDMSR:
	case INSN_WRMSR:
		return emulate_msr(vcpu, insn->id == INSN_WRMSR);
	case INSN_XSETBV:
		return (u32)regs->rcx == 0 &&
		       hc_set_xcr0(vcpu, regs->rdx << 32 | (u32)regs->rax) == 0;
	case INSN_IN:
		emulate_in(regs, insn->size);
		return true;
	case INSN_OUT:
	case INSN_INVD:
	case INSN_WBINVD: /* RAM is write-back and coherent: nothing to do */
	case INSN_INVLPG: /* the way back flushes */
		return true;
	default:
		return false;
	}
}

bool emulate(struct vcpu *vcpu)
{
	u8 bytes[INSTRUCTION_MAX];
	struct instruction insn;
	bool again = false;
	u64 rip = vcpu->regs->rip;
	size_t count;

	if (vcpu->regs->error)
		return false;
	count = guest_read(vcpu, (gva_t){ rip }, bytes, sizeof(bytes));
	if (!instruction_decode(bytes, count, &insn) || !carry_out(vcpu, &insn, &again))
		return false;
	if (again)
		return true;
	census_count(vcpu->domain, insn.id, rip);
	vcpu->regs->rip = rip + insn.length;
	vcpu->regs->rflags &= ~(u64)RFLAGS_RF;
	return true;
}
