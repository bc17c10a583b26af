// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested walkers: against the manuals' answers, and against each other.
 *
 * Proves: nested_walk() gives the answers of nested_golden_cases.h; the walker that KVM's
 * roles drive gives what nested_walk() allows, for every nested entry variant at every level,
 * under every page of L2's, with every kind of entry in L2's tables, and each rule set; each
 * named deviation of KVM's changes an answer; variants and their texts are sound.
 *
 * Would catch: a slip in either walker or a role that loses what a nested walk needs (84c679f5f52c,
 * b1bd5cba3306).  Needs nothing: no KVM, no privilege.
 *
 * Built with -DSEEDED_FAULTS and run with --seeded it breaks each rule of nested_rules.def
 * in turn, and demands that it is noticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nested_golden_cases.h"
#include "nested_role.h"
#include "nested_text.h"

static u8 pages[WORLD_PAGES][PAGE];
static unsigned int nr_result, nr_failed;

static void result(bool ok, const char *kind, const char *name)
{
	printf("%sok %u %s%s\n", ok ? "" : "not ", ++nr_result, kind, name);
	nr_failed += !ok;
	fflush(stdout);
}

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

/*
 * Goldens
 */
static bool golden_holds(const struct nested_golden *g, bool verbose)
{
	struct walk_access access;
	struct nested_result r;
	char text[NESTED_TEXT_LEN];
	struct world w;

	world_make(&w, &nested_configs[g->config], pages);
	if (g->position)
		world_set_nested(&w, g->position, g->level, g->bits);
	if (g->l2_level)
		put_l2(&w, g->l2_level, g->l2_bits);
	access = access_of(&w, g->kind, g->cpl);
	/* Outside 64-bit mode the upper half of an address does not count. */
	if (!w.l2.regs.cs_l)
		access.gva |= 1ULL << 40;
	world_walk(&w, &access, &r);
	nested_text(&w, &r, text);
	if (!strcmp(text, g->expected))
		return true;
	if (verbose)
		printf("# golden %zu, %s\n#   expected %s\n#   got      %s\n",
		       (size_t)(g - nested_goldens), w.config.name, g->expected, text);
	return false;
}

/* Which roots are legal: SDM 26.2.1.1, APM 15.25.4. */
static bool roots_hold(void)
{
	static const struct {
		enum nested_config_index config;
		u64 flip;
		enum rule rule;
	} roots[] = {
		{ EPT4, 0, RULE_N_ALLOWED },
		{ EPT4, EPTP_AD, RULE_N_ALLOWED },
		{ EPT4, EPT_MT_WB, RULE_N_ALLOWED }, /* UC */
		{ EPT4, 2, RULE_N_EPTP_MEMTYPE },
		{ EPT4, 1, RULE_N_EPTP_MEMTYPE },
		{ EPT4, 1 << EPTP_PWL_SHIFT, RULE_N_EPTP_LEVELS },
		{ EPT4, 4 << EPTP_PWL_SHIFT, RULE_N_EPTP_LEVELS },
		{ EPT4, 7 << EPTP_PWL_SHIFT, RULE_N_ALLOWED }, /* 5 levels */
		{ EPT4_BARE, 7 << EPTP_PWL_SHIFT, RULE_N_EPTP_LEVELS },
		{ EPT4_BARE, EPTP_AD, RULE_N_EPTP_AD },
		{ EPT4, BIT_ULL(7), RULE_N_EPTP_RSVD },
		{ EPT4, BIT_ULL(11), RULE_N_EPTP_RSVD },
		{ EPT4, BIT_ULL(45), RULE_N_ALLOWED },
		{ EPT4, BIT_ULL(46), RULE_N_EPTP_RSVD },
		{ EPT4, BIT_ULL(63), RULE_N_EPTP_RSVD },
		{ NPT4, 0xfff, RULE_N_ALLOWED },
		{ NPT4, BIT_ULL(47), RULE_N_ALLOWED },
		{ NPT4, BIT_ULL(48), RULE_N_NPT_ROOT },
		{ NPT4, BIT_ULL(63), RULE_N_NPT_ROOT },
	};
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		const struct world_config *c = &nested_configs[roots[i].config];
		struct nested_tables t = c->tables;

		t.root ^= roots[i].flip;
		ok &= nested_tables_check(c->cpu, &t) == roots[i].rule;
	}
	return ok;
}

