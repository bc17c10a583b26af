/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * L1 changes an entry of its nested tables while L2 uses them.
 *
 *   4level/wp,nx/over/nopg/-/level2/full-large/new-asid/root0/read
 *
 * L1's state / over / L2's state / the entry / what it was and becomes / how L1 drops what the
 * TLB holds / which nCR3 / the access.  In front of the entries are two roots, which share the
 * tables below and, but under PAE, give different rights: the second one's are read-only.
 *
 * One vCPU goes through every ordered pair of an entry's contents.  At each, L2 runs under
 * both roots and accesses the page, by its CPU and by KVM's emulator for it; then L1 stores the
 * next, as a guest does, and KVM must notice.  What TLBs may keep: nothing.  VMRUN flushes all
 * ASIDs (TLB_CONTROL 1), or L2 gets an ASID that has not run since (APM vol. 2 15.16, 15.25.11); or L1
 * drops L2's translation of the page's linear address alone, by INVLPGA (APM vol. 2 15.16.3): then other
 * translations stay in use, and A and D bits are not compared.
 * Outcomes and A and D bits are those of nested_walk() on a copy that is edited alike.
 */
#ifndef KMC_NESTED_EDIT_H
#define KMC_NESTED_EDIT_H

#include "mmu_state.h"
#include "report.h"

enum nested_edit_flush { EDIT_FLUSH_ALL, EDIT_NEW_ASID, EDIT_INVLPGA, NR_EDIT_FLUSHES };
extern const char *const nested_edit_flush_names[NR_EDIT_FLUSHES];

struct nested_edits;
struct nested_edits *nested_edits_create(void);
void nested_edits_free(struct nested_edits *edits);
/* Skips what cannot be run here. */
void nested_edits_require(struct nested_edits *edits, const struct mmu_state *l1,
			  const struct mmu_state *l2);
/* All pairs of contents at every level. */
void nested_edits_run(struct nested_edits *edits, const struct mmu_state *l1,
		      const struct mmu_state *l2, enum nested_edit_flush flush);
/* --case: an exit code. */
int nested_edit_replay(const struct test_options *options);

#endif
