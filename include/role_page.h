/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages KVM builds, and their roles: the root's, and what a child inherits.
 *
 * KVM finds a page by (gfn, role), so which page a walk needs follows from registers and
 * tables alone.  Pure functions: no I/O, no allocation, no state.
 *
 * Sources, in arch/x86/kvm/mmu:
 *   2021    mmu.c: kvm_mmu_get_page(), mmu_alloc_root(); paging_tmpl.h: FNAME(fetch)
 *   6.1, 7  mmu.c: kvm_mmu_child_role(), mmu_alloc_root(), direct_map(); paging_tmpl.h:
 *           FNAME(fetch), FNAME(gpte_access); tdp_mmu.c: tdp_mmu_init_child_sp()
 */
#ifndef KMC_ROLE_PAGE_H
#define KMC_ROLE_PAGE_H

#include "role.h"
#include "walk.h"

/* What an MMU is that builds tables. */
struct role_tables {
	struct role_context context;
	struct mmu_role cpu;   /* of the walk of the guest's tables: level, cr0_wp, cr4_smep count */
	struct mmu_role root;  /* from a root rule of role.h; direct: TDP, or paging is off */
};

/* A page: what it stands for and as what.  The ext part of the role is 0. */
struct role_page {
	u64 gfn;               /* of the guest's table; direct: the first one mapped */
	struct mmu_role role;
};

/*
 * The role of a page at a root's place: mmu_alloc_root().  level is the root's, or 2 for the
 * four pages below the PAE root, which itself is no such page.
 */
struct mmu_role role_root_page(const struct role_tables *tables, u8 level, u8 quadrant);

/*
 * The role of the page that entry spte_index of a parent page leads to: 6.1 and 7:
 * kvm_mmu_child_role(), which tdp_mmu_init_child_sp() agrees with; 2021: kvm_mmu_get_page().
 * direct: it maps a range of guest memory, as below a large page; else a guest's table.
 */
struct mmu_role kvm_mmu_child_role(const struct role_tables *tables,
				   const struct mmu_role *parent, bool direct, u8 access,
				   unsigned int spte_index);

/*
 * ACC_* bits that are left by entries whose AND is gpte, with bit 63 inverted in each
 * (FNAME(gpte_access), as FNAME(walk_addr_generic) calls it).
 */
u8 role_gpte_access(enum role_rules rules, u64 gpte);

/* The most pages that role_root_pages() or role_walk_pages() returns. */
#define ROLE_PAGES_MAX 8

/*
 * The root pages of these registers: one, or up to four below a PAE root (guest's PAE: one
 * per PDPTE that is present).  Returns how many.
 */
unsigned int role_root_pages(const struct role_tables *tables, const struct walk_regs *regs,
			     struct role_page pages[ROLE_PAGES_MAX]);

/*
 * The pages below the root that a shadowed access needs whose walk reached a page, with host
 * memory in 4-KByte pages, top level first.  Not for direct roots.  Returns how many.
 */
unsigned int role_walk_pages(const struct role_tables *tables, const struct walk_regs *regs,
			     const struct walk_access *access, const struct walk_result *walk,
			     struct role_page pages[ROLE_PAGES_MAX]);

/*
 * The page of this level (below the root's pages) that maps gpa under a direct root: TDP, or
 * shadow paging with CR0.PG = 0.
 */
struct role_page role_direct_page(const struct role_tables *tables, u8 level, gpa_t gpa);

#endif
