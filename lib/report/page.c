// SPDX-License-Identifier: GPL-2.0-only
/* The page of a run: its frame, and the sections that are lists. */
#include <stdlib.h>

#include "host_text.h"
#include "json_get.h"
#include "page.h"
#include "page_internal.h"
#include "run_load.h"

#define MAX_CASES 400		 /* in full, on the whole page */
#define MAX_CASES_OF_SUBTEST 10
#define MAX_KINDS 100

/* page_assets.S */
extern const char page_css[], page_js[];

const struct outcome_text outcome_texts_of[NR_OUTCOMES] = {
	[OUTCOME_PASS] = { "pass", "\xe2\x9c\x93", "passed" },
	[OUTCOME_KNOWN] = { "known", "\xe2\x89\x88", "passed with known issues" },
	[OUTCOME_FAIL] = { "fail", "\xe2\x9c\x97", "failed" },
	[OUTCOME_SKIP] = { "skip", "\xe2\x80\x93", "skipped" },
	[OUTCOME_NONE] = { "none", "\xc2\xb7", "no result" },
};

enum outcome outcome_of(const json_t *of)
{
	int i;

	for (i = 0; i < NR_OUTCOMES; i++)
		if (is(of, "status", outcome_texts_of[i].name))
			return i;
	return OUTCOME_NONE;
}

void page_key(const json_t *test, const char *name, const char *subtest, char key[PAGE_KEY_LEN])
{
	snprintf(key, PAGE_KEY_LEN, "%s %lld %s", name, number_of(test, "host"), subtest);
}

long long page_first_case(const struct page *page, const json_t *test, const char *subtest)
{
	char key[PAGE_KEY_LEN];

	page_key(test, text_of(test, "name"), subtest, key);
	return number_of(page->first_case, key);
}

void page_symbol(const struct page *page, enum outcome outcome)
{
	const struct outcome_text *o = &outcome_texts_of[outcome];

	markup(page->to, "<span class=\"sym %s\" aria-hidden=true>%s</span>"
			 "<span class=heard>%s</span>",
	       o->name, o->symbol, o->word);
}

void page_number(long long n, char text[PAGE_NUMBER_LEN])
{
	char digits[24], *to = text;
	const char *at;

	snprintf(digits, sizeof(digits), "%lld", n);
	for (at = digits; *at; at++) {
		*to++ = *at;
		if (*at != '-' && at[1] && strlen(at + 1) % 3 == 0)
			*to++ = ',';
	}
	*to = '\0';
}

/* Does this case bring a kind of mismatch that no case before it had? */
static bool is_new_kind(json_t *kinds, const json_t *failure)
{
	char key[PAGE_KEY_LEN];

	page_kind_key(failure, key);
	if (json_object_get(kinds, key) || json_object_size(kinds) >= MAX_KINDS)
		return false;
	json_object_set_new(kinds, key, json_true());
	return true;
}

/* Those shown in full: some of each subtest and one of each kind, so that none hides the others. */
static void choose_cases(struct page *page)
{
	const json_t *failures = json_object_get(page->run, "failures");
	json_t *failure, *seen = json_object(), *kinds = json_object();
	char key[PAGE_KEY_LEN];
	size_t i, nr = 0;
	bool shown;

	page->first_case = json_object();
	page->shown = json_array();
	json_array_foreach(failures, i, failure) {
		page_key(failure, text_of(failure, "test"), text_of(failure, "subtest"), key);
		shown = nr < MAX_CASES && number_of(seen, key) < MAX_CASES_OF_SUBTEST;
		nr += shown;
		if (!is_new_kind(kinds, failure) && !shown) {
			page->not_shown++;
			continue;
		}
		add_to(seen, key, 1);
		json_array_append(page->shown, failure);
		if (!json_object_get(page->first_case, key))
			json_object_set_new(page->first_case, key,
					    json_integer(json_array_size(page->shown)));
	}
	json_decref(seen);
	json_decref(kinds);
}

static void index_cases(struct page *page, const char *list)
{
	json_t *failure;
	size_t i;

	json_array_foreach(json_object_get(page->run, list), i, failure)
		json_array_append(list_of(page->by_case, text_of(failure, "case")), failure);
}

/*
 * What comes first: verdict, host, troubles
 */

static void put_count(const struct page *page, enum outcome outcome, long long n, const char *word)
{
	markup(page->to, "<li class=\"%s%s\">", outcome_texts_of[outcome].name, n ? "" : " zero");
	page_symbol(page, outcome);
	markup(page->to, " <b>%lld</b> %s</li>", n, word);
}

