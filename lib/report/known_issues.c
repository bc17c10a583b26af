// SPDX-License-Identifier: GPL-2.0-only
/* Known issues: reading and checking the file, matching failing cases. */
#define _GNU_SOURCE /* asprintf */
#include <fnmatch.h>
#include <jansson.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host_predicate.h"
#include "known_issues.h"
#include "printable.h"

#define FORMAT 1

struct issue {
	const char *id;
	json_t *tests; /* list of names */
	json_t *host;  /* object */
	json_t *cases; /* a glob or a list of globs */
	const char *after; /* a glob on the state that the outcome may be kept from, or NULL */
	const char *from;  /* a glob on the state that the vCPU came from, or NULL */
	const char *path;  /* a glob on the way from there, or NULL */
	const char *engine; /* a glob on who made the access; NULL: native alone */
	const char *expires; /* "2027-06-30": to be looked at again after that day; NULL: never */
	regex_t mismatch;
	/* The last text tried: few distinct ones come, many times each. */
	char last_text[256];
	bool last_covers;
	bool selected;
	bool tried; /* an engine that it covers made accesses */
	bool used;
};

struct known_issues {
	json_t *root; /* owns every string above */
	int nr;
	struct issue issues[];
};

/* The fields that an entry may leave out. */
static const char *const optional_fields[] = { "after", "from", "path", "engine", "link",
					       "expires" };

/* Where a complaint goes and what it is about. */
struct checker {
	const char *path;
	const char *entry; /* id, or "#3" while an entry has none */
	char *error;
	size_t size;
};

static bool complain(const struct checker *check, const char *fmt, ...)
	__printf(2, 3);

/* Always false, so that a check can return it. */
static bool complain(const struct checker *check, const char *fmt, ...)
{
	va_list args;
	int used;

	used = snprintf(check->error, check->size, "%s: %s%s%s", check->path,
			check->entry ? "entry " : "", check->entry ? check->entry : "",
			check->entry ? ": " : "");
	va_start(args, fmt);
	if (used >= 0 && (size_t)used < check->size)
		vsnprintf(check->error + used, check->size - used, fmt, args);
	va_end(args);
	return false;
}

static bool check_texts(const struct checker *check, const char *name, json_t *list)
{
	json_t *text;
	size_t i;

	if (!json_is_array(list) || !json_array_size(list))
		return complain(check, "'%s' must be a list with at least one text", name);
	json_array_foreach(list, i, text)
		if (!json_is_string(text) || !json_string_length(text))
			return complain(check, "'%s' must hold texts that are not empty", name);
	return true;
}

static bool check_text(const struct checker *check, json_t *entry, const char *name)
{
	json_t *text = json_object_get(entry, name);

	if (!text)
		return complain(check, "'%s' is missing", name);
	if (!json_is_string(text) || !json_string_length(text))
		return complain(check, "'%s' must be a text that is not empty", name);
	return true;
}

static bool is_one_of(const char *name, const char *const *names, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool check_fields(const struct checker *check, json_t *entry)
{
	static const char *const names[] = { "id",	 "tests",  "host",    "cases",
					     "mismatch", "reason", "evidence" };
	const char *name;
	json_t *value;
	size_t i;

	json_object_foreach(entry, name, value)
		if (!is_one_of(name, names, ARRAY_SIZE(names)) &&
		    !is_one_of(name, optional_fields, ARRAY_SIZE(optional_fields)))
			return complain(check, "unknown field '%s'", name);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!json_object_get(entry, names[i]))
			return complain(check, "'%s' is missing", names[i]);
	return true;
}

static bool check_id(const struct checker *check, const struct known_issues *issues, const char *id)
{
	int i;

	if (strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != strlen(id))
		return complain(check, "'id' must be of a-z, 0-9, '.', '-' and '_'");
	for (i = 0; i < issues->nr; i++)
		if (!strcmp(issues->issues[i].id, id))
			return complain(check, "'id' is used twice");
	return true;
}

