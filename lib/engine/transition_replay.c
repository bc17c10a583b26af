// SPDX-License-Identifier: GPL-2.0-only
/*
 * --case ID --after STATE --path NAME: one transition alone, printed in full.
 *
 * In a run the case's address was accessed in other ways, too, in both states; what is left
 * of that must not matter, and a replay does the same before it takes the path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_run.h"
#include "replay.h"
#include "test_assert.h"
#include "transition.h"

/* What a replay needs, from the command line. */
struct replay {
	struct test_case tc;
	struct mmu_state from;
	bool after;
	const struct transition_path *path;
	const struct engine *engine; /* of the case itself; what comes before it is native */
};

static gva_t case_gva(const struct guest *guest, const struct test_case *tc)
{
	u32 offset = agent_access_offset(tc->access);
	u16 choice[MAX_LEVELS + 1] = { 0 };

	if (state_modes[tc->state.mode].paging == PAGING_NONE)
		return DATA_PAGE + offset;
	TEST_ASSERT(guest_choose(guest, &tc->state, tc->entry, choice),
		    "the case's entries are not among the suite's variants on this CPU");
	return guest_gva(guest, state_area(&tc->state), choice, offset);
}

/*
 * What a run has done at this address before: in the list of accesses the case is the
 * first, behind it comes each access by everyone.  The supervisor's write with EFLAGS.AC=1
 * is the last, as it gets through most often and what KVM makes of it is undone by others.
 */
static u32 list_accesses(struct journey *j, const struct test_case *tc, enum agent_via via,
			 gva_t gva)
{
	static const enum agent_access order[] = { AGENT_READ, AGENT_FETCH, AGENT_WRITE };
	static const u8 actors[NR_ACTORS] = { 3, 2, 0, 1 };
	const gva_t page = gva - agent_access_offset(tc->access);
	unsigned int i, k, nr = 1;

	script_set_case(j->guest, 0, &tc->state, &tc->actor, tc->access, via, gva);
	for (i = 0; i < NR_ACTORS; i++)
		for (k = 0; k < ARRAY_SIZE(order); k++)
			script_set_case(j->guest, nr++, &tc->state, &all_actors[actors[i]],
					order[k], VIA_NATIVE,
					page + agent_access_offset(order[k]));
	return nr - 1;
}

/* Everyone's accesses in a state, entered by KVM_SET_SREGS. */
static void run_here(struct journey *j, const struct mmu_state *state, u32 accesses)
{
	char text[EXIT_TEXT_LEN];
	struct script_end end;
	struct script script;

	script_begin(&script, j->guest);
	script_add_start(&script, state);
	script_add_cases(&script, 1, accesses);
	journey_enter(j, state);
	end = script_run(&script, j->vcpu);
	if (!end.done) {
		exit_text(end.exit, end.detail, text);
		printf("# the accesses before end with %s\n", text);
		vcpu_events_clear(j->vcpu);
	}
}

static void print_route(const struct script *script, u32 from, u32 to)
{
	char text[SCRIPT_OP_TEXT_LEN];
	u32 i;

	for (i = from; i < to; i++) {
		script_op_text(&script_ops(script)[i], text);
		printf("# guest     %s\n", text);
	}
}

/*
 * The case's state, the state before, the transition and the case, whose result has its place
 * in *result.
 */
