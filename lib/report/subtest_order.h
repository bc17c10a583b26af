/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMC_SUBTEST_ORDER_H
#define KMC_SUBTEST_ORDER_H

#include "report.h"

/*
 * The places of the subtests that filter and shard select, in the order they run, shuffled by the
 * seed if there is one; the caller frees it.  If there are none that is said on stderr, and the process
 * exits with KSFT_USAGE.
 */
unsigned int *subtest_order(const struct test_about *about, const struct test_options *options,
			    const struct subtest *subtests, unsigned int nr,
			    unsigned int *nr_selected);
/* Prints their names in that order; false if they could not be written. */
bool subtests_list(const struct subtest *subtests, const unsigned int *order, unsigned int nr);

#endif
