// SPDX-License-Identifier: GPL-2.0-only
/* L1's nested tables under way: see include/nested_edit.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "engine.h"
#include "l1.h"
#include "nested_edit_internal.h"
#include "replay.h"
#include "svm.h"
#include "test_assert.h"
#include "tour.h"
#include "x86.h"

const char *const nested_edit_content_names[NR_CONTENTS] = {
	"full", "not-present", "read-only", "supervisor", "nx", "reserved", "fresh", "moved",
	"large",
};

const char *const nested_edit_flush_names[NR_EDIT_FLUSHES] = {
	"flush-all", "new-asid", "invlpga",
};

/* The accesses of a stop: entries of the guest's list. */
static const struct {
	enum agent_access access;
	const struct engine *engine;
	const char *name; /* as a nested_how */
} probes[] = {
	{ AGENT_READ, &engine_native, "l2-tdp" }, { AGENT_FETCH, &engine_native, "l2-tdp" },
	{ AGENT_WRITE, &engine_native, "l2-tdp" }, { AGENT_READ, &engine_forced, "l2-forced" },
	{ AGENT_WRITE, &engine_forced, "l2-forced" },
};

struct nested_edits *nested_edits_create(void)
{
	struct nested_edits *e = calloc(1, sizeof(*e));
	const struct kvm_cpuid_entry2 *svm;

	TEST_ASSERT(e, "out of memory");
	e->rig = nested_rig_create();
	e->guest = nested_rig_guest(e->rig);
	e->range[0] = (struct phys_range){ SCRIPT_TABLES, sizeof(e->image), e->image };
	e->range[1] = nested_rig_memory(e->rig)->range[0];
	e->memory = (struct phys_memory){ e->range, ARRAY_SIZE(e->range) };
	e->forced = !engine_forced.host_lacks(e->guest);
	svm = cpuid_entry(e->guest->vcpu->cpuid, 0x8000000a, 0);
	e->nr_asids = svm ? svm->ebx : 0;
	script_install(e->guest);
	/* What 1-GByte pages have there; of 2- and 4-MByte pages all is tagged. */
	guest_tag_page(e->guest, DATA_HUGE + WINDOW % BIT_ULL(30));
	return e;
}

void nested_edits_free(struct nested_edits *e)
{
	if (e)
		nested_rig_free(e->rig);
	free(e);
}

void nested_edits_require(struct nested_edits *e, const struct mmu_state *l1,
			  const struct mmu_state *l2)
{
	nested_rig_require(e->rig, l1, l2);
	script_prepare_l1(e->guest->vcpu);
}

/*
 * Steps
 */

/* By L1, eight bytes: 4-byte entries come with the neighbour as it is. */
static void add_store(struct stage *s, struct script *script, gpa_t at, u64 entry)
{
	u8 *image = &s->e->image[0][at - SCRIPT_TABLES];
	u64 whole;

	memcpy(image, &entry, paging_formats[state_modes[s->l1->mode].paging].entry_bytes);
	memcpy(&whole, image - at % 8, sizeof(whole));
	s->e->may[0][at - SCRIPT_TABLES] = 0;
	script_add_store(script, at - at % 8, whole);
}

static void add_edit(struct stage *s, struct script *script, enum content what)
{
	int r;

	for (r = 0; r < (s->level == s->t->top ? NR_ROOTS : 1); r++)
		add_store(s, script, nested_edit_entry(s, s->level, r), nested_edit_content(s, s->level, what, r));
}

/* 0: all are flushed. */
static u32 next_asid(struct stage *s)
{
	struct nested_edits *e = s->e;

	if (s->flush == EDIT_INVLPGA && s->entered)
		return e->asid;
	if (s->flush != EDIT_NEW_ASID || ++e->asid >= e->nr_asids)
		e->asid = 0;
	/* Behind a flush of all, ASID 1 is the one in use. */
	if (!e->asid) {
		e->asid = 1;
		return 0;
	}
	return e->asid;
}

/* What a script's accesses should come to. */
struct expected {
	struct nested_result result;
	int root, probe;
};

static struct expected expected[NR_ROOTS * ARRAY_SIZE(probes)];
static u32 nr_expected;

static void note_ad(struct nested_edits *e, const struct nested_result *r)
{
	int i;

	for (i = 0; i < r->nr_steps; i++) {
		const struct nested_step *step = &r->step[i];
		const u64 at = step->entry_gpa - SCRIPT_TABLES;

		if (at >= sizeof(e->image))
			continue;
		e->image[0][at] |= step->must_set;
		e->may[0][at] |= step->may_set;
	}
}

static gva_t probe_gva(const struct stage *s, int probe)
{
	return s->gva + agent_access_offset(probes[probe].access);
}

