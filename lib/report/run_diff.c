// SPDX-License-Identifier: GPL-2.0-only
/* Comparing runs: see include/run_diff.h. */
#include <stdlib.h>

#include "json_get.h"
#include "run_diff.h"
#include "run_load.h"

#define MAX_LISTED 25	   /* of what is no failure */
#define MAX_CASES_LISTED 5 /* newly failing cases of a subtest that failed before, too */
#define KEY_LEN 768

/*
 * One side: what every subtest came to, by key
 */

/* The hosts of a set: "kvm_amd NPT qemu-tcg, 6.1.0" as keys. */
static void add_hosts(json_t *hosts, const json_t *runs)
{
	char label[HOST_LABEL_LEN], name[2 * HOST_LABEL_LEN + 8];
	json_t *run, *test;
	size_t i, j;

	json_array_foreach(runs, i, run)
		json_array_foreach(json_object_get(run, "tests"), j, test) {
			host_label(run, test, label);
			snprintf(name, sizeof(name), "%s, %s", label, host_kernel(run, test));
			json_object_set_new(hosts, name, json_true());
		}
}

struct side {
	enum diff_by by;
	bool several;	 /* hosts or kernels in one set: they are part of the key */
	json_t *entries; /* by key: status, reason, counts, and the failing cases on record */
};

static void make_key(const struct side *side, const json_t *run, const json_t *test,
		     const char *name, const char *subtest, char key[KEY_LEN])
{
	char label[HOST_LABEL_LEN], kernel[160] = "";

	host_label(run, test, label);
	if (side->by == DIFF_BY_KERNEL || (side->by == DIFF_BY_SUBTEST && !side->several))
		label[0] = '\0';
	if (side->by == DIFF_BY_KERNEL || (side->by == DIFF_BY_SUBTEST && side->several))
		snprintf(kernel, sizeof(kernel), "%s%s", *label ? ", " : "",
			 host_kernel(run, test));
	snprintf(key, KEY_LEN, "%s%s%s%s%s%s", label, kernel, *label || *kernel ? ": " : "", name,
		 *subtest ? " " : "", subtest);
}

static void add_entry(struct side *side, const char *key, const json_t *from, const char *status)
{
	json_t *entry = json_pack("{s:s, s:s, s:b, s:I, s:I, s:[]}", "status", status, "reason",
				  text_of(from, "reason"), "has_parts",
				  json_array_size(json_object_get(from, "subtests")) != 0, "failed",
				  (json_int_t)number_of(from, "failed"), "cases",
				  (json_int_t)number_of(from, "cases"), "recorded");
	json_t *before = json_object_get(side->entries, key);

	if (before && status_rank(before) >= status_rank(entry))
		json_decref(entry);
	else
		json_object_set_new(side->entries, key, entry);
}

/* The test itself is an entry, too: it may crash, hang, or be skipped as a whole. */
static void add_test(struct side *side, const json_t *run, const json_t *test)
{
	json_t *subtests = json_object_get(test, "subtests"), *subtest;
	char key[KEY_LEN];
	size_t i;

	json_array_foreach(subtests, i, subtest) {
		make_key(side, run, test, text_of(test, "name"), text_of(subtest, "name"), key);
		add_entry(side, key, subtest, text_of(subtest, "status"));
	}
	if (is(test, "status", "not run"))
		return;
	make_key(side, run, test, text_of(test, "name"), "", key);
	add_entry(side, key, test,
		  flag_of(test, "own_failure") ? "fail" :
		  json_array_size(subtests)    ? "pass" :
						 text_of(test, "status"));
}

static void add_run(struct side *side, const json_t *run)
{
	json_t *test, *failure, *entry;
	char key[KEY_LEN];
	size_t i;

	json_array_foreach(json_object_get(run, "tests"), i, test)
		add_test(side, run, test);
	json_array_foreach(json_object_get(run, "failures"), i, failure) {
		make_key(side, run, failure, text_of(failure, "test"), text_of(failure, "subtest"),
			 key);
		entry = json_object_get(side->entries, key);
		if (entry)
			json_array_append(list_of(entry, "recorded"), failure);
	}
}

