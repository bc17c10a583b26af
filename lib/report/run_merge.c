// SPDX-License-Identifier: GPL-2.0-only
/* Merging runs: see include/run_merge.h. */
#include <stdlib.h>

#include "json_get.h"
#include "run_load.h"
#include "run_merge.h"
#include "summary.h"

#define KEY_LEN 768

/* On the way; keys are HOST-NUMBER TEST and the same with SUBTEST. */
struct merge {
	json_t *out;
	json_t *cards;	  /* host cards; their places are the hosts' numbers */
	json_t *host_names; /* what tells a host from others: number */
	json_t *tests;	  /* test of the result by key */
	json_t *kept;	  /* by key of a subtest: {"subtest", "run"} */
	json_t *shards;	  /* by key of a test: {"2/4": true} */
};

/*
 * Which host it is: label and kernel, and of its card what a result may depend on.  Hosts are
 * not taken for one because they run the same kernel.
 */
static const char *const apart_by[] = {
	"cpu_vendor", "cpu_model", "emulator_version", "maxphyaddr", "la57", "nx", "lm", "gbpages",
	"pse36", "smep", "smap", "pku", "tdp_mmu", "nested", "fep", "smaller_maxphyaddr", "tdx",
};

static void host_key(const json_t *run, const json_t *of, char *key, size_t size)
{
	char label[HOST_LABEL_LEN], *value;
	size_t i, used;

	host_label(run, of, label);
	used = snprintf(key, size, "%s, %s", label, host_kernel(run, of));
	for (i = 0; i < ARRAY_SIZE(apart_by) && used < size; i++) {
		value = json_dumps(json_object_get(host_card_of(run, of), apart_by[i]),
				   JSON_ENCODE_ANY);
		used += snprintf(key + used, size - used, ", %s", value ?: "");
		free(value);
	}
}

static long long host_number(struct merge *m, const json_t *run, const json_t *of)
{
	const json_t *card = host_card_of(run, of);
	char key[2048];

	host_key(run, of, key, sizeof(key));
	if (!json_object_get(m->host_names, key)) {
		json_object_set_new(m->host_names, key, json_integer(json_array_size(m->cards)));
		json_array_append_new(m->cards, card ? json_copy((json_t *)card) : json_null());
	}
	return number_of(m->host_names, key);
}

/* "la57", "no la57", "maxphyaddr 46", or the text alone. */
static size_t put_apart(const json_t *card, const char *name, char *text, size_t size)
{
	const json_t *value = json_object_get(card, name);

	if (json_is_boolean(value))
		return snprintf(text, size, "%s%s", json_is_true(value) ? "" : "no ", name);
	if (json_is_integer(value))
		return snprintf(text, size, "%s %lld", name, json_integer_value(value));
	return snprintf(text, size, "%s", json_string_value(value) ?: "unknown");
}

/* Is there a host of the same label and kernel that differs in this? */
static bool is_apart(struct merge *m, size_t nr, const char *name)
{
	json_t *mine = json_object_get(json_array_get(m->cards, nr), name), *other, *theirs;
	json_t *run = json_pack("{s:O}", "hosts", m->cards), *of = json_pack("{s:i}", "host", (int)nr);
	char title[HOST_TITLE_LEN], other_title[HOST_TITLE_LEN];
	bool apart = false;
	size_t i;

	host_title(run, of, title);
	json_array_foreach(m->cards, i, other) {
		theirs = json_object_get(other, name);
		json_object_set_new(of, "host", json_integer(i));
		host_title(run, of, other_title);
		if (!strcmp(title, other_title) && mine != theirs && !json_equal(mine, theirs))
			apart = true;
	}
	json_decref(of);
	json_decref(run);
	return apart;
}

