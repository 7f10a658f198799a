/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026 The Torc authors */
/* Which measures which processor gets: a table of processors as their makers describe them. */
#include <criterion/criterion.h>
#include "mitigation.h"
#include "unit.h"

/* Named by the rest of mitigation.c. */
const paddr_t gate_text_phys;
char gate_entry_jump[8], entry_ibpb[1], entry_fill_returns[1];

#define BIT(n) (1u << (n))

/* CPUID leaf 7 EDX with the microcode of 2018 and of 2019, and with IA32_ARCH_CAPABILITIES. */
#define SPEC_2018 (BIT(26) | BIT(27) | BIT(31))
#define SPEC_2019 (SPEC_2018 | BIT(10) | BIT(28))
#define SPEC_MSR (SPEC_2019 | BIT(29))
#define AMD_2018 (BIT(12) | BIT(14) | BIT(15))

#define INTEL_SMT (MAKER_INTEL | MAKER_THREADS)
#define AMD_SMT (MAKER_AMD | MAKER_THREADS)
#define FILLED (BIT(FILL_RETURNS) | BIT(SWITCH_IBPB))

static const struct {
	const char *name;
	u32 family;
	u32 word[CLAIM_WORDS];
	u32 want;
} processors[] = {
	{ "an emulator that says AMD K8", 15, { MAKER_AMD }, BIT(OPEN_SWITCH) },
	{ "an unknown maker", 6, { 0 }, BIT(OPEN_SWITCH) },
	{ "an unknown maker with IBPB", 7, { 0, BIT(26) }, BIT(SWITCH_IBPB) },
	{ "Haswell, old microcode", 6, { INTEL_SMT },
	  BIT(FILL_RETURNS) | BIT(OPEN_SWITCH) | BIT(OPEN_BUFFERS) | BIT(OPEN_MELTDOWN) |
	  BIT(OPEN_THREADS) },
	{ "Haswell of 2018", 6, { MAKER_INTEL, SPEC_2018 },
	  FILLED | BIT(OPEN_BUFFERS) | BIT(OPEN_MELTDOWN) },
	{ "Haswell of 2019", 6, { INTEL_SMT, SPEC_2019 },
	  FILLED | BIT(CLEAR_BUFFERS) | BIT(SET_STIBP) | BIT(OPEN_MELTDOWN) | BIT(OPEN_THREADS) },
	{ "Skylake with RSBA", 6, { MAKER_INTEL, SPEC_MSR, BIT(2) },
	  FILLED | BIT(CLEAR_BUFFERS) | BIT(OPEN_MELTDOWN) },
	{ "Cascade Lake: MDS_NO, but not TAA_NO", 6,
	  { INTEL_SMT, SPEC_MSR, BIT(0) | BIT(1) | BIT(3) | BIT(5) },
	  FILLED | BIT(CLEAR_BUFFERS) | BIT(SET_IBRS) | BIT(SET_STIBP) | BIT(OPEN_THREADS) },
	{ "Ice Lake: no MDS, no TAA, but stale data of devices", 6,
	  { MAKER_INTEL, SPEC_MSR, BIT(0) | BIT(1) | BIT(5) | BIT(8) | BIT(17) },
	  FILLED | BIT(CLEAR_BUFFERS) | BIT(SET_IBRS) },
	{ "MDS_NO and TAA_NO, nothing to clear with", 6,
	  { MAKER_INTEL, SPEC_2018 | BIT(29), BIT(0) | BIT(5) | BIT(8) }, FILLED },
	{ "TAA, nothing to clear with", 6, { MAKER_INTEL, SPEC_2018 | BIT(29), BIT(0) | BIT(5) },
	  FILLED | BIT(OPEN_BUFFERS) },
	{ "MDS, nothing to clear with", 6, { MAKER_INTEL, SPEC_2018 | BIT(29), BIT(0) | BIT(8) },
	  FILLED | BIT(OPEN_BUFFERS) },
	{ "IBRS_ALL without the register it is in", 6,
	  { MAKER_INTEL, BIT(29), BIT(0) | BIT(1) | BIT(5) | BIT(8) },
	  BIT(FILL_RETURNS) | BIT(OPEN_SWITCH) },
	{ "Zen, old microcode", 0x17, { MAKER_AMD },
	  BIT(FILL_RETURNS) | BIT(OPEN_RETURNS) | BIT(OPEN_SWITCH) },
	{ "Zen 2", 0x17, { AMD_SMT, [EXT8_EBX] = AMD_2018 },
	  FILLED | BIT(ENTRY_IBPB) | BIT(SET_STIBP) | BIT(OPEN_THREADS) },
	{ "Hygon", 0x18, { MAKER_AMD, [EXT8_EBX] = AMD_2018 }, FILLED | BIT(ENTRY_IBPB) },
	{ "Bulldozer", 0x15, { MAKER_AMD, [EXT8_EBX] = BIT(12) }, FILLED | BIT(ENTRY_IBPB) },
	{ "family 17 without branch type confusion", 0x17,
	  { MAKER_AMD, [EXT8_EBX] = AMD_2018 | BIT(29) }, FILLED },
	{ "Zen 3: no branch type confusion, but SRSO", 0x19,
	  { MAKER_AMD, [EXT8_EBX] = AMD_2018 | BIT(29) }, FILLED | BIT(ENTRY_IBPB) },
	{ "Zen 4", 0x19, { AMD_SMT, [EXT8_EBX] = AMD_2018 | BIT(29), [EXT21_EAX] = BIT(8) },
	  FILLED | BIT(ENTRY_IBPB) | BIT(SET_AUTO_IBRS) | BIT(SET_STIBP) | BIT(OPEN_THREADS) },
	{ "Zen 5: SRSO not between user and kernel, which is not ring 1 and ring 0 (bit 30)", 0x1a,
	  { MAKER_AMD, [EXT8_EBX] = AMD_2018 | BIT(29), [EXT21_EAX] = BIT(8) | BIT(30) },
	  FILLED | BIT(ENTRY_IBPB) | BIT(SET_AUTO_IBRS) },
	{ "an AMD without SRSO", 0x1a,
	  { MAKER_AMD, [EXT8_EBX] = AMD_2018 | BIT(29), [EXT21_EAX] = BIT(8) | BIT(29) },
	  FILLED | BIT(SET_AUTO_IBRS) },
};

