// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmc-report: the part of the runner that a shell cannot do well.  Its own program,
 * statically linked, because the hosts it runs on may have nothing but bash.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_text.h"
#include "junit.h"
#include "known_review.h"
#include "ktap.h"
#include "page.h"
#include "printable.h"
#include "run_diff.h"
#include "run_load.h"
#include "run_merge.h"
#include "summary.h"
#include "test_assert.h"
#include "tied.h"
#include "unfinished.h"

static int finish_stdout(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "kmc-report: cannot write: %s\n", strerror(errno));
		return KSFT_FAIL;
	}
	return code;
}

static int print_host(bool json)
{
	struct host_card card;
	json_t *object;

	host_card_read(&card);
	if (json) {
		object = host_card_json(&card);
		json_dumpf(object, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(object);
	} else {
		host_card_print(&card, stdout);
	}
	return finish_stdout(KSFT_PASS);
}

/* Can tests that need KVM run here?  Exits 0, or 4 with the reason. */
static int check_kvm(void)
{
	struct host_card card;

	host_card_read(&card);
	if (!card.kvm_error[0])
		return KSFT_PASS;
	puts(card.kvm_error);
	return finish_stdout(KSFT_SKIP);
}

/* For the runner's first event: who it is. */
static int print_process(const char *pid)
{
	json_t *identity = process_identity(atoi(pid));

	json_dumpf(identity, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(identity);
	return finish_stdout(KSFT_PASS);
}

static int summarize(const char *run_dir)
{
	char error[512];
	json_t *summary;
	int code;

	summary = summary_build(run_dir, error, sizeof(error));
	if (!summary) {
		fprintf(stderr, "kmc-report: %s\n", error);
		return KSFT_USAGE;
	}
	code = summary_exit_code(summary);
	errno = 0;
	if (!summary_write(summary, run_dir)) {
		fprintf(stderr, "kmc-report: cannot write %s/summary.json: %s\n", run_dir,
			strerror(errno));
		code = KSFT_FAIL;
	}
	summary_print(summary, stdout);
	json_decref(summary);
	return finish_stdout(code);
}

/*
 * Commands.  Each gets its arguments, without its name; BAD_ARGUMENTS has main() say what they are.
 */
#define BAD_ARGUMENTS -1

static int host_command(int argc, char **argv)
{
	if (argc > 1 || (argc && strcmp(argv[0], "--json")))
		return BAD_ARGUMENTS;
	return print_host(argc);
}

static int kvm_command(int argc, char **argv)
{
	(void)argv;
	return argc ? BAD_ARGUMENTS : check_kvm();
}

static int summary_command(int argc, char **argv)
{
	return argc == 1 ? summarize(argv[0]) : BAD_ARGUMENTS;
}

static int process_command(int argc, char **argv)
{
	return argc == 1 ? print_process(argv[0]) : BAD_ARGUMENTS;
}

static int tied_command(int argc, char **argv)
{
	return argc > 1 ? run_tied(atoi(argv[0]), argv + 1) : BAD_ARGUMENTS;
}

static int unfinished_command(int argc, char **argv)
{
	if (argc != 1)
		return BAD_ARGUMENTS;
	finish_unfinished_runs(argv[0], stdout);
	return finish_stdout(KSFT_PASS);
}

/*
 * Into a file that a reader sees whole or not at all; "-" is standard output.  What is there and
 * is no file, a pipe or a device, is written to as it is.
 */
static int write_run(const json_t *run, const char *path, void (*write)(const json_t *, FILE *))
{
	char temporary[PATH_MAX];
	bool replace, ok;
	struct stat st;
	FILE *to;

	if (!strcmp(path, "-")) {
		write(run, stdout);
		return finish_stdout(KSFT_PASS);
	}
	replace = stat(path, &st) || S_ISREG(st.st_mode);
	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	to = fopen(replace ? temporary : path, "we");
	if (!to) {
		fprintf(stderr, "kmc-report: cannot write %s: %s\n", path, strerror(errno));
		return KSFT_USAGE;
	}
	write(run, to);
	ok = !fflush(to) && !ferror(to);
	ok &= !fclose(to);
	ok = ok && (!replace || !rename(temporary, path));
	if (!ok) {
		fprintf(stderr, "kmc-report: cannot write %s: %s\n", path, strerror(errno));
		if (replace)
			unlink(temporary);
		return KSFT_FAIL;
	}
	printf("%s\n", path);
	return finish_stdout(KSFT_PASS);
}

static int no_run(char *error)
{
	fprintf(stderr, "kmc-report: %s\n", printable(error));
	return KSFT_USAGE;
}

static int convert(int argc, char **argv, void (*write)(const json_t *, FILE *))
{
	char error[512];
	json_t *run;
	int code;

	if (argc != 2)
		return BAD_ARGUMENTS;
	run = run_load(argv[0], error, sizeof(error));
	if (!run)
		return no_run(error);
	code = write_run(run, argv[1], write);
	json_decref(run);
	return code;
}

static int page_command(int argc, char **argv)
{
	return convert(argc, argv, page_write);
}

static int junit_command(int argc, char **argv)
{
	return convert(argc, argv, junit_write);
}

static int ktap_command(int argc, char **argv)
{
	return convert(argc, argv, ktap_write);
}

/* All runs of all these places; NULL, with the reason on stderr, if one cannot be read. */
static json_t *load_all(int nr, char **paths)
{
	json_t *all = json_array(), *runs;
	char error[512];
	int i;

	for (i = 0; i < nr; i++) {
		runs = runs_load(paths[i], error, sizeof(error));
		if (!runs) {
			no_run(error);
			json_decref(all);
			return NULL;
		}
		json_array_extend(all, runs);
		json_decref(runs);
	}
	return all;
}

static int diff_command(int argc, char **argv)
{
	static const char *const names[] = { "subtest", "host", "kernel" };
	json_t *a, *b;
	int by, code;

	if (argc != 3)
		return BAD_ARGUMENTS;
	for (by = 0; by < (int)ARRAY_SIZE(names) && strcmp(argv[0], names[by]); by++)
		;
	if (by == (int)ARRAY_SIZE(names))
		return BAD_ARGUMENTS;
	a = load_all(1, argv + 1);
	b = a ? load_all(1, argv + 2) : NULL;
	code = !b ? KSFT_USAGE : run_diff(a, b, by, stdout) ? KSFT_FAIL : KSFT_PASS;
	json_decref(a);
	json_decref(b);
	return code == KSFT_USAGE ? code : finish_stdout(code);
}

static int merge_command(int argc, char **argv)
{
	json_t *all, *merged;
	int code;

	if (argc < 2)
		return BAD_ARGUMENTS;
	all = load_all(argc - 1, argv + 1);
	if (!all)
		return KSFT_USAGE;
	if (mkdir(argv[0], 0777)) {
		fprintf(stderr, "kmc-report: cannot make %s: %s\n", argv[0], strerror(errno));
		json_decref(all);
		return KSFT_USAGE;
	}
	merged = runs_merge(all, strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0]);
	json_decref(all);
	errno = 0;
	if (!summary_write(merged, argv[0])) {
		fprintf(stderr, "kmc-report: cannot write %s/summary.json: %s\n", argv[0],
			strerror(errno));
		json_decref(merged);
		return KSFT_FAIL;
	}
	code = summary_exit_code(merged);
	summary_print(merged, stdout);
	json_decref(merged);
	return finish_stdout(code);
}

static int known_issues_command(int argc, char **argv)
{
	struct known_issues *issues;
	char error[512];
	json_t *all;
	int code;

	if (argc < 2)
		return BAD_ARGUMENTS;
	issues = known_issues_load(argv[0], error, sizeof(error));
	if (!issues)
		return no_run(error);
	all = load_all(argc - 1, argv + 1);
	code = !all ? KSFT_USAGE : known_issues_review(issues, all, stdout) ? KSFT_PASS : KSFT_FAIL;
	json_decref(all);
	known_issues_free(issues);
	return code == KSFT_USAGE ? code : finish_stdout(code);
}

static const struct command {
	const char *name;
	const char *arguments;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "host", "[--json]", host_command },
	{ "kvm", "", kvm_command },
	{ "summary", "RUN_DIR", summary_command },
	{ "unfinished", "RESULTS_DIR", unfinished_command },
	{ "process", "PID", process_command },
	{ "tied", "PID COMMAND...", tied_command },
	{ "page", "RUN FILE", page_command },
	{ "junit", "RUN FILE", junit_command },
	{ "ktap", "RUN FILE", ktap_command },
	{ "diff", "subtest|host|kernel RUNS RUNS", diff_command },
	{ "merge", "NEW_DIR RUNS...", merge_command },
	{ "known-issues", "FILE RUNS...", known_issues_command },
};

int main(int argc, char **argv)
{
	size_t i;
	int code;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		code = commands[i].run(argc - 2, argv + 2);
		if (code != BAD_ARGUMENTS)
			return code;
		fprintf(stderr, "kmc-report: usage: kmc-report %s %s\n", commands[i].name,
			commands[i].arguments);
		return KSFT_USAGE;
	}
	fprintf(stderr, "kmc-report: %s%s (commands:", argc > 1 ? "unknown command " : "which command?",
		argc > 1 ? argv[1] : "");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, " %s", commands[i].name);
	fputs(")\n", stderr);
	return KSFT_USAGE;
}