static void tell_hosts_apart(struct merge *m)
{
	json_t *card, *texts = json_array();
	char text[200];
	size_t i, k, used;

	json_array_foreach(m->cards, i, card)
		json_object_del(card, "apart");
	json_array_foreach(m->cards, i, card) {
		text[0] = '\0';
		for (k = 0, used = 0; k < ARRAY_SIZE(apart_by) && used < sizeof(text) - 2; k++) {
			if (!is_apart(m, i, apart_by[k]))
				continue;
			if (used)
				used += snprintf(text + used, sizeof(text) - used, ", ");
			used += put_apart(card, apart_by[k], text + used, sizeof(text) - used);
		}
		json_array_append_new(texts, json_string(text) ?: json_string("?"));
	}
	json_array_foreach(m->cards, i, card)
		if (*json_string_value(json_array_get(texts, i)))
			json_object_set(card, "apart", json_array_get(texts, i));
	json_decref(texts);
}

static void make_key(char key[KEY_LEN], long long host, const char *test, const char *subtest)
{
	snprintf(key, KEY_LEN, "%lld %s %s", host, test, subtest);
}

static void copy_list(json_t *to, const json_t *run, const char *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(run, list), i, item)
		json_array_append(list_of(to, list), item);
}

static json_t *new_test(struct merge *m, const json_t *test, long long host)
{
	json_t *made = json_pack("{s:s, s:s, s:s, s:b, s:I, s:[]}", "name", text_of(test, "name"),
				 "status", "not run", "reason", "", "own_failure", 0, "host",
				 (json_int_t)host, "subtests");

	json_array_append_new(list_of(m->out, "tests"), made);
	return made;
}

static void keep_subtest(struct merge *m, const char *key, json_t *subtest, size_t run)
{
	json_t *before = json_object_get(m->kept, key), *entry;

	if (before && status_rank(json_object_get(before, "subtest")) >= status_rank(subtest))
		return;
	entry = json_pack("{s:O, s:i}", "subtest", subtest, "run", (int)run);
	json_object_set_new(m->kept, key, entry);
}

static void merge_test(struct merge *m, const json_t *run, size_t nr, const json_t *test)
{
	long long host = host_number(m, run, test);
	const char *name = text_of(test, "name"), *shard = text_of(test, "shard");
	json_t *subtest, *made, *shards;
	char key[KEY_LEN], reason[1024];
	size_t i;

	make_key(key, host, name, "");
	made = json_object_get(m->tests, key);
	if (!made) {
		made = new_test(m, test, host);
		json_object_set(m->tests, key, made);
		json_object_set_new(m->shards, key, json_object());
	}
	shards = json_object_get(m->shards, key);
	if (*shard)
		json_object_set_new(shards, shard, json_true());
	/* A merged run has them as a list. */
	json_array_foreach(json_object_get(test, "shards"), i, subtest)
		json_object_set_new(shards, json_string_value(subtest) ?: "", json_true());
	if (number_of(test, "of_subtests"))
		json_object_set(made, "of_subtests", json_object_get(test, "of_subtests"));
	json_array_foreach(json_object_get(test, "subtests"), i, subtest) {
		make_key(key, host, name, text_of(subtest, "name"));
		keep_subtest(m, key, subtest, nr);
	}
	/* What the test itself came to: its status where it has no subtests. */
	if (!json_array_size(json_object_get(test, "subtests")) &&
	    status_rank(test) > status_rank(made))
		json_object_set(made, "status", json_object_get(test, "status"));
	add_to(made, "time_ms", number_of(test, "time_ms"));
	if (*text_of(test, "reason")) {
		snprintf(reason, sizeof(reason), "%s%s%s: %s", text_of(made, "reason"),
			 *text_of(made, "reason") ? "; " : "", text_of(run, "run"),
			 text_of(test, "reason"));
		json_object_set_new(made, "reason", json_string(reason) ?: json_string("?"));
	}
	if (flag_of(test, "own_failure"))
		json_object_set_new(made, "own_failure", json_true());
}

/* The cases of those subtests whose result of this run was kept. */
static void merge_failures(struct merge *m, const json_t *run, size_t nr, const char *list)
{
	json_t *failure, *kept, *copy;
	char key[KEY_LEN];
	long long host;
	size_t i;

	json_array_foreach(json_object_get(run, list), i, failure) {
		host = host_number(m, run, failure);
		make_key(key, host, text_of(failure, "test"), text_of(failure, "subtest"));
		kept = json_object_get(m->kept, key);
		if (!kept || number_of(kept, "run") != (long long)nr)
			continue;
		copy = json_copy(failure);
		json_object_set_new(copy, "host", json_integer(host));
		/* Which machine it was: its own run knows more of it.  Merged again, it stays. */
		if (!*text_of(copy, "run"))
			json_object_set(copy, "run", json_object_get(run, "run"));
		json_array_append_new(list_of(m->out, list), copy);
	}
}

