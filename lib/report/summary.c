// SPDX-License-Identifier: GPL-2.0-only
/* Building a run's summary from what the runner and the tests left on disk. */
#define _GNU_SOURCE /* sigabbrev_np */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_get.h"
#include "printable.h"
#include "results_file.h"
#include "summary.h"
#include "test_assert.h"

static bool has_event(const json_t *event, const char *name)
{
	return !strcmp(text_of(event, "event"), name);
}

/*
 * Reading JSON lines
 */

static void add_damage(json_t *summary, const char *file, int line, const char *what)
{
	char error[JSON_ERROR_TEXT_LENGTH];
	json_t *damage;

	snprintf(error, sizeof(error), "%s", what);
	damage = json_pack("{s:s, s:i, s:o}", "file", file, "line", line, "error",
			   json_text(printable(error)));
	json_array_append_new(json_object_get(summary, "damaged"), damage);
}

/*
 * The events of one file; an absent file has none.  A line that cannot be read,
 * the last one of a test that was killed while writing or what a host crash left
 * behind, is recorded and skipped.
 */
static json_t *read_events(json_t *summary, const char *run_dir, const char *file)
{
	json_t *events = json_array(), *event;
	char path[PATH_MAX], *line = NULL;
	json_error_t error;
	size_t size = 0;
	int number = 0;
	ssize_t length;
	FILE *from;

	snprintf(path, sizeof(path), "%s/%s", run_dir, file);
	from = fopen(path, "re");
	if (!from) {
		if (errno != ENOENT)
			add_damage(summary, file, 0, strerror(errno));
		return events;
	}
	while ((length = getline(&line, &size, from)) >= 0) {
		number++;
		event = json_loadb(line, length, 0, &error);
		if (json_is_object(event) && json_is_string(json_object_get(event, "event"))) {
			json_array_append_new(events, event);
			continue;
		}
		json_decref(event);
		add_damage(summary, file, number,
			   line[length - 1] != '\n' ? "the line is cut short" :
			   event		    ? "the line is no event" :
						      error.text);
	}
	free(line);
	fclose(from);
	return events;
}

