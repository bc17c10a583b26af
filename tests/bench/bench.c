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

#include "series.h"
#include "whole.h"
#include "host.h"
#include "test_assert.h"

#define LIMIT 1.15
#define DEFAULT_ROUNDS 11
/* Long against the calls around a batch, short against the host's drift. */
#define BATCH_SECONDS 0.04
/* The bare loop shows no progress to the watchdog. */
#define BENCH_TIMEOUT_MS 20000

struct bench_options options = { .rounds = DEFAULT_ROUNDS };
struct guest *guest;
static double worst[NR_WHATS];
static char worst_name[NR_WHATS][2 * STATE_NAME_LEN];

/* Of the ratios, not ratio of the medians: what slows a whole round is in both its parts. */
static double median_ratio(const struct series *s, enum what what)
{
	double ratio[MAX_ROUNDS];
	unsigned int i;

	for (i = 0; i < options.rounds; i++)
		ratio[i] = s->seconds[what][i] / s->seconds[FLOOR][i];
	return median_of(ratio, options.rounds);
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
	for (k = FLOOR; k < NR_WHATS; k++)
		time_one(s, k);
	/* Alternating, and in turns of the order: drift hits all of them alike. */
	for (i = 0; i < options.rounds; i++)
		for (k = 0; k < NR_WHATS; k++) {
			enum what what = i % 2 ? NR_WHATS - 1 - k : k;

			s->seconds[what][i] = time_one(s, what);
		}
}

static void print_ratio(const struct series *s, const char *name, enum what what)
{
	double ratio;

	printf(" %10.0f", s->plan.nr / median_of(s->seconds[what], options.rounds));
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
	printf(" %10.0f", s->plan.nr / median_of(s->seconds[FLOOR], options.rounds));
	print_ratio(s, name, AGENT);
	print_ratio(s, name, FLOW);
	if (left_out)
		printf(" (%u left out)", left_out);
	putchar('\n');
	fflush(stdout);
}

static void run_series(struct series *s, const struct plan *plan)
{
	const struct agent_batch like = series_batch(s);
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
		plan_keep(&s->plan);
		measure(s);
		print_series(s, name, left_out);
	} else {
		printf("%-26s %-4s %-10s no such case (%u left out)\n", name,
		       actor_name(&s->actor), s->name, left_out);
	}
	series_free(s);
}

static void bench_state(const struct mmu_state *state)
{
	static const struct series all[] = {
		{ .name = "fault", .has_limit = true, .repeated = true, .only_faults = true },
		{ .name = "no-fault", .repeated = true, .only_ok = true },
		{ .name = "mix", .has_limit = true, .repeated = true },
		{ .name = "plan", .has_limit = true },
		{ .name = "plan-write", .access = AGENT_WRITE },
		{ .name = "plan-fetch", .access = AGENT_FETCH },
		{ .name = "behind", .care = CARE_BEHIND },
		{ .name = "careful", .care = CARE_EACH },
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
			plan_make(&plan, walk_plan(s.care, s.access), t->shape.mode, t->variants);
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

		s = (struct series){ .name = engines[i]->name, .engine = engines[i], .state = *state };
		like = series_batch(&s);
		if (engines[i] == &engine_native)
			continue;
		if (!lacks)
			lacks = engines[i]->unsupported(guest, &like);
		if (lacks) {
			printf("# engine %s: %s\n", engines[i]->name, lacks);
			continue;
		}
		plan_make(&plan, engines[i]->sampled ? PLAN_NOT_ACCESSED : PLAN_EMULATION,
			  t->shape.mode, t->variants);
		run_series(&s, &plan);
		plan_free(&plan);
	}
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
	printf("# medians of %u rounds; ratio: time over the floor's, limit %.2f\n", options.rounds, LIMIT);
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
		if (!options.state && !options.whole)
			code |= bench_name(states[i], bench_state);
	if (options.state && !options.whole)
		code |= bench_name(options.state, bench_state);
	if (!options.whole)
		code |= bench_name(options.state ? options.state : states[0], bench_engines);
	print_end();
	code |= bench_name(options.state ? options.state : states[0], bench_whole);
	guest_free(guest);
	return code;
}