/* What the lab noted, by the run's name. */
static void merge_lab(struct merge *m, const json_t *run)
{
	json_t *lab = json_object_get(run, "lab"), *labs = json_object_get(m->out, "labs");

	if (!json_is_object(labs))
		json_object_set_new(m->out, "labs", labs = json_object());
	if (lab)
		json_object_set(labs, text_of(run, "run"), lab);
	json_object_update_missing(labs, json_object_get(run, "labs"));
}

static void merge_run(struct merge *m, const json_t *run, size_t nr)
{
	json_t *item, *copy;
	char file[600];
	size_t i;

	json_array_foreach(json_object_get(run, "tests"), i, item)
		merge_test(m, run, nr, item);
	json_array_foreach(json_object_get(run, "damaged"), i, item) {
		copy = json_copy(item);
		snprintf(file, sizeof(file), "%s/%s", text_of(run, "run"), text_of(item, "file"));
		json_object_set_new(copy, "file", json_string(file) ?: json_string("?"));
		json_array_append_new(list_of(m->out, "damaged"), copy);
	}
	merge_lab(m, run);
	copy_list(m->out, run, "notes");
	copy_list(m->out, run, "stale_known_issues");
	copy_list(m->out, run, "expired_known_issues");
	json_array_append_new(list_of(m->out, "merged"), json_string(text_of(run, "run")));
	if (flag_of(run, "interrupted"))
		json_object_set_new(m->out, "interrupted", json_true());
	if (!*text_of(m->out, "started") ||
	    strcmp(text_of(run, "started"), text_of(m->out, "started")) < 0)
		json_object_set_new(m->out, "started", json_string(text_of(run, "started")));
	if (strcmp(text_of(run, "finished"), text_of(m->out, "finished")) > 0)
		json_object_set_new(m->out, "finished", json_string(text_of(run, "finished")));
}

/*
 * Adding up
 */

static void add_subtest(struct merge *m, json_t *test, json_t *subtest)
{
	json_array_append(list_of(test, "subtests"), subtest);
	add_to(test, "cases", number_of(subtest, "cases"));
	add_to(test, "failed_cases", number_of(subtest, "failed"));
	add_to(test, "known_cases", number_of(subtest, "known"));
	add_counts(test, "engines", json_object_get(subtest, "engines"));
	add_counts(m->out, "known_issues", json_object_get(subtest, "known_issues"));
}

/* As summary.c judges the tests of one run. */
static void count_test(struct merge *m, json_t *test)
{
	json_t *totals = json_object_get(m->out, "totals"), *subtest;
	bool own_failure = flag_of(test, "own_failure");
	long long by_status[4] = {};
	int worst = -1;
	size_t i;

	json_array_foreach(json_object_get(test, "subtests"), i, subtest)
		if (status_rank(subtest) >= 0) {
			by_status[status_rank(subtest)]++;
			worst = status_rank(subtest) > worst ? status_rank(subtest) : worst;
		}
	/* Without a subtest: skipped or passed as a whole, which counts as one. */
	if (worst < 0 && !own_failure && status_rank(test) >= 0)
		by_status[status_rank(test)]++;
	if (own_failure || worst == 3)
		json_object_set_new(test, "status", json_string("fail"));
	else if (worst >= 0)
		json_object_set_new(test, "status",
				    json_string(worst == 2 ? "known" :
						worst	   ? "pass" :
							     "skip"));
	add_to(totals, "passed", by_status[1] + by_status[2]);
	add_to(totals, "known", by_status[2]);
	add_to(totals, "failed", by_status[3] + own_failure);
	add_to(totals, "skipped", by_status[0]);
	add_to(totals, "cases", number_of(test, "cases"));
	add_counts(totals, "engines", json_object_get(test, "engines"));
}

/*
 * Missing shards
 */

