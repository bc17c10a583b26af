// SPDX-License-Identifier: GPL-2.0-only
/* JUnit XML: see include/junit.h. */
#include "json_get.h"
#include "junit.h"
#include "markup.h"
#include "run_load.h"

#define MAX_CASES 20 /* in full, per subtest */

static void put_seconds(FILE *to, u64 ms)
{
	/* markup() has no width: three digits behind the point are needed here only. */
	fprintf(to, " time=\"%llu.%03llu\"", (unsigned long long)ms / 1000,
		(unsigned long long)ms % 1000);
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
			markup(to, "...\n");
			break;
		}
		markup(to, "case %s\n  expected: %s\n  observed: %s\n  rule: %s\n  replay: %s\n",
		       text_of(failure, "case"), text_of(failure, "expected"),
		       text_of(failure, "observed"), text_of(failure, "rule"),
		       text_of(failure, "replay"));
		if (*text_of(failure, "run"))
			markup(to, "  run: %s\n", text_of(failure, "run"));
	}
}

/* title is the class of the test case: with several hosts readers would take two for one. */
static void put_subtest(const json_t *run, const json_t *test, const char *title,
			const json_t *subtest, FILE *to)
{
	const char *reason = text_of(subtest, "reason"), *name = text_of(subtest, "name");

	markup(to, "  <testcase classname=\"%s\" name=\"%s\"", title, name);
	put_seconds(to, number_of(subtest, "time_ms"));
	if (is(subtest, "status", "fail")) {
		markup(to, ">\n   <failure type=\"mismatch\" message=\"%lld of %lld cases failed%s%s\">",
		       number_of(subtest, "failed"), number_of(subtest, "cases"),
		       *reason ? "; " : "", reason);
		put_failing_cases(run, test, name, to);
		markup(to, "</failure>\n  </testcase>\n");
	} else if (is(subtest, "status", "skip")) {
		markup(to, ">\n   <skipped message=\"%s\"/>\n  </testcase>\n", reason);
	} else {
		markup(to, "/>\n");
	}
}

struct suite_counts {
	size_t tests, failures, skipped, errors;
};

/* A test that was skipped or started without a subtest counts as one test case. */
static struct suite_counts count_suite(const json_t *test)
{
	json_t *subtests = json_object_get(test, "subtests"), *subtest;
	struct suite_counts n = {};
	size_t i;

	json_array_foreach(subtests, i, subtest) {
		n.tests++;
		n.failures += is(subtest, "status", "fail");
		n.skipped += is(subtest, "status", "skip");
	}
	if (flag_of(test, "own_failure")) {
		n.tests++;
		n.errors++;
	} else if (!n.tests) {
		n.tests++;
		n.skipped += !is(test, "status", "pass");
	}
	return n;
}

/* What is said of the test itself: that it died, or was skipped as a whole. */
static void put_whole_test(const json_t *test, const char *title, FILE *to)
{
	const char *name = text_of(test, "name"), *reason = text_of(test, "reason");

	if (flag_of(test, "own_failure"))
		markup(to, "  <testcase classname=\"%s\" name=\"%s\">\n   <error type=\"test\" "
			   "message=\"%s\"/>\n  </testcase>\n", title, name, reason);
	else if (json_array_size(json_object_get(test, "subtests")))
		return;
	else if (is(test, "status", "pass"))
		markup(to, "  <testcase classname=\"%s\" name=\"%s\"/>\n", title, name);
	else
		markup(to, "  <testcase classname=\"%s\" name=\"%s\">\n   <skipped message=\"%s\"/>"
			   "\n  </testcase>\n", title, name,
		       is(test, "status", "not run") ? "not run" : reason);
}

/* "2026-11-22T07:16:17Z" without the zone, which the schema does not know. */
static void put_timestamp(const json_t *run, FILE *to)
{
	char started[20];

	snprintf(started, sizeof(started), "%s", text_of(run, "started"));
	if (*started)
		markup(to, " timestamp=\"%s\"", started);
}

static void put_suite(const json_t *run, const json_t *test, size_t id, FILE *to)
{
	struct suite_counts n = count_suite(test);
	char label[HOST_LABEL_LEN], title[TEST_TITLE_LEN];
	json_t *subtest;
	size_t i;

	host_label(run, test, label);
	test_title(run, test, title);
	markup(to, " <testsuite name=\"%s\" id=\"%zu\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		   "skipped=\"%zu\"", title, id, n.tests, n.failures, n.errors, n.skipped);
	put_seconds(to, number_of(test, "time_ms"));
	put_timestamp(run, to);
	markup(to, ">\n  <properties>\n   <property name=\"host\" value=\"%s\"/>\n"
		   "   <property name=\"kernel\" value=\"%s\"/>\n  </properties>\n", label,
	       host_kernel(run, test));
	json_array_foreach(json_object_get(test, "subtests"), i, subtest)
		put_subtest(run, test, title, subtest, to);
	put_whole_test(test, title, to);
	markup(to, " </testsuite>\n");
}

void junit_write(const json_t *run, FILE *to)
{
	json_t *tests = json_object_get(run, "tests"), *test;
	struct suite_counts sum = {}, n;
	u64 ms = 0;
	size_t i;

	json_array_foreach(tests, i, test) {
		n = count_suite(test);
		sum.tests += n.tests;
		sum.failures += n.failures;
		sum.errors += n.errors;
		sum.skipped += n.skipped;
		ms += number_of(test, "time_ms");
	}
	markup(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"%s\" tests=\"%zu\" "
		   "failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", text_of(run, "run"), sum.tests,
	       sum.failures, sum.errors, sum.skipped);
	put_seconds(to, ms);
	markup(to, ">\n");
	json_array_foreach(tests, i, test)
		put_suite(run, test, i, to);
	markup(to, "</testsuites>\n");
}
