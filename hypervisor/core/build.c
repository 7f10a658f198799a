/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The domain builder: from a kernel's ELF file and an initrd to a vCPU that can run.
 *
 * Memory is filled from both ends: the kernel stands where its segments say, everything the
 * builder makes stands at the top, growing down: first the page tables, then the pages that
 * start.h describes, then the initrd. The tables are written as plain memory, mapped
 * read-only in the linear map from the start, and then pinned like a guest's own.
 */
#include "cpu.h"
#include "elf.h"
#include "lib.h"
#include "log.h"
#include "paging.h"
#include "sched.h"
#include "start.h"
#include "state.h"

/* What a module's words say; all but the name are numbers in the end. */
enum {
	WORD_VCPUS, WORD_PRIVILEGES, WORD_MEMORY, WORD_MOST, WORD_WEIGHT, WORD_CAP, WORD_CPUS,
	WORDS
};
static const char *const keys[] = {
	"vcpus", "privileges", "mem", "maxmem", "weight", "cap", "cpus", "name", NULL
};

enum form { NUMBER, SIZE, SET, PRIVILEGES };

/* What each may be, in its limits; whatever concerns the scheduler, it checks itself. */
static const struct {
	enum form form;
	u64 least, most;
	const char *is;
	unsigned int parameter; /* of the scheduler's */
} words[WORDS] = {
	[WORD_VCPUS] = { NUMBER, 1, VCPU_MAX, "a number from 1 to 32", 0 },
	[WORD_PRIVILEGES] = { PRIVILEGES, 0, ~0ull, "a list like create+control, or all", 0 },
	[WORD_MEMORY] = { SIZE, MIB(2), GIB(512), "a size from 2M to 512G, as in mem=64M", 0 },
	[WORD_MOST] = { SIZE, MIB(2), GIB(512), "a size from its mem to 512G", 0 },
	[WORD_WEIGHT] = { NUMBER, 0, ~0ull, "a number from 1 to 65535", TORC_SCHED_WEIGHT },
	[WORD_CAP] = { NUMBER, 0, ~0ull, "a percentage from 0 to 6400", TORC_SCHED_CAP },
	[WORD_CPUS] = { SET, 0, ~0ull, "a list of CPUs of this machine", TORC_SCHED_AFFINITY },
};

/* What is known of the domain while it is built. */
struct plan {
	const struct domain_source *source;
	char name[TORC_DOMAIN_NAME_BYTES];
	char why[128]; /* room for a reason that names something */
	const char *cmdline;
	u64 value[WORDS]; /* of its words, @given those that are there */
	u32 given;
	u64 pages, most;
	struct elf_image image;
	struct torc_note note;
	u64 first, end; /* guest-physical range of the kernel's segments */
	struct domain *domain;
	struct vcpu *vcpu;
	pfn_t lowest; /* pages from here up are taken */
	struct start_pages at;
};

static void *page_of(struct plan *plan, pfn_t pfn)
{
	return mfn_to_virt(domain_mfn(plan->domain, pfn));
}

/* The next page from the top; INVALID_PFN when it would meet the kernel. */
static pfn_t take_page(struct plan *plan)
{
	if (plan->lowest - 1 < ALIGN_UP(plan->end, PAGE_SIZE) >> PAGE_SHIFT)
		return INVALID_PFN;
	return --plan->lowest;
}

static const char *parse_name(struct plan *plan, const char *string)
{
	int length = cmdline_get(string, "name", plan->name, sizeof(plan->name));

	if (length < 1)
		return "it has no name: say name=NAME";
	if ((size_t)length >= sizeof(plan->name))
		return "its name is too long: at most 31 characters";
	if (!domain_name_allowed(plan->name))
		return "its name has a character that is not allowed";
	return domain_name_taken(plan->name) ? "another domain has that name" : NULL;
}

static const char *check_words(struct plan *plan, const char *string)
{
	char word[32];
	const char *fault = cmdline_fault(string, keys, word, sizeof(word));

	if (!fault)
		return NULL;
	snprintf(plan->why, sizeof(plan->why), "its word \"%s\" %s", word, fault);
	return plan->why;
}

