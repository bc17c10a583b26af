// SPDX-License-Identifier: GPL-2.0-only
/*
 * role_word_test - the role words inside KVM, state by state.
 *
 * Proves: for each legal register state, every page that KVM takes to map an access (root,
 * shadow and TDP pages) has the gfn and the role word, field by field, that the model's role
 * rules say; every page that the accesses need is there; and no page is made twice for the
 * same (gfn, role), so that a state that leaves the role alone makes none.
 *
 * Two VMs go through all states.  One loses its pages before each state, so that each
 * state's words are seen; the other keeps them, so that what states share is seen.
 *
 * Would catch: a role computed from other bits than role_regs (8626c120baef and what led to
 * it), bits that paging modes ignore in a role (PKE, NX, SMEP with PG=0), quadrants or
 * access lost in children (CVE-2021-38198), passthrough or invalid inherited, roots of the
 * wrong level; and roles that follow bits they need not, which costs pages.
 *
 * Needs: /dev/kvm, root, tracefs, BTF.  States the CPU cannot enter are skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "report.h"
#include "role_watch.h"
#include "test_assert.h"

#define MAX_STATES 512
#define MAX_CHOICES 128

static const struct test_about about = {
	.name = "role_word_test",
	.proves = "the role words of KVM's pages are what the role rules say, and no page is made twice",
	.tags = "role,whitebox",
	.one_process = true,
};

/* What becomes different in a full entry. */
static const u64 flips[] = { 0, PTE_W, PTE_U, PTE_NX, PTE_PS, PTE_PS | PTE_W, PTE_PS | PTE_D };
#define NR_RIGHTS_FLIPS 4 /* these come first, after none at all */

static struct host_card card;
static struct role_layout layout;
static struct role_observer *observer;
static struct role_watch fresh, kept;
static struct page_set words;
static unsigned int nr_states_new, nr_states_shared;
static const char *unusable;

/*
 * Where in a large page: entries of a table lead to the same page, and only another part of
 * it is another page for KVM.  Of a 1-GByte page each kind of entry gets a part of its own;
 * of a 4-MByte page some get the second half.
 */
#define HUGE_PART(n) (((n) + 1) * 0x200000u + 0x1000)

static u32 large_offset(const struct table_image *t, int level, u64 bits, u32 n)
{
	if (level == 1 || !(bits & PTE_PS) || !t->variants[level].ps_is_page)
		return 0;
	if (level == 3)
		return HUGE_PART(n);
	return t->shape.mode == PAGING_2LEVEL && n % 2 ? 0x201000 : 0;
}

static void start_watch(struct role_watch *watch)
{
	char why[STATS_WHY_LEN];
	size_t i;

	watch->guest = guest_create(NULL);
	for (i = 0; i < ARRAY_SIZE(flips); i++)
		guest_tag_page(watch->guest, DATA_HUGE + HUGE_PART(i));
	watch->observer = observer;
	watch->layout = &layout;
	watch->tdp_mmu = card.tdp == YES && card.tdp_mmu == YES;
	watch->stats = vm_stats_open(watch->guest->vm, why);
	if (!watch->stats)
		report_note("mmu_cache_miss is not looked at: %s", why);
}

/* Does KVM make accesses itself, without a page for the CPU to walk? */
static bool may_emulate(void)
{
	return strcmp(card.backend, "kvm_amd") && strcmp(card.backend, "kvm_intel");
}

static void note_layout(void)
{
	unsigned int i;

	report_note("role words follow rule set %s", role_rules_name(layout.rules));
	for (i = 0; i < NR_ROLE_FIELDS; i++)
		if (!layout.width[i] && role_field_part(i, layout.rules) == ROLE_PART_BASE)
			report_note("%s is not in this kernel's role words", role_fields[i].name);
	if (may_emulate())
		report_note("%s may make accesses itself: the pages they need are not demanded",
			    card.backend);
	for (i = 0; i < layout.nr_unknown; i++)
		report_note("the model does not know %s (bit %u, width %u): predicted 0",
			    layout.unknown[i].name, layout.unknown[i].offset,
			    layout.unknown[i].width);
}

