/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The domain builder: what a domain finds when it starts, and for each way in which a domain
 * cannot be built the words in which it is refused, after which everything it had taken is given
 * back.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "arena.h"
#include "elf_file.h"
#include "unit.h"

#define CHUNKS 16
#define FRAMES (CHUNKS * CHUNK_PAGES)
#define M2P_MFN 16 /* where the mfn->pfn array stands, FRAMES / 512 pages */
#define FIRST_PAGE 64
#define FILE_CHUNK 2
#define GUEST_CHUNK 4
#define INITRD_BYTES 9999

static struct elf_file file;
static struct range kernel, initrd;
static unsigned int initrds;
static bool kept;
static u64 pages_before;

static void put_file(void)
{
	kernel.end = ((u64)FILE_CHUNK << CHUNK_SHIFT) + 8 * PAGE_SIZE;
	kernel.start = kernel.end - sizeof(file);
	memcpy(phys_to_virt(kernel.start), &file, sizeof(file));
}

static void put_initrd(u64 bytes)
{
	u64 i;

	initrd.start = ((u64)FILE_CHUNK << CHUNK_SHIFT) + 16 * PAGE_SIZE + 123;
	initrd.end = initrd.start + bytes;
	for (i = initrd.start; i < initrd.end; i++)
		host_memory[i] = (u8)(i % 251);
}

static void create(void)
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
	pages_before = 0;
	initrds = 0;
	kept = false;
	console_focused = NULL;
	log_forget();
}

static void remove_all(void)
{
	free(frame_table);
}

TestSuite(build, .init = create, .fini = remove_all);

static bool make(const char *string)
{
	struct domain_source source = {
		.string = string + strlen("domain "),
		.kernel = kernel,
		.initrd = initrd,
		.initrds = initrds,
		.kept = kept,
	};

	put_file();
	return domain_build(&source);
}

/*
 * Refused for the reason that contains @why; nothing is left but the page that all windows share.
 */
static void refuse(const char *string, const char *why)
{
	mfn_t mfn;

	log_forget();
	cr_expect_not(make(string), "%s", string);
	cr_expect(strstr(logged(), " refused: ") && strstr(logged(), why),
		  "\"%s\" gives \"%s\", not \"%s\"", string, logged(), why);
	cr_expect_leq(memory_pages_out, pages_before + 1, "%lu pages are lost", memory_pages_out);
	cr_expect_eq(memory_chunks_out, 0);
	cr_expect_null(domain_list);
	for (mfn = 0; mfn < FRAMES; mfn++)
		cr_assert(!frame_table[mfn].owner && !frame_table[mfn].ref_count &&
			  m2p_table[mfn] == TORC_INVALID_FRAME, "frame %lx", mfn);
}

/* A string of 4 MiB whose other words are good. */
#define GOOD "domain name=a mem=4M vcpus=1"

static void refuse_file(const char *why)
{
	refuse(GOOD, why);
	elf_file_make(&file);
}

/* Builds a good domain and lets the world's helpers work on it. */
static struct torc_start *build(const char *string)
{
	cr_assert(make(string), "%s", logged());
	domain = domain_list;
	vcpu = domain->vcpu[0];
	return mfn_to_virt(mfn_of((vcpu->regs->rdi - domain->linear_base) >> PAGE_SHIFT));
}

static u64 read_word(u64 address)
{
	u64 word = 0;

	cr_expect_eq(guest_read(vcpu, (gva_t){ address }, &word, sizeof(word)), sizeof(word),
		     "%lx is not mapped", address);
	return word;
}

/* The entry that maps @address in what the hardware walks, 0 if there is none. */
static u64 entry_for(u64 address)
{
	u64 entry = root_copy_of(vcpu) | PTE_P;
	unsigned int level;

	for (level = 4; level >= 1 && (entry & PTE_P); level--)
		entry = ((u64 *)mfn_to_virt(entry_mfn(entry)))[address >> (3 + 9 * level) & 511];
	return entry & PTE_P ? entry : 0;
}