/* A list of names with + between them. */
static bool parse_privileges(const char *text, u64 *set)
{
	static const char *const names[] = { "create", "control", "memory", "observe", "devices",
					     "schedule", "all" };
	const unsigned int all = ARRAY_SIZE(names) - 1;
	const char *end;
	unsigned int i;

	do {
		for (end = text; *end && *end != '+'; end++)
			;
		for (i = 0; i <= all && !word_is(text, end - text, names[i]); i++)
			;
		if (i > all)
			return false;
		*set |= i == all ? (1ull << all) - 1 : 1ull << i;
		text = end + 1;
	} while (*end);
	return true;
}

static bool parse_value(const char *text, enum form form, u64 *value)
{
	switch (form) {
	case NUMBER:
		return parse_number(text, value);
	case SIZE:
		return parse_size(text, value);
	case SET:
		return parse_set(text, value);
	default:
		return parse_privileges(text, value);
	}
}

static const char *bad_word(struct plan *plan, unsigned int word)
{
	char text[31];

	cmdline_get(plan->source->string, keys[word], text, sizeof(text));
	snprintf(plan->why, sizeof(plan->why), "its word \"%s=%s\" is not %s", keys[word], text,
		 words[word].is);
	return plan->why;
}

static const char *parse_word(struct plan *plan, unsigned int word)
{
	char text[192];
	u64 *value = &plan->value[word];
	int length = cmdline_get(plan->source->string, keys[word], text, sizeof(text));

	if (length < 0)
		return NULL;
	plan->given |= 1u << word;
	if (length < (int)sizeof(text) && parse_value(text, words[word].form, value) &&
	    *value >= words[word].least && *value <= words[word].most)
		return NULL;
	return bad_word(plan, word);
}

static const char *parse_string(struct plan *plan)
{
	const char *string = plan->source->string;
	const char *why = parse_name(plan, string) ?: check_words(plan, string);
	unsigned int word;

	for (word = 0; !why && word < WORDS; word++)
		why = parse_word(plan, word);
	plan->cmdline = cmdline_after(string, "--") ?: "";
	if (why)
		return why;
	plan->pages = ALIGN_UP(plan->value[WORD_MEMORY], CHUNK_SIZE) >> PAGE_SHIFT;
	if (!plan->pages)
		return "its memory size is missing: say mem=SIZE, as in mem=64M";
	plan->most = plan->pages;
	if (!(plan->given >> WORD_MOST & 1))
		return NULL;
	plan->most = ALIGN_UP(plan->value[WORD_MOST], CHUNK_SIZE) >> PAGE_SHIFT;
	return plan->value[WORD_MOST] < plan->value[WORD_MEMORY] ? bad_word(plan, WORD_MOST) : NULL;
}

/* Of ranges that are not empty and may end where the address space ends. */
static bool overlap(u64 a, u64 a_bytes, u64 b, u64 b_bytes)
{
	return a <= b + (b_bytes - 1) && b <= a + (a_bytes - 1);
}

static const char *check_note(const struct plan *plan)
{
	const struct torc_note *note = &plan->note;
	u64 first = ALIGN_DOWN(plan->first, PAGE_SIZE);
	u64 bytes = ALIGN_UP(plan->end, PAGE_SIZE) - first;
	u64 memory = plan->pages << PAGE_SHIFT, most = plan->most << PAGE_SHIFT;

	if (note->abi_major != TORC_ABI_MAJOR || note->abi_minor != TORC_ABI_MINOR)
		return "the kernel is built for another version of the ABI";
	if (note->size < sizeof(*note))
		return "the kernel's note is too short";
	if (note->features_required & ~START_FEATURES)
		return "the kernel requires a feature that this hypervisor does not have";
	if (!IS_ALIGNED(note->linear_base, CHUNK_SIZE) || !range_allowed(note->linear_base, most))
		return "the kernel's linear map is misplaced";
	if (!IS_ALIGNED(note->virt_offset, PAGE_SIZE) ||
	    !range_allowed(note->virt_offset + first, bytes) ||
	    overlap(note->virt_offset + first, bytes, note->linear_base, most))
		return "the kernel's image is mapped at an impossible address";
	if (!range_allowed(note->entry, 1))
		return "the kernel's entry is no usable address";
	if (plan->end > memory)
		return "not enough memory for its kernel";
	return NULL;
}