static void prepare(void)
{
	static char why[OBSERVER_WHY_LEN];
	static bool done;

	if (!done) {
		done = true;
		host_card_read(&card);
		unusable = role_layout_read(&layout);
		if (!unusable) {
			observer = role_observer_open(why);
			unusable = observer ? NULL : why;
		}
	}
	TEST_REQUIRE(!unusable, "%s", unusable);
	if (kept.guest)
		return;
	start_watch(&fresh);
	start_watch(&kept);
	note_layout();
}

static struct role_tables state_tables(const struct guest *guest, const struct mmu_state *state)
{
	const struct role_regs regs = state_regs(state);
	struct role_tables tables = {
		.context = role_context_of_host(&card, layout.rules, &guest->cpu),
	};

	tables.cpu = kvm_calc_cpu_role(&tables.context, &regs);
	tables.root = card.tdp == YES ?
			      kvm_calc_tdp_mmu_root_page_role(&tables.context, &regs) :
			      kvm_calc_shadow_mmu_root_page_role(&tables.context, &regs);
	return tables;
}

/* The same with a right taken away one level below, too. */
static u32 choose_below(const struct guest *guest, enum table_area area, int level,
			u16 variant[MAX_LEVELS + 1], gva_t gvas[MAX_CHOICES], u32 nr)
{
	const struct table_image *t = &guest->area[area];
	u64 bits = t->variants[level].bits[variant[level]];
	size_t f;

	for (f = 1; f < NR_RIGHTS_FLIPS && level > 1 && !(bits & PTE_PS) && nr < MAX_CHOICES; f++) {
		int i = variant_find(&t->variants[level - 1],
				     variant_full(t->shape.mode, level - 1) ^ flips[f]);

		if (i < 0)
			continue;
		variant[level - 1] = i;
		gvas[nr++] = guest_gva(guest, area, variant, 0);
	}
	variant[level - 1] = VARIANT_FULL_INDEX;
	return nr;
}

/*
 * Walks that differ in the roles of their pages: all rights, each right taken away at each
 * level, and large pages, also read-only and clean ones.
 */
static u32 choose_gvas(const struct guest *guest, const struct mmu_state *state,
		       gva_t gvas[MAX_CHOICES])
{
	const enum table_area area = state_area(state);
	const struct table_image *t = &guest->area[area];
	u32 nr = 0;
	size_t f;
	int level;

	if (state_modes[state->mode].paging == PAGING_NONE) {
		gvas[nr++] = DATA_PAGE;
		gvas[nr++] = DATA_LARGE + 0x205000;
		gvas[nr++] = DATA_HUGE;
		return nr;
	}
	for (level = paging_formats[t->shape.mode].levels; level >= 1; level--) {
		for (f = 0; f < ARRAY_SIZE(flips) && nr < MAX_CHOICES; f++) {
			u64 bits = variant_full(t->shape.mode, level) ^ flips[f];
			u16 variant[MAX_LEVELS + 1] = { 0 };
			int i = variant_find(&t->variants[level], bits);

			if (i < 0 || (!flips[f] && level > 1))
				continue;
			variant[level] = i;
			gvas[nr++] = guest_gva(guest, area, variant, large_offset(t, level, bits, f));
			nr = choose_below(guest, area, level, variant, gvas, nr);
		}
	}
	return nr;
}

/* What the guest has in its tables by now, A and D bits included. */
static struct phys_range guest_ram(const struct guest *guest)
{
	return (struct phys_range){ 0, GUEST_RAM_SIZE, vm_gpa2hva(guest->vm, 0) };
}

