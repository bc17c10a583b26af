// SPDX-License-Identifier: GPL-2.0-only
/* Ids of nested cases: what is written is read again, and what cannot be is refused. */
#include <stdio.h>
#include <string.h>

#include "nested_case.h"

static unsigned int number, failed;

static void result(bool good, const char *what)
{
	printf("%sok %u %s\n", good ? "" : "not ", ++number, what);
	failed += !good;
}

static bool same(const struct nested_case *a, const struct nested_case *b)
{
	return a->l1.mode == b->l1.mode && a->l1.flags == b->l1.flags &&
	       a->l2.mode == b->l2.mode && a->l2.flags == b->l2.flags &&
	       a->actor.cpl == b->actor.cpl && a->access == b->access && a->table == b->table &&
	       !memcmp(a->entry, b->entry, sizeof(a->entry));
}

/* Every variant of every level, from L1s of each format. */
static bool round_trips(enum state_mode mode)
{
	static const struct cpu_facts cpu = { .vendor = VENDOR_AMD, .maxphyaddr = 40, .lm = true,
					      .nx = true, .gbpages = true, .pse36 = true };
	struct nested_case read, c = {
		.l1 = { mode, FLAG_WP | (mode == MODE_2LEVEL ? FLAG_PSE : FLAG_NX) },
		.actor = { 3, false },
	};
	const struct nested_tables tables = nested_tables_of(&c.l1, 0);
	struct variant_list list;
	char id[NESTED_CASE_ID_LEN];
	int level, top = nested_top_level(&c.l1);
	u16 i;

	for (level = 1; level <= top; level++)
		c.entry[level] = nested_variant_full(&tables, level);
	for (level = 1; level <= top; level++) {
		nested_variants_of(&tables, level, &cpu, &list);
		for (i = 0; i < list.nr; i++) {
			c.entry[level] = list.bits[i];
			c.access = i % 3;
			c.table = i % 2;
			c.l2.mode = i % NR_STATE_MODES;
			nested_case_id(&c, id);
			if (nested_case_parse(id, &read) || !same(&c, &read)) {
				printf("# %s\n", id);
				return false;
			}
		}
		c.entry[level] = nested_variant_full(&tables, level);
	}
	return true;
}

int main(void)
{
	static const char *const bad[] = {
		"", "4level/wp", "4level/wp/over/", "4level/wp/over/nopg", "nopg/-/over/nopg/-/cpl0/read/page",
		"pae/-/over/pae/-/cpl0/read", "pae/-/over/pae/-/cpl0/read/page",
		"pae/-/over/pae/-/cpl0/read/page/3=p/2=p", "pae/-/over/pae/-/cpl0/read/page/3=p/2=p/1=p/0=p",
		"pae/-/over/pae/-/cpl0/read/pages/3=p/2=p/1=p", "pae/-/over/pae/-/cpl1/read/page/3=p/2=p/1=p",
		"pae/x/over/pae/-/cpl0/read/page/3=p/2=p/1=p", "pae/-/over/pae/x/cpl0/read/page/3=p/2=p/1=p",
	};
	struct nested_case c;
	bool good = true;
	unsigned int i;

	printf("KTAP version 1\n1..5\n");
	result(round_trips(MODE_2LEVEL), "ids of cases with a 2-level L1");
	result(round_trips(MODE_PAE), "PAE");
	result(round_trips(MODE_4LEVEL), "4-level");
	result(round_trips(MODE_5LEVEL), "5-level");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!nested_case_parse(bad[i], &c)) {
			printf("# accepted: '%s'\n", bad[i]);
			good = false;
		}
	result(good, "malformed ids are refused");
	return failed != 0;
}
