// SPDX-License-Identifier: GPL-2.0-only
/* Ids of cases under EPT: what is written is read again, and what cannot be is refused. */
#include <stdio.h>
#include <string.h>

#include "l2_ept.h"

static unsigned int number, failed;

static void result(bool good, const char *what)
{
	printf("%sok %u %s\n", good ? "" : "not ", ++number, what);
	failed += !good;
}

static bool same(const struct ept_case *a, const struct ept_case *b)
{
	return a->state.mode == b->state.mode && a->state.flags == b->state.flags &&
	       a->actor.cpl == b->actor.cpl && a->actor.ac == b->actor.ac &&
	       a->access == b->access && a->l2.top == b->l2.top && a->l2.leaf == b->l2.leaf &&
	       a->levels == b->levels && a->ad == b->ad && a->target == b->target &&
	       !memcmp(a->ept, b->ept, sizeof(a->ept));
}

static bool is_read_again(const struct ept_case *c)
{
	char id[EPT_CASE_ID_LEN];
	struct ept_case read;

	ept_case_id(c, id);
	if (!ept_case_parse(id, &read) && same(c, &read))
		return true;
	printf("# %s\n", id);
	return false;
}

/* Every variant of every level; what else a case has changes along. */
static bool round_trips(enum state_mode mode, u8 target)
{
	static const struct cpu_facts cpu = { .vendor = VENDOR_INTEL, .maxphyaddr = 40, .lm = true,
					      .nx = true, .gbpages = true, .pse36 = true };
	static const struct nested_tables ept = { .kind = NESTED_EPT };
	struct ept_case c = { .state = { mode, FLAG_WP }, .target = target };
	struct variant_list list;
	int level, top, leaf;
	u16 i;

	l2_varied_levels(&c.state, target, &top, &leaf);
	for (level = 1; level <= 4; level++)
		c.ept[level] = nested_variant_full(&ept, level);
	for (level = 1; level <= 4; level++) {
		nested_variants_of(&ept, level, &cpu, &list);
		for (i = 0; i < list.nr; i++) {
			c.ept[level] = list.bits[i];
			c.access = i % 3;
			c.actor = all_actors[i % NR_ACTORS];
			c.levels = 4 + i / 2 % 2;
			c.ad = i % 2;
			c.l2.top = top ? PTE_P | (i & 1 ? PTE_W : PTE_U) : 0;
			c.l2.leaf = leaf ? PTE_P | (i & 2 ? PTE_W : PTE_A) : 0;
			if (!is_read_again(&c))
				return false;
		}
		c.ept[level] = nested_variant_full(&ept, level);
	}
	return true;
}

static bool all_targets(enum state_mode mode)
{
	const struct mmu_state state = { mode, FLAG_WP };
	bool good = true;
	u8 target;

	for (target = 0; target < NR_L2_TARGETS; target++)
		good &= !l2_has_target(&state, target) || round_trips(mode, target);
	return good;
}

/* What is taken out of a good one, and what is put in its place. */
static const struct {
	const char *from, *to;
} bad[] = {
	{ "4level/wp", "4level/x" }, { "cpl0", "cpl1" }, { "read", "ldt" },
	{ "ept4", "ept3" }, { "ept4", "ept6" }, { "ept4", "ept" }, { "-ad", "-da" },
	{ "/data", "/page" }, { "/data", "/table0" }, { "/data", "/table4" }, { "/4=r", "" },
	{ "/1=r", "" }, { "1=r", "1=q" }, { "1=r", "1=r/0=r" }, { "4=r", "4=" },
	{ "/read/", "/read/9=p/" },
};

/* Are they refused, and is the good one taken? */
static bool refuses(void)
{
	char good[EPT_CASE_ID_LEN], id[2 * EPT_CASE_ID_LEN];
	struct ept_case c = { .state = { MODE_4LEVEL, FLAG_WP }, .levels = 4, .ad = true };
	bool all = true;
	unsigned int i;
	int level, top, leaf;

	l2_varied_levels(&c.state, 0, &top, &leaf);
	c.l2.top = top ? PTE_P : 0;
	c.l2.leaf = leaf ? PTE_P : 0;
	for (level = 1; level <= 4; level++)
		c.ept[level] = EPT_R;
	ept_case_id(&c, good);
	all = is_read_again(&c) && ept_case_parse("", &c);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *at = strstr(good, bad[i].from);

		snprintf(id, sizeof(id), "%.*s%s%s", at ? (int)(at - good) : 0, good, bad[i].to,
			 at ? at + strlen(bad[i].from) : "");
		if (!at || !ept_case_parse(id, &c)) {
			printf("# accepted: '%s'\n", id);
			all = false;
		}
	}
	return all;
}

int main(void)
{
	int mode;

	printf("KTAP version 1\n1..%d\n", NR_STATE_MODES + 1);
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		result(all_targets(mode), state_modes[mode].name);
	result(refuses(), "malformed ids are refused");
	return failed != 0;
}
