/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Trap and emulate: what is carried out does what a guest expects, moves RIP on and stands in the
 * census; what is not leaves everything as it was, for the guest gets its fault then.
 */
#include <criterion/criterion.h>
#include "console.h"
#include "entry.h"
#include "instruction.h"
#include "sched.h"
#include "unit.h"

#define CODE_PFN 77
#define CODE (LINEAR_BASE + (CODE_PFN << PAGE_SHIFT))

static void create(void)
{
	world_create_emulated();
	*vcpu->regs = (struct regs){
		.rax = 0x1111111111110000, .rcx = 0x22, .rdx = 0x33, .rbx = 0x44, .rsp = 0x5550,
		.rbp = 0x66, .rsi = 0x77, .rdi = 0x88, .r8 = 8, .r9 = 9, .r10 = 10, .r11 = 11,
		.r12 = 12, .r13 = 13, .r14 = 14, .r15 = 15, .cs = TORC_SEL_KERNEL_CS, .rip = CODE,
		.vector = 13 };
}

TestSuite(emulate, .init = create);

static bool run(const char *code, size_t bytes)
{
	memcpy((u8 *)page_of(CODE_PFN) + (vcpu->regs->rip & (PAGE_SIZE - 1)), code, bytes);
	return emulate(vcpu);
}

#define RUN(code) run(code, sizeof(code) - 1)

/* Carried out, counted, and gone on behind it: RF, which faults set, is for one instruction. */
#define EXPECT_DONE(code, id) \
	do { \
		u64 rip_ = vcpu->regs->rip; \
		u32 used_ = domain->census_used; \
		vcpu->regs->rflags = RFLAGS_RF | GATE_RFLAGS_FORCED; \
		cr_expect(RUN(code), "%s", instruction_names[id]); \
		cr_expect_eq(vcpu->regs->rip, rip_ + sizeof(code) - 1); \
		cr_expect_eq(vcpu->regs->rflags, GATE_RFLAGS_FORCED); \
		cr_expect_eq(domain->census_used, used_ + 1); \
		cr_expect(domain->census[used_].instruction == (id) && \
			  domain->census[used_].rip == rip_ && domain->census[used_].count == 1); \
	} while (0)

