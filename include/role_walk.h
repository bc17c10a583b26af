/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The role walker: the answer of include/walk.h from a role alone.
 *
 * It is built as KVM's software walker is: derived tables (permission bitmask,
 * PKRU mask) are computed once per role and indexed per access.  Control
 * registers never reach it; what it takes besides the role is vCPU state that no
 * role holds: CR3, PDPTEs, PKRU, CPL, EFLAGS.AC.  Where both walkers agree on
 * every legal state, the role carries all that a walk depends on.
 *
 * Sources: update_permission_bitmask(), update_pkru_bitmask(), permission_fault(),
 * FNAME(walk_addr_generic) in arch/x86/kvm/mmu/ (6.1, 6.12, 7.x agree in outcome).
 */
#ifndef KMC_ROLE_WALK_H
#define KMC_ROLE_WALK_H

#include "role.h"
#include "walk.h"

/* Rights of a translation, as in the kernel: bits of an index. */
#define ACC_EXEC 1
#define ACC_WRITE 2
#define ACC_USER 4

struct role_mmu {
	struct mmu_role role;
	enum paging_mode mode;
	bool cr4_pse, efer_nx, fetch_bit;
	/*
	 * permissions[PFEC >> 1] holds one bit per ACC_* combination: set when that
	 * access to such a page faults.  PFERR_RSVD, never set in a lookup, stands for
	 * "SMAP is not lifted by EFLAGS.AC", as in the kernel.
	 */
	u8 permissions[16];
	/* The same for keys: two bits (AD, WD) per (PFEC without P, page is user). */
	u32 pkru_mask;
};

void role_mmu_init(enum role_rules rules, const struct mmu_role *role, struct role_mmu *mmu);

/* regs: only cr3, pdptr, pkru and cs_l are read. */
void role_walk(const struct role_mmu *mmu, const struct cpu_facts *cpu,
	       const struct walk_regs *regs, const struct phys_memory *memory,
	       const struct walk_access *access, struct walk_result *result);

#endif