/*
 * Both sides
 */

enum change { NEWLY_FAILING, NEWLY_PASSING, NEWLY_SKIPPED, NEWLY_KNOWN, GONE, NEW, NR_CHANGES };
static const char *const change_names[NR_CHANGES] = {
	[NEWLY_FAILING] = "newly failing",
	[NEWLY_PASSING] = "newly passing",
	[NEWLY_SKIPPED] = "newly skipped",
	[NEWLY_KNOWN] = "passing only thanks to known issues now",
	[GONE] = "gone",
	[NEW] = "new",
};

static bool passes(const json_t *entry)
{
	return is(entry, "status", "pass") || is(entry, "status", "known");
}

/* Of a test that is on one side only, and did not fail itself, the subtests are told. */
static bool is_told_by_parts(const json_t *entry)
{
	return flag_of(entry, "has_parts") && passes(entry);
}

/* NR_CHANGES: none. */
static enum change compare(const json_t *a, const json_t *b)
{
	if ((!a && is_told_by_parts(b)) || (!b && is_told_by_parts(a)))
		return NR_CHANGES;
	if (!b)
		return GONE;
	if (is(b, "status", "fail"))
		return is(a, "status", "fail") ? NR_CHANGES : NEWLY_FAILING;
	if (!a)
		return NEW;
	if (is(b, "status", "skip"))
		return is(a, "status", "skip") ? NR_CHANGES : NEWLY_SKIPPED;
	if (passes(b) && !passes(a))
		return NEWLY_PASSING;
	if (is(b, "status", "known") && is(a, "status", "pass"))
		return NEWLY_KNOWN;
	return NR_CHANGES;
}

static bool has_case(const json_t *entry, const char *id)
{
	json_t *failure;
	size_t i;

	json_array_foreach(json_object_get(entry, "recorded"), i, failure)
		if (is(failure, "case", id))
			return true;
	return false;
}

static char *text(const char *fmt, ...) __printf(1, 2);
static char *text(const char *fmt, ...)
{
	char *made;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&made, fmt, args) < 0)
		abort();
	va_end(args);
	return made;
}

static void append(json_t *list, char *line)
{
	json_array_append_new(list, json_string(line));
	free(line);
}

static void append_case(json_t *list, const char *key, const json_t *failure)
{
	append(list, text("%s\n    case     %s\n    expected %s\n    observed %s\n    replay   %s", key,
			  text_of(failure, "case"), text_of(failure, "expected"),
			  text_of(failure, "observed"), text_of(failure, "replay")));
}

/* Failing before and after: which cases are new, if that can be told. */
static void compare_cases(const char *key, const json_t *a, const json_t *b, json_t *failing)
{
	json_t *failure;
	int listed = 0;
	size_t i;

	if ((long long)json_array_size(json_object_get(a, "recorded")) < number_of(a, "failed"))
		return;
	json_array_foreach(json_object_get(b, "recorded"), i, failure)
		if (!has_case(a, text_of(failure, "case")) && listed++ < MAX_CASES_LISTED)
			append_case(failing, key, failure);
}

static void add_change(json_t *list, enum change change, const char *key, const json_t *a,
		       const json_t *b)
{
	const char *was = a ? text_of(a, "status") : "not there";
	json_t *first = json_array_get(json_object_get(b, "recorded"), 0);

	if (change != NEWLY_FAILING)
		append(list, text("%s%s%s%s%s", key, change == GONE ? ", was " : "",
				  change == GONE ? was : "",
				  b && *text_of(b, "reason") ? ": " : "", text_of(b, "reason")));
	else if (first)
		append_case(list, key, first);
	else
		append(list, text("%s, was %s: %s", key, was, text_of(b, "reason")));
}

