/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested paging as KVM has it: three roles, and a walker that is driven by them.
 *
 *   walk  L2-physical to L1-physical, through L1's nested tables (7: ngpa_walk; before:
 *         guest_mmu, its cpu role)
 *   root  of the pages with which KVM shadows L1's nested tables
 *   l2    L2 linear to L2-physical (7: gva_walk; before: nested_mmu): never a root
 *
 * What each is computed from is in role.h.  nested_role_walk() gives the answers of
 * nested_walk() (nested.h) from these roles, built as KVM's software walker is: permission
 * bitmask, map of bad memory types and XWR.  Control registers, EPTP bits and controls never
 * reach it; what it takes besides the roles is what no role holds: root, CR3, PDPTEs,
 * PKRU, CPL, EFLAGS.AC, L1's EPT capabilities.
 *
 * Where KVM is known not to do what the manuals say, the walker does what the manuals say,
 * and the difference has a name: NESTED_DEVIATIONS.  Asked for, the walker does as KVM does.
 *
 * Sources: kvm_init_shadow_npt_mmu(), kvm_init_shadow_ept_mmu(), kvm_calc_shadow_ept_root_
 * page_role(), init_kvm_nested_mmu(), __reset_rsvds_bits_mask_ept(), update_permission_
 * bitmask() in mmu/mmu.c; FNAME(walk_addr_generic) in mmu/paging_tmpl.h with PTTYPE_EPT, 64
 * and 32; nested_ept_inject_page_fault(), vmx_translate_nested_gpa() in vmx/nested.c;
 * nested_svm_inject_npf_exit(), svm_translate_nested_gpa() in svm/nested.c.
 */
#ifndef KMC_NESTED_ROLE_H
#define KMC_NESTED_ROLE_H

#include "nested.h"
#include "role.h"
#include "role_walk.h"

/*
 * Who meets a deviation: NESTED_BY_EMULATION, what KVM itself does for L2 when it emulates
 * an instruction of L2's (forced emulation, INS and OUTS, MMIO): then all of the walk is
 * KVM's.  NESTED_BY_ANY, L2's own accesses, too: then the CPU walks L2's tables, and KVM
 * walks L1's nested tables for the one address that the CPU exited with.
 */
enum nested_deviation_seen { NESTED_BY_EMULATION, NESTED_BY_ANY };

#define NESTED_IN_2021 (1u << ROLE_RULES_2021)
#define NESTED_IN_6_1 (1u << ROLE_RULES_6_1)
#define NESTED_IN_7 (1u << ROLE_RULES_7)
#define NESTED_IN_ALL (NESTED_IN_2021 | NESTED_IN_6_1 | NESTED_IN_7)

/*
 * D(name, rule sets that have it, who meets it, the rule of nested_rules.def it is against,
 * what KVM does, where).  Read in the sources; what runs have shown is in docs/findings.md.
 */
#define NESTED_DEVIATIONS(D)                                                               \
	D(PAGE_ADDRESS, NESTED_IN_ALL, NESTED_BY_EMULATION, N_ALLOWED,                         \
	  "the address of an exit has page offset 0", "FNAME(walk_addr_generic)")          \
	D(WALK_WRITES, NESTED_IN_ALL, NESTED_BY_EMULATION, N_EPT_WALK_WRITE,               \
	  "without A/D flags for EPT, too, reading L2's tables is a write: a violation "   \
	  "where L1 maps them read-only", "FNAME(walk_addr_generic)")                      \
	D(READ_WITH_ALL, NESTED_IN_2021 | NESTED_IN_6_1, NESTED_BY_EMULATION,              \
	  N_EPT_Q_ACCESS, "exit qualification bit 0 is set for writes and fetches, too",   \
	  "translate_nested_gpa, FNAME(walk_addr_generic)")                                \
	D(EXECONLY_FETCH, NESTED_IN_2021 | NESTED_IN_6_1, NESTED_BY_EMULATION, N_EPT_FETCH, \
	  "a fetch from an execute-only page is a violation: R is taken for U/S, and every " \
	  "nested access for one of a user", "translate_nested_gpa")                       \
	D(NO_ADVANCED, NESTED_IN_7, NESTED_BY_EMULATION, N_EPT_Q_ADVANCED,                 \
	  "exit qualification bits 11:9 are 0 though offered", "FNAME(walk_addr_generic)") \
	D(STAGE_FINAL, NESTED_IN_2021 | NESTED_IN_6_1, NESTED_BY_EMULATION, N_NPF_WALK,    \
	  "EXITINFO1 says \"final address\" for L2's tables, too",                         \
	  "nested_svm_inject_npf_exit")                                                    \
	D(L2_PDPTE_CACHED, NESTED_IN_ALL, NESTED_BY_EMULATION, N_L2_PDPTE,                 \
	  "SVM: L2's PDPTEs are those read when it was last needed, not those in memory",  \
	  "kvm_pdptr_read, svm_cache_reg")                                                 \
	D(NPT_PDPTE_RSVD, NESTED_IN_ALL, NESTED_BY_ANY, N_NPT_RSVD,                        \
	  "reserved bits of the PDPTEs of nested PAE tables are not looked at",            \
	  "FNAME(walk_addr_generic)")                                                      \
	D(GPA_TRUNCATED, NESTED_IN_ALL, NESTED_BY_ANY, N_GPA_WIDTH,                        \
	  "address bits beyond what the tables translate are dropped",                     \
	  "FNAME(walk_addr_generic)")                                                      \
	D(NMI_LOST, NESTED_IN_ALL, NESTED_BY_ANY, N_EPT_Q_NMI,                             \
	  "exit qualification bit 12 is always 0", "nested_ept_inject_page_fault")