static struct script_end arrive(struct journey *j, const struct replay *r, u32 accesses,
				u32 *result)
{
	const struct mmu_state *to = &r->tc.state;
	bool shared = r->after && states_share_tables(&r->from, to);
	struct script script;
	u32 ops;

	if (r->after)
		run_here(j, to, accesses);
	if (r->after && !j->path->by_guest)
		run_here(j, &r->from, shared ? accesses : 0);
	script_begin(&script, j->guest);
	if (r->after && j->path->by_guest) {
		script_add_start(&script, &r->from);
		script_add_cases(&script, 1, shared ? accesses : 0);
		ops = script.nr_ops;
		j->path->by_guest(&script, &r->from, to);
		print_route(&script, ops, script.nr_ops);
		script_add_pkru(&script, to);
		journey_enter(j, &r->from);
	} else if (r->after && j->path->lands_in) {
		path_guest.by_guest(&script, j->path->lands_in, to);
		print_route(&script, 0, script.nr_ops);
		script_add_pkru(&script, to);
		j->path->by_vmm(j, &r->from, to);
	} else {
		script_add_start(&script, to);
		if (r->after)
			j->path->by_vmm(j, &r->from, to);
		else
			journey_enter(j, to);
	}
	*result = script.nr_results;
	script_add_cases(&script, 0, 1);
	return script_run(&script, j->vcpu);
}

static int replay(const void *context)
{
	const struct replay *r = context;
	struct guest *guest = guest_create(NULL);
	const struct witness_sets no_sets = { .guest = guest };
	struct journey *j = journey_create(guest, &no_sets);
	gva_t gva = case_gva(guest, &r->tc);
	const struct walk_regs regs = guest_walk_regs(guest, &r->tc.state);
	const struct walk_access access = case_access(&r->tc, gva);
	struct agent_batch batch = script_batch(&r->tc.state, &r->tc.actor, r->tc.access);
	struct agent_result observed = { 0 };
	struct walk_result expected;
	const struct comparison c = { guest, &batch, gva, &expected, &observed };
	const char *missing = state_missing(&r->tc.state, &guest->cpu), *lacks;
	struct script_end end;
	u32 result;
	bool good;

	replay_begin();
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	lacks = r->engine->host_lacks(guest);
	TEST_REQUIRE(!lacks, "engine %s: %s", r->engine->name, lacks);
	batch.via = r->engine->via;
	j->path = r->path;
	lacks = j->path->lacks ? j->path->lacks(j) : NULL;
	TEST_REQUIRE(!lacks, "no path %s here: %s", j->path->name, lacks);
	if (j->path->vcpu)
		j->vcpu = j->path->vcpu(j);
	walk(&guest->cpu, &regs, &guest->memory, &access, &expected);
	end = arrive(j, r, list_accesses(j, &r->tc, batch.via, gva), &result);
	if (end.nr_results > result)
		observed = script_result(guest, result);
	if (!end.done) {
		observed.status = STATUS_EXIT | (end.exit & STATUS_EXIT_MASK);
		observed.cr2 = end.detail;
	}
	case_print(&c, &r->tc, r->engine);
	good = outcome_matches(&c);
	journey_free(j);
	guest_free(guest);
	return good ? KSFT_PASS : KSFT_FAIL;
}

/* NULL, or what is wrong with the pair. */
static const char *check_pair(const struct replay *r)
{
	if (!r->after || r->path->all_pairs || r->path->applies(&r->from, &r->tc.state))
		return NULL;
	return "the path does not lead from that state to the case's";
}

int transition_replay(const struct test_options *options)
{
	const char *id = options->case_id, *after = options->after;
	struct replay r = {
		.path = transition_path_find(options->path ? options->path : "sregs"),
		.after = after,
		.engine = engine_find(options->engine ? options->engine : "native"),
	};
	const char *error = case_parse(id, &r.tc);
	char canonical[CASE_ID_LEN];

	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", id, error);
		return KSFT_USAGE;
	}
	error = after ? state_parse(after, strlen(after), &r.from) : NULL;
	if (!error)
		error = check_pair(&r);
	if (error) {
		fprintf(stderr, "--after '%s': %s\n", after, error);
		return KSFT_USAGE;
	}
	if (r.engine == &engine_forced && r.tc.access == AGENT_FETCH) {
		fprintf(stderr, "--engine forced: no fetches in transitions\n");
		return KSFT_USAGE;
	}
	case_id(&r.tc, canonical);
	return replay_run(replay, &r, canonical);
}
