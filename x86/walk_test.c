// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk_test - guest page walks in every paging mode and control-register state.
 *
 * Proves: for each legal state of CR0.WP, CR4.SMEP/SMAP/PKE/PSE and EFER.NX in each
 * paging mode, each variant of each page-table entry and each access of each privilege
 * level ends as the manuals say: outcome, error code, CR2, RIP, the page reached, what
 * is stored there, and the accessed and dirty bits of every level.
 *
 * Would catch: a role bit that does not reach the walk (CR4.SMEP, SMAP, PKE, WP, NX, PSE,
 * LA57), shadow pages shared between roles or parents that differ (CVE-2021-38198),
 * wrong reserved-bit masks, bits honoured that a mode must ignore (PKE without LMA,
 * NX without PAE), lost A/D updates.
 *
 * Needs: /dev/kvm.  States the CPU cannot enter are skipped, each with what it lacks.
 */
#include <stdio.h>
#include <stdlib.h>

#include "case_run.h"
#include "report.h"

#define MAX_STATES 512

static struct test_about about = {
	.name = "walk_test",
	.proves = "page walks and faults in every paging mode and state are what the manuals say",
	.has_cases = true,
	.replays_all = true,
	.tags = "walk,native",
};

static const struct engine *engine;

/* One guest serves all states: they share tables, as roles of one VM do. */
static struct guest *guest;
static struct plan_set plans;

static void run_access(const struct mmu_state *state, const struct actor *actor,
		       enum agent_access access)
{
	enum table_area area = state_area(state);
	int care;

	for (care = CARE_NONE; care < NR_CARES; care++) {
		const struct agent_batch batch = engine_batch(engine, state, actor, access, care);

		if (engine->unsupported(guest, &batch) || report_should_stop())
			continue;
		if (cases_probe(guest, engine, state, actor, access, care))
			cases_run(guest, engine, state, actor, access, care,
				  plan_of(&plans, guest, walk_plan(care, access), area));
	}
}

static void walk_state(const struct subtest *self)
{
	const struct mmu_state *state = self->data;
	struct agent_batch read;
	const char *missing;
	unsigned int i;
	int access;

	if (!guest)
		guest = guest_create(NULL);
	missing = engine->host_lacks(guest);
	TEST_REQUIRE(!missing, "engine %s: %s", engine->name, missing);
	missing = state_missing(state, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	read = engine_batch(engine, state, &all_actors[0], AGENT_READ, CARE_NONE);
	missing = engine->unsupported(guest, &read);
	TEST_REQUIRE(!missing, "engine %s: %s", engine->name, missing);
	for (i = 0; i < NR_ACTORS; i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++)
			if (actor_says_something(&all_actors[i], access))
				run_access(state, &all_actors[i], access);
	cases_check_memory(guest, state);
}

int main(int argc, char **argv)
{
	static struct mmu_state states[MAX_STATES];
	static char names[MAX_STATES][STATE_NAME_LEN];
	static struct subtest subtests[MAX_STATES];
	struct test_options options;
	unsigned int nr = 0, i;
	int mode, code;

	about.engines = engine_names();
	test_options_parse(&about, argc, argv, &options);
	engine = engine_find(options.engine ? options.engine : "native");
	if (options.case_id)
		return case_replay(&options);
	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		for (i = 0; nr < MAX_STATES && state_nth(mode, i, &states[nr]); i++) {
			state_name(&states[nr], names[nr]);
			subtests[nr] = (struct subtest){ names[nr], walk_state, &states[nr] };
			nr++;
		}
	}
	code = report_run(&about, &options, subtests, nr);
	guest_free(guest);
	plan_set_free(&plans);
	return code;
}