enum nested_deviation {
#define D(name, in, seen, rule, does, where) NESTED_DEV_##name,
	NESTED_DEVIATIONS(D)
#undef D
	NR_NESTED_DEVIATIONS,
};

struct nested_deviation_text {
	const char *name;                 /* "WALK_WRITES" */
	u32 rule_sets;                    /* NESTED_IN_* */
	enum nested_deviation_seen seen;
	enum rule against;                /* RULE_N_ALLOWED: a field's definition in nested.h */
	const char *does;                 /* one sentence */
	const char *where;                /* kernel function */
};

extern const struct nested_deviation_text nested_deviations[NR_NESTED_DEVIATIONS];

/* Those that a rule set has: for L2's own accesses, or for emulated ones. */
u32 nested_deviations_of(enum role_rules rules, bool emulation);

struct nested_roles {
	struct mmu_role walk, root, l2;
};

/* context.guest_mode must be true. */
void nested_roles_of(const struct role_context *context, const struct nested_tables *tables,
		     const struct walk_regs *l2, struct nested_roles *roles);

/* Rights of a nested translation: numbers of rule set 7 (ACC_*_MASK in mmu.h). */
#define NESTED_ACC_READ 1
#define NESTED_ACC_WRITE 2
#define NESTED_ACC_USER 4      /* NPT */
#define NESTED_ACC_USER_EXEC 4 /* EPT: with MBEC */
#define NESTED_ACC_EXEC 8

struct nested_role_mmu {
	enum role_rules rules;
	enum nested_kind kind;
	struct nested_roles role;
	enum nested_format_index format;
	u32 deviations;               /* BIT(NESTED_DEV_*): do as KVM does */
	struct ept_caps caps;
	struct role_mmu l2;
	bool fetch_bit;               /* NPT: has_pferr_fetch */
	/* permissions[PFEC >> 1]: one bit per NESTED_ACC_* combination, set when it faults. */
	u16 permissions[16];
	u64 bad_mt_xwr;               /* EPT: one bit for each value of entry bits 5:0 */
	u64 ept_reserved[2][MAX_LEVELS + 1]; /* EPT: by bit 7, by level */
};

void nested_role_mmu_init(const struct role_context *context, const struct nested_roles *roles,
			  const struct nested_tables *tables, const struct cpu_facts *cpu,
			  u32 deviations, struct nested_role_mmu *mmu);

/*
 * root: nCR3 or EPTP, of which only the address is read.  l2->regs: only cr3, pdptr, pkru
 * and cs_l.  result->also and every .open and .may_set stay empty: KVM does one thing.
 */
void nested_role_walk(const struct nested_role_mmu *mmu, const struct cpu_facts *cpu,
		      const struct nested_l2 *l2, u64 root, const struct phys_memory *memory,
		      const struct walk_access *access, struct nested_result *result);

/* Is the role walker's result one that the manuals' allows? */
bool nested_results_agree(const struct nested_result *manual, const struct nested_result *role);

#endif