/* What follows a mark in the last line of a file beside the summary that has it and more; or "". */
static void last_line_with(const char *run_dir, const char *test, const char *suffix,
			   const char *mark, char *last, size_t last_size)
{
	char path[PATH_MAX], *line = NULL;
	const char *found;
	size_t size = 0;
	FILE *from;

	last[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s%s", run_dir, test, suffix);
	from = fopen(path, "re");
	if (!from)
		return;
	while (getline(&line, &size, from) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		found = strstr(line, mark);
		if (found && line[strspn(line, " \t")])
			snprintf(last, last_size, "%s", found + strlen(mark));
	}
	free(line);
	fclose(from);
}

/*
 * One test
 */

/* What the events of one test add up to, on the way into its summary. */
struct test_result {
	const char *name;
	const json_t *start, *end; /* the runner's; NULL if it did not happen */
	json_t *summary;	   /* of the run */
	json_t *test;		   /* this test's part of it */
	const char *last_finished;
	json_t *running; /* names of subtests that have begun and not ended: several with --jobs */
	bool ended;		/* the test itself said it came to its end */
	bool replay;		/* one case was replayed, which need not be a subtest */
	json_int_t promised;	/* subtests it said it would run */
	json_int_t done, failed, skipped, known;
};

static void take_subtest(struct test_result *result, json_t *event)
{
	const char *status = text_of(event, "status");
	json_t *copy, *name;
	size_t i;

	result->done++;
	result->failed += !strcmp(status, "fail");
	result->skipped += !strcmp(status, "skip");
	result->known += !strcmp(status, "known");
	result->last_finished = text_of(event, "name");
	json_array_foreach(result->running, i, name)
		if (!strcmp(json_string_value(name) ?: "", result->last_finished)) {
			json_array_remove(result->running, i);
			break;
		}
	add_to(result->test, "cases", number_of(event, "cases"));
	add_to(result->test, "failed_cases", number_of(event, "failed"));
	add_to(result->test, "known_cases", number_of(event, "known"));
	add_counts(result->test, "engines", json_object_get(event, "engines"));
	add_counts(result->summary, "known_issues", json_object_get(event, "known_issues"));
	copy = json_copy(event);
	json_object_del(copy, "event");
	json_array_append_new(json_object_get(result->test, "subtests"), copy);
}

/* Failures and stale issues go to the summary's own lists, with the test's name. */
static void take_listed(struct test_result *result, json_t *event, const char *list)
{
	json_t *copy = json_pack("{s:s}", "test", result->name);

	json_object_update(copy, event);
	json_object_del(copy, "event");
	json_array_append_new(json_object_get(result->summary, list), copy);
}

static void take_event(struct test_result *result, json_t *event)
{
	if (has_event(event, "start")) {
		result->promised = number_of(event, "subtests");
		json_object_set(result->test, "seed", json_object_get(event, "seed"));
		json_object_set(result->test, "of_subtests", json_object_get(event, "of_subtests"));
		json_object_set(result->test, "shard", json_object_get(event, "shard"));
	} else if (has_event(event, "begin")) {
		json_array_append(result->running, json_object_get(event, "subtest"));
	} else if (has_event(event, "subtest")) {
		take_subtest(result, event);
	} else if (has_event(event, "failure")) {
		take_listed(result, event,
			    strcmp(text_of(event, "verdict"), "known") ? "failures" :
									 "known_failures");
	} else if (has_event(event, "stale_known_issue")) {
		take_listed(result, event, "stale_known_issues");
	} else if (has_event(event, "expired_known_issue")) {
		take_listed(result, event, "expired_known_issues");
	} else if (has_event(event, "note")) {
		take_listed(result, event, "notes");
	} else if (has_event(event, "end")) {
		result->ended = true;
	}
}

static void add_reason(char *reason, size_t size, const char *fmt, ...)
	__printf(3, 4);

static void add_reason(char *reason, size_t size, const char *fmt, ...)
{
	size_t used = strlen(reason);
	va_list args;

	used += snprintf(reason + used, size - used, "%s", used ? "; " : "");
	if (used >= size)
		return;
	va_start(args, fmt);
	vsnprintf(reason + used, size - used, fmt, args);
	va_end(args);
}

/* How far a test came that did not end by itself. */
static void add_position(const struct test_result *result, char *reason, size_t size)
{
	size_t used = strlen(reason), i;
	json_t *name;

	used += snprintf(reason + used, size - used, ", last finished subtest: %s",
			 result->last_finished ? result->last_finished : "none");
	json_array_foreach(result->running, i, name)
		if (used < size)
			used += snprintf(reason + used, size - used, "%s%s",
					 i ? ", " : ", running: ", json_string_value(name) ?: "?");
}

/* Why the test counts as one failure of its own; empty if it does not. */
static void find_failure(const struct test_result *result, const char *said, char *reason,
			 size_t size)
{
	const char *outcome = text_of(result->end, "outcome");
	int code = number_of(result->end, "exit"), signal = number_of(result->end, "signal");
	const char *signal_name = sigabbrev_np(signal);

	if (!result->end || !strcmp(outcome, "interrupted")) {
		add_reason(reason, size, result->end ? "interrupted" : "did not finish");
		add_position(result, reason, size);
	} else if (!strcmp(outcome, "timeout")) {
		add_reason(reason, size, "timed out after %lld s",
			   (long long)number_of(result->end, "time_limit"));
		add_position(result, reason, size);
	} else if (!strcmp(outcome, "signal")) {
		add_reason(reason, size, "killed by signal %d (SIG%s)", signal,
			   signal_name ? signal_name : "?");
		add_position(result, reason, size);
	} else if (!result->ended && !result->done &&
		   (code == KSFT_SKIP || (result->replay && code == KSFT_PASS))) {
		; /* skipped as a whole, or no subtest was meant to be */
	} else if (!result->ended && result->replay && code == KSFT_FAIL) {
		add_reason(reason, size, "the case fails");
	} else if (!result->ended) {
		add_reason(reason, size, "exit code %d before its end%s%s", code, *said ? ": " : "",
			   said);
		if (result->done || json_array_size(result->running))
			add_position(result, reason, size);
	} else if (result->done < result->promised) {
		add_reason(reason, size, "%lld of %lld subtest results are missing",
			   (long long)(result->promised - result->done),
			   (long long)result->promised);
	} else if (code != KSFT_PASS && code != KSFT_SKIP && !result->failed) {
		add_reason(reason, size, "exit code %d%s%s", code, *said ? ": " : "", said);
	}
	if (*text_of(result->end, "stuck"))
		add_reason(reason, size, "%s", text_of(result->end, "stuck"));
	if (*text_of(result->end, "kernel_log"))
		add_reason(reason, size, "kernel log: %s", text_of(result->end, "kernel_log"));
}

static void judge_test(struct test_result *result, const char *run_dir)
{
	json_t *totals = json_object_get(result->summary, "totals");
	char reason[1024] = "", said[512] = "";
	json_int_t own_failure;
	const char *status;

	if (!result->start && !result->done) {
		json_object_set_new(result->test, "status", json_string("not run"));
		return;
	}
	/* Often the reason it ended; a replay records nothing, and says in its KTAP why it skips. */
	last_line_with(run_dir, result->name, ".stderr", "", said, sizeof(said));
	if (result->replay && !*said)
		last_line_with(run_dir, result->name, ".ktap", "# SKIP ", said, sizeof(said));
	find_failure(result, said, reason, sizeof(reason));
	own_failure = reason[0] != '\0';
	if (own_failure || result->failed) {
		status = "fail";
	} else if (!result->done && !number_of(result->end, "exit")) {
		status = "pass";
		result->done = 1;
	} else if (!result->done) {
		/* Skipped as a whole: counted as the one subtest nobody could name. */
		status = "skip";
		result->done = result->skipped = 1;
		snprintf(reason, sizeof(reason), "%s",
			 !strncmp(said, "skip: ", 6) ? said + 6 : said);
	} else {
		status = result->done == result->skipped ? "skip" :
			 result->known			 ? "known" :
							   "pass";
	}
	json_object_set_new(result->test, "status", json_string(status));
	json_object_set_new(result->test, "reason", json_text(reason));
	json_object_set_new(result->test, "own_failure", json_boolean(own_failure));
	add_to(totals, "passed", result->done - result->failed - result->skipped);
	add_to(totals, "failed", result->failed + own_failure);
	add_to(totals, "skipped", result->skipped);
	add_to(totals, "known", result->known);
	add_to(totals, "cases", number_of(result->test, "cases"));
	add_counts(totals, "engines", json_object_get(result->test, "engines"));
}

/* The name of a file beside the summary, or null if the test left none. */
static json_t *file_name(const char *run_dir, const char *test, const char *suffix)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s%s", run_dir, test, suffix);
	return access(path, F_OK) ? json_null() : json_text(strrchr(path, '/') + 1);
}

