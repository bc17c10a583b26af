// SPDX-License-Identifier: GPL-2.0-only
/* What came of a case of pdpte_test, against what must. */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "pdpte_cases.h"
#include "x86.h"

/* Which PDPTEs a walk goes by. */
enum held { HELD_GOOD, HELD_CHANGED };

static struct walk_regs regs_of(const struct pdpte_rig *rig, const struct pdpte_case *c,
				bool accepted, enum held held)
{
	const struct kvm_sregs s = pdpte_sregs(rig, c->event);
	const u64 toggles = accepted ? c->event->toggles : 0;
	struct walk_regs regs = { .cr0 = s.cr0, .cr3 = s.cr3, .cr4 = s.cr4, .efer = s.efer };

	if (c->event->by == BY_CR0)
		regs.cr0 ^= toggles;
	if (c->event->by == BY_CR4)
		regs.cr4 ^= toggles;
	if (c->event->by == BY_EFER)
		regs.efer ^= toggles;
	memcpy(regs.pdptr, rig->good, sizeof(regs.pdptr));
	if (held == HELD_CHANGED)
		regs.pdptr[c->entry] = pdpte_value(rig, c);
	return regs;
}

/* Is what was seen in one gigabyte right by these PDPTEs?  Texts only if not. */
static bool page_matches(const struct pdpte_rig *rig, const struct pdpte_case *c,
			 const struct pdpte_result *result, unsigned int gib, enum held held,
			 char expected[OUTCOME_TEXT_LEN], char observed[OUTCOME_TEXT_LEN])
{
	const struct walk_regs regs = regs_of(rig, c, result->how == EVENT_ACCEPTED, held);
	const struct walk_access access = { .gva = pdpte_gva(gib), .kind = ACCESS_READ };
	const struct agent_batch batch = { .state = pdpte_state(rig, c->event),
					   .access = AGENT_READ, .careful = true, .no_ad = true };
	struct walk_result w;
	const struct comparison comparison = { rig->guest, &batch, pdpte_gva(gib), &w,
					       &result->page[gib] };

	walk(&rig->guest->cpu, &regs, &rig->memory, &access, &w);
	if (outcome_matches(&comparison))
		return true;
	outcome_texts(&comparison, expected, observed);
	return false;
}

/* NULL if all four are right by these PDPTEs, else the first that is not. */
static const char *wrong_page(const struct pdpte_rig *rig, const struct pdpte_case *c,
			      const struct pdpte_result *result, enum held held)
{
	static char text[2 * OUTCOME_TEXT_LEN + 40];
	char e[OUTCOME_TEXT_LEN], o[OUTCOME_TEXT_LEN];
	unsigned int gib;

	for (gib = 0; gib < NR_GIB; gib++) {
		if (page_matches(rig, c, result, gib, held, e, o))
			continue;
		snprintf(text, sizeof(text), "gigabyte %u: %s and not %s", gib, o, e);
		return text;
	}
	return NULL;
}

/* Each page may be by either; the one changed PDPTE is behind one of them only. */
static bool by_either(const struct pdpte_rig *rig, const struct pdpte_case *c,
		      const struct pdpte_result *result)
{
	return !wrong_page(rig, c, result, HELD_GOOD) || !wrong_page(rig, c, result, HELD_CHANGED);
}

static bool pages_are_right(const struct pdpte_rig *rig, const struct pdpte_case *c,
			    const struct pdpte_result *result, enum pdpte_rule rule)
{
	if (!result->looked)
		return true;
	if (rule == PDPTE_EITHER || rule == PDPTE_OPEN)
		return by_either(rig, c, result);
	return !wrong_page(rig, c, result, rule == PDPTE_LOADED ? HELD_CHANGED : HELD_GOOD);
}

static bool how_is_right(const struct pdpte_result *result, enum pdpte_rule rule)
{
	if (rule == PDPTE_OPEN)
		return result->how != EVENT_ELSE;
	return result->how == (rule == PDPTE_REFUSED ? EVENT_REFUSED : EVENT_ACCEPTED);
}

static void observed_text(const struct pdpte_rig *rig, const struct pdpte_case *c,
			  const struct pdpte_result *r, enum pdpte_rule rule, char *text)
{
	const char *wrong = NULL;
	int n;

	if (r->how == EVENT_ELSE) {
		snprintf(text, PDPTE_TEXT_LEN, "%s", r->text);
		return;
	}
	n = snprintf(text, PDPTE_TEXT_LEN, "%s",
		     r->how == EVENT_REFUSED ? "refused" : "accepted");
	if (r->looked && r->how == EVENT_ACCEPTED) {
		if (!wrong_page(rig, c, r, HELD_CHANGED))
			n = snprintf(text, PDPTE_TEXT_LEN, "loaded");
		else if (!wrong_page(rig, c, r, HELD_GOOD))
			n = snprintf(text, PDPTE_TEXT_LEN, "kept");
		else
			wrong = wrong_page(rig, c, r, rule == PDPTE_KEPT ? HELD_GOOD : HELD_CHANGED);
	} else if (r->looked) {
		wrong = wrong_page(rig, c, r, HELD_GOOD);
		/* Read on demand: either will do, and memory is what is looked at. */
		if (wrong && rule == PDPTE_OPEN)
			wrong = wrong_page(rig, c, r, HELD_CHANGED);
	}
	if (wrong)
		n += snprintf(text + n, PDPTE_TEXT_LEN - n, ", then %.150s", wrong);
	if (r->more)
		snprintf(text + n, PDPTE_TEXT_LEN - n, ", then %s", r->more);
}

bool pdpte_judge(const struct pdpte_rig *rig, const struct pdpte_case *c,
		 const struct pdpte_result *result, char expected[PDPTE_TEXT_LEN],
		 char observed[PDPTE_TEXT_LEN])
{
	const enum pdpte_rule rule = pdpte_outcome(&rig->guest->cpu, rig->on_demand, c,
						   pdpte_value(rig, c));

	snprintf(expected, PDPTE_TEXT_LEN, "%s", pdpte_rule_names[rule]);
	observed_text(rig, c, result, rule, observed);
	return how_is_right(result, rule) && !result->more &&
	       pages_are_right(rig, c, result, rule);
}
