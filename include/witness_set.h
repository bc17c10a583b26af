/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Witness sets: for each register state a few cases that tell it from every other one.
 *
 * A vCPU that should be in state B but still walks with the role of another state A gives
 * itself away in a case of B's set, whatever A is: where the model says that some case in
 * B's tables ends differently under A's role, the set holds one; where it can be had, also
 * one that completes under A and not so in B (a translation kept from A shows) and one
 * that completes in B and not so under A (a denial kept from A shows).  Three plain
 * accesses are always there.  Found by search over the model (role_walk()), greedily.
 */
#ifndef KMC_WITNESS_SET_H
#define KMC_WITNESS_SET_H

#include "case.h"
#include "guest.h"

struct witness_case {
	struct actor actor;
	enum agent_access access;
	gva_t gva;                    /* of the access itself, offset within the page included */
	u16 choice[MAX_LEVELS + 1];   /* variants, as for guest_gva(); 0 without paging */
};

struct witness_set {
	u32 first, nr;                /* in witness_sets.cases */
};

struct witness_sets {
	const struct guest *guest;
	const struct mmu_state *state;
	unsigned int nr_states;
	unsigned int nr_roles;        /* different ones among the states */
	struct witness_set *set;      /* per state */
	struct witness_case *cases;
	u32 nr_cases;
};

/* Sets of these states, which must stay; guest: tables (a model is enough). */
struct witness_sets *witness_sets_make(const struct guest *guest, const struct mmu_state *state,
				       unsigned int nr_states);
void witness_sets_free(struct witness_sets *sets);

/* The case as it is in this state, which must walk the tables it was made for. */
struct test_case witness_test_case(const struct witness_sets *sets, const struct witness_case *c,
				   const struct mmu_state *state);

/* Of two outcomes: would an access that is only made and not asked for A/D bits show it? */
bool witness_outcomes_differ(const struct walk_result *a, const struct walk_result *b);

#endif
