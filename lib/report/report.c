// SPDX-License-Identifier: GPL-2.0-only
/* Running subtests: KTAP on stdout, the same as events in the results file. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jobs.h"
#include "json_get.h"
#include "known_issues.h"
#include "replay_command.h"
#include "report.h"
#include "results_file.h"
#include "subtest_order.h"

#define MAX_PRINTED 3           /* failing cases in full on stdout, per subtest */
#define MAX_RECORDED 1000       /* failing cases in full in the results, per subtest */
#define MAX_KNOWN_RECORDED 20   /* the same for each known issue */

static const char *const status_names[] = { "pass", "fail", "skip", "known" };

/* The running process and, below, its running subtest. */
static struct {
	const struct test_about *about;
	const struct test_options *options;
	struct known_issues *issues;
	json_t *early_notes; /* made before report_run() opened anything */
	const struct subtest *subtests;
	const unsigned int *order; /* places in subtests, as they are run */
	struct run_totals *totals;

	const struct subtest *subtest;
	u64 sub_cases, sub_pairs, sub_failed, sub_known;
	u64 sub_vcpus, sub_rate; /* 0: not said */
	u64 *sub_by_issue; /* cases per known issue */
	const char *engine;   /* that makes them, or NULL; */
	json_t *sub_engines;  /* how many each has made */
} run;

bool subtest_holds_case(const char *name, const char *id)
{
	size_t len = strlen(name);

	return !strncmp(name, id, len) && id[len] == '/';
}

void report_cases(u64 n)
{
	run.sub_cases += n;
	if (run.engine)
		add_to(run.sub_engines, run.engine, n);
}

void report_rate(unsigned int vcpus, u64 per_second)
{
	run.sub_vcpus = vcpus;
	run.sub_rate = per_second;
}

void report_pairs(u64 n)
{
	run.sub_pairs += n;
}

void report_engine(const char *name)
{
	run.engine = name;
	known_issues_engine(run.issues, name);
}

bool report_should_stop(void)
{
	return run.options && run.options->max_failures &&
	       run.totals->failed >= run.options->max_failures;
}

/*
 * Diagnostics
 */

/* Each line of the text becomes a KTAP diagnostic. */
static void print_diagnostic(const char *text)
{
	size_t length;

	do {
		length = strcspn(text, "\n");
		printf("# %.*s\n", (int)length, text);
		text += length;
	} while (*text++);
	fflush(stdout);
}

static json_t *note_event(const char *text)
{
	json_t *event = json_pack("{s:s, s:o}", "event", "note", "text", json_text(text));

	if (run.subtest)
		json_object_set_new(event, "subtest", json_text(run.subtest->name));
	return event;
}

void report_note(const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!run.options) {
		if (!run.early_notes)
			run.early_notes = json_array();
		json_array_append_new(run.early_notes, json_text(text));
		return;
	}
	print_diagnostic(text);
	results_write(note_event(text));
}

static void print_early_notes(void)
{
	json_t *text;
	size_t i;

	json_array_foreach(run.early_notes, i, text) {
		print_diagnostic(json_string_value(text));
		results_write(note_event(json_string_value(text)));
	}
	json_decref(run.early_notes);
	run.early_notes = NULL;
}

/*
 * Failing cases
 */

static void print_failure(const struct case_failure *failure, const char *replay, const char *issue)
{
	printf("# case %s%s%s\n", failure->id, issue ? ": known issue " : "", issue ? issue : "");
	printf("#   expected: %s\n#   observed: %s\n#   rule:     %s\n#   replay:   %s\n",
	       failure->expected, failure->observed, failure->rule ? failure->rule : "-", replay);
	fflush(stdout);
}