#define EXPECT_LEFT(code) \
	do { \
		struct regs before_ = *vcpu->regs; \
		u32 used_ = domain->census_used; \
		cr_expect_not(RUN(code), "%s", #code); \
		cr_expect(!memcmp(&before_, vcpu->regs, sizeof(before_)), "%s", #code); \
		cr_expect_eq(domain->census_used, used_); \
		EXPECT_AUDIT(); \
	} while (0)

/* A kernel may stand below the hole, too. */
Test(emulate, code_in_the_lower_half)
{
	page_of(LINEAR_L4)[0] = page_of(LINEAR_L4)[LINEAR_SLOT];
	vcpu->regs->rip = CODE - LINEAR_BASE;
	EXPECT_DONE("\xfa", INSN_CLI);
}

Test(emulate, interrupt_flag_and_sleep)
{
	vcpu->page->irq_on = 1;
	EXPECT_DONE("\xfa", INSN_CLI);
	cr_expect_eq(vcpu->page->irq_on, 0);
	EXPECT_DONE("\xfb", INSN_STI);
	cr_expect_eq(vcpu->page->irq_on, 1);
	EXPECT_DONE("\xf4", INSN_HLT);
	cr_expect_eq(blocks, 1);
}

Test(emulate, control_registers)
{
	EXPECT_DONE("\x0f\x20\xc0", INSN_MOV_FROM_CR);
	cr_expect_eq(vcpu->regs->rax, 0x80050033);
	EXPECT_DONE("\x41\x0f\x20\xdd", INSN_MOV_FROM_CR);
	cr_expect_eq(vcpu->regs->r13, (u64)LINEAR_L4 << PAGE_SHIFT, "a guest-physical address");
	vcpu->page->sync.cr2 = 0xabcd;
	EXPECT_DONE("\x0f\x20\xd6", INSN_MOV_FROM_CR);
	cr_expect_eq(vcpu->regs->rsi, 0xabcd);
	EXPECT_DONE("\x0f\x20\xe4", INSN_MOV_FROM_CR); /* into RSP */
	cr_expect_eq(vcpu->regs->rsp, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE |
					      CR4_FSGSBASE, "SMEP and UMIP are the hypervisor's");
	EXPECT_DONE("\x44\x0f\x20\xc7", INSN_MOV_FROM_CR);
	cr_expect_eq(vcpu->regs->rdi, 0);
	EXPECT_LEFT("\x0f\x20\xc8"); /* CR1 */
	EXPECT_LEFT("\x44\x0f\x20\xf8"); /* CR15 */
}

Test(emulate, writes_to_control_registers)
{
	vcpu->regs->rbx = 0x8005003b; /* TS as well */
	EXPECT_DONE("\x0f\x22\xc3", INSN_MOV_TO_CR);
	cr_expect(vcpu->ts);
	vcpu->regs->rax = 0x80000033; /* WP off */
	EXPECT_LEFT("\x0f\x22\xc0");
	vcpu->regs->rax = 0;
	EXPECT_LEFT("\x0f\x22\xc0");
	vcpu->regs->rax = CR4_PAE;
	EXPECT_LEFT("\x0f\x22\xe0");
	vcpu->regs->rax = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
	EXPECT_DONE("\x0f\x22\xe0", INSN_MOV_TO_CR);
	EXPECT_LEFT("\x0f\x22\xd0"); /* CR2 */
}

Test(emulate, a_new_root)
{
	plain(30, LINEAR_SLOT, entry_of(LINEAR_L3, TABLE));
	vcpu->regs->rax = (u64)30 << PAGE_SHIFT;
	EXPECT_DONE("\x0f\x22\xd8", INSN_MOV_TO_CR);
	cr_expect_eq(vcpu->root, mfn_of(30));
	EXPECT_AUDIT();
	vcpu->regs->rax = (u64)WORLD_PAGES << PAGE_SHIFT;
	EXPECT_LEFT("\x0f\x22\xd8");
	vcpu->regs->rax = ~0ull;
	EXPECT_LEFT("\x0f\x22\xd8");
	vcpu->regs->rax = (u64)VCPU_PAGE_PFN << PAGE_SHIFT;
	EXPECT_LEFT("\x0f\x22\xd8");
}

/* Loading a root may have to stop half-way; the instruction is then executed again. */
Test(emulate, a_new_root_that_stops)
{
	unsigned int tries;

	plain(30, LINEAR_SLOT, entry_of(LINEAR_L3, TABLE));
	plain(30, 0, entry_of(31, TABLE));
	plain(31, 0, entry_of(32, TABLE));
	vcpu->regs->rax = (u64)30 << PAGE_SHIFT;
	preempt_calls = 0;
	preempt_at = 2;
	for (tries = 0; vcpu->root != mfn_of(30) && tries < 10; tries++)
		cr_assert(RUN("\x0f\x22\xd8"), "no fault for the guest");
	cr_expect_gt(tries, 1);
	cr_expect_eq(vcpu->regs->rip, CODE + 3);
	cr_expect_eq(domain->census_used, 1);
	EXPECT_AUDIT();
}

Test(emulate, debug_registers)
{
	vcpu->dr[7] = 0x400;
	vcpu->regs->rbx = 0xffff888000001000;
	EXPECT_DONE("\x0f\x23\xcb", INSN_MOV_TO_DR);
	cr_expect_eq(test_dr[1], 0xffff888000001000);
	EXPECT_DONE("\x0f\x21\xc8", INSN_MOV_FROM_DR);
	cr_expect_eq(vcpu->regs->rax, 0xffff888000001000);
	vcpu->regs->rbx = TORC_VCPU_PAGE;
	EXPECT_LEFT("\x0f\x23\xcb");
	vcpu->regs->rbx = 0x2000; /* general detect */
	EXPECT_LEFT("\x0f\x23\xfb");
	EXPECT_LEFT("\x0f\x21\xe0"); /* DR4 */
}

Test(emulate, model_specific_registers)
{
	vcpu->regs->rcx = 0x5500000000ull | MSR_FS_BASE; /* the upper half does not count */
	vcpu->regs->rax = 0xffffffff12345678;
	vcpu->regs->rdx = 0xffffffff00007fff;
	vcpu->regs->rdx = 0x00007fff;
	EXPECT_DONE("\x0f\x30", INSN_WRMSR);
	cr_expect_eq(test_fs_base, 0x00007fff12345678);
	vcpu->regs->rax = vcpu->regs->rdx = ~0ull;
	EXPECT_DONE("\x0f\x32", INSN_RDMSR);
	cr_expect(vcpu->regs->rax == 0x12345678 && vcpu->regs->rdx == 0x7fff);
	vcpu->regs->rdx = 0x8000; /* not canonical */
	EXPECT_LEFT("\x0f\x30");
	vcpu->regs->rcx = MSR_LSTAR;
	EXPECT_LEFT("\x0f\x30");
	EXPECT_LEFT("\x0f\x32");
}

Test(emulate, state_components)
{
	vcpu->regs->rcx = 0x100000000;
	vcpu->regs->rax = 3;
	vcpu->regs->rdx = 0;
	EXPECT_DONE("\x0f\x01\xd1", INSN_XSETBV);
	cr_expect_eq(test_xcr0, 3);
	vcpu->regs->rdx = 1;
	EXPECT_LEFT("\x0f\x01\xd1");
	vcpu->regs->rdx = 0;
	vcpu->regs->rcx = 1;
	EXPECT_LEFT("\x0f\x01\xd1");
}

/* Nothing answers at ports: all ones come in, in as much of RAX as the instruction has. */
Test(emulate, ports)
{
	EXPECT_DONE("\xec", INSN_IN);
	cr_expect_eq(vcpu->regs->rax, 0x11111111111100ff);
	vcpu->regs->rax = 0x1111111111110000;
	EXPECT_DONE("\x66\xe5\x60", INSN_IN);
	cr_expect_eq(vcpu->regs->rax, 0x111111111111ffff);
	EXPECT_DONE("\xed", INSN_IN);
	cr_expect_eq(vcpu->regs->rax, 0xffffffff, "32 bits clear the upper half");
	EXPECT_DONE("\xee", INSN_OUT);
	EXPECT_DONE("\xe6\x80", INSN_OUT);
	EXPECT_DONE("\x0f\x09", INSN_WBINVD);
	EXPECT_DONE("\x0f\x01\x38", INSN_INVLPG);
}

Test(emulate, what_is_left_to_the_guest)
{
	EXPECT_LEFT("\x0f\x01\x18"); /* lidt */
	EXPECT_LEFT("\x0f\x01\x10"); /* lgdt */
	EXPECT_LEFT("\x0f\x00\xd8"); /* ltr */
	EXPECT_LEFT("\x0f\x07"); /* sysret */
	EXPECT_LEFT("\x0f\x01\xf8"); /* swapgs */
	EXPECT_LEFT("\x6c"); /* ins */
	EXPECT_LEFT("\x90");
	vcpu->regs->error = 8; /* a selector was at fault, not the instruction's privilege */
	EXPECT_LEFT("\xfa");
}

enum outcome { EMULATED, CHECKED, GP, UD, GP_UD, UMIP, RUNS, RUNS_UD, OPERAND, ENTERS };

/*
 * With operands that are allowed, and only of what the decoder knows. CLTS is carried out by
 * itself, which a test cannot: the conformance guests have it.
 */
static const struct {
	u8 bytes[4];
	u8 count;
} samples[INSN_COUNT] = {
#define SAMPLE(id, code) [INSN_##id] = { code, sizeof(code) - 1 }
	SAMPLE(CLI, "\xfa"), SAMPLE(STI, "\xfb"), SAMPLE(HLT, "\xf4"),
	SAMPLE(LMSW, "\x0f\x01\xf0"), SAMPLE(MOV_FROM_CR, "\x0f\x20\xc0"),
	SAMPLE(MOV_TO_CR, "\x0f\x22\xc3"), SAMPLE(MOV_FROM_DR, "\x0f\x21\xc8"),
	SAMPLE(MOV_TO_DR, "\x0f\x23\xcb"), SAMPLE(RDMSR, "\x0f\x32"), SAMPLE(WRMSR, "\x0f\x30"),
	SAMPLE(RDPMC, "\x0f\x33"), SAMPLE(XSETBV, "\x0f\x01\xd1"), SAMPLE(IN, "\xec"),
	SAMPLE(OUT, "\xee"), SAMPLE(INS, "\x6c"),
	SAMPLE(OUTS, "\x6e"), SAMPLE(INVD, "\x0f\x08"), SAMPLE(WBINVD, "\x0f\x09"),
	SAMPLE(INVLPG, "\x0f\x01\x38"), SAMPLE(LGDT, "\x0f\x01\x10"),
	SAMPLE(LIDT, "\x0f\x01\x18"), SAMPLE(LLDT, "\x0f\x00\xd0"),
	SAMPLE(LTR, "\x0f\x00\xd8"), SAMPLE(SWAPGS, "\x0f\x01\xf8"), SAMPLE(SYSRET, "\x0f\x07"),
	SAMPLE(SYSEXIT, "\x0f\x35"),
#undef SAMPLE
};

static void expect_outcome(enum instruction_id id, enum outcome ring1)
{
	bool wanted = ring1 == EMULATED || ring1 == CHECKED, done;

	/* CR0 with TS; base 0; of XCR0, x87 and SSE */
	vcpu->regs->rbx = 0x8005003b;
	vcpu->regs->rcx = id == INSN_XSETBV ? 0 : MSR_FS_BASE;
	vcpu->regs->rax = id == INSN_XSETBV ? 3 : 0;
	vcpu->regs->rdx = 0;
	done = run((const char *)samples[id].bytes, samples[id].count);
	cr_expect_eq(done, wanted, "%s", instruction_names[id]);
}

/* The emulator carries out what abi/instructions.tbl says that it does, and nothing else. */
Test(emulate, the_table_of_instructions)
{
#define EXPECT(id, ring1, ring3, name) \
	if (samples[INSN_##id].count) \
		expect_outcome(INSN_##id, ring1); \
	else \
		cr_expect((ring1 != EMULATED && ring1 != CHECKED) || INSN_##id == INSN_CLTS, name);
	TORC_INSTRUCTIONS(EXPECT)
#undef EXPECT
}

Test(emulate, code_that_cannot_be_read)
{
	vcpu->regs->rip = 0x1000;
	cr_expect_not(emulate(vcpu));
	vcpu->regs->rip = TORC_CALL_PAGE;
	cr_expect_not(emulate(vcpu));
	vcpu->regs->rip = 0x0000800000000000;
	cr_expect_not(emulate(vcpu));
}

Test(emulate, code_that_ends_with_the_map)
{
	vcpu->regs->rip = LINEAR_BASE + (WORLD_PAGES << PAGE_SHIFT) - 1;
	/* That page is the root itself; its last byte is of an entry that is not there. */
	cr_expect_not(emulate(vcpu));
	vcpu->regs->rip = CODE + PAGE_SIZE - 1; /* crosses into the next page */
	*((u8 *)page_of(CODE_PFN) + PAGE_SIZE - 1) = 0x0f;
	*(u8 *)page_of(CODE_PFN + 1) = 0x09;
	cr_expect(emulate(vcpu));
	cr_expect_eq(vcpu->regs->rip, CODE + PAGE_SIZE + 1);
}

/* The census has room for so many sites; more share the last entry, and no count is lost. */
Test(emulate, census_overflows_in_order)
{
	u64 i, total = 0;

	for (i = 0; i < 1000; i++)
		census_count(domain, INSN_CLI, 0x1000 + i % 300);
	cr_expect_eq(domain->census_used, CENSUS_ENTRIES);
	for (i = 0; i < CENSUS_ENTRIES; i++)
		total += domain->census[i].count;
	cr_expect_eq(total, 1000);
	cr_expect_eq(domain->census[0].count, 4);
	cr_expect_eq(domain->census[CENSUS_ENTRIES - 1].instruction, INSN_NONE);
	census_log(domain);
	cr_expect(strstr(logged(), "census: 4 x cli at 0000000000001000"));
}
