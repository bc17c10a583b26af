// SPDX-License-Identifier: GPL-2.0-only
/* Finding runs without an end, and giving them one. */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "summary.h"
#include "types.h"
#include "unfinished.h"

static void read_boot_id(char *boot, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	snprintf(boot, size, "unknown");
	if (!file)
		return;
	if (fgets(boot, size, file))
		boot[strcspn(boot, "\n")] = '\0';
	fclose(file);
}

/* Field 22 of /proc/PID/stat, in clock ticks since boot; 0 if there is no such process. */
static unsigned long long process_start(pid_t pid)
{
	unsigned long long start = 0;
	char path[64], stat[1024], *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* The name, field 2, may hold anything: count from behind its parenthesis. */
	if (fgets(stat, sizeof(stat), file)) {
		at = strrchr(stat, ')');
		if (!at || sscanf(at + 1,
				  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
				  " %*d %*d %*d %*d %llu",
				  &start) != 1)
			start = 0;
	}
	fclose(file);
	return start;
}

json_t *process_identity(pid_t pid)
{
	char boot[64];

	read_boot_id(boot, sizeof(boot));
	return json_pack("{s:i, s:I, s:s}", "pid", (int)pid, "start",
			 (json_int_t)process_start(pid), "boot", boot);
}

static bool still_runs(const json_t *runner)
{
	json_int_t pid = json_integer_value(json_object_get(runner, "pid"));
	json_t *now;
	bool same;

	if (pid <= 0 || !json_integer_value(json_object_get(runner, "start")))
		return false;
	now = process_identity(pid);
	same = json_equal(now, runner);
	json_decref(now);
	return same;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

/*
 * Is this a test that writes its results into the run's folder?  Its name ends in _test and
 * the argument after --results is RUN_DIR/something.jsonl; an editor has no such argument.
 */
static bool writes_into(const char *pid, const char *run_dir)
{
	char path[PATH_MAX], *argument = NULL;
	size_t length = strlen(run_dir), size = 0;
	bool found = false, is_test = false, after_results = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (getdelim(&argument, &size, '\0', file) > 0)
		is_test = ends_with(argument, "_test");
	while (is_test && !found && getdelim(&argument, &size, '\0', file) > 0) {
		found = after_results && !strncmp(argument, run_dir, length) &&
			argument[length] == '/' && ends_with(argument, ".jsonl");
		after_results = !strcmp(argument, "--results");
	}
	free(argument);
	fclose(file);
	return found;
}

/* A test outlives its killed runner, and would write on and hold the host busy. */
static void kill_leftovers(const char *run_dir)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    atoi(entry->d_name) != getpid() && writes_into(entry->d_name, run_dir))
			kill(atoi(entry->d_name), SIGKILL);
	if (proc)
		closedir(proc);
}

/* Who ran it, which test was started last, and did it end? From the lines that can be read. */
static json_t *read_run(const char *run_dir, char *last, size_t last_size, bool *ended)
{
	json_t *event, *runner = NULL;
	char path[PATH_MAX + 16], *line = NULL;
	const char *name, *test;
	size_t size = 0;
	FILE *file;

	*ended = false;
	snprintf(last, last_size, "none");
	snprintf(path, sizeof(path), "%s/run.jsonl", run_dir);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	while (getline(&line, &size, file) > 0) {
		event = json_loads(line, 0, NULL);
		name = json_string_value(json_object_get(event, "event"));
		test = json_string_value(json_object_get(event, "test"));
		if (name && !strcmp(name, "run") && !runner)
			runner = json_incref(json_object_get(event, "runner"));
		else if (name && test && !strcmp(name, "test_start"))
			snprintf(last, last_size, "%s", test);
		else if (name && !strcmp(name, "run_end"))
			*ended = true;
		json_decref(event);
	}
	free(line);
	fclose(file);
	return runner ? runner : json_object();
}

static void finish_run(const char *run_dir, FILE *to)
{
	json_t *runner, *summary;
	char last[256], error[512];
	bool ended;

	runner = read_run(run_dir, last, sizeof(last), &ended);
	if (runner && !still_runs(runner)) {
		/* With --no-summary an end is all there is. */
		if (!ended)
			fprintf(to, "previous run %s did not finish; last started: %s\n",
				strrchr(run_dir, '/') + 1, last);
		kill_leftovers(run_dir);
		summary = summary_build(run_dir, error, sizeof(error));
		if (!summary || !summary_write(summary, run_dir))
			fprintf(to, "its summary could not be written\n");
		json_decref(summary);
	}
	json_decref(runner);
}

void finish_unfinished_runs(const char *results_dir, FILE *to)
{
	char run_dir[PATH_MAX], path[PATH_MAX + 16];
	struct dirent *entry;
	DIR *dir = opendir(results_dir);

	while (dir && (entry = readdir(dir))) {
		/* latest is a link to one of the others. */
		if (entry->d_name[0] == '.' || entry->d_type == DT_LNK)
			continue;
		snprintf(run_dir, sizeof(run_dir), "%s/%s", results_dir, entry->d_name);
		snprintf(path, sizeof(path), "%s/summary.json", run_dir);
		if (access(path, F_OK))
			finish_run(run_dir, to);
	}
	if (dir)
		closedir(dir);
}