static void record_failure(const struct case_failure *failure, const char *replay,
			   const char *issue)
{
	json_t *event;

	event = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "event", "failure", "subtest",
			  json_text(run.subtest->name), "case", json_text(failure->id), "expected",
			  json_text(failure->expected), "observed", json_text(failure->observed),
			  "rule", json_text(failure->rule), "verdict", issue ? "known" : "failed");
	if (issue)
		json_object_set_new(event, "known_issue", json_text(issue));
	if (failure->detail)
		json_object_set_new(event, "detail", failure->detail(failure->context));
	json_object_set_new(event, "replay", json_text(replay));
	/* Who is right, the others may tell; what is known has been asked. */
	if (run.about->replays_all && !issue) {
		struct case_failure asked = *failure;
		char *command;

		asked.engine = "all";
		command = replay_command(run.about, run.options, run.subtest, &asked);
		json_object_set_new(event, "replay_all", json_text(command));
		free(command);
	}
	results_write(event);
}

enum case_verdict report_failure(const struct case_failure *failure)
{
	const char *issue = NULL;
	bool print, record;
	char *replay;
	int nr = -1;

	/* Outside of a run, in a replay, the caller prints the case himself. */
	if (!run.subtest)
		return CASE_FAILED;
	if (run.issues)
		nr = known_issues_match(run.issues, failure);
	if (nr >= 0) {
		issue = known_issue_id(run.issues, nr);
		run.sub_known++;
		print = run.options->verbose;
		record = run.sub_by_issue[nr]++ < MAX_KNOWN_RECORDED;
	} else {
		__atomic_fetch_add(&run.totals->failed, 1, __ATOMIC_RELAXED);
		run.sub_failed++;
		print = run.options->verbose || run.sub_failed <= MAX_PRINTED;
		record = run.sub_failed <= MAX_RECORDED;
	}
	if (print || record) {
		replay = replay_command(run.about, run.options, run.subtest, failure);
		if (print)
			print_failure(failure, replay ? replay : "-", issue);
		if (record)
			record_failure(failure, replay ? replay : "-", issue);
		free(replay);
	}
	return nr >= 0 ? CASE_KNOWN : CASE_FAILED;
}

int report_issue_of_every_case(const char *expected, const char *observed, const char *engine)
{
	char mismatch[512];

	if (!run.subtest || !run.issues)
		return -1;
	snprintf(mismatch, sizeof(mismatch), "%s => %s", expected, observed);
	return known_issues_match_every_case(run.issues, mismatch, engine);
}

bool report_issue_again(int issue)
{
	if (issue < 0 || run.options->verbose || run.sub_by_issue[issue] < MAX_KNOWN_RECORDED)
		return false;
	run.sub_by_issue[issue]++;
	run.sub_known++;
	return true;
}

/*
 * Subtests
 */

static u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Only of tests that count pairs. */
static void print_pairs(void)
{
	if (run.sub_pairs)
		printf(" pairs=%" PRIu64, run.sub_pairs);
}

static void print_result(enum status status, const char *reason, u64 time_ms)
{
	unsigned int number = run.totals->printed;
	const char *name = run.subtest->name;

	if (!run.options->verbose && run.sub_failed > MAX_PRINTED)
		printf("# ... and %" PRIu64 " more\n", run.sub_failed - MAX_PRINTED);
	switch (status) {
	case PASS:
		printf("ok %u %s # cases=%" PRIu64, number, name, run.sub_cases);
		print_pairs();
		printf(" time_ms=%" PRIu64, time_ms);
		break;
	case SKIP:
		printf("ok %u %s # SKIP %.*s", number, name, (int)strcspn(reason, "\n"), reason);
		break;
	case KNOWN:
		printf("ok %u %s # XFAIL cases=%" PRIu64, number, name, run.sub_cases);
		print_pairs();
		printf(" known=%" PRIu64 " time_ms=%" PRIu64 ": ", run.sub_known, time_ms);
		known_issues_print_ids(run.issues, run.sub_by_issue);
		break;
	default:
		if (reason[0])
			print_diagnostic(reason);
		printf("not ok %u %s # cases=%" PRIu64, number, name, run.sub_cases);
		print_pairs();
		printf(" failed=%" PRIu64, run.sub_failed);
		if (run.sub_known)
			printf(" known=%" PRIu64, run.sub_known);
		printf(" time_ms=%" PRIu64, time_ms);
	}
	putchar('\n');
	fflush(stdout);
}

