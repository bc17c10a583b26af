// SPDX-License-Identifier: GPL-2.0-only
/* --case ID of a nested case: one alone, printed in full. */
#include <stdio.h>
#include <string.h>

#include "l2_ept_internal.h"
#include "replay.h"
#include "test_assert.h"

/* --engine */
static enum nested_how how;

struct replayed {
	struct l2_ept_work w;
	struct l2_ept_item item;
};

/* NULL, or why the tables have no such case. */
static const char *find_case(struct l2_ept *e, const struct ept_case *c, struct replayed *r)
{
	int level, i;

	if (c->levels == 5 && !e->caps.walk_5)
		return "no 5-level EPT is offered";
	if (c->ad && !e->caps.ad)
		return "no A/D flags for EPT are offered";
	l2_ept_work_init(&r->w, e,
			 &(struct l2_ept_plan){ how, &c->state, c->target, c->levels, c->ad, true });
	if (!l2_ept_work_access(&r->w, c->actor, c->access))
		return "this engine makes no such accesses";
	for (level = 1; level <= 4; level++) {
		i = variant_find(&e->variants[level], c->ept[level]);
		if (i < 0)
			return "no such EPT entry is tried here";
		r->item.choice.variant[level] = i;
	}
	for (i = 0; i < r->w.l2->nr_variants; i++)
		if (r->w.l2->variant[i].top == c->l2.top && r->w.l2->variant[i].leaf == c->l2.leaf)
			break;
	if (i == r->w.l2->nr_variants)
		return "no such entry of L2's is tried here";
	r->item.l2_variant = i;
	for (i = 0; c->target && i < (int)r->w.nr_singles; i++)
		if (!memcmp(&e->single[i], &r->item.choice, sizeof(r->item.choice)))
			break;
	if (c->target && i == (int)r->w.nr_singles)
		return "beneath L2's tables only one level of EPT varies";
	r->item.single = i;
	if (!l2_ept_gpa(e, &c->state, c->target, &r->item.choice, &r->item.gpa))
		return "this L2 cannot address such a choice";
	return NULL;
}

static void print_steps(const struct nested_result *expected)
{
	static const struct nested_tables ept = { .kind = NESTED_EPT };
	char bits[VARIANT_TEXT_LEN];
	int i;

	for (i = 0; i < expected->l2.nr_steps; i++)
		printf("# L2        level %u entry %#018llx at L2-physical %#llx\n",
		       expected->l2.step[i].level, (unsigned long long)expected->l2.step[i].entry,
		       (unsigned long long)expected->l2.step[i].entry_gpa);
	for (i = 0; i < expected->nr_steps; i++) {
		const struct nested_step *s = &expected->step[i];

		nested_variant_text(&ept, s->level, s->entry & ~BITS_ULL(51, 12), bits);
		printf("# EPT       for level %u: level %u entry %#018llx, bits %s\n", s->for_level,
		       s->level, (unsigned long long)s->entry, bits);
	}
}

static struct l2_ept *replay_tables(struct guest *guest)
{
	l2_ept_require(guest);
	return l2_ept_create(guest);
}

static int replay_root(const void *id)
{
	struct guest *guest = guest_create(NULL);
	struct l2_ept *tables = replay_tables(guest);
	bool good, known;

	known = l2_ept_replay_root(tables, id, &good);
	l2_ept_free(tables);
	guest_free(guest);
	if (known)
		return good ? KSFT_PASS : KSFT_FAIL;
	fprintf(stderr, "--case: there is no such case on this CPU\n");
	return KSFT_USAGE;
}

static int replay(const void *context)
{
	const struct ept_case *c = context;
	struct guest *guest = guest_create(NULL);
	struct l2_ept *tables = replay_tables(guest);
	const char *why;
	char e[2 * EPT_TEXT_LEN], o[2 * EPT_TEXT_LEN];
	char ad_e[L2_EPT_AD_LEN], ad_o[L2_EPT_AD_LEN];
	struct nested_result expected;
	struct ept_seen seen;
	struct replayed r = { 0 };
	bool good;

	why = find_case(tables, c, &r);
	if (why) {
		fprintf(stderr, "--case: %s\n", why);
		return KSFT_USAGE;
	}
	replay_begin();
	good = l2_ept_one(&r.w, &r.item, &expected, &seen, ad_e, ad_o);
	print_steps(&expected);
	ept_expected_text(&expected, e);
	ept_seen_text(guest, &r.w.batch, l2_ept_item_gva(&r.w, &r.item), &seen, o);
	printf("# address   linear %#llx, L2-physical %#llx\n",
	       (unsigned long long)l2_ept_item_gva(&r.w, &r.item), (unsigned long long)r.item.gpa);
	printf("# expected  %s%s\n# observed  %s%s\n", e, ad_e, o, ad_o);
	printf("# exit      reason %#llx, qualification %#llx\n",
	       (unsigned long long)seen.exit.code, (unsigned long long)seen.exit.info);
	printf("# rule      %s: %s\n#           %s\n", rule_text(expected.rule)->name,
	       rule_text(expected.rule)->says, rule_text(expected.rule)->manual);
	l2_ept_free(tables);
	guest_free(guest);
	return good ? KSFT_PASS : KSFT_FAIL;
}

int l2_ept_replay(const struct test_options *options)
{
	const char *id = options->case_id, *error;
	struct ept_case c;

	if (!strncmp(id, "eptp", 4) || !strncmp(id, "invept/", 7) || !strncmp(id, "tour/", 5))
		return replay_run(replay_root, id, id);
	how = nested_how_find(options->engine);
	error = ept_case_parse(id, &c);
	if (error) {
		fprintf(stderr, "--case: %s\n", error);
		return KSFT_USAGE;
	}
	return replay_run(replay, &c, id);
}
