// SPDX-License-Identifier: GPL-2.0-only
/* Journeys through all pairs of states: see include/transition.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "nested_state.h"
#include "report.h"
#include "test_assert.h"
#include "tour.h"
#include "transition_internal.h"

/*
 * Transitions by the guest that share a script: what one bad end may cost.  Odd, so that the
 * scripts, which KVM_SET_SREGS starts, begin in every other state.
 */
#define PAIRS_PER_SCRIPT 61
#define OPS_PER_STOP 25
/* After so many bad ends of scripts the rest of a part is left out. */
#define MAX_BAD_ENDS 32

const struct transition_path *transition_path_find(const struct transition_path *const *paths,
						   const char *name)
{
	for (; *paths; paths++) {
		if (!strcmp((*paths)->name, name))
			return *paths;
		if ((*paths)->back && !strcmp((*paths)->back->name, name))
			return (*paths)->back;
	}
	/* How every test gets into its first state. */
	return strcmp(name, path_sregs.name) ? NULL : &path_sregs;
}

const struct mmu_state *transition_path_outer(const struct transition_path *path,
					      const struct mmu_state *from,
					      const struct mmu_state *to)
{
	return path->outer ? path->outer(from, to) : from;
}

void transition_path_start(struct script *script, const struct transition_path *path,
			   const struct mmu_state *from, const struct mmu_state *to)
{
	const struct mmu_state *outer = transition_path_outer(path, from, to);

	script_add_start(script, outer);
	if (path->outer)
		path->into->by_guest(script, outer, from);
}

/* One at a time: a script lies at one place in guest memory. */
static struct stops stops;

/* The list's second part: what KVM's emulator can access of each set. */
static void list_software(struct journey *j)
{
	const struct witness_sets *sets = j->sets;
	u32 nr = 0, i, k;

	j->software = calloc(sets->nr_states + 1, sizeof(*j->software));
	j->software_case = calloc(sets->nr_cases + 1, sizeof(*j->software_case));
	TEST_ASSERT(j->software && j->software_case, "out of memory");
	j->software_first = sets->nr_cases;
	for (i = 0; i < sets->nr_states; i++) {
		j->software[i].first = j->software_first + nr;
		for (k = 0; k < sets->set[i].nr; k++) {
			u32 wcase = sets->set[i].first + k;
			const struct witness_case *c = &sets->cases[wcase];

			if (c->access == AGENT_FETCH)
				continue;
			script_set_case(j->guest, j->software_first + nr, &sets->state[i],
					&c->actor, c->access, VIA_FORCED, c->gva);
			j->software_case[nr++] = wcase;
			j->software[i].nr++;
		}
	}
}

struct journey *journey_create(struct guest *guest, const struct witness_sets *sets)
{
	struct journey *j = calloc(1, sizeof(*j));
	unsigned int i, k;

	TEST_ASSERT(j, "out of memory");
	*j = (struct journey){ .guest = guest, .vcpu = guest->vcpu, .sets = sets,
			       .path = &path_sregs };
	j->visited = calloc(sets->nr_states, sizeof(*j->visited));
	TEST_ASSERT(j->visited, "out of memory");
	script_install(guest);
	for (i = 0; i < sets->nr_states; i++) {
		const struct mmu_state *s = &sets->state[i];
		u16 *list = j->runnable[s->mode];

		list = realloc(list, (j->nr_runnable[s->mode] + 1) * sizeof(*list));
		TEST_ASSERT(list, "out of memory");
		list[j->nr_runnable[s->mode]++] = i;
		j->runnable[s->mode] = list;
		for (k = 0; k < sets->set[i].nr; k++) {
			const struct witness_case *c = &sets->cases[sets->set[i].first + k];

			script_set_case(guest, sets->set[i].first + k, s, &c->actor, c->access,
					VIA_NATIVE, c->gva);
		}
	}
	if (!engine_forced.host_lacks(guest))
		list_software(j);
	return j;
}

