// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state as walk_test goes through it: every actor and access, fast and careful batches, in the
 * test's order; with the model and the comparison, the agent alone, and the bare accesses.  Given a
 * build of kvm-unit-tests, its `access` takes turns with that: it goes on to its next dot, and then
 * the state is gone through for about as long.
 */
#include <stdio.h>

#include "kut.h"
#include "series.h"
#include "test_assert.h"
#include "whole.h"

#define MAX_PARTS (NR_ACTORS * NR_AGENT_ACCESSES * 2)
#define KUT_SECONDS 20
#define KUT_AT_MOST 160 /* on hosts where a dot takes long */
#define MAX_DOTS 200

static struct series parts[MAX_PARTS];
static unsigned int nr_parts;

static void add_part(const struct mmu_state *state, const struct actor *actor,
		     enum agent_access access, bool careful)
{
	const struct table_image *t = &guest->area[state_area(state)];
	struct series *s = &parts[nr_parts];
	struct agent_batch like;
	struct plan plan;

	*s = (struct series){ .engine = &engine_native, .state = *state, .careful = careful,
			      .actor = *actor, .access = access };
	like = series_batch(s);
	if (!actor_says_something(actor, access) || s->engine->unsupported(guest, &like) ||
	    agent_probe(guest, &like, agent_run))
		return;
	plan_make(&plan, careful ? PLAN_CAREFUL : PLAN_WALK, t->shape.mode, t->variants);
	choose_cases(s, &plan);
	plan_keep(&s->plan);
	plan_free(&plan);
	nr_parts++;
}

static void make_parts(const struct mmu_state *state)
{
	unsigned int i;
	int access;

	nr_parts = 0;
	for (i = 0; i < NR_ACTORS; i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++) {
			add_part(state, &all_actors[i], access, false);
			add_part(state, &all_actors[i], access, true);
		}
}

static void free_parts(void)
{
	while (nr_parts)
		series_free(&parts[--nr_parts]);
}

/* Which parts are meant. */
enum which { FAST, CAREFUL, ALL };

static bool is_meant(const struct series *s, enum which which)
{
	return which == ALL || s->careful == (which == CAREFUL);
}

static unsigned long nr_cases(enum which which)
{
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < nr_parts; i++)
		nr += is_meant(&parts[i], which) ? parts[i].plan.nr : 0;
	return nr;
}

/* Once through the state; adds the time of either kind of part to seconds[FAST], [CAREFUL]. */
static double time_all(enum what what, double seconds[ALL])
{
	unsigned int i;

	seconds[FAST] = seconds[CAREFUL] = 0;
	for (i = 0; i < nr_parts; i++)
		seconds[parts[i].careful] += time_one(&parts[i], what);
	return seconds[FAST] + seconds[CAREFUL];
}

static void print_rates(void)
{
	static const char *const names[] = { "fast batches", "careful batches", "both" };
	static double seconds[NR_WHATS][ALL + 1][MAX_ROUNDS], ratio[NR_WHATS][ALL + 1][MAX_ROUNDS];
	double of[ALL];
	unsigned int i;
	int k, which;

	for (k = FLOOR; k < NR_WHATS; k++)
		time_all(k, of);
	for (i = 0; i < options.rounds; i++)
		for (k = FLOOR; k < NR_WHATS; k++) {
			seconds[k][ALL][i] = time_all(k, of);
			for (which = FAST; which < ALL; which++)
				seconds[k][which][i] = of[which];
			for (which = FAST; which <= ALL; which++)
				ratio[k][which][i] = seconds[k][which][i] / seconds[FLOOR][which][i];
		}
	for (which = FAST; which <= ALL; which++) {
		const unsigned long nr = nr_cases(which);

		printf("# %s: %lu cases; floor %.0f/s; agent %.0f/s, ratio %.2f; flow %.0f/s, ratio %.2f\n",
		       names[which], nr, nr / median_of(seconds[FLOOR][which], options.rounds),
		       nr / median_of(seconds[AGENT][which], options.rounds),
		       median_of(ratio[AGENT][which], options.rounds),
		       nr / median_of(seconds[FLOW][which], options.rounds),
		       median_of(ratio[FLOW][which], options.rounds));
	}
}

/* Cases per second, over about so many seconds. */
static double rate_for(enum what what, double seconds)
{
	unsigned long times = 0;
	double sum = 0, of[ALL];

	while (sum < seconds) {
		sum += time_all(what, of);
		times++;
	}
	return times * nr_cases(ALL) / sum;
}

/* In turns, each as long as it takes access to come to its next dot. */
static void print_beside_access(void)
{
	static double theirs[MAX_DOTS], ours[MAX_DOTS], floor[MAX_DOTS];
	static double ratio[MAX_DOTS], floor_ratio[MAX_DOTS];
	struct kut *kut = kut_start(options.kut);
	double dot = kut_next_dot(kut, KUT_AT_MOST), seconds = 0;
	unsigned int n = 0;

	/* Up to the first dot it boots. */
	while (dot && n < MAX_DOTS && (seconds < KUT_SECONDS || n < 2)) {
		dot = kut_next_dot(kut, KUT_AT_MOST);
		if (!dot)
			break;
		seconds += dot;
		theirs[n] = KUT_CHECKS_PER_DOT / dot;
		ours[n] = rate_for(FLOW, dot / 2);
		floor[n] = rate_for(FLOOR, dot / 2);
		ratio[n] = ours[n] / theirs[n];
		floor_ratio[n] = floor[n] / theirs[n];
		n++;
	}
	if (n)
		printf("# kvm-unit-tests access: %.0f checks/s; in turns with it %.0f cases/s, ratio "
		       "%.1f; the bare accesses %.0f/s, ratio %.1f\n", median_of(theirs, n),
		       median_of(ours, n), median_of(ratio, n), median_of(floor, n),
		       median_of(floor_ratio, n));
	else
		printf("# kvm-unit-tests access: %s\n", kut_why(kut));
	kut_free(kut);
}

void bench_whole(const struct mmu_state *state)
{
	char name[STATE_NAME_LEN];

	state_name(state, name);
	printf("# %s as walk_test goes through it:\n", name);
	make_parts(state);
	TEST_REQUIRE(nr_parts, "the agent cannot run here");
	print_rates();
	fflush(stdout);
	if (options.kut)
		print_beside_access();
	free_parts();
}
