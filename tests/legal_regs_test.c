// SPDX-License-Identifier: GPL-2.0-only
/*
 * Legal registers: known answers, one or more for each rule, and what must hold of all
 * writes.  No KVM is involved.
 */
#include <stdio.h>

#include "legal_regs.h"
#include "x86.h"

#define CR0_ON (X86_CR0_PE | X86_CR0_ET | X86_CR0_NE)
#define CR0_PAGED (CR0_ON | X86_CR0_PG)
#define LONG_EFER (X86_EFER_LME | X86_EFER_LMA)
#define CR0_NW BIT_ULL(29)
#define CR0_CD BIT_ULL(30)
#define CR4_PCIDE BIT_ULL(17)
#define CR4_CET BIT_ULL(23)
#define CR4_LAM_SUP BIT_ULL(28)
#define CR4_FRED BIT_ULL(32)

static const struct legal_cpu intel = {
	.vendor = VENDOR_INTEL,
	.maxphyaddr = 40,
	.cr4 = BITS_ULL(11, 0) | X86_CR4_LA57 | CR4_PCIDE | X86_CR4_SMEP | X86_CR4_SMAP | CR4_CET,
	.efer = BIT_ULL(0) | LONG_EFER | X86_EFER_NX,
};
static const struct legal_cpu narrow = { .vendor = VENDOR_INTEL, .maxphyaddr = 36,
					 .cr4 = X86_CR4_PAE, .efer = LONG_EFER };
static const struct legal_cpu lam = { .vendor = VENDOR_INTEL, .maxphyaddr = 52,
				      .cr4 = X86_CR4_PAE | CR4_LAM_SUP, .efer = LONG_EFER };
static const struct legal_cpu amd = {
	.vendor = VENDOR_AMD,
	.maxphyaddr = 48,
	.cr4 = BITS_ULL(11, 0) | X86_CR4_SMEP,
	.efer = BIT_ULL(0) | LONG_EFER | X86_EFER_NX | BIT_ULL(12),
	.lmsle = true,
	.pdptes_on_demand = true,
};

static const struct legal_regs nopg = { .cr0 = CR0_ON };
static const struct legal_regs nopg_lme = { .cr0 = CR0_ON, .efer = X86_EFER_LME };
static const struct legal_regs nopg_pae = { .cr0 = CR0_ON, .cr4 = X86_CR4_PAE };
static const struct legal_regs two = { .cr0 = CR0_PAGED, .cr3 = 0x1000 };
static const struct legal_regs pae = { .cr0 = CR0_PAGED, .cr3 = 0x1000, .cr4 = X86_CR4_PAE };
static const struct legal_regs long64 = { CR0_PAGED, 0x1000, X86_CR4_PAE, LONG_EFER, true, false };
static const struct legal_regs compat = { CR0_PAGED, 0x1000, X86_CR4_PAE, LONG_EFER, false, false };
static const struct legal_regs pcid = { CR0_PAGED, 0x1000, X86_CR4_PAE | CR4_PCIDE, LONG_EFER, true,
					false };
static const struct legal_regs low_cr3 = { CR0_PAGED, 0x1008, X86_CR4_PAE, LONG_EFER, true, false };
static const struct legal_regs cet = { CR0_PAGED | X86_CR0_WP, 0x1000, X86_CR4_PAE | CR4_CET,
				       LONG_EFER, true, false };