static void record_result(enum status status, const char *reason, u64 time_ms)
{
	json_t *event, *issues = json_object();
	int nr;

	for (nr = 0; nr < known_issues_nr(run.issues); nr++)
		if (run.sub_by_issue[nr])
			json_object_set_new(issues, known_issue_id(run.issues, nr),
					    json_integer(run.sub_by_issue[nr]));
	event = json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:o}", "event", "subtest",
			  "name", json_text(run.subtest->name), "status", status_names[status],
			  "reason", json_text(reason), "cases", (json_int_t)run.sub_cases, "failed",
			  (json_int_t)run.sub_failed, "known", (json_int_t)run.sub_known, "time_ms",
			  (json_int_t)time_ms, "known_issues", issues);
	if (run.sub_pairs)
		json_object_set_new(event, "pairs", json_integer(run.sub_pairs));
	if (run.sub_vcpus) {
		json_object_set_new(event, "vcpus", json_integer(run.sub_vcpus));
		json_object_set_new(event, "per_second", json_integer(run.sub_rate));
	}
	if (json_object_size(run.sub_engines))
		json_object_set(event, "engines", run.sub_engines);
	results_write(event);
}

/* "begin" is no result: it tells after a crash which subtest was running. */
static void record_begin(const struct subtest *subtest)
{
	results_write(json_pack("{s:s, s:o}", "event", "begin", "subtest",
				json_text(subtest->name)));
}

static enum status run_body(struct test_scope *scope)
{
	switch (setjmp(*test_scope_enter(scope))) {
	case 0:
		run.subtest->run(run.subtest);
		test_scope_leave(scope);
		break;
	case TEST_END_SKIP:
		/* What had failed before the host turned out to lack something has failed. */
		if (!run.sub_failed)
			return SKIP;
		break;
	default:
		/* An assertion counts towards --max-failures as a failing case does. */
		__atomic_fetch_add(&run.totals->failed, 1, __ATOMIC_RELAXED);
		run.totals->incomplete = true;
		return FAIL;
	}
	return run.sub_failed ? FAIL : run.sub_known ? KNOWN : PASS;
}

/* The running subtest's part of what all come to. */
static void add_to_totals(enum status status)
{
	int nr;

	run.totals->cases += run.sub_cases;
	run.totals->pairs += run.sub_pairs;
	run.totals->by_status[status]++;
	run_totals_add_engines(run.totals, run.sub_engines);
	run.totals->printed++;
	for (nr = 0; nr < known_issues_nr(run.issues); nr++)
		run.totals->issues_seen[nr] |= known_issue_seen(run.issues, nr);
}

static void run_subtest(unsigned int place)
{
	const struct subtest *subtest = &run.subtests[run.order[place]];
	struct test_scope scope = {};
	enum status status;
	u64 start = now_ms();

	/* One sync covers the end of a subtest and the begin of the next. */
	record_begin(subtest);
	results_sync();
	run.subtest = subtest;
	run.sub_cases = run.sub_pairs = run.sub_failed = run.sub_known = 0;
	run.sub_vcpus = run.sub_rate = 0;
	run.engine = NULL;
	json_decref(run.sub_engines);
	run.sub_engines = json_object();
	if (run.sub_by_issue)
		memset(run.sub_by_issue, 0,
		       known_issues_nr(run.issues) * sizeof(run.sub_by_issue[0]));
	if (report_should_stop()) {
		status = SKIP;
		run.totals->incomplete = true;
		snprintf(scope.message, sizeof(scope.message), "not run: --max-failures reached");
	} else {
		status = run_body(&scope);
	}
	/* Recorded first: what a killed test has said can be relied on. */
	record_result(status, scope.message, now_ms() - start);
	jobs_lock();
	add_to_totals(status);
	print_result(status, scope.message, now_ms() - start);
	jobs_unlock(run.totals);
	run.subtest = NULL;
}

