// SPDX-License-Identifier: GPL-2.0-only
/* Nested cases in batches: see include/l2_ept.h. */
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "l2_ept_internal.h"
#include "test_assert.h"

/* Accesses under way; one batch has one root, one CR3, one actor and one kind of access. */
static struct l2_ept_item items[AGENT_MAX_CASES];
static gva_t gvas[AGENT_MAX_CASES];
static struct ept_seen seen[AGENT_MAX_CASES];

struct ept_case l2_ept_case(const struct l2_ept_work *w, const struct l2_ept_item *item)
{
	struct ept_case c = {
		.state = w->batch.state,
		.actor = w->batch.actor,
		.access = w->batch.access,
		.l2 = w->l2->variant[item->l2_variant],
		.levels = w->levels,
		.ad = w->ad,
		.target = w->target,
	};
	int level;

	for (level = 1; level <= 4; level++)
		c.ept[level] = w->e->variants[level].bits[item->choice.variant[level]];
	return c;
}

gva_t l2_ept_item_gva(const struct l2_ept_work *w, const struct l2_ept_item *item)
{
	return l2_ept_gva(w->e, &w->batch.state, w->target, item->l2_variant, item->gpa,
			  item->single, agent_access_offset(w->batch.access));
}

void l2_ept_expect(const struct l2_ept_work *w, const struct l2_ept_item *item,
		   struct nested_result *expected)
{
	const struct nested_tables tables =
		l2_ept_tables(w->e, w->target, item->choice.variant[4], w->levels, w->ad);
	const struct test_case tc = { w->batch.state, w->batch.actor, w->batch.access, { 0 } };
	const struct walk_access access = case_access(&tc, l2_ept_item_gva(w, item));
	struct nested_l2 l2 = { .regs = guest_walk_regs(w->e->guest, &w->batch.state) };

	if (w->l2->cr3[item->l2_variant]) {
		l2.regs.cr3 = w->l2->cr3[item->l2_variant];
		memcpy(l2.regs.pdptr, w->l2->pdptr[item->l2_variant], sizeof(l2.regs.pdptr));
	}
	nested_walk(&w->e->guest->cpu, &l2, &tables, &w->e->memory, &access, expected);
}

void l2_ept_setup(const struct l2_ept_work *w, const struct l2_ept_item *item,
		  struct l1_setup *setup)
{
	*setup = (struct l1_setup){
		.state = l1_unlike(w->e->guest, &w->batch.state),
		.nested = true,
		.root = l2_ept_tables(w->e, w->target, item->choice.variant[4], w->levels, w->ad)
				.root,
		.l2_cr3 = w->l2->cr3[item->l2_variant],
		.flush = L1_FLUSH_ALL,
	};
	memcpy(setup->l2_pdptr, w->l2->pdptr[item->l2_variant], sizeof(setup->l2_pdptr));
}

struct record {
	const struct l2_ept_work *w;
	const struct l2_ept_item *item;
	const struct nested_result *expected;
	const struct ept_seen *seen;
};

static json_t *record_detail(const void *context)
{
	const struct record *r = context;
	struct l1_setup setup;
	json_t *steps = json_array();
	int i;

	l2_ept_setup(r->w, r->item, &setup);
	for (i = 0; i < r->expected->nr_steps; i++) {
		const struct nested_step *s = &r->expected->step[i];
		char bits[VARIANT_TEXT_LEN];
		static const struct nested_tables ept = { .kind = NESTED_EPT };

		nested_variant_text(&ept, s->level, s->entry & ~BITS_ULL(51, 12), bits);
		json_array_append_new(steps,
				      json_pack("{s:i,s:i,s:I,s:I,s:s}", "for", s->for_level,
						"level", s->level, "at", (json_int_t)s->entry_gpa,
						"entry", (json_int_t)s->entry, "bits", bits));
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "eptp", (json_int_t)setup.root, "cr3",
			 (json_int_t)setup.l2_cr3, "gva",
			 (json_int_t)l2_ept_item_gva(r->w, r->item), "qualification",
			 (json_int_t)r->seen->exit.info, "open", (json_int_t)r->expected->exit.open,
			 "rip", (json_int_t)r->seen->result.rip, "steps", steps);
}

