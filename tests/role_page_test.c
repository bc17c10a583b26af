// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages and their roles against literal expectations.
 *
 * Would catch: a child that inherits what it must not, or loses what it must inherit; a
 * quadrant, a PAE root or a direct page of the wrong kind; rights that follow the wrong
 * entries.  Needs nothing: no KVM, no privilege.
 *
 * Built with -DSEEDED_FAULTS and run with --seeded, it breaks each page rule in turn and
 * demands that a literal expectation fails.
 */
#include <stdio.h>
#include <string.h>

#include "role_page.h"
#include "rule.h"
#include "seeded.h"
#include "x86.h"

#define PG X86_CR0_PG
#define WP X86_CR0_WP
#define PAE X86_CR4_PAE
#define SMEP X86_CR4_SMEP
#define LMA X86_EFER_LMA
#define R21 ROLE_RULES_2021
#define R61 ROLE_RULES_6_1
#define R7 ROLE_RULES_7

#define P PTE_P
#define W PTE_W
#define U PTE_U
#define D PTE_D
#define NX PTE_NX
#define ALL (P | W | U | D)

/* A step of a walk: level, its entry, the page its table lies in; index bits do not matter. */
#define STEP(l, e, table) { .level = l, .entry = e, .entry_gpa = (table) << 12 }
#define LEAF(l, e, table) { .level = l, .leaf = true, .entry = e, .entry_gpa = (table) << 12 }

struct golden {
	const char *name;
	enum role_rules rules;
	struct role_regs regs;
	bool tdp, passthrough;
	u64 cr3, pdptr[4];
	gva_t gva;
	enum access_kind kind;
	u8 cpl;
	gpa_t gpa;
	u8 nr_steps;
	struct walk_step step[MAX_LEVELS];
	const char *expected; /* root pages | pages below: gfn: fields that are not 0 */
};

#define FOUR .regs = { PG | WP, PAE, LMA }, .cr3 = 0x1000, .nr_steps = 4
#define TWO .regs = { PG | WP, 0, 0 }, .cr3 = 0x1000
#define HUGE(cr0_, cr4_)                                                              \
	.regs = { PG | (cr0_), PAE | (cr4_), LMA }, .cr3 = 0x1000, .gva = 0x40201000, \
	.gpa = 0x80201000, .nr_steps = 2
#define RESTRICTED                                                                              \
	.gva = 0x1000, .gpa = 0x9000, .step = { STEP(4, P | U | D, 1), STEP(3, ALL | NX, 2),    \
						STEP(2, P | W, 3), LEAF(1, P | D, 4) }

