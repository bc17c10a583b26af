// SPDX-License-Identifier: GPL-2.0-only
/* See series.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forecast.h"
#include "series.h"

static struct agent_result results[AGENT_MAX_CASES];

double now(void)
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

double median_of(const double *values, unsigned int nr)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, nr * sizeof(*values));
	qsort(sorted, nr, sizeof(*sorted), compare_doubles);
	return (sorted[(nr - 1) / 2] + sorted[nr / 2]) / 2;
}

static struct agent_batch batch_of(const struct series *s, bool bare)
{
	const struct engine *engine = bare ? &engine_native : s->engine;
	struct agent_batch b = engine_batch(engine, &s->state, &s->actor, s->access,
					    bare ? CARE_NONE : s->care);

	b.bare = bare;
	b.keeps_fixed = true;
	b.gvas = s->gvas;
	b.nr = s->plan.nr;
	b.results = bare ? NULL : results;
	return b;
}

struct agent_batch series_batch(const struct series *s)
{
	return batch_of(s, false);
}

double time_one(const struct series *s, enum what what)
{
	struct agent_batch batch = batch_of(s, what == FLOOR);
	double start;

	if (s->engine->in_place)
		batch.results = NULL;
	start = now();
	/* As cases_run() does. */
	if (what != FLOW && s->access == AGENT_WRITE && s->plan.forecasts)
		forecast_prepare_writes(forecast_of(guest, &s->state, &s->plan), guest);
	if (what == FLOW)
		cases_run(guest, s->engine, &s->state, &s->actor, s->access, s->care, &s->plan);
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

u32 choose_cases(struct series *s, const struct plan *plan)
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
		batch = series_batch(s);
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

void series_free(struct series *s)
{
	plan_free(&s->plan);
	free(s->gvas);
	s->gvas = NULL;
}