Test(build, a_good_domain_starts)
{
	struct torc_start *start = build(GOOD " -- root=/dev/ram  x");

	cr_expect_str_eq(logged(), "domain 1 a started, 4 MiB, 1 vcpus\n");
	cr_expect_eq(starts, 1);
	EXPECT_AUDIT();
	cr_expect_eq(start->magic, TORC_START_MAGIC);
	cr_expect_eq(start->size, sizeof(*start));
	cr_expect(start->domain == 1 && start->pages == 1024 && start->vcpus == 1);
	cr_expect_eq(start->boot_first + start->boot_pages, 1024);
	cr_expect_eq(start->machine_frames, FRAMES);
	cr_expect_eq(domain_mfn(domain, start->root >> PAGE_SHIFT), vcpu->root);
	cr_expect_str_eq((char *)page_of(start->cmdline >> PAGE_SHIFT), "root=/dev/ram  x");
	cr_expect_eq(start->initrd_size, 0);
	cr_expect_eq(start->vcpu_page, vcpu->page_pfn);
	cr_expect(start->device_bus == TORC_INVALID_FRAME &&
		  start->grant_frames == TORC_INVALID_FRAME);
	cr_expect_eq(vcpu->page->size, sizeof(struct torc_vcpu_page));
	cr_expect(vcpu->page->irq_on == 0 && vcpu->page->busy == 0);
}

Test(build, registers_at_the_start)
{
	struct regs zero;

	build(GOOD);
	zero = *vcpu->regs;
	cr_expect_eq(zero.rip, ELF_FILE_VIRT_OFFSET + ELF_FILE_FIRST);
	cr_expect(zero.cs == TORC_SEL_KERNEL_CS && zero.ss == TORC_SEL_KERNEL_SS);
	cr_expect_eq(zero.rflags, 0x202);
	cr_expect_eq(zero.rsp % PAGE_SIZE, 0);
	cr_expect(entry_for(zero.rsp - 8) & PTE_W);
	zero.rip = zero.cs = zero.ss = zero.rflags = zero.rsp = zero.rdi = 0;
	cr_expect(!memcmp(&zero, &(struct regs){ 0 }, sizeof(zero)), "all others are zero");
}

Test(build, the_kernel_stands_where_its_segments_say)
{
	u64 code = ELF_FILE_VIRT_OFFSET + ELF_FILE_FIRST;
	u64 data = ELF_FILE_VIRT_OFFSET + ELF_FILE_DATA;
	u64 entry, word;

	build(GOOD);
	memcpy(&word, file.code, 8);
	cr_expect_eq(read_word(code), word);
	cr_expect_eq(read_word(ELF_FILE_LINEAR + ELF_FILE_FIRST), word);
	memcpy(&word, file.data + sizeof(file.data) - 8, 8);
	cr_expect_eq(read_word(data + sizeof(file.data) - 8), word);
	cr_expect_eq(read_word(data + sizeof(file.data)), 0, "the rest is zero");
	cr_expect_eq(read_word(ELF_FILE_VIRT_OFFSET + ELF_FILE_END - 8), 0);
	entry = entry_for(code);
	cr_expect((entry & PTE_W) && !(entry & (PTE_NX | PTE_U)), "%lx", entry);
	cr_expect_eq(entry_for(code - PAGE_SIZE), 0, "nothing before the image");
	cr_expect_eq(entry_for(ELF_FILE_VIRT_OFFSET + ALIGN_UP(ELF_FILE_END, PAGE_SIZE)), 0);
}

Test(build, the_linear_map_is_complete)
{
	struct torc_start *start = build(GOOD);
	pfn_t pfn;

	for (pfn = 0; pfn < start->pages; pfn++) {
		u64 entry = entry_for(ELF_FILE_LINEAR + (pfn << PAGE_SHIFT));
		bool table = is_table(frame_of(pfn));

		cr_assert_eq(entry_mfn(entry), mfn_of(pfn));
		cr_assert((entry & PTE_NX) && !(entry & PTE_U));
		cr_assert_eq(!!(entry & PTE_W), !table, "page %lx", pfn);
		cr_assert(!table || pfn >= start->boot_first);
	}
	cr_expect_eq(entry_for(ELF_FILE_LINEAR + MIB(4)), 0);
}

