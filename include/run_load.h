/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs, read again: for the report, for comparing and for merging.
 *
 * A run is a folder that runner.sh made, finished or not, or one with a summary.json alone (what
 * merging makes), or such a file itself.  All become the object of include/summary.h.
 */
#ifndef KMC_RUN_LOAD_H
#define KMC_RUN_LOAD_H

#include <jansson.h>

#include "types.h"

/*
 * NULL, with one line in error, if there is no run or its summary cannot be read.  What the lab
 * noted about its host is added as "lab".
 */
json_t *run_load(const char *path, char *error, size_t size);

/*
 * The run at path, or all below it (the folder of a lab matrix, of a fleet): a list in the
 * order of their names.  NULL, with one line in error, if one cannot be read or there is none.
 */
json_t *runs_load(const char *path, char *error, size_t size);

/* The host card of a run; of a test or failure of a merged run its own. */
const json_t *host_card_of(const json_t *run, const json_t *of);

/* Does the failing case belong to this subtest of the test? */
bool is_failure_of(const json_t *failure, const json_t *test, const char *subtest);

/* Of several results the one with the highest counts: skip, pass, known, fail; -1: none of them. */
int status_rank(const json_t *of);

#define HOST_LABEL_LEN 128
/*
 * Which host, in a few words that are the same for equal hosts: "kvm_amd NPT qemu-tcg".  Of a
 * subtest or failure of a merged run its own, else that of the run.
 */
void host_label(const json_t *run, const json_t *of, char label[HOST_LABEL_LEN]);
/* Its kernel, as "6.1.0-56-cloud-amd64"; "unknown kernel" if nobody knows. */
const char *host_kernel(const json_t *run, const json_t *of);

#define HOST_TITLE_LEN 512
/*
 * Label and kernel: "kvm_amd NPT, 6.1.0".  Hosts of a merged run that these leave alike have in it
 * what they differ in ("apart" of the card, see include/run_merge.h).
 */
void host_title(const json_t *run, const json_t *of, char title[HOST_TITLE_LEN]);

#define TEST_TITLE_LEN (HOST_TITLE_LEN + 256)
/* A test's name; of a run of several hosts with its host's: "walk_test on kvm_amd NPT, 6.1.0". */
void test_title(const json_t *run, const json_t *test, char title[TEST_TITLE_LEN]);

#endif
