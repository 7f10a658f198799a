/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Random operations on tables, against a model that keeps no counts at all: it looks at all entries
 * whenever it wants to know who uses a page, and undoes a failure by a copy of the whole state.
 * What it says must happen is what batch.h promises to guests. After each operation the results,
 * all entries and types must agree, and the audit must find every count right.
 *
 * Attack: whatever can be put together from operations on tables that share pages.
 * Vulnerable: the last use of a table goes unnoticed and its entries keep what they took, or an
 * entry is believed that the model refuses.
 * Fixed: both agree on each result, and the counts are those that the entries add up to.
 */
#include <criterion/criterion.h>
#include "unit.h"

#define PAGES	   30 /* pfns FIRST .. FIRST + PAGES - 1 take part */
#define FIRST	   64
#define SPOTS	   ARRAY_SIZE(spots)
#define ROUNDS	   40000
#define NO_PAGE	   (-1)
#define START_ROOT PAGES /* stands for the root of world_map_linear() */

/* Entries that take part; one is the linear map's, two are the hypervisor's in a root. */
static const unsigned int spots[] = { 0, 1, 77, TORC_SLOT_FIRST, TORC_SLOT_LAST, LINEAR_SLOT, 511 };
#define LINEAR_SPOT 5

struct model {
	u64 entry[PAGES][SPOTS];
	u8 level[PAGES]; /* 0: no table */
	u8 held[PAGES];	 /* writable uses by the hypervisor */
	bool pinned[PAGES];
	bool linear_writable[PAGES]; /* the linear map's entry */
	bool write_taken[PAGES];     /* ... was, before the page became a table */
	int root;
};

static struct model model;
static struct random dice;

static mfn_t page_mfn(unsigned int page)
{
	return mfn_of(FIRST + page);
}

static int page_named(u64 entry)
{
	u64 page = entry_mfn(entry) - page_mfn(0);

	return (entry & PTE_P) && page < PAGES ? (int)page : NO_PAGE;
}

static bool linear_map_in_force(void)
{
	u64 entry = model.root == START_ROOT ? 0 : model.entry[model.root][LINEAR_SPOT];

	return model.root == START_ROOT ||
	       ((entry & PTE_P) && entry_mfn(entry) == mfn_of(LINEAR_L3));
}

static bool is_mapped_writable(unsigned int page)
{
	unsigned int table, spot;

	if (model.held[page] || model.linear_writable[page])
		return true;
	for (table = 0; table < PAGES; table++)
		for (spot = 0; model.level[table] == 1 && spot < SPOTS; spot++)
			if (page_named(model.entry[table][spot]) == (int)page &&
			    (model.entry[table][spot] & PTE_W))
				return true;
	return false;
}

static bool is_used_as_table(unsigned int page)
{
	unsigned int table, spot;

	if (model.pinned[page] || model.root == (int)page)
		return true;
	for (table = 0; table < PAGES; table++)
		for (spot = 0; model.level[table] == model.level[page] + 1 && spot < SPOTS; spot++)
			if (page_named(model.entry[table][spot]) == (int)page)
				return true;
	return false;
}

static int allow_entry(unsigned int level, unsigned int spot, u64 entry);

/* Makes @page a table of @level. After an error the state is to be thrown away. */
static int become_table(int page, unsigned int level)
{
	unsigned int spot;
	int error;

	if (model.level[page])
		return model.level[page] == level ? 0 : TORC_EBUSY;
	if (model.linear_writable[page] && linear_map_in_force()) {
		model.linear_writable[page] = false;
		model.write_taken[page] = true;
	}
	if (is_mapped_writable(page))
		return TORC_EBUSY;
	model.level[page] = level;
	for (spot = 0; spot < SPOTS; spot++) {
		error = allow_entry(level, spot, model.entry[page][spot]);
		if (error)
			return error;
	}
	return 0;
}