Test(build, an_initrd_is_copied)
{
	struct torc_start *start;
	u8 bytes[INITRD_BYTES];

	put_initrd(INITRD_BYTES);
	start = build(GOOD);
	cr_expect_eq(start->initrd_size, INITRD_BYTES);
	cr_expect_geq(start->initrd >> PAGE_SHIFT, ALIGN_UP(ELF_FILE_END, PAGE_SIZE) >> PAGE_SHIFT);
	cr_assert_eq(guest_read(vcpu, (gva_t){ ELF_FILE_LINEAR + start->initrd }, bytes,
				INITRD_BYTES),
		     INITRD_BYTES);
	cr_expect(!memcmp(bytes, phys_to_virt(initrd.start), INITRD_BYTES));
	EXPECT_AUDIT();
}

/* Slots 256..271: the gate, and windows that show this domain's data and no other's. */
Test(build, windows_show_only_what_is_the_domains)
{
	struct torc_start *start;
	pfn_t pfn;
	mfn_t mfn;

	build("domain name=other mem=6M");
	domain_list = NULL;
	start = build(GOOD);
	for (pfn = 0; pfn < start->pages; pfn++) {
		u64 entry = entry_for(TORC_WINDOW_P2M + pfn * 8);

		cr_assert(!(entry & PTE_W) && (entry & PTE_NX));
		cr_assert_eq(((u64 *)mfn_to_virt(entry_mfn(entry)))[pfn % ENTRIES], mfn_of(pfn));
	}
	for (mfn = 0; mfn < FRAMES; mfn++) {
		u64 entry = entry_for(TORC_WINDOW_M2P + mfn * 8);
		u64 shown = ((u64 *)mfn_to_virt(entry_mfn(entry)))[mfn % ENTRIES];
		bool own = frame_table[mfn].owner == domain->id;

		cr_assert(!(entry & PTE_W) && (entry & PTE_NX));
		cr_assert_eq(shown, own ? m2p_table[mfn] : TORC_INVALID_FRAME, "frame %lx", mfn);
	}
	cr_expect_eq(entry_mfn(entry_for(TORC_WINDOW_TIME)), mfn_of(start->time_page));
	cr_expect_not(entry_for(TORC_WINDOW_TIME) & PTE_W);
	cr_expect_eq(entry_mfn(entry_for(TORC_VCPU_PAGE)), mfn_of(start->vcpu_page));
	cr_expect(entry_for(TORC_VCPU_PAGE) & PTE_W);
	cr_expect_eq(entry_for(TORC_WINDOW_RINGS), 0);
}

/*
 * Guest addresses are read through the domain's own frames only; what is not mapped ends the read.
 */
Test(build, the_walker_reads_what_ring_1_could)
{
	u8 bytes[64];

	build(GOOD);
	cr_expect_eq(guest_read(vcpu, (gva_t){ TORC_VCPU_PAGE }, bytes, 8), 0, "the hypervisor's");
	cr_expect_eq(guest_read(vcpu, (gva_t){ TORC_HOLE_END - 4 }, bytes, 8), 0);
	cr_expect_eq(guest_read(vcpu, (gva_t){ 0x0000800000000000 }, bytes, 8), 0, "not canonical");
	cr_expect_eq(guest_read(vcpu, (gva_t){ 0x1000 }, bytes, 8), 0, "not mapped");
	cr_expect_eq(guest_read(vcpu, (gva_t){ ~3ull }, bytes, 8), 0);
	cr_expect_eq(guest_read(vcpu, (gva_t){ ELF_FILE_LINEAR + MIB(4) - 5 }, bytes, 64), 5);
	cr_expect_eq(guest_read(vcpu, (gva_t){ ELF_FILE_LINEAR + PAGE_SIZE - 3 }, bytes, 64), 64);
	cr_expect_eq(guest_read(vcpu, (gva_t){ ELF_FILE_LINEAR }, bytes, 0), 0);
}

