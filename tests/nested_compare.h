/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two nested walkers against each other: every nested entry variant at every level,
 * under L2's page, its last table and its root, with L2's entries as they are and changed; and
 * mixes of several.  Static data: for one test, in one thread.
 */
#ifndef KMC_NESTED_COMPARE_H
#define KMC_NESTED_COMPARE_H

#include <stdio.h>

#include "nested_configs.h"
#include "nested_role.h"
#include "nested_text.h"

static u8 pages[WORLD_PAGES][PAGE];
static struct walk_access access_of(const struct world *w, enum access_kind kind, u8 cpl)
{
	return (struct walk_access){ .gva = w->gva, .kind = kind, .cpl = cpl };
}

static void put_l2(struct world *w, int level, u64 bits)
{
	int bytes = paging_formats[w->config.l2_mode].entry_bytes;
	bool register_entry = w->config.l2_mode == PAGING_PAE && level == 3;

	world_put(w->l2_entry[level], bytes, bits | world_gpa(w, level == 1 ? FINAL : level - 1));
	if (register_entry && w->config.tables.kind == NESTED_EPT)
		w->l2.regs.pdptr[1] = world_get(w->l2_entry[3], 8);
}

struct compared {
	u32 deviations;
	u64 cases, differences;
	bool quick; /* one difference is enough */
	int rules;  /* or -1: all */
	int turn;   /* or -1: with all rules, only one in each case, by turns */
	struct nested_role_mmu mmu[NR_ROLE_RULES];
};

static bool has_rules(const struct world *w, const struct compared *c, int rules)
{
	/* There is no MBEC before. */
	if (w->config.tables.mbec)
		return rules >= ROLE_RULES_7 && (c->rules < 0 || c->rules == rules);
	if (c->rules >= 0)
		return c->rules == rules;
	return c->turn < 0 || c->turn % NR_ROLE_RULES == rules;
}

static void set_up_roles(const struct world *w, struct compared *c)
{
	int rules;

	for (rules = 0; rules < NR_ROLE_RULES; rules++) {
		const struct role_context context = { .rules = rules,
						      .guest_mode = true,
						      .maxphyaddr = w->config.cpu->maxphyaddr,
						      .max_tdp_level = 5,
						      .ad_enabled = true };
		struct nested_roles roles;

		nested_roles_of(&context, &w->config.tables, &w->l2.regs, &roles);
		nested_role_mmu_init(&context, &roles, &w->config.tables, w->config.cpu,
				     c->deviations, &c->mmu[rules]);
	}
}

static void report(const struct world *w, const struct compared *c, int rules, int kind, int cpl,
		   const struct nested_result *manual, const struct nested_result *role)
{
	char a[NESTED_TEXT_LEN], b[NESTED_TEXT_LEN];

	if (c->deviations || c->quick || c->differences > 5)
		return;
	nested_text(w, manual, a);
	nested_text(w, role, b);
	printf("# %s role-%s access %d cpl %d: %s; role: %s\n", w->config.name,
	       role_rules_name(rules), kind, cpl, a, b);
}

/* All accesses. */
static void compare(const struct world *w, struct compared *c)
{
	struct nested_result manual, role;
	int i, rules;

	for (i = 0; i < 2 * NR_ACCESS_KINDS; i++) {
		const struct walk_access access = access_of(w, i / 2, i % 2 ? 3 : 0);

		world_walk(w, &access, &manual);
		c->cases++;
		for (rules = 0; rules < NR_ROLE_RULES; rules++) {
			if (!has_rules(w, c, rules))
				continue;
			nested_role_walk(&c->mmu[rules], w->config.cpu, &w->l2,
					 w->config.tables.root, &w->memory, &access, &role);
			if (nested_results_agree(&manual, &role))
				continue;
			c->differences++;
			report(w, c, rules, access.kind, access.cpl, &manual, &role);
		}
	}
}

/* What else L2's tables may hold: level (0: nothing changed), bits flipped in a full entry. */
static const struct l2_change {
	u8 level;
	u64 flip;
} l2_changes[] = {
	{ 0, 0 },           { 1, PTE_A },       { 1, PTE_D },       { 1, PTE_W },
	{ 1, PTE_U },       { 1, PTE_NX },      { 1, PTE_P },       { 1, PTE_A | PTE_D | PTE_W },
	{ 1, BIT_ULL(48) }, { 1, BIT_ULL(33) }, { 1, BIT_ULL(51) }, { 2, PTE_A },
	{ 2, PTE_U },       { 2, PTE_P },       { 2, PTE_W },       { 3, PTE_A | PTE_W },
	{ 3, BIT_ULL(51) }, { 4, PTE_A },       { 4, PTE_P },       { 5, PTE_A },
};

