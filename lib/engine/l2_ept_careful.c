// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accessed and dirty bits of both sets of tables: see include/l2_ept.h.
 *
 * KVM shadows the nested tables: what they hold must be put back by L1's own stores, which
 * KVM sees, and INVEPT must follow.  Entries that the agent's own accesses share are none of
 * the case's and are left out.
 */
#include <stdio.h>
#include <string.h>

#include "l2_ept_internal.h"
#include "test_assert.h"

/* An entry on the way, of either set. */
struct path_entry {
	gpa_t gpa; /* L1-physical */
	u8 bytes;
	u8 level, for_level;
	bool nested;
	u64 a, d;      /* its bits of that meaning, 0 if none */
	u64 must, may; /* set or left, besides what the host wrote */
};

#define MAX_PATH (MAX_NESTED_STEPS + MAX_LEVELS)
struct path {
	struct path_entry entry[MAX_PATH];
	u32 nr;
};

static void add_entry(struct path *path, const struct l2_ept *e, const struct path_entry *more)
{
	u32 i;

	if (more->gpa < e->first || more->gpa >= e->guest->l1->next_nested)
		return;
	for (i = 0; i < path->nr && path->entry[i].gpa != more->gpa; i++)
		;
	if (i == path->nr)
		path->entry[path->nr++] = *more;
	path->entry[i].must |= more->must;
	path->entry[i].may |= more->may;
}

static void make_path(const struct l2_ept_work *w, const struct nested_result *r, struct path *path)
{
	const u8 l2_bytes = paging_formats[state_modes[w->batch.state.mode].paging].entry_bytes;
	int i;

	path->nr = 0;
	for (i = 0; i < r->nr_steps; i++) {
		const struct nested_step *s = &r->step[i];

		add_entry(path, w->e,
			  &(struct path_entry){ s->entry_gpa, 8, s->level, s->for_level, true,
						EPT_A, EPT_D, s->must_set, s->may_set });
	}
	for (i = 0; i < r->l2.nr_steps; i++) {
		const struct walk_step *s = &r->l2.step[i];

		add_entry(path, w->e,
			  &(struct path_entry){ l2_ept_behind(w->e, w->target, s->entry_gpa),
						l2_bytes, s->level, 0, false, PTE_A, PTE_D,
						s->must_set, s->may_set });
	}
}

static u64 written(const struct l2_ept *e, gpa_t gpa, u8 bytes)
{
	u64 value = 0;

	memcpy(&value, phys_memory_at(&e->memory, gpa, bytes), bytes);
	return value;
}

static u64 now(const struct l2_ept *e, gpa_t gpa, u8 bytes)
{
	u64 value = 0;

	memcpy(&value, vm_gpa2hva(e->guest->vm, gpa), bytes);
	return value;
}

static void add_stores(const struct l2_ept *e, const struct path *path, struct l1_setup *setup)
{
	u32 i;

	for (i = 0; i < path->nr; i++) {
		gpa_t gpa = path->entry[i].gpa & ~7ull;
		u64 value = written(e, gpa, 8);

		if (now(e, gpa, 8) == value)
			continue;
		TEST_ASSERT(setup->nr_stores < L1_MAX_STORES, "more than %d stores", L1_MAX_STORES);
		setup->store[setup->nr_stores++] = (struct l1_store){ gpa, value };
	}
}

static const char *bits_name(const struct path_entry *p, u64 bits)
{
	if (bits & ~(p->a | p->d))
		return "corrupt";
	return bits & p->a ? bits & p->d ? "ad" : "a" : bits ? "d" : "none";
}

/* The first entry that is not as it must be. */
static bool check_path(const struct l2_ept *e, const struct path *path, char *expected,
		       char *observed)
{
	u32 i;

	for (i = 0; i < path->nr; i++) {
		const struct path_entry *p = &path->entry[i];
		u64 before = written(e, p->gpa, p->bytes), after = now(e, p->gpa, p->bytes);
		u64 set = after ^ before, must = p->must & ~before, may = p->may & ~before;
		char where[32];

		if ((set & must) == must && !(set & ~(must | may)))
			continue;
		if (p->nested)
			snprintf(where, sizeof(where), "ept%u-for-%u", p->level, p->for_level);
		else
			snprintf(where, sizeof(where), "l2-%u", p->level);
		snprintf(expected, L2_EPT_AD_LEN, " %s:%s", where, bits_name(p, must));
		snprintf(observed, L2_EPT_AD_LEN, " %s:%s", where, bits_name(p, set));
		return false;
	}
	return true;
}

