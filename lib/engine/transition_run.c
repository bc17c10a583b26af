// SPDX-License-Identifier: GPL-2.0-only
/* The flow of a test of transitions: see struct transition_test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "transition_run.h"

#define MAX_STATES 512
#define MAX_PATHS 26
/* Within each mode, and between each two. */
#define PARTS_PER_PATH (NR_STATE_MODES * (NR_STATE_MODES + 1) / 2)
#define MAX_SUBTESTS (NR_STATE_MODES + MAX_PATHS * PARTS_PER_PATH)

static const struct transition_test *test;

/* A part of a path: all pairs within a mode, or between two. */
struct part {
	char name[64];
	const struct transition_path *path;
	enum state_mode a, b;
};

static struct mmu_state states[MAX_STATES];
static unsigned int nr_states;
static struct guest *guest;
static struct witness_sets *sets;
static struct journey *journey;
/* Was the mode asked already which of its states can be run?  Whoever asks has the failures. */
static bool mode_known[NR_STATE_MODES];
static unsigned int mode_missing[NR_STATE_MODES];

/*
 * kvm_intel without EPT leaves SMEP and SMAP on in the CPU when the guest clears CR0.PG, and
 * the vCPU never gets on (docs/findings.md).  That takes a second per pair, and emulated
 * hosts with it; so there the guest clears both bits first.  A replay does not: it shows
 * whether the defect is still there.
 */
static void spare_the_host(void)
{
	const struct host_card *card = &guest->vm->card;

	guest->pg_off_without_smep = !strcmp(card->backend, "kvm_intel") && card->tdp == NO;
	if (guest->pg_off_without_smep)
		report_note("the guest clears CR4.SMEP and SMAP before CR0.PG: kvm-vmx-shadow-pg-off-hang, --case nopg/smep/cpl3/read --after 2level/smep --path guest shows it");
}

static void prepare(void)
{
	if (journey)
		return;
	guest = guest_create(NULL);
	spare_the_host();
	sets = witness_sets_make(guest, states, nr_states);
	journey = journey_create(guest, sets);
}

static void know_mode(enum state_mode mode)
{
	if (!mode_known[mode])
		journey_find_runnable(journey, mode, &mode_missing[mode]);
	mode_known[mode] = true;
}

static unsigned int states_of(enum state_mode mode)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr_states; i++)
		n += states[i].mode == mode;
	return n;
}

/* "32 of 64 states; the CPU offers no PKU": which states are left out, and why. */
static void note_left_out(enum state_mode mode)
{
	const char *missing = NULL;
	unsigned int i;

	for (i = 0; i < nr_states && !missing; i++)
		if (states[i].mode == mode)
			missing = state_missing(&states[i], &guest->cpu);
	if (mode_missing[mode])
		report_note("%s: %u of %u states left out: the CPU offers no %s",
			    state_modes[mode].name, mode_missing[mode], states_of(mode), missing);
	if (journey->nr_runnable[mode] + mode_missing[mode] < states_of(mode))
		report_note("%s: %u states left out: the guest cannot run there",
			    state_modes[mode].name,
			    states_of(mode) - mode_missing[mode] - journey->nr_runnable[mode]);
	TEST_REQUIRE(mode_missing[mode] < states_of(mode), "the CPU offers no %s", missing);
}

static void require_path(const struct transition_path *path)
{
	const char *lacks = path->lacks ? path->lacks(journey) : NULL;

	TEST_REQUIRE(!lacks, "this host has no %s", lacks);
}

/* Or all of them come to nothing. */
static void require_any_path(void)
{
	const struct transition_path *const *path;

	for (path = test->paths; *path; path++)
		if (!(*path)->lacks || !(*path)->lacks(journey))
			return;
	require_path(test->paths[0]);
}

static void check_states(const struct subtest *self)
{
	const struct part *part = self->data;

	prepare();
	require_any_path();
	know_mode(part->a);
	note_left_out(part->a);
}

/*
 * L2's own MOV to CR, which KVM emulates: a PDPTE that was cleaned just before has A again when
 * the host was interrupted meanwhile (struct guest.marks_pdptes), and the MOV ends in #GP.
 */