void l2_ept_report(const struct l2_ept_work *w, const struct l2_ept_item *item,
		   const struct nested_result *expected, const struct ept_seen *s,
		   const char *ad_expected, const char *ad_observed)
{
	const struct ept_case c = l2_ept_case(w, item);
	const struct record r = { w, item, expected, s };
	char id[EPT_CASE_ID_LEN], e[2 * EPT_TEXT_LEN], o[2 * EPT_TEXT_LEN];
	struct case_failure f = {
		.id = id,
		.expected = e,
		.observed = o,
		.engine = nested_how_names[w->how],
		.rule = rule_text(expected->rule)->name,
		.detail = record_detail,
		.context = &r,
	};

	ept_case_id(&c, id);
	ept_expected_text(expected, e);
	ept_seen_text(w->e->guest, &w->batch, l2_ept_item_gva(w, item), s, o);
	strcat(e, ad_expected);
	strcat(o, ad_observed);
	report_failure(&f);
}

static void run_items(struct l2_ept_work *w)
{
	struct nested_result expected;
	struct l1_setup setup;
	const char *why;
	u32 i;

	if (!w->nr || report_should_stop())
		return;
	l2_ept_setup(w, &items[0], &setup);
	why = l1_use(w->e->guest, &setup);
	TEST_ASSERT(!why, "an L1 in the usual state: %s", why);
	for (i = 0; i < w->nr; i++)
		gvas[i] = l2_ept_item_gva(w, &items[i]);
	l2_ept_batch(w->e, w->how, &w->batch, gvas, w->nr, seen);
	for (i = 0; i < w->nr && !report_should_stop(); i++) {
		l2_ept_expect(w, &items[i], &expected);
		TEST_ASSERT(expected.outcome != NESTED_NO_MEMORY, "no table at %#llx",
			    (unsigned long long)expected.gpa);
		if (!ept_outcome_matches(&w->batch, gvas[i], &expected, &seen[i]))
			l2_ept_report(w, &items[i], &expected, &seen[i], "", "");
	}
	report_cases(i);
	w->nr = 0;
}

/* Together with those that were added before it? */
static void add_item(struct l2_ept_work *w, const struct ept_choice *choice, u8 l2_variant,
		     u32 single)
{
	struct l2_ept_item *item;

	if (w->nr && (items[0].choice.variant[4] != choice->variant[4] ||
		      w->l2->cr3[items[0].l2_variant] != w->l2->cr3[l2_variant]))
		run_items(w);
	if (w->nr == AGENT_MAX_CASES)
		run_items(w);
	item = &items[w->nr];
	*item = (struct l2_ept_item){ .choice = *choice,
				      .l2_variant = l2_variant,
				      .single = single };
	if (l2_ept_gpa(w->e, &w->batch.state, w->target, choice, &item->gpa))
		w->nr++;
}

/* Nothing below an entry that ends the walk counts: such a choice is another one's double. */
static bool is_double(const struct l2_ept *e, const struct ept_choice *c)
{
	int level, below;

	for (level = 4; level > 1; level--) {
		u64 bits = e->variants[level].bits[c->variant[level]];

		if (bits & EPT_RWX && !(level < 4 && bits & EPT_PS))
			continue;
		for (below = 1; below < level; below++)
			if (c->variant[below])
				return true;
	}
	return false;
}

static void add_pair(struct l2_ept_work *w, int hi, u16 i, int lo, u16 k, u8 l2_variant)
{
	struct ept_choice c = { { 0 } };

	c.variant[hi] = i;
	c.variant[lo] = k;
	if (!is_double(w->e, &c))
		add_item(w, &c, l2_variant, 0);
}

/* Rights of two levels; and each other deviation above an entry that is not present. */
static void add_pairs(struct l2_ept_work *w, u8 l2_variant)
{
	const struct variant_list *v = w->e->variants;
	int hi, lo;
	u16 i, k;

	for (hi = 3; hi > 1; hi--)
		for (i = 1; i < v[hi].nr; i++)
			for (lo = hi - 1; lo >= 1; lo--)
				for (k = 1; k < v[lo].nr_rights; k++)
					if (i < v[hi].nr_rights || !(v[lo].bits[k] & EPT_RWX))
						add_pair(w, hi, i, lo, k, l2_variant);
	for (lo = 2; lo >= 1; lo--)
		for (k = v[lo].nr_rights; k < v[lo].nr; k++)
			for (i = 1; i < 8 && i < v[lo + 1].nr_rights; i++)
				add_pair(w, lo + 1, i, lo, k, l2_variant);
}