static void add_test(json_t *summary, const char *run_dir, const char *name, const json_t *events)
{
	struct test_result result = { .name = name, .summary = summary, .running = json_array() };
	const char *replayed = "";
	json_t *event, *own;
	char file[256];
	size_t i;

	json_array_foreach(events, i, event) {
		if (has_event(event, "run"))
			replayed = text_of(event, "case");
		if (strcmp(text_of(event, "test"), name))
			continue;
		if (has_event(event, "test_start"))
			result.start = event;
		else if (has_event(event, "test_end"))
			result.end = event;
	}
	result.replay = *replayed;
	result.test = json_pack("{s:s, s:s, s:s, s:b, s:i, s:i, s:i, s:I}", "name", name, "status",
				"", "reason", "", "own_failure", 0, "cases", 0, "failed_cases", 0,
				"known_cases", 0, "time_ms",
				(json_int_t)number_of(result.end, "time_ms"));
	json_object_set_new(result.test, "log", file_name(run_dir, name, ".ktap"));
	json_object_set_new(result.test, "stderr", file_name(run_dir, name, ".stderr"));
	json_object_set_new(result.test, "kernel_log", file_name(run_dir, name, ".dmesg"));
	json_object_set_new(result.test, "subtests", json_array());
	json_array_append_new(json_object_get(summary, "tests"), result.test);

	snprintf(file, sizeof(file), "%s.jsonl", name);
	own = read_events(summary, run_dir, file);
	json_array_foreach(own, i, event)
		take_event(&result, event);
	judge_test(&result, run_dir);
	json_decref(result.running);
	json_decref(own);
}

