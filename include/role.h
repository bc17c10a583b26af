/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's MMU roles: what of the registers a page walk depends on, and how KVM
 * computes it.
 *
 * A role is computed from role_regs and a context, and from nothing else.  The
 * six rules carry the kernel's names; where no kernel function of that name is
 * left, the comment says where the rule lives.  Pure functions: no I/O, no
 * allocation, no state.
 *
 * Sources, in arch/x86/kvm unless a path is given:
 *   ROLE_RULES_2021  the series of June 2021 around "KVM: x86/mmu: Use MMU's
 *                    role_regs, not vCPU state, to compute mmu_role", as it
 *                    stands in 5.14: mmu/mmu.c, asm/kvm_host.h
 *   ROLE_RULES_6_1   6.1: mmu/mmu.c, svm/nested.c, vmx/nested.c,
 *                    asm/kvm_host.h; 6.12 computes and lays out roles the same
 *   ROLE_RULES_7     7.3: the same files
 */
#ifndef KMC_ROLE_H
#define KMC_ROLE_H

#include "types.h"
#include "x86.h"

enum role_rules {
	ROLE_RULES_2021,
	ROLE_RULES_6_1,
	ROLE_RULES_7,
	NR_ROLE_RULES,
};

/* "2021", "6.1", "7" */
const char *role_rules_name(enum role_rules rules);
/* Those of a kernel, "6.1.0-56-cloud-amd64"; of one that cannot be told those of 6.1. */
enum role_rules role_rules_of_release(const char *release);

/*
 * The register bits a role is computed from (KVM_MMU_CR0_ROLE_BITS and
 * KVM_MMU_CR4_ROLE_BITS in mmu.h; of EFER the two that the rules read).
 * A struct role_regs may hold more bits: every rule ignores them.
 */
#define ROLE_CR0_BITS (X86_CR0_PG | X86_CR0_WP)
#define ROLE_CR4_BITS                                                          \
	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_LA57 | X86_CR4_SMEP | X86_CR4_SMAP | \
	 X86_CR4_PKE)
#define ROLE_EFER_BITS (X86_EFER_NX | X86_EFER_LMA)

struct role_regs {
	u64 cr0;
	u64 cr4;
	u64 efer;
};

/* vcpu_to_role_regs(): only the bits above. */
struct role_regs role_regs_from(u64 cr0, u64 cr4, u64 efer);

/*
 * Every field a role has in any rule set: name, then per rule set (2021, 6.1, 7)
 * where it lives and how wide it is, then what it means for a walk.
 */
#define ROLE_NONE 0
#define ROLE_BASE(width) (0x40 | (width)) /* union kvm_mmu_page_role */
#define ROLE_EXT(width) (0x80 | (width))  /* union kvm_mmu_extended_role */

#define ROLE_FIELDS(F)                                                         \
	F(level, ROLE_BASE(4), ROLE_BASE(4), ROLE_BASE(4),                     \
	  "levels of the walk; 0: paging is off")                              \
	F(has_4_byte_gpte, ROLE_NONE, ROLE_BASE(1), ROLE_BASE(1),              \
	  "guest entries have 4 bytes (2-level paging)")                       \
	F(gpte_is_8_bytes, ROLE_BASE(1), ROLE_NONE, ROLE_NONE,                 \
	  "guest entries have 8 bytes")                                        \
	F(quadrant, ROLE_BASE(2), ROLE_BASE(2), ROLE_BASE(2),                  \
	  "which part of a 4-byte table this page shadows")                    \
	F(direct, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),                    \
	  "no guest table is walked: the translation is the identity")         \
	F(access, ROLE_BASE(3), ROLE_BASE(3), ROLE_BASE(4),                    \
	  "rights that the levels above leave (ACC_* bits of the rule set)")   \
	F(invalid, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),                   \
	  "page is zapped: never used for a new translation")                  \
	F(efer_nx, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),                   \
	  "entry bit 63 forbids fetches; 0: it is reserved")                   \
	F(cr0_wp, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),                    \
	  "supervisor writes need the R/W bit")                                \
	F(smep_andnot_wp, ROLE_BASE(1), ROLE_BASE(1), ROLE_NONE,               \
	  "SMEP with WP=0: a page made writable for the supervisor must not "  \
	  "become executable")                                                 \
	F(smap_andnot_wp, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),            \
	  "SMAP with WP=0: a page made writable for the supervisor must not "  \
	  "become readable")                                                   \
	F(ad_disabled, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),               \
	  "entries have no Accessed and Dirty bits")                           \
	F(guest_mode, ROLE_BASE(1), ROLE_BASE(1), ROLE_BASE(1),                \
	  "the page belongs to L2")                                            \
	F(passthrough, ROLE_NONE, ROLE_BASE(1), ROLE_BASE(1),                  \
	  "level that only the host has: maps nothing of the guest's")         \
	F(is_mirror, ROLE_NONE, ROLE_NONE, ROLE_BASE(1),                       \
	  "mirror of a TD's private table")                                    \
	F(smm, ROLE_BASE(8), ROLE_BASE(8), ROLE_BASE(8),                       \
	  "memslots of address space 1")                                       \
	F(valid, ROLE_EXT(1), ROLE_EXT(1), ROLE_EXT(1),                        \
	  "role was computed")                                                 \
	F(execonly, ROLE_EXT(1), ROLE_EXT(1), ROLE_EXT(1),                     \
	  "EPT entries may be execute-only")                                   \
	F(cr0_pg, ROLE_EXT(1), ROLE_NONE, ROLE_NONE,                           \
	  "paging is on")                                                      \
	F(cr4_pae, ROLE_EXT(1), ROLE_NONE, ROLE_NONE,                          \
	  "PAE paging or long mode")                                           \
	F(cr4_pse, ROLE_EXT(1), ROLE_EXT(1), ROLE_EXT(1),                      \
	  "2-level paging has 4M pages")                                       \
	F(cr4_pke, ROLE_EXT(1), ROLE_EXT(1), ROLE_EXT(1),                      \
	  "protection keys restrict data accesses to user pages")              \
	F(cr4_smap, ROLE_EXT(1), ROLE_EXT(1), ROLE_EXT(1),                     \
	  "supervisor data accesses to user pages fault")                      \
	F(cr4_smep, ROLE_EXT(1), ROLE_EXT(1), ROLE_BASE(1),                    \
	  "supervisor fetches from user pages fault (nested: MBEC, GMET)")     \
	F(cr4_la57, ROLE_EXT(1), ROLE_EXT(1), ROLE_EXT(1),                     \
	  "linear addresses have 57 bits")                                     \
	F(efer_lma, ROLE_NONE, ROLE_EXT(1), ROLE_EXT(1),                       \
	  "long mode is active")                                               \
	F(has_pferr_fetch, ROLE_NONE, ROLE_NONE, ROLE_EXT(1),                  \
	  "page faults report fetches in bit 4 of the error code")

