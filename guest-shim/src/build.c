/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The Torc authors */
/*
 * The domain builder.
 *
 * Memory of the new domain, from below: the kernel where its segments say; the initrd; the pages
 * that start.h describes; the page tables, at the very top. How many tables there are is counted
 * first, for the linear map must show them read-only. Then a tree is written depth first, each
 * table when all below it are, so one staging page for each level is enough.
 */
#include <torc/abi.h>
#include <torc/build.h>

/* The parts of an ELF64 file that matter (System V ABI, chapters 4 and 5). */
struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, file_bytes, bytes, align;
};

struct elf_note {
	uint32_t name_bytes, bytes, type;
	char name[8]; /* "Torc", padded to 4 bytes: 5 bytes with its 0 */
};

#define ELF_LOAD 1
#define ELF_NOTE 4
#define PAGE TORC_PAGE_SIZE
#define FULL_TABLE (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_ACCESSED)
#define FULL_PAGE (FULL_TABLE | TORC_PTE_DIRTY)

static void copy(void *to, const void *from, uint64_t bytes)
{
	uint64_t i;

	for (i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
}

static void zero(void *to)
{
	uint64_t i;

	for (i = 0; i < PAGE / 8; i++)
		((volatile uint64_t *)to)[i] = 0;
}

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + PAGE - 1) / PAGE;
}

/* Segment @index of the file, which is not where it says it ends; 0 behind the last. */
static int segment(const struct torc_build *build, uint32_t index, struct elf_segment *segment)
{
	struct elf_header header;

	copy(&header, build->kernel, sizeof(header));
	if (index >= header.phnum || header.phentsize != sizeof(*segment) ||
	    header.phoff > build->kernel_bytes ||
	    (index + 1ULL) * sizeof(*segment) > build->kernel_bytes - header.phoff)
		return 0;
	copy(segment, build->kernel + header.phoff + index * sizeof(*segment), sizeof(*segment));
	return segment->offset <= build->kernel_bytes &&
	       segment->file_bytes <= build->kernel_bytes - segment->offset;
}

static void read_note(struct torc_build *build, const struct elf_segment *from)
{
	struct elf_note note;

	if (from->file_bytes < 20 + sizeof(build->note))
		return;
	copy(&note, build->kernel + from->offset, 20);
	if (note.type == TORC_NOTE_TYPE && note.name_bytes == 5 &&
	    note.bytes >= sizeof(build->note) && *(uint32_t *)note.name == 0x63726f54)
		copy(&build->note, build->kernel + from->offset + 20, sizeof(build->note));
}

/* Finds the note and how far the kernel reaches. */
static int64_t read_kernel(struct torc_build *build)
{
	struct elf_segment at;
	uint32_t i;

	if (build->kernel_bytes < sizeof(struct elf_header) ||
	    *(const uint32_t *)build->kernel != 0x464c457f)
		return TORC_EINVAL;
	build->note.size = 0;
	build->first = ~0ULL;
	build->end = 0;
	for (i = 0; segment(build, i, &at); i++) {
		if (at.type == ELF_NOTE)
			read_note(build, &at);
		if (at.type != ELF_LOAD || !at.bytes)
			continue;
		if (at.file_bytes > at.bytes || at.paddr > build->pages * PAGE ||
		    at.bytes > build->pages * PAGE - at.paddr)
			return TORC_EINVAL;
		build->first = at.paddr < build->first ? at.paddr : build->first;
		build->end = at.paddr + at.bytes > build->end ? at.paddr + at.bytes : build->end;
	}
	if (!build->end || build->note.size < sizeof(build->note) ||
	    build->note.abi_major != TORC_ABI_MAJOR || build->note.abi_minor != TORC_ABI_MINOR ||
	    (build->note.features_required & ~build->start->features))
		return TORC_EINVAL;
	return TORC_OK;
}

/* Writes a staging page to the new domain. */
static int64_t put(struct torc_build *build, uint64_t pfn, uint32_t stage, uint32_t level)
{
	int64_t result;

	build->op->flags = 0;
	build->op->op = TORC_MEMORY_WRITE;
	build->op->level = level;
	build->op->pfn = pfn;
	build->op->own = build->stage_pfn[stage];
	build->op->reserved0 = 0;
	do {
		result = torc_domain_memory(build->domain, build->index, 1);
	} while (result == TORC_EAGAIN);
	return result > 0 ? build->op->status : result;
}

/* Puts @bytes at a guest-physical address of which nothing else shares the pages. */
static int64_t put_bytes(struct torc_build *build, uint64_t address, const uint8_t *from,
			 uint64_t bytes)
{
	uint64_t offset, part;
	int64_t result = TORC_OK;

	for (; bytes && !result; address += part, from += part, bytes -= part) {
		offset = address % PAGE;
		part = PAGE - offset < bytes ? PAGE - offset : bytes;
		zero(build->stage[0]);
		copy((uint8_t *)build->stage[0] + offset, from, part);
		result = put(build, address / PAGE, 0, 0);
	}
	return result;
}

