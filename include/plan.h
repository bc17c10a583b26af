/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which combinations of entry variants are tried: the case generator.
 *
 * A plan is a list of choices, one variant index per level.  It depends on the
 * variant lists only, so one plan serves every state that walks those tables.
 */
#ifndef KMC_PLAN_H
#define KMC_PLAN_H

#include "guest.h"

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
	/* Where no entry lacks A or D, for CARE_BEHIND: of PLAN_WALK, of PLAN_SINGLE. */
	PLAN_WALK_FIXED,
	PLAN_SINGLE_FIXED,
	/* Of PLAN_SINGLE, where one does. */
	PLAN_UNFIXED,
	/* One of these, and A=D=0 on every set of levels. */
	PLAN_WALK_CAREFUL,
	PLAN_CAREFUL, /* PLAN_SINGLE */
	PLAN_CHANGING, /* PLAN_UNFIXED */
	/*
	 * For ways to make an access that take long: every variant alone, and each single right
	 * that is missing at one level with each at another.
	 */
	PLAN_EMULATION,
	/* A=D=0 on every set of levels. */
	PLAN_NOT_ACCESSED,
	/* Every variant that has code in front of its page, see struct guest.front. */
	PLAN_FRONT,
	/* Every rights variant of every level with every other. */
	PLAN_RIGHTS_PRODUCT,
};
#define NR_PLAN_KINDS (PLAN_RIGHTS_PRODUCT + 1)

/* variants: lists by level. The caller frees it with plan_free(). */
void plan_make(struct plan *plan, enum plan_kind kind, enum paging_mode mode,
	       const struct variant_list variants[MAX_LEVELS + 1]);
/* The same for choices of the caller's own, which stay as they are from now on. */
void plan_keep(struct plan *plan);
void plan_free(struct plan *plan);

/* Plans of a guest's tables, each made when first asked for.  Zeroed: none yet. */
struct plan_set {
	struct plan plan[NR_PLAN_KINDS][NR_TABLE_AREAS];
};

const struct plan *plan_of(struct plan_set *set, const struct guest *guest, enum plan_kind kind,
			   enum table_area area);
void plan_set_free(struct plan_set *set);

#endif
