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

enum kind { KIND_ACCESS, KIND_AD, KIND_ROOTS, KIND_INVEPT };

struct what {
	enum kind kind;
	const struct mmu_state *state;
	u8 target, levels;
	bool ad;
	char name[96];
};

#define MAX_SUBTESTS (ARRAY_SIZE(states) * NR_L2_TARGETS * 8 + 2)
static struct what whats[MAX_SUBTESTS];
static struct subtest subtests[MAX_SUBTESTS];
static unsigned int nr_subtests;

/* One guest serves all: its tables are written before L2 runs for the first time. */
static struct guest *guest;
static struct l2_ept *tables;

static void prepare(void)
{
	if (!guest)
		guest = guest_create(NULL);
	l2_ept_require(guest);
	if (!tables)
		tables = l2_ept_create(guest);
}

static void run(const struct subtest *self)
{
	const struct what *w = self->data;
	const char *missing;

	prepare();
	if (w->kind == KIND_ROOTS || w->kind == KIND_INVEPT) {
		(w->kind == KIND_ROOTS ? l2_ept_run_roots : l2_ept_run_invept)(tables);
		return;
	}
	missing = state_missing(w->state, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	missing = l1_cannot(guest, w->state, true);
	TEST_REQUIRE(!missing, "%s", missing);
	TEST_REQUIRE(w->levels == 4 || tables->caps.walk_5, "no 5-level EPT is offered");
	TEST_REQUIRE(!w->ad || tables->caps.ad, "no A/D flags for EPT are offered");
	if (w->kind == KIND_ACCESS)
		l2_ept_run(tables, w->state, w->target, w->levels, w->ad, w->state == states);
	else
		l2_ept_run_careful(tables, w->state, w->target, w->levels, w->ad,
				   w->state == states);
}

static void add(struct what what)
{
	struct what *w = &whats[nr_subtests];
	char state[STATE_NAME_LEN], target[16] = "data";

	*w = what;
	if (w->state) {
		state_name(w->state, state);
		if (w->target)
			snprintf(target, sizeof(target), "table%u", w->target);
		snprintf(w->name, sizeof(w->name), "%s/ept%u%s/%s%s", state, w->levels,
			 w->ad ? "-ad" : "", target, w->kind == KIND_AD ? "/accessed-dirty" : "");
	} else {
		snprintf(w->name, sizeof(w->name), w->kind == KIND_ROOTS ? "eptp" : "invept");
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
				if (!l2_has_target(state, target))
					continue;
				add((struct what){ KIND_ACCESS, state, target, levels, ad, "" });
				add((struct what){ KIND_AD, state, target, levels, ad, "" });
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
	add((struct what){ .kind = KIND_ROOTS });
	add((struct what){ .kind = KIND_INVEPT });
	for (i = 0; i < ARRAY_SIZE(states); i++)
		add_state(&states[i]);
	code = report_run(&about, &options, subtests, nr_subtests);
	l2_ept_free(tables);
	guest_free(guest);
	return code;
}
