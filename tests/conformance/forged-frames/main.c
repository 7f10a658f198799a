/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Frames, flags and selectors that a guest makes up, in every place that ring 0 or the processor
 * reads.
 *
 * Background: the vCPU page, the stacks of the gate region and what IRETQ pops are memory of the
 * guest.
 * Attack: ring-0 selectors, forbidden flags and garbage there, natively by IRETQ and RETF in ring
 * 1, by nmi_return, and in the words that the gate itself reads.
 * Vulnerable: code runs at a lower ring, without interrupts, with I/O rights; or ring 0 uses the
 * garbage.
 * Fixed: a fault or an error, or only bits that a guest may have.
 */
#include "conformance.h"

#define FORBIDDEN     0x1a3000UL /* IOPL VM VIF VIP */
#define NON_CANONICAL 0x0000800000000000UL

/* row: native-iret - IF and IOPL that ring 1 pops are ignored. */
CODE(iret_flags, "mov %rsp, %rdx\n mov %ss, %ecx\n push %rcx\n push %rdx\n push $0x3002\n"
		 "mov %cs, %ecx\n push %rcx\n lea 1f(%rip), %rcx\n push %rcx\n iretq\n"
		 "1: pushf\n pop %rax\n mov %rax, (%rbx)\n syscall");

static void check_native_iret(void)
{
	struct guest_regs regs = guest_user_regs(0);
	uint8_t *memory = guest_user_memory();
	uint64_t flags;

	__asm__ volatile("mov %%rsp, %%rdx\n\t"
			 "pushq %1\n\t"
			 "push %%rdx\n\t"
			 "pushq $0x1a3002\n\t"
			 "pushq %2\n\t"
			 "lea 1f(%%rip), %%rdx\n\t"
			 "push %%rdx\n\t"
			 "iretq\n"
			 "1:\tpushf\n\t"
			 "pop %0"
			 : "=r"(flags)
			 : "i"(TORC_SEL_KERNEL_SS), "i"(TORC_SEL_KERNEL_CS)
			 : "rdx", "memory", "cc");
	CHECK((flags & GUEST_FLAG_IF) && !(flags & FORBIDDEN), "flags after IRETQ in ring 1: 0x%lx",
	      flags);
	memcpy(memory, iret_flags, CODE_BYTES(iret_flags));
	regs.rbx = GUEST_USER_BASE + 0x4000;
	guest_user_run(&regs, false);
	flags = *(uint64_t *)(memory + 0x4000);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL && (flags & GUEST_FLAG_IF) &&
		      !(flags & FORBIDDEN),
	      "flags after IRETQ in ring 3: 0x%lx, vector %lu", flags, regs.vector);
}

/* row: nmi-return-forged */
static struct torc_frame forged;
static int64_t refusal;

/* In the kernel, for an INT3 of ring 3: leaves by nmi_return, which comes back if it refuses. */
static bool return_forged(struct guest_regs *regs)
{
	if (regs->vector != 3)
		return false;
	*(volatile struct torc_frame *)&TORC_SHIM_VCPU->nmi = forged;
	refusal = torc_nmi_return();
	return false;
}

CODE(break_and_call, "int3\n syscall");

static uint64_t nmi_return_to(uint64_t cs, uint64_t ss)
{
	struct guest_regs regs = guest_user_regs(0);

	forged = (struct torc_frame){
		.rip = GUEST_USER_BASE + 1, .cs = cs, .rflags = 0x202, .rsp = regs.rsp, .ss = ss
	};
	memcpy(guest_user_memory(), break_and_call, CODE_BYTES(break_and_call));
	guest_trap_hook = return_forged;
	guest_user_run(&regs, false);
	guest_trap_hook = NULL;
	return regs.vector;
}

static void expect_nmi_refused(const char *what, uint64_t rip, uint64_t cs, uint64_t gs)
{
	volatile struct torc_frame *frame = &TORC_SHIM_VCPU->nmi;

	*frame = (struct torc_frame){
		.rip = rip, .cs = cs, .rflags = 0x202, .rsp = 0x1000, .ss = TORC_SEL_USER_SS
	};
	torc_set_user_gs(gs);
	expect_status(what, torc_nmi_return(), TORC_EINVAL);
	torc_set_user_gs(0);
}