Test(build, a_domain_that_ends_gives_everything_back)
{
	struct domain *first;
	u64 pages;
	mfn_t mfn;

	put_initrd(INITRD_BYTES);
	build("domain name=first mem=4M");
	first = domain_list;
	build("domain name=second mem=8M");
	root_copy_of(first->vcpu[0]);
	root_copy_of(first->next->vcpu[0]);
	domain_end(first->next, TORC_SHUTDOWN_REBOOT);
	cr_expect(strstr(logged(), "domain 2 second ended: reboot\n"));
	cr_expect(domain_list == first && !first->next);
	cr_expect_eq(memory_chunks_out, 2);
	domain_end(first, TORC_SHUTDOWN_CRASH);
	cr_expect(strstr(logged(), "domain 1 first ended: crash\n"));
	cr_expect_null(domain_list);
	cr_expect_eq(memory_chunks_out, 0);
	cr_expect_eq(memory_pages_out, 1, "the page that all windows share");
	for (mfn = 0; mfn < FRAMES; mfn++)
		cr_assert(!frame_table[mfn].owner && !frame_table[mfn].ref_count &&
			  !frame_table[mfn].flags && m2p_table[mfn] == TORC_INVALID_FRAME);
	pages = memory_pages_out;
	build("domain name=third mem=4M");
	cr_expect_eq(domain_list->id, 3, "ids are not used again");
	domain_end(domain_list, TORC_SHUTDOWN_POWEROFF);
	cr_expect_eq(memory_pages_out, pages);
}

/* Built again from what was kept, as another domain of that name, with the focus that it had. */
Test(build, a_reboot_starts_a_domain_anew)
{
	struct torc_start *start;

	put_initrd(INITRD_BYTES);
	kept = true;
	build("domain name=first mem=4M");
	build("domain name=second mem=4M -- words");
	console_focused = domain_list;
	memory_fail_after = ~0ull;
	pages_before = memory_pages_out;
	domain_end(domain_list, TORC_SHUTDOWN_REBOOT);
	cr_expect(strstr(logged(), "domain 1 first ended: reboot\n"
				   "domain 3 first started, 4 MiB, 1 vcpus\n"
				   "domain 1 first rebooted as 3\n"), "%s", logged());
	cr_assert(domain_list->id == 2 && domain_list->next->id == 3);
	cr_expect_eq(console_focused, domain_list->next);
	cr_expect(memory_pages_out == pages_before && memory_chunks_out == 4);
	domain_end(domain_list, TORC_SHUTDOWN_REBOOT);
	cr_expect_eq(console_focused, domain_list);
	domain = domain_list->next;
	vcpu = domain->vcpu[0];
	start = mfn_to_virt(mfn_of((vcpu->regs->rdi - domain->linear_base) >> PAGE_SHIFT));
	cr_expect_str_eq((char *)page_of(start->cmdline >> PAGE_SHIFT), "words");
	cr_expect_eq(start->domain, 4);
	domain_end(domain_list, TORC_SHUTDOWN_CRASH);
	EXPECT_AUDIT();
	domain_end(domain, TORC_SHUTDOWN_POWEROFF);
	cr_expect_null(domain_list, "only a reboot starts a domain anew");
	cr_expect_eq(memory_chunks_out, 0);
}

Test(build, ids_come_to_an_end)
{
	while (domain_new_id())
		;
	refuse(GOOD, "domain 0 a refused: all domain ids are used up");
	refuse(GOOD, "domain 0 a refused");
}

