/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Start of day: the pages that tell a guest what it has.
 */
#include "cpu.h"
#include "lib.h"
#include "start.h"
#include "timer.h"

/*
 * CPU features that a guest must not use, for they are the hypervisor's, need a privileged
 * instruction the ABI has no call for, or speak of hardware the guest has not. Everything else the
 * CPU has it may use. Bits: Intel SDM 2A CPUID, AMD APM 3 appendix E.
 */
static const u8 cpuid_hidden[TORC_CPUID_WORDS][20] = { /* bits; 0 is none of them and ends them */
	/* DTES64 MONITOR DS-CPL VMX SMX EST TM2 SDBG XTPR PDCM PCID DCA x2APIC TSC-deadline */
	[TORC_CPUID_1_ECX] = { 2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 17, 18, 21, 24 },
	/* VME PSE MCE APIC SEP MTRR PGE MCA PSE36 DS ACPI SS HTT TM PBE */
	[TORC_CPUID_1_EDX] = { 1, 3, 7, 9, 11, 12, 13, 14, 17, 21, 22, 27, 28, 29, 31 },
	/* TSC_ADJUST SGX HLE SMEP INVPCID RTM RDT-M MPX RDT-A SMAP PT */
	[TORC_CPUID_7_EBX] = { 1, 2, 4, 7, 10, 11, 12, 14, 15, 20, 25 },
	/* UMIP PKU OSPKE WAITPKG SHSTK TME LA57 RDPID KL BUS-LOCK ENQCMD SGX-LC PKS */
	[TORC_CPUID_7_ECX] = { 2, 3, 4, 5, 7, 13, 16, 22, 23, 24, 29, 30, 31 },
	/*
	 * UINTR MD_CLEAR RTM-abort TSX-force HYBRID PCONFIG ARCH-LBR IBT AMX SPEC_CTRL STIBP L1D
	 * ARCH-CAP CORE-CAP SSBD
	 */
	[TORC_CPUID_7_EDX] = { 5, 10, 11, 13, 15, 18, 19, 20, 22, 24, 25, 26, 27, 28, 29, 30, 31 },
	/*
	 * SVM ExtApic OSVW IBS SKINIT WDT LWP NodeId TopologyExtensions PerfCtr DataBreakpoint
	 * PerfTsc MWAITX
	 */
	[TORC_CPUID_80000001_ECX] = { 2, 3, 9, 10, 12, 13, 15, 19, 22, 23, 24, 26, 27, 28, 29 },
	/* VME PSE MCE APIC MTRR PGE MCA PSE36 1G pages RDTSCP */
	[TORC_CPUID_80000001_EDX] = { 1, 3, 7, 9, 12, 13, 14, 17, 26, 27 },
	/* XSAVES XFD */
	[TORC_CPUID_D_1_EAX] = { 3, 4 },
	/* ArchPerfmonExt FRED LKGS WRMSRNS HRESET LASS LAM MSRLIST */
	[TORC_CPUID_7_1_EAX] = { 8, 17, 18, 19, 22, 6, 26, 27 },
	/* INVLPGB RDPRU MCOMMIT WBNOINVD and the speculation controls */
	[TORC_CPUID_80000008_EBX] = { 3, 4, 8, 9, 12, 14, 15, 16, 17, 18, 19, 24, 25, 26, 28 },
};

static bool rdrand(u64 *value)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

/* splitmix64's finalizer: spreads what little a counter knows over all bits. */
static u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

#define OUTPUT_TWEAK 0x9e3779b97f4a7c15ull

static void fill_entropy(u8 *bytes, size_t count)
{
	static u64 state;
	bool have_rdrand = cpuid(1).ecx & (1u << 30);
	u64 word = 0;
	size_t i;

	for (i = 0; i + sizeof(word) <= count; i += sizeof(word)) {
		if (!have_rdrand || !rdrand(&word))
			word = 0;
		state = mix(state + rdtsc() + wallclock_boot_ns + word);
		word = mix(state ^ OUTPUT_TWEAK) + state; /* not to be turned back into the state */
		memcpy(bytes + i, &word, sizeof(word));
	}
}

void start_shared(struct domain *domain)
{
	struct torc_time *time = mfn_to_virt(domain_mfn(domain, domain->time_pfn));
	u64 tsc = rdtsc();

	domain->start_ns = tsc_to_ns(tsc);
	*time = (struct torc_time){
		.size = sizeof(*time),
		.tsc_base = tsc,
		.mul = tsc_scale.mul,
		.shift = tsc_scale.shift,
		.flags = TORC_TIME_STABLE,
		.wall_ns = wallclock_boot_ns + domain->start_ns,
		.tsc_khz = tsc_khz,
	};
	domain->console->size = sizeof(*domain->console);
}

void start_fill(struct domain *domain, const struct torc_note *note, const struct start_pages *at)
{
	struct torc_start *start = mfn_to_virt(domain_mfn(domain, at->start));
	const char *cmdline = mfn_to_virt(domain_mfn(domain, at->cmdline));
	struct torc_time *time = mfn_to_virt(domain_mfn(domain, domain->time_pfn));
	unsigned int i;
	const u8 *bit;

	start_shared(domain);
	*start = (struct torc_start){
		.magic = TORC_START_MAGIC,
		.size = sizeof(*start),
		.abi_version = TORC_ABI_MAJOR << 16 | TORC_ABI_MINOR,
		.features = START_FEATURES |
			    (domain->privileges ? TORC_FEATURE_PRIVILEGED : 0),
		.privileges = domain->privileges,
		.domain = domain->id,
		.vcpus = domain->vcpu_count,
		.pages = domain->owned_pages,
		.max_pages = domain->pages,
		.boot_first = at->boot_first,
		.boot_pages = domain->owned_pages - at->boot_first,
		.root = at->root << PAGE_SHIFT,
		.linear_base = domain->linear_base,
		.virt_offset = note->virt_offset,
		.machine_frames = frame_count,
		.cmdline = cmdline[0] ? at->cmdline << PAGE_SHIFT : 0,
		.initrd = at->initrd,
		.initrd_size = at->initrd_size,
		.vcpu_page = at->vcpu_page,
		.time_page = at->time,
		.console_ring = at->console,
		.device_bus = TORC_INVALID_FRAME,
		.event_frames = TORC_INVALID_FRAME,
		.grant_frames = TORC_INVALID_FRAME,
		.wall_ns = time->wall_ns,
		.tsc_khz = tsc_khz,
		.xcr0 = cpu_features.xcr0,
	};
	fill_entropy(start->entropy, sizeof(start->entropy));
	for (i = 0; i < TORC_CPUID_WORDS; i++) {
		start->cpuid_mask[i] = ~0u;
		for (bit = cpuid_hidden[i]; *bit; bit++)
			start->cpuid_mask[i] &= ~(1u << *bit);
	}
}