/*
 * The run
 */

static void read_host(json_t *summary, const char *run_dir)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *host;

	snprintf(path, sizeof(path), "%s/host.json", run_dir);
	host = json_load_file(path, 0, &error);
	if (!host)
		add_damage(summary, "host.json", error.line > 0 ? error.line : 0, error.text);
	json_object_set_new(summary, "host", host ? host : json_null());
}

json_t *summary_empty(void)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:n, s:n, s:{s:i, s:i, s:i, s:i, s:i},"
			 " s:[], s:[], s:[], s:{}, s:[], s:[], s:[], s:[]}",
			 "format", 1, "run", "", "started", "", "finished", "", "arguments", "",
			 "interrupted", 1, "interrupted_by", "host", "totals", "passed", 0,
			 "failed", 0, "skipped", 0, "known", 0, "cases", 0, "tests", "failures",
			 "known_failures", "known_issues", "stale_known_issues",
			 "expired_known_issues", "notes", "damaged");
}

/* The line that lists all tests was lost: those that left results are known still. */
static json_t *tests_with_results(const char *run_dir)
{
	static const char suffix[] = ".jsonl";
	json_t *names = json_array();
	char pattern[PATH_MAX];
	const char *name;
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/*_test%s", run_dir, suffix);
	if (glob(pattern, 0, NULL, &found))
		return names;
	for (i = 0; i < found.gl_pathc; i++) {
		name = strrchr(found.gl_pathv[i], '/') + 1;
		json_array_append_new(names, json_stringn(name, strlen(name) - strlen(suffix)));
	}
	globfree(&found);
	return names;
}

json_t *summary_build(const char *run_dir, char *error, size_t size)
{
	json_t *summary, *events, *event, *names, *name;
	const json_t *run = NULL;
	char path[PATH_MAX];
	size_t i;

	snprintf(path, sizeof(path), "%s/run.jsonl", run_dir);
	if (access(path, R_OK)) {
		snprintf(error, size, "%s is no run folder: %s", run_dir, strerror(errno));
		return NULL;
	}
	summary = summary_empty();
	read_host(summary, run_dir);
	events = read_events(summary, run_dir, "run.jsonl");
	json_array_foreach(events, i, event) {
		if (has_event(event, "run")) {
			run = event;
			json_object_set_new(summary, "run", json_text(text_of(event, "run")));
			json_object_set_new(summary, "started",
					    json_text(text_of(event, "started")));
			json_object_set_new(summary, "arguments",
					    json_text(text_of(event, "arguments")));
			if (*text_of(event, "case"))
				json_object_set(summary, "case", json_object_get(event, "case"));
		} else if (has_event(event, "interrupted")) {
			json_object_set_new(summary, "interrupted_by",
					    json_text(text_of(event, "signal")));
		} else if (has_event(event, "note")) {
			json_array_append(json_object_get(summary, "notes"), event);
		} else if (has_event(event, "run_end")) {
			json_object_set_new(summary, "finished", json_text(text_of(event, "time")));
			json_object_set(summary, "interrupted",
					json_is_null(json_object_get(summary, "interrupted_by")) ?
						json_false() :
						json_true());
		}
	}
	names = run ? json_copy(json_object_get(run, "tests")) : tests_with_results(run_dir);
	json_array_foreach(names, i, name)
		if (json_is_string(name))
			add_test(summary, run_dir, json_string_value(name), events);
	json_decref(names);
	json_decref(events);
	return summary;
}

/*
 * Writing
 */

bool summary_write(const json_t *summary, const char *run_dir)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd, dir, saved;
	bool ok;

	snprintf(path, sizeof(path), "%s/summary.json", run_dir);
	snprintf(temporary, sizeof(temporary), "%s/.summary.json.%d", run_dir, (int)getpid());
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return false;
	ok = !json_dumpfd(summary, fd, JSON_INDENT(1)) && write(fd, "\n", 1) == 1 && !fsync(fd);
	saved = errno;
	ok &= !close(fd);
	ok = ok && !rename(temporary, path);
	if (!ok) {
		saved = saved ? saved : errno;
		unlink(temporary);
		errno = saved;
		return false;
	}
	dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
	return true;
}