static const struct golden goldens[] = {
	{ "rights of parents", R61, FOUR, RESTRICTED,
	  .expected = "1: level=4 access=7 efer_nx cr0_wp | 2: level=3 access=5 efer_nx cr0_wp "
		      "3: level=2 access=4 efer_nx cr0_wp 4: level=1 efer_nx cr0_wp" },
	{ "rights of parents", R7, FOUR, RESTRICTED,
	  .expected = "1: level=4 access=15 efer_nx cr0_wp | 2: level=3 access=13 efer_nx cr0_wp "
		      "3: level=2 access=5 efer_nx cr0_wp 4: level=1 access=1 efer_nx cr0_wp" },
	{ "rights of parents", R21, FOUR, RESTRICTED,
	  .expected = "1: level=4 gpte_is_8_bytes access=7 cr0_wp | "
		      "2: level=3 gpte_is_8_bytes access=5 cr0_wp "
		      "3: level=2 gpte_is_8_bytes access=4 cr0_wp 4: level=1 gpte_is_8_bytes cr0_wp" },
	{ "PAE: a root per PDPTE that is present", R61, .regs = { PG, PAE | SMEP, 0 }, .cr3 = 0x1000,
	  .pdptr = { P | 0x2000, 0, P | 0x3000, 0 }, .gva = 0x80000000, .nr_steps = 3,
	  .step = { STEP(3, P | 0x3000, 0), STEP(2, P | U | D, 3), LEAF(1, ALL, 4) },
	  .expected = "2: level=2 access=7 efer_nx smep_andnot_wp "
		      "3: level=2 access=7 efer_nx smep_andnot_wp | "
		      "4: level=1 access=5 efer_nx smep_andnot_wp" },
	{ "2-level: quarters and halves", R61, TWO, .gva = 0xc0200000, .nr_steps = 2,
	  .step = { STEP(2, P | W, 1), LEAF(1, ALL, 2) },
	  .expected = "1: level=2 has_4_byte_gpte access=7 efer_nx cr0_wp "
		      "1: level=2 has_4_byte_gpte quadrant=1 access=7 efer_nx cr0_wp "
		      "1: level=2 has_4_byte_gpte quadrant=2 access=7 efer_nx cr0_wp "
		      "1: level=2 has_4_byte_gpte quadrant=3 access=7 efer_nx cr0_wp | "
		      "2: level=1 has_4_byte_gpte quadrant=1 access=3 efer_nx cr0_wp" },
	{ "2-level: quarters and halves", R21, TWO, .gva = 0xc0000000, .nr_steps = 2,
	  .step = { STEP(2, P | W, 1), LEAF(1, ALL, 2) },
	  .expected = "1: level=2 access=7 cr0_wp 1: level=2 quadrant=1 access=7 cr0_wp "
		      "1: level=2 quadrant=2 access=7 cr0_wp 1: level=2 quadrant=3 access=7 cr0_wp | "
		      "2: level=1 access=3 cr0_wp" },
	{ "4M page, second half, clean, read", R61, TWO, .gva = 0x400000 | 0x203000,
	  .gpa = 0x800000 | 0x203000, .nr_steps = 1, .step = { LEAF(2, P | W | U, 1) },
	  .expected = "1: level=2 has_4_byte_gpte access=7 efer_nx cr0_wp "
		      "1: level=2 has_4_byte_gpte quadrant=1 access=7 efer_nx cr0_wp "
		      "1: level=2 has_4_byte_gpte quadrant=2 access=7 efer_nx cr0_wp "
		      "1: level=2 has_4_byte_gpte quadrant=3 access=7 efer_nx cr0_wp | "
		      "a00: level=1 has_4_byte_gpte quadrant=1 direct access=5 efer_nx cr0_wp" },
	{ "4M page, second half, clean, write", R21, TWO, .gva = 0x600000, .gpa = 0xa00000,
	  .kind = ACCESS_WRITE, .nr_steps = 1, .step = { LEAF(2, P | W | U, 1) },
	  .expected = "1: level=2 access=7 cr0_wp 1: level=2 quadrant=1 access=7 cr0_wp "
		      "1: level=2 quadrant=2 access=7 cr0_wp 1: level=2 quadrant=3 access=7 cr0_wp | "
		      "a00: level=1 gpte_is_8_bytes quadrant=1 direct access=7 cr0_wp" },
	{ "1G page, read-only, dirty, user read", R61, HUGE(0, SMEP), .cpl = 3,
	  .step = { STEP(4, ALL, 1), LEAF(3, P | U | D, 2) },
	  .expected = "1: level=4 access=7 efer_nx smep_andnot_wp | "
		      "2: level=3 access=7 efer_nx smep_andnot_wp "
		      "80000: level=2 direct access=5 efer_nx smep_andnot_wp "
		      "80200: level=1 direct access=5 efer_nx smep_andnot_wp" },
	{ "1G page, read-only, supervisor write, WP=0", R61, HUGE(0, 0), .kind = ACCESS_WRITE,
	  .step = { STEP(4, ALL, 1), LEAF(3, P | U | D, 2) },
	  .expected = "1: level=4 access=7 efer_nx | 2: level=3 access=7 efer_nx "
		      "80000: level=2 direct access=3 efer_nx 80200: level=1 direct access=3 efer_nx" },
	{ "the same with SMEP", R61, HUGE(0, SMEP), .kind = ACCESS_WRITE,
	  .step = { STEP(4, ALL, 1), LEAF(3, P | U | D, 2) },
	  .expected = "1: level=4 access=7 efer_nx smep_andnot_wp | "
		      "2: level=3 access=7 efer_nx smep_andnot_wp "
		      "80000: level=2 direct access=2 efer_nx smep_andnot_wp "
		      "80200: level=1 direct access=2 efer_nx smep_andnot_wp" },
	{ "the same with SMEP", R7, HUGE(0, SMEP), .kind = ACCESS_WRITE,
	  .step = { STEP(4, ALL, 1), LEAF(3, P | U | D, 2) },
	  .expected = "1: level=4 access=15 efer_nx cr4_smep | "
		      "2: level=3 access=15 efer_nx cr4_smep "
		      "80000: level=2 direct access=3 efer_nx cr4_smep "
		      "80200: level=1 direct access=3 efer_nx cr4_smep" },
	{ "a level that only the host has", R61, FOUR, .passthrough = true, .gpa = 0x9000,
	  .step = { STEP(4, P | U, 1), STEP(3, ALL, 2), STEP(2, ALL, 3), LEAF(1, ALL, 4) },
	  .expected = "1: level=5 access=7 efer_nx cr0_wp passthrough | "
		      "1: level=4 access=7 efer_nx cr0_wp 2: level=3 access=5 efer_nx cr0_wp "
		      "3: level=2 access=5 efer_nx cr0_wp 4: level=1 access=5 efer_nx cr0_wp" },
	{ "paging off", R61, .regs = { WP, 0, 0 }, .gpa = 0x40201000,
	  .expected = "0: level=2 direct access=7 efer_nx 40000: level=2 direct access=7 efer_nx "
		      "80000: level=2 direct access=7 efer_nx c0000: level=2 direct access=7 efer_nx | "
		      "40200: level=1 direct access=7 efer_nx" },
	{ "paging off", R21, .regs = { WP, 0, 0 }, .gpa = 0x40201000,
	  .expected = "0: level=2 gpte_is_8_bytes direct access=7 "
		      "40000: level=2 gpte_is_8_bytes direct access=7 "
		      "80000: level=2 gpte_is_8_bytes direct access=7 "
		      "c0000: level=2 gpte_is_8_bytes direct access=7 | "
		      "40200: level=1 gpte_is_8_bytes direct access=7" },
	{ "TDP", R61, .tdp = true, .regs = { PG, 0, 0 }, .cr3 = 0x1000, .gpa = 0x8040201000,
	  .expected = "0: level=4 direct access=7 efer_nx cr0_wp | "
		      "8000000: level=3 direct access=7 efer_nx cr0_wp "
		      "8040000: level=2 direct access=7 efer_nx cr0_wp "
		      "8040200: level=1 direct access=7 efer_nx cr0_wp" },
};