static const struct {
	const struct legal_cpu *cpu;
	const struct legal_regs *from;
	enum control_reg reg;
	u64 value;
	bool pdptes_bad;
	enum legality legality;
	enum legal_rule rule;
} writes[] = {
	{ &intel, &long64, REG_CR0, CR0_PAGED | X86_CR0_WP, 0, LEGAL, LEGAL_NONE },
	{ &intel, &long64, REG_CR0, CR0_PAGED | BIT_ULL(32), 0, ILLEGAL, LEGAL_CR0_HIGH },
	{ &intel, &compat, REG_CR0, CR0_PAGED | BIT_ULL(32), 0, LEGAL, LEGAL_NONE },
	{ &intel, &two, REG_CR0, CR0_PAGED & ~X86_CR0_PE, 0, ILLEGAL, LEGAL_PG_PE },
	{ &intel, &nopg, REG_CR0, X86_CR0_ET | X86_CR0_PG, 0, ILLEGAL, LEGAL_PG_PE },
	{ &intel, &nopg, REG_CR0, X86_CR0_ET, 0, LEGAL, LEGAL_NONE },
	{ &intel, &two, REG_CR0, CR0_PAGED | CR0_NW, 0, ILLEGAL, LEGAL_NW_CD },
	{ &intel, &two, REG_CR0, CR0_PAGED | CR0_NW | CR0_CD, 0, LEGAL, LEGAL_NONE },
	{ &intel, &two, REG_CR0, CR0_PAGED | BIT_ULL(6), 0, IGNORED, LEGAL_CR0_LOW },
	{ &amd, &two, REG_CR0, CR0_PAGED | BIT_ULL(28), 0, NO_EFFECT, LEGAL_CR0_LOW },
	{ &intel, &two, REG_CR0, CR0_PAGED & ~X86_CR0_ET, 0, IGNORED, LEGAL_CR0_ET },
	{ &intel, &nopg_lme, REG_CR0, CR0_PAGED, 0, ILLEGAL, LEGAL_PG_LME_PAE },
	{ &intel, &long64, REG_CR0, CR0_ON, 0, ILLEGAL, LEGAL_PG_CODE64 },
	{ &intel, &compat, REG_CR0, CR0_ON, 0, LEGAL, LEGAL_NONE },
	{ &intel, &pae, REG_CR0, CR0_ON, 0, LEGAL, LEGAL_NONE },
	{ &intel, &cet, REG_CR0, CR0_PAGED, 0, ILLEGAL, LEGAL_WP_CET },
	{ &intel, &pae, REG_CR0, CR0_PAGED | CR0_CD, 1, ILLEGAL, LEGAL_PDPTE_RSVD },
	{ &intel, &pae, REG_CR0, CR0_PAGED | X86_CR0_WP, 1, LEGAL, LEGAL_NONE },
	{ &intel, &nopg_pae, REG_CR0, CR0_PAGED, 1, ILLEGAL, LEGAL_PDPTE_RSVD },
	{ &amd, &nopg_pae, REG_CR0, CR0_PAGED, 1, OPEN, LEGAL_PDPTE_RSVD },
	{ &intel, &nopg, REG_CR0, CR0_PAGED, 1, LEGAL, LEGAL_NONE },

	{ &intel, &long64, REG_CR3, 0x2000 | BIT_ULL(40), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &intel, &long64, REG_CR3, 0x2000 | BIT_ULL(39), 0, LEGAL, LEGAL_NONE },
	{ &intel, &long64, REG_CR3, 0x2000 | BIT_ULL(63), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &intel, &pcid, REG_CR3, 0x2000 | BIT_ULL(63), 0, LEGAL, LEGAL_NONE },
	{ &intel, &pcid, REG_CR3, 0x2000 | BIT_ULL(62), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &intel, &pcid, REG_CR3, 0x2fff, 0, LEGAL, LEGAL_NONE },
	{ &narrow, &long64, REG_CR3, 0x2000 | BIT_ULL(36), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &narrow, &long64, REG_CR3, 0x2000 | BIT_ULL(35), 0, LEGAL, LEGAL_NONE },
	{ &lam, &long64, REG_CR3, 0x2000 | BITS_ULL(62, 61), 0, LEGAL, LEGAL_NONE },
	{ &lam, &long64, REG_CR3, 0x2000 | BIT_ULL(60), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &lam, &long64, REG_CR3, 0x2000 | BIT_ULL(63), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &intel, &long64, REG_CR3, 0x2000 | BIT_ULL(61), 0, ILLEGAL, LEGAL_CR3_RSVD },
	{ &intel, &compat, REG_CR3, 0x2000 | BIT_ULL(40), 0, LEGAL, LEGAL_NONE },
	{ &intel, &pae, REG_CR3, 0x2000, 1, ILLEGAL, LEGAL_PDPTE_RSVD },
	{ &amd, &pae, REG_CR3, 0x2000, 1, OPEN, LEGAL_PDPTE_RSVD },
	{ &intel, &long64, REG_CR3, 0x2000, 1, LEGAL, LEGAL_NONE },

	{ &intel, &long64, REG_CR4, X86_CR4_PAE | X86_CR4_SMEP, 0, LEGAL, LEGAL_NONE },
	{ &intel, &long64, REG_CR4, X86_CR4_PAE | X86_CR4_PKE, 0, ILLEGAL, LEGAL_CR4_RSVD },
	{ &intel, &long64, REG_CR4, X86_CR4_PAE | CR4_FRED, 0, ILLEGAL, LEGAL_CR4_RSVD },
	{ &intel, &compat, REG_CR4, X86_CR4_PAE | CR4_FRED, 0, LEGAL, LEGAL_NONE },
	{ &intel, &long64, REG_CR4, 0, 0, ILLEGAL, LEGAL_PAE_LMA },
	{ &intel, &pae, REG_CR4, 0, 0, LEGAL, LEGAL_NONE },
	{ &intel, &compat, REG_CR4, X86_CR4_PAE | X86_CR4_LA57, 0, ILLEGAL, LEGAL_LA57_LMA },
	{ &intel, &pae, REG_CR4, X86_CR4_PAE | X86_CR4_LA57, 0, LEGAL, LEGAL_NONE },
	{ &intel, &pae, REG_CR4, X86_CR4_PAE | CR4_PCIDE, 0, ILLEGAL, LEGAL_PCIDE_LMA },
	{ &intel, &long64, REG_CR4, X86_CR4_PAE | CR4_PCIDE, 0, LEGAL, LEGAL_NONE },
	{ &intel, &low_cr3, REG_CR4, X86_CR4_PAE | CR4_PCIDE, 0, ILLEGAL, LEGAL_PCIDE_CR3 },
	{ &intel, &long64, REG_CR4, X86_CR4_PAE | CR4_CET, 0, ILLEGAL, LEGAL_WP_CET },
	{ &intel, &pae, REG_CR4, X86_CR4_PAE | X86_CR4_PGE, 1, ILLEGAL, LEGAL_PDPTE_RSVD },
	{ &intel, &pae, REG_CR4, X86_CR4_PAE | BIT_ULL(2), 1, LEGAL, LEGAL_NONE },
	{ &intel, &two, REG_CR4, X86_CR4_PAE, 1, ILLEGAL, LEGAL_PDPTE_RSVD },

	{ &intel, &long64, REG_EFER, LONG_EFER | X86_EFER_NX, 0, LEGAL, LEGAL_NONE },
	{ &intel, &long64, REG_EFER, LONG_EFER | BIT_ULL(12), 0, ILLEGAL, LEGAL_EFER_RSVD },
	{ &amd, &long64, REG_EFER, LONG_EFER | BIT_ULL(12), 0, LEGAL, LEGAL_NONE },
	{ &intel, &compat, REG_EFER, LONG_EFER | BIT_ULL(63), 0, ILLEGAL, LEGAL_EFER_RSVD },
	{ &intel, &long64, REG_EFER, X86_EFER_LMA, 0, ILLEGAL, LEGAL_LME_PG },
	{ &intel, &pae, REG_EFER, X86_EFER_LME, 0, ILLEGAL, LEGAL_LME_PG },
	{ &intel, &nopg, REG_EFER, X86_EFER_LME, 0, LEGAL, LEGAL_NONE },
	{ &intel, &nopg, REG_EFER, X86_EFER_LMA, 0, NO_EFFECT, LEGAL_EFER_LMA },
	{ &amd, &nopg, REG_EFER, BIT_ULL(13), 0, OPEN, LEGAL_EFER_LMSLE },
	{ &intel, &nopg, REG_EFER, BIT_ULL(13), 0, ILLEGAL, LEGAL_EFER_RSVD },
};

