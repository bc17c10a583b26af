/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run of a test has come to: all its processes (jobs.h) see the same. */
#ifndef KMC_TOTALS_H
#define KMC_TOTALS_H

#include <jansson.h>

#include "types.h"

enum status { PASS, FAIL, SKIP, KNOWN, NR_STATUS };

#define MAX_COUNTED_ENGINES 32
#define ENGINE_NAME_LEN 32

struct run_totals {
	u64 cases, pairs;     /* of finished subtests */
	u64 failed;	      /* cases of all subtests; counted by an atomic operation */
	u64 by_status[NR_STATUS];
	unsigned int next;    /* place of the subtest to be taken next; atomic, too */
	unsigned int printed; /* results on stdout */
	bool incomplete;      /* a subtest was ended by an assertion or was never run */
	bool stop;	      /* no process takes another one */
	bool write_failed;    /* stdout or the results file of some process */
	struct {
		char name[ENGINE_NAME_LEN];
		u64 cases;
	} engines[MAX_COUNTED_ENGINES];
	u8 issues_seen[];     /* known_issue_seen() of each known issue, of all processes */
};

/* Zeroed, and shared with processes forked later. */
struct run_totals *run_totals_new(unsigned int nr_issues);
void run_totals_free(struct run_totals *totals, unsigned int nr_issues);

/* Adds an object of numbers of cases by engine. */
void run_totals_add_engines(struct run_totals *totals, json_t *engines);
/* Their lines of KTAP, the last of a test. */
void run_totals_print(const struct run_totals *totals);

#endif
