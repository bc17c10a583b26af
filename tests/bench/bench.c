// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench - cases per second of each engine, and the ratio to a floor.
 *
 * The floor is a bare loop of the same accesses in the same guest, with a handler that
 * only skips the access: what the host itself needs for them.  Against it stand the agent
 * alone (agent_run) and the whole flow of a test (cases_run: addresses, the accesses, the
 * model's prediction for each, the comparison).  See docs/bench.md.
 *
 * It measures and never fails on a time: a ratio over the limit is marked, no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kut.h"
#include "options.h"
#include "case_run.h"
#include "host.h"
#include "test_assert.h"

#define LIMIT 1.30
#define LIMIT_LATER 1.15
#define DEFAULT_ROUNDS 11
/* Long against the calls around a batch, short against the host's drift. */
#define BATCH_SECONDS 0.04
/* The bare loop shows no progress to the watchdog. */
#define BENCH_TIMEOUT_MS 20000
#define KUT_SECONDS 20

enum what { FLOOR, AGENT, FLOW, NR_WHATS };

/* One row of the table. */
struct series {
	const char *name;
	const struct engine *engine;
	struct mmu_state state;
	struct actor actor;
	enum agent_access access;
	bool careful;
	bool has_floor;       /* reads only: the bare loop makes no other access */
	bool has_limit;
	bool repeated;        /* up to a batch of BATCH_SECONDS; else as long as the plan is */
	bool only_faults, only_ok;
	struct plan plan;     /* its cases, none of which differs from the model */
	gva_t *gvas;          /* the same, as addresses */
	double seconds[NR_WHATS][MAX_ROUNDS];
};

static struct bench_options options = { .rounds = DEFAULT_ROUNDS };
static struct guest *guest;
static double worst[NR_WHATS];
static char worst_name[NR_WHATS][2 * STATE_NAME_LEN];
static struct agent_result results[AGENT_MAX_CASES];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, options.rounds * sizeof(*values));
	qsort(sorted, options.rounds, sizeof(*sorted), compare_doubles);
	return (sorted[(options.rounds - 1) / 2] + sorted[options.rounds / 2]) / 2;
}

/* Of the ratios, not ratio of the medians: what slows a whole round is in both its parts. */
static double median_ratio(const struct series *s, enum what what)
{
	double ratio[MAX_ROUNDS];
	unsigned int i;

	for (i = 0; i < options.rounds; i++)
		ratio[i] = s->seconds[what][i] / s->seconds[FLOOR][i];
	return median(ratio);
}

static struct agent_batch batch_of(const struct series *s, bool bare)
{
	const struct engine *engine = bare ? &engine_native : s->engine;
	struct agent_batch b = engine_batch(engine, &s->state, &s->actor, s->access, s->careful);

	b.bare = bare;
	b.keeps_fixed = guest->vm->card.tdp == YES;
	b.gvas = s->gvas;
	b.nr = s->plan.nr;
	b.results = bare ? NULL : results;
	return b;
}

static double time_one(const struct series *s, enum what what)
{
	const struct agent_batch batch = batch_of(s, what == FLOOR);
	double start = now();

	if (what == FLOW)
		cases_run(guest, s->engine, &s->state, &s->actor, s->access, s->careful, &s->plan);
	else if (what == AGENT)
		s->engine->run(guest, &batch);
	else
		agent_run(guest, &batch);
	return now() - start;
}

static bool differs(const struct series *s, const struct agent_batch *batch, u32 i,
		    enum walk_outcome *outcome)
{
	const struct test_case tc = { s->state, s->actor, s->access, { 0 } };
	const struct walk_regs regs = guest_walk_regs(guest, &s->state);
	const struct walk_access access = case_access(&tc, batch->gvas[i]);
	struct walk_result expected = { 0 };
	const struct comparison c = { guest, batch, batch->gvas[i], &expected, &results[i] };

	walk(&guest->cpu, &regs, &guest->memory, &access, &expected);
	*outcome = expected.outcome;
	return !outcome_matches(&c);
}

/*
 * The cases of the plan that the series wants.  A case that differs from the model here (a
 * known defect of this host) is left out: what it costs to report one is not measured.
 */
