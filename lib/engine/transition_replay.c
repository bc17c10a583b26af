// SPDX-License-Identifier: GPL-2.0-only
/*
 * --case ID --after STATE[:FROM] --path NAME: one transition alone, printed in full.
 *
 * In a run the case's address was accessed in other ways, too, in all of these states; what is
 * left of that must not matter, and a replay does the same before it takes the path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_run.h"
#include "replay.h"
#include "test_assert.h"
#include "transition.h"

#define MAX_BEFORE 2

/* What a replay needs, from the command line. */
struct replay {
	struct test_case tc;
	struct mmu_state before[MAX_BEFORE]; /* visited in this order; the path leads from the last */
	unsigned int nr_before;
	const struct transition_path *path;
	const struct engine *engine; /* of the case itself; what comes before it is native */
};

/* The list of accesses: the case, then each access by everyone. */
#define THE_CASE 0
#define EVERYONES 1

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
 * Each access by everyone at a page, from place first of the list on; returns how many.  The
 * supervisor's write with EFLAGS.AC=1 is the last, as it gets through most often and what KVM
 * makes of it is undone by others.
 */
static u32 list_everyones(struct journey *j, u32 first, const struct mmu_state *state, gva_t page)
{
	static const enum agent_access order[] = { AGENT_READ, AGENT_FETCH, AGENT_WRITE };
	static const u8 actors[NR_ACTORS] = { 3, 2, 0, 1 };
	u32 i, k, nr = 0;

	for (i = 0; i < NR_ACTORS; i++)
		for (k = 0; k < ARRAY_SIZE(order); k++)
			script_set_case(j->guest, first + nr++, state, &all_actors[actors[i]],
					order[k], VIA_NATIVE, page + agent_access_offset(order[k]));
	return nr;
}

/*
 * What a run has done before: at the case's address everything, and in the case's state, where
 * every set begins with plain accesses, also at an address where everything is allowed.
 */