bool l2_ept_one(const struct l2_ept_work *w, const struct l2_ept_item *item,
		struct nested_result *expected, struct ept_seen *seen,
		char ad_expected[L2_EPT_AD_LEN], char ad_observed[L2_EPT_AD_LEN])
{
	const gva_t gva = l2_ept_item_gva(w, item);
	struct l1_setup setup;
	struct path path;
	const char *why;
	bool same;

	ad_expected[0] = ad_observed[0] = 0;
	l2_ept_expect(w, item, expected);
	make_path(w, expected, &path);
	l2_ept_setup(w, item, &setup);
	add_stores(w->e, &path, &setup);
	why = l1_use(w->e->guest, &setup);
	TEST_ASSERT(!why, "an L1 in the usual state: %s", why);
	l2_ept_batch(w->e, w->how, &w->batch, &gva, 1, seen);
	same = ept_outcome_matches(&w->batch, gva, expected, seen);
	/* What an access that ended differently has set says nothing more. */
	return same && check_path(w->e, &path, ad_expected, ad_observed);
}

static void run_one(const struct l2_ept_work *w, const struct l2_ept_item *item)
{
	char e[L2_EPT_AD_LEN], o[L2_EPT_AD_LEN];
	struct nested_result expected;
	struct ept_seen seen;

	report_cases(1);
	if (!l2_ept_one(w, item, &expected, &seen, e, o))
		l2_ept_report(w, item, &expected, &seen, e, o);
}

/* Choices that say something about A and D: clear somewhere, or a page without rights. */
static bool about_ad(const struct l2_ept *e, const struct ept_choice *c)
{
	const struct nested_tables t = l2_ept_tables(e, 0, 0, 4, true);
	bool about = true;
	int level;

	for (level = 1; level <= 4; level++) {
		u64 bits = e->variants[level].bits[c->variant[level]];
		u64 changed = bits ^ nested_variant_full(&t, level);

		if (c->variant[level] && changed & ~(EPT_A | EPT_D | EPT_W | EPT_PS | EPT_MT))
			about = false;
	}
	return about;
}

/* Combined: A and D clear at a level of which the single choice is, and at level 1, too. */
static void run_with_clear(struct l2_ept_work *w, struct l2_ept_item *item)
{
	const struct variant_list *v = &w->e->variants[1];
	const int clear = variant_find(v, v->bits[0] & ~(EPT_A | EPT_D));

	run_one(w, item);
	if (w->target || item->choice.variant[1] || clear < 0 || item->choice.variant[4])
		return;
	item->choice.variant[1] = clear;
	if (l2_ept_gpa(w->e, &w->batch.state, 0, &item->choice, &item->gpa))
		run_one(w, item);
}

static void run_choices(struct l2_ept_work *w, u8 l2_variant)
{
	u32 i;

	for (i = 0; i < w->nr_singles && !report_should_stop(); i++) {
		struct l2_ept_item item = { .choice = w->e->single[i],
					    .l2_variant = l2_variant,
					    .single = i };

		if (!about_ad(w->e, &item.choice) || (item.choice.variant[4] && !w->all))
			continue;
		if (w->levels == 5 && item.choice.variant[4])
			continue;
		if (l2_ept_gpa(w->e, &w->batch.state, w->target, &item.choice, &item.gpa))
			run_with_clear(w, &item);
	}
}

void l2_ept_run_careful(struct l2_ept *e, const struct l2_ept_plan *plan)
{
	struct l2_ept_work w;
	int access;
	u8 i;

	l2_ept_work_init(&w, e, plan);
	for (access = AGENT_READ; access <= AGENT_FETCH; access++)
		for (i = 0; i < w.l2->nr_variants; i++) {
			u64 full = w.l2->variant[0].leaf, leaf = w.l2->variant[i].leaf;

			/* L2's own A and D are in it, too, and one that faults. */
			if ((full ^ leaf) & ~(PTE_A | PTE_D | (plan->all ? PTE_W : 0)))
				continue;
			if (l2_ept_work_access(&w, all_actors[0], access))
				run_choices(&w, i);
		}
}
