// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested EPT: L2's accesses under extended page tables that L1 made, of every kind.
 *
 * Proves: translations, faults in L2 and exits to L1 with all that L1 is told (reason, exit
 * qualification, guest-linear and guest-physical address) are those of nested_walk(), with
 * and without A/D flags for EPT, for L2's data and for L2's own tables; A and D bits are set
 * in both sets of tables as they must be; EPTPs are checked; INVEPT is obeyed.
 *
 * Would catch: rights that KVM's shadow of EPT adds or loses, entries taken for misconfigured
 * that are not and the other way round, exits with a wrong qualification or address, an EPT
 * violation in place of L2's own fault, A/D bits that are not set in L1's tables, shadow pages
 * that outlive INVEPT or serve two EPTPs.
 *
 * Needs: an Intel CPU, KVM that offers VMX with EPT to guests (kvm_intel nested=1 ept=1).
 */
#include <stdio.h>

#include "l2_ept.h"
#include "test_assert.h"

static const struct test_about about = {
	.name = "nested_ept_test",
	.proves = "L2 under L1's extended page tables is as the manuals say, and L1 is told so",
	.has_cases = true,
	.engines = NESTED_HOWS,
	.tags = "nested,ept",
};

/* The first has everything; the others what may differ: formats, L2's control bits. */
static const struct mmu_state states[] = {
	{ MODE_4LEVEL, FLAG_WP | FLAG_NX },
	{ MODE_4LEVEL, 0 },
	{ MODE_4LEVEL, FLAG_WP | FLAG_SMEP | FLAG_SMAP | FLAG_NX },
	{ MODE_COMPAT4, FLAG_WP | FLAG_NX },
	{ MODE_PAE, FLAG_WP | FLAG_NX },
	{ MODE_2LEVEL, FLAG_WP | FLAG_PSE },
	{ MODE_NOPG, 0 },
};

enum kind { KIND_ACCESS, KIND_AD, KIND_ROOTS, KIND_INVEPT, KIND_TOUR };

struct what {
	enum kind kind;
	struct l2_ept_plan plan;
	char name[96];
};

#define MAX_SUBTESTS (ARRAY_SIZE(states) * NR_L2_TARGETS * (8 + 4 * NR_NESTED_HOWS) + 3)
static struct what whats[MAX_SUBTESTS];
static struct subtest subtests[MAX_SUBTESTS];
static unsigned int nr_subtests;

/* One guest serves all: its tables are written before L2 runs for the first time. */
static struct guest *guest;
static struct l2_ept *tables;

/* Those that are about no state of L2's. */
static const struct {
	const char *name;
	void (*run)(struct l2_ept *e);
} alone[] = {
	[KIND_ROOTS] = { "eptp", l2_ept_run_roots },
	[KIND_INVEPT] = { "invept", l2_ept_run_invept },
	[KIND_TOUR] = { "tour", l2_ept_run_tour },
};

static void prepare(void)
{
	if (!guest)
		guest = guest_create(NULL);
	l2_ept_require(guest);
	if (!tables)
		tables = l2_ept_create(guest);
}

static void require(const struct l2_ept_plan *p)
{
	const struct nested_case read = { .l2 = *p->state, .how = p->how };
	const char *missing = state_missing(p->state, &guest->cpu);

	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	missing = l1_cannot(guest, p->state, true);
	TEST_REQUIRE(!missing, "%s", missing);
	TEST_REQUIRE(p->levels == 4 || tables->caps.walk_5, "no 5-level EPT is offered");
	TEST_REQUIRE(!p->ad || tables->caps.ad, "no A/D flags for EPT are offered");
	missing = nested_how_unsupported(guest, &read);
	TEST_REQUIRE(!missing, "engine %s: %s", nested_how_names[p->how], missing);
	report_engine(nested_how_names[p->how]);
}

static void run(const struct subtest *self)
{
	const struct what *w = self->data;

	prepare();
	if (!w->plan.state) {
		alone[w->kind].run(tables);
		return;
	}
	require(&w->plan);
	(w->kind == KIND_ACCESS ? l2_ept_run : l2_ept_run_careful)(tables, &w->plan);
}

static void add(enum kind kind, struct l2_ept_plan plan)
{
	struct what *w = &whats[nr_subtests];
	char state[STATE_NAME_LEN], target[16] = "data";

	w->kind = kind;
	w->plan = plan;
	if (plan.state) {
		state_name(plan.state, state);
		if (plan.target)
			snprintf(target, sizeof(target), "table%u", plan.target);
		snprintf(w->name, sizeof(w->name), "%s%s%s/ept%u%s/%s%s",
			 plan.how ? nested_how_names[plan.how] : "", plan.how ? "/" : "", state,
			 plan.levels, plan.ad ? "-ad" : "", target,
			 kind == KIND_AD ? "/accessed-dirty" : "");
	} else {
		snprintf(w->name, sizeof(w->name), "%s", alone[kind].name);
	}
	subtests[nr_subtests++] = (struct subtest){ w->name, run, w };
}

static void add_state(const struct mmu_state *state)
{
	u8 target, levels;
	int ad;

	for (levels = 4; levels <= 5; levels++)
		for (ad = 0; ad <= 1; ad++)
			for (target = 0; target < NR_L2_TARGETS; target++) {
				const struct l2_ept_plan plan = { NESTED_BY_L2, state, target, levels,
								  ad, state == states };

				if (!l2_has_target(state, target))
					continue;
				add(KIND_ACCESS, plan);
				add(KIND_AD, plan);
			}
}

/* The same by other ways than L2's CPU: a few entries, 4 levels. */
static void add_ways(const struct mmu_state *state)
{
	enum nested_how how;
	u8 target;
	int ad;

	for (how = NESTED_BY_L2 + 1; how < NR_NESTED_HOWS; how++)
		for (ad = 0; ad <= 1; ad++)
			for (target = 0; target < NR_L2_TARGETS; target++) {
				const struct l2_ept_plan plan = { how, state, target, 4, ad, false };

				if (!l2_has_target(state, target))
					continue;
				add(KIND_ACCESS, plan);
				if (how != NESTED_BY_MOVED)
					add(KIND_AD, plan);
			}
}

int main(int argc, char **argv)
{
	struct test_options options;
	unsigned int i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	if (options.case_id)
		return l2_ept_replay(&options);
	for (i = 0; i < ARRAY_SIZE(alone); i++)
		if (alone[i].run)
			add(i, (struct l2_ept_plan){ .state = NULL });
	for (i = 0; i < ARRAY_SIZE(states); i++)
		add_state(&states[i]);
	for (i = 0; i < ARRAY_SIZE(states); i++)
		add_ways(&states[i]);
	code = report_run(&about, &options, subtests, nr_subtests);
	l2_ept_free(tables);
	guest_free(guest);
	return code;
}