/* Of level 4 each variant is a root of its own: only one actor goes through them. */
static bool goes_to_top(const struct l2_ept_work *w, u8 l2_variant)
{
	return w->all && !l2_variant && !w->batch.actor.cpl && w->levels == 4;
}

static void add_singles(struct l2_ept_work *w, u8 l2_variant)
{
	const struct variant_list *v = w->e->variants;
	u32 i;
	u16 k;

	for (i = 0; i < w->e->nr_singles; i++) {
		const struct ept_choice *c = &w->e->single[i];

		if (w->target && i >= w->nr_singles)
			break;
		if (c->variant[4] && !goes_to_top(w, l2_variant))
			continue;
		add_item(w, c, l2_variant, i);
		if (w->target || !c->variant[4] || c->variant[4] >= v[4].nr_rights)
			continue;
		for (k = 1; k < v[1].nr_rights; k++)
			add_pair(w, 4, c->variant[4], 1, k, l2_variant);
	}
}

/* The rights of level 1, one that is misconfigured, and not present above. */
static void add_few(struct l2_ept_work *w, u8 l2_variant)
{
	const struct variant_list *v = w->e->variants;
	u32 i;

	for (i = 0; i < w->e->nr_singles; i++) {
		const struct ept_choice *c = &w->e->single[i];
		const u16 one = c->variant[1], two = c->variant[2];

		if (w->target && i >= w->nr_singles)
			break;
		if (c->variant[3] || c->variant[4])
			continue;
		if (one ? one <= v[1].nr_rights : !two || !(v[2].bits[two] & EPT_RWX))
			add_item(w, c, l2_variant, i);
	}
}

static void run_actor(struct l2_ept_work *w)
{
	u8 i;

	for (i = 0; i < w->l2->nr_variants && !report_should_stop(); i++) {
		const struct l2_variant *v = w->l2->variant;

		/* In one table for all: an access would find the bits that another one has set. */
		if (w->target && (v[0].leaf ^ v[i].leaf) & (PTE_A | PTE_D))
			continue;
		if (!w->all || v[i].leaf != v[0].leaf || v[i].top != v[0].top) {
			add_few(w, i);
			continue;
		}
		add_singles(w, i);
		if (!w->target)
			add_pairs(w, i);
	}
	run_items(w);
}

void l2_ept_work_init(struct l2_ept_work *w, struct l2_ept *e, const struct l2_ept_plan *plan)
{
	*w = (struct l2_ept_work){
		.e = e,
		.l2 = &e->l2[plan->state->mode][plan->target],
		.how = plan->how,
		.target = plan->target,
		.levels = plan->levels,
		.ad = plan->ad,
		.all = plan->all,
		.batch = { .state = *plan->state },
		.nr_singles = l2_ept_nr_singles(e, plan->state, plan->target),
	};
	TEST_ASSERT(w->l2->made, "no tables for this mode and target");
}

bool l2_ept_work_access(struct l2_ept_work *w, struct actor actor, enum agent_access access)
{
	const struct nested_case like = {
		.l2 = w->batch.state, .how = w->how, .actor = actor, .access = access,
	};

	w->batch = engine_batch(nested_how_engine(w->how), &like.l2, &actor, access, CARE_NONE);
	return !nested_how_unsupported(w->e->guest, &like);
}

void l2_ept_run(struct l2_ept *e, const struct l2_ept_plan *plan)
{
	struct l2_ept_work w;
	unsigned int cpl;
	int access;

	l2_ept_work_init(&w, e, plan);
	for (cpl = 0; cpl <= 3; cpl += 3)
		for (access = AGENT_READ; access <= AGENT_FETCH; access++)
			if (l2_ept_work_access(&w, (struct actor){ cpl, false }, access))
				run_actor(&w);
}
