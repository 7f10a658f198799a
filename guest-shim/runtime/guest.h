/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * A very small kernel around the shim, for examples and tests: start-up, printf on the console,
 * pages and page tables, faults that are expected, and programs in ring 3.
 *
 * A guest defines main(). It runs on a stack of 16 KiB with virtual interrupts off, all entries
 * registered and the batch queue set up; when it returns the domain powers off.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <torc/shim.h>

#define GUEST_VIRT_OFFSET 0xffffffff80000000UL
#define GUEST_LINEAR_BASE 0xffff888000000000UL /* slot 273 */
#define GUEST_USER_BASE	  0x400000UL /* what guest_user_page() maps; low addresses stay empty */
#define GUEST_USER_PAGES  8

/* Vectors that only this runtime uses, in guest_regs.vector. */
#define GUEST_VECTOR_SYSCALL 0x101
#define GUEST_VECTOR_REFUSED 0x102 /* the return call refused; error is the vector it gave */

#define GUEST_FLAG_IF	     0x200UL

/* All registers at an entry, lowest address first. */
struct guest_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t vector, cr2, error;
	uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct guest_regs) == 23 * 8, "entry.S knows the order");

/* What setjmp keeps. */
struct guest_context {
	uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

extern const struct torc_start *guest_start;

int main(void);

/* Console. printf knows %d %u %x %c %s %p %%, l, width, 0 and -. */
void printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprintf(const char *format, va_list args);
void vsnprintf(char *buffer, size_t room, const char *format, va_list args); /* room >= 1 */
void guest_flush_console(void);

/* Strings. */
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);

/**
 * guest_save() - setjmp: returns 0 first, and what guest_resume() was given when it comes back
 */
uint64_t guest_save(struct guest_context *context) __attribute__((returns_twice));
void guest_resume(const struct guest_context *context, uint64_t value) __attribute__((noreturn));

/* How a probed function ended. */
struct guest_fault {
	bool hit; /* it faulted; else it returned */
	uint64_t vector, error, cr2;
	struct guest_regs regs;
};

/* Stacks of a vCPU. */
#define GUEST_STACK_BYTES 0x4000
#define GUEST_SMALL_STACK_BYTES 0x1000

/*
 * What each vCPU has of its own; the GS base points here while its kernel runs. Entry code finds
 * the stacks: for entries from ring 3, NMIs and double faults.
 */
struct guest_cpu {
	void *user_entry_stack, *nmi_stack, *double_fault_stack;
	struct guest_cpu *self;
	uint32_t number;
	struct torc_queue queue;
	struct guest_context *probe_context;
	struct guest_fault *probe_fault;
	struct guest_context *user_context;
	struct guest_regs *user_regs;
	void (*function)(void *);
	void *argument;
};

/** guest_cpu() - that of the running vCPU */
static inline struct guest_cpu *guest_cpu(void)
{
	struct guest_cpu *cpu;

	__asm__ volatile("mov %%gs:24, %0" : "=r"(cpu));
	return cpu;
}

#define guest_queue (guest_cpu()->queue)

/**
 * guest_vcpu_start() - starts another vCPU, which calls @function(@argument) and stops behind it
 * It has interrupts off, all entries registered, the present root and a batch queue of its own.
 * Return: status of vcpu_up.
 */
int64_t guest_vcpu_start(uint32_t number, void (*function)(void *), void *argument);

/** guest_vcpu_wait() - waits until the vCPU is down, whose memory may be given to another start */
void guest_vcpu_wait(uint32_t number);

/* A lock that vCPUs may share. */
struct guest_lock {
	bool taken;
};

void guest_lock(struct guest_lock *lock);
void guest_unlock(struct guest_lock *lock);

/**
 * guest_probe() - calls a function that may fault in ring 1
 * The virtual interrupt flag is afterwards what it was before.
 */
struct guest_fault guest_probe(void (*function)(void *), void *argument);

