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
#include "timer.h"

/* What is known of the domain while it is built. */
struct plan {
	const struct domain_source *source;
	char name[DOMAIN_NAME_MAX];
	char why[96]; /* room for a reason that names something */
	const char *cmdline;
	u64 pages, most;
	u32 vcpus;
	u64 privileges;
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
	struct domain *domain;
	const char *c;
	int length = cmdline_get(string, "name", plan->name, sizeof(plan->name));

	if (length < 1)
		return "it has no name: say name=NAME";
	if ((size_t)length >= sizeof(plan->name))
		return "its name is too long: at most 31 characters";
	for (c = plan->name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == ':')
			return "its name has a character that is not allowed";
	for (domain = domain_list; domain; domain = domain->next)
		if (!strcmp(domain->name, plan->name))
			return "another domain has that name";
	return NULL;
}

static const char *check_words(struct plan *plan, const char *string)
{
	static const char *const known[] = { "name", "mem", "maxmem", "vcpus", "weight", "cap",
					     "cpus", "privileges",
					     NULL };
	char word[32];
	const char *fault = cmdline_fault(string, known, word, sizeof(word));

	if (!fault)
		return NULL;
	snprintf(plan->why, sizeof(plan->why), "its word \"%s\" %s", word, fault);
	return plan->why;
}

static const char *parse_vcpus(struct plan *plan, const char *string)
{
	char text[32];
	int length = cmdline_get(string, "vcpus", text, sizeof(text));
	u64 value;

	plan->vcpus = 1;
	if (length < 0)
		return NULL;
	if (length >= (int)sizeof(text) || !parse_number(text, &value))
		return "its vcpus is not a number: say vcpus=1";
	if (value < 1 || value > VCPU_MAX)
		return "its vcpus is outside 1 to 32";
	plan->vcpus = value;
	return NULL;
}

static bool privilege_named(const char *name, size_t length, u64 *privilege)
{
	static const char *const names[] = { "create", "control", "memory", "observe", "devices",
					     "schedule" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		*privilege = 1ull << i;
		if (strlen(names[i]) == length && !memcmp(names[i], name, length))
			return true;
	}
	*privilege = (1ull << ARRAY_SIZE(names)) - 1;
	return length == 3 && !memcmp(name, "all", 3);
}

/* A list of names with + between them. */
static const char *parse_privileges(struct plan *plan, const char *string)
{
	char text[64];
	const char *name = text, *end;
	int length = cmdline_get(string, "privileges", text, sizeof(text));
	u64 privilege;

	if (length < 0)
		return NULL;
	for (; length < (int)sizeof(text); name = end + 1) {
		for (end = name; *end && *end != '+'; end++)
			;
		if (!privilege_named(name, end - name, &privilege))
			break;
		plan->privileges |= privilege;
		if (!*end)
			return NULL;
	}
	return "its privileges are not a list like create+control, or all";
}

/* A word that is a size, in bytes; false when it is missing or no size. */
static bool parse_bytes(const char *string, const char *word, u64 *bytes)
{
	char text[32];
	int length = cmdline_get(string, word, text, sizeof(text));

	return length >= 1 && length < (int)sizeof(text) && parse_size(text, bytes);
}

static const char *parse_memory(struct plan *plan, const char *string)
{
	u64 bytes, most;

	if (!parse_bytes(string, "mem", &bytes))
		return "its memory size is missing or no size: say mem=SIZE, as in mem=64M";
	if (bytes < MIB(2) || bytes > GIB(512))
		return "its memory size is outside 2M to 512G";
	most = bytes;
	if (!parse_bytes(string, "maxmem", &most) && cmdline_get(string, "maxmem", NULL, 0) >= 0)
		return "its maxmem is no size: say maxmem=SIZE, as in maxmem=256M";
	if (most < bytes || most > GIB(512))
		return "its maxmem is below its mem or above 512G";
	plan->pages = ALIGN_UP(bytes, CHUNK_SIZE) >> PAGE_SHIFT;
	plan->most = ALIGN_UP(most, CHUNK_SIZE) >> PAGE_SHIFT;
	return NULL;
}