/* "2027-06-30" */
static bool is_date(const char *text)
{
	int year, month, day, used = 0;

	return strlen(text) == 10 &&
	       sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && used == 10 &&
	       month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool load_issue(struct checker *check, struct known_issues *issues, json_t *entry)
{
	struct issue *issue = &issues->issues[issues->nr];
	char text[256];
	size_t i;
	int error;

	if (!json_is_object(entry))
		return complain(check, "must be an object");
	if (!check_text(check, entry, "id"))
		return false;
	issue->id = json_string_value(json_object_get(entry, "id"));
	check->entry = issue->id;
	issue->tests = json_object_get(entry, "tests");
	issue->host = json_object_get(entry, "host");
	issue->cases = json_object_get(entry, "cases");
	if (!check_id(check, issues, issue->id) || !check_fields(check, entry) ||
	    !check_texts(check, "tests", issue->tests) || !check_text(check, entry, "mismatch") || !check_text(check, entry, "reason") ||
	    !check_text(check, entry, "evidence"))
		return false;
	if (!host_predicate_check(issue->host, text, sizeof(text)))
		return complain(check, "%s", text);
	for (i = 0; i < ARRAY_SIZE(optional_fields); i++)
		if (json_object_get(entry, optional_fields[i]) &&
		    !check_text(check, entry, optional_fields[i]))
			return false;
	issue->after = json_string_value(json_object_get(entry, "after"));
	issue->from = json_string_value(json_object_get(entry, "from"));
	issue->path = json_string_value(json_object_get(entry, "path"));
	issue->engine = json_string_value(json_object_get(entry, "engine"));
	issue->expires = json_string_value(json_object_get(entry, "expires"));
	if (issue->expires && !is_date(issue->expires))
		return complain(check, "'expires' must be a day as 2027-06-30");
	if (json_is_array(issue->cases)) {
		if (!check_texts(check, "cases", issue->cases))
			return false;
	} else if (!check_text(check, entry, "cases")) {
		return false;
	}
	error = regcomp(&issue->mismatch, json_string_value(json_object_get(entry, "mismatch")),
			REG_EXTENDED);
	if (error) {
		regerror(error, &issue->mismatch, text, sizeof(text));
		return complain(check, "'mismatch' is no regular expression: %s", text);
	}
	issues->nr++;
	return true;
}

static json_t *check_file(const struct checker *check, json_t *root)
{
	json_t *format = json_object_get(root, "format"), *list, *value;
	const char *name;

	if (!json_is_object(root)) {
		complain(check, "must hold one object");
		return NULL;
	}
	if (!json_is_integer(format) || json_integer_value(format) != FORMAT) {
		complain(check, "'format' must be %d", FORMAT);
		return NULL;
	}
	json_object_foreach(root, name, value)
		if (strcmp(name, "format") && strcmp(name, "known_issues")) {
			complain(check, "unknown field '%s'", name);
			return NULL;
		}
	list = json_object_get(root, "known_issues");
	if (!json_is_array(list)) {
		complain(check, "'known_issues' must be a list");
		return NULL;
	}
	return list;
}

static struct known_issues *load(const char *path, char *error, size_t size)
{
	struct checker check = { .path = path, .error = error, .size = size };
	struct known_issues *issues = NULL;
	json_t *root, *list, *entry;
	json_error_t json_error;
	char number[24];
	size_t i;

	root = json_load_file(path, JSON_REJECT_DUPLICATES, &json_error);
	if (!root) {
		/* Without a line it is the file that could not be opened; the text has its name. */
		if (json_error.line > 0)
			complain(&check, "line %d: %s", json_error.line, json_error.text);
		else
			snprintf(error, size, "%s", json_error.text);
		return NULL;
	}
	list = check_file(&check, root);
	if (list)
		issues = calloc(1, sizeof(*issues) +
					   json_array_size(list) * sizeof(issues->issues[0]));
	if (!issues) {
		json_decref(root);
		return NULL;
	}
	issues->root = root;
	json_array_foreach(list, i, entry) {
		snprintf(number, sizeof(number), "#%zu", i + 1);
		check.entry = number;
		if (!load_issue(&check, issues, entry)) {
			known_issues_free(issues);
			return NULL;
		}
	}
	return issues;
}

struct known_issues *known_issues_load(const char *path, char *error, size_t size)
{
	struct known_issues *issues = load(path, error, size);

	if (!issues)
		printable(error);
	return issues;
}

void known_issues_free(struct known_issues *issues)
{
	int i;

	if (!issues)
		return;
	for (i = 0; i < issues->nr; i++)
		regfree(&issues->issues[i].mismatch);
	json_decref(issues->root);
	free(issues);
}

void known_issues_select(struct known_issues *issues, const struct host_card *host,
			 const char *test)
{
	struct issue *issue;
	json_t *value;
	size_t i;
	int nr;

	for (nr = 0; nr < issues->nr; nr++) {
		issue = &issues->issues[nr];
		issue->selected = false;
		json_array_foreach(issue->tests, i, value)
			if (!strcmp(test, json_string_value(value)))
				issue->selected = true;
		issue->selected &= host_predicate_matches(issue->host, host);
	}
}

/* The whole text: an expression that covers a part would hide what else is wrong. */
static bool mismatch_covered(struct issue *issue, const char *mismatch)
{
	regmatch_t whole;

	if (strcmp(issue->last_text, mismatch)) {
		issue->last_covers = !regexec(&issue->mismatch, mismatch, 1, &whole, 0) &&
				     !whole.rm_so && !mismatch[whole.rm_eo];
		snprintf(issue->last_text, sizeof(issue->last_text), "%s", mismatch);
	}
	return issue->last_covers;
}

/* Extended globs: +([!/]) stays within one part of an id. */
static bool glob_matches(const char *glob, const char *text)
{
	return !fnmatch(glob, text, FNM_EXTMATCH);
}

/* What holds of the guest's CPU need not hold of KVM's emulator: that must be said. */
static bool engine_covered(const struct issue *issue, const char *engine)
{
	return glob_matches(issue->engine ? issue->engine : "native", engine ? engine : "native");
}

/* A field that was left out covers everything. */
static bool field_covered(const char *glob, const char *text)
{
	return !glob || (text && glob_matches(glob, text));
}

static bool issue_covers(struct issue *issue, const struct case_failure *failure,
			 const char *mismatch)
{
	bool named = false;
	json_t *glob;
	size_t i;

	if (!mismatch_covered(issue, mismatch))
		return false;
	if (!engine_covered(issue, failure->engine) || !field_covered(issue->after, failure->after) ||
	    !field_covered(issue->from, failure->from ? failure->from : failure->after) ||
	    !field_covered(issue->path, failure->path))
		return false;
	if (json_is_string(issue->cases))
		named = glob_matches(json_string_value(issue->cases), failure->id);
	json_array_foreach(issue->cases, i, glob)
		named |= glob_matches(json_string_value(glob), failure->id);
	return named;
}

int known_issues_match(struct known_issues *issues, const struct case_failure *failure)
{
	struct issue *issue;
	char *mismatch;
	int nr, found = -1;

	if (asprintf(&mismatch, "%s => %s", failure->expected, failure->observed) < 0)
		return -1;
	for (nr = 0; nr < issues->nr; nr++) {
		issue = &issues->issues[nr];
		/* Past the first match only entries matter that would otherwise look stale. */
		if (!issue->selected || (found >= 0 && issue->used))
			continue;
		if (!issue_covers(issue, failure, mismatch))
			continue;
		issue->used = true;
		if (found < 0)
			found = nr;
	}
	free(mismatch);
	return found;
}

/* Does it cover whatever has this text and engine? */
static bool covers_every_case(const struct issue *issue)
{
	return !issue->after && !issue->from && !issue->path && json_is_string(issue->cases) &&
	       !strcmp(json_string_value(issue->cases), "*");
}

int known_issues_match_every_case(struct known_issues *issues, const char *mismatch,
				  const char *engine)
{
	struct issue *issue;
	int nr, found = -1;

	for (nr = 0; nr < issues->nr; nr++) {
		issue = &issues->issues[nr];
		if (!issue->selected || (found >= 0 && issue->used) ||
		    !mismatch_covered(issue, mismatch) || !engine_covered(issue, engine))
			continue;
		/* Another one that covers some of the cases: those have to be looked at. */
		if (found >= 0 || !covers_every_case(issue))
			return -1;
		found = nr;
	}
	return found;
}

void known_issues_engine(struct known_issues *issues, const char *engine)
{
	int nr;

	for (nr = 0; issues && nr < issues->nr; nr++)
		issues->issues[nr].tried |= engine_covered(&issues->issues[nr], engine);
}

int known_issues_nr(const struct known_issues *issues)
{
	return issues ? issues->nr : 0;
}

const char *known_issue_id(const struct known_issues *issues, int nr)
{
	return issues->issues[nr].id;
}

const char *known_issue_expired(const struct known_issues *issues, int nr)
{
	const struct issue *issue = &issues->issues[nr];
	time_t now = time(NULL);
	char today[16];

	strftime(today, sizeof(today), "%Y-%m-%d", gmtime(&now));
	return issue->expires && strcmp(today, issue->expires) > 0 ? issue->expires : NULL;
}

json_t *known_issues_entries(const struct known_issues *issues)
{
	return json_object_get(issues->root, "known_issues");
}

bool known_issue_selected(const struct known_issues *issues, int nr)
{
	return issues->issues[nr].selected;
}

bool known_issue_unused(const struct known_issues *issues, int nr)
{
	const struct issue *issue = &issues->issues[nr];

	return issue->selected && !issue->used && (issue->tried || !issue->engine);
}

/* Bits of known_issue_seen(). */
#define SEEN_USED 1
#define SEEN_TRIED 2

u8 known_issue_seen(const struct known_issues *issues, int nr)
{
	return (issues->issues[nr].used ? SEEN_USED : 0) |
	       (issues->issues[nr].tried ? SEEN_TRIED : 0);
}

void known_issue_add_seen(struct known_issues *issues, int nr, u8 seen)
{
	issues->issues[nr].used |= !!(seen & SEEN_USED);
	issues->issues[nr].tried |= !!(seen & SEEN_TRIED);
}