static int allow_entry(unsigned int level, unsigned int spot, u64 entry)
{
	const u64 reserved = PTE_PWT | PTE_PCD | 0x80 | TORC_PTE_HYPERVISOR;
	mfn_t mfn = entry_mfn(entry);
	int page = page_named(entry);

	if (level == 4 && entry && spots[spot] >= 256 && spots[spot] <= 271)
		return TORC_EPERM;
	if (!(entry & PTE_P))
		return mfn && mfn < WORLD_FRAMES ? TORC_EINVAL : 0;
	if (entry & reserved)
		return TORC_EINVAL;
	if (level == 4 && mfn == mfn_of(LINEAR_L3))
		return 0;
	if (page == NO_PAGE)
		return mfn == mfn_of(LINEAR_L3) ? TORC_EBUSY : TORC_EPERM;
	if (level > 1)
		return become_table(page, level - 1);
	return (entry & PTE_W) && model.level[page] ? TORC_EBUSY : 0;
}

/* Tables that nothing uses any more are ordinary memory again. */
static void drop_unused(void)
{
	bool again = true;
	unsigned int page;

	while (again) {
		again = false;
		for (page = 0; page < PAGES; page++) {
			if (!model.level[page] || is_used_as_table(page))
				continue;
			model.level[page] = 0;
			if (model.write_taken[page] && linear_map_in_force())
				model.linear_writable[page] = true;
			model.write_taken[page] = false;
			again = true;
		}
	}
}

static int model_set(unsigned int page, unsigned int spot, u64 entry, bool keep)
{
	u64 *slot = &model.entry[page][spot];
	int error;

	if (!model.level[page])
		return TORC_EINVAL;
	if (model.level[page] == 1 && (entry & PTE_P))
		entry &= ~PTE_G;
	error = allow_entry(model.level[page], spot, entry);
	if (error)
		return error;
	if (keep && (*slot & entry & PTE_P) && entry_mfn(*slot) == entry_mfn(entry))
		entry |= *slot & (PTE_A | PTE_D);
	*slot = entry;
	return 0;
}

/* An entry of any kind; most are of a kind that the level likes. */
static u64 random_entry(void)
{
	static const u64 bits[] = {
		RW, RO, TABLE, PTE_P, PTE_P | PTE_W, RW | PTE_NX, TABLE | PTE_G
	};
	u64 entry = bits[random_below(&dice, ARRAY_SIZE(bits))];
	mfn_t mfn = page_mfn(random_below(&dice, PAGES));

	switch (random_below(&dice, 32)) {
	case 0:
		return 0;
	case 1:
		return (0xf00 | PTE_NX) & random_next(&dice);
	case 2:
		return mfn_to_paddr(mfn); /* not present, but naming memory */
	case 3:
		return mfn_to_paddr(FOREIGN_MFN) | entry;
	case 4:
		return mfn_to_paddr(mfn) | entry | PTE_PCD;
	case 5:
		return mfn_to_paddr(mfn) | entry | 0x80;
	case 6:
		return mfn_to_paddr(mfn) | entry | 1ul << (52 + random_below(&dice, 4));
	case 7:
	case 8:
		return entry_of(LINEAR_L3, TABLE);
	default:
		return mfn_to_paddr(mfn) | entry;
	}
}

/*
 * The page's intended level, so that trees come about: a third each of L1, of L2 and up, of data.
 */
static unsigned int random_level(unsigned int page)
{
	if (random_once_in(&dice, 8))
		return random_below(&dice, 6);
	return page < 4 ? 4 : page < 8 ? 3 : page < 13 ? 2 : 1;
}

static unsigned int random_table(void)
{
	return random_below(&dice, random_once_in(&dice, 8) ? PAGES : 20);
}

