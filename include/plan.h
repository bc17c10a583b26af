/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which combinations of entry variants are tried: the case generator.
 *
 * A plan is a list of choices, one variant index per level.  It depends on the
 * variant lists only, so one plan serves every state that walks those tables.
 */
#ifndef KMC_PLAN_H
#define KMC_PLAN_H

#include "variant.h"

struct plan {
	enum paging_mode mode;
	u32 nr;
	u16 (*choice)[MAX_LEVELS + 1]; /* [nr], variant index by level */
	struct forecast **forecasts;   /* what the model says of them (forecast.h), or NULL */
};

enum plan_kind {
	/*
	 * Every pair of levels with every pair of rights variants; every other variant of
	 * every level alone, above an entry that is not present, and below entries without
	 * rights; and large pages behind their first 4 KiB.
	 */
	PLAN_WALK,
	/* Every variant of every level alone. */
	PLAN_SINGLE,
	/* Of these: where no entry lacks A or D, for CARE_BEHIND; and where one does. */
	PLAN_FIXED,
	PLAN_UNFIXED,
	/* PLAN_SINGLE or PLAN_UNFIXED, and A=D=0 on every set of levels. */
	PLAN_CAREFUL,
	PLAN_CHANGING,
	/*
	 * For ways to make an access that take long: every variant alone, and each single right
	 * that is missing at one level with each at another.
	 */
	PLAN_EMULATION,
	/* A=D=0 on every set of levels. */
	PLAN_NOT_ACCESSED,
	/* Every variant that has code in front of its page, see struct guest.front. */
	PLAN_FRONT,
	/* Every rights variant of every level with every other: for the model's own test. */
	PLAN_RIGHTS_PRODUCT,
};
#define NR_PLAN_KINDS (PLAN_RIGHTS_PRODUCT + 1)

/* variants: lists by level. The caller frees it with plan_free(). */
void plan_make(struct plan *plan, enum plan_kind kind, enum paging_mode mode,
	       const struct variant_list variants[MAX_LEVELS + 1]);
/* The same for choices of the caller's own, which stay as they are from now on. */
void plan_keep(struct plan *plan);
void plan_free(struct plan *plan);

#endif