static u32 choose_cases(struct series *s, const struct plan *plan)
{
	const u32 room = plan->nr > AGENT_MAX_CASES ? plan->nr : AGENT_MAX_CASES;
	struct agent_batch batch;
	u32 i, first, left_out = 0;

	s->plan = (struct plan){ .mode = plan->mode };
	s->plan.choice = calloc(room, sizeof(*s->plan.choice));
	s->gvas = calloc(room, sizeof(*s->gvas));
	TEST_ASSERT(s->plan.choice && s->gvas, "out of memory");
	for (i = 0; i < plan->nr; i++)
		s->gvas[i] = guest_gva(guest, state_area(&s->state), plan->choice[i],
				       agent_access_offset(s->access));
	for (first = 0; first < plan->nr && s->plan.nr < AGENT_MAX_CASES; first += batch.nr) {
		batch = batch_of(s, false);
		batch.gvas += first;
		batch.nr = plan->nr - first < AGENT_MAX_CASES ? plan->nr - first : AGENT_MAX_CASES;
		s->engine->run(guest, &batch);
		for (i = 0; i < batch.nr && s->plan.nr < AGENT_MAX_CASES; i++) {
			enum walk_outcome outcome;

			if (differs(s, &batch, i, &outcome)) {
				left_out++;
			} else if (!(s->only_faults && outcome != WALK_FAULT) &&
				   !(s->only_ok && outcome != WALK_OK)) {
				s->gvas[s->plan.nr] = batch.gvas[i];
				memcpy(s->plan.choice[s->plan.nr++], plan->choice[first + i],
				       sizeof(*plan->choice));
			}
		}
	}
	return left_out;
}

/* Repeats the cases up to nr. */
static void repeat_cases(struct series *s, u32 nr)
{
	u32 period = s->plan.nr;

	for (; s->plan.nr < nr; s->plan.nr++) {
		s->gvas[s->plan.nr] = s->gvas[s->plan.nr - period];
		memcpy(s->plan.choice[s->plan.nr], s->plan.choice[s->plan.nr - period],
		       sizeof(*s->plan.choice));
	}
}

/* A batch as long as BATCH_SECONDS and AGENT_MAX_CASES allow. */
static void size_batch(struct series *s)
{
	u32 sample = s->plan.nr < 1000 ? s->plan.nr : 1000, period = s->plan.nr;
	double best = BATCH_SECONDS, nr;
	int i;

	s->plan.nr = sample;
	/* The best of a few: the first ones fault in memory and fill caches. */
	for (i = 0; i < 5; i++) {
		double seconds = time_one(s, AGENT);

		if (seconds < best)
			best = seconds;
	}
	nr = sample * BATCH_SECONDS / best;
	s->plan.nr = period;
	repeat_cases(s, nr > AGENT_MAX_CASES ? AGENT_MAX_CASES : (u32)nr);
}

static void measure(struct series *s)
{
	unsigned int i, k;

	/* Once unmeasured: shadow pages and host memory are there from now on. */
	for (k = s->has_floor ? FLOOR : AGENT; k < NR_WHATS; k++)
		time_one(s, k);
	/* Alternating, and in turns of the order: drift hits all of them alike. */
	for (i = 0; i < options.rounds; i++)
		for (k = 0; k < NR_WHATS; k++) {
			enum what what = i % 2 ? NR_WHATS - 1 - k : k;

			if (what != FLOOR || s->has_floor)
				s->seconds[what][i] = time_one(s, what);
		}
}

static void print_ratio(const struct series *s, const char *name, enum what what)
{
	double ratio;

	printf(" %10.0f", s->plan.nr / median(s->seconds[what]));
	if (!s->has_floor) {
		printf("       -     ");
		return;
	}
	ratio = median_ratio(s, what);
	printf(" %7.2f %-4s", ratio, s->has_limit && ratio > LIMIT ? "OVER" : "");
	if (s->has_limit && ratio > worst[what]) {
		worst[what] = ratio;
		snprintf(worst_name[what], sizeof(worst_name[what]), "%s %s %s", name,
			 actor_name(&s->actor), s->name);
	}
}

