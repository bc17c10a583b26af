// SPDX-License-Identifier: GPL-2.0-only
/* What a run of a test has come to. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "totals.h"
#include "test_assert.h"

static size_t totals_size(unsigned int nr_issues)
{
	return sizeof(struct run_totals) + nr_issues;
}

struct run_totals *run_totals_new(unsigned int nr_issues)
{
	struct run_totals *totals = mmap(NULL, totals_size(nr_issues), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(totals != MAP_FAILED, "out of memory");
	return totals;
}

void run_totals_free(struct run_totals *totals, unsigned int nr_issues)
{
	munmap(totals, totals_size(nr_issues));
}

void run_totals_add_engines(struct run_totals *totals, json_t *engines)
{
	const char *name;
	json_t *cases;
	int i;

	json_object_foreach(engines, name, cases)
		for (i = 0; i < MAX_COUNTED_ENGINES; i++) {
			if (totals->engines[i].name[0] && strcmp(totals->engines[i].name, name))
				continue;
			snprintf(totals->engines[i].name, ENGINE_NAME_LEN, "%s", name);
			totals->engines[i].cases += json_integer_value(cases);
			break;
		}
}

void run_totals_print(const struct run_totals *totals)
{
	int i;

	for (i = 0; i < MAX_COUNTED_ENGINES && totals->engines[i].name[0]; i++)
		printf("# engine %s: %" PRIu64 " cases\n", totals->engines[i].name,
		       totals->engines[i].cases);
	printf("# cases: %" PRIu64 "\n", totals->cases);
	if (totals->pairs)
		printf("# pairs: %" PRIu64 "\n", totals->pairs);
	printf("# Totals: pass:%" PRIu64 " fail:%" PRIu64 " xfail:%" PRIu64
	       " xpass:0 skip:%" PRIu64 " error:0\n",
	       totals->by_status[PASS], totals->by_status[FAIL], totals->by_status[KNOWN],
	       totals->by_status[SKIP]);
}