static void copy_in(struct plan *plan, u64 address, const u8 *from, u64 bytes)
{
	while (bytes) {
		u64 offset = address & (PAGE_SIZE - 1);
		u64 part = MIN(bytes, PAGE_SIZE - offset);

		memcpy((u8 *)page_of(plan, address >> PAGE_SHIFT) + offset, from, part);
		address += part;
		from += part;
		bytes -= part;
	}
}

/* Memory behind a segment's file part is zero already: so are all fresh frames. */
static void load_kernel(struct plan *plan)
{
	struct program_header segment;
	unsigned int i;

	for (i = 0; elf_segment(&plan->image, i, &segment); i++)
		copy_in(plan, segment.paddr, plan->image.data + segment.offset, segment.filesz);
}

/* Maps one page, making tables as needed; false when memory is used up. */
static bool map_page(struct plan *plan, u64 address, pfn_t pfn, u64 flags)
{
	u64 *table = page_of(plan, plan->at.root);
	unsigned int level;
	pfn_t next;

	for (level = 4; level > 1; level--) {
		u64 *entry = &table[(address >> (3 + 9 * level)) & 511];

		if (!*entry) {
			next = take_page(plan);
			if (next == INVALID_PFN)
				return false;
			*entry = mfn_to_paddr(domain_mfn(plan->domain, next)) | PTE_P | PTE_W |
				 PTE_A;
		}
		table = mfn_to_virt(entry_mfn(*entry));
	}
	table[(address >> PAGE_SHIFT) & 511] =
		mfn_to_paddr(domain_mfn(plan->domain, pfn)) | PTE_P | PTE_A | flags;
	return true;
}

static bool map_memory(struct plan *plan)
{
	u64 first = plan->first >> PAGE_SHIFT, end = ALIGN_UP(plan->end, PAGE_SIZE) >> PAGE_SHIFT;
	pfn_t pfn;

	for (pfn = 0; pfn < plan->pages; pfn++)
		if (!map_page(plan, plan->note.linear_base + (pfn << PAGE_SHIFT), pfn,
			      PTE_W | PTE_D | PTE_NX))
			return false;
	for (pfn = first; pfn < end; pfn++)
		if (!map_page(plan, plan->note.virt_offset + (pfn << PAGE_SHIFT), pfn,
			      PTE_W | PTE_D))
			return false;
	/* All tables exist now: take write permission from them. */
	for (pfn = plan->lowest; pfn < plan->pages; pfn++) {
		map_page(plan, plan->note.linear_base + (pfn << PAGE_SHIFT), pfn, PTE_NX);
		frame_table[domain_mfn(plan->domain, pfn)].flags |= FRAME_LINEAR_RO;
	}
	return true;
}

static bool place_initrd(struct plan *plan)
{
	const struct range *initrd = &plan->source->initrd;
	u64 bytes = initrd->end - initrd->start;
	u64 pages = ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT;

	if (!bytes)
		return true;
	if (pages > plan->lowest ||
	    plan->lowest - pages < ALIGN_UP(plan->end, PAGE_SIZE) >> PAGE_SHIFT)
		return false;
	plan->at.initrd = (plan->lowest - pages) << PAGE_SHIFT;
	plan->at.initrd_size = bytes;
	copy_in(plan, plan->at.initrd, phys_to_virt(initrd->start), bytes);
	return true;
}

static bool place_pages(struct plan *plan)
{
	pfn_t *const all[] = { &plan->at.start, &plan->at.cmdline, &plan->at.console,
			       &plan->at.time, &plan->at.vcpu_page, &plan->at.stack };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i] = take_page(plan);
		if (*all[i] == INVALID_PFN)
			return false;
	}
	plan->at.boot_first = plan->lowest;
	return place_initrd(plan);
}

static const char *fill_memory(struct plan *plan)
{
	plan->lowest = plan->pages;
	load_kernel(plan);
	plan->at.root = take_page(plan);
	if (plan->at.root == INVALID_PFN || !map_memory(plan) || !place_pages(plan))
		return "not enough memory for its kernel, initrd and page tables";
	if (strlen(plan->cmdline) >= PAGE_SIZE)
		return "its command line is too long";
	snprintf(page_of(plan, plan->at.cmdline), PAGE_SIZE, "%s", plan->cmdline);
	return NULL;
}

