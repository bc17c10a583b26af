/* SPDX-License-Identifier: GPL-2.0-only */
/* The architecture walker's answer for a case of golden_cases.h, as text. */
#ifndef KMC_GOLDEN_ANSWER_H
#define KMC_GOLDEN_ANSWER_H

#include <stdio.h>
#include <string.h>

#include "golden.h"

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

static void golden_answer(const struct golden *g, char text[OUTCOME_TEXT_LEN])
{
	struct golden_walk w;
	char ad[32];

	golden_walk(g, &w);
	walk_result_text(&w.result, text);
	golden_ad(&w.result, ad);
	if (ad[0])
		sprintf(text + strlen(text), " ad=%s", ad);
	guest_free(w.guest);
}

#endif