/* "shard 3/4 on HOST": the tests that it is missing of. */
static void find_missing(struct merge *m, json_t *missing, const json_t *test, const json_t *shards)
{
	char shard[32], name[HOST_TITLE_LEN + 64], host[HOST_TITLE_LEN];
	unsigned int i, n, all = number_of(test, "of_subtests");
	const char *one = json_object_iter_key(json_object_iter((json_t *)shards));

	if (!one || sscanf(one, "%u/%u", &i, &n) != 2)
		return;
	host_title(m->out, test, host);
	/* A test with fewer subtests than shards has no more shards than subtests. */
	for (i = 1; i <= n && (!all || i <= all); i++) {
		snprintf(shard, sizeof(shard), "%u/%u", i, n);
		if (json_object_get(shards, shard))
			continue;
		snprintf(name, sizeof(name), "shard %s on %s", shard, host);
		json_array_append_new(list_of(missing, name), json_string(text_of(test, "name")));
	}
}

static void name_missing(struct merge *m)
{
	json_t *missing = json_object(), *tests = json_object_get(m->out, "tests"), *test, *list;
	json_t *shards, *unused;
	const char *name, *shard;
	char key[KEY_LEN], text[1024];
	size_t i;

	json_array_foreach(tests, i, test) {
		make_key(key, number_of(test, "host"), text_of(test, "name"), "");
		shards = json_object_get(m->shards, key);
		find_missing(m, missing, test, shards);
		json_object_foreach(shards, shard, unused)
			json_array_append_new(list_of(test, "shards"), json_string(shard));
	}
	json_object_foreach(missing, name, list) {
		int used = snprintf(text, sizeof(text), "%s:", name);

		for (i = 0; i < json_array_size(list) && used < (int)sizeof(text) - 100; i++)
			used += snprintf(text + used, sizeof(text) - used, " %s",
					 json_string_value(json_array_get(list, i)));
		if (i < json_array_size(list))
			snprintf(text + used, sizeof(text) - used, " ...");
		json_array_append_new(list_of(m->out, "missing"), json_string(text));
	}
	json_decref(missing);
}

/* With one host the result is as that of any run: its card is the run's. */
static void settle_hosts(struct merge *m)
{
	static const char *const lists[] = { "tests", "failures", "known_failures" };
	json_t *item;
	size_t i, l;

	tell_hosts_apart(m);
	if (json_array_size(m->cards) > 1) {
		json_object_set(m->out, "hosts", m->cards);
		return;
	}
	json_object_set(m->out, "host", json_array_get(m->cards, 0));
	for (l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_object_get(m->out, lists[l]), i, item)
			json_object_del(item, "host");
}

json_t *runs_merge(const json_t *runs, const char *name)
{
	struct merge m = {
		.out = summary_empty(),
		.cards = json_array(),
		.host_names = json_object(),
		.tests = json_object(),
		.kept = json_object(),
		.shards = json_object(),
	};
	json_t *run, *kept, *test;
	char test_key[KEY_LEN];
	const char *key;
	size_t i;

	json_object_set_new(m.out, "run", json_string(name) ?: json_string("?"));
	json_object_set_new(m.out, "interrupted", json_false());
	json_object_set_new(m.out, "interrupted_by", json_null());
	json_array_foreach(runs, i, run)
		merge_run(&m, run, i);
	json_array_foreach(runs, i, run) {
		merge_failures(&m, run, i, "failures");
		merge_failures(&m, run, i, "known_failures");
	}
	json_object_foreach(m.kept, key, kept) {
		/* HOST TEST SUBTEST: no name has a blank. */
		snprintf(test_key, sizeof(test_key), "%.*s ",
			 (int)(strchr(strchr(key, ' ') + 1, ' ') - key), key);
		add_subtest(&m, json_object_get(m.tests, test_key), json_object_get(kept, "subtest"));
	}
	json_array_foreach(json_object_get(m.out, "tests"), i, test)
		count_test(&m, test);
	settle_hosts(&m);
	name_missing(&m);
	json_decref(m.cards);
	json_decref(m.host_names);
	json_decref(m.tests);
	json_decref(m.kept);
	json_decref(m.shards);
	return m.out;
}