/*
 * A role, unpacked.  A field that the rule set in use does not have is 0.  A
 * root's ext part is 0 but in ROLE_RULES_2021, where an MMU has one mmu_role.
 * Only u8: roles can be compared with memcmp().
 */
struct mmu_role {
#define ROLE_FIELD(name, v2021, v6_1, v7, means) u8 name;
	ROLE_FIELDS(ROLE_FIELD)
#undef ROLE_FIELD
};

enum role_field_index {
#define ROLE_FIELD(name, v2021, v6_1, v7, means) ROLE_FIELD_##name,
	ROLE_FIELDS(ROLE_FIELD)
#undef ROLE_FIELD
	NR_ROLE_FIELDS,
};

enum role_part { ROLE_PART_NONE, ROLE_PART_BASE, ROLE_PART_EXT };

struct role_field {
	const char *name;        /* as in the kernel's struct, and in its BTF */
	size_t offset;           /* in struct mmu_role */
	u8 place[NR_ROLE_RULES]; /* ROLE_NONE, ROLE_BASE(width) or ROLE_EXT(width) */
	const char *means;       /* one sentence */
};

extern const struct role_field role_fields[NR_ROLE_FIELDS];

enum role_part role_field_part(enum role_field_index field, enum role_rules rules);
/* In bits; 0 where the rule set does not have the field. */
unsigned int role_field_width(enum role_field_index field, enum role_rules rules);
u8 role_field_get(const struct mmu_role *role, enum role_field_index field);
void role_field_set(struct mmu_role *role, enum role_field_index field, u8 value);

#define ROLE_WORDS_LEN 512
/* "level=4 efer_nx cr0_wp ...": the fields that are not 0. */
void role_words(const struct mmu_role *role, enum role_rules rules, char text[ROLE_WORDS_LEN]);

/*
 * Bits of mmu_role.access.  ROLE_RULES_7 moved EXEC from bit 0 to bit 3 and
 * gave bit 0 to READ (mmu.h; before: mmu/spte.h).
 */
#define ROLE_ACC_WRITE 0x2
#define ROLE_ACC_USER 0x4

static inline u8 role_acc_exec(enum role_rules rules)
{
	return rules >= ROLE_RULES_7 ? 0x8 : 0x1;
}

static inline u8 role_acc_all(enum role_rules rules)
{
	return rules >= ROLE_RULES_7 ? 0xf : 0x7;
}

/* What a rule reads besides registers. */
struct role_context {
	enum role_rules rules;
	bool smm;             /* is_smm(): vCPU is in system management mode */
	bool guest_mode;      /* is_guest_mode(): vCPU runs L2 */
	u8 maxphyaddr;        /* cpuid_maxphyaddr(); of a TD its guest MAXPHYADDR (7) */
	u8 max_tdp_level;     /* 4 or 5: the most levels the host's TDP may have (EPT) */
	u8 tdp_root_level;    /* NPT: the host's own paging levels, forced; EPT: 0 */
	bool ad_enabled;      /* kvm_ad_enabled: the host's TDP has A/D bits */
	bool tdp_has_smep;    /* 7: MBEC or GMET used by this VM's TDP (never for a TD) */
	bool tdp_user_bit;    /* 7: TDP entries have a U/S bit (NPT; shadow_user_mask) */
};

