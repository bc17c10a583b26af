/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subtests of one run in several processes.
 *
 * A VM belongs to the process that made it (KVM refuses ioctls of another mm), and what a test
 * keeps for its subtests is static data: so not threads, and forked before the first subtest.  Each
 * process takes the next subtest as it becomes free.  What it prints is held back until the
 * subtest is over, so that KTAP has each subtest's lines together.
 */
#ifndef KMC_JOBS_H
#define KMC_JOBS_H

#include "totals.h"

/*
 * Has run_one(place) called once for each place from 0 to nr - 1: by this process if jobs is 1, else
 * by so many others, which are gone when this returns.  Should one of them crash or exit
 * by itself, the others finish what they have begun, and this process ends in the same way.
 */
void jobs_run(struct run_totals *totals, unsigned int jobs, unsigned int nr,
	      void (*run_one)(unsigned int place));

/* Around what a process prints of a finished subtest, and adds to the totals. */
void jobs_lock(void);
void jobs_unlock(struct run_totals *totals);

#endif