/*
 * The run
 */

static void report_stale_issues(unsigned int nr_selected)
{
	const struct test_options *options = run.options;

	if (options->filter || options->nr_shards || options->case_id || options->engine ||
	    run.totals->incomplete || report_should_stop() ||
	    run.totals->by_status[SKIP] == nr_selected)
		return;
	known_issues_tell_stale(run.issues, options->known_issues);
}

static void load_known_issues(void)
{
	struct host_card host;
	char error[512];

	if (!run.options->known_issues)
		return;
	run.issues = known_issues_load(run.options->known_issues, error, sizeof(error));
	if (!run.issues) {
		fprintf(stderr, "%s: %s\n", run.about->name, error);
		exit(KSFT_USAGE);
	}
	host_card_read(&host);
	known_issues_select(run.issues, &host, run.about->name);
	run.sub_by_issue = calloc(known_issues_nr(run.issues) + 1, sizeof(run.sub_by_issue[0]));
	TEST_ASSERT(run.sub_by_issue, "out of memory");
}

static void begin_run(unsigned int nr_selected, unsigned int nr_subtests)
{
	const struct test_options *options = run.options;
	char shard[32];
	json_t *event;

	if (options->results && !results_open(options->results)) {
		perror(options->results);
		exit(KSFT_USAGE);
	}
	event = json_pack("{s:s, s:o, s:i, s:i}", "event", "start", "test",
			  json_text(run.about->name), "subtests", nr_selected, "of_subtests",
			  nr_subtests);
	snprintf(shard, sizeof(shard), "%u/%u", options->shard, options->nr_shards);
	if (options->nr_shards)
		json_object_set_new(event, "shard", json_string(shard));
	json_object_set_new(event, "seed",
			    options->shuffle ? json_integer(options->seed) : json_null());
	results_write(event);
	printf("KTAP version 1\n1..%u\n", nr_selected);
	if (options->shuffle)
		printf("# seed: %" PRIu64 "\n", options->seed);
	fflush(stdout);
}

static int end_run(unsigned int nr_selected)
{
	const struct run_totals *all = run.totals;
	enum status status = all->by_status[FAIL]		 ? FAIL :
			     all->by_status[SKIP] == nr_selected ? SKIP :
								   PASS;

	report_stale_issues(nr_selected);
	known_issues_tell_expired(run.issues);
	results_write(json_pack("{s:s, s:s}", "event", "end", "status", status_names[status]));
	run_totals_print(all);
	if (!results_close() || all->write_failed)
		status = FAIL;
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write to standard output\n", run.about->name);
		status = FAIL;
	}
	return status == FAIL ? KSFT_FAIL : status == SKIP ? KSFT_SKIP : KSFT_PASS;
}

int report_run(const struct test_about *about, const struct test_options *options,
	       const struct subtest *subtests, unsigned int nr_subtests)
{
	unsigned int nr_selected, nr_issues, nr;
	unsigned int *order;
	int code;

	run.about = about;
	run.options = options;
	run.subtests = subtests;
	run.order = order = subtest_order(about, options, subtests, nr_subtests, &nr_selected);
	if (options->list) {
		code = subtests_list(subtests, order, nr_selected) ? KSFT_PASS : KSFT_FAIL;
		goto out;
	}
	load_known_issues();
	nr_issues = known_issues_nr(run.issues);
	run.totals = run_totals_new(nr_issues);
	begin_run(nr_selected, nr_subtests);
	print_early_notes();
	jobs_run(run.totals, about->one_process ? 1 : options->jobs, nr_selected, run_subtest);
	for (nr = 0; nr < nr_issues; nr++)
		known_issue_add_seen(run.issues, nr, run.totals->issues_seen[nr]);
	code = end_run(nr_selected);
	known_issues_free(run.issues);
	json_decref(run.sub_engines);
	free(run.sub_by_issue);
	run_totals_free(run.totals, nr_issues);
out:
	free(order);
	json_decref(run.early_notes);
	memset(&run, 0, sizeof(run));
	return code;
}