/* What the kernel's segments put into page @pfn; two of them may share it. */
static int compose(struct torc_build *build, uint64_t pfn)
{
	uint64_t low = pfn * PAGE, from, to;
	struct elf_segment at;
	int any = 0;
	uint32_t i;

	zero(build->stage[0]);
	for (i = 0; segment(build, i, &at); i++) {
		from = at.paddr > low ? at.paddr : low;
		to = at.paddr + at.file_bytes < low + PAGE ? at.paddr + at.file_bytes : low + PAGE;
		if (at.type != ELF_LOAD || from >= to)
			continue;
		copy((uint8_t *)build->stage[0] + (from - low),
		     build->kernel + at.offset + (from - at.paddr), to - from);
		any = 1;
	}
	return any;
}

static int64_t put_kernel(struct torc_build *build)
{
	uint64_t pfn;
	int64_t result = TORC_OK;

	for (pfn = build->first / PAGE; pfn < page_up(build->end) && !result; pfn++)
		if (compose(build, pfn))
			result = put(build, pfn, 0, 0);
	return result;
}

static int within(uint64_t address, uint64_t base, uint64_t bytes)
{
	return address - base < bytes;
}

/* The entry for a page of the address space, canonical form; 0 if nothing is mapped there. */
static uint64_t leaf(const struct torc_build *build, uint64_t address)
{
	uint64_t image = build->first / PAGE * PAGE, pfn;

	if (within(address, build->note.linear_base, build->pages * PAGE)) {
		pfn = (address - build->note.linear_base) / PAGE;
		return pfn * PAGE | TORC_PTE_NX |
		       (pfn < build->tables ? FULL_PAGE : TORC_PTE_PRESENT | TORC_PTE_ACCESSED);
	}
	if (within(address, build->note.virt_offset + image, page_up(build->end) * PAGE - image))
		return (address - build->note.virt_offset) | FULL_PAGE;
	return 0;
}

/* Does anything that is mapped lie within @bytes from @address on? */
static int used(const struct torc_build *build, uint64_t address, uint64_t bytes)
{
	uint64_t image = build->first / PAGE * PAGE;
	uint64_t base[2] = { build->note.linear_base, build->note.virt_offset + image };
	uint64_t size[2] = { build->pages * PAGE, page_up(build->end) * PAGE - image };
	uint32_t i;

	for (i = 0; i < 2; i++)
		if (within(base[i], address, bytes) || within(address, base[i], size[i]))
			return 1;
	return 0;
}

static uint64_t level_bytes(uint32_t level)
{
	return (uint64_t)PAGE << 9 * (level - 1);
}

/* The address that entry @index of a table which begins at @address is for. */
static uint64_t entry_address(uint64_t address, uint32_t level, uint32_t index)
{
	uint64_t at = address + index * level_bytes(level);

	return level == 4 && index >= 256 ? at | 0xffff000000000000 : at;
}

static uint64_t count_tables(const struct torc_build *build, uint64_t address, uint32_t level)
{
	uint64_t count = 1;
	uint32_t i;

	for (i = 0; level > 1 && i < 512; i++)
		if (used(build, entry_address(address, level, i), level_bytes(level)))
			count += count_tables(build, entry_address(address, level, i), level - 1);
	return count;
}

/* Writes the table for @address on and all below it; its pfn, or an error. */
static int64_t put_tables(struct torc_build *build, uint64_t address, uint32_t level)
{
	uint64_t pfn = build->table++, at;
	uint64_t *table = build->stage[level];
	int64_t below, result;
	uint32_t i;

	zero(table);
	for (i = 0; i < 512; i++) {
		at = entry_address(address, level, i);
		if (level == 1) {
			table[i] = leaf(build, at);
		} else if (used(build, at, level_bytes(level))) {
			below = put_tables(build, at, level - 1);
			if (below < 0)
				return below;
			table[i] = (uint64_t)below * PAGE | FULL_TABLE;
		}
	}
	result = put(build, pfn, level, level);
	return result ? result : (int64_t)pfn;
}

static uint64_t page(const struct torc_build *build, uint32_t which)
{
	return build->tables - which;
}

