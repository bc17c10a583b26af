// SPDX-License-Identifier: GPL-2.0-only
/* Legal register combinations and changes: see include/legal_regs.h. */
#include "legal_regs.h"
#include "x86.h"

#define CR0_NW BIT_ULL(29)
#define CR0_CD BIT_ULL(30)
#define CR0_LOW_DEFINED (BITS_ULL(5, 0) | BIT_ULL(16) | BIT_ULL(18) | BITS_ULL(31, 29))
#define CR4_PCIDE BIT_ULL(17)
#define CR4_CET BIT_ULL(23)
#define CR4_LAM_SUP BIT_ULL(28)
#define EFER_LMSLE BIT_ULL(13)
#define CR3_PCID BITS_ULL(11, 0)
#define CR3_LAM BITS_ULL(62, 61)
#define CR3_NO_FLUSH BIT_ULL(63)
/* Changes of these load the PDPTEs anew (SDM 3A 4.4.1). */
#define CR0_PDPTE_BITS (X86_CR0_PG | CR0_NW | CR0_CD)
#define CR4_PDPTE_BITS (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)

const struct legal_rule_text legal_rules[NR_LEGAL_RULES] = {
#define LEGAL_RULE(id, name, says, manual) { name, says, manual },
	LEGAL_RULES(LEGAL_RULE)
#undef LEGAL_RULE
};

u64 *legal_reg(struct legal_regs *regs, enum control_reg reg)
{
	u64 *const of[NR_CONTROL_REGS] = { &regs->cr0, &regs->cr3, &regs->cr4, &regs->efer };

	return of[reg];
}

static struct legal_verdict verdict(enum legality legality, enum legal_rule rule)
{
	return (struct legal_verdict){ legality, rule };
}

static struct legal_verdict illegal(enum legal_rule rule)
{
	return verdict(ILLEGAL, rule);
}

static struct legal_verdict legal(void)
{
	return verdict(LEGAL, LEGAL_NONE);
}

static struct legal_verdict bad_pdptes(const struct legal_cpu *cpu)
{
	return verdict(cpu->pdptes_on_demand ? OPEN : ILLEGAL, LEGAL_PDPTE_RSVD);
}

/* CR0 by itself, low reserved bits and ET aside. */
static struct legal_verdict cr0_alone(u64 cr0)
{
	if (cr0 >> 32)
		return illegal(LEGAL_CR0_HIGH);
	if (cr0 & X86_CR0_PG && !(cr0 & X86_CR0_PE))
		return illegal(LEGAL_PG_PE);
	if (cr0 & CR0_NW && !(cr0 & CR0_CD))
		return illegal(LEGAL_NW_CD);
	return legal();
}

static u64 cr3_reserved(const struct legal_cpu *cpu)
{
	u64 reserved = BITS_ULL(63, cpu->maxphyaddr);

	return cpu->cr4 & CR4_LAM_SUP ? reserved & ~CR3_LAM : reserved;
}

/* EFER by itself. */
static struct legal_verdict efer_alone(const struct legal_cpu *cpu, u64 efer)
{
	if (efer & ~cpu->efer & ~(cpu->lmsle ? EFER_LMSLE : 0))
		return illegal(LEGAL_EFER_RSVD);
	return legal();
}

struct legal_verdict legal_state(const struct legal_cpu *cpu, const struct legal_regs *r)
{
	bool lma = r->efer & X86_EFER_LMA, pg = r->cr0 & X86_CR0_PG;
	struct legal_verdict v = cr0_alone(r->cr0);

	if (v.legality != LEGAL)
		return v;
	v = efer_alone(cpu, r->efer);
	if (v.legality != LEGAL)
		return v;
	if (r->cr4 & ~cpu->cr4)
		return illegal(LEGAL_CR4_RSVD);
	if (lma != (pg && r->efer & X86_EFER_LME))
		return illegal(LEGAL_LMA_IS);
	if (lma && !(r->cr4 & X86_CR4_PAE))
		return illegal(LEGAL_PG_LME_PAE);
	if (r->cr4 & CR4_PCIDE && !lma)
		return illegal(LEGAL_PCIDE_LMA);
	if (r->cr4 & CR4_CET && !(r->cr0 & X86_CR0_WP))
		return illegal(LEGAL_WP_CET);
	if (r->cr3 & cr3_reserved(cpu))
		return illegal(LEGAL_CR3_RSVD);
	if (r->cs_l && !lma)
		return illegal(LEGAL_CS_L_LMA);
	if (r->cr0 & ~CR0_LOW_DEFINED)
		return illegal(LEGAL_CR0_LOW);
	if (pg && !lma && r->cr4 & X86_CR4_PAE && r->pdptes_bad)
		return bad_pdptes(cpu);
	if (r->efer & EFER_LMSLE && !(cpu->efer & EFER_LMSLE))
		return verdict(OPEN, LEGAL_EFER_LMSLE);
	return legal();
}

