/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/*
 * What is done against speculative execution; docs/security.md tells why.
 */
#ifndef TORC_MITIGATION_H
#define TORC_MITIGATION_H

#include "types.h"

/* What a processor says of itself, in bits. */
enum claim {
	INTEL, AMD, THREADS, IBPB, STIBP, MD_CLEAR, RDCL_NO, IBRS_ALL, RSBA, MDS_NO, TAA_NO,
	BTC_NO, AUTO_IBRS, SRSO_NO, CLAIMS
};

/*
 * What is done about the rest, and what stays open, in bits: the return stack filled on entry, IBPB
 * before the first return there, IBPB between domains, VERW on exit; bits that stay set.
 */
enum measure {
	FILL_RETURNS, ENTRY_IBPB, SWITCH_IBPB, CLEAR_BUFFERS, SET_IBRS, SET_AUTO_IBRS, SET_STIBP,
	OPEN_MELTDOWN, OPEN_RETURNS, OPEN_SWITCH, OPEN_BUFFERS, OPEN_THREADS, MEASURES
};

/* Where claims stand: CPUID leaves, and the MSR IA32_ARCH_CAPABILITIES if bit 29 of one says so. */
enum claim_word { MAKER, LEAF7_EDX, CAPABILITIES, EXT8_EBX, EXT21_EAX, CLAIM_WORDS };

/* In the word MAKER, which no processor has. */
#define MAKER_INTEL 0x1
#define MAKER_AMD 0x2
#define MAKER_THREADS 0x4 /* a core has several */

/** mitigation_claims - the set of claims in @word[CLAIM_WORDS]; looks at nothing else */
u32 mitigation_claims(const u32 *word);

/** mitigation_decide - measures for a processor of that family; looks at nothing else */
u32 mitigation_decide(u32 claims, u32 family);

extern u32 mitigations; /* the set in force on this machine */

static inline bool mitigation(enum measure measure)
{
	return mitigations >> measure & 1;
}

/**
 * mitigation_init - looks at this processor, decides, and prepares the gate's way in
 * Precondition: the boot tables are in force, in which the gate can be written; cpu_features knows
 * vendor and family.
 */
void mitigation_init(void);

/** mitigation_report - logs claims, measures and what stays open */
void mitigation_report(void);

#endif
