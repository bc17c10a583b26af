// SPDX-License-Identifier: GPL-2.0-only
/* What one engine makes of one case: for replays, and for who else is right or wrong. */
#include "case_run.h"

void case_answer(struct guest *guest, const struct engine *engine, const struct test_case *tc,
		 gva_t gva, enum agent_care care, struct case_answer *answer)
{
	const struct walk_regs regs = guest_walk_regs(guest, &tc->state);
	const struct walk_access access = case_access(tc, gva);
	struct agent_batch batch = engine_batch(engine, &tc->state, &tc->actor, tc->access,
						care);
	struct comparison c = { guest, &answer->batch, gva, &answer->expected, &answer->observed };

	*answer = (struct case_answer){ .batch = batch };
	walk(&guest->cpu, &regs, &guest->memory, &access, &answer->expected);
	answer->left_out = engine->unsupported(guest, &batch);
	if (care == CARE_BEHIND && !guest_path_fixed(guest, &tc->state, gva))
		answer->left_out = "the access may set A or D";
	if (answer->left_out)
		return;
	answer->broken = agent_probe(guest, &batch, engine->run);
	if (answer->broken)
		return;
	batch.gvas = &gva;
	batch.nr = 1;
	batch.results = &answer->observed;
	engine->run(guest, &batch);
	answer->agrees = outcome_matches(&c);
}
