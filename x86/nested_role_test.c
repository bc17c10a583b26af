// SPDX-License-Identifier: GPL-2.0-only
/*
 * nested_role_test - the role words of the pages that KVM makes for a nested guest.
 *
 * Proves: every page that KVM makes while L2 runs has, field by field, the role that the role
 * rules give: with nested paging that of L1's nested tables, computed from L1's registers as of
 * VMRUN or from EPTP; without, that of L2's registers; with guest_mode, as no page of L1 has it.
 * The root is there, at the host's level, passthrough where L1 has one level less.
 *
 * Would catch: L2's registers in the role of nested tables, or the vCPU's; guest_mode,
 * passthrough, ad_disabled lost; L1's CR0.WP or CR4.PKE counted; a root of the wrong level. What
 * of it changes no translation shows here alone.
 *
 * Needs: /dev/kvm that offers SVM or VMX to guests, root, tracefs, BTF.  A subtest is a state of
 * L1, or an EPTP; each has L2 in several states.  On VMX L1's own registers are to count for
 * nothing but L1's own pages.
 */
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "l1.h"
#include "nested_role.h"
#include "report.h"
#include "role_observer.h"
#include "test_assert.h"

#define MAX_SUBTESTS 256

static const struct test_about about = {
	.name = "nested_role_test",
	.proves = "the pages that KVM makes for a nested guest have the roles that the rules say",
	.tags = "role,whitebox,nested",
};

struct part {
	char name[STATE_NAME_LEN + 16];
	struct mmu_state l1;
	bool nested;
	bool ad; /* EPTP bit 6 */
};

static struct guest *guest;
static struct role_layout layout;
static struct role_observer *observer;

/* L2's states: no bit, each bit that a role may have alone, and all; and 32-bit ones. */
static const struct mmu_state l2_states[] = {
	{ MODE_4LEVEL, 0 },
	{ MODE_4LEVEL, FLAG_WP },
	{ MODE_4LEVEL, FLAG_SMEP },
	{ MODE_4LEVEL, FLAG_SMAP },
	{ MODE_4LEVEL, FLAG_NX },
	{ MODE_4LEVEL, FLAG_WP | FLAG_SMEP | FLAG_SMAP | FLAG_NX },
	{ MODE_5LEVEL, FLAG_WP },
	{ MODE_PAE, FLAG_WP | FLAG_NX },
	{ MODE_2LEVEL, FLAG_WP | FLAG_PSE },
	{ MODE_NOPG, 0 },
};

/* What is expected of the pages of a run, and what was seen. */
struct expectation {
	const struct part *part;
	const struct mmu_state *l2;
	struct mmu_role root, l1;
	u8 top; /* level of the uppermost page that has a role: KVM adds some above */
	u64 pages, tops;
};