/* Loads of PDPTEs by MOV to CR: SDM 29.3.3.2, table 28-7; APM 15.25.10. */
static bool pdptr_loads_hold(void)
{
	static const struct {
		enum nested_config_index config;
		u64 bits, l2_bits; /* nested PTE of the PDPT; PDPTE 1 */
		const char *expected;
	} loads[] = {
		{ EPT4_L2_PAE, FULL | RWX, PTE_P, "ok" },
		{ EPT4_L2_PAE, FULL | EPT_R, PTE_P, "ok" },
		{ EPT4_L2_PAE, FULL | EPT_X, PTE_P, "violation 0x21 ?0xe40 at pt3+0x0" },
		{ EPT4_L2_PAE, 0, PTE_P, "violation 0x1 ?0xe40 at pt3+0x0" },
		{ EPT4_L2_PAE, FULL | EPT_W, PTE_P, "misconfig at pt3+0x0" },
		{ EPT4_L2_PAE, FULL | RWX, PTE_P | BIT_ULL(1), "#GP(0x0)" },
		{ EPT4_L2_PAE, RWX | WB, PTE_P, "ok nested:31a" },
		{ NPT4_L2_PAE, 0, PTE_P | BIT_ULL(1), "ok" },
	};
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		char text[NESTED_TEXT_LEN], *at;
		u64 pdptr[4] = { 0 };
		struct nested_result r;
		struct world w;

		world_make(&w, &nested_configs[loads[i].config], pages);
		world_set_nested(&w, 3, 1, loads[i].bits);
		put_l2(&w, 3, loads[i].l2_bits);
		nested_load_pdptrs(w.config.cpu, &w.l2, &w.config.tables, &w.memory,
				   w.l2.regs.cr3, pdptr, &r);
		nested_text(&w, &r, text);
		at = strstr(text, "ok ");
		if (at) /* no page is reached */
			memmove(at + 2, strchr(at + 3, ' ') ?: "", 1 + strlen(strchr(at + 3, ' ') ?: ""));
		if (strcmp(text, loads[i].expected)) {
			printf("# PDPTE load %u: expected %s, got %s\n", i, loads[i].expected, text);
			ok = false;
		}
		if (r.outcome == NESTED_OK && w.config.tables.kind == NESTED_EPT)
			ok &= (pdptr[1] & 0xfff) == loads[i].l2_bits;
	}
	return ok;
}

/*
 * Agreement
 */