/* What shadow EPT reads of L1's EPTP, capabilities and execution controls. */
struct role_eptp {
	u8 level;             /* vmx_eptp_page_walk_level(): 4 or 5 */
	bool accessed_dirty;  /* EPTP bit 6 */
	bool execonly;        /* L1 is offered execute-only entries */
	bool mbec;            /* 7: L1 uses mode-based execute control */
};

/* What shadow NPT reads of L1: registers as of VMRUN, nested control. */
struct role_npt {
	u64 cr4;              /* vmcb01.save.cr4 */
	u64 efer;             /* vmcb01.save.efer */
	bool gmet;            /* 7: guest mode execute trap, in vmcb12's misc_ctl */
};

/* kvm_mmu_get_tdp_level(), mmu/mmu.c, all versions */
u8 kvm_mmu_get_tdp_level(const struct role_context *context);

/*
 * The role of the walk of the guest's own tables.
 * 6.1, 7: kvm_calc_cpu_role().  2021 keeps its parts in mmu_role and root_level:
 * kvm_calc_shadow_root_page_role_common() and role_regs_to_root_level();
 * direct is kvm_calc_shadow_mmu_root_page_role()'s.
 */
struct mmu_role kvm_calc_cpu_role(const struct role_context *context,
				  const struct role_regs *regs);

/* Role of the root of TDP tables.  All versions: kvm_calc_tdp_mmu_root_page_role(). */
struct mmu_role kvm_calc_tdp_mmu_root_page_role(const struct role_context *context,
						const struct role_regs *regs);

/*
 * Role of the root of shadow tables without TDP.  2021:
 * kvm_calc_shadow_mmu_root_page_role(); 6.1: inline in kvm_init_shadow_mmu();
 * 7: inline in init_kvm_shadow_mmu().
 */
struct mmu_role kvm_calc_shadow_mmu_root_page_role(const struct role_context *context,
						   const struct role_regs *regs);

/*
 * L1's nested page tables (svm): role of the walk L2 GPA -> L1 GPA, and role of
 * the root that shadows them.  2021: kvm_calc_shadow_npt_root_page_role();
 * 6.1, 7: inline in kvm_init_shadow_npt_mmu().  Which of L1's bits are used is
 * half in nested_svm_init_mmu_context() (CR0) and half there (CR4).
 * context->guest_mode is to be true.
 */
struct mmu_role kvm_calc_npt_cpu_role(const struct role_context *context,
				      const struct role_npt *npt);
struct mmu_role kvm_calc_shadow_npt_root_page_role(const struct role_context *context,
						   const struct role_npt *npt);

/*
 * L1's extended page tables (vmx): role of the walk; its base part is the
 * root's role.  All versions: kvm_calc_shadow_ept_root_page_role().
 */
struct mmu_role kvm_calc_shadow_ept_root_page_role(const struct role_context *context,
						   const struct role_eptp *eptp);

/*
 * Walk of L2's own tables, L2 GVA -> L2 GPA, with L2's registers: never a root.
 * 2021: kvm_calc_nested_mmu_role(); 6.1: kvm_calc_cpu_role() by way of
 * init_kvm_nested_mmu(); 7: the same by way of init_kvm_page_walk().
 */
struct mmu_role kvm_calc_nested_mmu_role(const struct role_context *context,
					 const struct role_regs *l2_regs);

/*
 * How KVM reads the role of a walk back: is_cr0_pg(), is_cr4_pae(),
 * is_efer_lma(), has_pferr_fetch() of mmu/mmu.c (2021 and 6.1:
 * efer_nx || cr4_smep in FNAME(walk_addr_generic), mmu/paging_tmpl.h).
 */
static inline bool role_is_cr0_pg(enum role_rules rules, const struct mmu_role *role)
{
	return rules == ROLE_RULES_2021 ? role->cr0_pg : role->level > 0;
}

static inline bool role_is_cr4_pae(enum role_rules rules, const struct mmu_role *role)
{
	return rules == ROLE_RULES_2021 ? role->cr4_pae : !role->has_4_byte_gpte;
}

static inline bool role_is_efer_lma(enum role_rules rules, const struct mmu_role *role)
{
	return rules == ROLE_RULES_2021 ? role->level >= 4 : role->efer_lma;
}

static inline bool role_has_pferr_fetch(enum role_rules rules, const struct mmu_role *role)
{
	return rules >= ROLE_RULES_7 ? role->has_pferr_fetch
				     : role->efer_nx || role->cr4_smep;
}

#endif