void journey_free(struct journey *j)
{
	int mode;

	if (!j)
		return;
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		free(j->runnable[mode]);
	free(j->software);
	free(j->software_case);
	free(j->visited);
	free(j);
}

/* The script of a vCPU that will be in this state. */
static void begin_at(struct journey *j, unsigned int state)
{
	stops_begin(j, &stops);
	script_add_start(&stops.script, &j->sets->state[state]);
}

/* Runs what is in the script.  A vCPU that ended badly is put straight. */
static bool run_stops(struct journey *j)
{
	struct script_end end = script_run(&stops.script, j->vcpu);

	stops_check(j, &stops, &end);
	if (!end.done)
		vcpu_events_clear(j->vcpu);
	return end.done;
}

/*
 * States
 */

/* Told as of the state's first access; path: what the case came by, or NULL. */
static void report_state(const struct journey *j, unsigned int state, const char *after,
			 const char *path, const char *expected, const char *observed)
{
	const struct test_case tc = witness_test_case(
		j->sets, &j->sets->cases[j->sets->set[state].first], &j->sets->state[state]);
	char id[CASE_ID_LEN];
	const struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.after = after,
		.path = path,
		.rule = rule_text(RULE_A_ALLOWED)->name,
	};

	case_id(&tc, id);
	report_failure(&f);
}

void journey_report_way(const struct journey *j, const struct mmu_state *from,
			const struct mmu_state *to, const char *expected, const char *observed)
{
	char after[STATE_NAME_LEN];
	unsigned int state;

	state_name(from, after);
	if (!journey_find(j, to, &state)) {
		/* A replay, which has no list of states: it does not come to its case. */
		printf("# expected  %s\n# observed  %s\n", expected, observed);
		TEST_FAIL("%s behind %s", observed, j->path->name);
	}
	report_state(j, state, after, j->path->name, expected, observed);
}

static void report_refusal(const struct journey *j, unsigned int state, const char *why)
{
	report_state(j, state, NULL, NULL, "agent runs", why);
}

static bool state_runs(struct journey *j, unsigned int state)
{
	const struct mmu_state *s = &j->sets->state[state];
	const struct kvm_sregs sregs = script_sregs(j->guest, s);
	struct script_end end;
	char why[96];
	int err;

	script_clean_pdptes(j->guest, s);
	err = __vcpu_sregs_set(j->vcpu, &sregs);
	if (err) {
		snprintf(why, sizeof(why), "KVM_SET_SREGS: %s", strerror(err));
		report_refusal(j, state, why);
		return false;
	}
	journey_enter(j, s);
	begin_at(j, state);
	stops_add(j, &stops, state, ENTERED, state);
	end = script_run(&stops.script, j->vcpu);
	if (!end.done)
		vcpu_events_clear(j->vcpu);
	stops_check(j, &stops, &end);
	return end.done;
}

void journey_find_runnable(struct journey *j, enum state_mode mode, unsigned int *missing)
{
	unsigned int i, n = 0;

	*missing = 0;
	for (i = 0; i < j->nr_runnable[mode]; i++) {
		u16 state = j->runnable[mode][i];

		if (state_missing(&j->sets->state[state], &j->guest->cpu))
			++*missing;
		else if (state_runs(j, state))
			j->runnable[mode][n++] = state;
	}
	j->nr_runnable[mode] = n;
}

bool journey_find(const struct journey *j, const struct mmu_state *state, unsigned int *i)
{
	unsigned int n;

	for (n = 0; n < j->nr_runnable[state->mode]; n++) {
		*i = j->runnable[state->mode][n];
		if (j->sets->state[*i].flags == state->flags)
			return true;
	}
	return false;
}

/*
 * Steps
 */

/* A tour under way. */
struct steps {
	struct journey *j;
	unsigned int at;    /* where the vCPU is, or will be when the script has run */
	bool somewhere;     /* it is anywhere at all */
	unsigned int bad_ends;
	u64 pairs, left_out;
};

