/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that reads a run again, on one that may be damaged in any way. */
#ifndef KMC_FUZZ_READERS_H
#define KMC_FUZZ_READERS_H

#include "junit.h"
#include "known_issues.h"
#include "known_review.h"
#include "ktap.h"
#include "page.h"
#include "run_diff.h"
#include "run_load.h"
#include "run_merge.h"
#include "summary.h"

static inline void read_again(json_t *run, FILE *null)
{
	json_t *twice = json_pack("[O, O]", run, run), *merged;

	page_write(run, null);
	junit_write(run, null);
	ktap_write(run, null);
	run_diff(twice, twice, DIFF_BY_HOST, null);
	merged = runs_merge(twice, "merged");
	page_write(merged, null);
	summary_print(merged, null);
	json_decref(merged);
	json_decref(twice);
}

/* A summary as kmc-report writes it, of two hosts. */
#define FUZZ_SUMMARY                                                                              \
	"{\"format\": 1, \"run\": \"r\", \"started\": \"2026-01-01T00:00:00Z\", \"interrupted\": false," \
	" \"hosts\": [{\"kernel\": \"6.1.0\", \"tdp\": true}, {\"kernel\": \"7.3\", \"cpus\": 2}],"      \
	" \"totals\": {\"passed\": 1, \"failed\": 1}, \"known_issues\": {\"i\": 3}, \"notes\": [],"      \
	" \"tests\": [{\"name\": \"a_test\", \"host\": 1, \"status\": \"fail\", \"own_failure\": true,"  \
	" \"reason\": \"timed out\", \"shards\": [\"1/3\"], \"of_subtests\": 9, \"subtests\": ["         \
	"{\"name\": \"sregs/pae-4level\", \"status\": \"fail\", \"failed\": 1}, {\"name\": \"x\"}]}],"   \
	" \"failures\": [{\"test\": \"a_test\", \"subtest\": \"x\", \"host\": 0, \"case\": \"pae/wp/1\"," \
	" \"rule\": \"a-smep\", \"detail\": {\"registers\": \"cr0 0x1 cr4 0x20\", \"path\": [\"PTE 1, bits p\"]}}]," \
	" \"known_failures\": [{\"known_issue\": \"i\", \"test\": \"a_test\"}], \"damaged\": []}"

#endif
