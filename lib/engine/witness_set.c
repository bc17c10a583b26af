// SPDX-License-Identifier: GPL-2.0-only
/* Witness sets: see include/witness_set.h. */
#include <stdlib.h>
#include <string.h>

#include "role_walk.h"
#include "test_assert.h"
#include "witness_set.h"

#define RULES ROLE_RULES_6_1 /* the rule sets agree on what a walk does */
#define MAX_ROLES 256
#define MAX_CANDIDATES 4096

/* What a case may tell about a role, one bit each: see struct witness_power. */
enum evidence { SHOWN, KEPT_RIGHT, KEPT_FAULT, NR_EVIDENCE };
#define EVIDENCE_WORDS (NR_EVIDENCE * MAX_ROLES / 64)

struct evidence_set {
	u64 bits[EVIDENCE_WORDS];
};

/* All candidates of the states that walk the same tables. */
struct search {
	const struct guest *guest;
	struct walk_regs regs;       /* what of them no role holds */
	const struct role_mmu *role;
	unsigned int nr_roles;
	u32 nr;
	struct witness_case candidate[MAX_CANDIDATES];
	/* [candidate][role]; two are the same if the outcomes cannot be told apart */
	u64 (*outcome)[MAX_ROLES];
};

static const gpa_t flat_pages[] = { DATA_PAGE, DATA_LARGE, DATA_HUGE };

/* A number that stands for the outcome as an access shows it; completed ones are odd. */
static u64 outcome_number(const struct walk_result *r)
{
	if (r->outcome == WALK_OK)
		return (r->gpa & ~0xfffull) | 1;
	if (r->outcome == WALK_FAULT)
		return ((u64)r->vector << 32 | r->error_code) << 1;
	return ~1ull;
}

static bool completes(u64 outcome)
{
	return outcome & 1;
}

bool witness_outcomes_differ(const struct walk_result *a, const struct walk_result *b)
{
	return outcome_number(a) != outcome_number(b);
}

/* Keeps the candidate unless an earlier one says the same about every role. */
static void try_candidate(struct search *s, const struct witness_case *c, bool plain)
{
	const struct test_case tc = { .actor = c->actor, .access = c->access };
	struct walk_access access = case_access(&tc, c->gva);
	struct walk_result result;
	bool tells = plain;
	unsigned int r;
	u32 i;

	if (s->nr == MAX_CANDIDATES)
		return;
	for (r = 0; r < s->nr_roles; r++) {
		role_walk(&s->role[r], &s->guest->cpu, &s->regs, &s->guest->memory, &access,
			  &result);
		s->outcome[s->nr][r] = outcome_number(&result);
		tells |= s->outcome[s->nr][r] != s->outcome[s->nr][0];
	}
	for (i = 0; i < s->nr && !plain; i++)
		if (!memcmp(s->outcome[i], s->outcome[s->nr], s->nr_roles * sizeof(u64)))
			return;
	if (tells)
		s->candidate[s->nr++] = *c;
}

static gva_t choice_gva(const struct search *s, const struct mmu_state *state,
			const struct witness_case *c)
{
	return guest_gva(s->guest, state_area(state), c->choice, agent_access_offset(c->access));
}

/* Every actor and access with these entries; implicit accesses are walk_test's. */
static void try_accesses(struct search *s, const struct mmu_state *state, struct witness_case *c,
			 gpa_t flat)
{
	static const struct actor actors[] = { { 3, false }, { 0, false }, { 0, true } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actors); i++) {
		for (c->access = AGENT_READ; c->access <= AGENT_FETCH; c->access++) {
			bool plain = !s->nr || (s->nr < 3 && !i);

			if (actors[i].ac && c->access == AGENT_FETCH)
				continue;
			c->actor = actors[i];
			c->gva = flat ? flat + agent_access_offset(c->access) :
					choice_gva(s, state, c);
			try_candidate(s, c, plain);
		}
	}
}

/*
 * Each variant of the two lowest levels, the rest full: every role field shows there.  The
 * first candidates are the plain accesses, by user code through full entries.
 */
static void find_candidates(struct search *s, const struct mmu_state *state)
{
	const struct table_image *t = &s->guest->area[state_area(state)];
	struct witness_case c = { 0 };
	unsigned int i;
	int level;

	s->nr = 0;
	s->regs = guest_walk_regs(s->guest, state);
	if (state_modes[state->mode].paging == PAGING_NONE) {
		for (i = 0; i < ARRAY_SIZE(flat_pages); i++)
			try_accesses(s, state, &c, flat_pages[i]);
		return;
	}
	try_accesses(s, state, &c, 0);
	for (level = 1; level <= 2; level++) {
		for (i = 1; i < t->variants[level].nr; i++) {
			c.choice[level] = i;
			try_accesses(s, state, &c, 0);
		}
		c.choice[level] = 0;
	}
}

static void set_evidence(struct evidence_set *e, enum evidence kind, unsigned int role)
{
	unsigned int bit = kind * MAX_ROLES + role;

	e->bits[bit / 64] |= BIT_ULL(bit % 64);
}

static struct evidence_set case_evidence(const struct search *s, u32 candidate, unsigned int own)
{
	const u64 *outcome = s->outcome[candidate];
	struct evidence_set e = { 0 };
	unsigned int r;