static const char *parse_string(struct plan *plan)
{
	const char *string = plan->source->string, *why = parse_name(plan, string);

	if (!why)
		why = check_words(plan, string);
	if (!why)
		why = parse_vcpus(plan, string);
	if (!why)
		why = parse_privileges(plan, string);
	if (!why)
		why = parse_memory(plan, string);
	plan->cmdline = cmdline_after(string, "--");
	if (!plan->cmdline)
		plan->cmdline = "";
	return why;
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
	struct elf_segment segment;
	unsigned int i;

	for (i = 0; elf_segment(&plan->image, i, &segment); i++)
		copy_in(plan, segment.address, plan->image.data + segment.offset,
			segment.file_size);
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
	static const char no_memory[] = "not enough memory for its kernel, initrd and page tables";

	plan->lowest = plan->pages;
	load_kernel(plan);
	plan->at.root = take_page(plan);
	if (plan->at.root == INVALID_PFN || !map_memory(plan) || !place_pages(plan))
		return no_memory;
	if (strlen(plan->cmdline) >= PAGE_SIZE)
		return "its command line is too long";
	strlcpy(page_of(plan, plan->at.cmdline), plan->cmdline, PAGE_SIZE);
	return NULL;
}

static const char *make_vcpus(struct plan *plan)
{
	struct domain *domain = plan->domain;
	struct regs *regs;

	while (domain->vcpu_count < plan->vcpus)
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

/* Words that are a parameter of the scheduler's. */
static const char *set_share(struct plan *plan)
{
	static const struct {
		unsigned int what;
		const char *key, *form;
	} words[] = {
		{ TORC_SCHED_WEIGHT, "weight", "a number from 1 to 65535" },
		{ TORC_SCHED_CAP, "cap", "a percentage from 0 to 6400" },
		{ TORC_SCHED_AFFINITY, "cpus", "a list of CPUs of this machine" },
	};
	char text[192];
	int length;
	u64 value;

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		bool set = words[i].what == TORC_SCHED_AFFINITY;
		u32 count = set ? plan->vcpus : 1, n = 0;

		length = cmdline_get(plan->source->string, words[i].key, text, sizeof(text));
		if (length >= 0 && length < (int)sizeof(text) &&
		    (set ? parse_set(text, &value) : parse_number(text, &value)))
			while (n < count && !sched_set(plan->domain, words[i].what, n, value))
				n++;
		if (length < 0 || n == count)
			continue;
		snprintf(plan->why, sizeof(plan->why), "its word \"%s=%.30s\" is not %s",
			 words[i].key, text, words[i].form);
		return plan->why;
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
	domain->privileges = plan->privileges;
	domain->linear_base = plan->note.linear_base;
	why = fill_memory(plan);
	if (why)
		return why;
	domain->time_pfn = plan->at.time;
	domain->console = page_of(plan, plan->at.console);
	if (!windows_create(domain))
		return "the hypervisor has not enough memory for its windows";
	why = make_vcpus(plan);
	if (!why)
		why = set_share(plan);
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
		.image = { phys_to_virt(kernel->start), kernel->end - kernel->start },
	};
	u16 id = domain_new_id();
	const char *why = parse_string(&plan);

	if (!why && !id)
		why = "all domain ids are used up";
	if (!why && source->initrds > 1)
		why = "it has more than one initrd";
	if (!why)
		why = elf_check(&plan.image, &plan.note, &plan.first, &plan.end);
	if (!why)
		why = check_note(&plan);
	if (!why)
		why = make_domain(&plan, id);
	if (why) {
		log("domain %u %s refused: %s", id, plan.name, why);
		if (plan.domain)
			domain_destroy(plan.domain);
		return NULL;
	}
	domain_insert(plan.domain);
	log("domain %u %s started, %lu MiB, %u vcpus", id, plan.name,
	    plan.pages >> (20 - PAGE_SHIFT), plan.vcpus);
	sched_start(plan.vcpu);
	return plan.domain;
}
