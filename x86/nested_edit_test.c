// SPDX-License-Identifier: GPL-2.0-only
/*
 * nested_edit_test - an L1 that changes its nested page tables (NPT) while L2 uses them.
 *
 * Proves: behind a store of L1's to an entry of any level, which takes rights away or gives
 * them, sets NX or a reserved bit, clears A and D, moves a page or table, or makes a large page of a table or the
 * reverse, L2's accesses end as the tables now say, and so do those that KVM emulates for it;
 * under each of two nCR3 that share tables and give different rights.  So it does where L1 drops
 * nothing from the TLB but the page's translation, by INVLPGA.
 *
 * Would catch: shadow pages of nested tables that are not synchronized at VMRUN, kept for
 * another nCR3 or with another parent's rights, and stale pieces of a large page.
 *
 * Needs: /dev/kvm, SVM and nested paging offered to guests.
 */
#include <stdio.h>

#include "nested_edit.h"

#define MAX_PARTS 64

static const struct test_about about = {
	.name = "nested_edit_test",
	.proves = "what L1 changes in nested page tables is what L2's next accesses meet",
	.has_cases = true,
	.tags = "walk,nested",
};

struct part {
	char name[2 * STATE_NAME_LEN + 32];
	struct mmu_state l1, l2;
	enum nested_edit_flush flush;
};

static struct nested_edits *edits;

static void run_part(const struct subtest *self)
{
	const struct part *p = self->data;

	if (!edits)
		edits = nested_edits_create();
	nested_edits_require(edits, &p->l1, &p->l2);
	nested_edits_run(edits, &p->l1, &p->l2, p->flush);
}

/* L1's modes, with and without the bit that changes what entries mean; L2 without and with paging. */
static unsigned int all_parts(struct part *parts)
{
	static const struct mmu_state l1[] = {
		{ MODE_4LEVEL, FLAG_WP | FLAG_NX }, { MODE_4LEVEL, FLAG_WP },
		{ MODE_5LEVEL, FLAG_WP | FLAG_NX }, { MODE_5LEVEL, FLAG_WP },
		{ MODE_PAE, FLAG_WP | FLAG_NX }, { MODE_PAE, FLAG_WP },
		{ MODE_2LEVEL, FLAG_WP | FLAG_PSE }, { MODE_2LEVEL, FLAG_WP },
	};
	static const struct mmu_state l2[] = { { MODE_NOPG, 0 }, { MODE_4LEVEL, FLAG_WP } };
	char l1_name[STATE_NAME_LEN], l2_name[STATE_NAME_LEN];
	unsigned int nr = 0, i, k, flush;

	for (i = 0; i < ARRAY_SIZE(l1); i++)
		for (k = 0; k < ARRAY_SIZE(l2); k++)
			for (flush = 0; flush < NR_EDIT_FLUSHES; flush++) {
				struct part *p = &parts[nr++];

				*p = (struct part){ .l1 = l1[i], .l2 = l2[k], .flush = flush };
				state_name(&p->l1, l1_name);
				state_name(&p->l2, l2_name);
				snprintf(p->name, sizeof(p->name), "%s/over/%s/%s", l1_name, l2_name,
					 nested_edit_flush_names[flush]);
			}
	return nr;
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_PARTS];
	static struct subtest subtests[MAX_PARTS];
	struct test_options options;
	unsigned int nr, i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	if (options.case_id)
		return nested_edit_replay(&options);
	nr = all_parts(parts);
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ parts[i].name, run_part, &parts[i] };
	code = report_run(&about, &options, subtests, nr);
	nested_edits_free(edits);
	return code;
}
