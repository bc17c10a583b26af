// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state as walk_test goes through it: every actor and access, in the test's order; with the model
 * and the comparison, the agent alone, and the bare accesses.  Given a build of kvm-unit-tests, its
 * `access` takes turns with that: it goes on to its next dot, and then the state is gone through for
 * about as long.
 */
#include <stdio.h>
#include <string.h>

#include "kut.h"
#include "series.h"
#include "test_assert.h"
#include "whole.h"

#define MAX_PARTS (NR_ACTORS * NR_AGENT_ACCESSES * NR_CARES)
#define KUT_SECONDS 20
#define KUT_AT_MOST 160 /* on hosts where a dot takes long */
#define MAX_DOTS 200

static struct series parts[MAX_PARTS];
static unsigned int nr_parts;

static void add_part(const struct mmu_state *state, const struct actor *actor,
		     enum agent_access access, enum agent_care care)
{
	const struct table_image *t = &guest->area[state_area(state)];
	struct series *s = &parts[nr_parts];
	struct agent_batch like;
	struct plan plan;

	*s = (struct series){ .engine = &engine_native, .state = *state, .care = care,
			      .actor = *actor, .access = access };
	like = series_batch(s);
	if (!actor_says_something(actor, access) || s->engine->unsupported(guest, &like) ||
	    agent_probe(guest, &like, agent_run))
		return;
	plan_make(&plan, walk_plan(care, access), t->shape.mode, t->variants);
	choose_cases(s, &plan);
	plan_keep(&s->plan);
	plan_free(&plan);
	nr_parts++;
}

static void make_parts(const struct mmu_state *state)
{
	unsigned int i;
	int access, care;

	nr_parts = 0;
	for (i = 0; i < NR_ACTORS; i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++)
			for (care = CARE_NONE; care < NR_CARES; care++)
				add_part(state, &all_actors[i], access, care);
}

static void free_parts(void)
{
	while (nr_parts)
		series_free(&parts[--nr_parts]);
}

#define ALL NR_CARES /* behind the kinds of parts: all of them */

static unsigned long nr_cases(int care)
{
	unsigned long nr = 0;
	unsigned int i;

	for (i = 0; i < nr_parts; i++)
		nr += care == ALL || care == (int)parts[i].care ? parts[i].plan.nr : 0;
	return nr;
}

/* Once through the state; seconds has what each kind of part takes. */
static double time_all(enum what what, double seconds[NR_CARES])
{
	double sum = 0;
	unsigned int i;

	memset(seconds, 0, NR_CARES * sizeof(*seconds));
	for (i = 0; i < nr_parts; i++) {
		const double took = time_one(&parts[i], what);

		seconds[parts[i].care] += took;
		sum += took;
	}
	return sum;
}

static void print_rates(void)
{
	static double seconds[NR_WHATS][ALL + 1][MAX_ROUNDS], ratio[NR_WHATS][ALL + 1][MAX_ROUNDS];
	double of[NR_CARES];
	unsigned int i, n;
	int k, care;

	for (k = FLOOR; k < NR_WHATS; k++)
		time_all(k, of);
	for (i = 0; i < options.rounds; i++) {
		for (n = 0; n < NR_WHATS; n++) {
			/* Every other round backwards. */
			k = i & 1 ? NR_WHATS - 1 - n : FLOOR + n;
			seconds[k][ALL][i] = time_all(k, of);
			for (care = CARE_NONE; care < NR_CARES; care++)
				seconds[k][care][i] = of[care];
		}
		for (k = FLOOR; k < NR_WHATS; k++)
			for (care = CARE_NONE; care <= ALL; care++)
				ratio[k][care][i] = seconds[k][care][i] / seconds[FLOOR][care][i];
	}
	for (care = CARE_NONE; care <= ALL; care++) {
		const unsigned long nr = nr_cases(care);

		printf("# %s: %lu cases; floor %.0f/s; agent %.0f/s, ratio %.2f; flow %.0f/s, ratio %.2f\n",
		       care == ALL ? "all" : agent_care_names[care], nr,
		       nr / median_of(seconds[FLOOR][care], options.rounds),
		       nr / median_of(seconds[AGENT][care], options.rounds),
		       median_of(ratio[AGENT][care], options.rounds),
		       nr / median_of(seconds[FLOW][care], options.rounds),
		       median_of(ratio[FLOW][care], options.rounds));
	}
}

/* Cases per second, over about so many seconds. */
static double rate_for(enum what what, double seconds)
{
	unsigned long times = 0;
	double sum = 0, of[NR_CARES];

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