static void check_nmi_return(void)
{
	static const uint16_t selectors[] = { 0,    3,	  0x08, 0x0b,	0x10, 0x13,
					      0x18, 0x1b, 0x38, 0x3b,	0x40, 0x43,
					      0x50, 0x53, 0x60, 0x63,	0x80, 0xffff,
					      4,    7 };
	uint64_t vector;
	uint32_t i;

	for (i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		vector = nmi_return_to(selectors[i], TORC_SEL_USER_SS);
		CHECK(vector == 13, "nmi_return to CS 0x%x: vector %lu", selectors[i], vector);
		vector = nmi_return_to(TORC_SEL_USER_CS, selectors[i]);
		CHECK(vector == 13, "nmi_return to SS 0x%x: vector %lu", selectors[i], vector);
	}
	vector = nmi_return_to(0x100000000 | (TORC_SEL_USER_CS & ~3),
			       0x100000000 | (TORC_SEL_USER_SS & ~3));
	CHECK(vector == GUEST_VECTOR_SYSCALL, "nmi_return to ring 3: vector %lu, status %ld",
	      vector, refusal);
	expect_nmi_refused("nmi_return, rip not canonical", NON_CANONICAL, TORC_SEL_KERNEL_CS, 0);
	expect_nmi_refused("nmi_return, rip not canonical", 1UL << 63, TORC_SEL_USER_CS, 0);
	expect_nmi_refused("nmi_return, GS not canonical", GUEST_USER_BASE, TORC_SEL_USER_CS,
			   NON_CANONICAL);
}

/* Flags that nmi_return takes out of its frame; goes on behind the call. */
static void check_nmi_return_flags(void)
{
	uint64_t flags;

	TORC_SHIM_VCPU->nmi.cs = TORC_SEL_KERNEL_CS;
	TORC_SHIM_VCPU->nmi.rflags = ~0x100UL;
	TORC_SHIM_VCPU->nmi.ss = 0x10;
	TORC_SHIM_VCPU->nmi.irq_was_on = 0;
	__asm__ volatile(
		"mov %%rsp, %c[rsp](%[page])\n\t"
		"lea 1f(%%rip), %%rax\n\t"
		"mov %%rax, %c[rip](%[page])\n\t"
		"mov %[number], %%eax\n\t"
		"mov %[call], %%rcx\n\t"
		"call *%%rcx\n\t"
		"ud2\n"
		"1:\tpushf\n\t"
		"pop %%rax\n\t"
		"push $2\n\t"
		"popf"
		: "=&a"(flags)
		: [page] "r"(TORC_VCPU_PAGE), [call] "r"(TORC_CALL_PAGE),
		  [number] "i"(TORC_HC_NMI_RETURN), [rip] "i"(TORC_VCPU_NMI + TORC_FRAME_RIP),
		  [rsp] "i"(TORC_VCPU_NMI + TORC_FRAME_RSP)
		: "rcx", "rdx", "r11", "memory", "cc");
	CHECK((flags & GUEST_FLAG_IF) && !(flags & FORBIDDEN) && !(flags >> 22),
	      "flags after nmi_return: 0x%lx", flags);
}

/* row: garbage-vcpu-page - what the hypervisor only writes may say anything. */
static void check_garbage(void)
{
	volatile struct torc_vcpu_page *page = TORC_SHIM_VCPU;
	uint64_t now = torc_clock_ns(TORC_CLOCK);
	uint32_t i;

	memset((void *)&page->sync, 0xff, sizeof(page->sync));
	memset((void *)&page->nmi, 0xff, sizeof(page->nmi));
	memset((void *)&page->ret, 0xff, sizeof(page->ret));
	page->steal_ns = page->run_ns = page->generation = ~0UL;
	page->version = page->size = page->vcpu = ~0U;
	for (i = 0; i < TORC_EVENT_PORTS / 64; i++)
		page->event_pending[i] = ~0UL;
	page->pending = ~0UL;
	torc_irq_on();
	CHECK(page->pending == 0, "pending is 0x%lx", page->pending);
	page->irq_on = 0xff;
	torc_set_timer(1);
	torc_yield();
	while (torc_clock_ns(TORC_CLOCK) < now + 30000000)
		torc_yield();
	torc_irq_off();
	CHECK(torc_version() > 0, "no hypercall works any more");
}