static const struct {
	const struct legal_cpu *cpu;
	struct legal_regs regs;
	enum legality legality;
	enum legal_rule rule;
} states[] = {
	{ &intel, { CR0_PAGED, 0x1000, X86_CR4_PAE, LONG_EFER, true, false }, LEGAL, LEGAL_NONE },
	{ &intel, { CR0_PAGED, 0x1000, X86_CR4_PAE, LONG_EFER, true, true }, LEGAL, LEGAL_NONE },
	{ &intel, { CR0_ON, 0, X86_CR4_LA57, X86_EFER_LME, false, false }, LEGAL, LEGAL_NONE },
	{ &intel, { CR0_ON | BIT_ULL(63), 0, 0, 0, false, false }, ILLEGAL, LEGAL_CR0_HIGH },
	{ &intel, { CR0_ON | BIT_ULL(6), 0, 0, 0, false, false }, ILLEGAL, LEGAL_CR0_LOW },
	{ &intel, { CR0_ON, 0, X86_CR4_PKE, 0, false, false }, ILLEGAL, LEGAL_CR4_RSVD },
	{ &intel, { CR0_ON, 0, 0, BIT_ULL(1), false, false }, ILLEGAL, LEGAL_EFER_RSVD },
	{ &amd, { CR0_ON, 0, 0, BIT_ULL(13), false, false }, OPEN, LEGAL_EFER_LMSLE },
	{ &intel, { CR0_ON, 0, X86_CR4_PAE, LONG_EFER, false, false }, ILLEGAL, LEGAL_LMA_IS },
	{ &intel, { CR0_PAGED, 0, X86_CR4_PAE, X86_EFER_LME, false, false }, ILLEGAL, LEGAL_LMA_IS },
	{ &intel, { CR0_PAGED, 0, 0, LONG_EFER, false, false }, ILLEGAL, LEGAL_PG_LME_PAE },
	{ &intel, { CR0_PAGED, 0, CR4_PCIDE, 0, false, false }, ILLEGAL, LEGAL_PCIDE_LMA },
	{ &intel, { CR0_ON, 0, CR4_CET, 0, false, false }, ILLEGAL, LEGAL_WP_CET },
	{ &intel, { CR0_ON, BIT_ULL(40), 0, 0, false, false }, ILLEGAL, LEGAL_CR3_RSVD },
	{ &amd, { CR0_ON, BIT_ULL(40), 0, 0, false, false }, LEGAL, LEGAL_NONE },
	{ &intel, { CR0_PAGED, 0, X86_CR4_PAE, 0, true, false }, ILLEGAL, LEGAL_CS_L_LMA },
	{ &intel, { CR0_PAGED, 0, X86_CR4_PAE, 0, false, true }, ILLEGAL, LEGAL_PDPTE_RSVD },
	{ &amd, { CR0_PAGED, 0, X86_CR4_PAE, 0, false, true }, OPEN, LEGAL_PDPTE_RSVD },
	{ &intel, { CR0_PAGED, 0, 0, 0, false, true }, LEGAL, LEGAL_NONE },
};

