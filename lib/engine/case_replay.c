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

/*
 * For fetches of which one level deviates: tables with code in front of the page, for the
 * engines that begin there (struct guest.front).  FRONT_NONE for every other case.
 */
static enum page_front front_for_case(const struct test_case *tc, int *deviates)
{
	enum paging_mode mode = state_modes[tc->state.mode].paging;
	int level, n = 0;

	*deviates = 1;
	for (level = paging_formats[mode].levels; level >= 1; level--)
		if (tc->entry[level] != variant_full(mode, level)) {
			*deviates = level;
			n++;
		}
	if (tc->access != AGENT_FETCH || n > 1 || mode == PAGING_NONE)
		return FRONT_NONE;
	return tc->actor.cpl ? FRONT_USER : FRONT_SUPERVISOR;
}

static void lists_for_case(const struct test_case *tc)
{
	enum table_area area = state_area(&tc->state);
	enum paging_mode mode = state_modes[tc->state.mode].paging;
	int level, deviates;
	enum page_front front = front_for_case(tc, &deviates);

	for (level = 1; level <= paging_formats[mode].levels; level++) {
		struct variant_list *list = &lists[area][level];

		if (front && level == deviates) {
			front_list(mode, level, front, tc->entry[level], list);
			continue;
		}

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
			const struct test_case *tc, gva_t gva, enum agent_care care, bool quiet)
{
	struct case_answer a;
	const struct comparison c = { guest, &a.batch, gva, &a.expected, &a.observed };

	case_answer(guest, engine, tc, gva, care, &a);
	if (quiet)
		return true;
	if (a.left_out)
		printf("# engine    %s, %s pass left out: %s\n", engine->name,
		       agent_care_names[care], a.left_out);
	else if (a.broken)
		printf("# expected  agent runs%s\n# observed  %s\n", a.batch.careful ? " (careful)" : "",
		       a.broken);
	else
		case_print(&c, tc, engine);
	return a.left_out || a.agrees;
}

static void answer_text(const struct comparison *c, const struct case_answer *a,
			char text[OUTCOME_TEXT_LEN])
{
	char expected[OUTCOME_TEXT_LEN];

	if (a->left_out || a->broken)
		snprintf(text, OUTCOME_TEXT_LEN, "%s", a->left_out ? "-" : a->broken);
	else
		outcome_texts(c, expected, text);
}

/* One engine's line of the table; false if it is wrong. */
static bool print_answers(struct guest *guest, const struct engine *engine,
			  const struct test_case *tc, const struct test_case *first, gva_t gva)
{
	const char *lacks = engine->host_lacks(guest), *verdict = "";
	char text[NR_CARES][OUTCOME_TEXT_LEN];
	bool made = false, good = true;
	int care;

	if (lacks) {
		printf("# %-10s skipped: %s\n", engine->name, lacks);
		return true;
	}
	for (care = CARE_NONE; care < NR_CARES; care++) {
		struct case_answer a;
		const struct comparison c = { guest, &a.batch, gva, &a.expected, &a.observed };

		if (first)
			replay_pass(guest, engine, first, gva, care, true);
		case_answer(guest, engine, tc, gva, care, &a);
		answer_text(&c, &a, text[care]);
		made |= !a.left_out;
		good &= a.left_out || a.agrees;
		if (a.left_out)
			verdict = a.left_out;
	}
	printf("# %-10s %-28s %-28s %-28s %s\n", engine->name, text[0], text[1], text[2],
	       !made ? verdict : good ? "yes" : "NO");
	return good;
}

/* --engine all: one table. */
static bool replay_all(struct guest *guest, const struct test_case *tc,
		       const struct test_case *first, gva_t gva)
{
	const struct walk_regs regs = guest_walk_regs(guest, &tc->state);
	const struct walk_access access = case_access(tc, gva);
	char text[OUTCOME_TEXT_LEN];
	struct walk_result expected;
	bool good = true;
	unsigned int i;

	walk(&guest->cpu, &regs, &guest->memory, &access, &expected);
	walk_result_text(&expected, text);
	printf("# expected: %s (%s)\n# %-10s %-28s %-28s %-28s %s\n", text,
	       rule_text(expected.rule)->name, "engine", agent_care_names[CARE_NONE],
	       agent_care_names[CARE_BEHIND], agent_care_names[CARE_EACH], "as expected?");
	for (i = 0; i < nr_engines; i++)
		good &= print_answers(guest, engines[i], tc, first, gva);
	return good;
}

/* What a replay needs, from the command line. */
struct case_replay {
	struct test_case tc, first;
	bool after; /* first is walked before */
	const struct engine *engine; /* NULL: all */
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
	int care, deviates;
	enum page_front front = front_for_case(tc, &deviates);

	guest = guest_create_front(front, lists);
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
	missing = r->engine ? r->engine->host_lacks(guest) : NULL;
	TEST_REQUIRE(!missing, "engine %s: %s", r->engine->name, missing);
	if (state_modes[tc->state.mode].paging != PAGING_NONE) {
		TEST_ASSERT(guest_choose(guest, &tc->state, tc->entry, choice),
			    "the case's entries are not in its tables");
		/* A full entry is found in more slots than the one that has the front. */
		if (front)
			choice[deviates] = guest->area[state_area(&tc->state)].variants[deviates].nr - 1;
		gva = guest_gva(guest, state_area(&tc->state), choice, offset);
	}
	if (!r->engine)
		good = replay_all(guest, tc, r->after ? &r->first : NULL, gva);
	for (care = CARE_NONE; r->engine && care < NR_CARES; care++) {
		if (r->after)
			replay_pass(guest, r->engine, &r->first, gva, care, true);
		good &= replay_pass(guest, r->engine, tc, gva, care, false);
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

int case_replay(const struct test_options *options)
{
	const char *id = options->case_id, *after = options->after;
	struct case_replay r = {
		.after = after,
		.engine = engine_find(options->engine ? options->engine : "native"),
	};
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
