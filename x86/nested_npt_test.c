// SPDX-License-Identifier: GPL-2.0-only
/*
 * nested_npt_test - the walk of an L1's nested page tables (NPT), for accesses of L2.
 *
 * Proves: L1's registers at VMRUN (its paging mode, EFER.NX; and none of CR0.WP, CR4.SMEP, SMAP,
 * PKE) say how nested tables are read, and L2's registers how L2's are; each variant of each
 * nested entry, met by an access to a page or by the walk of L2's own tables, ends as the
 * manual says: completes, faults in L2, or exits to L1 with the right EXITINFO1, EXITINFO2 and RIP.
 *
 * Would catch: L1's or L2's bits that reach the other's walk (SMEP of L1 in the role of the
 * shadow NPT, WP, NX, LA57), reserved bits looked at in the wrong mode, error codes
 * without U, P, RSVD or I/D, an exit that does not say whether L2's tables or its page was
 * wanted, shadow pages kept from another L1 role.
 *
 * Needs: /dev/kvm, SVM and nested paging offered to guests.  Subtests are
 * pairs/L1-STATE: a few entries in each L2 mode; entries/L1-STATE/over/L2-STATE: all of them;
 * ENGINE/L1-STATE: a few by another engine; ncr3/L1-STATE: roots, legal and not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l1.h"
#include "nested_case.h"
#include "report.h"

#define MAX_SUBTESTS 512
#define MAX_CHOICES 4096

static const struct test_about about = {
	.name = "nested_npt_test",
	.proves = "nested page tables are walked by L1's registers, L2's by L2's, and exits say why",
	.has_cases = true,
	.engines = NESTED_HOWS,
	.tags = "walk,nested",
};

/* Modes that an L1 can be in: compatibility mode walks what 64-bit code does. */
static const enum state_mode l1_modes[] = { MODE_4LEVEL, MODE_5LEVEL, MODE_PAE, MODE_2LEVEL };

/* A subtest. */
struct part {
	char name[2 * STATE_NAME_LEN + 32];
	struct mmu_state l1, l2;
	bool all; /* every entry; else a few, in every L2 mode */
	bool roots; /* not entries, but nCR3 */
	enum nested_how how;
};

static struct nested_rig *rig;

static void prepare(const struct mmu_state *l1, const struct mmu_state *l2)
{
	if (!rig)
		rig = nested_rig_create();
	nested_rig_require(rig, l1, l2);
}

/* One right missing, a reserved bit, NX, at each level; nothing is missing in the first. */
static u32 witness_choices(const struct mmu_state *l1, struct nested_choice *choices)
{
	static const u64 changed[] = { PTE_P, PTE_W, PTE_U, PTE_NX, BIT_ULL(51), PTE_A, PTE_D };
	u32 nr = 0, i;
	int level, v;

	choices[nr++] = (struct nested_choice){ { 0 } };
	/* The top level's variants have a root each, and so cost an entry to L2 each. */
	for (level = nested_top_level(l1) > 2 ? nested_top_level(l1) - 1 : 2; level >= 1; level--) {
		const struct variant_list *list = nested_rig_variants(rig, l1, level);

		for (i = 0; i < ARRAY_SIZE(changed); i++) {
			v = variant_find(list, list->bits[0] ^ changed[i]);
			if (v < 0)
				continue;
			choices[nr] = (struct nested_choice){ { 0 } };
			choices[nr++].variant[level] = v;
		}
	}
	return nr;
}

/* Behind a page or nothing at all the entries of lower levels are not looked at. */
static bool leads_to_table(const struct variant_list *list, u16 i)
{
	return list->bits[i] & PTE_P && !(list->bits[i] & PTE_PS && list->ps_is_page);
}

/*
 * A PDPTE that points beyond MAXPHYADDR makes every KVM up to 7.3 WARN, and ends the vCPU's run
 * or L2 (docs/findings.md): a host with panic_on_warn would be gone.  --case tries it.
 */
