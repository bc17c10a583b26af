// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the model says of whole batches (forecast.h) against what it says of each case: for every
 * state, actor, access and case of walk_test's plans an outcome that is right must be taken for
 * right, and the same with any one thing wrong in it must not.  No KVM is involved.
 *
 * Would catch: a class of translations that do not all end alike, one forecast for two ways to
 * read the same tables, A/D bits of another case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "forecast.h"
#include "golden_cases.h"
#include "test_assert.h"
#include "x86.h"

#define MAX_STATES 512

struct counts {
	unsigned long cases, walked, not_taken, taken_wrongly, classes;
	unsigned long alike, not_alike;
};

/* How a case of each class differed last, and what outcome_class() said of it. */
static struct {
	struct forecast_difference difference;
	struct outcome_class says;
} last[256];

static unsigned int number, failed;

static void result(bool good, const char *what, const char *cpu)
{
	printf("%sok %u %s: %s\n", good ? "" : "not ", ++number, what, cpu);
	failed += !good;
}

/* What a right CPU would have the agent report; and no more A/D bits than it must. */
static struct agent_result right_result(const struct comparison *c, u32 *may)
{
	const struct walk_result *e = c->expected;
	struct agent_result r = { .status = STATUS_DONE, .value = VALUE_NONE, .cr2 = c->gva };

	if (e->outcome == WALK_OK) {
		r.value = agent_tag(c->batch->access, e->gpa);
	} else {
		r.status = STATUS_FAULT | e->vector;
		r.error = e->error_code;
		r.cr2 = e->cr2;
		r.rip = agent_fault_rip(c->batch, c->gva);
	}
	if (agent_reports_ad(c->batch))
		expected_ad(c, &r.ad, may);
	return r;
}

struct judge {
	struct counts *counts;
	const struct expectations *expectations;
	struct comparison c;
	u32 i;
};

/* Two that are said to differ alike must have the same class. */
static void compare_differences(const struct judge *j, const struct agent_result *wrong)
{
	const u16 k = j->expectations->forecast->cases[j->i].class;
	struct comparison c = j->c;
	struct outcome_class class;
	bool has_class;

	c.observed = wrong;
	if (outcome_matches(&c))
		return;
	has_class = outcome_class(&c, &class);
	if (forecast_differs_alike(j->expectations, j->i, wrong, &last[k].difference)) {
		j->counts->alike++;
		if (!has_class || memcmp(&class, &last[k].says, sizeof(class)))
			j->counts->not_alike++;
	} else if (has_class) {
		forecast_note_difference(j->expectations, j->i, wrong, 0,
					 &last[k].difference);
		last[k].says = class;
	}
}

/* outcome_matches() has the last word: nothing may be taken for right that it does not. */
static void one_wrong(const struct judge *j, const struct agent_result *wrong)
{
	struct agent_result r = *wrong;
	struct comparison c = j->c;

	c.observed = &r;
	r.status = agent_result_status(&r);
	if (forecast_agrees(j->expectations, j->i, wrong) && !outcome_matches(&c))
		j->counts->taken_wrongly++;
}

static void all_wrong(const struct judge *j, const struct agent_result *right)
{
	struct agent_result wrong;
	int bit;

#define WRONG(change)                       \
	do {                                \
		wrong = *right;             \
		change;                     \
		one_wrong(j, &wrong);       \
	} while (0)

	WRONG(wrong.status = STATUS_NOT_RUN);
	WRONG(wrong.status = STATUS_DONE);
	WRONG(wrong.status = STATUS_FAULT | PF_VECTOR);
	WRONG(wrong.status = STATUS_FAULT | GP_VECTOR);
	WRONG(wrong.status = STATUS_EXIT | KVM_EXIT_SHUTDOWN);
	WRONG(wrong.value ^= 0x1000);
	WRONG(wrong.value = VALUE_NONE);
	WRONG(wrong.cr2 ^= 0x1000);
	WRONG(wrong.cr2 ^= BIT_ULL(40));
	WRONG(wrong.rip++);
	WRONG(wrong.rip = 0);
	WRONG(wrong.ad |= AD_CORRUPT);
	for (bit = 0; bit < 7; bit++)
		WRONG(wrong.error ^= 1u << bit);
	for (bit = 0; bit < 2 * MAX_LEVELS; bit++)
		WRONG(wrong.ad ^= 1u << bit);
#undef WRONG
}

/* What a right outcome is in guest memory. */
static struct agent_result as_left(const struct agent_batch *batch, const struct agent_result *right)
{
	struct agent_result r = *right;

	if (!batch->careful || r.status == STATUS_DONE)
		r.status = 0;
	return r;
}