static void print_series(const struct series *s, const char *name, u32 left_out)
{
	printf("%-26s %-4s %-10s %5u", name, actor_name(&s->actor), s->name, s->plan.nr);
	if (s->has_floor)
		printf(" %10.0f", s->plan.nr / median(s->seconds[FLOOR]));
	else
		printf(" %10s", "-");
	print_ratio(s, name, AGENT);
	print_ratio(s, name, FLOW);
	if (left_out)
		printf(" (%u left out)", left_out);
	putchar('\n');
	fflush(stdout);
}

static void run_series(struct series *s, const struct plan *plan)
{
	const struct agent_batch like = batch_of(s, false);
	const char *cannot = agent_probe(guest, &like, s->engine->run);
	char name[STATE_NAME_LEN];
	u32 left_out;

	state_name(&s->state, name);
	/* The first row speaks for the state; what only some accesses cannot do costs one row. */
	TEST_REQUIRE(!cannot || s->actor.cpl || !s->has_limit, "the agent cannot run here: %s",
		     cannot);
	if (cannot) {
		printf("%-26s %-4s %-10s skipped: %s\n", name, actor_name(&s->actor), s->name,
		       cannot);
		return;
	}
	left_out = choose_cases(s, plan);
	if (s->plan.nr) {
		if (s->repeated)
			size_batch(s);
		measure(s);
		print_series(s, name, left_out);
	} else {
		printf("%-26s %-4s %-10s no such case (%u left out)\n", name,
		       actor_name(&s->actor), s->name, left_out);
	}
	plan_free(&s->plan);
	free(s->gvas);
}

static void bench_state(const struct mmu_state *state)
{
	static const struct series all[] = {
		{ .name = "fault", .has_floor = true, .has_limit = true, .repeated = true,
		  .only_faults = true },
		{ .name = "no-fault", .has_floor = true, .repeated = true, .only_ok = true },
		{ .name = "mix", .has_floor = true, .has_limit = true, .repeated = true },
		{ .name = "plan", .has_floor = true, .has_limit = true },
		{ .name = "plan-write", .access = AGENT_WRITE },
		{ .name = "plan-fetch", .access = AGENT_FETCH },
		{ .name = "careful", .careful = true },
	};
	static struct series s;
	const struct table_image *t = &guest->area[state_area(state)];
	const char *missing = state_missing(state, &guest->cpu);
	struct plan plan;
	unsigned int i, cpl;

	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	for (cpl = 0; cpl <= 3; cpl += 3)
		for (i = 0; i < ARRAY_SIZE(all); i++) {
			s = all[i];
			s.engine = &engine_native;
			s.state = *state;
			s.actor.cpl = cpl;
			plan_make(&plan, s.careful ? PLAN_CAREFUL : PLAN_WALK, t->shape.mode,
				  t->variants);
			run_series(&s, &plan);
			plan_free(&plan);
		}
}

/* Reads by the other engines, as emulation_test makes them. */
static void bench_engines(const struct mmu_state *state)
{
	static struct series s;
	const struct table_image *t = &guest->area[state_area(state)];
	struct plan plan;
	unsigned int i;

	for (i = 0; i < nr_engines; i++) {
		const char *lacks = engines[i]->host_lacks(guest);
		struct agent_batch like;

		s = (struct series){ .name = engines[i]->name, .engine = engines[i], .state = *state,
				     .has_floor = true };
		like = batch_of(&s, false);
		if (engines[i] == &engine_native)
			continue;
		if (!lacks)
			lacks = engines[i]->unsupported(guest, &like);
		if (lacks) {
			printf("# engine %s: %s\n", engines[i]->name, lacks);
			continue;
		}
		plan_make(&plan, engines[i]->sampled ? PLAN_EMULATION_CAREFUL : PLAN_EMULATION,
			  t->shape.mode, t->variants);
		run_series(&s, &plan);
		plan_free(&plan);
	}
}