static void prepare(const struct part *part)
{
	static const char *unusable;
	static char why[OBSERVER_WHY_LEN];
	static bool done;
	const char *missing;

	if (!done) {
		done = true;
		unusable = role_layout_read(&layout);
		if (!unusable) {
			observer = role_observer_open(why);
			unusable = observer ? NULL : why;
		}
	}
	TEST_REQUIRE(!unusable, "%s", unusable);
	if (!guest)
		guest = guest_create(NULL);
	missing = l1_lacks(guest, part->nested);
	TEST_REQUIRE(!missing, "%s", missing);
	missing = state_missing(&part->l1, &guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	if (guest->cpu.vendor == VENDOR_INTEL) {
		TEST_REQUIRE(state_modes[part->l1.mode].code64, "an L1 for VMX is 64-bit code");
		TEST_REQUIRE(part->l1.mode != MODE_5LEVEL || l1_ept_caps(guest).walk_5,
			     "no 5-level EPT is offered");
		TEST_REQUIRE(!part->ad || l1_ept_caps(guest).ad,
			     "no A/D flags for EPT are offered");
	} else {
		TEST_REQUIRE(!part->ad, "NPT has no such flag");
	}
}

static struct nested_tables tables_of(const struct part *part, u64 root)
{
	const struct role_regs regs = state_regs(&part->l1);
	bool ept = guest->cpu.vendor == VENDOR_INTEL;

	return (struct nested_tables){
		.kind = ept ? NESTED_EPT : NESTED_NPT,
		.root = root,
		.l1_cr4 = regs.cr4,
		.l1_efer = regs.efer,
		.caps = ept ? l1_ept_caps(guest) : (struct ept_caps){ 0 },
	};
}

static void expect(struct expectation *e, u64 root)
{
	struct role_context context =
		role_context_of_host(&guest->vm->card, layout.rules, &guest->cpu);
	const struct nested_tables tables = tables_of(e->part, root);
	const struct walk_regs regs = guest_walk_regs(guest, e->l2);
	const struct role_regs l2 = state_regs(e->l2), l1 = state_regs(&e->part->l1);
	struct nested_roles roles;

	e->l1 = guest->vm->card.tdp == YES ? kvm_calc_tdp_mmu_root_page_role(&context, &l1) :
					     kvm_calc_shadow_mmu_root_page_role(&context, &l1);
	context.guest_mode = true;
	if (e->part->nested) {
		nested_roles_of(&context, &tables, &regs, &roles);
		e->root = roles.root;
		e->top = roles.walk.level >= 4 ? roles.root.level : 2;
		return;
	}
	e->root = guest->vm->card.tdp == YES ? kvm_calc_tdp_mmu_root_page_role(&context, &l2) :
					       kvm_calc_shadow_mmu_root_page_role(&context, &l2);
	/* A PAE root is no page that has a role. */
	e->top = e->root.level == 3 ? 2 : e->root.level;
}

/* A page at this level, as far as one is like the other: tables differ in rights and places. */
static struct mmu_role like_root(const struct expectation *e, const struct mmu_role *seen)
{
	struct mmu_role role = seen->guest_mode ? e->root : e->l1;

	if (seen->level < e->top)
		role.passthrough = 0;
	/* Bit 10 of an EPT entry, which L1 leaves 0, is a right in 7 (FNAME(gpte_access)). */
	if (seen->level < e->top && guest->cpu.vendor == VENDOR_INTEL &&
	    layout.rules >= ROLE_RULES_7)
		role.access &= ~NESTED_ACC_USER_EXEC;
	role.level = seen->level;
	role.quadrant = seen->quadrant;
	/* L1's nested tables give all rights by 4-KByte pages; others may be anything. */
	if (!e->part->nested || !seen->guest_mode) {
		role.access = seen->access;
		role.direct = seen->direct;
	}
	return role;
}

static void look(const struct role_event *event, void *context)
{
	struct expectation *e = context;
	const struct mmu_role seen = role_from_word(&layout, event->word);
	const struct mmu_role role = like_root(e, &seen);
	const u32 word = role_word(&layout, &role);
	char id[2 * STATE_NAME_LEN + 32], l2[STATE_NAME_LEN];
	char expected[ROLE_TEXT_LEN], observed[ROLE_TEXT_LEN];

	e->pages++;
	e->tops += seen.guest_mode && seen.level == e->top;
	if (word == event->word && (!seen.guest_mode || seen.level <= e->top))
		return;
	state_name(e->l2, l2);
	snprintf(id, sizeof(id), "%s/over/%s/gfn=%#llx", e->part->name, l2,
		 (unsigned long long)event->gfn);
	role_word_text(&layout, word, expected);
	role_word_text(&layout, event->word, observed);
	report_failure(&(struct case_failure){
		.id = id,
		.expected = expected,
		.observed = observed,
		.rule = role_word_differs(&layout, word, event->word),
	});
}

static void ignore(const struct role_event *event, void *context)
{
	(void)event;
	(void)context;
}

static void read_events(void (*each)(const struct role_event *event, void *context), void *context)
{
	const char *wrong = role_observer_read(observer, each, context);

	TEST_ASSERT(!wrong, "%s", wrong);
}

/* One read by L2, from no page at all on. */
static void run_l2(const struct part *part, const struct mmu_state *state)
{
	const gva_t gva = AGENT_PROBE;
	struct l1_setup setup = { .state = part->l1, .nested = part->nested };
	struct expectation e = { .part = part, .l2 = state };
	struct agent_result result;
	struct agent_batch batch = {
		.state = *state, .in_l2 = true, .gvas = &gva, .nr = 1, .results = &result,
	};
	const char *why;

	if (part->nested)
		setup.root = l1_identity(guest, part->l1.mode, 1) | (part->ad ? EPTP_AD : 0);
	why = l1_use(guest, &setup);
	TEST_ASSERT(!why, "an L1 needs %s", why);
	expect(&e, setup.root);
	vm_drop_pages(guest->vm, DROP_GPA);
	read_events(ignore, NULL);
	agent_run(guest, &batch);
	TEST_ASSERT(result.status == STATUS_DONE, "L2's access ended with status %#x",
		    result.status);
	read_events(look, &e);
	report_cases(e.pages);
	TEST_ASSERT(e.tops, "no page of level %u was made for L2", e.top);
}

static bool can_run(const struct part *part, const struct mmu_state *l2)
{
	const enum paging_mode paging = state_modes[l2->mode].paging;

	if (state_missing(l2, &guest->cpu) || l1_cannot(guest, l2, part->nested))
		return false;
	/* Such an L2 of a 64-bit L1 can take a host down that shadows: lib/engine/l2.c. */
	return part->nested || guest->vm->card.tdp == YES ||
	       (paging != PAGING_2LEVEL && paging != PAGING_PAE);
}

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	unsigned int i;

	prepare(part);
	for (i = 0; i < ARRAY_SIZE(l2_states) && !report_should_stop(); i++)
		if (can_run(part, &l2_states[i]))
			run_l2(part, &l2_states[i]);
}

static unsigned int add(struct part *parts, unsigned int nr, struct part part, const char *kind)
{
	char l1[STATE_NAME_LEN];

	state_name(&part.l1, l1);
	snprintf(part.name, sizeof(part.name), "%s%s", kind, l1);
	parts[nr] = part;
	return nr + 1;
}

int main(int argc, char **argv)
{
	static const enum state_mode l1_modes[] = { MODE_4LEVEL, MODE_5LEVEL, MODE_PAE,
						    MODE_2LEVEL };
	static struct part parts[MAX_SUBTESTS];
	static struct subtest subtests[MAX_SUBTESTS];
	struct test_options options;
	struct mmu_state l1;
	unsigned int nr = 0, i, k;
	int code;

	test_options_parse(&about, argc, argv, &options);
	for (i = 0; i < ARRAY_SIZE(l1_modes); i++)
		for (k = 0; state_nth(l1_modes[i], k, &l1); k++)
			nr = add(parts, nr, (struct part){ .l1 = l1, .nested = true }, "nested/");
	nr = add(parts, nr, (struct part){ .l1 = l1_usual_state, .nested = true, .ad = true },
		 "nested-ad/");
	nr = add(parts, nr, (struct part){ .l1 = l1_usual_state }, "plain/");
	for (i = 0; i < nr; i++)
		subtests[i] = (struct subtest){ parts[i].name, run_part, &parts[i] };
	code = report_run(&about, &options, subtests, nr);
	if (observer)
		role_observer_close(observer);
	guest_free(guest);
	return code;
}
