// SPDX-License-Identifier: GPL-2.0-only
/* Finding and reading runs. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_get.h"
#include "run_load.h"
#include "summary.h"

#define MAX_DEPTH 4 /* of folders in which runs are looked for */

static bool has_file(const char *dir, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return !access(path, F_OK);
}

/* A summary that somebody else wrote: what is built on must be there. */
static const char *summary_trouble(const json_t *run)
{
	static const char *const lists[] = { "tests", "failures", "known_failures", "notes",
					     "damaged" };
	size_t i;

	if (number_of(run, "format") != 1)
		return "no summary.json: 'format' is not 1";
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (!json_is_array(json_object_get(run, lists[i])))
			return "a list is missing: it is no summary of a run";
	if (!json_is_object(json_object_get(run, "totals")))
		return "'totals' is missing";
	return NULL;
}

static json_t *load_summary(const char *path, char *error, size_t size)
{
	json_error_t why;
	json_t *run = json_load_file(path, 0, &why);
	const char *trouble;

	if (!run) {
		if (why.line > 0)
			snprintf(error, size, "%s: line %d: %s", path, why.line, why.text);
		else
			snprintf(error, size, "%s", why.text);
		return NULL;
	}
	trouble = summary_trouble(run);
	if (trouble) {
		snprintf(error, size, "%s: %s", path, trouble);
		json_decref(run);
		return NULL;
	}
	return run;
}

json_t *run_load(const char *path, char *error, size_t size)
{
	json_t *run, *lab;
	char file[PATH_MAX];
	struct stat st;

	if (stat(path, &st)) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISDIR(st.st_mode))
		return load_summary(path, error, size);
	/* The records say more than a summary of them, which may be from before they were whole. */
	if (has_file(path, "run.jsonl", file))
		run = summary_build(path, error, size);
	else if (has_file(path, "summary.json", file))
		run = load_summary(file, error, size);
	else {
		snprintf(error, size, "%s is no run: it has neither run.jsonl nor summary.json",
			 path);
		return NULL;
	}
	if (run && has_file(path, "lab.json", file)) {
		lab = json_load_file(file, 0, NULL);
		if (json_is_object(lab))
			json_object_set(run, "lab", lab);
		json_decref(lab);
	}
	return run;
}

static int is_visible_folder(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type != DT_LNK && entry->d_type != DT_REG;
}

static bool add_runs(json_t *runs, const char *path, int depth, char *error, size_t size)
{
	char file[PATH_MAX];
	struct dirent **entries;
	bool ok = true;
	json_t *run;
	int nr, i;

	if (has_file(path, "run.jsonl", file) || has_file(path, "summary.json", file)) {
		run = run_load(path, error, size);
		return run && !json_array_append_new(runs, run);
	}
	nr = depth ? scandir(path, &entries, is_visible_folder, alphasort) : -1;
	if (nr < 0)
		return true;
	for (i = 0; i < nr; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		ok = ok && add_runs(runs, file, depth - 1, error, size);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

json_t *runs_load(const char *path, char *error, size_t size)
{
	json_t *runs = json_array(), *run;
	struct stat st;

	error[0] = '\0';
	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		run = run_load(path, error, size);
		if (run)
			json_array_append_new(runs, run);
	} else if (add_runs(runs, path, MAX_DEPTH, error, size) && !json_array_size(runs)) {
		snprintf(error, size, "%s: there is no run in it", path);
	}
	if (*error) {
		json_decref(runs);
		return NULL;
	}
	return runs;
}

bool is_failure_of(const json_t *failure, const json_t *test, const char *subtest)
{
	return is(failure, "test", text_of(test, "name")) && is(failure, "subtest", subtest) &&
	       number_of(failure, "host") == number_of(test, "host");
}

int status_rank(const json_t *of)
{
	static const char *const order[] = { "skip", "pass", "known", "fail" };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(order); i++)
		if (is(of, "status", order[i]))
			return i;
	return -1;
}

/* Of a merged run each test and failure has its host's number. */
const json_t *host_card_of(const json_t *run, const json_t *of)
{
	const json_t *number = json_object_get(of, "host");

	if (json_is_integer(number))
		return json_array_get(json_object_get(run, "hosts"), json_integer_value(number));
	return json_object_get(run, "host");
}

void host_label(const json_t *run, const json_t *of, char label[HOST_LABEL_LEN])
{
	const json_t *host = host_card_of(run, of), *tdp = json_object_get(host, "tdp");
	const char *backend = text_of(host, "backend"), *emulator = text_of(host, "emulator");
	const char *paging = "";

	if (json_is_boolean(tdp))
		paging = json_is_false(tdp)	       ? " shadow" :
			 !strcmp(backend, "kvm_amd")   ? " NPT" :
			 !strcmp(backend, "kvm_intel") ? " EPT" :
							 " TDP";
	if (!strcmp(emulator, "none") || !strcmp(emulator, "unknown"))
		emulator = "";
	snprintf(label, HOST_LABEL_LEN, "%s%s%s%s", *backend ? backend : "unknown host", paging,
		 *emulator ? " " : "", emulator);
}

const char *host_kernel(const json_t *run, const json_t *of)
{
	const char *kernel = text_of(host_card_of(run, of), "kernel");

	return *kernel ? kernel : "unknown kernel";
}

void host_title(const json_t *run, const json_t *of, char title[HOST_TITLE_LEN])
{
	const char *apart = text_of(host_card_of(run, of), "apart");
	char label[HOST_LABEL_LEN];

	host_label(run, of, label);
	snprintf(title, HOST_TITLE_LEN, "%s%s%s, %s", label, *apart ? ", " : "", apart,
		 host_kernel(run, of));
}

void test_title(const json_t *run, const json_t *test, char title[TEST_TITLE_LEN])
{
	char host[HOST_TITLE_LEN];

	host_title(run, test, host);
	if (json_object_get(test, "host"))
		snprintf(title, TEST_TITLE_LEN, "%s on %s", text_of(test, "name"), host);
	else
		snprintf(title, TEST_TITLE_LEN, "%s", text_of(test, "name"));
}
