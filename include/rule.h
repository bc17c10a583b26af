/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every rule of the model has one name.
 *
 * A rule is one line in walk_rules.def (what a page walk does), in role_rules.def
 * (how KVM computes a role), in role_page_rules.def (which pages it builds, and
 * with which roles), in nested_rules.def (nested paging) or in td_rules.def (the memory
 * of TDs): identifier, what it says, where the manuals say it, and which kernel function implements it.  The identifier is
 * what a walk reports as "the rule that decided", and what the suite's own
 * tests break, one at a time, to prove that a wrong model is noticed.
 */
#ifndef KMC_RULE_H
#define KMC_RULE_H

#include "types.h"

enum rule {
#define RULE(id, says, manual, kernel) RULE_##id,
#include "walk_rules.def"
#include "role_rules.def"
#include "role_page_rules.def"
#include "nested_rules.def"
#include "td_rules.def"
#undef RULE
	NR_RULES,
};

struct rule_text {
	const char *name;   /* the identifier in lower case is the stable name */
	const char *says;   /* one sentence */
	const char *manual; /* Intel SDM / AMD APM section */
	const char *kernel; /* function in arch/x86/kvm that implements it */
};

const struct rule_text *rule_text(enum rule rule);

/*
 * With -DSEEDED_FAULTS (the suite's own tests only) one rule at a time can be
 * broken at run time.  In a normal build RULE_HOLDS() is the constant true and
 * no trace of the switch is left in the code.
 */
#ifdef SEEDED_FAULTS
extern int seeded_fault; /* an enum rule, or -1: none broken */
#define RULE_HOLDS(id) (seeded_fault != RULE_##id)
#else
#define RULE_HOLDS(id) true
#endif

#endif
