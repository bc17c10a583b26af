// SPDX-License-Identifier: GPL-2.0-only
/* Known issues against many runs: see include/known_review.h. */
#include <stdlib.h>

#include "host_text.h"
#include "json_get.h"
#include "known_review.h"
#include "run_load.h"

/* Of one entry, over all runs. */
struct review {
	u64 covered; /* cases */
	long long applies; /* tests that ran on a host it holds for */
};

/* Subtests that were compared at all; of some skipped ones nothing can be told. */
static bool ran(const json_t *test)
{
	return is(test, "status", "pass") || is(test, "status", "known") ||
	       is(test, "status", "fail");
}

static void review_run(struct known_issues *issues, struct review *reviews, const json_t *run)
{
	json_t *test;
	struct host_card card;
	size_t i;
	int nr;

	json_array_foreach(json_object_get(run, "tests"), i, test) {
		host_card_from_json(host_card_of(run, test), &card);
		known_issues_select(issues, &card, text_of(test, "name"));
		for (nr = 0; nr < known_issues_nr(issues); nr++)
			reviews[nr].applies += ran(test) && known_issue_selected(issues, nr);
	}
	for (nr = 0; nr < known_issues_nr(issues); nr++)
		reviews[nr].covered += number_of(json_object_get(run, "known_issues"),
						 known_issue_id(issues, nr));
}

/* Those of which these runs tell nothing: last, as there are many where few hosts were run. */
static void list_elsewhere(const struct known_issues *issues, const struct review *reviews, FILE *to)
{
	const char *title = "none of these runs is of a host and test that these are for:\n";
	int nr;

	for (nr = 0; nr < known_issues_nr(issues); nr++) {
		if (reviews[nr].covered || reviews[nr].applies)
			continue;
		fprintf(to, "%s  %s\n", title, known_issue_id(issues, nr));
		title = "";
	}
}

bool known_issues_review(struct known_issues *issues, const json_t *runs, FILE *to)
{
	int nr, all = known_issues_nr(issues), matched = 0, never = 0, elsewhere = 0, expired = 0;
	struct review *reviews = calloc(all + 1, sizeof(*reviews));
	const char *id, *day;
	json_t *run;
	size_t i;

	TEST_ASSERT(reviews, "out of memory");
	json_array_foreach(runs, i, run)
		review_run(issues, reviews, run);
	for (nr = 0; nr < all; nr++) {
		id = known_issue_id(issues, nr);
		day = known_issue_expired(issues, nr);
		if (day)
			fprintf(to, "%s: expired, it was to be looked at again after %s\n", id, day);
		if (!reviews[nr].covered && reviews[nr].applies)
			fprintf(to, "%s: matched no case, though %lld of these tests ran on hosts it "
				    "holds for\n", id, reviews[nr].applies);
		matched += !!reviews[nr].covered;
		never += !reviews[nr].covered && reviews[nr].applies;
		elsewhere += !reviews[nr].covered && !reviews[nr].applies;
		expired += !!day;
	}
	list_elsewhere(issues, reviews, to);
	fprintf(to, "%d entries: %d matched, %d never matched, %d for other hosts or tests, "
		    "%d expired\n", all, matched, never, elsewhere, expired);
	free(reviews);
	return !never && !expired;
}
