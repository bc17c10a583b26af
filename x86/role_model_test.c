// SPDX-License-Identifier: GPL-2.0-only
/*
 * role_model_test - the model against itself: registers against roles.
 *
 * Proves: the architecture walker, driven by CR0, CR4 and EFER, and the role walker,
 * driven by the role that KVM computes from them, give the same answer for every legal
 * register state, every entry variant and every access, for each rule set of KVM's role
 * calculation (2021, 6.1, 7).  And for every role field that a walk can show there is a
 * case whose outcome changes with it.
 *
 * What both walkers share, the tables of paging.c and the A/D rule, they cannot disagree
 * about: tests/golden_cases.h holds answers for those.
 *
 * Would catch: a role that loses a register bit which matters, or that carries one which
 * must not; a slip in either walker.
 *
 * Needs: nothing.  No KVM is involved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canonical.h"
#include "case_run.h"
#include "report.h"
#include "role_walk.h"
#include "witness.h"
#include "x86.h"

static const struct test_about about = {
	.name = "role_model_test",
	.proves = "walks driven by registers and walks driven by KVM's role agree everywhere",
	.tags = "model,no-kvm",
};

/* CPUs that differ in what an entry may hold. */
static const struct {
	const char *name;
	struct cpu_facts facts;
} cpus[] = {
#define ALL .lm = true, .nx = true, .smep = true, .smap = true, .pku = true, .la57 = true
	{ "intel-52-1g", { VENDOR_INTEL, 52, ALL, .gbpages = true, .pse36 = true } },
	{ "intel-46-1g", { VENDOR_INTEL, 46, ALL, .gbpages = true, .pse36 = true } },
	{ "intel-39-no-1g", { VENDOR_INTEL, 39, ALL, .gbpages = false, .pse36 = true } },
	{ "intel-32-1g", { VENDOR_INTEL, 32, ALL, .gbpages = true, .pse36 = true } },
	{ "intel-36", { VENDOR_INTEL, 36, ALL, .gbpages = false, .pse36 = true } },
	{ "amd-48-1g", { VENDOR_AMD, 48, ALL, .gbpages = true, .pse36 = true } },
	{ "amd-40-nopse36", { VENDOR_AMD, 40, ALL, .gbpages = true, .pse36 = false } },
#undef ALL
};

/* One subtest: a mode on a CPU, with one kind of plan. */
struct part {
	char name[64];
	enum state_mode mode;
	const struct cpu_facts *cpu;
	enum plan_kind plan;
};

static void report_disagreement(const struct test_case *tc, const struct walk_result *arch,
				const struct walk_result *role, enum role_rules rules)
{
	char id[CASE_ID_LEN + 16], e[OUTCOME_TEXT_LEN], o[OUTCOME_TEXT_LEN];
	struct case_failure f = { .id = id, .expected = e, .observed = o };
	size_t n;

	case_id(tc, id);
	n = strlen(id);
	snprintf(id + n, sizeof(id) - n, " role-%s", role_rules_name(rules));
	walk_result_text(arch, e);
	walk_result_text(role, o);
	if (!strcmp(e, o))
		strcat(o, " (page size, rights, path or A/D bits differ)");
	f.rule = rule_text(arch->rule)->name;
	report_failure(&f);
}

/* All actors and accesses of one address, with every rule set's role. */
static u64 compare_address(const struct guest *guest, const struct walk_regs *regs,
			   const struct role_mmu mmu[NR_ROLE_RULES], struct test_case *tc, gva_t gva)
{
	struct walk_result arch, role;
	unsigned int i;
	int access, rules;
	u64 cases = 0;

	for (i = 0; i < NR_ACTORS; i++) {
		for (access = 0; access < NR_AGENT_ACCESSES; access++) {
			struct walk_access a;

			tc->actor = all_actors[i];
			tc->access = access;
			a = case_access(tc, gva);
			walk(&guest->cpu, regs, &guest->memory, &a, &arch);
			for (rules = 0; rules < NR_ROLE_RULES; rules++) {
				role_walk(&mmu[rules], &guest->cpu, regs, &guest->memory, &a,
					  &role);
				if (!walk_results_equal(&arch, &role))
					report_disagreement(tc, &arch, &role, rules);
			}
			cases++;
		}
	}
	return cases;
}

/* Bounds of canonical address space, for each kind, segment and size of access. */
static u64 compare_bounds(const struct guest *guest, const struct walk_regs *regs,
			  const struct role_mmu mmu[NR_ROLE_RULES], struct test_case *tc)
{
	static const u8 sizes[] = { 1, 4, 8 };
	gva_t gvas[MAX_CANONICAL_ADDRESSES];
	unsigned int nr = canonical_addresses(gvas), i, k;
	struct walk_result arch, role;
	int rules;

	for (i = 0; i < nr; i++)
		for (k = 0; k < NR_ACCESS_KINDS * ARRAY_SIZE(sizes) * 4; k++) {
			const struct walk_access a = {
				.gva = gvas[i],
				.cpl = k & 1 ? 3 : 0,
				.stack = k & 2,
				.kind = k / 4 % NR_ACCESS_KINDS,
				.size = sizes[k / 4 / NR_ACCESS_KINDS],
			};

			walk(&guest->cpu, regs, &guest->memory, &a, &arch);
			for (rules = 0; rules < NR_ROLE_RULES; rules++) {
				role_walk(&mmu[rules], &guest->cpu, regs, &guest->memory, &a,
					  &role);
				if (!walk_results_equal(&arch, &role))
					report_disagreement(tc, &arch, &role, rules);
			}
		}
	return (u64)nr * k;
}