static void run_batch(struct role_watch *watch, const struct mmu_state *state,
		      const struct actor *actor, enum agent_access access, const gva_t *gvas, u32 nr)
{
	struct guest *guest = watch->guest;
	const struct phys_range ram = guest_ram(guest);
	const struct phys_memory memory = { &ram, 1 };
	const struct walk_regs regs = guest_walk_regs(guest, state);
	struct test_case tc = { .state = *state, .actor = *actor, .access = access };
	struct walk_result walks[MAX_CHOICES];
	struct agent_result results[MAX_CHOICES];
	gva_t addresses[MAX_CHOICES];
	struct agent_batch batch = {
		.state = *state,
		.actor = *actor,
		.access = access,
		.gvas = addresses,
		.nr = nr,
		.results = results,
	};
	u32 i;

	for (i = 0; i < nr; i++) {
		struct walk_access a;

		addresses[i] = gvas[i] + agent_access_offset(access);
		a = case_access(&tc, addresses[i]);
		walk(&guest->cpu, &regs, &memory, &a, &walks[i]);
	}
	agent_run(guest, &batch);
	for (i = 0; i < nr; i++) {
		const struct walk_access a = case_access(&tc, addresses[i]);

		/* Whether it ends as it should is walk_test's question. */
		if (walks[i].outcome == WALK_OK)
			role_watch_expect(watch, &regs, &a, &walks[i],
					  results[i].status == STATUS_DONE && !may_emulate());
	}
}

static void run_accesses(struct role_watch *watch, const struct mmu_state *state)
{
	const struct agent_batch like = { .state = *state, .actor = all_actors[0] };
	gva_t gvas[MAX_CHOICES];
	u32 nr = choose_gvas(watch->guest, state, gvas);
	const char *trouble;
	unsigned int i;
	int access;

	/* A failure of walk_test's, not of this one. */
	trouble = agent_probe(watch->guest, &like, agent_run);
	if (trouble)
		role_watch_drain(watch);
	TEST_REQUIRE(!trouble, "the state cannot be run in: %s", trouble);
	for (i = 0; i < NR_ACTORS; i++)
		for (access = 0; access < NR_AGENT_ACCESSES; access++)
			/* EFLAGS.AC counts for the supervisor's data accesses. */
			if (access != AGENT_LDT && !(all_actors[i].ac && all_actors[i].cpl))
				run_batch(watch, state, &all_actors[i], access, gvas, nr);
}

/* The rule that a field comes from. */
static const char *field_rule(const char *field)
{
	static const struct {
		const char *field;
		enum rule rule;
	} rules[] = {
		{ "level", RULE_ROLE_CHILD_LEVEL },
		{ "has_4_byte_gpte", RULE_ROLE_GPTE_SIZE },
		{ "gpte_is_8_bytes", RULE_ROLE_GPTE_SIZE },
		{ "quadrant", RULE_ROLE_CHILD_QUADRANT },
		{ "direct", RULE_ROLE_CHILD_DIRECT },
		{ "access", RULE_ROLE_CHILD_ACCESS },
		{ "efer_nx", RULE_ROLE_SHADOW_NX },
		{ "cr0_wp", RULE_ROLE_CR0_WP },
		{ "smep_andnot_wp", RULE_ROLE_SMEP_ANDNOT_WP },
		{ "smap_andnot_wp", RULE_ROLE_SMAP_ANDNOT_WP },
		{ "cr4_smep", RULE_ROLE_CR4_SMEP },
		{ "ad_disabled", RULE_ROLE_TDP_AD },
		{ "guest_mode", RULE_ROLE_GUEST_MODE },
		{ "passthrough", RULE_ROLE_CHILD_PASSTHROUGH },
		{ "smm", RULE_ROLE_SMM },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].field, field))
			return rule_text(rules[i].rule)->name;
	return field;
}

struct where {
	const struct mmu_state *state;
	const char *pass; /* "fresh", "kept", "again" */
};

static void on_finding(const struct role_finding *finding, void *context)
{
	const struct where *where = context;
	char state[STATE_NAME_LEN], id[128];

	state_name(where->state, state);
	snprintf(id, sizeof(id), "%s/%s/gfn=%#llx", state, where->pass,
		 (unsigned long long)finding->gfn);
	report_failure(&(struct case_failure){
		.id = id,
		.expected = finding->expected,
		.observed = finding->observed,
		.rule = field_rule(finding->field),
	});
}

static void pass(struct role_watch *watch, const struct mmu_state *state, const char *name)
{
	const struct role_tables tables = state_tables(watch->guest, state);
	struct where where = { state, name };

	watch->finding = on_finding;
	watch->context = &where;
	role_watch_begin(watch, state, &tables);
	run_accesses(watch, state);
	role_watch_check(watch, &words);
	report_cases(watch->events + watch->required.nr);
}

