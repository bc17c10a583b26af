// SPDX-License-Identifier: GPL-2.0-only
/* The options every test binary understands. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "known_issues.h"
#include "printable.h"
#include "report.h"
#include "results_file.h"

#define MAX_JOBS 4096 /* more than any host has CPUs */

enum option_key {
	OPT_LIST = 256,
	OPT_ABOUT,
	OPT_HELP,
	OPT_VERBOSE,
	OPT_FILTER,
	OPT_CASE,
	OPT_AFTER,
	OPT_PATH,
	OPT_ENGINE,
	OPT_RESULTS,
	OPT_KNOWN_ISSUES,
	OPT_MAX_FAILURES,
	OPT_SEED,
	OPT_SHARD,
	OPT_JOBS,
};

static const struct option long_options[] = {
	{ "list", no_argument, NULL, OPT_LIST },
	{ "about", no_argument, NULL, OPT_ABOUT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "filter", required_argument, NULL, OPT_FILTER },
	{ "case", required_argument, NULL, OPT_CASE },
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "path", required_argument, NULL, OPT_PATH },
	{ "engine", required_argument, NULL, OPT_ENGINE },
	{ "results", required_argument, NULL, OPT_RESULTS },
	{ "known-issues", required_argument, NULL, OPT_KNOWN_ISSUES },
	{ "max-failures", required_argument, NULL, OPT_MAX_FAILURES },
	{ "shard", required_argument, NULL, OPT_SHARD },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void usage_error(const struct test_about *about, const char *fmt, ...)
	__printf(2, 3);

static void usage_error(const struct test_about *about, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "%s: %s\n", about->name, printable(text));
	exit(KSFT_USAGE);
}

static void print_help(const struct test_about *about)
{
	printf("Usage: %s [options]\n\n%s\n\n", about->name, about->proves);
	printf("  --list               print the names of the subtests and run nothing\n"
	       "  --about              print name, purpose and tags, one per line\n"
	       "  --filter GLOB        run the subtests whose name matches; @(GLOB|GLOB): one of these\n"
	       "  --shard I/N          run every Nth of all subtests, from the Ith on\n");
	if (about->has_cases)
		printf("  --case ID            replay one case alone and explain it\n"
		       "  --after STATE        with --case: walk it in this state first\n");
	if (about->paths)
		printf("  --path NAME          with --after: how to get from there: %s\n", about->paths);
	if (about->engines)
		printf("  --engine NAME        one of: %s%s\n", about->engines,
		       about->replays_all ? "; with --case also all" : "");
	printf("  --verbose            print every failing case in full\n"
	       "  --max-failures N     stop after N failing cases\n"
	       "  --jobs N             run so many subtests at a time, each in a process of its own\n"
	       "  --seed N             shuffle the order of the subtests\n"
	       "  --results FILE       write the results as JSON lines\n"
	       "  --known-issues FILE  count failing cases that it explains apart\n"
	       "                       (known_issues.json beside this program, if there)\n"
	       "  --help               print this\n\n"
	       "Exit codes: 0 passed, 1 failed, 2 bad usage, 4 everything skipped.\n");
}

static void print_about(const struct test_about *about)
{
	const char *at;

	printf("name: %s\nproves: ", about->name);
	/* A sentence may have several lines in --help; here it has one. */
	for (at = about->proves; *at; at++)
		putchar(*at == '\n' ? ' ' : *at);
	printf("\ntags: %s\ncases: %s\nengines: %s\n", about->tags ? about->tags : "",
	       about->has_cases ? "yes" : "no", about->engines ? about->engines : "");
}

static u64 parse_number(const struct test_about *about, const char *option, const char *text)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || text[0] < '0' || text[0] > '9')
		usage_error(about, "--%s needs a number, not '%s'", option, text);
	return number;
}

static void parse_shard(const struct test_about *about, const char *text,
			struct test_options *options)
{
	int end = 0;

	if (sscanf(text, "%4u/%4u%n", &options->shard, &options->nr_shards, &end) != 2 || text[end] ||
	    text[0] < '0' || text[0] > '9' || !options->shard || options->shard > options->nr_shards)
		usage_error(about, "--shard needs I/N with I from 1 to N, not '%s'", text);
}

/* Is name one of "a, b, c"? */
static bool in_list(const char *list, const char *name)
{
	size_t length = strlen(name), word;

	while (length && *list) {
		word = strcspn(list, ", ");
		if (word == length && !strncmp(list, name, word))
			return true;
		list += word;
		list += strspn(list, ", ");
	}
	return false;
}

