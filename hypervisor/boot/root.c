/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The hypervisor's own root: the page tables that hold whenever no guest runs.
 *
 *	slot 256, entry 0	the gate region: each CPU has a root of its own, which differs here
 *	slot 256, entry 1	the image: text RX, rodata R, data RW, in 4 KiB pages
 *	slots 272...		direct map: RAM and firmware tables write-back, the rest of the
 *				first 4 GiB uncached, never executable
 *
 * The direct map is an alias of the image too, so text and rodata are write-protected there.
 */
#include "alloc.h"
#include "boot.h"
#include "cpu.h"
#include "layout.h"
#include "lib.h"
#include "log.h"

#define ENTRIES		512
#define L2_SHIFT	21
#define L3_SHIFT	30
#define L4_SHIFT	39
#define TABLE_BITS	(PTE_P | PTE_W | PTE_A)
#define DATA_BITS	(PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)
#define READ_BITS	(PTE_P | PTE_A | PTE_NX)
#define TEXT_BITS	(PTE_P | PTE_A)

#define LOW_END		GIB(4)	/* devices are below this */

extern char __text_start[], __text_end[], __rodata_end[], __image_end[], boot_stack_guard[];

static u64 *root;
static const struct boot_info *boot;

static u64 *new_table(void)
{
	u64 *table = page_zalloc();

	if (!table)
		panic("boot: no memory for the hypervisor's page tables");
	return table;
}

/* The table below an entry, made if it is not there. */
static u64 *descend(u64 *table, u64 address, unsigned int shift)
{
	u64 *entry = &table[(address >> shift) % ENTRIES];

	if (!(*entry & PTE_P))
		*entry = virt_to_phys(new_table()) | TABLE_BITS;
	return phys_to_virt(*entry & PTE_ADDRESS);
}

static void map_image(void)
{
	u64 start = IMAGE_BASE + gate_hypercall_phys + PAGE_SIZE;
	u64 *l3 = descend(root, start, L4_SHIFT);

	for (u64 at = start; at < (u64)__image_end; at += PAGE_SIZE) {
		u64 *l1 = descend(descend(l3, at, L3_SHIFT), at, L2_SHIFT);
		u64 bits = at < (u64)__text_end ? TEXT_BITS :
			   at < (u64)__rodata_end ? READ_BITS : DATA_BITS;

		if (at != (u64)boot_stack_guard)
			l1[(at >> PAGE_SHIFT) % ENTRIES] = (at - IMAGE_BASE) | bits;
	}
}

static bool is_memory(paddr_t start, paddr_t end)
{
	return range_list_overlap(&boot->ram, start, end) ||
	       range_list_overlap(&boot->firmware, start, end);
}

/* One GiB of the direct map in 2 MiB pages. */
static void map_direct_small(u64 *l3, paddr_t start)
{
	for (paddr_t at = start; at < start + GIB(1); at += CHUNK_SIZE) {
		u64 bits = DATA_BITS | PTE_PS;

		if (!is_memory(at, at + CHUNK_SIZE)) {
			if (at >= LOW_END)
				continue;
			bits |= PTE_PCD | PTE_PWT;	/* PAT entry 3: uncached */
		}
		descend(l3, DIRECT_BASE + at, L3_SHIFT)[(at >> L2_SHIFT) % ENTRIES] = at | bits;
	}
}

static void map_direct(void)
{
	paddr_t top = MAX(LOW_END, mfn_to_paddr(alloc_max_mfn()));

	for (unsigned int i = 0; i < boot->firmware.count; i++)
		top = MAX(top, boot->firmware.range[i].end);
	for (paddr_t at = 0; at < top; at += GIB(1)) {
		u64 *l3 = descend(root, DIRECT_BASE + at, L4_SHIFT);

		if (cpu_features.gbpages && at >= LOW_END &&
		    range_list_covers(&boot->ram, at, at + GIB(1)))
			l3[(at >> L3_SHIFT) % ENTRIES] = at | DATA_BITS | PTE_PS;
		else
			map_direct_small(l3, at);
	}
}

/* Takes the write permission off a range of the direct map, which is below 4 GiB. */
static void protect_direct(paddr_t start, paddr_t end)
{
	for (paddr_t at = start; at < end; at += PAGE_SIZE) {
		u64 *l3 = descend(root, DIRECT_BASE + at, L4_SHIFT);
		u64 *l2 = descend(l3, DIRECT_BASE + at, L3_SHIFT);
		u64 *entry = &l2[(at >> L2_SHIFT) % ENTRIES];
		u64 *l1;

		if (*entry & PTE_PS) {
			l1 = new_table();
			for (u64 i = 0; i < ENTRIES; i++)
				l1[i] = (*entry & ~PTE_PS) + i * PAGE_SIZE;
			*entry = virt_to_phys(l1) | TABLE_BITS;
		}
		l1 = phys_to_virt(*entry & PTE_ADDRESS);
		l1[(at >> PAGE_SHIFT) % ENTRIES] &= ~PTE_W;
	}
}

void hv_root_init(const struct boot_info *info)
{
	boot = info;
	root = new_table();
	map_image();
	map_direct();
	protect_direct(gate_text_phys, image_to_phys(__rodata_end));
	write_cr3(virt_to_phys(root));
}

paddr_t hv_root_new(mfn_t gate_l2)
{
	u64 *own = new_table(), *l3 = new_table();

	memcpy(own, root, PAGE_SIZE);
	memcpy(l3, phys_to_virt(root[HV_SLOT] & PTE_ADDRESS), PAGE_SIZE);
	l3[0] = mfn_to_paddr(gate_l2) | TABLE_BITS;
	own[HV_SLOT] = virt_to_phys(l3) | TABLE_BITS;
	return virt_to_phys(own);
}

bool direct_map_covers(paddr_t start, u64 bytes)
{
	paddr_t end = start + bytes;

	if (end < start)
		return false;
	return end <= LOW_END || range_list_covers(&boot->ram, start, end) ||
	       range_list_covers(&boot->firmware, start, end);
}