static void compare_state(const struct guest *guest, const struct mmu_state *state,
			  const struct plan *plan)
{
	const struct role_regs regs = state_regs(state);
	const struct walk_regs walk_regs = guest_walk_regs(guest, state);
	struct role_mmu mmu[NR_ROLE_RULES];
	struct test_case tc = { .state = *state };
	u64 cases = 0;
	int rules;
	u32 i;

	for (rules = 0; rules < NR_ROLE_RULES; rules++) {
		struct role_context context = { .rules = rules, .maxphyaddr = guest->cpu.maxphyaddr };
		struct mmu_role role = kvm_calc_cpu_role(&context, &regs);

		role_mmu_init(rules, &role, &mmu[rules]);
	}
	cases += compare_bounds(guest, &walk_regs, mmu, &tc);
	if (state_modes[state->mode].paging == PAGING_NONE)
		cases += compare_address(guest, &walk_regs, mmu, &tc, DATA_PAGE);
	for (i = 0; state_modes[state->mode].paging != PAGING_NONE && i < plan->nr; i++) {
		guest_entries(guest, state, plan->choice[i], tc.entry);
		cases += compare_address(guest, &walk_regs, mmu, &tc,
					 guest_gva(guest, state_area(state), plan->choice[i], 0));
		if (report_should_stop())
			break;
	}
	report_cases(cases);
}

static void compare_part(const struct subtest *self)
{
	const struct part *part = self->data;
	struct guest *guest = guest_create_model(part->cpu);
	struct mmu_state state;
	unsigned int i;

	for (i = 0; state_nth(part->mode, i, &state) && !report_should_stop(); i++) {
		const struct table_image *t = &guest->area[state_area(&state)];
		struct plan plan = { 0 };

		if (state_modes[part->mode].paging != PAGING_NONE)
			plan_make(&plan, part->plan, t->shape.mode, t->variants);
		compare_state(guest, &state, &plan);
		plan_free(&plan);
	}
	guest_free(guest);
}

static void witness_rules(const struct subtest *self)
{
	const enum role_rules rules = *(const enum role_rules *)self->data;
	struct guest *guest = guest_create_model(&cpus[0].facts);
	int field;

	for (field = 0; field < NR_ROLE_FIELDS; field++) {
		char id[CASE_ID_LEN];
		struct witness w;

		if (role_field_part(field, rules) == ROLE_PART_NONE)
			continue;
		if (witness_elsewhere(field)) {
			report_note("%s: no single walk shows it, but: %s", role_fields[field].name,
				    witness_elsewhere(field));
			continue;
		}
		report_cases(1);
		if (witness_find(guest, rules, field, &w)) {
			case_id(&w.tc, id);
			report_note("%s %u -> %u: %s", role_fields[field].name, w.value, w.flipped,
				    id);
			continue;
		}
		report_failure(&(struct case_failure){ .id = role_fields[field].name,
						       .expected = "a witness case",
						       .observed = "none",
						       .rule = "-" });
	}
	guest_free(guest);
}

#define MAX_PARTS 64

int main(int argc, char **argv)
{
	static struct part parts[MAX_PARTS];
	static struct subtest subtests[MAX_PARTS + NR_ROLE_RULES];
	static char witness_names[NR_ROLE_RULES][32];
	static enum role_rules rules[NR_ROLE_RULES];
	struct test_options options;
	unsigned int nr = 0, c, i;
	int mode;

	test_options_parse(&about, argc, argv, &options);
	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		for (c = 0; c < ARRAY_SIZE(cpus); c++) {
			struct part *p = &parts[nr];

			*p = (struct part){ "", mode, &cpus[c].facts, PLAN_WALK };
			snprintf(p->name, sizeof(p->name), "%s/%s", state_modes[mode].name,
				 cpus[c].name);
			subtests[nr++] = (struct subtest){ p->name, compare_part, p };
		}
		/* 5-level tables differ from these by one more level of the same kind. */
		if (mode == MODE_NOPG || mode == MODE_5LEVEL)
			continue;
		parts[nr] = (struct part){ "", mode, &cpus[0].facts, PLAN_RIGHTS_PRODUCT };
		snprintf(parts[nr].name, sizeof(parts[nr].name), "%s/all-rights",
			 state_modes[mode].name);
		subtests[nr] = (struct subtest){ parts[nr].name, compare_part, &parts[nr] };
		nr++;
	}
	for (i = 0; i < NR_ROLE_RULES; i++) {
		rules[i] = i;
		snprintf(witness_names[i], sizeof(witness_names[i]), "witness/%s",
			 role_rules_name(i));
		subtests[nr++] = (struct subtest){ witness_names[i], witness_rules, &rules[i] };
	}
	return report_run(&about, &options, subtests, nr);
}