/* row: garbage-stacks - ring 1 can write the stacks of the gate region: nothing there counts. */
CODE(calls, "syscall\n int3\n ud2");

static void check_stacks(void)
{
	struct guest_regs regs = guest_user_regs(0);
	volatile uint64_t *stacks = (uint64_t *)(TORC_GATE_BASE + 0x5000);
	uint32_t i, round;

	memcpy(guest_user_memory(), calls, CODE_BYTES(calls));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 3 * TORC_PAGE_SIZE / 8; i++)
			stacks[i] = round == 0 ? 0 : round == 1 ? ~0UL : 0xffff800040100000;
		guest_user_run(&regs, round & 1);
		CHECK(regs.vector == (round == 0   ? (uint64_t)GUEST_VECTOR_SYSCALL
				      : round == 1 ? 3
						   : 6),
		      "round %u with garbage stacks: vector %lu", round, regs.vector);
		CHECK(torc_version() > 0, "hypercall with garbage stacks");
		expect_fault("fault with garbage stacks", guest_probe_read(0x10), 14);
	}
}

/*
 * row: flags-into-gate - flags that are set when ring 0 is entered do nothing there (with NT its
 * IRETQ would fault), and the kernel's entry starts with clean ones.
 */
#define ENTRY_FLAGS 0x247700UL /* ID AC NT IOPL DF IF TF: those that an entry has constant */

static uint64_t entry_flags, entries;

static bool note_flags(struct guest_regs *regs)
{
	uint64_t flags;

	__asm__ volatile("pushf\n\tpop %0" : "=r"(flags));
	entry_flags |= flags & ENTRY_FLAGS;
	entries++;
	return (regs->cs & 3) == 1 && regs->vector == 3;
}

CODE(popf_syscall, "push %rdi\n popf\n syscall");
CODE(popf_int3, "push %rdi\n popf\n int3");
CODE(popf_ud, "push %rdi\n popf\n ud2");

static void check_flags_into_gate(void)
{
	static const struct {
		const uint8_t *code;
		size_t bytes;
		uint64_t vector;
	} ways[] = { { popf_syscall, 4, GUEST_VECTOR_SYSCALL },
		     { popf_int3, 3, 3 },
		     { popf_ud, 4, 6 } };
	struct guest_regs regs;
	uint64_t flags;
	int64_t result;
	uint32_t i, bit;

	guest_trap_hook = note_flags;
	for (bit = 0; bit < 22; bit++) {
		if (bit == 8)
			continue;
		flags = 1UL << bit;
		for (i = 0; i < 3; i++) {
			regs = guest_user_regs(0);
			regs.rdi = flags;
			memcpy(guest_user_memory(), ways[i].code, ways[i].bytes);
			guest_user_run(&regs, false);
			CHECK(regs.vector == ways[i].vector, "flag %u, way %u: vector %lu", bit, i,
			      regs.vector);
		}
		__asm__ volatile("push %[flags]\n\tpopf\n\tcall *%[page]\n\tint3\n\tpush $2\n\tpopf"
				 : "=a"(result)
				 : [flags] "r"(flags), [page] "c"(TORC_CALL_PAGE),
				   "a"(TORC_HC_VERSION)
				 : "rdx", "r11", "memory", "cc");
		CHECK(result > 0, "flag %u: hypercall returns %ld", bit, result);
	}
	guest_trap_hook = NULL;
	CHECK(entries >= 21 * 4, "%lu entries", entries);
	CHECK(entry_flags == GUEST_FLAG_IF, "flags at entries: 0x%lx", entry_flags);
}

void test_main(void)
{
	check_flags_into_gate();
	check_native_iret();
	check_nmi_return();
	check_nmi_return_flags();
	check_garbage();
	check_stacks();
}
