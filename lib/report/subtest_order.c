// SPDX-License-Identifier: GPL-2.0-only
/* Which subtests a run has, and in which order. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "subtest_order.h"
#include "test_assert.h"

/* splitmix64: any seed, 0 included, gives a good order. */
static u64 next_random(u64 *state)
{
	u64 x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* A shard is the same set of subtests whatever else is asked for. */
static bool selected(const struct test_options *options, const char *name, unsigned int place)
{
	if (options->nr_shards && place % options->nr_shards != options->shard - 1)
		return false;
	return !options->filter || !fnmatch(options->filter, name, FNM_EXTMATCH);
}

unsigned int *subtest_order(const struct test_about *about, const struct test_options *options,
			    const struct subtest *subtests, unsigned int nr,
			    unsigned int *nr_selected)
{
	unsigned int *order = calloc(nr + 1, sizeof(order[0])), i, j, swap;
	u64 state = options->seed;

	TEST_ASSERT(order, "out of memory");
	*nr_selected = 0;
	for (i = 0; i < nr; i++)
		if (selected(options, subtests[i].name, i))
			order[(*nr_selected)++] = i;
	if (!*nr_selected) {
		fprintf(stderr, "%s: no subtest matches '%s'%s, see --list\n", about->name,
			options->filter ? options->filter : "*",
			options->nr_shards ? " in this shard" : "");
		exit(KSFT_USAGE);
	}
	for (i = *nr_selected; options->shuffle && i > 1; i--) {
		j = next_random(&state) % i;
		swap = order[j];
		order[j] = order[i - 1];
		order[i - 1] = swap;
	}
	return order;
}

bool subtests_list(const struct subtest *subtests, const unsigned int *order, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		puts(subtests[order[i]].name);
	return !fflush(stdout);
}
