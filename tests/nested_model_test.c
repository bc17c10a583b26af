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

#include "nested_compare.h"
#include "nested_golden_cases.h"

static unsigned int nr_result, nr_failed;

static void result(bool ok, const char *kind, const char *name)
{
	printf("%sok %u %s%s\n", ok ? "" : "not ", ++nr_result, kind, name);
	nr_failed += !ok;
	fflush(stdout);
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
		nested_load_pdptrs(w.config.cpu, &w.l2, &w.config.tables, &w.memory, w.l2.regs.cr3,
				   pdptr, &r);
		nested_text(&w, &r, text);
		at = strstr(text, "ok ");
		if (at) /* no page is reached */
			memmove(at + 2, strchr(at + 3, ' ') ?: "",
				1 + strlen(strchr(at + 3, ' ') ?: ""));
		if (strcmp(text, loads[i].expected)) {
			printf("# PDPTE load %u: expected %s, got %s\n", i, loads[i].expected,
			       text);
			ok = false;
		}
		if (r.outcome == NESTED_OK && w.config.tables.kind == NESTED_EPT)
			ok &= (pdptr[1] & 0xfff) == loads[i].l2_bits;
	}
	return ok;
}

/*
 * Deviations and variants
 */
/* Each deviation, in each rule set that has it, changes an answer where it is looked for. */
static const enum nested_config_index shown_by[NR_NESTED_DEVIATIONS] = {
	[NESTED_DEV_PAGE_ADDRESS] = NPT4,
	[NESTED_DEV_WALK_WRITES] = EPT4_NO_AD,
	[NESTED_DEV_READ_WITH_ALL] = EPT4,
	[NESTED_DEV_EXECONLY_FETCH] = EPT4,
	[NESTED_DEV_NO_ADVANCED] = EPT4,
	[NESTED_DEV_STAGE_FINAL] = NPT4,
	[NESTED_DEV_L2_PDPTE_CACHED] = NPT4_L2_PAE,
	[NESTED_DEV_NPT_PDPTE_RSVD] = NPT_PAE,
	[NESTED_DEV_GPA_TRUNCATED] = NPT4_52,
	[NESTED_DEV_NMI_LOST] = EPT4_IRET,
};

static bool deviation_shows(int deviation, int rules)
{
	struct compared c = { .deviations = 1u << deviation, .quick = true, .rules = rules };

	compare_config(&nested_configs[shown_by[deviation]], &c);
	return c.differences;
}

/* What nested_roles_of() hands to the rules of role.c, which have tests of their own. */
static bool roles_hold(const struct world_config *config)
{
	const struct nested_tables *t = &config->tables;
	const bool ept = t->kind == NESTED_EPT;
	bool ok = true;
	struct world w;
	int rules;

	world_make(&w, config, pages);
	for (rules = 0; rules < NR_ROLE_RULES; rules++) {
		const struct role_context context = { .rules = rules, .guest_mode = true,
						      .max_tdp_level = 5, .tdp_root_level = 5,
						      .maxphyaddr = config->cpu->maxphyaddr };
		const bool mbec = t->mbec && rules >= ROLE_RULES_7;
		const bool ext = rules == ROLE_RULES_2021;
		struct nested_roles r;

		nested_roles_of(&context, t, &w.l2.regs, &r);
		ok &= r.walk.level == nested_formats[w.format].levels;
		ok &= r.walk.guest_mode && r.root.guest_mode && r.l2.guest_mode;
		ok &= r.l2.level == paging_formats[config->l2_mode].levels;
		ok &= r.root.level == (ept ? r.walk.level : 5);
		ok &= r.root.valid == ext && r.walk.valid;
		if (ept) {
			ok &= r.walk.ad_disabled == !(t->root & EPTP_AD);
			ok &= r.walk.execonly == t->caps.execonly && r.walk.cr4_smep == mbec;
			ok &= r.root.execonly == (ext && t->caps.execonly);
		} else {
			ok &= r.walk.efer_nx == !!(t->l1_efer & X86_EFER_NX);
			ok &= r.root.passthrough == (!ext && r.walk.level == 4);
		}
	}
	return ok;
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

	result(goldens_hold() && roots_hold() && pdptr_loads_hold() && !walkers_differ(), "",
	       "nothing broken: nothing noticed");
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
		result(golden_holds(&nested_goldens[i], true),
		       "golden: ", nested_goldens[i].expected);
	result(roots_hold(), "", "legal and illegal roots");
	result(pdptr_loads_hold(), "", "loads of PDPTEs");
	for (i = 0; i < NR_NESTED_CONFIGS; i++) {
		struct compared c = { .rules = -1 };

		compare_states(i, &c);
		printf("# %llu cases\n", (unsigned long long)c.cases);
		result(!c.differences, "walkers agree: ", nested_configs[i].name);
		result(roles_hold(&nested_configs[i]), "roles: ", nested_configs[i].name);
		result(variants_are_sound(&nested_configs[i]),
		       "variants: ", nested_configs[i].name);
	}
	for (i = 0; i < NR_NESTED_DEVIATIONS; i++)
		for (rules = 0; rules < NR_ROLE_RULES; rules++)
			if (nested_deviations[i].rule_sets & 1u << rules)
				result(deviation_shows(i, rules),
				       "deviation shows: ", nested_deviations[i].name);
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
