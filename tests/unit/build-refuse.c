/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The domain builder refuses: for each way in which a domain cannot be built the words that say
 * so, after which everything it had taken is given back.
 *
 * Attack: a kernel whose segments, entries or ranges of addresses lie where nothing may be.
 * Vulnerable: the builder writes over what is not the domain's.
 * Fixed: it refuses, and nothing is left of the attempt.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include "builder.h"
#include "state.h"
#include "unit.h"

TestSuite(build_refuse, .init = builder_create, .fini = builder_remove);

/* Refused with words that contain @why; nothing is left but the page that all windows share. */
static void refuse(const char *string, const char *why)
{
	mfn_t mfn;

	log_forget();
	cr_expect_not(make(string), "%s", string);
	cr_expect(strstr(logged(), " refused: ") && strstr(logged(), why),
		  "\"%s\" gives \"%s\", not \"%s\"", string, logged(), why);
	cr_expect_leq(memory_pages_out, 1, "%lu pages are lost", memory_pages_out);
	cr_expect_eq(memory_chunks_out, 0);
	cr_expect_null(domain_list);
	for (mfn = 0; mfn < FRAMES; mfn++)
		cr_assert(!frame_table[mfn].owner && !frame_table[mfn].ref_count &&
			  m2p_table[mfn] == TORC_INVALID_FRAME, "frame %lx", mfn);
}

static void refuse_file(const char *why)
{
	refuse(GOOD, why);
	elf_file_make(&file);
}

Test(build_refuse, ids_come_to_an_end)
{
	while (domain_new_id())
		;
	refuse(GOOD, "domain 0 a refused: all domain ids are used up");
	refuse(GOOD, "domain 0 a refused");
}

Test(build_refuse, names)
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
	end(domain_list, TORC_SHUTDOWN_POWEROFF);
}

Test(build_refuse, a_name_that_is_taken)
{
	build(GOOD);
	cr_expect_not(make(GOOD));
	cr_expect(strstr(logged(), "domain 2 a refused: another domain has that name"));
	cr_expect_null(domain_list->next);
}

Test(build_refuse, sizes)
{
	static const char *const bad[] = { "mem=", "mem=x", "mem=4Q", "mem=-4M", "mem=4MB",
					   "mem=99999999999999999999", "mem=18446744073709551615K",
					   "mem=0", "mem=1", "mem=2097151", "mem=513G",
					   "mem=549755813889", "mem=16777215T" };
	char string[300], why[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(string, sizeof(string), "domain name=a %s", bad[i]);
		snprintf(why, sizeof(why), "its word \"%s\" is not a size from 2M to 512G", bad[i]);
		refuse(string, why);
	}
	snprintf(string, sizeof(string), "domain name=a mem=%0198dM", 4);
	refuse(string, "\" is not a size from 2M to 512G, as in mem=64M");
	refuse("domain name=a", "its memory size is missing: say mem=SIZE, as in mem=64M");
	refuse("domain name=a mem", "its word \"mem=\" is not a size");
	refuse("domain name=a mem=512G", "not enough memory on this machine");
	refuse("domain name=a mem=30M", "not enough memory on this machine");
	refuse("domain name=a mem=2M", "not enough memory for its kernel");
	build("domain name=a mem=4194305"); /* rounded up to chunks */
	cr_expect_eq(domain->pages, 3 * CHUNK_PAGES);
}

Test(build_refuse, other_words)
{
	static const char *const other[] = { "vcpus=0", "vcpus=33", "vcpus=4294967297" };
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
		refuse(string, "is not a number from 1 to 32");
	}
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M %s", none[i]);
		refuse(string, "is not a number from 1 to 32");
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

/* The builder reads them, the scheduler says whether they are in range. */
Test(build_refuse, words_for_the_scheduler)
{
	static const struct {
		const char *word, *why;
		unsigned int refused; /* by the scheduler */
	} bad[] = {
		{ "weight=", "its word \"weight=\" is not a number from 1 to 65535", 0 },
		{ "weight=2x", "its word \"weight=2x\" is not a number", 0 },
		{ "weight=70000", "its word \"weight=70000\" is not", TORC_SCHED_WEIGHT },
		{ "cap=many", "its word \"cap=many\" is not a percentage from 0 to 6400", 0 },
		{ "cap=6401", "its word \"cap=6401\" is not", TORC_SCHED_CAP },
		{ "cpus=1-", "its word \"cpus=1-\" is not a list of CPUs of this machine", 0 },
		{ "cpus=64", "its word \"cpus=64\" is not a list of CPUs of this machine", 0 },
		{ "cpus=0,5", "its word \"cpus=0,5\" is not a list", TORC_SCHED_AFFINITY },
		{ "cap", "its word \"cap=\" is not a percentage", 0 },
		{ "cap=1 cap=2", "its word \"cap=2\" is given twice", 0 },
	};
	char string[BOOT_STRINGS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		setting_refused = bad[i].refused;
		snprintf(string, sizeof(string), "domain name=a mem=4M vcpus=2 %s", bad[i].word);
		refuse(string, bad[i].why);
	}
	snprintf(string, sizeof(string), "domain name=a mem=4M weight=%0200d", 1);
	refuse(string, "its word \"weight=000000000000000000000000000000\" is not a number");
	cr_expect_eq(setting_count, 0);
}

Test(build_refuse, words_for_the_scheduler_reach_it)
{
	static const struct sched_setting wanted[] = {
		{ TORC_SCHED_WEIGHT, 0, 512 },
		{ TORC_SCHED_CAP, 0, 150 },
		{ TORC_SCHED_AFFINITY, 0, 0xb },
		{ TORC_SCHED_AFFINITY, 1, 0xb },
	};

	build("domain name=a mem=4M cpus=0-1,3 vcpus=2 weight=512 cap=150");
	cr_assert_eq(setting_count, ARRAY_SIZE(wanted));
	cr_expect_arr_eq(settings, wanted, sizeof(wanted));
}

