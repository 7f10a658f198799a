/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Pinning: a tree filled with plain stores becomes tables by one operation, cannot be written
 * then, and is ordinary memory again when it is unpinned. Trees that must not be are refused
 * whole.
 *
 * Attack: tables at the wrong level, tables mapped writable, tables of themselves, entries
 * smuggled in by plain stores before the pin.
 * Vulnerable: ring 1 writes a page table.
 * Fixed: EBUSY, EPERM or EINVAL, and everything as before.
 */
#include "conformance.h"

#define RW	      (TORC_PTE_PRESENT | TORC_PTE_WRITE | TORC_PTE_USER | TORC_PTE_ACCESSED)
#define RO	      (TORC_PTE_PRESENT | TORC_PTE_USER | TORC_PTE_ACCESSED)
#define PAGE_SIZE_BIT 0x80UL

static uint64_t root, l3, l2, l1, data;

static uint64_t *at(uint64_t gpa)
{
	return guest_linear(gpa);
}

static uint64_t to(uint64_t gpa)
{
	return torc_pte_make(gpa >> 12, RW);
}

static int64_t pin(uint64_t gpa, uint64_t level)
{
	return guest_op(TORC_OP_PIN, gpa, level);
}

static int64_t unpin(uint64_t gpa)
{
	return guest_op(TORC_OP_UNPIN, gpa, 0);
}

static bool writable(uint64_t gpa)
{
	return !guest_probe_write((uint64_t)guest_linear(gpa)).hit;
}

static void fill_tree(void)
{
	at(root)[0] = to(l3);
	at(l3)[0] = to(l2);
	at(l2)[2] = to(l1);
	at(l1)[0] = to(data);
	at(l1)[1] = torc_pte_make(data >> 12, RO);
}

static void check_good(void)
{
	struct guest_regs regs;
	uint64_t old_root = guest_root;

	fill_tree();
	memcpy(at(data), "\x0f\x05", 2);
	expect_status("pin", pin(root, 4), TORC_OK);
	CHECK(!writable(root) && !writable(l3) && !writable(l2) && !writable(l1),
	      "a table can be written");
	CHECK(writable(data), "a data page cannot be written");
	expect_status("pin twice", pin(root, 4), TORC_EBUSY);
	expect_status("pin at another level", pin(root, 3), TORC_EBUSY);
	expect_status("load", guest_op(TORC_OP_NEW_ROOT, root, 0), TORC_OK);
	guest_root = root;
	regs = (struct guest_regs){ .rip = 0x400000,
				    .cs = TORC_SEL_USER_CS,
				    .rflags = 0x202,
				    .rsp = 0x401000,
				    .ss = TORC_SEL_USER_SS };
	guest_user_run(&regs, false);
	CHECK(regs.vector == GUEST_VECTOR_SYSCALL, "ring 3 under the new root: vector %lu",
	      regs.vector);
	expect_status("unpin the root in use", unpin(root), TORC_OK);
	CHECK(!writable(root), "the root in use can be written");
	expect_status("load the old one", guest_op(TORC_OP_NEW_ROOT, old_root, 0), TORC_OK);
	guest_root = old_root;
	CHECK(writable(root) && writable(l3) && writable(l2) && writable(l1),
	      "an unpinned table is still read-only");
	expect_status("unpin twice", unpin(root), TORC_ENOENT);
}

/* Puts one bad thing in the tree, and expects the pin to refuse and to leave ordinary memory. */
static void expect_refused(const char *what, uint64_t *entry, uint64_t value, int64_t status)
{
	uint64_t good = *entry;

	*entry = value;
	expect_status(what, pin(root, 4), status);
	if (guest_entry_read(guest_entry(guest_root, (uint64_t)at(root), 1)) & TORC_PTE_WRITE)
		*entry = good;
	CHECK(writable(root) && writable(l3) && writable(l2) && writable(l1),
	      "%s: something stayed a table", what);
}

/*
 * row: wrong-level, row: superpages, row: own-table-writable, row: reserved-bits,
 * row: hypervisor-slots
 */
