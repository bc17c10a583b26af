/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running cases: expect, make the access on an engine, compare, report.
 *
 * This is the whole flow of the suite in one call; a test only chooses states,
 * actors, accesses and a plan.
 */
#ifndef KMC_CASE_RUN_H
#define KMC_CASE_RUN_H

#include <jansson.h>

#include "case.h"
#include "compare.h"
#include "engine.h"
#include "plan.h"
#include "report.h"

/*
 * Is there anything to be seen?  EFLAGS.AC changes nothing for fetches, and at CPL 3 only
 * implicit accesses could obey it.
 */
bool actor_says_something(const struct actor *actor, enum agent_access access);

/*
 * What walk_test has each actor go through with an access, in all states.  Where no access may change
 * an entry, the entries are looked at behind the batch; descriptors are read in careful batches only.
 */
static inline enum plan_kind walk_plan(enum agent_care care, enum agent_access access)
{
	static const enum plan_kind kinds[NR_CARES] = {
		[CARE_NONE] = PLAN_WALK,
		[CARE_BEHIND] = PLAN_WALK_FIXED,
		[CARE_EACH] = PLAN_CHANGING,
	};

	return care == CARE_EACH && access == AGENT_LDT ? PLAN_WALK_CAREFUL : kinds[care];
}

/*
 * Runs every choice of the plan (without paging: a few addresses; plan may be NULL) as
 * one actor with one kind of access, and reports each case that differs from the model.
 * Returns how many cases there were.
 */
u64 cases_run(struct guest *guest, const struct engine *engine, const struct mmu_state *state,
	       const struct actor *actor, enum agent_access access, enum agent_care care,
	       const struct plan *plan);

/*
 * Can this actor make such an access at all, to memory that is mapped for it?  If not,
 * that is one failing case instead of one per entry variant, and false is returned.
 */
bool cases_probe(struct guest *guest, const struct engine *engine, const struct mmu_state *state,
		 const struct actor *actor, enum agent_access access, enum agent_care care);

/*
 * After the cases of a state: nothing but accessed and dirty bits may have changed in its
 * tables, nothing at all in the agent's copy of them, and no data page's tag.
 */
void cases_check_memory(struct guest *guest, const struct mmu_state *state);

/*
 * --case: runs one case alone, prints it in full, and returns an exit code (KSFT_*).  With
 * after, the name of a state, the same entries are walked in that state first: what KVM keeps
 * from there may be what goes wrong.  With engine "all" every engine answers, in one table.
 */
int case_replay(const struct test_options *options);

/* What an access that is made alone comes to: the host side of a replay. */
struct case_answer {
	struct walk_result expected;
	struct agent_result observed;
	struct agent_batch batch;   /* as it was made */
	const char *left_out;       /* NULL, or why this engine does not make it */
	const char *broken;         /* NULL, or what happens to such an access anywhere */
	bool agrees;
};
void case_answer(struct guest *guest, const struct engine *engine, const struct test_case *tc,
		 gva_t gva, enum agent_care care, struct case_answer *answer);

/* The rule set of the running kernel: roles are explained by it, nothing is expected from it. */
enum role_rules kernel_role_rules(void);
/* A case in full, for a failure record: registers, role, page-table path, rule. */
json_t *case_detail(const struct comparison *c, const struct test_case *tc,
		    const struct engine *engine);
/* The same as text for a reader. */
void case_print(const struct comparison *c, const struct test_case *tc,
		const struct engine *engine);

#endif
