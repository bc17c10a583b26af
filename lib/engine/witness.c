// SPDX-License-Identifier: GPL-2.0-only
/* Witness cases: see include/witness.h. */
#include <string.h>

#include "plan.h"
#include "witness.h"
#include "x86.h"

static const char *const elsewhere[NR_ROLE_FIELDS] = {
	[ROLE_FIELD_quadrant] = "addresses 1 GiB apart under 2-level paging: one guest table, two or four shadow pages",
	[ROLE_FIELD_access] = "one table shared by parents of different rights (walk_test's variant-dense tables do that at every level)",
	[ROLE_FIELD_invalid] = "a stale mapping after a memslot was deleted",
	[ROLE_FIELD_smep_andnot_wp] = "write to a read-only user page at CPL 0 with WP=0, then fetch from it, under shadow paging",
	[ROLE_FIELD_smap_andnot_wp] = "write to a read-only user page at CPL 0 with WP=0 and AC=1, then read it with AC=0, under shadow paging",
	[ROLE_FIELD_ad_disabled] = "nested EPT with EPTP bit 6 clear: entries keep A and D",
	[ROLE_FIELD_guest_mode] = "the same tables walked by L1 and by L2",
	[ROLE_FIELD_passthrough] = "nested NPT on a 5-level host with a 4-level L1",
	[ROLE_FIELD_is_mirror] = "a TD's private memory",
	[ROLE_FIELD_smm] = "memslots of address space 1 with other content",
	[ROLE_FIELD_gpte_is_8_bytes] = "4-byte and 8-byte users of one table: which shadow page they get",
	[ROLE_FIELD_valid] = "never 0 in a role that was computed",
	[ROLE_FIELD_execonly] = "nested EPT with an execute-only entry",
	[ROLE_FIELD_efer_lma] = "a copy of what level says; role transitions 3-level to 4-level",
};

const char *witness_elsewhere(enum role_field_index field)
{
	return elsewhere[field];
}

bool walk_results_equal(const struct walk_result *a, const struct walk_result *b)
{
	int i;

	if (a->outcome != b->outcome)
		return false;
	if (a->outcome == WALK_FAULT &&
	    (a->vector != b->vector || a->error_code != b->error_code ||
	     (a->vector == PF_VECTOR && a->cr2 != b->cr2)))
		return false;
	if (a->outcome == WALK_OK &&
	    (a->gpa != b->gpa || a->page_size != b->page_size || a->writable != b->writable ||
	     a->user != b->user || a->executable != b->executable || a->pkey != b->pkey))
		return false;
	if (a->outcome == WALK_NO_MEMORY && a->gpa != b->gpa)
		return false;
	if (a->nr_steps != b->nr_steps)
		return false;
	for (i = 0; i < a->nr_steps; i++)
		if (a->step[i].entry_gpa != b->step[i].entry_gpa ||
		    a->step[i].must_set != b->step[i].must_set ||
		    a->step[i].may_set != b->step[i].may_set)
			return false;
	return true;
}

struct search {
	const struct guest *guest;
	struct walk_regs regs;
	struct role_mmu with, without;
	struct witness *witness;
};

static bool try_address(struct search *s, gva_t gva)
{
	struct witness *w = s->witness;
	unsigned int i;
	int access;

	for (i = 0; i < NR_ACTORS; i++) {
		for (access = 0; access < NR_AGENT_ACCESSES; access++) {
			struct walk_access a;

			w->tc.actor = all_actors[i];
			w->tc.access = access;
			a = case_access(&w->tc, gva);
			role_walk(&s->with, &s->guest->cpu, &s->regs, &s->guest->memory, &a,
				  &w->with);
			role_walk(&s->without, &s->guest->cpu, &s->regs, &s->guest->memory, &a,
				  &w->without);
			if (!walk_results_equal(&w->with, &w->without)) {
				w->gva = gva;
				return true;
			}
		}
	}
	return false;
}

/* Tries every choice of the state's plan, and one address beyond 48 bits. */
static bool try_state(struct search *s, const struct plan *plan)
{
	struct witness *w = s->witness;
	enum table_area area = state_area(&w->tc.state);
	u32 i;

	if (state_modes[w->tc.state.mode].paging == PAGING_NONE)
		return try_address(s, DATA_PAGE);
	for (i = 0; i < plan->nr; i++) {
		guest_entries(s->guest, &w->tc.state, plan->choice[i], w->tc.entry);
		if (try_address(s, guest_gva(s->guest, area, plan->choice[i], 0)))
			return true;
	}
	return false;
}

/* Values a field can be changed to: the other one, or for a level each other level. */
static u8 changed_value(enum role_field_index field, u8 value, int i)
{
	static const u8 levels[] = { 2, 3, 4, 5 };

	return field == ROLE_FIELD_level ? levels[i] : !value;
}

bool witness_find(const struct guest *guest, enum role_rules rules, enum role_field_index field,
		  struct witness *witness)
{
	struct role_context context = { .rules = rules, .maxphyaddr = guest->cpu.maxphyaddr };
	struct search s = { .guest = guest, .witness = witness };
	bool found = false;
	int mode, n;
	unsigned int i;

	for (mode = 0; mode < NR_STATE_MODES && !found; mode++) {
		struct mmu_state state = { .mode = mode };
		const struct table_image *t = &guest->area[state_area(&state)];
		struct plan plan;

		plan_make(&plan, PLAN_WALK, t->shape.mode, t->variants);
		for (i = 0; state_nth(mode, i, &state) && !found; i++) {
			struct role_regs regs = state_regs(&state);
			struct mmu_role role = kvm_calc_cpu_role(&context, &regs), changed;

			memset(witness, 0, sizeof(*witness));
			witness->tc.state = state;
			witness->value = role_field_get(&role, field);
			s.regs = guest_walk_regs(guest, &state);
			role_mmu_init(rules, &role, &s.with);
			for (n = 0; n < (field == ROLE_FIELD_level ? 4 : 1) && !found; n++) {
				witness->flipped = changed_value(field, witness->value, n);
				changed = role;
				role_field_set(&changed, field, witness->flipped);
				if (witness->flipped == witness->value)
					continue;
				role_mmu_init(rules, &changed, &s.without);
				found = try_state(&s, &plan);
			}
		}
		plan_free(&plan);
	}
	return found;
}