static bool l2_changed(struct world *w, const struct l2_change *change)
{
	const struct paging_format *f = &paging_formats[w->config.l2_mode];
	int level = change->level;
	u64 full;

	if (level > f->levels || (level && f->entry_bytes == 4 && change->flip >> 32))
		return false;
	for (level = 1; level <= f->levels; level++) {
		full = f->level[level].register_entry ? PTE_P : VARIANT_FULL;
		put_l2(w, level, level == change->level ? full ^ change->flip : full);
	}
	return true;
}

static void compare_variants(struct world *w, struct compared *c, int position, int level,
			     const struct variant_list *list)
{
	int bytes = nested_formats[w->format].entry_bytes;
	u64 before = world_get(w->entry[position][level], bytes);
	unsigned int i, v;

	for (i = 0; i < ARRAY_SIZE(l2_changes); i++) {
		if (!l2_changed(w, &l2_changes[i]))
			continue;
		/* All of them with L2 as it is, rights with all that L2 may be. */
		for (v = 0; v < (i ? list->nr_rights : list->nr); v++) {
			world_set_nested(w, position, level, list->bits[v]);
			c->turn = i ? (int)(v + i) : -1;
			compare(w, c);
			if (c->quick && c->differences)
				return;
		}
	}
	world_put(w->entry[position][level], bytes, before);
	l2_changed(w, &l2_changes[0]);
}

/* Three nested entries and one of L2's at a time, by chance: always the same. */
#define NR_MIXES 3000

static u32 next_random(u32 *state, u32 below)
{
	*state = *state * 1664525 + 1013904223;
	return (u32)((u64)(*state >> 8) * below >> 24);
}

static void compare_mixed(struct world *w, struct compared *c)
{
	static struct variant_list lists[MAX_LEVELS + 1];
	const struct nested_format *f = &nested_formats[w->format];
	u32 state = 1, i, k;
	int level;

	for (level = 1; level <= f->levels; level++)
		nested_variants_of(&w->config.tables, level, w->config.cpu, &lists[level]);
	for (i = 0; i < NR_MIXES && !(c->quick && c->differences); i++) {
		u8 *at[3];
		u64 before[3];

		for (k = 0; k < 3; k++) {
			int p = 1 + next_random(&state, NR_POSITIONS - 1);

			level = 1 + next_random(&state, f->levels);
			at[k] = w->entry[p][level];
			before[k] = world_get(at[k], f->entry_bytes);
			world_set_nested(
				w, p, level,
				lists[level].bits[next_random(&state, lists[level].nr_rights)]);
		}
		l2_changed(w, &l2_changes[next_random(&state, ARRAY_SIZE(l2_changes))]);
		c->turn = i;
		compare(w, c);
		while (k--)
			world_put(at[k], f->entry_bytes, before[k]);
		l2_changed(w, &l2_changes[0]);
	}
}

static void compare_config(const struct world_config *config, struct compared *c)
{
	static struct variant_list list;
	struct world w;
	int p, level;

	world_make(&w, config, pages);
	set_up_roles(&w, c);
	for (level = 1; level <= nested_formats[w.format].levels; level++) {
		nested_variants_of(&config->tables, level, config->cpu, &list);
		for (p = 1; p < NR_POSITIONS && !(c->quick && c->differences); p++)
			/* The page, its table, and the root: those between are of the same kind. */
			if (world_has(&w, p) &&
			    (p == FINAL || p == 1 || p == paging_formats[config->l2_mode].levels))
				compare_variants(&w, c, p, level, &list);
	}
	compare_mixed(&w, c);
}

/* With SMEP, SMAP, WP=0 and NX=0 in L2, too. */
static void compare_states(enum nested_config_index config, struct compared *c)
{
	struct world_config other = nested_configs[config];

	compare_config(&nested_configs[config], c);
	if (c->quick || c->deviations || other.l2_mode == PAGING_NONE)
		return;
	other.cr0 = other.efer = 0;
	other.cr4 = X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PSE;
	compare_config(&other, c);
}

#endif