static void pages_text(enum role_rules rules, const struct role_page *pages, unsigned int nr,
		       char *text, size_t size)
{
	size_t at = strlen(text);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		at += snprintf(text + at, size - at, "%s%llx:", at ? " " : "",
			       (unsigned long long)pages[i].gfn);
		for (enum role_field_index f = 0; f < NR_ROLE_FIELDS; f++) {
			u8 value = role_field_get(&pages[i].role, f);

			if (value)
				at += snprintf(text + at, size - at, " %s", role_fields[f].name);
			if (value && role_field_width(f, rules) > 1)
				at += snprintf(text + at, size - at, "=%u", value);
		}
	}
}

static bool golden_holds(const struct golden *g, char *text, size_t size)
{
	struct role_tables tables = {
		.context = { .rules = g->rules, .max_tdp_level = 4, .ad_enabled = true },
	};
	struct walk_regs regs = { .cr3 = g->cr3, .cs_l = g->regs.efer & LMA };
	struct walk_access access = { .gva = g->gva, .kind = g->kind, .cpl = g->cpl };
	struct walk_result walk = { .gpa = g->gpa, .nr_steps = g->nr_steps };
	struct role_page pages[ROLE_PAGES_MAX];
	unsigned int nr = 0;

	memcpy(regs.pdptr, g->pdptr, sizeof(regs.pdptr));
	memcpy(walk.step, g->step, sizeof(walk.step));
	tables.cpu = kvm_calc_cpu_role(&tables.context, &g->regs);
	tables.root = g->tdp ? kvm_calc_tdp_mmu_root_page_role(&tables.context, &g->regs) :
			       kvm_calc_shadow_mmu_root_page_role(&tables.context, &g->regs);
	if (g->passthrough) {
		tables.root.level = 5;
		tables.root.passthrough = 1;
	}
	text[0] = '\0';
	pages_text(g->rules, pages, role_root_pages(&tables, &regs, pages), text, size);
	strcat(text, " |");
	if (tables.root.direct) {
		for (u8 level = tables.root.level > 3 ? tables.root.level - 1 : 1; level; level--)
			pages[nr++] = role_direct_page(&tables, level, g->gpa);
	} else {
		nr = role_walk_pages(&tables, &regs, &access, &walk, pages);
	}
	pages_text(g->rules, pages, nr, text, size);
	return !strcmp(text, g->expected);
}

static unsigned int number, nr_failed;

static void result(bool ok, const char *rules, const char *name)
{
	printf("%s %u - %s %s\n", ok ? "ok" : "not ok", ++number, rules, name);
	nr_failed += !ok;
}

static void run_goldens(void)
{
	char text[2048];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(goldens); i++) {
		bool ok = golden_holds(&goldens[i], text, sizeof(text));

		if (!ok)
			printf("# expected: %s\n# computed: %s\n", goldens[i].expected, text);
		result(ok, role_rules_name(goldens[i].rules), goldens[i].name);
	}
}

#ifdef SEEDED_FAULTS
static const enum rule page_rules[] = {
#define RULE(id, says, manual, kernel) RULE_##id,
#include "role_page_rules.def"
#undef RULE
};

/* Each rule in turn broken: a literal expectation has to fail. */
static void run_seeded(void)
{
	char text[2048];
	size_t r, i;

	for (r = 0; r < ARRAY_SIZE(page_rules); r++) {
		unsigned int failed = 0;

		seeded_fault = page_rules[r];
		/* A page that never gets to level 1 has no end. */
		for (i = 0; i < ARRAY_SIZE(goldens) && page_rules[r] != RULE_ROLE_CHILD_LEVEL; i++)
			failed += !golden_holds(&goldens[i], text, sizeof(text));
		if (page_rules[r] == RULE_ROLE_CHILD_LEVEL) {
			struct role_tables tables = { .context = { .rules = R61 } };
			struct mmu_role parent = { .level = 4 };

			failed = kvm_mmu_child_role(&tables, &parent, false, 7, 0).level != 3;
		}
		seeded_fault = -1;
		result(failed, "broken", rule_text(page_rules[r])->name);
	}
}
#else
static const enum rule page_rules[0];

static void run_seeded(void)
{
}
#endif

int main(int argc, char **argv)
{
	bool seeded = seeded_asked_for(argc, argv);
	size_t more = seeded ? ARRAY_SIZE(page_rules) : 0;

	puts("KTAP version 1");
	printf("1..%zu\n", ARRAY_SIZE(goldens) + more);
	run_goldens();
	if (seeded)
		run_seeded();
	return nr_failed != 0;
}