static bool takes_kvm_down(const struct mmu_state *l1, int level, u64 bits)
{
	return l1->mode == MODE_PAE && level == 3 && bits & PTE_P &&
	       bits >> nested_rig_guest(rig)->cpu.maxphyaddr;
}

/* Each variant of each level alone; then rights of one level with rights of the next. */
static u32 all_choices(const struct mmu_state *l1, struct nested_choice *choices)
{
	u32 nr = 0;
	int level;
	u16 i, k;

	choices[nr++] = (struct nested_choice){ { 0 } };
	for (level = nested_top_level(l1); level >= 1; level--) {
		const struct variant_list *list = nested_rig_variants(rig, l1, level);

		for (i = 1; i < list->nr && nr < MAX_CHOICES; i++) {
			if (takes_kvm_down(l1, level, list->bits[i]))
				continue;
			choices[nr] = (struct nested_choice){ { 0 } };
			choices[nr++].variant[level] = i;
		}
	}
	for (level = 3; level > 1; level--) {
		const struct variant_list *high, *low = nested_rig_variants(rig, l1, level - 1);

		if (level >= nested_top_level(l1) && level > 2)
			continue;
		high = nested_rig_variants(rig, l1, level);
		for (i = 1; i < high->nr_rights; i++)
			for (k = 1; leads_to_table(high, i) && k < low->nr_rights && nr < MAX_CHOICES; k++) {
				choices[nr] = (struct nested_choice){ { 0 } };
				choices[nr].variant[level] = i;
				choices[nr++].variant[level - 1] = k;
			}
	}
	return nr;
}

static void run_access(struct nested_case like, const struct nested_choice *choices, u32 nr)
{
	unsigned int table;

	for (table = 0; table < 2 && !report_should_stop(); table++) {
		like.table = table;
		if (!nested_how_unsupported(nested_rig_guest(rig), &like))
			nested_cases_run(rig, &like, choices, nr);
	}
}

/* few: reads and fetches of the supervisor, writes of the user. */
static void run_accesses(const struct part *part, const struct mmu_state *l2,
			 const struct nested_choice *choices, u32 nr, bool few)
{
	static const struct actor actors[] = { { 0, false }, { 3, false } };
	struct nested_case like = { .l1 = part->l1, .l2 = *l2, .how = part->how };
	unsigned int i, access;

	for (i = 0; i < ARRAY_SIZE(actors); i++)
		for (access = AGENT_READ; access <= AGENT_FETCH; access++) {
			if (few && (access == AGENT_WRITE) != (actors[i].cpl == 3))
				continue;
			like.actor = actors[i];
			like.access = access;
			run_access(like, choices, nr);
		}
}

static void require_way(enum nested_how how)
{
	const struct nested_case read = { .l2 = { MODE_4LEVEL, FLAG_WP }, .how = how };
	const char *missing = nested_how_unsupported(nested_rig_guest(rig), &read);

	TEST_REQUIRE(!missing, "engine %s: %s", nested_how_names[how], missing);
	report_engine(nested_how_names[how]);
}

static void run_part(const struct subtest *self)
{
	static struct nested_choice choices[MAX_CHOICES];
	const struct part *part = self->data;
	struct mmu_state l2;
	unsigned int mode, full;
	u32 nr;

	prepare(&part->l1, part->all ? &part->l2 : NULL);
	require_way(part->how);
	if (part->roots) {
		nested_roots_run(rig, &part->l1);
		return;
	}
	if (part->all) {
		nr = all_choices(&part->l1, choices);
		run_accesses(part, &part->l2, choices, nr, false);
		return;
	}
	nr = witness_choices(&part->l1, choices);
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		for (full = 0; full < 2; full++) {
			const struct state_mode_info *m = &state_modes[mode];

			/* Nothing but SMAP and SMEP would keep supervisors from the user's pages. */
			l2 = (struct mmu_state){ mode, full ? (m->used | m->ignored) &
						       ~(FLAG_SMAP | FLAG_SMEP) : 0 };
			if (!state_missing(&l2, &nested_rig_guest(rig)->cpu))
				run_accesses(part, &l2, choices, nr, true);
		}
}