/* The same again: what is there is enough. */
static void pass_again(struct role_watch *watch, const struct mmu_state *state)
{
	pass(watch, state, "again");
	if (watch->created)
		report_note("the same state again made %llu pages",
			    (unsigned long long)watch->created);
}

/*
 * All pages go.  The tables become what the host wrote, so that clean entries are clean again; no
 * shadow of them is left that could miss it.
 */
static void drop_pages(struct role_watch *watch, const struct mmu_state *state)
{
	struct guest *guest = watch->guest;
	const struct table_image *t = &guest->area[state_area(state)];

	memcpy((u8 *)vm_gpa2hva(guest->vm, t->base) + AREA_TEST, t->image + AREA_TEST,
	       AREA_COPY - AREA_TEST);
	vm_drop_pages(guest->vm, DROP_GPA);
	role_watch_forget(watch);
}

static void check_state(const struct subtest *self)
{
	const struct mmu_state *state = self->data;
	const char *missing;

	prepare();
	missing = state_missing(state, &kept.guest->cpu);
	TEST_REQUIRE(!missing, "the CPU offers no %s", missing);
	role_watch_drain(&fresh); /* of a subtest that ended early */
	drop_pages(&fresh, state);
	pass(&fresh, state, "fresh");
	TEST_ASSERT(fresh.events, "no page was seen although all had been dropped");
	pass_again(&fresh, state);
	pass(&kept, state, "kept");
	if (kept.created)
		nr_states_new++;
	else
		nr_states_shared++;
	pass_again(&kept, state);
}

/* The counters that say what the MMU did; which of them there are is the kernel's affair. */
static void note_stats(const struct kvm_stats *stats, const char *owner,
		       const char *const *names, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		const char *why;
		u64 value;

		why = kvm_stats_get(stats, names[i], &value);
		if (why)
			report_note("%s: %s", owner, why);
		else
			report_note("%s: %s %llu", owner, names[i], (unsigned long long)value);
	}
}

static void check_stats(const struct subtest *self)
{
	static const char *const of_vm[] = { "mmu_cache_miss", "mmu_unsync", "mmu_shadow_zapped",
					     "pages_4k" };
	static const char *const of_vcpu[] = { "pf_taken", "pf_guest", "pf_fixed" };
	char why[STATS_WHY_LEN];
	struct kvm_stats *stats;
	u64 value;

	(void)self;
	prepare();
	TEST_REQUIRE(kept.stats, "no statistics of the VM");
	note_stats(kept.stats, "VM", of_vm, ARRAY_SIZE(of_vm));
	stats = vcpu_stats_open(kept.guest->vcpu, why);
	TEST_REQUIRE(stats, "%s", why);
	note_stats(stats, "vCPU", of_vcpu, ARRAY_SIZE(of_vcpu));
	kvm_stats_close(stats);
	TEST_ASSERT(kvm_stats_get(kept.stats, "mmu_cache_mis", &value),
		    "a statistic of a name that does not exist has a value");
}

static void finish(struct role_watch *watch)
{
	role_watch_free(watch);
	guest_free(watch->guest);
}

int main(int argc, char **argv)
{
	static struct mmu_state states[MAX_STATES];
	static char names[MAX_STATES][STATE_NAME_LEN];
	static struct subtest subtests[MAX_STATES + 1];
	struct test_options options;
	unsigned int nr = 0, i;
	int mode, code;

	test_options_parse(&about, argc, argv, &options);
	for (mode = 0; mode < NR_STATE_MODES; mode++) {
		for (i = 0; nr < MAX_STATES && state_nth(mode, i, &states[nr]); i++) {
			state_name(&states[nr], names[nr]);
			subtests[nr] = (struct subtest){ names[nr], check_state, &states[nr] };
			nr++;
		}
	}
	/* Last, when there is something to count. */
	subtests[nr++] = (struct subtest){ "statistics", check_stats, NULL };
	code = report_run(&about, &options, subtests, nr);
	if (words.nr)
		printf("# roles seen: %u distinct; of the VM that keeps its pages %u states made new ones, %u did not\n", words.nr, nr_states_new, nr_states_shared);
	role_observer_close(observer);
	finish(&fresh);
	finish(&kept);
	page_set_free(&words);
	return code;
}