static int64_t put_start(struct torc_build *build, uint64_t root)
{
	struct torc_start *start = build->stage[0];

	zero(start);
	copy(start, build->start, sizeof(*start));
	start->size = sizeof(*start);
	start->privileges = build->privileges;
	start->features &= ~TORC_FEATURE_PRIVILEGED;
	if (build->privileges)
		start->features |= TORC_FEATURE_PRIVILEGED;
	start->domain = build->domain;
	start->vcpus = build->vcpus;
	start->pages = build->pages;
	start->max_pages = build->max_pages;
	start->boot_first = build->boot_first;
	start->boot_pages = build->pages - build->boot_first;
	start->root = root * PAGE;
	start->linear_base = build->note.linear_base;
	start->virt_offset = build->note.virt_offset;
	start->cmdline = build->cmdline[0] ? page(build, TORC_BUILD_CMDLINE) * PAGE : 0;
	start->initrd = build->initrd_at;
	start->initrd_size = build->initrd_bytes;
	start->vcpu_page = page(build, TORC_BUILD_VCPU);
	start->time_page = page(build, TORC_BUILD_TIME);
	start->console_ring = page(build, TORC_BUILD_CONSOLE);
	start->wall_ns = build->wall_ns;
	start->generation = 0;
	copy(start->entropy, build->entropy, sizeof(start->entropy));
	return put(build, page(build, TORC_BUILD_START), 0, 0);
}

static int64_t put_memory(struct torc_build *build, uint64_t *root)
{
	const uint8_t *cmdline = (const uint8_t *)build->cmdline;
	uint64_t length = 0;
	int64_t result;

	while (cmdline[length] && length < PAGE)
		length++;
	if (length == PAGE)
		return TORC_EINVAL;
	result = put_kernel(build);
	if (!result)
		result = put_bytes(build, page(build, TORC_BUILD_CMDLINE) * PAGE, cmdline, length);
	if (!result)
		result = put_bytes(build, build->initrd_at, build->initrd, build->initrd_bytes);
	if (result)
		return result;
	build->table = build->tables;
	result = put_tables(build, 0, 4);
	if (result < 0)
		return result;
	*root = (uint64_t)result;
	return put_start(build, *root);
}

static int64_t put_vcpu(struct torc_build *build, uint64_t root)
{
	struct torc_vcpu_state *state = build->stage[0];
	uint64_t linear = build->note.linear_base;
	uint16_t control = 0x37f; /* as FNINIT leaves it */
	uint32_t mxcsr = 0x1f80, i;
	int64_t result;

	zero(state);
	state->size = sizeof(*state);
	state->rip = build->note.entry;
	state->cs = TORC_SEL_KERNEL_CS;
	state->ss = TORC_SEL_KERNEL_SS;
	state->rsp = linear + (page(build, TORC_BUILD_STACK) + 1) * PAGE;
	state->gpr[5] = linear + page(build, TORC_BUILD_START) * PAGE; /* RDI */
	state->root = root * PAGE;
	state->vcpu_page = page(build, TORC_BUILD_VCPU);
	for (i = 0; i < TORC_BATCH_PAGES; i++)
		state->batch_pages[i] = TORC_INVALID_FRAME;
	copy(state->fpu, &control, sizeof(control));
	copy(state->fpu + 24, &mxcsr, sizeof(mxcsr));
	do {
		result = torc_domain_vcpu(build->domain, 0, build->stage_pfn[0], 1);
	} while (result == TORC_EAGAIN);
	return result;
}

/* Where everything goes; false when it does not fit. */
static int place(struct torc_build *build)
{
	uint64_t count, needed;

	build->tables = build->pages;
	count = count_tables(build, 0, 4);
	needed = count + TORC_BUILD_STACK + page_up(build->initrd_bytes);
	if (needed > build->pages || build->pages - needed < page_up(build->end))
		return 0;
	build->tables = build->pages - count;
	build->boot_first = page(build, TORC_BUILD_STACK);
	build->initrd_at = build->initrd_bytes ? (build->pages - needed) * PAGE : 0;
	return 1;
}

static int64_t create(struct torc_build *build)
{
	struct torc_domain_create *create = build->stage[0];
	uint32_t i;

	zero(create);
	create->size = sizeof(*create);
	create->vcpus = build->vcpus;
	create->pages = build->pages;
	create->max_pages = build->max_pages;
	create->privileges = build->privileges;
	create->linear_base = build->note.linear_base;
	create->console_ring = page(build, TORC_BUILD_CONSOLE);
	create->time_page = page(build, TORC_BUILD_TIME);
	for (i = 0; build->name[i] && i < sizeof(create->name); i++)
		create->name[i] = build->name[i];
	return torc_domain_create(build->stage_pfn[0]);
}

int64_t torc_build(struct torc_build *build)
{
	int64_t result = read_kernel(build);
	uint64_t root;

	if (result)
		return result;
	if (!place(build))
		return TORC_EINVAL;
	result = create(build);
	if (result < 0)
		return result;
	build->domain = (uint32_t)result;
	result = put_memory(build, &root);
	if (!result)
		result = put_vcpu(build, root);
	if (result) {
		torc_domain_control(build->domain, TORC_DOMAIN_DESTROY, 0);
		return result;
	}
	return build->domain;
}