/* Every entry: L1 with and without the bit that changes their format, one L2 of each mode. */
static unsigned int add_entries(struct part *parts)
{
	static const enum state_mode l2_modes[] = { MODE_NOPG, MODE_2LEVEL, MODE_PAE, MODE_4LEVEL,
						    MODE_5LEVEL };
	char l1[STATE_NAME_LEN], l2[STATE_NAME_LEN];
	unsigned int nr = 0, i, k, bit;

	for (i = 0; i < ARRAY_SIZE(l1_modes); i++)
		for (bit = 0; bit < 2; bit++)
			for (k = 0; k < ARRAY_SIZE(l2_modes); k++) {
				struct part *p = &parts[nr++];
				u8 flag = l1_modes[i] == MODE_2LEVEL ? FLAG_PSE : FLAG_NX;

				*p = (struct part){ .l1 = { l1_modes[i], FLAG_WP | bit * flag },
						    .l2 = { l2_modes[k], FLAG_WP }, .all = true };
				state_name(&p->l1, l1);
				state_name(&p->l2, l2);
				snprintf(p->name, sizeof(p->name), "entries/%s/over/%s", l1, l2);
			}
	return nr;
}

/* A few entries, in each L2 mode: every state of L1. */
static unsigned int add_pairs(struct part *parts)
{
	char l1[STATE_NAME_LEN];
	unsigned int nr = 0, i, k;

	for (i = 0; i < ARRAY_SIZE(l1_modes); i++)
		for (k = 0; state_nth(l1_modes[i], k, &parts[nr].l1); k++) {
			state_name(&parts[nr].l1, l1);
			snprintf(parts[nr].name, sizeof(parts[nr].name), "pairs/%s", l1);
			nr++;
		}
	return nr;
}

/* The same by other ways than L2's CPU: of L1's states those with no bit, and with all. */
static unsigned int add_ways(struct part *parts)
{
	char l1[STATE_NAME_LEN];
	unsigned int nr = 0, i, all, how;

	for (how = NESTED_BY_L2 + 1; how < NR_NESTED_HOWS; how++)
		for (i = 0; i < ARRAY_SIZE(l1_modes); i++)
			for (all = 0; all < 2; all++) {
				struct part *p = &parts[nr++];

				p->how = how;
				p->l1.mode = l1_modes[i];
				p->l1.flags = all ? state_modes[l1_modes[i]].used : 0;
				state_name(&p->l1, l1);
				snprintf(p->name, sizeof(p->name), "%s/%s", nested_how_names[how],
					 l1);
			}
	return nr;
}

static unsigned int add_roots(struct part *parts)
{
	char l1[STATE_NAME_LEN];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(l1_modes); i++) {
		parts[i].roots = true;
		parts[i].l1 = (struct mmu_state){ l1_modes[i], FLAG_WP };
		state_name(&parts[i].l1, l1);
		snprintf(parts[i].name, sizeof(parts[i].name), NESTED_ROOT_PREFIX "%s", l1);
	}
	return i;
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_SUBTESTS];
	static struct subtest subtests[MAX_SUBTESTS];
	struct test_options options;
	unsigned int nr, i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	if (options.case_id)
		return nested_case_replay(&options);
	nr = add_entries(parts);
	nr += add_pairs(&parts[nr]);
	nr += add_ways(&parts[nr]);
	nr += add_roots(&parts[nr]);
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ parts[i].name, run_part, &parts[i] };
	code = report_run(&about, &options, subtests, nr);
	nested_rig_free(rig);
	return code;
}
