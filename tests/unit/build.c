/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * The domain builder: what a domain finds when it starts, and that all it took is given back when
 * it ends, for another domain or for itself.
 *
 * Attack: end and reboot without end, with frames in use.
 * Vulnerable: a frame goes to another domain while something counts on it, or the ids run out for
 * all.
 * Fixed: everything is given back, and a domain reboots so often at most.
 */
#include <criterion/criterion.h>
#include "builder.h"
#include "unit.h"

TestSuite(build, .init = builder_create, .fini = builder_remove);

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
	cr_expect(!memcmp(bytes, phys_to_virt(source.initrd.start), INITRD_BYTES));
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
	cr_expect_eq(guest_read(vcpu, (gva_t){ ELF_FILE_LINEAR ^ 1ull << 50 }, bytes, 8), 0,
		     "mapped, but for the bits that no table looks at");
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
	end(first->next, TORC_SHUTDOWN_REBOOT);
	cr_expect(strstr(logged(), "domain 2 second ended: reboot\n"));
	cr_expect(domain_list == first && !first->next);
	cr_expect_eq(memory_chunks_out, 2);
	end(first, TORC_SHUTDOWN_CRASH);
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
	end(domain_list, TORC_SHUTDOWN_POWEROFF);
	cr_expect_eq(memory_pages_out, pages);
}

/* Built again from what was kept, as another domain of that name, with the focus that it had. */
Test(build, a_reboot_starts_a_domain_anew)
{
	struct torc_start *start;
	u64 pages;

	put_initrd(INITRD_BYTES);
	source.restarts = 1;
	build("domain name=first mem=4M");
	build("domain name=second mem=4M -- words");
	console_focused = domain_list;
	pages = memory_pages_out;
	end(domain_list, TORC_SHUTDOWN_REBOOT);
	cr_expect(strstr(logged(), "domain 1 first ended: reboot\n"
				   "domain 3 first started, 4 MiB, 1 vcpus\n"
				   "domain 1 first rebooted as 3\n"), "%s", logged());
	cr_assert(domain_list->id == 2 && domain_list->next->id == 3);
	cr_expect_eq(console_focused, domain_list->next);
	cr_expect(memory_pages_out == pages && memory_chunks_out == 4);
	end(domain_list, TORC_SHUTDOWN_REBOOT);
	cr_expect_eq(console_focused, domain_list);
	domain = domain_list->next;
	vcpu = domain->vcpu[0];
	start = mfn_to_virt(mfn_of((vcpu->regs->rdi - domain->linear_base) >> PAGE_SHIFT));
	cr_expect_str_eq((char *)page_of(start->cmdline >> PAGE_SHIFT), "words");
	cr_expect_eq(start->domain, 4);
	end(domain_list, TORC_SHUTDOWN_CRASH);
	EXPECT_AUDIT();
	end(domain, TORC_SHUTDOWN_POWEROFF);
	cr_expect_null(domain_list, "only a reboot starts a domain anew");
	cr_expect_eq(memory_chunks_out, 0);
}

/* Ids are given once: a guest that did nothing else would use them up for all others. */
Test(build, a_domain_that_only_reboots_is_left_at_last)
{
	unsigned int i;

	put_initrd(INITRD_BYTES);
	source.restarts = 3;
	build("domain name=again mem=4M");
	for (i = 1; i <= 4; i++) {
		cr_assert_eq(domain_list->id, i);
		end(domain_list, TORC_SHUTDOWN_REBOOT);
	}
	cr_expect_null(domain_list);
	cr_expect_eq(memory_chunks_out, 0);
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
	end(domain_list, TORC_SHUTDOWN_POWEROFF);
	cr_expect_null(domain_list);
}
