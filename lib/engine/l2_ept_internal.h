/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of l2_ept.h share. */
#ifndef KMC_L2_EPT_INTERNAL_H
#define KMC_L2_EPT_INTERNAL_H

#include "l2_ept.h"

/*
 * Slots of an EPT PDPT page.  The first map L1's memory one to one, for the agent; all below
 * L2_EPT_LOW_SLOT + 1 can be reached by states whose physical addresses end at 4 GiB.
 */
#define L2_EPT_LOW_SLOT 3
#define L2_EPT_FIRST_SLOT 8
#define L2_EPT_LOW_BASE ((u64)L2_EPT_LOW_SLOT << 30)
#define L2_EPT_HIGH_BASE BIT_ULL(39)

/* A zeroed page of L1's for tables; entries in it. */
gpa_t l2_ept_page(struct l2_ept *e);
void l2_ept_put(struct l2_ept *e, gpa_t table, u32 slot, u8 bytes, u64 entry);
u64 l2_ept_get(struct l2_ept *e, gpa_t table, u32 slot);
/* Is the data page reached by linear addresses that are L2-physical ones? */
bool l2_ept_flat_data(const struct mmu_state *state);
/* All of e->l2. */
void l2_ept_make_l2(struct l2_ept *e);

/* A slot of the lowest EPT tables that no variant has: maps the data page, or AGENT_PROBE. */
#define L2_EPT_SPARE 511

/* Accesses that differ in addresses only. */
struct l2_ept_work {
	struct l2_ept *e;
	const struct l2_tables *l2;
	enum nested_how how;
	u8 target, levels;
	bool ad, all;
	struct agent_batch batch; /* state, actor, access */
	u32 nr_singles;           /* for which L2's table has a place */
	u32 nr;                   /* items added so far */
};

struct l2_ept_item {
	struct ept_choice choice;
	u8 l2_variant;
	u32 single;
	gpa_t gpa;
};

void l2_ept_work_init(struct l2_ept_work *w, struct l2_ept *e, const struct l2_ept_plan *plan);
/* The batch from here on.  False: such accesses cannot be made so. */
bool l2_ept_work_access(struct l2_ept_work *w, struct actor actor, enum agent_access access);
u32 l2_ept_nr_singles(const struct l2_ept *e, const struct mmu_state *state, u8 target);
struct ept_case l2_ept_case(const struct l2_ept_work *w, const struct l2_ept_item *item);
gva_t l2_ept_item_gva(const struct l2_ept_work *w, const struct l2_ept_item *item);
void l2_ept_expect(const struct l2_ept_work *w, const struct l2_ept_item *item,
		   struct nested_result *expected);
void l2_ept_setup(const struct l2_ept_work *w, const struct l2_ept_item *item,
		  struct l1_setup *setup);
/* ad_*: what is added to the texts, or "". */
void l2_ept_report(const struct l2_ept_work *w, const struct l2_ept_item *item,
		   const struct nested_result *expected, const struct ept_seen *seen,
		   const char *ad_expected, const char *ad_observed);

/* Of l2_ept_run_roots(), _invept() and _tour() one alone; false: no such case. */
bool l2_ept_replay_root(struct l2_ept *e, const char *id, bool *good);
/* Is it one that is asked for by --case alone? */
bool l2_ept_replaying(void);
/* Is this case to be run?  Asked of each. */
bool l2_ept_wanted(const char *id);
/* It failed: reported, or printed for a replay. */
void l2_ept_differs(const char *id, const char *expected, const char *observed, enum rule rule);
/* One access by a 64-bit L2 to an L2-physical address, by L1 as set up but for its state. */
void l2_ept_touch(struct l2_ept *e, const struct agent_batch *batch, gpa_t gpa,
		  struct l1_setup *setup, struct ept_seen *seen);
/* The linear address that it accesses. */
gva_t l2_ept_touched(const struct l2_ept *e, const struct agent_batch *batch, gpa_t gpa);

/*
 * One access alone, with its entries as the host wrote them, in both sets of tables.  The
 * texts are those of the first entry whose A and D bits are wrong, or empty.
 */
#define L2_EPT_AD_LEN 96
bool l2_ept_one(const struct l2_ept_work *w, const struct l2_ept_item *item,
		struct nested_result *expected, struct ept_seen *seen,
		char ad_expected[L2_EPT_AD_LEN], char ad_observed[L2_EPT_AD_LEN]);

#endif
