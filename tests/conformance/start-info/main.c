/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What vCPU 0 finds at its start is what abi/include/torc/start.h promises. The runtime has run
 * already; the registers at the very entry are covered by its being able to.
 */
#include "conformance.h"

static bool is_page(uint64_t pfn)
{
	return pfn < guest_start->pages;
}

static bool is_boot_page(uint64_t pfn)
{
	return pfn >= guest_start->boot_first &&
	       pfn < guest_start->boot_first + guest_start->boot_pages;
}

static void check_page(void)
{
	const struct torc_start *start = guest_start;
	uint64_t pages;

	CHECK(start->magic == TORC_START_MAGIC, "magic 0x%lx", start->magic);
	CHECK(start->size >= sizeof(*start), "size %u", start->size);
	CHECK(start->abi_version == (TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR), "ABI version 0x%x",
	      start->abi_version);
	CHECK(start->domain >= 1, "domain id %u", start->domain);
	CHECK(start->vcpus >= 1, "%u vCPUs", start->vcpus);
	CHECK(start->privileges == 0, "privileges 0x%lx", start->privileges);
	CHECK(start->pages == 16 * 256, "%lu pages instead of 16 MiB", start->pages);
	CHECK(start->max_pages >= start->pages, "at most %lu pages", start->max_pages);
	CHECK(start->linear_base == GUEST_LINEAR_BASE, "linear base 0x%lx", start->linear_base);
	CHECK(start->virt_offset == GUEST_VIRT_OFFSET, "virtual offset 0x%lx", start->virt_offset);
	CHECK(start->boot_first + start->boot_pages <= start->pages, "boot pages %lu+%lu",
	      start->boot_first, start->boot_pages);
	CHECK(start->machine_frames >= start->pages, "%lu machine frames", start->machine_frames);
	CHECK(start->initrd_size == 0, "an initrd of %lu bytes that nobody gave",
	      start->initrd_size);
	CHECK(start->tsc_khz > 1000, "TSC of %u kHz", start->tsc_khz);
	CHECK(start->wall_ns > 1700000000ULL * 1000000000, "wall clock at %lu ns", start->wall_ns);
	CHECK(torc_control(&pages) == TORC_CONTROL_NONE, "a request that nobody made");
	CHECK(pages == start->pages, "the target is %lu pages", pages);
	CHECK(start->xcr0 & 1, "XCR0 mask 0x%lx without x87", start->xcr0);
}

static void check_boot_pages(void)
{
	const struct torc_start *start = guest_start;

	CHECK(is_boot_page(guest_linear_gpa(start) >> TORC_PAGE_SHIFT), "start page at %p", start);
	CHECK(is_boot_page(start->root >> TORC_PAGE_SHIFT), "root at 0x%lx", start->root);
	CHECK(start->root % TORC_PAGE_SIZE == 0, "root at 0x%lx", start->root);
	CHECK(is_page(start->vcpu_page), "vCPU page 0x%lx", start->vcpu_page);
	CHECK(is_page(start->time_page), "time page 0x%lx", start->time_page);
	CHECK(is_page(start->console_ring), "console ring 0x%lx", start->console_ring);
	CHECK(start->device_bus == TORC_INVALID_FRAME, "device bus 0x%lx", start->device_bus);
	CHECK(start->event_frames == TORC_INVALID_FRAME, "event frames 0x%lx", start->event_frames);
	CHECK(start->grant_frames == TORC_INVALID_FRAME, "grant frames 0x%lx", start->grant_frames);
	CHECK(start->cmdline && strcmp(guest_linear(start->cmdline), "one two three") == 0,
	      "command line at 0x%lx", start->cmdline);
}

static void check_vcpu_page(void)
{
	const struct torc_vcpu_page *page = guest_linear(guest_start->vcpu_page << TORC_PAGE_SHIFT);

	CHECK(page->version == guest_start->abi_version, "vCPU page version 0x%x", page->version);
	CHECK(page->size >= sizeof(*page), "vCPU page size %u", page->size);
	CHECK(page->vcpu == 0, "vCPU number %u", page->vcpu);
	CHECK(page->irq_on == 0, "virtual interrupts on");
	CHECK(page->busy == 0, "busy set");
	CHECK(page->nmi_masked == 0, "NMIs masked");
	TORC_SHIM_VCPU->user_gs = 0x1234;
	CHECK(page->user_gs == 0x1234, "the two mappings of the vCPU page differ");
}

static void check_shared_pages(void)
{
	const struct torc_time *time = guest_linear(guest_start->time_page << TORC_PAGE_SHIFT);
	const struct torc_console_ring *ring =
		guest_linear(guest_start->console_ring << TORC_PAGE_SHIFT);

	CHECK(time->size >= sizeof(*time), "time page of %u bytes", time->size);
	CHECK(time->tsc_khz == guest_start->tsc_khz, "TSC of %u kHz", time->tsc_khz);
	CHECK(ring->size >= sizeof(*ring), "console ring of %u bytes", ring->size);
}

/* Both windows agree with each other and with the tables in use. */
static void check_windows(void)
{
	uint64_t pfn, mfn, entry;

	for (pfn = 0; pfn < guest_start->pages; pfn++) {
		mfn = torc_pfn_to_mfn(pfn);
		CHECK(mfn < guest_start->machine_frames, "pfn 0x%lx: mfn 0x%lx", pfn, mfn);
		CHECK(torc_mfn_to_pfn(mfn) == pfn, "mfn 0x%lx: pfn 0x%lx", mfn,
		      torc_mfn_to_pfn(mfn));
		entry = guest_entry(guest_root, (uint64_t)guest_linear(pfn << TORC_PAGE_SHIFT), 1);
		if (!entry) {
			FAILURE("pfn 0x%lx is not in the linear map", pfn);
			return;
		}
		entry = guest_entry_read(entry);
		CHECK((entry & TORC_PTE_FRAME) == pfn << TORC_PAGE_SHIFT, "linear entry 0x%lx",
		      entry);
		CHECK(entry & TORC_PTE_NX, "linear map executable at pfn 0x%lx", pfn);
	}
}

void test_main(void)
{
	uint64_t selector;

	check_page();
	check_boot_pages();
	check_vcpu_page();
	check_shared_pages();
	check_windows();
	__asm__ volatile("mov %%cs, %0" : "=r"(selector));
	CHECK(selector == TORC_SEL_KERNEL_CS, "CS is 0x%lx", selector);
	CHECK(torc_read_fs_base() == 0, "FS base 0x%lx", torc_read_fs_base());
}