struct compared {
	u32 deviations;
	u64 cases, differences;
	bool quick;             /* one difference is enough */
	int rules;              /* or -1: all */
	int turn;               /* or -1: with all rules, only one in each case, by turns */
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
		const struct role_context context = { .rules = rules, .guest_mode = true,
						      .maxphyaddr = w->config.cpu->maxphyaddr,
						      .max_tdp_level = 5, .ad_enabled = true };
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
	{ 0, 0 },     { 1, PTE_A }, { 1, PTE_D },     { 1, PTE_W },
	{ 1, PTE_U }, { 1, PTE_NX }, { 1, PTE_P },    { 1, PTE_A | PTE_D | PTE_W },
	{ 1, B(48) }, { 1, B(33) }, { 1, B(51) },     { 2, PTE_A },
	{ 2, PTE_U }, { 2, PTE_P }, { 2, PTE_W },     { 3, PTE_A | PTE_W },
	{ 3, B(51) }, { 4, PTE_A }, { 4, PTE_P },     { 5, PTE_A },
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

/* Each deviation, in each rule set that has it, changes an answer; in others none is named. */
static bool deviation_shows(int deviation, int rules)
{
	struct compared c = { .deviations = 1u << deviation, .quick = true, .rules = rules };
	int i;

	for (i = 0; i < NR_NESTED_CONFIGS && !c.differences; i++)
		compare_config(&nested_configs[i], &c);
	return c.differences;
}

static bool variants_are_sound(const struct world_config *config)
{
	struct nested_tables t = config->tables;
	const struct nested_format *f = &nested_formats[nested_format_of(&t)];
	static struct variant_list list;
	char text[VARIANT_TEXT_LEN];
	bool ok = true;
	int level;
	u64 bits;
	u32 i;

	for (level = 1; level <= f->levels; level++) {
		nested_variants_of(&t, level, config->cpu, &list);
		ok &= list.nr && list.nr < MAX_VARIANTS && list.nr_rights <= list.nr;
		ok &= list.bits[0] == nested_variant_full(&t, level);
		for (i = 0; i < list.nr; i++) {
			nested_variant_text(&t, level, list.bits[i], text);
			ok &= !nested_variant_parse(&t, level, text, strlen(text), &bits);
			ok &= bits == list.bits[i] && variant_find(&list, bits) == (int)i;
			ok &= !nested_variant_moves_target(&t, level, bits, config->cpu);
		}
	}
	return ok;
}

#ifdef SEEDED_FAULTS
static const enum rule nested_rule_ids[] = {
#define RULE(id, says, manual, kernel) RULE_##id,
#include "nested_rules.def"
#undef RULE
};

static bool goldens_hold(void)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nested_goldens); i++)
		ok &= golden_holds(&nested_goldens[i], false);
	return ok;
}

static bool walkers_differ(void)
{
	struct compared c = { .quick = true, .rules = -1 };
	int i;

	for (i = 0; i < NR_NESTED_CONFIGS && !c.differences; i++)
		compare_config(&nested_configs[i], &c);
	return c.differences;
}

static void run_seeded(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nested_rule_ids); i++) {
		enum rule rule = nested_rule_ids[i];
		bool noticed;

		seeded_fault = rule;
		noticed = rule == RULE_N_ALLOWED || rule == RULE_N_NO_MEMORY || /* outcomes */
			  !goldens_hold() || !roots_hold() || !pdptr_loads_hold() ||
			  walkers_differ();
		seeded_fault = -1;
		result(noticed, "broken: ", rule_text(rule)->name);
	}
}
#endif

static void run_all(void)
{
	int i, rules;

	for (i = 0; i < (int)ARRAY_SIZE(nested_goldens); i++)
		result(golden_holds(&nested_goldens[i], true), "golden: ",
		       nested_goldens[i].expected);
	result(roots_hold(), "", "legal and illegal roots");
	result(pdptr_loads_hold(), "", "loads of PDPTEs");
	for (i = 0; i < NR_NESTED_CONFIGS; i++) {
		struct compared c = { .rules = -1 };

		compare_states(i, &c);
		printf("# %llu cases\n", (unsigned long long)c.cases);
		result(!c.differences, "walkers agree: ", nested_configs[i].name);
		result(variants_are_sound(&nested_configs[i]), "variants: ",
		       nested_configs[i].name);
	}
	for (i = 0; i < NR_NESTED_DEVIATIONS; i++)
		for (rules = 0; rules < NR_ROLE_RULES; rules++)
			if (nested_deviations[i].rule_sets & 1u << rules)
				result(deviation_shows(i, rules), "deviation shows: ",
				       nested_deviations[i].name);
}

int main(int argc, char **argv)
{
	bool seeded = argc == 2 && !strcmp(argv[1], "--seeded");

	if (argc > 1 && !seeded) {
		fprintf(stderr, "%s: unknown option '%s'; known: --seeded\n", argv[0], argv[1]);
		return 2;
	}
	puts("KTAP version 1");
#ifdef SEEDED_FAULTS
	seeded_fault = -1;
	if (seeded)
		run_seeded();
#else
	if (seeded) {
		fprintf(stderr, "%s: built without -DSEEDED_FAULTS\n", argv[0]);
		return 2;
	}
#endif
	if (!seeded)
		run_all();
	printf("1..%u\n", nr_result);
	return nr_failed != 0;
}
