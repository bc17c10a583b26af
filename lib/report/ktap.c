// SPDX-License-Identifier: GPL-2.0-only
/* Nested KTAP: see include/ktap.h. */
#include "json_get.h"
#include "ktap.h"
#include "run_load.h"

#define MAX_CASES 20 /* failing cases in full, per subtest */

/* A name or a reason on one line; '#' would begin a directive. */
static void put_text(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc(*text == '#' ? '_' : (unsigned char)*text < ' ' ? ' ' : *text, to);
}

static void put_line(FILE *to, const char *before, const char *text)
{
	fputs(before, to);
	put_text(to, text);
	fputc('\n', to);
}

/* A diagnostic may hold any character but the end of its line. */
static void put_diagnostic(FILE *to, const char *before, const char *text)
{
	fputs(before, to);
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' ? ' ' : *text, to);
	fputc('\n', to);
}

static void put_failing_cases(const json_t *run, const json_t *test, const char *subtest, FILE *to)
{
	json_t *failure;
	int shown = 0;
	size_t i;

	json_array_foreach(json_object_get(run, "failures"), i, failure) {
		if (!is_failure_of(failure, test, subtest))
			continue;
		if (shown++ == MAX_CASES) {
			fputs("  # ...\n", to);
			return;
		}
		put_diagnostic(to, "  # case ", text_of(failure, "case"));
		put_diagnostic(to, "  #   expected: ", text_of(failure, "expected"));
		put_diagnostic(to, "  #   observed: ", text_of(failure, "observed"));
		put_diagnostic(to, "  #   replay:   ", text_of(failure, "replay"));
	}
}

static void put_subtest(const json_t *run, const json_t *test, size_t number, const json_t *subtest,
			FILE *to)
{
	bool failed = is(subtest, "status", "fail"), skipped = is(subtest, "status", "skip");

	if (failed)
		put_failing_cases(run, test, text_of(subtest, "name"), to);
	fprintf(to, "  %sok %zu ", failed ? "not " : "", number);
	put_text(to, text_of(subtest, "name"));
	if (skipped) {
		put_line(to, " # SKIP ", text_of(subtest, "reason"));
		return;
	}
	fprintf(to, " # %scases=%lld failed=%lld known=%lld time_ms=%lld\n",
		is(subtest, "status", "known") ? "XFAIL " : "", number_of(subtest, "cases"),
		number_of(subtest, "failed"), number_of(subtest, "known"),
		number_of(subtest, "time_ms"));
}

static void put_test_name(const json_t *run, const json_t *test, FILE *to)
{
	char title[TEST_TITLE_LEN];

	test_title(run, test, title);
	put_text(to, title);
}

/* How a test ended that did not come to its end. */
static void put_end(const json_t *test, FILE *to)
{
	const char *reason = text_of(test, "reason"), *timeout = "timed out";

	put_line(to, strncmp(reason, timeout, strlen(timeout)) ? " # ERROR " : " # TIMEOUT ", reason);
}

static void put_result(const json_t *run, const json_t *test, size_t number, FILE *to)
{
	const char *reason = text_of(test, "reason");

	fprintf(to, "%sok %zu ", is(test, "status", "fail") ? "not " : "", number);
	put_test_name(run, test, to);
	if (flag_of(test, "own_failure"))
		put_end(test, to);
	else if (is(test, "status", "skip"))
		put_line(to, " # SKIP ", *reason ? reason : "all of its subtests are skipped");
	else if (is(test, "status", "not run"))
		put_line(to, " # SKIP ", "not run");
	else
		fputc('\n', to);
}

/* Readers count what has no tests nested in it: a test's own failure is one more in it. */
static void put_test(const json_t *run, const json_t *test, size_t number, FILE *to)
{
	json_t *subtests = json_object_get(test, "subtests"), *subtest;
	size_t i, nr = json_array_size(subtests);
	bool own_failure = flag_of(test, "own_failure");

	if (nr) {
		fputs("  KTAP version 1\n  # Subtest: ", to);
		put_test_name(run, test, to);
		fprintf(to, "\n  1..%zu\n", nr + own_failure);
	}
	json_array_foreach(subtests, i, subtest)
		put_subtest(run, test, i + 1, subtest, to);
	if (nr && own_failure) {
		fprintf(to, "  not ok %zu the-test-itself", nr + 1);
		put_end(test, to);
	}
	put_result(run, test, number, to);
}

void ktap_write(const json_t *run, FILE *to)
{
	json_t *tests = json_object_get(run, "tests"), *test;
	size_t i;

	fprintf(to, "KTAP version 1\n1..%zu\n", json_array_size(tests));
	json_array_foreach(tests, i, test)
		put_test(run, test, i + 1, to);
}