/* L2 runs under a root and makes its accesses. */
static void add_run(struct stage *s, struct script *script, int root)
{
	const struct script_l2 how = {
		.l1 = *s->l1,
		.nested = true,
		.root = s->t->root[root],
		.asid = next_asid(s),
		.invlpga = s->flush == EDIT_INVLPGA,
		.address = s->gva,
	};
	const struct nested_l2 l2 = { .regs = guest_walk_regs(s->e->guest, s->l2) };
	u32 i, nr = s->e->forced ? ARRAY_SIZE(probes) : 3;

	s->entered = true;
	script_add_vmrun(script, &how, s->l2);
	script_add_cases(script, 0, nr);
	script_add_vmexit(script, s->l1);
	s->tables.root = how.root;
	for (i = 0; i < nr; i++) {
		const struct test_case tc = { *s->l2, { 0, false }, probes[i].access, { 0 } };
		const struct walk_access access = case_access(&tc, probe_gva(s, i));
		struct expected *x = &expected[nr_expected++];

		*x = (struct expected){ .root = root, .probe = i };
		nested_walk(&s->e->guest->cpu, &l2, &s->tables, &s->e->memory, &access, &x->result);
		note_ad(s->e, &x->result);
	}
}

/*
 * Answers
 */

static struct agent_batch batch_of(const struct stage *s, int probe)
{
	const struct actor supervisor = { 0, false };
	struct agent_batch batch = script_batch(s->l2, &supervisor, probes[probe].access);

	batch.via = probes[probe].engine->via;
	return batch;
}

static bool as_expected(const struct stage *s, const struct expected *x,
			const struct agent_result *o)
{
	const struct agent_batch batch = batch_of(s, x->probe);
	const struct nested_exit seen = {
		.reason = NESTED_EXIT_NPF,
		.info = o->error | (u64)o->ad << 32,
		.gpa = o->cr2,
	};

	if (x->result.outcome == NESTED_OK)
		return o->status == STATUS_DONE &&
		       o->value == agent_tag(probes[x->probe].access, x->result.gpa);
	return x->result.outcome == NESTED_EXIT &&
	       o->status == (STATUS_EXIT | STATUS_L2_EXIT | SVM_EXIT_NPF) &&
	       nested_result_allows_exit(&x->result, &seen) &&
	       o->rip == agent_fault_rip(&batch, probe_gva(s, x->probe));
}

static void observed_text(const struct stage *s, const struct agent_result *o,
			  char text[OUTCOME_TEXT_LEN])
{
	gpa_t gpa;

	if (o->status == (STATUS_EXIT | STATUS_L2_EXIT | SVM_EXIT_NPF))
		npf_text(o->error | (u64)o->ad << 32, o->cr2, text);
	else if (o->status == STATUS_DONE && guest_page_by_tag(s->e->guest, o->value, false, &gpa))
		snprintf(text, OUTCOME_TEXT_LEN, "ok page=%#llx", (unsigned long long)gpa);
	else
		snprintf(text, OUTCOME_TEXT_LEN, "status %#x value=%#x error=%#x", o->status,
			 o->value, o->error);
}

static void expected_text(const struct expected *x, char text[OUTCOME_TEXT_LEN])
{
	if (x->result.outcome == NESTED_EXIT)
		npf_text(x->result.exit.info, x->result.exit.gpa, text);
	else
		snprintf(text, OUTCOME_TEXT_LEN, "ok page=%#llx",
			 (unsigned long long)x->result.gpa & ~0xfffull);
}

void nested_edit_id(const struct stage *s, int root, int probe, char id[EDIT_ID_LEN])
{
	char l1[STATE_NAME_LEN], l2[STATE_NAME_LEN];

	state_name(s->l1, l1);
	state_name(s->l2, l2);
	snprintf(id, EDIT_ID_LEN, "%s/over/%s/level%d/%s-to-%s/%s/root%d/%s", l1, l2, s->level,
		 nested_edit_content_names[s->from], nested_edit_content_names[s->to], nested_edit_flush_names[s->flush],
		 root, agent_access_names[probes[probe].access]);
}

static void tell(struct stage *s, const struct expected *x, const char *expects,
		 const char *observed, bool good)
{
	char id[EDIT_ID_LEN];
	const struct case_failure f = {
		.id = id,
		.expected = expects,
		.observed = observed,
		.engine = probes[x->probe].name,
		.rule = rule_text(x->result.rule)->name,
	};

	s->failed |= !good;
	nested_edit_id(s, x->root, x->probe, id);
	if (s->print)
		printf("# %s %s\n# expected  %s\n# observed  %s\n# rule      %s\n", f.engine, id,
		       expects, observed, f.rule);
	else if (!good)
		report_failure(&f);
}

/* A and D: of the tables, what is there must be what should be, or may. */
static void check_ad(struct stage *s)
{
	const struct expected *last = &expected[nr_expected - 1];
	char expects[64], observed[64];
	struct nested_edits *e = s->e;
	const u8 *there = vm_gpa2hva(e->guest->vm, SCRIPT_TABLES);
	u32 i, end = e->nr_tables * 0x1000;

	if (!memcmp(there, e->image, end))
		return;
	for (i = 0; i < end; i++) {
		u8 *image = &e->image[0][i];

		if (!((there[i] ^ *image) & ~e->may[0][i]))
			continue;
		snprintf(expects, sizeof(expects), "entry %#x=%#x", SCRIPT_TABLES + i, *image);
		snprintf(observed, sizeof(observed), "entry %#x=%#x", SCRIPT_TABLES + i, there[i]);
		tell(s, last, expects, observed, false);
		*image = there[i];
	}
}