static void list_accesses(struct journey *j, const struct replay *r, gva_t gva, u32 *here,
			  u32 *plain)
{
	const struct test_case *tc = &r->tc;
	const gva_t page = gva - agent_access_offset(tc->access);
	const u16 full[MAX_LEVELS + 1] = { VARIANT_FULL_INDEX };
	gva_t allowed = page;

	if (state_modes[tc->state.mode].paging != PAGING_NONE)
		allowed = guest_gva(j->guest, state_area(&tc->state), full, 0);
	script_set_case(j->guest, THE_CASE, &tc->state, &tc->actor, tc->access, r->engine->via, gva);
	*here = list_everyones(j, EVERYONES, &tc->state, page);
	*plain = list_everyones(j, EVERYONES + *here, &tc->state, allowed);
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

/* From state to state by a path, and some of the listed accesses there. */
struct leg {
	const struct mmu_state *from, *to;
	const struct transition_path *path;
	u32 nr_from;   /* everyone's accesses in from; only if the guest goes by itself */
	u32 first, nr; /* accesses in to */
	u32 result;    /* where their results begin */
	bool told;
};

/* What the VMM does begins in L2, which makes everyone's accesses. */
static void enter_l2(struct journey *j, const struct leg *leg)
{
	struct script script;
	struct script_end end;

	script_begin(&script, j->guest);
	transition_path_start(&script, leg->path, leg->from, leg->to);
	script_add_cases(&script, EVERYONES, leg->nr_from);
	journey_enter(j, transition_path_outer(leg->path, leg->from, leg->to));
	end = script_run(&script, j->vcpu);
	TEST_ASSERT(end.done, "L2 does not get to its end: exit %s", exit_reason_str(end.exit));
}

static struct script_end go(struct journey *j, struct leg *leg)
{
	const struct transition_path *path = leg->path;
	struct script script;
	u32 ops = 0;

	if ((path->by_vmm && path->outer) || path->meanwhile)
		enter_l2(j, leg);

	script_begin(&script, j->guest);
	if (path->meanwhile) {
		script_add_start(&script, leg->from);
		ops = script.nr_ops;
		path->by_guest(&script, leg->from, leg->to);
	} else if (path->by_guest) {
		transition_path_start(&script, path, leg->from, leg->to);
		script_add_cases(&script, EVERYONES, leg->nr_from);
		ops = script.nr_ops;
		path->by_guest(&script, leg->from, leg->to);
	} else if (path->lands_in) {
		path_guest.by_guest(&script, path->lands_in, leg->to);
	}
	if (leg->told)
		print_route(&script, ops, script.nr_ops);
	if (path->by_guest || path->lands_in)
		script_add_pkru(&script, leg->to);
	else
		script_add_start(&script, leg->to);
	if (path->meanwhile)
		path->meanwhile->by_vmm(j, leg->from, leg->from);
	else if (path->by_guest)
		journey_enter(j, transition_path_outer(path, leg->from, leg->to));
	else
		path->by_vmm(j, leg->from, leg->to);
	leg->result = script.nr_results;
	script_add_cases(&script, leg->first, leg->nr);
	return script_run(&script, j->vcpu);
}

/* On the way to the case: everyone's accesses.  False if the agent did not get through. */
static bool pass_through(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to, const struct transition_path *path, u32 accesses)
{
	struct leg leg = { .from = from, .to = to, .path = path, .first = EVERYONES,
			   .nr = accesses };
	struct script_end end = go(j, &leg);
	char text[EXIT_TEXT_LEN], name[STATE_NAME_LEN];

	if (end.done)
		return true;
	exit_text(end.exit, end.detail, text);
	state_name(to, name);
	printf("# in %s before\n# expected  agent runs\n# observed  %s\n", name, text);
	vcpu_events_clear(j->vcpu);
	return false;
}

/*
 * The case's state, the states before, the transition and the case, whose result has its place
 * in leg->result.  *good: the agent got there.  Where the path leads to other vCPUs in turn, it
 * is taken twice to the state that something may be kept from, as there may be two VMs.
 */
static struct script_end arrive(struct journey *j, const struct replay *r, gva_t gva,
				struct leg *leg, bool *good)
{
	const struct mmu_state *to = &r->tc.state, *at = to;
	u32 accesses, plain, i, times;

	list_accesses(j, r, gva, &accesses, &plain);
	*leg = (struct leg){ .to = to, .path = &path_sregs, .first = THE_CASE, .nr = 1 };
	if (!r->nr_before)
		return go(j, leg);
	*good = pass_through(j, to, to, &path_sregs, accesses + plain);
	for (i = 0; i < r->nr_before; i++) {
		const struct mmu_state *next = &r->before[i];
		u32 nr = states_share_tables(next, to) ? accesses : 0;

		leg->nr_from = nr;
		if (i == r->nr_before - 1 && r->path->by_guest)
			break;
		for (times = 0; times < (r->path->other_vcpu && !i ? 2 : 1); times++, at = next)
			*good &= pass_through(j, at, next,
					      r->path->other_vcpu ? r->path : &path_sregs, nr);
	}
	leg->from = &r->before[r->nr_before - 1];
	leg->path = r->path;
	leg->told = true;
	return go(j, leg);
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
	struct leg leg;
	bool good = true;

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
	end = arrive(j, r, gva, &leg, &good);
	if (end.nr_results > leg.result)
		observed = script_result(guest, leg.result);
	if (!end.done) {
		observed.status = STATUS_EXIT | (end.exit & STATUS_EXIT_MASK);
		observed.cr2 = end.detail;
	}
	case_print(&c, &r->tc, r->engine);
	good &= outcome_matches(&c);
	journey_free(j);
	guest_free(guest);
	return good ? KSFT_PASS : KSFT_FAIL;
}

/* "STATE" or "STATE:FROM"; NULL, or what is wrong with it. */
static const char *parse_after(const char *after, struct replay *r)
{
	const char *error, *end;

	for (;; after = end + 1) {
		if (r->nr_before == MAX_BEFORE)
			return "more than two states";
		end = strchrnul(after, ':');
		error = state_parse(after, end - after, &r->before[r->nr_before]);
		if (error)
			return error;
		r->nr_before++;
		if (!*end)
			break;
	}
	if (r->path->all_pairs || r->path->applies(&r->before[r->nr_before - 1], &r->tc.state))
		return NULL;
	return "the path does not lead from that state to the case's";
}

int transition_replay(const struct test_options *options,
		      const struct transition_path *const *paths)
{
	const char *id = options->case_id, *after = options->after;
	struct replay r = {
		.path = options->path ? transition_path_find(paths, options->path) : &path_sregs,
		.engine = engine_find(options->engine ? options->engine : "native"),
	};
	const char *error = case_parse(id, &r.tc);
	char canonical[CASE_ID_LEN];

	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", id, error);
		return KSFT_USAGE;
	}
	error = after ? parse_after(after, &r) : NULL;
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
