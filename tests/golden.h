/* SPDX-License-Identifier: GPL-2.0-only */
/* Walking the cases of golden_cases.h. */
#ifndef KMC_GOLDEN_H
#define KMC_GOLDEN_H

#include "compare.h"
#include "golden_cases.h"
#include "test_assert.h"

/* A golden case walked: what is asked, and the architecture walker's answer. */
struct golden_walk {
	struct guest *guest; /* model only; the caller frees it */
	struct test_case tc;
	gva_t gva;
	struct walk_result result;
};

static void golden_walk(const struct golden *g, struct golden_walk *w)
{
	u16 choice[MAX_LEVELS + 1] = { 0 };
	const char *error = case_parse(g->id, &w->tc);
	struct walk_access access;
	struct walk_regs regs;

	TEST_ASSERT(!error, "%s: %s", g->id, error);
	w->guest = guest_create_model(g->cpu);
	TEST_ASSERT(guest_choose(w->guest, &w->tc.state, w->tc.entry, choice),
		    "%s: an entry is no variant", g->id);
	w->gva = g->gva ? g->gva :
		 w->tc.state.mode == MODE_NOPG ? DATA_PAGE :
		 guest_gva(w->guest, state_area(&w->tc.state), choice, 0);
	access = case_access(&w->tc, w->gva);
	regs = guest_walk_regs(w->guest, &w->tc.state);
	walk(&w->guest->cpu, &regs, &w->guest->memory, &access, &w->result);
}

#endif
