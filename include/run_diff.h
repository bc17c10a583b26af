/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two sets of runs compared, subtest by subtest.
 *
 * A subtest newly fails if it failed in the second set and did not in the first, also if it was
 * not there; of one that failed in both its newly failing cases are told if the first set has
 * them all on record.  Where a set has several results for one subtest the worst counts.
 */
#ifndef KMC_RUN_DIFF_H
#define KMC_RUN_DIFF_H

#include <jansson.h>
#include <stdio.h>

#include "types.h"

enum diff_by {
	DIFF_BY_SUBTEST, /* the same subtest; of several hosts and kernels on the same ones */
	DIFF_BY_HOST,	 /* the same subtest on the same host, whatever the kernel */
	DIFF_BY_KERNEL,	 /* the same subtest on the same kernel, whatever the host */
};

/* a and b are lists that runs_load() gave.  Does something newly fail? */
bool run_diff(const json_t *a, const json_t *b, enum diff_by by, FILE *to);

#endif