/* The hypervisor's memory ends at any point of the work. */
Test(build, without_memory_nothing_is_lost)
{
	u64 n;

	put_initrd(INITRD_BYTES);
	for (n = 0; n < 200; n++) {
		memory_fail_after = n;
		if (make(GOOD))
			break;
		cr_expect(strstr(logged(), "not enough memory"), "%s", logged());
		cr_assert_leq(memory_pages_out, 1, "%lu pages lost when %lu can be had",
			      memory_pages_out, n);
		cr_assert_eq(memory_chunks_out, 0);
		log_forget();
	}
	cr_expect(n > 20 && n < 200, "%lu", n);
	memory_fail_after = ~0ull;
	domain_end(domain_list, TORC_SHUTDOWN_POWEROFF);
	refuse("domain name=a mem=30M", "not enough memory on this machine");
}

Test(build, names)
{
	refuse("domain mem=4M", "it has no name");
	refuse("domain name= mem=4M", "it has no name");
	refuse("domain name mem=4M", "it has no name");
	refuse("domain name=12345678901234567890123456789012 mem=4M", "name is too long");
	refuse("domain name=a:b mem=4M", "a character that is not allowed");
	refuse("domain name=a\x1b[2J mem=4M", "a character that is not allowed");
	refuse("domain name=caf\xc3\xa9 mem=4M", "a character that is not allowed");
	refuse("domain -- name=a mem=4M", "it has no name");
	build("domain name=1234567890123456789012345678901 mem=4M");
	domain_end(domain_list, TORC_SHUTDOWN_POWEROFF);
}

Test(build, a_name_that_is_taken)
{
	build(GOOD);
	cr_expect_not(make(GOOD));
	cr_expect(strstr(logged(), "domain 2 a refused: another domain has that name"));
	cr_expect_null(domain_list->next);
}

Test(build, sizes)
{
	static const char *const bad[] = { "", "mem", "mem=", "mem=x", "mem=4Q", "mem=-4M",
					   "mem=4MB",
					   "mem=99999999999999999999", "mem=18446744073709551615K",
					   "mem=0000000000000000000000000000000004M" };
	static const char *const outside[] = { "mem=0", "mem=1", "mem=2097151", "mem=513G",
					       "mem=549755813889", "mem=16777215T" };
	char string[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(string, sizeof(string), "domain name=a %s", bad[i]);
		refuse(string, "memory size is missing or no size");
	}
	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		snprintf(string, sizeof(string), "domain name=a %s", outside[i]);
		refuse(string, "memory size is outside 2M to 512G");
	}
	refuse("domain name=a mem=512G", "not enough memory on this machine");
	refuse("domain name=a mem=2M", "not enough memory for its kernel");
	build("domain name=a mem=4194305"); /* rounded up to chunks */
	cr_expect_eq(domain->pages, 3 * CHUNK_PAGES);
}

Test(build, other_words)
{
	static const char *const other[] = { "vcpus=0", "vcpus=2", "vcpus=4294967297" };
	static const char *const none[] = { "vcpus=", "vcpus=x", "vcpus", "vcpus=1x",
					    "vcpus=00000000000000000000000000000001234" };
	static const char *const bad[][2] = {
		{ "colour=red", "its word \"colour=red\" is unknown" },
		{ "memory=4M vcpus=1", "its word \"memory=4M\" is unknown" },
		{ "quiet", "its word \"quiet\" is unknown" },
		{ "mem=8M", "its word \"mem=8M\" is given twice" },
		{ "vcpus=1 vcpus=1", "its word \"vcpus=1\" is given twice" },
		{ "name=b", "its word \"name=b\" is given twice" },
	};
	static char string[BOOT_STRINGS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M %s", other[i]);
		refuse(string, "one vCPU in each domain");
	}
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M %s", none[i]);
		refuse(string, "vcpus is not a number");
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M %s -- mem=1 x", bad[i][0]);
		refuse(string, bad[i][1]);
	}
	snprintf(string, sizeof(string), "domain name=a mem=4M -- %04096d", 1);
	refuse(string, "command line is too long");
	snprintf(string, sizeof(string), "domain name=a mem=4M -- %04095d", 1);
	build(string);
}

