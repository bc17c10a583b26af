// SPDX-License-Identifier: GPL-2.0-only
/* --case of nested_edit_test: the entry as it was, with its accesses, then the edit and those again. */
#include <stdio.h>
#include <string.h>

#include "nested_edit_internal.h"
#include "replay.h"

struct replay {
	struct mmu_state l1, l2;
	const char *id;
};

/* The accesses of an edit; s has the rest. */
static bool names_edit(const struct stage *s, const char *wanted)
{
	char id[EDIT_ID_LEN];
	int i;

	for (i = 0; i < NR_ROOTS * NR_NATIVE_PROBES; i++) {
		nested_edit_id(s, i / NR_NATIVE_PROBES, i % NR_NATIVE_PROBES, id);
		if (!strcmp(id, wanted))
			return nested_edit_can_be(s, s->level, s->from) &&
			       nested_edit_can_be(s, s->level, s->to);
	}
	return false;
}

/* The edit and the flush that an id names: the one that is told so. */
static bool find(struct stage *s, const char *wanted)
{
	int i;

	for (s->flush = 0; s->flush < NR_EDIT_FLUSHES; s->flush++)
		for (s->level = s->t->top; s->level >= 1; s->level--)
			for (i = 0; i < NR_CONTENTS * NR_CONTENTS; i++) {
				s->from = i / NR_CONTENTS;
				s->to = i % NR_CONTENTS;
				if (names_edit(s, wanted))
					return true;
			}
	return false;
}

static int replay(const void *context)
{
	const struct replay *r = context;
	struct nested_edits *e = nested_edits_create();
	enum content from, to;
	struct stage s;
	bool good;

	replay_begin();
	nested_edits_require(e, &r->l1, &r->l2);
	s = nested_edit_stage(e, &r->l1, &r->l2, EDIT_FLUSH_ALL);
	if (!find(&s, r->id)) {
		fprintf(stderr, "--case: there is no such edit on this CPU\n");
		nested_edits_free(e);
		return KSFT_USAGE;
	}
	from = s.from;
	to = s.to;
	nested_edit_enter_l1(&s);
	s.print = true;
	good = nested_edit_step(&s, FULL, from) && nested_edit_step(&s, from, to) && !s.failed;
	nested_edits_free(e);
	return good ? KSFT_PASS : KSFT_FAIL;
}

int nested_edit_replay(const struct test_options *options)
{
	static const char over[] = "/over/";
	const char *l2 = strstr(options->case_id, over), *end = NULL, *error;
	struct replay r = { .id = options->case_id };

	if (l2) {
		l2 += strlen(over);
		end = strchr(l2, '/');
		end = end ? strchr(end + 1, '/') : NULL;
	}
	error = end ? state_parse(r.id, l2 - strlen(over) - r.id, &r.l1) :
		      "L1-STATE/over/L2-STATE/levelN/FROM-to-TO/FLUSH/rootN/ACCESS";
	error = error ? error : state_parse(l2, end - l2, &r.l2);
	if (!error && state_modes[r.l1.mode].paging == PAGING_NONE)
		error = "an L1 has paging";
	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", r.id, error);
		return KSFT_USAGE;
	}
	return replay_run(replay, &r, r.id);
}