static unsigned int number, failed;

static void result(bool good, const char *what, unsigned int i)
{
	printf("%sok %u %s %u\n", good ? "" : "not ", ++number, what, i);
	failed += !good;
}

/* A legal write of a legal state that the CPU carries out as it is leads to a legal state. */
static bool closed(const struct legal_cpu *cpu, const struct legal_regs *from)
{
	enum control_reg reg;
	int bit;

	for (reg = 0; reg < NR_CONTROL_REGS; reg++) {
		for (bit = 0; bit < (from->cs_l ? 64 : 32); bit++) {
			struct legal_regs to = *from;

			*legal_reg(&to, reg) ^= BIT_ULL(bit);
			if (reg == REG_CR3 && bit == 63)
				continue;
			if (legal_write(cpu, from, reg, *legal_reg(&to, reg), false).legality != LEGAL)
				continue;
			/* CR0.PG takes EFER.LMA with it. */
			to.efer &= ~(u64)X86_EFER_LMA;
			if (to.cr0 & X86_CR0_PG && to.efer & X86_EFER_LME)
				to.efer |= X86_EFER_LMA;
			if (legal_state(cpu, &to).legality != LEGAL)
				return false;
		}
	}
	return true;
}

int main(void)
{
	static const struct legal_regs *const all[] = { &nopg,	 &nopg_lme, &nopg_pae, &two,  &pae,
							&long64, &compat,   &pcid,     &cet,  &low_cr3 };
	bool seen[NR_LEGAL_RULES] = { [LEGAL_PG_LME_CS] = true, [LEGAL_PG_PCIDE] = true };
	unsigned int i;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(writes) + ARRAY_SIZE(states) + 3 +
						   ARRAY_SIZE(all) + 1);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		const struct legal_verdict v = legal_write(writes[i].cpu, writes[i].from, writes[i].reg,
							   writes[i].value, writes[i].pdptes_bad);

		seen[v.rule] = true;
		result(v.legality == writes[i].legality && v.rule == writes[i].rule, "write", i);
	}
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		const struct legal_verdict v = legal_state(states[i].cpu, &states[i].regs);

		seen[v.rule] = true;
		result(v.legality == states[i].legality && v.rule == states[i].rule, "state", i);
	}
	/* Starts that no legal path of 32-bit code leads to, or that take two changes. */
	{
		struct legal_regs from = nopg_pae;

		from.efer = X86_EFER_LME;
		result(legal_write(&intel, &from, REG_CR0, CR0_PAGED, false).legality == LEGAL,
		       "enter long mode", 0);
		from.cs_l = true;
		result(legal_write(&intel, &from, REG_CR0, CR0_PAGED, false).rule == LEGAL_PG_LME_CS,
		       "enter long mode", 1);
		from = pcid;
		from.cs_l = false;
		result(legal_write(&intel, &from, REG_CR0, CR0_ON, false).rule == LEGAL_PG_PCIDE,
		       "leave with PCIDE", 0);
	}
	for (i = 0; i < ARRAY_SIZE(all); i++)
		result(closed(&intel, all[i]), "legal writes lead to legal states", i);
	for (i = 0; i < NR_LEGAL_RULES && seen[i]; i++)
		;
	result(i == NR_LEGAL_RULES, "each rule has an answer", i);
	return failed != 0;
}
