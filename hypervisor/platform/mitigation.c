/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * Speculative execution: what this processor claims, and what is done about the rest.
 *
 * To a branch predictor ring 1 is supervisor like the hypervisor: no mode of it keeps a guest
 * kernel's branches from steering ring 0's. So there are no indirect branches here at all, and
 * what is left to protect are returns, the borders between domains, and buffers that remember
 * data. A measure costs nothing where it is not needed: the gate's jump to the hypervisor is
 * pointed past it, or one test that always goes the same way skips it.
 */
#include "cpu.h"
#include "gate.h"
#include "lib.h"
#include "log.h"
#include "mitigation.h"

static const struct {
	u8 word, bit;
	const char *name;
} claim[CLAIMS] = {
	[INTEL] = { MAKER, 0, "intel" }, [AMD] = { MAKER, 1, "amd" },
	[THREADS] = { MAKER, 2, "threads" }, [IBPB] = { LEAF7_EDX, 26, "ibpb" },
	[STIBP] = { LEAF7_EDX, 27, "stibp" }, [MD_CLEAR] = { LEAF7_EDX, 10, "md-clear" },
	[RDCL_NO] = { CAPABILITIES, 0, "rdcl-no" }, [IBRS_ALL] = { CAPABILITIES, 1, "ibrs-all" },
	[RSBA] = { CAPABILITIES, 2, "rsba" }, [MDS_NO] = { CAPABILITIES, 5, "mds-no" },
	[TAA_NO] = { CAPABILITIES, 8, "taa-no" }, [BTC_NO] = { EXT8_EBX, 29, "btc-no" },
	[AUTO_IBRS] = { EXT21_EAX, 8, "auto-ibrs" }, [SRSO_NO] = { EXT21_EAX, 29, "srso-no" },
};

static const char *const measure[MEASURES] = {
	[FILL_RETURNS] = "fills the return stack on entry", [ENTRY_IBPB] = "IBPB on entry",
	[SWITCH_IBPB] = "IBPB between domains", [CLEAR_BUFFERS] = "VERW on exit",
	[SET_IBRS] = "IBRS on", [SET_AUTO_IBRS] = "automatic IBRS on", [SET_STIBP] = "STIBP on",
	[OPEN_MELTDOWN] = "open: Meltdown: programs can read their own kernel, no other domain",
	[OPEN_RETURNS] = "open: no IBPB: a guest kernel can steer the hypervisor's returns",
	[OPEN_SWITCH] = "open: no IBPB: a domain can steer branches of the one that runs next",
	[OPEN_BUFFERS] = "open: no MD_CLEAR: a guest can sample data that passed through its core",
	[OPEN_THREADS] = "open: threads of one core can sample and measure each other",
};

u32 mitigations;
static u32 claimed;

u32 mitigation_decide(u32 claims, u32 family)
{
#define HAS(name) (claims >> (name) & 1)
	/* Returns predicted from the branch target buffer, which a guest kernel can fill. */
	bool steered = HAS(AMD) && family >= 0x15 && !HAS(family >= 0x19 ? SRSO_NO : BTC_NO);
	bool sampled = HAS(INTEL) && !(HAS(MDS_NO) && HAS(TAA_NO));

	return (HAS(INTEL) || (HAS(AMD) && family > 15)) << FILL_RETURNS |
	       (steered && HAS(IBPB)) << ENTRY_IBPB | (steered && !HAS(IBPB)) << OPEN_RETURNS |
	       HAS(IBPB) << SWITCH_IBPB | !HAS(IBPB) << OPEN_SWITCH |
	       (HAS(INTEL) && HAS(MD_CLEAR)) << CLEAR_BUFFERS |
	       (sampled && !HAS(MD_CLEAR)) << OPEN_BUFFERS |
	       (HAS(IBRS_ALL) && HAS(IBPB)) << SET_IBRS | HAS(AUTO_IBRS) << SET_AUTO_IBRS |
	       (HAS(THREADS) && HAS(STIBP)) << SET_STIBP | HAS(THREADS) << OPEN_THREADS |
	       (HAS(INTEL) && !HAS(RDCL_NO)) << OPEN_MELTDOWN;
}

u32 mitigation_claims(const u32 *word)
{
	/* AMD has these elsewhere. */
	u32 result = (word[EXT8_EBX] >> 12 & 1) << IBPB | (word[EXT8_EBX] >> 15 & 1) << STIBP;

	for (unsigned int i = 0; i < CLAIMS; i++)
		result |= (word[claim[i].word] >> claim[i].bit & 1) << i;
	return result;
}

/* Leaves 7 and 8000_0008 are there where FSGSBASE is. */
static u32 read_claims(void)
{
	const char *maker = cpu_features.vendor;
	u32 word[CLAIM_WORDS] = { [LEAF7_EDX] = cpuid(7).edx, [EXT8_EBX] = cpuid(0x80000008).ebx };

	if (strcmp(maker, "GenuineIntel") == 0)
		word[MAKER] = MAKER_INTEL;
	else if (strcmp(maker, "AuthenticAMD") == 0 || strcmp(maker, "HygonGenuine") == 0)
		word[MAKER] = MAKER_AMD;
	if ((cpuid(0).eax >= 11 && (cpuid_count(11, 0).ebx & 0xffff) > 1) ||
	    (cpuid(0x80000000).eax >= 0x8000001e && (cpuid(0x8000001e).ebx & 0xff00)))
		word[MAKER] |= MAKER_THREADS;
	if (word[LEAF7_EDX] >> 29 & 1)
		word[CAPABILITIES] = (u32)rdmsr(MSR_ARCH_CAPABILITIES);
	if (cpuid(0x80000000).eax >= 0x80000021)
		word[EXT21_EAX] = cpuid(0x80000021).eax;
	return mitigation_claims(word);
}

/* Points the gate's jump where it has to go: its operand is the distance from behind it. */
void mitigation_init(void)
{
	u64 operand = (u64)gate_entry_jump + 1; /* behind the opcode */
	s32 distance;

	claimed = read_claims();
	mitigations = mitigation_decide(claimed, cpu_features.family);
	if (!mitigation(FILL_RETURNS))
		return;
	distance = (s32)((u64)(mitigation(ENTRY_IBPB) ? entry_ibpb : entry_fill_returns) -
			 (operand + sizeof(distance)));
	memcpy(phys_to_virt(gate_text_phys + operand - GATE_BASE), &distance, sizeof(distance));
}

void mitigation_report(void)
{
	char text[160] = "";
	unsigned int i, length = 0;

	for (i = 0; i < CLAIMS; i++)
		if (claimed >> i & 1)
			length += (u32)snprintf(text + length, sizeof(text) - length, " %s",
						claim[i].name);
	log("speculation: the processor claims%s%s", text,
	    cpuid(1).ecx >> 31 ? "; a machine below this one answers for it" : "");
	for (i = 0; i < MEASURES; i++)
		if (mitigation(i))
			log("speculation: %s", measure[i]);
}
