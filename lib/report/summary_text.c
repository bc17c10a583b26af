// SPDX-License-Identifier: GPL-2.0-only
/* The end of a run, for the terminal. */
#include <string.h>

#include "json_get.h"
#include "summary.h"
#include "test_assert.h"

/* Failing cases per subtest, and subtests per test, in full; the rest are in summary.json. */
#define MAX_SHOWN 3
#define MAX_SUBTESTS_SHOWN 5

static void print_failures(const json_t *summary, const char *test, const char *subtest, FILE *to)
{
	json_t *failure;
	int shown = 0;
	size_t i;

	json_array_foreach(json_object_get(summary, "failures"), i, failure) {
		if (!is(failure, "test", test) || !is(failure, "subtest", subtest))
			continue;
		if (shown++ == MAX_SHOWN)
			break;
		fprintf(to, "    case %s\n      expected: %s\n      observed: %s\n"
			    "      rule:     %s\n      replay:   %s\n",
			text_of(failure, "case"), text_of(failure, "expected"),
			text_of(failure, "observed"), text_of(failure, "rule"),
			text_of(failure, "replay"));
		if (*text_of(failure, "run"))
			fprintf(to, "      run:      %s\n", text_of(failure, "run"));
	}
}

static void print_failed_test(const json_t *summary, const json_t *test, FILE *to)
{
	const char *name = text_of(test, "name");
	json_t *subtest;
	int shown = 0;
	size_t i;

	fprintf(to, "FAILED %s", name);
	if (*text_of(test, "reason"))
		fprintf(to, ": %s", text_of(test, "reason"));
	fputc('\n', to);
	json_array_foreach(json_object_get(test, "subtests"), i, subtest) {
		if (!is(subtest, "status", "fail"))
			continue;
		fprintf(to, "  %s: ", text_of(subtest, "name"));
		if (*text_of(subtest, "reason"))
			fprintf(to, "%s%s", text_of(subtest, "reason"),
				number_of(subtest, "failed") ? "; " : "\n");
		if (number_of(subtest, "failed"))
			fprintf(to, "%lld of %lld cases failed\n", number_of(subtest, "failed"),
				number_of(subtest, "cases"));
		if (shown++ < MAX_SUBTESTS_SHOWN)
			print_failures(summary, name, text_of(subtest, "name"), to);
	}
}

/* Skips by reason: many subtests of one test lack the same thing. */
static void print_skips(const json_t *test, FILE *to)
{
	json_t *reasons = json_object(), *subtest, *count;
	const char *reason;
	size_t i;

	json_array_foreach(json_object_get(test, "subtests"), i, subtest) {
		if (!is(subtest, "status", "skip"))
			continue;
		reason = text_of(subtest, "reason");
		json_object_set_new(reasons, reason,
				    json_integer(number_of(reasons, reason) + 1));
	}
	if (!json_object_size(reasons) && is(test, "status", "skip"))
		json_object_set_new(reasons, text_of(test, "reason"), json_integer(1));
	json_object_foreach(reasons, reason, count)
		fprintf(to, "SKIPPED %s: %lld: %s\n", text_of(test, "name"),
			(long long)json_integer_value(count),
			*reason ? reason : "no reason given");
	json_decref(reasons);
}

/* "NAME N, NAME N" between two texts, or nothing. */
static void print_counts(const json_t *counts, const char *before, const char *behind, FILE *to)
{
	const char *name, *comma = before;
	json_t *count;

	json_object_foreach((json_t *)counts, name, count) {
		fprintf(to, "%s%s %lld", comma, name, (long long)json_integer_value(count));
		comma = ", ";
	}
	if (json_object_size(counts))
		fputs(behind, to);
}

static void print_known(const json_t *summary, FILE *to)
{
	const json_t *totals = json_object_get(summary, "totals");
	fprintf(to, "%lld passed only thanks to known issues", number_of(totals, "known"));
	print_counts(json_object_get(summary, "known_issues"), " (cases covered: ", ")", to);
	fputs("\n", to);
}

void summary_print(const json_t *summary, FILE *to)
{
	const json_t *totals = json_object_get(summary, "totals");
	json_t *tests = json_object_get(summary, "tests"), *item;
	size_t i, not_run = 0;

	json_array_foreach(tests, i, item)
		if (!is(item, "status", "fail"))
			print_skips(item, to);
	json_array_foreach(tests, i, item)
		if (is(item, "status", "fail"))
			print_failed_test(summary, item, to);
	json_array_foreach(json_object_get(summary, "stale_known_issues"), i, item)
		fprintf(to, "stale known issue: %s matched no case of %s\n", text_of(item, "id"),
			text_of(item, "test"));
	json_array_foreach(json_object_get(summary, "expired_known_issues"), i, item)
		fprintf(to, "expired known issue: %s (%s) of %s\n", text_of(item, "id"),
			text_of(item, "expires"), text_of(item, "test"));
	json_array_foreach(json_object_get(summary, "damaged"), i, item)
		fprintf(to, "damaged: %s line %lld: %s\n", text_of(item, "file"),
			number_of(item, "line"), text_of(item, "error"));
	json_array_foreach(json_object_get(summary, "missing"), i, item)
		fprintf(to, "missing: %s\n", json_string_value(item));
	json_array_foreach(tests, i, item)
		not_run += is(item, "status", "not run");
	if (json_is_true(json_object_get(summary, "interrupted")))
		fprintf(to, "interrupted%s%s: %zu %s not started\n",
			*text_of(summary, "interrupted_by") ? " by " : "",
			text_of(summary, "interrupted_by"), not_run,
			not_run == 1 ? "test was" : "tests were");
	/* A replay is of one case, and counts none. */
	if (!*text_of(summary, "case")) {
		fprintf(to, "%lld cases", number_of(totals, "cases"));
		print_counts(json_object_get(totals, "engines"), ", of them by engine: ", "", to);
		fputs("\n", to);
		print_known(summary, to);
	}
	fprintf(to, "%lld passed, %lld failed, %lld skipped\n", number_of(totals, "passed"),
		number_of(totals, "failed"), number_of(totals, "skipped"));
}

int summary_exit_code(const json_t *summary)
{
	const json_t *totals = json_object_get(summary, "totals");

	if (number_of(totals, "failed") || json_array_size(json_object_get(summary, "missing")))
		return KSFT_FAIL;
	if (number_of(totals, "passed"))
		return KSFT_PASS;
	/* A run of which nothing is left has shown nothing. */
	return number_of(totals, "skipped") ? KSFT_SKIP : KSFT_FAIL;
}