Test(mitigation, table)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(processors); i++) {
		u32 claims = mitigation_claims(processors[i].word);
		u32 got = mitigation_decide(claims, processors[i].family);

		cr_expect_eq(got, processors[i].want, "%s: %x instead of %x", processors[i].name,
			     got, processors[i].want);
	}
}

/* What can be done about a danger is done, or it is said to be open; never both. */
Test(mitigation, done_or_said)
{
	struct random dice = { 11 };
	unsigned int round;

	for (round = 0; round < 100000; round++) {
		u32 claims = (u32)random_below(&dice, 1u << CLAIMS) & ~BIT(AMD);
		u32 got = mitigation_decide(claims, (u32)random_below(&dice, 0x1c));

		cr_assert_neq(!(got & BIT(SWITCH_IBPB)), !(got & BIT(OPEN_SWITCH)));
		cr_assert(!(got & BIT(CLEAR_BUFFERS)) || !(got & BIT(OPEN_BUFFERS)));
		if (!(claims & BIT(INTEL)))
			continue;
		cr_assert(got & BIT(FILL_RETURNS));
		cr_assert_neq(!(got & BIT(OPEN_MELTDOWN)), !(claims & BIT(RDCL_NO)));
		cr_assert((got & (BIT(CLEAR_BUFFERS) | BIT(OPEN_BUFFERS))) ||
			  (claims & (BIT(MDS_NO) | BIT(TAA_NO))) == (BIT(MDS_NO) | BIT(TAA_NO)));
	}
}