/* Runs the script that the guest's transitions were collected in. */
static void flush(struct steps *s)
{
	bool good;

	if (!stops.nr_pairs)
		return;
	good = run_stops(s->j);
	s->pairs += stops.nr_pairs;
	stops.nr_pairs = 0;
	if (!good)
		s->bad_ends++;
	s->somewhere = false;
}

/* KVM walks nothing in software for an L2 of an emulated CPU that sets A in PDPTEs: see l2.c. */
static bool no_software(const struct journey *j, unsigned int state)
{
	return j->path->tdp && j->guest->marks_pdptes && j->sets->state[state].mode == MODE_PAE;
}

/* A script may end in L2.  There KVM_SET_SREGS does not set all it is given (docs/findings.md). */
static void leave_l2(const struct journey *j)
{
	if (vcpu_in_l2(j->vcpu))
		vcpu_leave_nested(j->vcpu);
}

/* Into a state by KVM_SET_SREGS, and from L1's into L2, for a transition from there. */
static void start_at(struct steps *s, unsigned int state, unsigned int next, bool run)
{
	const struct mmu_state *states = s->j->sets->state;
	const struct transition_path *path = s->j->path;

	if (path->vcpu)
		s->j->vcpu = path->vcpu(s->j);
	stops_begin(s->j, &stops);
	transition_path_start(&stops.script, path, &states[state], &states[next]);
	stops.no_software = path->outer && no_software(s->j, state);
	stops_add(s->j, &stops, state, ENTERED, next);
	if (path->outer || path->back)
		leave_l2(s->j);
	journey_enter(s->j, transition_path_outer(path, &states[state], &states[next]));
	s->at = state;
	s->somewhere = true;
	if (run && !run_stops(s->j)) {
		s->bad_ends++;
		s->somewhere = false;
	}
}

/* The way back, if there is one; the accesses there. */
static bool add_back(struct journey *j, unsigned int from, unsigned int to, unsigned int next)
{
	const struct transition_path *path = j->path;
	const struct mmu_state *states = j->sets->state, *end = &states[from];
	unsigned int stop = from;

	if (!path->back)
		return false;
	if (path->outer) {
		end = path->outer(&states[from], &states[to]);
		TEST_ASSERT(journey_find(j, end, &stop), "L1's state does not run here");
	}
	path->back->by_guest(&stops.script, &states[to], end);
	stops.path = path->back;
	stops.no_software = false;
	stops_add(j, &stops, stop, to, next);
	return true;
}

static void step_by_guest(struct steps *s, unsigned int from, unsigned int to, unsigned int next)
{
	struct journey *j = s->j;
	const struct mmu_state *states = j->sets->state;

	if (s->somewhere &&
	    (s->at != from || stops.nr_pairs >= PAIRS_PER_SCRIPT ||
	     !script_has_room(&stops.script, 2 * OPS_PER_STOP,
			      2 * (j->sets->set[to].nr + j->sets->set[from].nr +
				   j->sets->set[next].nr))))
		flush(s);
	if (!s->somewhere)
		start_at(s, from, to, false);
	j->path->by_guest(&stops.script, &states[from], &states[to]);
	script_add_pkru(&stops.script, &states[to]);
	stops.path = j->path;
	stops.no_software = no_software(j, to);
	stops_add(j, &stops, to, from, next);
	stops.nr_pairs++;
	s->at = add_back(j, from, to, next) ? from : to;
}

/* The script of a path that ends elsewhere: what is to be seen there, and how it goes on. */
static void begin_landed(struct journey *j, unsigned int from, unsigned int to)
{
	const struct mmu_state *states = j->sets->state;
	unsigned int landed;

	TEST_ASSERT(journey_find(j, j->path->lands_in, &landed), "nothing runs behind path %s",
		    j->path->name);
	stops_begin(j, &stops);
	script_add_start(&stops.script, &states[landed]);
	stops_add(j, &stops, landed, from, landed);
	path_guest.by_guest(&stops.script, &states[landed], &states[to]);
	script_add_pkru(&stops.script, &states[to]);
}

