/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which combinations of CR0, CR3, CR4 and EFER are legal, and which changes of one of them.
 *
 * Pure predicates from the manuals: Intel SDM vol. 3A 2.5 and 4.1, vol. 2B "MOV - Move
 * to/from Control Registers", vol. 4 (IA32_EFER); AMD APM vol. 2 3.1, 5.3.2, 14.6.  Nothing
 * here knows KVM.
 */
#ifndef KMC_LEGAL_REGS_H
#define KMC_LEGAL_REGS_H

#include "control_bits.h"
#include "page_table.h"

/* What the rules need to know of a CPU. */
struct legal_cpu {
	enum vendor vendor;
	u8 maxphyaddr;
	u64 cr4, efer;         /* the bits that may be 1 */
	bool lmsle;            /* EFER.LMSLE is not denied (AMD): some CPUs have it */
	bool pdptes_on_demand; /* AMD with nested paging: PDPTEs are not loaded (APM2 15.25.10) */
};

struct legal_regs {
	u64 cr0, cr3, cr4, efer;
	bool cs_l;             /* 64-bit code segment */
	bool pdptes_bad;       /* at CR3 lie PDPTEs of which a present one has a reserved bit */
};

enum legality {
	LEGAL,
	ILLEGAL,   /* a write raises #GP(0); as a state it cannot be */
	IGNORED,   /* a write succeeds, and these bits stay as they are */
	NO_EFFECT, /* the manuals do not say which of the two; in no case do the bits change */
	OPEN,      /* the manuals leave it to the CPU */
};

/* name, what it says, where it is written */
#define LEGAL_RULES(R)                                                                        \
	R(NONE, "legal", "nothing forbids it", "-")                                           \
	R(CR0_HIGH, "cr0-high", "CR0[63:32] are reserved", "SDM 3A 2.5, APM2 3.1.1")          \
	R(CR0_LOW, "cr0-reserved", "reserved bits of CR0[31:0] cannot be set",                \
	  "SDM 2B MOV to CR: ignored; APM2 3.1.1: not to be changed")                         \
	R(CR0_ET, "cr0-et", "CR0.ET is 1 and cannot be changed", "SDM 3A 2.5, APM2 3.1.1")    \
	R(PG_PE, "pg-needs-pe", "CR0.PG=1 needs PE=1", "SDM 3A 2.5, APM2 3.1.1")              \
	R(NW_CD, "nw-needs-cd", "CR0.NW=1 needs CD=1", "SDM 3A 11.5.1, APM2 3.1.1")           \
	R(PG_LME_PAE, "lme-needs-pae", "CR0.PG=1 with EFER.LME=1 needs CR4.PAE=1",            \
	  "SDM 3A 4.1.2, APM2 14.6.1")                                                        \
	R(PG_LME_CS, "lme-with-cs-l", "CR0.PG=1 with EFER.LME=1 needs CS.L=0 before",         \
	  "SDM 3A 10.8.5, APM2 14.6.1")                                                       \
	R(PG_CODE64, "pg-in-64-bit", "64-bit code cannot clear CR0.PG",                       \
	  "SDM 2B MOV to CR, APM2 14.6.1")                                                    \
	R(PG_PCIDE, "pg-with-pcide", "CR0.PG cannot be cleared with CR4.PCIDE=1",             \
	  "SDM 3A 4.10.1, APM2 5.5.1")                                                        \
	R(WP_CET, "cet-needs-wp", "CR4.CET=1 needs CR0.WP=1", "SDM 3A 2.5, APM2 3.1.3")       \
	R(CR4_RSVD, "cr4-reserved", "a bit of CR4 that this CPU does not have",               \
	  "SDM 3A 2.5, APM2 3.1.3")                                                           \
	R(PAE_LMA, "lma-needs-pae", "CR4.PAE cannot be cleared in long mode",                 \
	  "SDM 3A 4.1.2, APM2 14.6.1")                                                        \
	R(LA57_LMA, "la57-in-long-mode", "CR4.LA57 cannot be changed in long mode",           \
	  "SDM 3A 4.1.2, APM2 5.3.1")                                                         \
	R(PCIDE_LMA, "pcide-needs-lma", "CR4.PCIDE=1 needs EFER.LMA=1",                       \
	  "SDM 3A 4.10.1, APM2 5.5.1")                                                        \
	R(PCIDE_CR3, "pcide-needs-pcid-0", "CR4.PCIDE can be set with CR3[11:0]=0 only",      \
	  "SDM 3A 4.10.1, APM2 5.5.1")                                                        \
	R(CR3_RSVD, "cr3-reserved", "CR3 bits from MAXPHYADDR up are reserved",               \
	  "SDM 3A 4.5, APM2 3.1.2")                                                           \
	R(PDPTE_RSVD, "pdpte-reserved", "a present PDPTE has a reserved bit set",             \
	  "SDM 3A 4.4.1; with nested paging APM2 15.25.10")                                   \
	R(EFER_RSVD, "efer-reserved", "a bit of EFER that this CPU does not have",            \
	  "SDM vol. 4, APM2 3.1.7")                                                           \
	R(EFER_LMSLE, "efer-lmsle", "whether there is EFER.LMSLE is not told by CPUID alone", \
	  "APM2 3.1.7, 4.12.2")                                                               \
	R(EFER_LMA, "efer-lma", "EFER.LMA is not written by software",                        \
	  "SDM 3A 2.2.1, APM2 3.1.7")                                                         \
	R(LME_PG, "lme-with-pg", "EFER.LME cannot be changed with CR0.PG=1",                  \
	  "SDM 3A 2.2.1, APM2 3.1.7")                                                         \
	R(LMA_IS, "lma-is-lme-and-pg", "EFER.LMA is EFER.LME and CR0.PG",                     \
	  "SDM 3A 2.2.1, APM2 14.6.1")                                                        \
	R(CS_L_LMA, "cs-l-needs-lma", "CS.L=1 needs EFER.LMA=1", "SDM 3A 3.4.5, APM2 4.8.1")

enum legal_rule {
#define LEGAL_RULE(id, name, says, manual) LEGAL_##id,
	LEGAL_RULES(LEGAL_RULE)
#undef LEGAL_RULE
	NR_LEGAL_RULES,
};

struct legal_rule_text {
	const char *name, *says, *manual;
};

extern const struct legal_rule_text legal_rules[NR_LEGAL_RULES];

struct legal_verdict {
	enum legality legality;
	enum legal_rule rule;
};

/* Can a CPU be in this state? */
struct legal_verdict legal_state(const struct legal_cpu *cpu, const struct legal_regs *regs);

/*
 * May CPL 0 code in a legal state write this one register: MOV to CR0, CR3 or CR4, WRMSR of
 * EFER?  Outside 64-bit code a control register has 32 bits.  For CR3 pdptes_bad is asked of
 * the new value, for CR0 and CR4 of the one that is loaded.
 */
struct legal_verdict legal_write(const struct legal_cpu *cpu, const struct legal_regs *from,
				 enum control_reg reg, u64 value, bool pdptes_bad);

/* "cr4": the field that holds this register. */
u64 *legal_reg(struct legal_regs *regs, enum control_reg reg);

#endif