static void check_bad(void)
{
	fill_tree();
	expect_refused("level 1 in place of level 2", &at(l3)[1], to(l1), TORC_EBUSY);
	expect_refused("table of itself", &at(l2)[3], to(l2), TORC_EBUSY);
	expect_refused("table of its parent", &at(l1)[3], to(l2), TORC_EBUSY);
	expect_refused("root in itself", &at(root)[3], to(root), TORC_EBUSY);
	expect_refused("superpage of level 2", &at(l2)[3], to(data) | PAGE_SIZE_BIT, TORC_EINVAL);
	expect_refused("superpage of level 3", &at(l3)[3], to(data) | PAGE_SIZE_BIT, TORC_EINVAL);
	expect_refused("PS in level 4", &at(root)[3], to(l3) | PAGE_SIZE_BIT, TORC_EINVAL);
	expect_refused("table writable through itself", &at(l1)[3], to(l1), TORC_EBUSY);
	expect_refused("foreign frame", &at(l1)[511], TORC_PTE_PRESENT, TORC_EPERM);
	expect_refused("foreign table", &at(l2)[511], 1UL << 12 | TORC_PTE_PRESENT, TORC_EPERM);
	expect_refused("hypervisor's bits", &at(l1)[7], to(data) | 1UL << 53, TORC_EINVAL);
	expect_refused("hypervisor's bits above", &at(root)[7], to(l3) | 1UL << 54, TORC_EINVAL);
	expect_refused("cache bits", &at(l1)[7], to(data) | 0x18, TORC_EINVAL);
	expect_refused("absent entry naming memory", &at(l1)[7], to(data) & ~TORC_PTE_PRESENT,
		       TORC_EINVAL);
	expect_refused("hypervisor's slot", &at(root)[256], to(l3), TORC_EPERM);
	expect_refused("hypervisor's last slot", &at(root)[271], 2, TORC_EPERM);
}

static void check_operands(void)
{
	uint64_t level;

	expect_status("pin of a page not aligned", pin(root + 8, 4), TORC_EINVAL);
	expect_status("pin of no page", pin(guest_start->pages << 12, 4), TORC_ENOENT);
	expect_status("unpin of no page", unpin(~0xfffUL), TORC_ENOENT);
	expect_status("unpin of a page not pinned", unpin(data), TORC_ENOENT);
	for (level = 0; level < 70; level++)
		if (level < 1 || level > 4)
			expect_status("pin at no level", pin(data, level), TORC_EINVAL);
	expect_status("pin at level 2^32+4", pin(data, (1UL << 32) + 4), TORC_EINVAL);
	expect_status("root that is an ordinary level-1 table",
		      guest_op(TORC_OP_NEW_ROOT,
			       guest_entry(guest_root, GUEST_LINEAR_BASE, 1) & ~0xfffUL, 0),
		      TORC_EBUSY);
	expect_status("root with bad bits", guest_op(TORC_OP_NEW_ROOT, guest_root, 1UL << 20),
		      TORC_EINVAL);
	expect_status("root that is no page", guest_op(TORC_OP_NEW_ROOT, 1UL << 45, 0),
		      TORC_ENOENT);
	expect_status("pin of the vCPU page", pin(guest_start->vcpu_page << 12, 1), TORC_EBUSY);
	expect_status("pin of the console ring", pin(guest_start->console_ring << 12, 1),
		      TORC_EBUSY);
	expect_status("pin of the kernel's image", pin(guest_image_gpa(&root) & ~0xfffUL, 1),
		      TORC_EBUSY);
	expect_status("pin of the batch area",
		      pin(guest_linear_gpa(guest_queue.area) & ~0xfffUL, 1), TORC_EBUSY);
}

/* A page that ring 3 has mapped writable cannot become a table, and can once that is gone. */
static void check_writable_elsewhere(void)
{
	uint64_t user = GUEST_USER_BASE + 100 * TORC_PAGE_SIZE;
	uint64_t entry;

	guest_user_memory();
	expect_status("map", guest_map(user, data >> 12, RW), TORC_OK);
	memset(at(data), 0, TORC_PAGE_SIZE);
	CHECK(!guest_probe_write(user).hit, "cannot write the page");
	expect_status("pin of a page writable elsewhere", pin(data, 1), TORC_EBUSY);
	entry = guest_entry(guest_root, user, 1);
	expect_status("make it read-only", guest_op(TORC_OP_CLEAR_BITS, entry, TORC_PTE_WRITE),
		      TORC_OK);
	expect_status("pin", pin(data, 1), TORC_OK);
	expect_fault("write to a table by a translation of before", guest_probe_write(user), 14);
	expect_status("make a table writable", guest_op(TORC_OP_SET, entry, to(data)), TORC_EBUSY);
	expect_status("unpin", unpin(data), TORC_OK);
	expect_status("make it writable again", guest_op(TORC_OP_SET, entry, to(data)), TORC_OK);
	expect_status("unmap", guest_op(TORC_OP_CLEAR, entry, 0), TORC_OK);
}

/* Unpinned and pinned again many times: no count drifts. */
static void check_repeat(void)
{
	uint32_t i;

	fill_tree();
	for (i = 0; i < 200; i++) {
		if (pin(root, 4) != TORC_OK || unpin(root) != TORC_OK) {
			FAILURE("round %u of pin and unpin", i);
			return;
		}
		at(l1)[i + 2] = to(data);
	}
	CHECK(writable(l1) && writable(root), "still a table after the last unpin");
}

void test_main(void)
{
	root = guest_new_root();
	l3 = guest_page() << 12;
	l2 = guest_page() << 12;
	l1 = guest_page() << 12;
	data = guest_page() << 12;
	check_good();
	check_bad();
	check_operands();
	check_writable_elsewhere();
	check_repeat();
}
