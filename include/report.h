/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test binary says: options in, KTAP and result records out.
 *
 * A test binary is a list of subtests; a subtest compares many cases.  KTAP goes
 * to stdout, one line per subtest.  With --results FILE the same, and each failing
 * case in full, goes to FILE as one JSON object per line, written and synced as
 * each subtest ends, so that nothing finished is lost when the host dies.
 */
#ifndef KMC_REPORT_H
#define KMC_REPORT_H

#include <jansson.h>

#include "test_assert.h"
#include "types.h"

struct test_options {
	bool list;                /* --list: print subtest names, run nothing */
	bool verbose;             /* --verbose: print the first failing cases in full */
	const char *filter;       /* --filter GLOB on subtest names; NULL = all */
	const char *case_id;      /* --case ID; NULL = none */
	const char *after;        /* --after STATE: where a replayed case is walked first; NULL = nowhere */
	const char *path;         /* --path NAME: how a replayed case is come to from there; NULL = the test's default */
	unsigned int shard, nr_shards; /* --shard I/N; 0/0 = all */
	const char *engine;       /* --engine NAME; NULL = the test's default; "all" only with case_id */
	const char *results;      /* --results FILE (JSON lines); NULL = none */
	const char *known_issues; /* --known-issues FILE; NULL = none */
	u64 max_failures;         /* --max-failures N: stop after N failing cases; 0 = no limit */
	unsigned int jobs;        /* --jobs N: processes that run subtests at the same time; 1 = this one */
	u64 seed;                 /* --seed N: shuffles the order of subtests */
	bool shuffle;             /* --seed was given */
	const char *replay;       /* argv[0], for the replay command */
};

/* One line of help beyond the common options, printed by --help. */
struct test_about {
	const char *name;     /* "walk_test" */
	const char *proves;   /* one sentence for --help */
	bool has_cases;       /* understands --case */
	bool seeded;          /* --seed makes other cases, not only another order: replays need it */
	const char *paths;    /* NULL, or names separated by ", ": understands --path */
	const char *engines;  /* NULL, or names separated by ", " for --help and for checking --engine */
	bool one_process;     /* subtests build on those before them: --jobs does not part them */
	bool replays_all;     /* --case understands --engine all */
	const char *tags;     /* NULL, or names separated by commas, e.g. "model,no-kvm": what runner.sh --tag picks by */
};

/* Parses argv.  A bad option prints one line to stderr and exits with KSFT_USAGE; --help prints and exits 0. */
void test_options_parse(const struct test_about *about, int argc, char **argv,
			struct test_options *options);

/* A failing case.  Strings are copied. */
struct case_failure {
	const char *id;
	const char *expected; /* one line, canonical, e.g. "#PF(p,u,rsvd) cr2=gva" */
	const char *observed;
	const char *after;    /* state before, for the replay command; NULL = none */
	const char *from;     /* the state behind that one, where the way begins; NULL = that one */
	const char *path;     /* the way from there, for the replay command; NULL = none */
	const char *engine;   /* how the access was made; NULL = natively */
	const char *rule;     /* name of the rule that decided the expectation */
	/*
	 * Registers, role, page-table path...: a new reference, made only when the case is
	 * recorded in full.  May be NULL.
	 */
	json_t *(*detail)(const void *context);
	const void *context;
};

enum case_verdict { CASE_FAILED, CASE_KNOWN };

struct subtest {
	const char *name;
	void (*run)(const struct subtest *self);
	const void *data;
};

/*
 * Runs all subtests that the options select, in order (or shuffled by seed), each in a
 * scope of its own, and returns the process's exit code.  With --jobs other processes, forked
 * from this one, run them and are gone afterwards: what subtests keep in static data for
 * each other, a VM above all, must be made by a subtest, and is not seen here.
 */
int report_run(const struct test_about *about, const struct test_options *options,
	       const struct subtest *subtests, unsigned int nr_subtests);

/* Is a case whose id starts with its subtest's name, as "mov-cr4/4level/wp/la57=1", in this one? */
bool subtest_holds_case(const char *name, const char *id);

/* From within a subtest: n more cases were compared (passing ones included). */
void report_cases(u64 n);
/* So many vCPUs at a time made so many of them per second: the report draws one against the other. */
void report_rate(unsigned int vcpus, u64 per_second);
/* From within a subtest: this case failed.  Says whether a known issue covers it. */
enum case_verdict report_failure(const struct case_failure *failure);
/*
 * Many cases may fail alike.  The known issue that report_failure() would find for each failure
 * with these texts and engine, whatever else it says (-1: that depends); and one more such failure
 * without any text.  False where report_failure() has to be called: to print or to record it.
 */
int report_issue_of_every_case(const char *expected, const char *observed, const char *engine);
bool report_issue_again(int issue);
/* From within a subtest: n more ordered pairs of states were gone through. */
void report_pairs(u64 n);
/*
 * From within a subtest: cases from here on are made by this engine, and counted as its own.
 * Known issues that name it must now match something.
 */
void report_engine(const char *name);
/* True once --max-failures is reached: the subtest should stop early. */
bool report_should_stop(void);
/* A KTAP diagnostic line ("# ..."), also kept in the results. */
void report_note(const char *fmt, ...) __printf(1, 2);

#endif