/* Most entries name a page of the level that suits @page, or are none. */
static u64 random_entry_for(unsigned int page, unsigned int spot)
{
	static const u8 first[] = { 4, 8, 13, 20 }, end[] = { 8, 13, 20, PAGES };
	unsigned int kind = page < 4 ? 0 : page < 8 ? 1 : page < 13 ? 2 : 3;
	mfn_t mfn = page_mfn(first[kind] + random_below(&dice, end[kind] - first[kind]));

	if (random_once_in(&dice, 10))
		return random_entry();
	if (page < 4 && spots[spot] == LINEAR_SLOT && random_once_in(&dice, 2))
		return entry_of(LINEAR_L3, TABLE);
	if ((page < 4 && spots[spot] >= 256 && spots[spot] <= 271) || random_once_in(&dice, 3))
		return 0;
	return mfn_to_paddr(mfn) | (random_once_in(&dice, 3) ? RO : RW);
}

/* One operation on both; the model's result counts only when the hypervisor agrees. */
struct operation {
	const char *name;
	unsigned int page, spot;
	u64 entry;
	s64 want, got;
};

static void do_set(struct operation *op)
{
	bool keep = random_once_in(&dice, 2);
	u64 before = model.entry[op->page][op->spot], old = 0;

	op->name = "set";
	op->entry = random_entry_for(op->page, op->spot);
	op->want = model_set(op->page, op->spot, op->entry, keep);
	op->got = table_set(domain, page_mfn(op->page), spots[op->spot], op->entry, keep, &old);
	if (!op->got)
		cr_assert_eq(old, before);
}

static void do_compare(struct operation *op)
{
	u64 before = model.entry[op->page][op->spot];
	u64 expected = random_once_in(&dice, 4) ? random_entry() : before, old = expected;

	op->name = "compare";
	op->entry = random_entry_for(op->page, op->spot);
	op->want = model_set(op->page, op->spot, op->entry, false);
	if (!op->want && expected != before)
		op->want = TORC_EAGAIN;
	op->got = table_compare_set(domain, page_mfn(op->page), spots[op->spot], op->entry, &old);
	if (op->got == 0 || op->got == TORC_EAGAIN)
		cr_assert_eq(old, before);
}

static void do_clear(struct operation *op)
{
	op->name = "clear";
	if (!model.level[op->page])
		return;
	cr_assert_eq(clear_one(domain, page_mfn(op->page), spots[op->spot]),
		     model.entry[op->page][op->spot]);
	model.entry[op->page][op->spot] = 0;
}

static void do_clear_bits(struct operation *op)
{
	static const u64 bits[] = { PTE_W, PTE_A, PTE_W | PTE_A | PTE_D };
	u64 *slot = &model.entry[op->page][op->spot];

	op->name = "clear bits";
	op->entry = bits[random_below(&dice, ARRAY_SIZE(bits))];
	if (!model.level[op->page])
		return;
	table_clear_bits(domain, page_mfn(op->page), spots[op->spot], 1, op->entry);
	if (*slot & PTE_P)
		*slot &= ~op->entry;
}

static void do_pin(struct operation *op)
{
	unsigned int level = random_level(op->page);

	op->name = "pin";
	op->entry = level;
	if (level < 1 || level > 4)
		op->want = TORC_EINVAL;
	else if (model.pinned[op->page])
		op->want = TORC_EBUSY;
	else
		op->want = become_table(op->page, level);
	if (!op->want)
		model.pinned[op->page] = true;
	op->got = table_pin(domain, page_mfn(op->page), level);
}

static void do_unpin(struct operation *op)
{
	op->name = "unpin";
	op->want = model.pinned[op->page] ? 0 : TORC_ENOENT;
	model.pinned[op->page] = false;
	op->got = table_unpin(domain, page_mfn(op->page));
}

static void do_load(struct operation *op)
{
	bool start = random_once_in(&dice, 2);

	op->name = "load root";
	if (start) {
		op->page = START_ROOT;
		op->got = root_load(vcpu, mfn_of(LINEAR_L4));
	} else {
		op->want = model.root == (int)op->page ? 0 : become_table(op->page, 4);
		op->got = root_load(vcpu, page_mfn(op->page));
	}
	if (!op->want)
		model.root = (int)op->page;
	root_copy_of(vcpu);
}

