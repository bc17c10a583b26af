/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The summary of a run: what runner.sh and the test binaries wrote, in one object.
 *
 * A run folder holds host.json, run.jsonl (one event per thing the runner did) and,
 * per test, TEST.jsonl (the test's own results).  Any of them may be cut short: the
 * summary then says what is missing and keeps the rest.
 *
 * Totals count subtests.  A test that crashed, hung, was killed, lost results or
 * left a warning in the kernel log counts as one failure more; a test that never
 * started counts as nothing.  "passed" includes those that passed only thanks to
 * known issues, and "known" says how many these are.
 */
#ifndef KMC_SUMMARY_H
#define KMC_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

#include "types.h"

/* The summary of no run at all: every member is there and empty. */
json_t *summary_empty(void);

/* NULL, with one line in error, if the folder is no run folder. */
json_t *summary_build(const char *run_dir, char *error, size_t size);

/* Writes RUN_DIR/summary.json so that a reader sees all of it or nothing; false with errno. */
bool summary_write(const json_t *summary, const char *run_dir);

/* The end of the run for the terminal; the last line is "N passed, N failed, N skipped". */
void summary_print(const json_t *summary, FILE *to);

/* KSFT_FAIL, also for a merged run that lacks a shard; KSFT_SKIP if all was skipped; else KSFT_PASS. */
int summary_exit_code(const json_t *summary);

#endif