/**
 * guest_probe_code() - runs machine code in ring 1
 * @code: @bytes: the instructions; a RET is put behind them
 * @rax: value of RAX; RBX points at 64 writable bytes
 */
struct guest_fault guest_probe_code(const void *code, size_t bytes, uint64_t rax);

/** guest_probe_read() - reads a byte at an address that may not be readable */
struct guest_fault guest_probe_read(uint64_t address);

/** guest_probe_write() - writes a byte, the one that stands there if it can be read */
struct guest_fault guest_probe_write(uint64_t address);

/** guest_probe_execute() - calls an address */
struct guest_fault guest_probe_execute(uint64_t address);

/**
 * guest_user_run() - runs ring 3 until it makes a system call or faults
 * @regs: registers to start with; receives those at the end, and vector, error and cr2
 * @by_syscall: leave by the return call whose RCX and R11 die
 *
 * Events that come meanwhile go to guest_event() and back.
 */
void guest_user_run(struct guest_regs *regs, bool by_syscall);

/**
 * guest_user_page() - memory of ring 3, mapped at GUEST_USER_BASE on first use: readable, writable,
 * executable, GUEST_USER_PAGES pages
 * Return: the first page as the kernel sees it; the others follow.
 */
uint8_t *guest_user_memory(void);

/** guest_user_regs() - registers to start ring 3 at offset @rip of its memory, stack at its end */
struct guest_regs guest_user_regs(uint64_t rip);

/** guest_user_code() - puts code in ring 3's memory, runs it, and says how it ended */
struct guest_regs guest_user_code(const void *code, size_t bytes);

/* Called for each event, virtual interrupts off. A guest may define its own. */
void guest_event(uint32_t port);
/* Called for virtual NMIs and machine checks. A guest may define its own. */
void guest_nmi(struct guest_regs *regs);
/* Called for a double fault, which it must not return from. A guest may define its own. */
void guest_double_fault(struct guest_regs *regs);
/* If set, sees each entry but events first; true: handled, go on at @regs. */
extern bool (*guest_trap_hook)(struct guest_regs *regs);

/* Times each port fired, counted by the default guest_event(). */
extern volatile uint64_t guest_event_count[TORC_EVENT_PORTS];

/** guest_sleep_ns() - blocks until system time has moved on by @ns; uses the timer */
void guest_sleep_ns(uint64_t ns);

/* Pages. None is given back. */
uint64_t guest_page(void);	   /* a zeroed page's pfn */
void *guest_pages(uint32_t count); /* zeroed, following each other; their linear address */

static inline void *guest_linear(uint64_t gpa)
{
	return (void *)(GUEST_LINEAR_BASE + gpa);
}

static inline uint64_t guest_linear_gpa(const void *pointer)
{
	return (uint64_t)pointer - GUEST_LINEAR_BASE;
}

static inline uint64_t guest_image_gpa(const void *pointer)
{
	return (uint64_t)pointer - GUEST_VIRT_OFFSET;
}

/** guest_entry() - guest-physical address of an address' entry of @level (4..1), 0 if none */
uint64_t guest_entry(uint64_t root, uint64_t address, uint32_t level);

/** guest_entry_read() - an entry by its guest-physical address, folded, its frame as a gpa */
uint64_t guest_entry_read(uint64_t entry);

/** guest_op() - one batch operation; returns its status */
int64_t guest_op(uint8_t op, uint64_t entry, uint64_t value);

/** guest_map() - maps a page under the current root; makes tables as needed; returns a status */
int64_t guest_map(uint64_t address, uint64_t pfn, uint64_t bits);

extern uint64_t guest_root; /* guest-physical address of the root in use */

/** guest_new_root() - a level-4 table with the kernel's part of the present one, not yet pinned */
uint64_t guest_new_root(void);

/** guest_crash() - prints a reason and ends the domain with a report */
void guest_crash(const char *why, const struct guest_regs *regs) __attribute__((noreturn));

#endif