Test(build_refuse, privileges)
{
	static const char *const bad[] = { "", "=", "=none", "=create+", "=+create",
					   "=create,memory",
					   "=creat", "=creates", "=all+", "=al", "=alll" };
	static const struct {
		const char *words;
		u64 privileges;
	} good[] = {
		{ "", 0 },
		{ " privileges=create", TORC_PRIVILEGE_CREATE },
		{ " privileges=schedule+memory", TORC_PRIVILEGE_SCHEDULE | TORC_PRIVILEGE_MEMORY },
		{ " privileges=devices+devices", TORC_PRIVILEGE_DEVICES },
		{ " privileges=observe+control", TORC_PRIVILEGE_OBSERVE | TORC_PRIVILEGE_CONTROL },
		{ " privileges=all", 0x3f },
		{ " privileges=create+all", 0x3f },
		{ " -- privileges=all", 0 },
	};
	struct torc_start *start;
	char string[200];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M privileges%s", bad[i]);
		refuse(string, "is not a list like create+control, or all");
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M%s", good[i].words);
		start = build(string);
		cr_expect_eq(domain->privileges, good[i].privileges, "%s", string);
		cr_expect_eq(start->privileges, good[i].privileges);
		cr_expect_eq(!!(start->features & TORC_FEATURE_PRIVILEGED), !!good[i].privileges);
		end(domain_list, TORC_SHUTDOWN_POWEROFF);
	}
}

Test(build_refuse, most_memory)
{
	static const char *const bad[] = { "", "=", "=x", "=4MB" };
	static const char *const outside[] = { "=0", "=2M", "=4194303", "=513G", "=549755813889" };
	struct torc_start *start;
	char string[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M maxmem%s", bad[i]);
		refuse(string, "is not a size from its mem to 512G");
	}
	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		snprintf(string, sizeof(string), "domain name=a mem=4M maxmem%s", outside[i]);
		refuse(string, "is not a size from its mem to 512G");
	}
	start = build("domain name=a mem=4M maxmem=4194305");
	cr_expect(start->pages == 1024 && start->max_pages == 1536);
	cr_expect(domain->pages == 1536 && domain->owned_pages == 1024 &&
		  domain->target_pages == 1024);
	cr_expect_eq(memory_chunks_out, 2);
	cr_expect_eq(domain_mfn(domain, 1024), INVALID_MFN);
	end(domain_list, TORC_SHUTDOWN_POWEROFF);
}

Test(build_refuse, an_initrd_that_does_not_fit)
{
	put_initrd(MIB(2));
	refuse(GOOD, "not enough memory for its kernel, initrd and page tables");
	put_initrd(MIB(2) - 0x12345 - 24 * PAGE_SIZE);
	build(GOOD);
	EXPECT_AUDIT();
}

Test(build_refuse, more_than_one_initrd)
{
	put_initrd(INITRD_BYTES);
	source.initrds = 2;
	refuse(GOOD, "it has more than one initrd");
	source.initrds = 1;
	build(GOOD);
}

/* A module list that says 2^40 bytes: nothing is read before it is found too large. */
Test(build_refuse, a_giant_initrd)
{
	source.initrd = (struct range){ source.kernel.start, source.kernel.start + (1ull << 46) };
	refuse(GOOD, "not enough memory for its kernel, initrd and page tables");
}

Test(build_refuse, files_that_are_no_kernels)
{
	file.header.e_ident[0] = 0;
	refuse_file("no 64-bit little-endian ELF file");
	file.segment[0].p_type = 0;
	refuse_file("no Torc note");
	file.segment[1].p_paddr = MIB(4) - 8;
	refuse_file("not enough memory for its kernel");
	file.segment[2].p_memsz = MIB(2) - 0x10000;
	refuse_file("not enough memory for its kernel, initrd and page tables");
	file.segment[1].p_paddr = (1ull << 40) - 4096;
	refuse_file("mapped at an impossible address");
}

Test(build_refuse, notes_of_other_versions)
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

/* Where a domain may be mapped: a range that wraps would reach round over the gate. */
Test(build_refuse, ranges_of_addresses)
{
	static const struct range_case {
		u64 start, bytes;
	} good[] = { { 0, 1 }, { 0x00007ffffffff000, 0x1000 }, { TORC_HOLE_END, 0x1000 },
		     { -0x1000, 0x1000 } },
	  bad[] = { { 0x00007ffffffff000, 0x1001 }, { -0x1000, 0x1001 }, { -0x1000, -0x2000 },
		    { 0x5000, -0x1000 }, { TORC_HOLE_START, 1 }, { TORC_HOLE_END - 1, 1 },
		    { TORC_HOLE_END - 1, 0x1000 }, { 0x1000, TORC_HOLE_END }, { 1ull << 47, 1 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(range_allowed(good[i].start, good[i].bytes), "%u", i);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_not(range_allowed(bad[i].start, bad[i].bytes), "%u", i);
}

Test(build_refuse, linear_maps_in_wrong_places)
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

Test(build_refuse, images_in_wrong_places)
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

Test(build_refuse, entries_in_wrong_places)
{
	static const u64 bad[] = { TORC_HOLE_START, TORC_HOLE_END - 1, 0x0000800000000000,
				   0xffff7fffffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		file.note.desc.entry = bad[i];
		refuse_file("entry is no usable address");
	}
}
