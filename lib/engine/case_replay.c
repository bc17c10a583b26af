// SPDX-License-Identifier: GPL-2.0-only
/* --case ID: one case alone, printed in full. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_run.h"
#include "replay.h"
#include "report.h"

/* Variant lists that hold the case's entries and nothing else. */
static struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1];

static void lists_for_case(const struct test_case *tc)
{
	enum table_area area = state_area(&tc->state);
	enum paging_mode mode = state_modes[tc->state.mode].paging;
	int level;

	for (level = 1; level <= paging_formats[mode].levels; level++) {
		struct variant_list *list = &lists[area][level];

		list->bits[list->nr++] = variant_full(mode, level);
		if (tc->entry[level] != list->bits[0])
			list->bits[list->nr++] = tc->entry[level];
	}
}

/* 32-bit code reaches only slot 0 of the top tables, which is the agent's. */
static bool reachable(const struct test_case *tc)
{
	enum table_area area = state_area(&tc->state);
	int level;

	if (state_modes[tc->state.mode].paging == PAGING_NONE)
		return true;
	for (level = 1; level <= paging_formats[area_shape(area)->mode].levels; level++)
		if (lists[area][level].nr > variant_max(area_shape(area), level))
			return false;
	return true;
}

/* What only the CPU's facts tell of an id: NULL, or why it cannot be tried. */
static const char *impossible(const struct guest *guest, const struct test_case *tc)
{
	const struct table_shape *shape = area_shape(state_area(&tc->state));
	int level;

	if (state_modes[tc->state.mode].paging == PAGING_NONE)
		return NULL;
	for (level = 1; level <= paging_formats[shape->mode].levels; level++) {
		if (variant_moves_target(shape, level, tc->entry[level], &guest->cpu))
			return "an address bit leads away from the suite's pages";
		if (paging_formats[shape->mode].level[level].register_entry &&
		    tc->entry[level] & PTE_P &&
		    tc->entry[level] &
			    entry_reserved_bits(shape->mode, level, false, true, &guest->cpu))
			return "a PDPTE with a reserved bit is refused when CR3 is loaded";
	}
	return NULL;
}

/* Runs the case in its state; prints and compares unless it only paves the way. */
static bool replay_pass(struct guest *guest, const struct engine *engine,
			const struct test_case *tc, gva_t gva, bool careful, bool quiet)
{
	struct walk_regs regs = guest_walk_regs(guest, &tc->state);
	struct walk_access access = case_access(tc, gva);
	struct walk_result expected;
	struct agent_result observed;
	struct agent_batch batch = {
		.state = tc->state,
		.actor = tc->actor,
		.access = tc->access,
		.via = engine->via,
		.careful = careful,
		.gvas = &gva,
		.nr = 1,
		.results = &observed,
	};
	struct comparison c = { guest, &batch, gva, &expected, &observed };
	const char *why = engine->unsupported(guest, &batch);

	if (why) {
		if (!quiet)
			printf("# engine    %s, %s pass left out: %s\n", engine->name,
			       careful ? "careful" : "fast", why);
		return true;
	}
	why = agent_probe(guest, &batch, engine->run);
	if (why) {
		if (!quiet)
			printf("# expected  agent runs%s\n# observed  %s\n",
			       careful ? " (careful)" : "", why);
		return false;
	}
	walk(&guest->cpu, &regs, &guest->memory, &access, &expected);
	engine->run(guest, &batch);
	if (!quiet)
		case_print(&c, tc, engine);
	return outcome_matches(&c);
}

/* What a replay needs, from the command line. */
struct case_replay {
	struct test_case tc, first;
	bool after; /* first is walked before */
	const struct engine *engine;
};

static int replay(const void *context)
{
	const struct case_replay *r = context;
	const struct test_case *tc = &r->tc;
	u32 offset = agent_access_offset(tc->access);
	struct guest *guest;
	u16 choice[MAX_LEVELS + 1] = { 0 };
	const char *missing, *why;
	gva_t gva = DATA_PAGE + offset;
	char id[CASE_ID_LEN];
	bool good = true;
	int careful;

	guest = guest_create(lists);
	why = impossible(guest, tc);
	if (why) {
		guest_free(guest);
		case_id(tc, id);
		fprintf(stderr, "case '%s': %s\n", id, why);
		return KSFT_USAGE;
	}
	replay_begin();
	missing = state_missing(&tc->state, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	if (state_modes[tc->state.mode].paging != PAGING_NONE) {
		TEST_ASSERT(guest_choose(guest, &tc->state, tc->entry, choice),
			    "the case's entries are not in its tables");
		gva = guest_gva(guest, state_area(&tc->state), choice, offset);
	}
	for (careful = 0; careful <= 1; careful++) {
		if (r->after)
			replay_pass(guest, r->engine, &r->first, gva, careful, true);
		good &= replay_pass(guest, r->engine, tc, gva, careful, false);
	}
	guest_free(guest);
	return good ? KSFT_PASS : KSFT_FAIL;
}

/* The same entries and access in another state: only where that walks the same tables. */
static const char *parse_after(const char *after, const struct test_case *tc,
			       struct test_case *first)
{
	const char *error;

	*first = *tc;
	error = state_parse(after, strlen(after), &first->state);
	if (error)
		return error;
	return states_share_tables(&first->state, &tc->state) ?
		       NULL : "that state does not walk the case's tables";
}

int case_replay(const char *id, const char *after, const struct engine *engine)
{
	struct case_replay r = { .after = after, .engine = engine };
	const char *error = case_parse(id, &r.tc);
	char canonical[CASE_ID_LEN];

	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", id, error);
		return KSFT_USAGE;
	}
	if (after) {
		error = parse_after(after, &r.tc, &r.first);
		if (error) {
			fprintf(stderr, "--after '%s': %s\n", after, error);
			return KSFT_USAGE;
		}
	}
	case_id(&r.tc, canonical);
	lists_for_case(&r.tc);
	if (!reachable(&r.tc)) {
		fprintf(stderr, "case '%s': 32-bit code reaches only full entries above level 3\n",
			id);
		return KSFT_USAGE;
	}
	return replay_run(replay, &r, canonical);
}