static void parse_one(const struct test_about *about, int key, struct test_options *options)
{
	u64 number;

	switch (key) {
	case OPT_LIST:
		options->list = true;
		break;
	case OPT_ABOUT:
		print_about(about);
		exit(KSFT_PASS);
	case OPT_HELP:
		print_help(about);
		exit(KSFT_PASS);
	case OPT_VERBOSE:
		options->verbose = true;
		break;
	case OPT_FILTER:
		options->filter = optarg;
		break;
	case OPT_CASE:
		if (!about->has_cases)
			usage_error(about, "has no single cases: use --filter");
		if (!*optarg)
			usage_error(about, "--case needs a case id");
		options->case_id = optarg;
		break;
	case OPT_AFTER:
		if (!about->has_cases)
			usage_error(about, "--after is for tests that replay cases");
		options->after = optarg;
		break;
	case OPT_PATH:
		if (!about->paths)
			usage_error(about, "has no choice of paths");
		if (!in_list(about->paths, optarg))
			usage_error(about, "unknown path '%s': one of %s", optarg, about->paths);
		options->path = optarg;
		break;
	case OPT_ENGINE:
		if (!about->engines)
			usage_error(about, "has no choice of engines");
		if (!in_list(about->engines, optarg) &&
		    !(about->replays_all && !strcmp(optarg, "all")))
			usage_error(about, "unknown engine '%s': one of %s%s", optarg,
				    about->engines, about->replays_all ? ", all" : "");
		options->engine = optarg;
		break;
	case OPT_RESULTS:
		options->results = optarg;
		break;
	case OPT_KNOWN_ISSUES:
		options->known_issues = optarg;
		break;
	case OPT_MAX_FAILURES:
		options->max_failures = parse_number(about, "max-failures", optarg);
		break;
	case OPT_SHARD:
		parse_shard(about, optarg, options);
		break;
	case OPT_JOBS:
		number = parse_number(about, "jobs", optarg);
		if (!number || number > MAX_JOBS)
			usage_error(about, "--jobs needs a number from 1 to %u, not '%s'", MAX_JOBS,
				    optarg);
		options->jobs = number;
		break;
	case OPT_SEED:
		options->seed = parse_number(about, "seed", optarg);
		options->shuffle = true;
		break;
	}
}

/* Found now, not after hours of running. */
static void check_together(const struct test_about *about, const struct test_options *options)
{
	struct known_issues *issues;
	char error[512];

	if (options->known_issues) {
		issues = known_issues_load(options->known_issues, error, sizeof(error));
		if (!issues)
			usage_error(about, "%s", error);
		known_issues_free(issues);
	}
	if (options->after && !options->case_id)
		usage_error(about, "--after goes with --case");
	if (options->engine && !strcmp(options->engine, "all") && !options->case_id)
		usage_error(about, "--engine all goes with --case");
	if (options->path && !options->after)
		usage_error(about, "--path goes with --after");
	if (options->results && !options->list && !results_writable(options->results))
		usage_error(about, "cannot write results to %s: %s", options->results,
			    strerror(errno));
}

/*
 * The kernel's kselftest runner starts tests without options: what is known to differ then lies
 * beside them.
 */
static const char *known_issues_beside(void)
{
	static const char name[] = "/known_issues.json";
	static char path[4096 + sizeof(name)];
	ssize_t n = readlink("/proc/self/exe", path, 4096);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	memcpy(slash, name, sizeof(name));
	return access(path, R_OK) ? NULL : path;
}

/* As a replay calls the test: as we were, but on a machine it was copied to for the run. */
static const char *replay_program(const char *program)
{
	const char *dir = getenv("KMC_REPLAY_DIR"), *name = strrchr(program, '/');
	static char path[PATH_MAX];

	if (!dir || !name)
		return program;
	snprintf(path, sizeof(path), "%s%s", dir, name);
	return path;
}

void test_options_parse(const struct test_about *about, int argc, char **argv,
			struct test_options *options)
{
	int key, at;

	/* Whole lines at once, also into a file: what a test said last must survive it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(options, 0, sizeof(*options));
	options->replay = replay_program(argv[0]);
	options->jobs = 1;
	opterr = 0;
	for (;;) {
		at = optind;
		key = getopt_long(argc, argv, "+:", long_options, NULL);
		if (key == -1)
			break;
		if (key == ':')
			usage_error(about, "option '%s' needs an argument", argv[at]);
		if (key == '?')
			usage_error(about, "unknown option '%s', see --help", argv[at]);
		parse_one(about, key, options);
	}
	if (optind < argc)
		usage_error(about, "unexpected argument '%s', see --help", argv[optind]);
	if (!options->known_issues)
		options->known_issues = known_issues_beside();
	check_together(about, options);
}