static void step_by_vmm(struct steps *s, unsigned int from, unsigned int to, unsigned int next)
{
	struct journey *j = s->j;
	bool leaves;

	if (!s->somewhere || s->at != from)
		start_at(s, from, to, true);
	if (j->path->lands_in)
		begin_landed(j, from, to);
	else
		begin_at(j, to);
	stops.no_software = j->path->back && no_software(j, to);
	stops_add(j, &stops, to, from, next);
	leaves = add_back(j, from, to, next) || j->path->outer;
	j->path->by_vmm(j, &j->sets->state[from], &j->sets->state[to]);
	if (!run_stops(j)) {
		s->bad_ends++;
		leaves = true;
	}
	s->somewhere = !leaves;
	s->at = to;
	s->pairs++;
}

static void step(struct steps *s, unsigned int from, unsigned int to, unsigned int next)
{
	if (s->bad_ends >= MAX_BAD_ENDS || report_should_stop())
		s->left_out++;
	else if (s->j->path->by_guest)
		step_by_guest(s, from, to, next);
	else
		step_by_vmm(s, from, to, next);
}

/*
 * Tours
 */

static void tour_all(struct steps *s, enum state_mode a, enum state_mode b)
{
	const struct journey *j = s->j;
	struct tour_stop stop;
	struct tour tour;
	unsigned int from = 0, to = 0, next;
	u64 seen = 0;

	if (a == b)
		tour_within(&tour, j->nr_runnable[a]);
	else
		tour_between(&tour, j->nr_runnable[a], j->nr_runnable[b]);
	/* One behind: what a stop prepares depends on the one after it. */
	while (tour_next(&tour, &stop)) {
		next = j->runnable[stop.in_right ? b : a][stop.node];
		if (++seen > 2)
			step(s, from, to, next);
		from = to;
		to = next;
	}
	if (seen > 1)
		step(s, from, to, to);
}

/* From each state in turn to all others and back. */
static void tour_returning(struct steps *s, enum state_mode a, enum state_mode b)
{
	const struct journey *j = s->j;
	unsigned int i, k;

	for (i = 0; i < j->nr_runnable[a]; i++)
		for (k = 0; k < j->nr_runnable[b]; k++) {
			const u16 *to = &j->runnable[b][k];
			unsigned int from = j->runnable[a][i];

			if (j->path->applies(&j->sets->state[from], &j->sets->state[*to]))
				step(s, from, *to, k + 1 < j->nr_runnable[b] ? to[1] : *to);
		}
}

static void tour_some(struct steps *s, enum state_mode a, enum state_mode b)
{
	const struct journey *j = s->j;
	unsigned int i, k;

	for (i = 0; i < j->nr_runnable[a]; i++)
		for (k = 0; k < j->nr_runnable[b]; k++) {
			unsigned int from = j->runnable[a][i], to = j->runnable[b][k];

			if (j->path->applies(&j->sets->state[from], &j->sets->state[to]))
				step(s, from, to, from);
			if (a != b && j->path->applies(&j->sets->state[to], &j->sets->state[from]))
				step(s, to, from, to);
		}
}

u64 journey_tour(struct journey *j, enum state_mode a, enum state_mode b)
{
	struct steps s = { .j = j };

	stops.nr_pairs = 0;
	if (j->path->all_pairs) {
		tour_all(&s, a, b);
	} else if (j->path->back && j->path->by_guest) {
		tour_returning(&s, a, b);
		if (a != b)
			tour_returning(&s, b, a);
	} else {
		tour_some(&s, a, b);
	}
	flush(&s);
	if (j->path->in_vmx_l2)
		path_vmx_l2_leave(j);
	leave_l2(j);
	j->vcpu = j->guest->vcpu;
	/* What is run next may be outside L2. */
	j->path = &path_sregs;
	j->pairs += s.pairs;
	report_pairs(s.pairs);
	/* What was left out has failed, unless the run was told to stop. */
	TEST_ASSERT(!s.left_out || report_should_stop(),
		    "%u scripts ended badly: %llu pairs not gone through", s.bad_ends,
		    (unsigned long long)s.left_out);
	return s.pairs;
}
