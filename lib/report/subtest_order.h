/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMC_SUBTEST_ORDER_H
#define KMC_SUBTEST_ORDER_H

#include "report.h"

/*
 * The places of the subtests that filter and shard select, in the order they run, shuffled by the
 * seed if there is one; the caller frees it.
 */
unsigned int *subtest_order(const struct test_options *options, const struct subtest *subtests,
			    unsigned int nr, unsigned int *nr_selected);

#endif
