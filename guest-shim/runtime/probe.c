/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * Things to try that may fault, in ring 1 and in ring 3.
 */
#include "guest.h"

#define CODE_BYTES 256

/* The image is mapped writable and executable, so code can be put together here. */
static uint8_t code_buffer[CODE_BYTES + 1];
static uint8_t scratch[64];

static void run_buffer(void *rax)
{
	uint64_t result = *(uint64_t *)rax;

	__asm__ volatile("call *%[code]"
			 : "+a"(result)
			 : [code] "r"(code_buffer), "b"(scratch)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
}

struct guest_fault guest_probe_code(const void *code, size_t bytes, uint64_t rax)
{
	if (bytes > CODE_BYTES)
		guest_crash("code too long", NULL);
	memcpy(code_buffer, code, bytes);
	code_buffer[bytes] = 0xc3;
	return guest_probe(run_buffer, &rax);
}

static void read_byte(void *address)
{
	*(volatile uint8_t *)address;
}

static void write_byte(void *address)
{
	volatile uint8_t *byte = address;
	uint8_t value = guest_probe_read((uint64_t)address).hit ? 0 : *byte;

	*byte = value;
}

static void call_address(void *address)
{
	((void (*)(void))address)();
}

struct guest_fault guest_probe_read(uint64_t address)
{
	return guest_probe(read_byte, (void *)address);
}

struct guest_fault guest_probe_write(uint64_t address)
{
	return guest_probe(write_byte, (void *)address);
}

struct guest_fault guest_probe_execute(uint64_t address)
{
	return guest_probe(call_address, (void *)address);
}

uint8_t *guest_user_memory(void)
{
	static uint8_t *memory;
	uint64_t pfn;
	uint32_t i;

	if (memory)
		return memory;
	memory = guest_pages(GUEST_USER_PAGES);
	pfn = guest_linear_gpa(memory) >> TORC_PAGE_SHIFT;
	for (i = 0; i < GUEST_USER_PAGES; i++)
		if (guest_map(GUEST_USER_BASE + i * TORC_PAGE_SIZE, pfn + i, TORC_PTE_TABLE) !=
		    TORC_OK)
			guest_crash("cannot map user memory", NULL);
	return memory;
}

struct guest_regs guest_user_regs(uint64_t rip)
{
	guest_user_memory();
	return (struct guest_regs){
		.rip = GUEST_USER_BASE + rip,
		.cs = TORC_SEL_USER_CS,
		.rflags = GUEST_FLAG_IF | 2,
		.rsp = GUEST_USER_BASE + GUEST_USER_PAGES * TORC_PAGE_SIZE,
		.ss = TORC_SEL_USER_SS,
	};
}

struct guest_regs guest_user_code(const void *code, size_t bytes)
{
	struct guest_regs regs = guest_user_regs(0);

	memcpy(guest_user_memory(), code, bytes);
	guest_user_run(&regs, false);
	return regs;
}