static const char *make_vcpus(struct plan *plan)
{
	struct domain *domain = plan->domain;
	struct regs *regs;

	while (domain->vcpu_count < plan->value[WORD_VCPUS])
		if (!vcpu_create(domain, domain->vcpu_count++))
			return "the hypervisor has not enough memory for its vCPUs";
	plan->vcpu = domain->vcpu[0];
	domain->linear_root = domain_mfn(domain, plan->at.root);
	if (table_pin(domain, domain->linear_root, 4) ||
	    root_load(plan->vcpu, domain->linear_root) ||
	    vcpu_set_page(plan->vcpu, plan->at.vcpu_page) ||
	    frame_get_writable(domain, domain_mfn(domain, plan->at.console)) ||
	    frame_get_writable(domain, domain_mfn(domain, plan->at.time)))
		panic("domain %u: the builder's own page tables are not valid", domain->id);
	regs = plan->vcpu->regs;
	*regs = (struct regs){
		.rdi = domain->linear_base + (plan->at.start << PAGE_SHIFT),
		.rip = plan->note.entry,
		.cs = TORC_SEL_KERNEL_CS,
		.rflags = GATE_RFLAGS_FORCED,
		.rsp = domain->linear_base + ((plan->at.stack + 1) << PAGE_SHIFT),
		.ss = TORC_SEL_KERNEL_SS,
	};
	return NULL;
}

static const char *set_share(struct plan *plan)
{
	for (unsigned int word = WORD_WEIGHT; word <= WORD_CPUS; word++) {
		u64 count = word == WORD_CPUS ? plan->value[WORD_VCPUS] : 1;

		for (u64 i = 0; (plan->given >> word & 1) && i < count; i++)
			if (sched_set(plan->domain, words[word].parameter, i, plan->value[word]))
				return bad_word(plan, word);
	}
	return NULL;
}

static const char *make_domain(struct plan *plan, u16 id)
{
	struct domain *domain = domain_create(plan->name, plan->pages, plan->most, id);
	const char *why;

	if (!domain)
		return "not enough memory on this machine";
	plan->domain = domain;
	domain->source = *plan->source;
	domain->privileges = plan->value[WORD_PRIVILEGES];
	domain->linear_base = plan->note.linear_base;
	why = fill_memory(plan);
	if (why)
		return why;
	domain->time_pfn = plan->at.time;
	domain->console = page_of(plan, plan->at.console);
	if (!windows_create(domain))
		return "the hypervisor has not enough memory for its windows";
	why = make_vcpus(plan) ?: set_share(plan);
	if (why)
		return why;
	start_fill(domain, &plan->note, &plan->at);
	return NULL;
}

struct domain *domain_build(const struct domain_source *source)
{
	const struct range *kernel = &source->kernel;
	struct plan plan = {
		.source = source,
		.name = "?",
		.value[WORD_VCPUS] = 1,
		.image = { phys_to_virt(kernel->start), kernel->end - kernel->start },
	};
	u16 id = domain_new_id();
	const char *why = parse_string(&plan);

	if (!why && !id)
		why = "all domain ids are used up";
	if (!why && source->initrds > 1)
		why = "it has more than one initrd";
	why = why ?: elf_check(&plan.image, &plan.note, &plan.first, &plan.end) ?:
		     check_note(&plan) ?: make_domain(&plan, id);
	if (why) {
		log("domain %u %s refused: %s", id, plan.name, why);
		if (plan.domain)
			domain_destroy(plan.domain);
		return NULL;
	}
	/* Whoever finds it on the list may start its vCPUs, too: not before it runs. */
	lock_take(&plan.domain->lock);
	domain_insert(plan.domain);
	log("domain %u %s started, %lu MiB, %lu vcpus", id, plan.name,
	    plan.pages >> (20 - PAGE_SHIFT), plan.value[WORD_VCPUS]);
	sched_start(plan.vcpu);
	lock_drop(&plan.domain->lock);
	return plan.domain;
}
