// SPDX-License-Identifier: GPL-2.0-only
/*
 * Witness sets: a vCPU that walks with the role of another state is noticed, for every
 * ordered pair of states that the model can tell apart at all.  No KVM is involved.
 *
 * The check does not use the search's own candidates: it asks every case of walk_test's
 * rights plan, too, whether the two roles differ.
 */
#include <stdio.h>
#include <string.h>

#include "plan.h"
#include "role_walk.h"
#include "test_assert.h"
#include "witness_set.h"

#define MAX_STATES 512

static unsigned int number, failed;

static void result(bool good, const char *what, const char *cpu)
{
	printf("%sok %u %s: %s\n", good ? "" : "not ", ++number, what, cpu);
	failed += !good;
}

static void role_of(const struct guest *guest, const struct mmu_state *state, struct role_mmu *mmu)
{
	const struct role_context context = { .rules = ROLE_RULES_6_1,
					      .maxphyaddr = guest->cpu.maxphyaddr };
	const struct role_regs regs = state_regs(state);
	const struct mmu_role role = kvm_calc_cpu_role(&context, &regs);

	role_mmu_init(ROLE_RULES_6_1, &role, mmu);
}

/* Does the access end differently under the two roles, in the tables of these registers? */
static bool differs(const struct guest *guest, const struct walk_regs *regs,
		    const struct role_mmu *a, const struct role_mmu *b,
		    const struct walk_access *access)
{
	struct walk_result x, y;

	role_walk(a, &guest->cpu, regs, &guest->memory, access, &x);
	role_walk(b, &guest->cpu, regs, &guest->memory, access, &y);
	return witness_outcomes_differ(&x, &y);
}

static bool set_shows(const struct witness_sets *sets, unsigned int b, const struct role_mmu *roles,
		      unsigned int a)
{
	const struct walk_regs regs = guest_walk_regs(sets->guest, &sets->state[b]);
	u32 i;

	for (i = 0; i < sets->set[b].nr; i++) {
		const struct witness_case *c = &sets->cases[sets->set[b].first + i];
		const struct test_case tc = { .actor = c->actor, .access = c->access };
		const struct walk_access access = case_access(&tc, c->gva);

		if (differs(sets->guest, &regs, &roles[a], &roles[b], &access))
			return true;
	}
	return false;
}

/* Any address of the plan, any actor and any access but implicit ones. */
static bool anything_shows(const struct guest *guest, const struct mmu_state *state,
			   const struct plan *plan, const struct role_mmu *a,
			   const struct role_mmu *b)
{
	const struct walk_regs regs = guest_walk_regs(guest, state);
	struct test_case tc = { .state = *state };
	unsigned int actor;
	u32 i;

	for (i = 0; i < plan->nr; i++)
		for (actor = 0; actor < NR_ACTORS; actor++)
			for (tc.access = AGENT_READ; tc.access <= AGENT_FETCH; tc.access++) {
				gva_t gva = guest_gva(guest, state_area(state), plan->choice[i], 0);
				struct walk_access access;

				tc.actor = all_actors[actor];
				access = case_access(&tc, gva);
				if (differs(guest, &regs, a, b, &access))
					return true;
			}
	return false;
}

static unsigned int all_states(struct mmu_state *states)
{
	unsigned int nr = 0, i;
	int mode;

	for (mode = 0; mode < NR_STATE_MODES; mode++)
		for (i = 0; nr < MAX_STATES && state_nth(mode, i, &states[nr]); i++)
			nr++;
	return nr;
}

/* Each set holds the three plain accesses, and every case is what the model expects to run. */
static bool plain_present(const struct witness_sets *sets, unsigned int b)
{
	const struct walk_regs regs = guest_walk_regs(sets->guest, &sets->state[b]);
	int access;

	for (access = AGENT_READ; access <= AGENT_FETCH; access++) {
		const struct witness_case *c = &sets->cases[sets->set[b].first + access];
		const struct test_case tc = witness_test_case(sets, c, &sets->state[b]);
		const struct walk_access a = case_access(&tc, c->gva);
		struct walk_result r;

		walk(&sets->guest->cpu, &regs, &sets->guest->memory, &a, &r);
		if (sets->set[b].nr < 3 || c->access != (enum agent_access)access ||
		    c->actor.cpl != 3 || r.outcome != WALK_OK)
			return false;
	}
	return true;
}

static void check_cpu(const char *name, const struct cpu_facts *cpu)
{
	static struct mmu_state states[MAX_STATES];
	static struct role_mmu roles[MAX_STATES];
	unsigned int nr = all_states(states), a, b, blind = 0, told = 0, largest = 0;
	struct guest *guest = guest_create_model(cpu);
	struct witness_sets *sets = witness_sets_make(guest, states, nr);
	bool plain = true;

	for (a = 0; a < nr; a++)
		role_of(guest, &states[a], &roles[a]);
	for (b = 0; b < nr; b++) {
		const struct table_image *t = &guest->area[state_area(&states[b])];
		struct plan plan = { 0 };

		if (state_modes[states[b].mode].paging != PAGING_NONE)
			plan_make(&plan, PLAN_WALK, t->shape.mode, t->variants);
		plain &= plain_present(sets, b);
		if (sets->set[b].nr > largest)
			largest = sets->set[b].nr;
		for (a = 0; a < nr; a++) {
			if (!memcmp(&roles[a], &roles[b], sizeof(roles[a])))
				continue;
			if (set_shows(sets, b, roles, a))
				told++;
			else if (anything_shows(guest, &states[b], &plan, &roles[a], &roles[b]))
				blind++;
		}
		plan_free(&plan);
	}
	printf("# %s: %u states, %u roles, %u cases, largest set %u, %u pairs told apart\n", name,
	       nr, sets->nr_roles, sets->nr_cases, largest, told);
	result(!blind, "every pair that some case tells apart, the set does", name);
	result(plain, "plain accesses in each set", name);
	witness_sets_free(sets);
	guest_free(guest);
}

int main(void)
{
#define ALL .lm = true, .nx = true, .smep = true, .smap = true, .pku = true, .la57 = true
	static const struct cpu_facts intel = { VENDOR_INTEL, 46, ALL, .gbpages = true,
						.pse36 = true };
	static const struct cpu_facts amd = { VENDOR_AMD, 40, ALL, .gbpages = true, .pse36 = true };
	static const struct cpu_facts wide = { VENDOR_INTEL, 52, ALL };
#undef ALL

	printf("KTAP version 1\n1..6\n");
	check_cpu("intel", &intel);
	check_cpu("amd", &amd);
	check_cpu("intel-52-bits", &wide);
	return failed != 0;
}