	for (r = 0; r < s->nr_roles; r++) {
		if (outcome[r] == outcome[own])
			continue;
		set_evidence(&e, SHOWN, r);
		if (completes(outcome[r]))
			set_evidence(&e, KEPT_RIGHT, r);
		if (completes(outcome[own]))
			set_evidence(&e, KEPT_FAULT, r);
	}
	return e;
}

static unsigned int count_new(const struct evidence_set *e, const struct evidence_set *have)
{
	unsigned int i, n = 0;

	for (i = 0; i < EVIDENCE_WORDS; i++)
		n += __builtin_popcountll(e->bits[i] & ~have->bits[i]);
	return n;
}

static void take(struct witness_sets *sets, const struct search *s, u32 candidate,
		 const struct evidence_set *e, struct evidence_set *have)
{
	unsigned int i;

	for (i = 0; i < EVIDENCE_WORDS; i++)
		have->bits[i] |= e->bits[i];
	sets->cases = realloc(sets->cases, (sets->nr_cases + 1) * sizeof(*sets->cases));
	TEST_ASSERT(sets->cases, "out of memory");
	sets->cases[sets->nr_cases++] = s->candidate[candidate];
}

/* The plain cases, then always the one that tells most of what is still missing. */
static void choose(struct witness_sets *sets, const struct search *s, unsigned int own,
		   struct witness_set *set)
{
	static struct evidence_set evidence[MAX_CANDIDATES];
	struct evidence_set have = { 0 };
	u32 i, best;
	unsigned int most;

	set->first = sets->nr_cases;
	for (i = 0; i < s->nr; i++) {
		evidence[i] = case_evidence(s, i, own);
		if (i < 3)
			take(sets, s, i, &evidence[i], &have);
	}
	do {
		for (most = 0, best = 0, i = 0; i < s->nr; i++) {
			unsigned int n = count_new(&evidence[i], &have);

			if (n > most) {
				most = n;
				best = i;
			}
		}
		if (most)
			take(sets, s, best, &evidence[best], &have);
	} while (most);
	set->nr = sets->nr_cases - set->first;
}

static struct mmu_role state_role(const struct guest *guest, const struct mmu_state *state)
{
	const struct role_context context = { .rules = RULES, .maxphyaddr = guest->cpu.maxphyaddr };
	const struct role_regs regs = state_regs(state);

	return kvm_calc_cpu_role(&context, &regs);
}

/* The different roles among the states; own[] says which each state has. */
static unsigned int find_roles(const struct witness_sets *sets, struct role_mmu *roles,
			       unsigned int *own)
{
	unsigned int i, r, nr = 0;

	for (i = 0; i < sets->nr_states; i++) {
		struct mmu_role role = state_role(sets->guest, &sets->state[i]);

		for (r = 0; r < nr; r++)
			if (!memcmp(&roles[r].role, &role, sizeof(role)))
				break;
		TEST_ASSERT(r < MAX_ROLES, "more than %d roles", MAX_ROLES);
		if (r == nr)
			role_mmu_init(RULES, &role, &roles[nr++]);
		own[i] = r;
	}
	return nr;
}

static bool same_tables(const struct mmu_state *a, const struct mmu_state *b)
{
	enum paging_mode paging = state_modes[a->mode].paging;

	return paging == state_modes[b->mode].paging &&
	       (paging == PAGING_NONE || states_share_tables(a, b));
}

struct witness_sets *witness_sets_make(const struct guest *guest, const struct mmu_state *state,
				       unsigned int nr_states)
{
	static struct role_mmu roles[MAX_ROLES];
	struct witness_sets *sets = calloc(1, sizeof(*sets));
	struct search *s = calloc(1, sizeof(*s));
	unsigned int *own = calloc(nr_states, sizeof(*own)), i, k;

	TEST_ASSERT(sets && s && own, "out of memory");
	*sets = (struct witness_sets){ .guest = guest, .state = state, .nr_states = nr_states };
	sets->set = calloc(nr_states, sizeof(*sets->set));
	s->outcome = calloc(MAX_CANDIDATES, sizeof(*s->outcome));
	TEST_ASSERT(sets->set && s->outcome, "out of memory");
	s->guest = guest;
	s->role = roles;
	sets->nr_roles = s->nr_roles = find_roles(sets, roles, own);
	for (i = 0; i < nr_states; i++) {
		if (sets->set[i].nr)
			continue;
		find_candidates(s, &state[i]);
		for (k = i; k < nr_states; k++)
			if (same_tables(&state[i], &state[k]))
				choose(sets, s, own[k], &sets->set[k]);
	}
	free(s->outcome);
	free(s);
	free(own);
	return sets;
}

void witness_sets_free(struct witness_sets *sets)
{
	if (!sets)
		return;
	free(sets->set);
	free(sets->cases);
	free(sets);
}

struct test_case witness_test_case(const struct witness_sets *sets, const struct witness_case *c,
				   const struct mmu_state *state)
{
	struct test_case tc = { .state = *state, .actor = c->actor, .access = c->access };

	if (state_modes[state->mode].paging != PAGING_NONE)
		guest_entries(sets->guest, state, c->choice, tc.entry);
	return tc;
}
