// SPDX-License-Identifier: GPL-2.0-only
/*
 * emulation_test - page walks that KVM makes itself, by every engine but the guest's CPU.
 *
 * Proves: the same register states, entries and accesses as walk_test end as the manuals say
 * where KVM's own walker translates: for instructions that KVM's emulator executes and for
 * KVM_TRANSLATE, of a guest and of its nested guest.  With EPT and NPT this is where the role
 * rules bite: the CPU does every other walk.
 *
 * Would catch: a bit of CR0, CR4 or EFER that does not reach the CPU role (under EPT and NPT,
 * too), wrong permission tables (SMEP, SMAP, PKRU, WP), wrong reserved bits and error codes,
 * lost accessed and dirty bits, implicit accesses taken for explicit ones.
 *
 * Needs: /dev/kvm; for the engine "forced" kvm.force_emulation_prefix, which README.md tells how to set.
 * A subtest is ENGINE/STATE.  A mismatch's record tells what the guest's CPU made of the same case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_run.h"
#include "report.h"

#define MAX_STATES 512
#define MAX_ENGINES 16
#define NAME_LEN (STATE_NAME_LEN + 16)

static struct test_about about = {
	.name = "emulation_test",
	.proves = "KVM's own page walks, for its emulator and its API, are what the manuals say",
	.has_cases = true,
	.replays_all = true,
	.tags = "walk,emulation",
};

/* An engine in a state. */
struct part {
	char name[NAME_LEN];
	const struct engine *engine;
	struct mmu_state state;
};

/* Tables, and what is tried in them. */
struct tables {
	struct guest *guest;
	enum plan_kind fast, careful;
	struct plan_set plans;
};

/* The suite's usual ones, and two for fetches that begin in the page before. */
static struct tables usual, front[2];
static const char *lacks[MAX_ENGINES];
static bool lacks_known[MAX_ENGINES];

static void prepare(void)
{
	int i;

	if (usual.guest)
		return;
	usual.guest = guest_create(NULL);
	usual.fast = PLAN_EMULATION;
	usual.careful = PLAN_NOT_ACCESSED;
	for (i = 0; i < 2; i++) {
		front[i].guest = guest_create_front(i ? FRONT_USER : FRONT_SUPERVISOR, NULL);
		front[i].fast = front[i].careful = PLAN_FRONT;
	}
}

static void free_tables(struct tables *t)
{
	guest_free(t->guest);
	plan_set_free(&t->plans);
}

static unsigned int engine_index(const struct engine *engine)
{
	unsigned int i = 0;

	while (engines[i] != engine)
		i++;
	return i;
}

static const char *engine_lacks(const struct engine *engine)
{
	unsigned int i = engine_index(engine);

	if (!lacks_known[i])
		lacks[i] = engine->host_lacks(usual.guest);
	lacks_known[i] = true;
	return lacks[i];
}

/* The tables in which the engine makes such accesses, or NULL. */
static struct tables *tables_for(const struct engine *engine, const struct agent_batch *batch)
{
	struct tables *in_front = &front[batch->actor.cpl ? 1 : 0];

	if (!engine->unsupported(usual.guest, batch))
		return &usual;
	return engine->unsupported(in_front->guest, batch) ? NULL : in_front;
}

static void run_plan(const struct part *part, const struct agent_batch *like, struct tables *t,
		     enum plan_kind kind)
{
	cases_run(t->guest, part->engine, &part->state, &like->actor, like->access,
		  agent_care(like), plan_of(&t->plans, t->guest, kind, state_area(&part->state)));
}

static void run_access(const struct part *part, const struct actor *actor,
		       enum agent_access access)
{
	int careful;

	for (careful = 0; careful <= 1; careful++) {
		const enum agent_care care = careful ? CARE_EACH : CARE_NONE;
		const struct agent_batch batch = engine_batch(part->engine, &part->state, actor,
							      access, care);
		struct tables *t = tables_for(part->engine, &batch);
		/* Descriptors are read in careful batches only: those try everything. */
		bool all = access == AGENT_LDT || (!careful && !part->engine->sampled);

		if (!t || report_should_stop() ||
		    !cases_probe(t->guest, part->engine, &part->state, actor, access, care))
			continue;
		if (all && part->engine->cheap) {
			run_plan(part, &batch, t, PLAN_WALK);
			run_plan(part, &batch, t, PLAN_RIGHTS_PRODUCT);
		} else {
			run_plan(part, &batch, t, all ? t->fast : t->careful);
		}
	}
}

/* NULL, or why an engine makes nothing at all in a state. */
static const char *makes_nothing(const struct part *part)
{
	const char *why = NULL;
	unsigned int i;

	for (i = 0; i < NR_ACTORS * NR_AGENT_ACCESSES * 2; i++) {
		const struct agent_batch batch = engine_batch(
			part->engine, &part->state, &all_actors[i / 2 % NR_ACTORS],
			i / 2 / NR_ACTORS, i % 2 ? CARE_EACH : CARE_NONE);

		if (tables_for(part->engine, &batch))
			return NULL;
		if (!why)
			why = part->engine->unsupported(usual.guest, &batch);
	}
	return why;
}

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	const char *missing;
	unsigned int i;
	int access;

	prepare();
	missing = engine_lacks(part->engine);
	TEST_REQUIRE(!missing, "engine %s: %s", part->engine->name, missing);
	missing = state_missing(&part->state, &usual.guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	missing = makes_nothing(part);
	TEST_REQUIRE(!missing, "engine %s: %s", part->engine->name, missing);
	for (i = 0; i < NR_ACTORS; i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++)
			if (actor_says_something(&all_actors[i], access))
				run_access(part, &all_actors[i], access);
	cases_check_memory(usual.guest, &part->state);
	for (i = 0; i < 2; i++)
		cases_check_memory(front[i].guest, &part->state);
}

/* Of a sampled engine's: no flag, each one alone, all. */
static bool is_tried(const struct engine *engine, const struct mmu_state *state)
{
	return !engine->sampled || !(state->flags & (state->flags - 1)) ||
	       state->flags == state_modes[state->mode].used;
}

static unsigned int add_parts(struct part *parts, const struct engine *engine)
{
	char name[STATE_NAME_LEN];
	unsigned int nr = 0, i;
	int mode;

	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		for (i = 0; nr < MAX_STATES && state_nth(mode, i, &parts[nr].state); i++) {
			if (!is_tried(engine, &parts[nr].state))
				continue;
			parts[nr].engine = engine;
			state_name(&parts[nr].state, name);
			snprintf(parts[nr].name, NAME_LEN, "%s/%s", engine->name, name);
			nr++;
		}
	}
	return nr;
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_ENGINES * MAX_STATES];
	static struct subtest subtests[MAX_ENGINES * MAX_STATES];
	struct test_options options;
	unsigned int nr = 0, i;
	int code;

	about.engines = engine_names();
	test_options_parse(&about, argc, argv, &options);
	if (options.case_id)
		return case_replay(&options);
	for (i = 0; i < nr_engines && i < MAX_ENGINES; i++)
		if (options.engine ? !strcmp(options.engine, engines[i]->name) :
				     engines[i] != &engine_native)
			nr += add_parts(&parts[nr], engines[i]);
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ parts[i].name, run_part, &parts[i] };
	code = report_run(&about, &options, subtests, nr);
	free_tables(&usual);
	free_tables(&front[0]);
	free_tables(&front[1]);
	return code;
}
