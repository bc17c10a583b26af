/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Witness cases: for each role field, a case whose outcome changes with it.
 *
 * Found by search over the model, not written down: they follow the model when it
 * grows.  Fields that no single walk shows (they say which shadow page may be shared,
 * or whose tables these are) have a sentence instead that says what shows them.
 */
#ifndef KMC_WITNESS_H
#define KMC_WITNESS_H

#include "case.h"
#include "role.h"
#include "role_walk.h"

struct witness {
	struct test_case tc;
	gva_t gva;
	u8 value, flipped;           /* the field's value in tc's state, and the one tried */
	struct walk_result with;     /* the role as it is */
	struct walk_result without;  /* the field flipped */
};

/* NULL if a walk of guest-controlled tables shows the field, else what does. */
const char *witness_elsewhere(enum role_field_index field);

/*
 * Finds a case in which a role of this rule set and the same role with the field
 * changed end differently.  guest: tables (a model is enough).  False if there is none.
 */
bool witness_find(const struct guest *guest, enum role_rules rules, enum role_field_index field,
		  struct witness *witness);

/* Same outcome, fault, page, rights and A/D updates? */
bool walk_results_equal(const struct walk_result *a, const struct walk_result *b);

#endif