/* A state as walk_test goes through it, accessed and dirty bits included: cases per second. */
static double whole_state_rate(const struct mmu_state *state)
{
	const struct table_image *t = &guest->area[state_area(state)];
	double seconds = 0, cases = 0;
	static struct series s;
	struct plan plan;
	unsigned int i;

	for (i = 0; i < NR_ACTORS * NR_AGENT_ACCESSES * 2; i++) {
		struct agent_batch like;

		s = (struct series){ .engine = &engine_native, .state = *state, .careful = i % 2,
				     .actor = all_actors[i / 2 % NR_ACTORS],
				     .access = i / 2 / NR_ACTORS };
		like = batch_of(&s, false);
		if (!actor_says_something(&s.actor, s.access) || s.engine->unsupported(guest, &like) ||
		    agent_probe(guest, &like, agent_run))
			continue;
		plan_make(&plan, s.careful ? PLAN_CAREFUL : PLAN_WALK, t->shape.mode, t->variants);
		choose_cases(&s, &plan);
		measure(&s);
		seconds += median(s.seconds[FLOW]);
		cases += s.plan.nr;
		plan_free(&plan);
		plan_free(&s.plan);
		free(s.gvas);
	}
	return cases / seconds;
}

static void bench_kut(const struct mmu_state *state)
{
	const double own = whole_state_rate(state);
	const struct kut_rate theirs = kut_access_rate(options.kut, KUT_SECONDS);
	char name[STATE_NAME_LEN];

	state_name(state, name);
	printf("# a state as walk_test makes it (%s): %.0f cases/s\n", name, own);
	if (theirs.per_second)
		printf("# kvm-unit-tests access: %.0f checks/s; ratio %.1f\n", theirs.per_second,
		       own / theirs.per_second);
	else
		printf("# kvm-unit-tests access: %s\n", theirs.why);
}

/* One state that this host cannot enter, or that goes wrong, leaves the others alone. */
static int bench_name(const char *name, void (*bench)(const struct mmu_state *state))
{
	struct test_scope scope;
	struct mmu_state state;
	const char *error = state_parse(name, strlen(name), &state);

	TEST_ASSERT(!error, "%s: %s", name, error);
	switch (setjmp(*test_scope_enter(&scope))) {
	case 0:
		bench(&state);
		test_scope_leave(&scope);
		return KSFT_PASS;
	case TEST_END_SKIP:
		printf("%-26s skipped: %s\n", name, scope.message);
		return KSFT_PASS;
	default:
		printf("%-26s failed: %s\n", name, scope.message);
		return KSFT_FAIL;
	}
}

static void print_head(void)
{
	struct host_card card;

	host_card_read(&card);
	printf("# kernel %s, backend %s, tdp %s, emulator %s\n", card.kernel, card.backend,
	       card.tdp == YES ? "on" : card.tdp == NO ? "off" : "unknown", card.emulator);
	printf("# medians of %u rounds; ratio: time over the floor's, limit %.2f (later %.2f)\n",
	       options.rounds, LIMIT, LIMIT_LATER);
	printf("# left out: cases that differ from the model on this host\n");
	printf("%-26s %-4s %-10s %5s %10s %10s %7s      %10s %7s\n", "state", "who", "accesses",
	       "batch", "floor/s", "agent/s", "ratio", "flow/s", "ratio");
}

static void print_end(void)
{
	static const char *const names[] = { [AGENT] = "agent alone", [FLOW] = "whole flow" };
	enum what what;

	for (what = AGENT; what <= FLOW; what++)
		if (worst[what] > 0)
			printf("# %-11s worst ratio %.2f, limit %.2f: %s (%s)\n", names[what],
			       worst[what], LIMIT, worst[what] > LIMIT ? "OVER" : "within",
			       worst_name[what]);
}

int main(int argc, char **argv)
{
	static const char *const states[] = {
		"4level/wp,nx", "4level/wp,smep,smap,nx", "5level/wp,nx",
		"compat4/wp,nx", "pae/wp,nx", "2level/wp,pse",
	};
	int code = KSFT_PASS;
	unsigned int i;

	(void)argc;
	bench_options_parse(argv, &options);
	guest = guest_create(NULL);
	guest->timeout_ms = BENCH_TIMEOUT_MS;
	print_head();
	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (!options.state)
			code |= bench_name(states[i], bench_state);
	if (options.state)
		code |= bench_name(options.state, bench_state);
	code |= bench_name(options.state ? options.state : states[0], bench_engines);
	print_end();
	if (options.kut)
		code |= bench_name(options.state ? options.state : states[0], bench_kut);
	guest_free(guest);
	return code;
}