static bool may_find_marks(const struct part *part)
{
	return journey->guest->marks_pdptes && part->path->by_guest && part->path->outer &&
	       (part->a == MODE_PAE || part->b == MODE_PAE);
}

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;

	prepare();
	require_path(part->path);
	TEST_REQUIRE(!may_find_marks(part),
		     "this emulated CPU sets A in L2's PDPTEs, and KVM then has none");
	know_mode(part->a);
	know_mode(part->b);
	TEST_REQUIRE(journey->nr_runnable[part->a], "no state of %s runs here",
		     state_modes[part->a].name);
	TEST_REQUIRE(journey->nr_runnable[part->b], "no state of %s runs here",
		     state_modes[part->b].name);
	if (part->path->lands_in) {
		unsigned int landed;

		know_mode(part->path->lands_in->mode);
		TEST_REQUIRE(journey_find(journey, part->path->lands_in, &landed),
			     "the path leads through a state of %s that does not run here",
			     state_modes[part->path->lands_in->mode].name);
	}
	journey->path = part->path;
	journey_tour(journey, part->a, part->b);
}

/* Is there a pair for this path? */
static bool has_pairs(const struct part *part)
{
	unsigned int i, k;

	if (part->path->all_pairs)
		return true;
	for (i = 0; i < nr_states; i++)
		for (k = 0; k < nr_states; k++)
			if (states[i].mode == part->a && states[k].mode == part->b &&
			    (part->path->applies(&states[i], &states[k]) ||
			     part->path->applies(&states[k], &states[i])))
				return true;
	return false;
}

static unsigned int add_part(struct part *part, const struct transition_path *path,
			     enum state_mode a, enum state_mode b)
{
	*part = (struct part){ "", path, a, b };
	snprintf(part->name, sizeof(part->name), a == b ? "%s/%s" : "%s/%s-%s",
		 path ? path->name : "states", state_modes[a].name, state_modes[b].name);
	return !path || has_pairs(part);
}

static unsigned int all_parts(struct part *parts)
{
	unsigned int nr = 0;
	const struct transition_path *const *path;
	int a, b;

	for (a = 0; a < NR_STATE_MODES; a++)
		nr += add_part(&parts[nr], NULL, a, a);
	for (path = test->paths; *path; path++)
		for (a = 0; a < NR_STATE_MODES; a++)
			for (b = a; b < NR_STATE_MODES; b++)
				nr += add_part(&parts[nr], *path, a, b);
	return nr;
}

static void add_name(char *names, const struct transition_path *path)
{
	if (*names)
		strcat(names, ", ");
	strcat(names, path->name);
}

static const char *path_names(void)
{
	static char names[512];
	const struct transition_path *const *path;

	/* How every test gets into its first state. */
	add_name(names, &path_sregs);
	for (path = test->paths; *path; path++) {
		if (*path != &path_sregs)
			add_name(names, *path);
		if ((*path)->back && !strstr(names, (*path)->back->name))
			add_name(names, (*path)->back);
	}
	return names;
}

/* "# 256 states, 65280 ordered pairs of them; gone through: ..., probes: ..." */
static void print_totals(void)
{
	unsigned int mode, n = 0;

	if (!journey)
		return;
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		n += mode_known[mode] ? journey->nr_runnable[mode] : 0;
	printf("# states: %u of %u, ordered pairs of them: %u, transitions: %llu, probes: %llu, of them walks in software: %llu\n",
	       n, nr_states, n ? n * (n - 1) : 0,
	       (unsigned long long)journey->pairs, (unsigned long long)journey->probes,
	       (unsigned long long)journey->nr_software);
}

int transition_test_main(const struct transition_test *what, int argc, char **argv)
{
	static struct part parts[MAX_SUBTESTS + 1];
	static struct subtest subtests[MAX_SUBTESTS];
	struct test_about about = what->about;
	struct test_options options;
	struct mmu_state state;
	unsigned int nr, i;
	int mode, code;

	test = what;
	about.has_cases = true;
	about.engines = "native, forced";
	about.paths = path_names();
	test_options_parse(&about, argc, argv, &options);
	if (options.case_id)
		return transition_replay(&options, test->paths);
	if (options.engine) {
		fprintf(stderr, "%s: --engine goes with --case: a run walks by both\n", about.name);
		return KSFT_USAGE;
	}
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		for (i = 0; nr_states < MAX_STATES && state_nth(mode, i, &state); i++)
			if (!test->wanted || test->wanted(&state))
				states[nr_states++] = state;
	nr = all_parts(parts);
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ parts[i].name, parts[i].path ? run_part : check_states,
						&parts[i] };
	code = report_run(&about, &options, subtests, nr);
	print_totals();
	journey_free(journey);
	witness_sets_free(sets);
	guest_free(guest);
	return code;
}
