// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every rule of the walkers, broken in turn, must be noticed: by the two walkers
 * disagreeing somewhere, or by an answer that differs from the manuals' (golden_cases.h).
 *
 * Linked with lib/model/ compiled with -DSEEDED_FAULTS.  The rules of the role
 * calculation are broken by role_rules_test --seeded.
 */
#include <stdio.h>
#include <string.h>

#include "canonical.h"
#include "golden_answer.h"
#include "golden_canonical.h"
#include "plan.h"
#include "role_walk.h"
#include "witness.h"

static const struct cpu_facts *const cpus[] = { &golden_intel, &golden_amd, &golden_small };

static const enum rule walk_rules[] = {
#define RULE(id, says, manual, kernel) RULE_##id,
#include "walk_rules.def"
#undef RULE
};

/* One state: the first case in which the walkers differ. */
static bool walkers_differ(const struct guest *guest, const struct mmu_state *state,
			   const struct plan *plan, char id[CASE_ID_LEN])
{
	const struct role_context context = { .rules = ROLE_RULES_6_1, .maxphyaddr = 46 };
	const struct role_regs regs = state_regs(state);
	const struct mmu_role role = kvm_calc_cpu_role(&context, &regs);
	const struct walk_regs walk_regs = guest_walk_regs(guest, state);
	struct test_case tc = { .state = *state };
	const bool flat = state->mode == MODE_NOPG;
	struct role_mmu mmu;
	unsigned int a;
	int access;
	u32 i;

	role_mmu_init(ROLE_RULES_6_1, &role, &mmu);
	for (i = 0; i < (flat ? 1 : plan->nr); i++) {
		gva_t gva = flat ? DATA_PAGE :
				   guest_gva(guest, state_area(state), plan->choice[i], 0);

		if (!flat)
			guest_entries(guest, state, plan->choice[i], tc.entry);
		for (a = 0; a < NR_ACTORS; a++)
			for (access = 0; access < NR_AGENT_ACCESSES; access++) {
				struct walk_result x, y;
				struct walk_access w;

				tc.actor = all_actors[a];
				tc.access = access;
				w = case_access(&tc, gva);
				walk(&guest->cpu, &walk_regs, &guest->memory, &w, &x);
				role_walk(&mmu, &guest->cpu, &walk_regs, &guest->memory, &w, &y);
				if (!walk_results_equal(&x, &y)) {
					case_id(&tc, id);
					return true;
				}
			}
	}
	return false;
}

/* The same at the bounds of canonical address space, for each size and segment. */
static bool walkers_differ_there(const struct guest *guest, const struct mmu_state *state)
{
	const struct role_context context = { .rules = ROLE_RULES_6_1, .maxphyaddr = 46 };
	const struct role_regs regs = state_regs(state);
	const struct mmu_role role = kvm_calc_cpu_role(&context, &regs);
	const struct walk_regs walk_regs = guest_walk_regs(guest, state);
	gva_t gvas[MAX_CANONICAL_ADDRESSES];
	unsigned int nr = canonical_addresses(gvas), i, k;
	struct role_mmu mmu;

	role_mmu_init(ROLE_RULES_6_1, &role, &mmu);
	for (i = 0; i < nr; i++)
		for (k = 0; k < 4; k++) {
			const struct walk_access a = { .gva = gvas[i], .stack = k & 1,
						       .size = k & 2 ? 8 : 1 };
			struct walk_result x, y;

			walk(&guest->cpu, &walk_regs, &guest->memory, &a, &x);
			role_walk(&mmu, &guest->cpu, &walk_regs, &guest->memory, &a, &y);
			if (!walk_results_equal(&x, &y))
				return true;
		}
	return false;
}

static bool any_walkers_differ(char id[CASE_ID_LEN])
{
	bool differ = false;
	unsigned int c, i;
	int mode;

	for (c = 0; c < ARRAY_SIZE(cpus) && !differ; c++) {
		struct guest *guest = guest_create_model(cpus[c]);

		for (mode = 0; mode < NR_STATE_MODES && !differ; mode++) {
			struct mmu_state state;

			for (i = 0; state_nth(mode, i, &state) && !differ; i++) {
				const struct table_image *t = &guest->area[state_area(&state)];
				struct plan plan = { 0 };

				if (mode != MODE_NOPG)
					plan_make(&plan, PLAN_WALK, t->shape.mode, t->variants);
				differ = walkers_differ(guest, &state, &plan, id);
				if (!differ && walkers_differ_there(guest, &state)) {
					state_name(&state, id);
					differ = true;
				}
				plan_free(&plan);
			}
		}
		guest_free(guest);
	}
	return differ;
}

static bool golden_differs(const char **id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(golden_cases); i++) {
		char text[OUTCOME_TEXT_LEN];

		golden_answer(&golden_cases[i], text);
		if (strcmp(text, golden_cases[i].expected)) {
			*id = golden_cases[i].id;
			return true;
		}
	}
	for (i = 0; i < ARRAY_SIZE(golden_canonical); i++) {
		char text[OUTCOME_TEXT_LEN];

		golden_canonical_answer(&golden_canonical[i], text);
		if (strcmp(text, golden_canonical[i].expected)) {
			*id = golden_canonical[i].state;
			return true;
		}
	}
	return false;
}

int main(void)
{
	unsigned int i, failed = 0;
	char id[CASE_ID_LEN];
	const char *golden;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(walk_rules) + 1);
	seeded_fault = -1;
	if (golden_differs(&golden) || any_walkers_differ(id)) {
		printf("not ");
		failed++;
	}
	printf("ok 1 nothing broken: nothing noticed\n");
	for (i = 0; i < ARRAY_SIZE(walk_rules); i++) {
		const char *name = rule_text(walk_rules[i])->name;

		seeded_fault = walk_rules[i];
		/* Names of outcomes, not conditions that could be broken. */
		if (walk_rules[i] == RULE_A_ALLOWED || walk_rules[i] == RULE_A_NO_MEMORY) {
			printf("ok %u %s # SKIP names an outcome\n", i + 2, name);
		} else if (golden_differs(&golden)) {
			printf("ok %u %s # wrong answer for %s\n", i + 2, name, golden);
		} else if (any_walkers_differ(id)) {
			printf("ok %u %s # walkers differ at %s\n", i + 2, name, id);
		} else {
			printf("not ok %u %s # broken, and nothing noticed it\n", i + 2, name);
			failed++;
		}
		fflush(stdout);
	}
	return failed ? KSFT_FAIL : KSFT_PASS;
}
