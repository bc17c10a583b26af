/* SPDX-License-Identifier: GPL-2.0-only */
/* Checking the cases of golden_cases.h against a walker. */
#ifndef KMC_GOLDEN_H
#define KMC_GOLDEN_H

#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "golden_cases.h"
#include "test_assert.h"

/* "4a3a2a1ad": what the access must newly set. */
static void golden_ad(const struct walk_result *r, char *text)
{
	int i;

	for (i = 0; r->outcome == WALK_OK && i < r->nr_steps; i++) {
		u64 set = r->step[i].must_set & ~r->step[i].entry;

		if (set)
			text += sprintf(text, "%d%s%s", r->step[i].level, set & PTE_A ? "a" : "",
					set & PTE_D ? "d" : "");
	}
	*text = 0;
}

/* The answer of the architecture walker for one golden case, as text. */
static void golden_answer(const struct golden *g, char text[OUTCOME_TEXT_LEN])
{
	struct guest *guest = guest_create_model(g->cpu);
	u16 choice[MAX_LEVELS + 1] = { 0 };
	const struct table_image *t;
	struct test_case tc;
	struct walk_access access;
	struct walk_result r;
	struct walk_regs regs;
	const char *error = case_parse(g->id, &tc);
	char ad[32];
	int level;

	TEST_ASSERT(!error, "%s: %s", g->id, error);
	t = &guest->area[state_area(&tc.state)];
	for (level = 1; level <= paging_formats[state_modes[tc.state.mode].paging].levels; level++) {
		int i = variant_find(&t->variants[level], tc.entry[level]);

		TEST_ASSERT(i >= 0, "%s: no such variant at level %d", g->id, level);
		choice[level] = i;
	}
	access = case_access(&tc, state_modes[tc.state.mode].paging == PAGING_NONE ?
					  DATA_PAGE :
					  guest_gva(guest, state_area(&tc.state), choice, 0));
	if (g->gva)
		access.gva = g->gva;
	regs = guest_walk_regs(guest, &tc.state);
	walk(&guest->cpu, &regs, &guest->memory, &access, &r);
	walk_result_text(&r, text);
	golden_ad(&r, ad);
	if (ad[0])
		sprintf(text + strlen(text), " ad=%s", ad);
	guest_free(guest);
}

#endif