static void put_verdict(const struct page *page)
{
	const json_t *totals = json_object_get(page->run, "totals");
	u64 known = number_of(totals, "known");
	char cases[PAGE_NUMBER_LEN];

	markup(page->to, "<ul class=counts>");
	put_count(page, OUTCOME_FAIL, number_of(totals, "failed"), "failed");
	put_count(page, OUTCOME_PASS, (u64)number_of(totals, "passed") - known, "passed");
	put_count(page, OUTCOME_KNOWN, known, "passed with known issues");
	put_count(page, OUTCOME_SKIP, number_of(totals, "skipped"), "skipped");
	page_number(number_of(totals, "cases"), cases);
	markup(page->to, "</ul><p>Counted in subtests; %s cases in them.</p>\n", cases);
}

static void put_value(const struct page *page, const json_t *value)
{
	if (json_is_boolean(value))
		markup(page->to, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		markup(page->to, "%lld", (long long)json_integer_value(value));
	else
		markup(page->to, "%s", json_string_value(value) ?: "unknown");
}

static void put_host(const struct page *page, const json_t *host, const char *title)
{
	const char *key;
	json_t *value;

	markup(page->to, "<details class=host><summary>%s</summary><dl class=pairs>\n", title);
	if (!json_is_object(host))
		markup(page->to, "<dt>host</dt><dd>its card (host.json) is missing</dd>");
	json_object_foreach((json_t *)host, key, value) {
		if (!strcmp(key, "kvm_error") && json_is_null(value))
			continue;
		markup(page->to, "<dt>%s</dt><dd>", host_field_label(key));
		put_value(page, value);
		markup(page->to, "</dd>\n");
	}
	markup(page->to, "</dl></details>\n");
}

static void put_hosts(const struct page *page)
{
	json_t *hosts = json_object_get(page->run, "hosts"), *host;
	char title[HOST_TITLE_LEN];
	size_t i;

	markup(page->to, "<section aria-labelledby=host><h2 id=host>Host</h2>\n");
	if (!json_array_size(hosts)) {
		host_title(page->run, NULL, title);
		put_host(page, json_object_get(page->run, "host"), title);
	}
	json_array_foreach(hosts, i, host) {
		json_t *of = json_pack("{s:i}", "host", (int)i);

		host_title(page->run, of, title);
		put_host(page, host, title);
		json_decref(of);
	}
	if (*text_of(page->run, "arguments"))
		markup(page->to, "<p>Arguments: <code>%s</code></p>\n",
		       text_of(page->run, "arguments"));
	markup(page->to, "</section>\n");
}

static size_t count_not_run(const json_t *run)
{
	size_t i, n = 0;
	json_t *test;

	json_array_foreach(json_object_get(run, "tests"), i, test)
		n += is(test, "status", "not run");
	return n;
}

/* A run without an end, damaged files, missing shards, tests that failed as a whole. */
static void put_troubles(const struct page *page)
{
	size_t i, not_run = count_not_run(page->run);
	json_t *item;

	if (flag_of(page->run, "interrupted")) {
		markup(page->to, "<p class=trouble><b>%s did not finish</b>, or still goes on",
		       json_object_get(page->run, "merged") ? "A run of these" : "This run");
		if (*text_of(page->run, "interrupted_by"))
			markup(page->to, "; interrupted by %s",
			       text_of(page->run, "interrupted_by"));
		if (not_run)
			markup(page->to, "; tests that were not started: %zu", not_run);
		markup(page->to, ".</p>\n");
	}
	json_array_foreach(json_object_get(page->run, "damaged"), i, item)
		markup(page->to, "<p class=trouble><b>Damaged:</b> %s line %lld: %s</p>\n",
		       text_of(item, "file"), number_of(item, "line"), text_of(item, "error"));
	json_array_foreach(json_object_get(page->run, "missing"), i, item)
		markup(page->to, "<p class=trouble><b>Missing:</b> %s</p>\n",
		       json_string_value(item) ?: "");
	json_array_foreach(json_object_get(page->run, "tests"), i, item)
		if (flag_of(item, "own_failure"))
			markup(page->to, "<p class=trouble><b>%s:</b> %s</p>\n",
			       text_of(item, "name"), text_of(item, "reason"));
}

/*
 * Lists
 */

static void put_failures(const struct page *page)
{
	char more[PAGE_NUMBER_LEN];
	json_t *failure;
	size_t i;

	page_number(page->not_shown, more);
	markup(page->to, "<section aria-labelledby=failures><h2 id=failures>Failing cases</h2>\n");
	if (!json_array_size(page->shown))
		markup(page->to, "<p>No failing case is recorded.</p>\n");
	page_kinds(page);
	json_array_foreach(page->shown, i, failure)
		page_case(page, failure, i + 1, i == 0);
	if (page->not_shown)
		markup(page->to, "<p>%s more are recorded in summary.json and TEST.jsonl.</p>\n",
		       more);
	markup(page->to, "</section>\n");
}

/* "kvm-x 20, kvm-y 3": the issues that covered cases of it. */
static void put_issues(const struct page *page, const json_t *subtest)
{
	json_t *issues = json_object_get(subtest, "known_issues"), *count;
	const char *id, *comma = "";

	json_object_foreach(issues, id, count) {
		markup(page->to, "%s<a href=\"#issue-%s\">%s</a> %lld", comma, id, id,
		       (long long)json_integer_value(count));
		comma = ", ";
	}
}

static void put_subtest(const struct page *page, const json_t *test, size_t nr, size_t i,
			const json_t *subtest)
{
	enum outcome outcome = outcome_of(subtest);
	long long number = page_first_case(page, test, text_of(subtest, "name"));

	markup(page->to, "<tr class=row id=t%zus%zu data-outcome=%s><td>", nr, i,
	       outcome_texts_of[outcome].name);
	page_symbol(page, outcome);
	markup(page->to, "</td><th scope=row>");
	if (number)
		markup(page->to, "<a href=\"#case-%lld\">%s</a>", number,
		       text_of(subtest, "name"));
	else
		markup(page->to, "%s", text_of(subtest, "name"));
	markup(page->to, "</th><td class=n>%lld</td><td class=n>%lld</td><td class=n>%lld</td>"
			 "<td class=n>%lld</td><td>%s",
	       number_of(subtest, "cases"), number_of(subtest, "failed"),
	       number_of(subtest, "known"), number_of(subtest, "time_ms"),
	       text_of(subtest, "reason"));
	put_issues(page, subtest);
	markup(page->to, "</td></tr>\n");
}

static void put_test(const struct page *page, const json_t *test, size_t nr)
{
	json_t *subtests = json_object_get(test, "subtests"), *subtest;
	char title[HOST_TITLE_LEN], cases[PAGE_NUMBER_LEN], seconds[32];
	size_t i;

	markup(page->to, "<details class=test id=t%zu%s><summary>", nr,
	       is(test, "status", "fail") ? " open" : "");
	page_symbol(page, outcome_of(test));
	markup(page->to, " <b>%s</b>", text_of(test, "name"));
	if (json_object_get(test, "host")) {
		host_title(page->run, test, title);
		markup(page->to, " on %s", title);
	}
	page_number(number_of(test, "cases"), cases);
	snprintf(seconds, sizeof(seconds), "%.1f", number_of(test, "time_ms") / 1e3);
	markup(page->to, " <span class=dim>%zu subtests, %s cases, %s s</span></summary>\n",
	       json_array_size(subtests), cases, seconds);
	if (*text_of(test, "reason"))
		markup(page->to, "<p>%s</p>\n", text_of(test, "reason"));
	markup(page->to, "<div class=scroll tabindex=0 role=region aria-label=\"subtests of %s\">"
			 "<table><thead><tr><th scope=col>outcome</th><th scope=col>subtest</th>"
			 "<th scope=col>cases</th><th scope=col>failed</th><th scope=col>known</th>"
			 "<th scope=col>ms</th><th scope=col>why</th></tr></thead><tbody>\n",
	       text_of(test, "name"));
	json_array_foreach(subtests, i, subtest)
		put_subtest(page, test, nr, i, subtest);
	markup(page->to, "</tbody></table></div></details>\n");
}

static void put_tests(const struct page *page)
{
	json_t *test;
	size_t i;

	markup(page->to, "<section aria-labelledby=tests><h2 id=tests>Tests</h2>\n");
	json_array_foreach(json_object_get(page->run, "tests"), i, test)
		put_test(page, test, i);
	markup(page->to, "</section>\n");
}

static bool has_known_issues(const struct page *page)
{
	return json_object_size(json_object_get(page->run, "known_issues")) ||
	       json_array_size(json_object_get(page->run, "stale_known_issues")) ||
	       json_array_size(json_object_get(page->run, "expired_known_issues"));
}

/* Of each known issue how many cases it covered, and the first of them in full. */
static void put_known_issues(const struct page *page)
{
	json_t *issues = json_object_get(page->run, "known_issues"), *count, *failure, *item;
	const char *id;
	size_t i;

	if (!has_known_issues(page))
		return;
	markup(page->to, "<section aria-labelledby=known><h2 id=known>Known issues</h2>\n");
	json_object_foreach(issues, id, count) {
		markup(page->to, "<h3 id=\"issue-%s\">%s: %lld cases</h3>\n", id, id,
		       (long long)json_integer_value(count));
		json_array_foreach(json_object_get(page->run, "known_failures"), i, failure)
			if (is(failure, "known_issue", id)) {
				page_case(page, failure, 0, false);
				break;
			}
	}
	json_array_foreach(json_object_get(page->run, "stale_known_issues"), i, item)
		markup(page->to, "<p class=trouble><b>Stale:</b> %s matched no case of %s</p>\n",
		       text_of(item, "id"), text_of(item, "test"));
	json_array_foreach(json_object_get(page->run, "expired_known_issues"), i, item)
		markup(page->to, "<p class=trouble><b>Expired:</b> %s was to be looked at again "
				 "after %s</p>\n", text_of(item, "id"), text_of(item, "expires"));
	markup(page->to, "</section>\n");
}

#define MAX_NOTES 200
static void put_notes(const struct page *page)
{
	json_t *notes = json_object_get(page->run, "notes"), *note;
	size_t i;

	if (!json_array_size(notes))
		return;
	markup(page->to, "<section aria-labelledby=notes><h2 id=notes>Notes</h2><details><summary>"
			 "%zu notes</summary><ul>\n", json_array_size(notes));
	json_array_foreach(notes, i, note)
		if (i < MAX_NOTES)
			markup(page->to, "<li>%s %s: %s</li>\n", text_of(note, "test"),
			       text_of(note, "subtest"), text_of(note, "text"));
	markup(page->to, "</ul></details></section>\n");
}

/*
 * The frame
 */

static void put_head(const struct page *page)
{
	const json_t *totals = json_object_get(page->run, "totals");
	const char *finished = text_of(page->run, "finished");

	/* Nothing is loaded from anywhere, whatever a record may hold. */
	markup(page->to,
	       "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n"
	       "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
	       "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
	       "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
	       "<link rel=icon href=\"data:,\">\n<title>%s: %lld failed, %lld passed</title>\n<style>\n",
	       text_of(page->run, "run"), number_of(totals, "failed"), number_of(totals, "passed"));
	fputs(page_css, page->to);
	markup(page->to, "</style></head><body>\n<a class=jump href=\"#failures\">To the failing "
			 "cases</a>\n<header><h1>Run %s</h1>\n<p class=dim>Started %s%s%s</p>\n",
	       text_of(page->run, "run"), text_of(page->run, "started"),
	       *finished ? ", finished " : "", finished);
	put_verdict(page);
	put_troubles(page);
	markup(page->to, "<nav aria-label=\"parts of the page\"><a href=\"#host\">Host</a> "
			 "<a href=\"#failures\">Failing cases</a> <a href=\"#matrix\">Matrix</a> "
			 "<a href=\"#tests\">Tests</a>");
	if (has_known_issues(page))
		markup(page->to, " <a href=\"#known\">Known issues</a>");
	if (json_array_size(json_object_get(page->run, "notes")))
		markup(page->to, " <a href=\"#notes\">Notes</a>");
	markup(page->to, "</nav></header>\n");
}

/* For the script, which shows it: without one it would do nothing. */
static void put_tools(const struct page *page)
{
	int i;

	markup(page->to, "<form id=tools hidden role=search><label>Search <input id=search "
			 "type=search placeholder=\"words in any order; key: /\"></label>\n"
			 "<fieldset><legend class=heard>Outcomes to show</legend>\n");
	for (i = 0; i < OUTCOME_NONE; i++)
		markup(page->to, "<label class=\"%s\"><input type=checkbox checked value=%s> %s "
				 "%s</label>\n",
		       outcome_texts_of[i].name, outcome_texts_of[i].name,
		       outcome_texts_of[i].symbol, outcome_texts_of[i].name);
	markup(page->to, "</fieldset><output id=shown aria-live=polite></output></form>\n");
}

void page_write(const json_t *run, FILE *to)
{
	struct page page = { .to = to, .run = run, .by_case = json_object() };

	choose_cases(&page);
	index_cases(&page, "failures");
	index_cases(&page, "known_failures");
	put_head(&page);
	put_tools(&page);
	markup(to, "<main>\n");
	put_hosts(&page);
	put_failures(&page);
	page_matrices(&page);
	put_tests(&page);
	page_growth(&page);
	page_rates(&page);
	put_known_issues(&page);
	put_notes(&page);
	markup(to, "</main>\n<script>\n");
	fputs(page_js, to);
	markup(to, "</script></body></html>\n");
	json_decref(page.by_case);
	json_decref(page.first_case);
	json_decref(page.shown);
}