static bool have_common(const struct side *a, const struct side *b)
{
	const char *key;
	json_t *entry;

	json_object_foreach(b->entries, key, entry)
		if (json_object_get(a->entries, key))
			return true;
	return !json_object_size(a->entries) || !json_object_size(b->entries);
}

static json_t *compare_sides(const struct side *a, const struct side *b)
{
	json_t *changes = json_array(), *entry, *other;
	const char *key;
	enum change change;
	int i;

	for (i = 0; i < NR_CHANGES; i++)
		json_array_append_new(changes, json_array());
	json_object_foreach(b->entries, key, entry) {
		other = json_object_get(a->entries, key);
		change = compare(other, entry);
		if (change < NR_CHANGES)
			add_change(json_array_get(changes, change), change, key, other, entry);
		else if (is(entry, "status", "fail"))
			compare_cases(key, other, entry, json_array_get(changes, NEWLY_FAILING));
	}
	json_object_foreach(a->entries, key, entry)
		if (!json_object_get(b->entries, key) && compare(entry, NULL) == GONE)
			add_change(json_array_get(changes, GONE), GONE, key, entry, NULL);
	return changes;
}

/*
 * Printing
 */

static void print_side(const char *letter, const json_t *runs, const json_t *hosts, FILE *to)
{
	const char *name;
	json_t *run, *unused;
	size_t i;

	fprintf(to, "%s:", letter);
	json_array_foreach(runs, i, run)
		fprintf(to, " %s%s", text_of(run, "run"),
			flag_of(run, "interrupted") ? " (did not finish)" : "");
	fputc('\n', to);
	json_object_foreach((json_t *)hosts, name, unused)
		fprintf(to, "   %s\n", name);
}

static void print_changes(const json_t *changes, FILE *to)
{
	json_t *list, *line;
	size_t i, j;

	json_array_foreach(changes, i, list) {
		if (!json_array_size(list))
			continue;
		fprintf(to, "%s: %zu\n", change_names[i], json_array_size(list));
		json_array_foreach(list, j, line) {
			if (i != NEWLY_FAILING && j == MAX_LISTED) {
				fprintf(to, "  ... and %zu more\n", json_array_size(list) - j);
				break;
			}
			fprintf(to, "  %s\n", json_string_value(line));
		}
	}
	for (i = 0; i < NR_CHANGES; i++)
		if (i != NEWLY_KNOWN)
			fprintf(to, "%s%zu %s", i ? ", " : "",
				json_array_size(json_array_get(changes, i)), change_names[i]);
	fputc('\n', to);
}

bool run_diff(const json_t *a, const json_t *b, enum diff_by by, FILE *to)
{
	json_t *hosts_a = json_object(), *hosts_b = json_object(), *run, *changes;
	struct side side_a = { .by = by, .entries = json_object() }, side_b = side_a;
	bool failing;
	size_t i;

	add_hosts(hosts_a, a);
	add_hosts(hosts_b, b);
	side_a.several = json_object_size(hosts_a) > 1 || json_object_size(hosts_b) > 1;
	side_b.several = side_a.several;
	side_b.entries = json_object();
	json_array_foreach(a, i, run)
		add_run(&side_a, run);
	json_array_foreach(b, i, run)
		add_run(&side_b, run);
	print_side("A", a, hosts_a, to);
	print_side("B", b, hosts_b, to);
	changes = compare_sides(&side_a, &side_b);
	if (!have_common(&side_a, &side_b))
		fprintf(to, "nothing is in both%s\n", by == DIFF_BY_SUBTEST && side_a.several ?
			": other hosts or kernels? --by host compares each host whatever its kernel, "
			"--by kernel each kernel whatever the host" : "");
	print_changes(changes, to);
	failing = json_array_size(json_array_get(changes, NEWLY_FAILING));
	json_decref(changes);
	json_decref(side_a.entries);
	json_decref(side_b.entries);
	json_decref(hosts_a);
	json_decref(hosts_b);
	return failing;
}