static void do_hold(struct operation *op)
{
	if (model.held[op->page] && random_once_in(&dice, 2)) {
		op->name = "put";
		model.held[op->page]--;
		frame_put_writable(domain, page_mfn(op->page));
	} else {
		op->name = "hold";
		op->want = model.level[op->page] || vcpu->batch_pfn[0] != INVALID_PFN ? TORC_EBUSY
										      : 0;
		if (vcpu->batch_pfn[0] != INVALID_PFN) /* the audit knows one such page */
			op->got = TORC_EBUSY;
		else
			op->got = frame_get_writable(domain, page_mfn(op->page));
		if (!op->want)
			model.held[op->page]++;
	}
	vcpu->batch_pfn[0] = model.held[op->page] ? FIRST + op->page
			     : op->want		  ? vcpu->batch_pfn[0]
						  : INVALID_PFN;
}

/* What the guest itself writes into ordinary memory; without G, which validation may take out. */
static void do_plain(struct operation *op)
{
	op->name = "plain";
	op->entry = random_entry_for(op->page, op->spot);
	if (op->entry & PTE_P)
		op->entry &= ~PTE_G;
	if (model.level[op->page])
		return;
	model.entry[op->page][op->spot] = op->entry;
	plain(FIRST + op->page, spots[op->spot], op->entry);
}

static void (*const operations[])(struct operation *) = {
	do_set, do_set,	  do_set,  do_compare, do_clear, do_clear_bits, do_pin,
	do_pin, do_unpin, do_load, do_hold,    do_plain, do_plain,
};

static void expect_agreement(const struct operation *op, unsigned int round)
{
	unsigned int page, spot;
	const char *problem = audit();

	cr_assert_eq(op->got, op->want, "round %u: %s page %u spot %u entry %lx: %ld, model %ld",
		     round, op->name, op->page, op->spot, op->entry, op->got, op->want);
	cr_assert_null(problem, "round %u: %s: %s", round, op->name, problem);
	for (page = 0; page < PAGES; page++) {
		const struct frame *frame = frame_of(FIRST + page);
		unsigned int level = is_table(frame) ? frame->type : 0;
		bool linear = *linear_entry_of(FIRST + page) & PTE_W;

		cr_assert_eq(level, model.level[page], "round %u: %s: page %u has level %u, not %u",
			     round, op->name, page, level, model.level[page]);
		cr_assert_eq(linear, model.linear_writable[page],
			     "round %u: %s page %u: page %u in the linear map: %d, root %d", round,
			     op->name, op->page, page, linear, model.root);
		for (spot = 0; spot < SPOTS; spot++)
			cr_assert_eq(page_of(FIRST + page)[spots[spot]], model.entry[page][spot],
				     "round %u: %s: page %u spot %u", round, op->name, page, spot);
	}
}

static void run(u64 seed)
{
	static struct model before;
	unsigned int round, page, successes = 0, tables = 0;

	world_create();
	world_map_linear();
	dice.state = seed;
	model = (struct model){ .root = START_ROOT };
	for (page = 0; page < PAGES; page++)
		model.linear_writable[page] = true;
	for (round = 0; round < ROUNDS; round++) {
		struct operation op = { .page = random_table(),
					.spot = random_below(&dice, SPOTS) };

		before = model;
		operations[random_below(&dice, ARRAY_SIZE(operations))](&op);
		if (op.want)
			model = before;
		else
			drop_unused();
		expect_agreement(&op, round);
		successes += !op.want;
		for (page = 0; page < PAGES; page++)
			tables += model.level[page] > 1;
	}
	/* The mix must reach the interesting states, or it tests nothing. */
	cr_expect_gt(successes, ROUNDS / 4, "%u successes", successes);
	cr_expect_gt(tables, ROUNDS, "%u tables above level 1, on average", tables / ROUNDS);
}

Test(model, seed_1)
{
	run(1);
}

Test(model, seed_2)
{
	run(0x9e3779b97f4a7c15);
}
