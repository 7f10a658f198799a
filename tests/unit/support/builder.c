/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "arena.h"
#include "builder.h"

#define M2P_MFN 16 /* where the mfn->pfn array stands, FRAMES / 512 pages */
#define FIRST_PAGE 64
#define FILE_CHUNK 2
#define GUEST_CHUNK 4

struct elf_file file;
struct domain_source source;

static void put_file(void)
{
	source.kernel.end = ((u64)FILE_CHUNK << CHUNK_SHIFT) + 8 * PAGE_SIZE;
	source.kernel.start = source.kernel.end - sizeof(file);
	memcpy(phys_to_virt(source.kernel.start), &file, sizeof(file));
}

void put_initrd(u64 bytes)
{
	struct range *initrd = &source.initrd;
	u64 i;

	initrd->start = ((u64)FILE_CHUNK << CHUNK_SHIFT) + 16 * PAGE_SIZE + 123;
	initrd->end = initrd->start + bytes;
	for (i = initrd->start; i < initrd->end; i++)
		host_memory[i] = (u8)(i % 251);
}

void builder_create(void)
{
	arena_create(FRAMES * (u64)PAGE_SIZE);
	memory_give(FIRST_PAGE, 2 * CHUNK_PAGES - FIRST_PAGE, GUEST_CHUNK * CHUNK_PAGES,
		    CHUNKS - GUEST_CHUNK);
	frame_count = FRAMES;
	frame_table = calloc(FRAMES, sizeof(*frame_table));
	m2p_table = mfn_to_virt(M2P_MFN);
	memset(m2p_table, 0xff, FRAMES * sizeof(*m2p_table));
	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE;
	elf_file_make(&file);
	put_file();
	log_forget();
}

void builder_remove(void)
{
	free(frame_table);
}

bool make(const char *string)
{
	put_file();
	source.string = string + strlen("domain ");
	return domain_build(&source);
}

struct torc_start *build(const char *string)
{
	cr_assert(make(string), "%s", logged());
	domain = domain_list;
	vcpu = domain->vcpu[0];
	return mfn_to_virt(mfn_of((vcpu->regs->rdi - domain->linear_base) >> PAGE_SHIFT));
}