static struct legal_verdict write_cr0(const struct legal_cpu *cpu, const struct legal_regs *from,
				      u64 value, bool pdptes_bad)
{
	bool was_pg = from->cr0 & X86_CR0_PG, pg = value & X86_CR0_PG;
	bool lme = from->efer & X86_EFER_LME;
	struct legal_verdict v = cr0_alone(value);

	if (v.legality != LEGAL)
		return v;
	if (pg && !was_pg && lme && !(from->cr4 & X86_CR4_PAE))
		return illegal(LEGAL_PG_LME_PAE);
	if (pg && !was_pg && lme && from->cs_l)
		return illegal(LEGAL_PG_LME_CS);
	if (!pg && was_pg && from->efer & X86_EFER_LMA && from->cs_l)
		return illegal(LEGAL_PG_CODE64);
	if (!pg && from->cr4 & CR4_PCIDE)
		return illegal(LEGAL_PG_PCIDE);
	if (!(value & X86_CR0_WP) && from->cr4 & CR4_CET)
		return illegal(LEGAL_WP_CET);
	if (pg && !lme && from->cr4 & X86_CR4_PAE && pdptes_bad &&
	    (value ^ from->cr0) & CR0_PDPTE_BITS)
		return bad_pdptes(cpu);
	if (value & ~CR0_LOW_DEFINED)
		return verdict(cpu->vendor == VENDOR_AMD ? NO_EFFECT : IGNORED, LEGAL_CR0_LOW);
	if (!(value & X86_CR0_ET))
		return verdict(IGNORED, LEGAL_CR0_ET);
	return legal();
}

static struct legal_verdict write_cr3(const struct legal_cpu *cpu, const struct legal_regs *from,
				      u64 value, bool pdptes_bad)
{
	u64 reserved = cr3_reserved(cpu);
	bool lma = from->efer & X86_EFER_LMA;

	if (from->cr4 & CR4_PCIDE)
		reserved &= ~CR3_NO_FLUSH;
	if (from->cs_l && value & reserved)
		return illegal(LEGAL_CR3_RSVD);
	if (from->cr0 & X86_CR0_PG && !lma && from->cr4 & X86_CR4_PAE && pdptes_bad)
		return bad_pdptes(cpu);
	return legal();
}

static struct legal_verdict write_cr4(const struct legal_cpu *cpu, const struct legal_regs *from,
				      u64 value, bool pdptes_bad)
{
	bool lma = from->efer & X86_EFER_LMA;

	if (value & ~cpu->cr4)
		return illegal(LEGAL_CR4_RSVD);
	if (lma && !(value & X86_CR4_PAE))
		return illegal(LEGAL_PAE_LMA);
	if (lma && (value ^ from->cr4) & X86_CR4_LA57)
		return illegal(LEGAL_LA57_LMA);
	if (value & ~from->cr4 & CR4_PCIDE && !lma)
		return illegal(LEGAL_PCIDE_LMA);
	if (value & ~from->cr4 & CR4_PCIDE && from->cr3 & CR3_PCID)
		return illegal(LEGAL_PCIDE_CR3);
	if (value & CR4_CET && !(from->cr0 & X86_CR0_WP))
		return illegal(LEGAL_WP_CET);
	if (from->cr0 & X86_CR0_PG && !lma && value & X86_CR4_PAE && pdptes_bad &&
	    (value ^ from->cr4) & CR4_PDPTE_BITS)
		return bad_pdptes(cpu);
	return legal();
}

static struct legal_verdict write_efer(const struct legal_cpu *cpu, const struct legal_regs *from,
				       u64 value)
{
	struct legal_verdict v = efer_alone(cpu, value);

	if (v.legality != LEGAL)
		return v;
	if (from->cr0 & X86_CR0_PG && (value ^ from->efer) & X86_EFER_LME)
		return illegal(LEGAL_LME_PG);
	if ((value ^ from->efer) & X86_EFER_LMA)
		return verdict(NO_EFFECT, LEGAL_EFER_LMA);
	if (value & EFER_LMSLE && !(cpu->efer & EFER_LMSLE))
		return verdict(OPEN, LEGAL_EFER_LMSLE);
	return legal();
}

struct legal_verdict legal_write(const struct legal_cpu *cpu, const struct legal_regs *from,
				 enum control_reg reg, u64 value, bool pdptes_bad)
{
	if (reg == REG_EFER)
		return write_efer(cpu, from, value);
	if (!from->cs_l)
		value &= 0xffffffff;
	switch (reg) {
	case REG_CR0:
		return write_cr0(cpu, from, value, pdptes_bad);
	case REG_CR3:
		return write_cr3(cpu, from, value, pdptes_bad);
	default:
		return write_cr4(cpu, from, value, pdptes_bad);
	}
}