static void check(struct stage *s, const struct script_end *end)
{
	char expects[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	u32 i;

	for (i = 0; i < nr_expected && !report_should_stop(); i++) {
		const struct agent_result o = script_result(s->e->guest, i);
		bool good = i < end->nr_results && as_expected(s, &expected[i], &o);

		expected_text(&expected[i], expects);
		observed_text(s, &o, observed);
		if (i == end->nr_results)
			exit_text(end->exit, end->detail, observed);
		if (!good || s->print)
			tell(s, &expected[i], expects, observed, good);
		if (i >= end->nr_results)
			break;
	}
	if (end->done && s->flush != EDIT_INVLPGA)
		check_ad(s);
	if (!s->print)
		report_cases(i);
}

/*
 * Ways through all contents
 */

void nested_edit_enter_l1(struct stage *s)
{
	const struct kvm_sregs sregs = script_sregs(s->e->guest, s->l1);

	script_clean_pdptes(s->e->guest, s->l1);
	vcpu_sregs_set(s->e->guest->vcpu, &sregs);
}

/* Stores, both roots; what comes behind goes on from there, unless it ended badly. */
static bool run(struct stage *s, struct script *script)
{
	struct vcpu *vcpu = s->e->guest->vcpu;
	const struct kvm_regs regs = script_regs(s->l1, true);
	struct script_end end;
	int r;

	for (r = 0; r < NR_ROOTS; r++)
		add_run(s, script, r);
	vcpu_regs_set(vcpu, &regs);
	end = script_run(script, vcpu);
	check(s, &end);
	if (!end.done) {
		vcpu_events_clear(vcpu);
		nested_edit_enter_l1(s);
	}
	return end.done;
}

static void begin(struct stage *s, struct script *script)
{
	script_begin(script, s->e->guest);
	script_add_start(script, s->l1);
	nr_expected = 0;
}

bool nested_edit_step(struct stage *s, enum content from, enum content to)
{
	struct script script;

	s->from = from;
	s->to = to;
	begin(s, &script);
	add_edit(s, &script, to);
	return run(s, &script);
}

static u32 contents_of(const struct stage *s, enum content list[NR_CONTENTS])
{
	enum content c;
	u32 nr = 0;

	for (c = 0; c < NR_CONTENTS; c++)
		if (nested_edit_can_be(s, s->level, c))
			list[nr++] = c;
	return nr;
}

static bool tour_level(struct stage *s)
{
	enum content list[NR_CONTENTS];
	struct tour tour;
	struct tour_stop stop;
	u32 before = 0;
	bool first = true;

	tour_within(&tour, contents_of(s, list));
	while (tour_next(&tour, &stop) && !report_should_stop()) {
		if (!nested_edit_step(s, first ? FULL : list[before], list[stop.node]))
			return false;
		before = stop.node;
		first = false;
	}
	return nested_edit_step(s, list[before], FULL);
}

struct stage nested_edit_stage(struct nested_edits *e, const struct mmu_state *l1,
			      const struct mmu_state *l2, enum nested_edit_flush flush)
{
	struct stage s = { .e = e, .l1 = l1, .l2 = l2, .flush = flush, .t = &e->mode[l1->mode],
			   .tables = nested_tables_of(l1, 0) };
	const struct nested_case like = { .l1 = *l1, .l2 = *l2 };
	u32 i;

	nested_edit_make_tables(&s);
	s.gva = nested_rig_map(e->rig, &like, 0, WINDOW);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		const struct actor supervisor = { 0, false };

		script_set_case(e->guest, i, l2, &supervisor, probes[i].access,
				probes[i].engine->via, probe_gva(&s, i));
	}
	return s;
}

/* What an L1 in another state left, as this one has it. */
static bool reset_tables(struct stage *s)
{
	struct script script;

	nested_edit_enter_l1(s);
	s->from = s->to = FULL;
	begin(s, &script);
	for (s->level = s->t->top; s->level >= 1; s->level--)
		add_edit(s, &script, FULL);
	s->level = 1;
	return run(s, &script);
}

void nested_edits_run(struct nested_edits *e, const struct mmu_state *l1,
		      const struct mmu_state *l2, enum nested_edit_flush flush)
{
	struct stage s = nested_edit_stage(e, l1, l2, flush);

	TEST_REQUIRE(flush != EDIT_INVLPGA || state_modes[l1->mode].code64 || s.gva <= ~0u,
		     "INVLPGA by 32-bit code names no such linear address");
	if (!reset_tables(&s))
		return;
	for (s.level = s.t->top; s.level >= 1; s.level--)
		if (!tour_level(&s))
			return;
}