Test(build, an_initrd_that_does_not_fit)
{
	put_initrd(MIB(2));
	refuse(GOOD, "not enough memory for its kernel, initrd and page tables");
	put_initrd(MIB(2) - 0x12345 - 24 * PAGE_SIZE);
	build(GOOD);
	EXPECT_AUDIT();
}

Test(build, more_than_one_initrd)
{
	put_initrd(INITRD_BYTES);
	initrds = 2;
	refuse(GOOD, "it has more than one initrd");
	initrds = 1;
	build(GOOD);
}

/* A module list that says 2^40 bytes: nothing is read before it is found too large. */
Test(build, a_giant_initrd)
{
	initrd = (struct range){ kernel.start, kernel.start + (1ull << 46) };
	refuse(GOOD, "not enough memory for its kernel, initrd and page tables");
}

Test(build, files_that_are_no_kernels)
{
	file.header.ident[0] = 0;
	refuse_file("no 64-bit little-endian ELF file");
	file.segment[0].type = 0;
	refuse_file("no Torc note");
	file.segment[1].paddr = MIB(4) - 8;
	refuse_file("not enough memory for its kernel");
	file.segment[2].memsz = MIB(2) - 0x10000;
	refuse_file("not enough memory for its kernel, initrd and page tables");
	file.segment[1].paddr = (1ull << 40) - 4096;
	refuse_file("mapped at an impossible address");
}

Test(build, notes_of_other_versions)
{
	file.note.desc.abi_major = TORC_ABI_MAJOR + 1;
	refuse_file("another version of the ABI");
	file.note.desc.abi_minor = TORC_ABI_MINOR + 1;
	refuse_file("another version of the ABI");
	file.note.desc.size = sizeof(struct torc_note) - 1;
	refuse_file("note is too short");
	file.note.desc.features_required = 1ull << 63;
	refuse_file("requires a feature");
	file.note.desc.features_required = TORC_FEATURE_SUPERPAGES;
	refuse_file("requires a feature");
	file.note.desc.features_known = ~0ull; /* no harm */
	file.note.desc.size = 4096;
	build(GOOD);
}

Test(build, linear_maps_in_wrong_places)
{
	static const u64 bad[] = {
		ELF_FILE_LINEAR + PAGE_SIZE,		/* not 2 MiB aligned */
		TORC_HOLE_START, TORC_HOLE_END - MIB(2), TORC_HOLE_START - MIB(2),
		0x00007fffffe00000,			/* out of the lower half */
		0x0000800000000000, 0x8000000000000000, 0xfff0000000000000,
		-MIB(2),				/* over the end */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.note.desc.linear_base = bad[i];
		refuse_file("linear map is misplaced");
	}
}

Test(build, images_in_wrong_places)
{
	static const u64 bad[] = {
		ELF_FILE_VIRT_OFFSET + 1,		/* not page aligned */
		TORC_HOLE_START, TORC_HOLE_END - MIB(3), 0x00007fffffff0000 - MIB(2),
		0x0000800000000000, -ELF_FILE_FIRST - PAGE_SIZE,
		ELF_FILE_LINEAR, ELF_FILE_LINEAR - MIB(2), /* in the linear map */
		ELF_FILE_LINEAR + MIB(2) - PAGE_SIZE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.note.desc.virt_offset = bad[i];
		file.note.desc.entry = ELF_FILE_LINEAR;
		refuse_file("mapped at an impossible address");
	}
	/* Both may end where the address space ends, but not overlap there. */
	file.note.desc.linear_base = -MIB(4);
	file.note.desc.virt_offset = -MIB(4);
	refuse_file("mapped at an impossible address");
	file.note.desc.linear_base = -MIB(4);
	build(GOOD);
	EXPECT_AUDIT();
}

Test(build, entries_in_wrong_places)
{
	static const u64 bad[] = { TORC_HOLE_START, TORC_HOLE_END - 1, 0x0000800000000000,
				   0xffff7fffffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.note.desc.entry = bad[i];
		refuse_file("entry is no usable address");
	}
}