static void judge_case(struct judge *j, bool seed)
{
	struct agent_result right;
	u32 may = 0;

	right = right_result(&j->c, &may);
	j->counts->cases++;
	if (j->expectations->forecast->cases[j->i].class == NO_CLASS_OF_TRANSLATION) {
		j->counts->walked++;
		return;
	}
	if (!j->c.batch->results)
		right = as_left(j->c.batch, &right);
	if (!forecast_agrees(j->expectations, j->i, &right))
		j->counts->not_taken++;
	/* With all A and D bits that are left open, too. */
	right.ad |= may;
	if (!forecast_agrees(j->expectations, j->i, &right))
		j->counts->not_taken++;
	if (!seed)
		return;
	all_wrong(j, &right);
	/* As many cases of a host may differ; no such difference is a right outcome's. */
	right.status = agent_result_status(&right);
	compare_differences(j, &right);
	right.error ^= PFERR_PRESENT;
	compare_differences(j, &right);
}

static void check_batch(const struct guest *guest, const struct plan *plan,
			const struct agent_batch *batch, bool seed, struct counts *counts)
{
	const struct walk_regs regs = guest_walk_regs(guest, &batch->state);
	const struct test_case tc = { batch->state, batch->actor, batch->access, { 0 } };
	struct forecast *f = forecast_of(guest, &batch->state, plan);
	struct expectation *of_class = calloc(f->nr_classes, sizeof(*of_class));
	struct expectations expectations;
	u32 i;

	if (f->nr_classes > counts->classes)
		counts->classes = f->nr_classes;
	TEST_ASSERT(f->nr_classes <= ARRAY_SIZE(last), "%u classes", f->nr_classes);
	memset(last, 0, sizeof(last));
	forecast_expect(f, guest, plan, batch, of_class, &expectations);
	for (i = 0; i < plan->nr; i++) {
		const gva_t gva = guest_gva(guest, state_area(&batch->state), plan->choice[i],
					    agent_access_offset(batch->access));
		const struct walk_access access = case_access(&tc, gva);
		struct walk_result expected;
		struct judge j = { counts, &expectations, { guest, batch, gva, &expected, NULL }, i };

		walk(&guest->cpu, &regs, &guest->memory, &access, &expected);
		judge_case(&j, seed);
	}
	free(of_class);
}

/* Looked at where the agent leaves the results, and as agent_run() passes them on. */
static void check_both(const struct guest *guest, const struct plan *plan, struct agent_batch *batch,
		       bool seed, struct counts *counts)
{
	static struct agent_result passed_on;

	batch->results = NULL;
	check_batch(guest, plan, batch, seed, counts);
	batch->results = &passed_on;
	check_batch(guest, plan, batch, seed, counts);
}

static void check_state(const struct guest *guest, const struct mmu_state *state,
			struct plan_set *plans, bool seed, struct counts *counts)
{
	static const enum plan_kind kinds[NR_CARES] = {
		[CARE_NONE] = PLAN_WALK,
		[CARE_BEHIND] = PLAN_WALK_FIXED,
		[CARE_EACH] = PLAN_WALK_CAREFUL,
	};
	struct agent_batch batch = { .state = *state };
	unsigned int i;
	int access, care;

	for (i = 0; i < NR_ACTORS; i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++)
			for (care = CARE_NONE; care < NR_CARES; care++) {
				batch.actor = all_actors[i];
				batch.access = access;
				batch.careful = care == CARE_EACH;
				batch.ad_behind = care == CARE_BEHIND;
				if (batch.careful || access != AGENT_LDT)
					check_both(guest, plan_of(plans, guest, kinds[care],
								  state_area(state)),
						   &batch, seed, counts);
			}
}

static void check_cpu(const char *name, const struct cpu_facts *cpu, bool seed)
{
	struct guest *guest = guest_create_model(cpu);
	struct plan_set plans = { 0 };
	struct counts n = { 0 };
	struct mmu_state state;
	unsigned int i;
	int mode;

	for (mode = 0; mode < NR_STATE_MODES; mode++)
		for (i = 0; state_nth(mode, i, &state); i++)
			if (state_modes[mode].paging != PAGING_NONE)
				check_state(guest, &state, &plans, seed && i % 16 == 5, &n);
	plan_set_free(&plans);
	guest_free(guest);
	printf("# %s: %lu cases, %lu of them walked alone; at most %lu classes; %lu differ alike\n",
	       name, n.cases, n.walked, n.classes, n.alike);
	result(n.cases && !n.not_taken, "what is right is taken for right", name);
	result(!n.taken_wrongly, "what is wrong is not", name);
	result(!n.not_alike && (n.alike || !seed), "what differs alike has one class", name);
	result(!n.walked, "no case needs a walk of its own", name);
}

int main(void)
{
	printf("KTAP version 1\n1..12\n");
	check_cpu("intel", &golden_intel, true);
	check_cpu("amd", &golden_amd, true);
	check_cpu("small", &golden_small, false);
	return failed ? KSFT_FAIL : KSFT_PASS;
}
