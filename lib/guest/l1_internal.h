/* SPDX-License-Identifier: GPL-2.0-only */
/* What l1.c, l1_tables.c and the vendors' L1s share. */
#ifndef KMC_L1_INTERNAL_H
#define KMC_L1_INTERNAL_H

#include "l1.h"

/* An L1 is written once per vendor: what its code is, and how L2's registers get there. */
struct l1_vendor {
	const u8 *code, *code_end; /* copied to L1_CODE, at most L1_CODE_SIZE bytes */
	/* NULL, or what this host lacks. */
	const char *(*lacks)(struct guest *guest, bool nested);
	/* NULL: every state can be L2's; or see l1_cannot(). */
	const char *(*cannot)(const struct guest *guest, const struct mmu_state *state, bool nested);
	/* Once per guest, before the first entry. */
	void (*init)(struct guest *guest);
	/* Bits of a nested entry that gives all rights: to a table, or leaf. */
	u64 (*full)(enum paging_mode mode, int level, bool leaf);
	/* The root as the control structure wants it. */
	u64 (*root)(enum state_mode mode, gpa_t table);
	/*
	 * Writes L2's registers to the control structure; then registers become those that L1
	 * starts with: L1's own state is in *own.
	 */
	void (*enter)(struct guest *guest, const struct kvm_sregs *l2, struct kvm_sregs *own,
		      struct kvm_regs *regs);
	/* What the control structure says about the last exit. */
	struct l1_exit (*last_exit)(struct guest *guest);
};

extern const struct l1_vendor l1_svm, l1_vmx;

/* Identity maps. */
struct l1_map {
	struct guest *guest;
	enum paging_mode mode;
	gpa_t *next, end;  /* free pages for tables */
	u64 (*full)(enum paging_mode mode, int level, bool leaf);
	gpa_t root;
};

/* A map of nothing yet. */
void l1_map_begin(struct l1_map *map);
/* Maps [gpa, gpa + size) to itself by the largest pages up to page_level. */
void l1_map_range(struct l1_map *map, gpa_t gpa, u64 size, int page_level);

#endif
