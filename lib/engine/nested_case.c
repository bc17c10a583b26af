// SPDX-License-Identifier: GPL-2.0-only
/* Cases of nested paging, run and told: see include/nested_case.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "engine.h"
#include "l1.h"
#include "nested_case.h"
#include "replay.h"
#include "test_assert.h"
#include "x86.h"

#define OVER "/over/"
#define AD_TEXT_LEN 16

static const char *const behind[] = { "page", "table" };

const char *const nested_how_names[NR_NESTED_HOWS] = { "l2-tdp", "l2-moved", "l2-forced",
							"l2-string" };
/* Whose accesses they are, but for L2. */
static const struct engine *const outside[NR_NESTED_HOWS] = { &engine_native, &engine_native,
							      &engine_forced, &engine_string };

const struct engine *nested_how_engine(enum nested_how how)
{
	return outside[how];
}

enum nested_how nested_how_find(const char *name)
{
	unsigned int how;

	for (how = NR_NESTED_HOWS - 1; how > NESTED_BY_L2; how--)
		if (name && !strcmp(name, nested_how_names[how]))
			break;
	return how;
}

const char *nested_how_unsupported(struct guest *guest, const struct nested_case *like)
{
	const struct engine *engine = outside[like->how];
	const struct agent_batch batch = engine_batch(engine, &like->l2, &like->actor,
						      like->access, CARE_NONE);
	const char *missing = engine->host_lacks(guest);

	if (!missing)
		missing = engine->unsupported(guest, &batch);
	if (!missing && like->how != NESTED_BY_L2 && guest->marks_pdptes &&
	    like->l2.mode == MODE_PAE)
		missing = "this emulated CPU sets A in L2's PDPTEs, and KVM then has none";
	return missing;
}

void nested_case_id(const struct nested_case *c, char id[NESTED_CASE_ID_LEN])
{
	const struct nested_tables tables = nested_tables_of(&c->l1, 0);
	char l1[STATE_NAME_LEN], l2[STATE_NAME_LEN], text[VARIANT_TEXT_LEN];
	int level, n;

	state_name(&c->l1, l1);
	state_name(&c->l2, l2);
	n = snprintf(id, NESTED_CASE_ID_LEN, "%s" OVER "%s/%s/%s/%s", l1, l2, actor_name(&c->actor),
		     agent_access_names[c->access], behind[c->table]);
	for (level = nested_top_level(&c->l1); level >= 1; level--) {
		nested_variant_text(&tables, level, c->entry[level], text);
		n += snprintf(id + n, NESTED_CASE_ID_LEN - n, "/%d=%s", level, text);
	}
}

static const char *parse_entries(const char *text, struct nested_case *c)
{
	const struct nested_tables tables = nested_tables_of(&c->l1, 0);
	int level;

	for (level = nested_top_level(&c->l1); level >= 1; level--) {
		size_t len = strcspn(text, "/");
		const char *error;

		if (len < 2 || text[0] != '0' + level || text[1] != '=')
			return "entries are LEVEL=BITS, top level first, e.g. 2=p,w,u";
		error = nested_variant_parse(&tables, level, text + 2, len - 2, &c->entry[level]);
		if (error)
			return error;
		text += len + (text[len] == '/');
	}
	return *text ? "text after the last entry" : NULL;
}

/* "pae/nx/cpl0/read/": up to the nth slash, or NULL. */
static const char *behind_slash(const char *text, int n)
{
	while (n-- && text) {
		text = strchr(text, '/');
		text = text ? text + 1 : NULL;
	}
	return text;
}

/* Who and what: as in a case without paging, which has no entries. */
static const char *parse_access(const char *text, size_t len, struct nested_case *c)
{
	char flat[64];
	struct test_case tc;
	const char *error;

	if (len > 32)
		return "behind L2's state: who and what, e.g. cpl0/read";
	snprintf(flat, sizeof(flat), "nopg/-/%.*s", (int)len, text);
	error = case_parse(flat, &tc);
	if (error)
		return error;
	c->actor = tc.actor;
	c->access = tc.access;
	return tc.access == AGENT_LDT ? "not inside L2's nested cases: ldt" : NULL;
}

const char *nested_case_parse(const char *id, struct nested_case *c)
{
	const char *over = strstr(id, OVER), *l2, *actor, *where, *error;
	int table;

	memset(c, 0, sizeof(*c));
	l2 = over ? over + strlen(OVER) : NULL;
	actor = behind_slash(l2, 2);
	where = behind_slash(l2, 4);
	if (!where)
		return "a case id is L1-STATE/over/L2-STATE/ACTOR/ACCESS/page|table/ENTRIES...";
	error = state_parse(id, over - id, &c->l1);
	if (!error && state_modes[c->l1.mode].paging == PAGING_NONE)
		error = "an L1 has paging";
	error = error ? error : state_parse(l2, actor - 1 - l2, &c->l2);
	error = error ? error : parse_access(actor, where - 1 - actor, c);
	if (error)
		return error;
	for (table = 0; table < 2; table++) {
		size_t len = strlen(behind[table]);

		if (!strncmp(where, behind[table], len) && where[len] == '/') {
			c->table = table;
			return parse_entries(where + len + 1, c);
		}
	}
	return "behind the access: page or table";
}

/* A batch, and how each case of it should end. */
struct work {
	struct nested_rig *rig;
	struct guest *guest;
	const struct nested_case *like;
	struct agent_batch batch;
	struct nested_tables tables;
	const struct nested_choice *choice[NESTED_MAX_CASES];
	struct nested_result expected[NESTED_MAX_CASES];
	gva_t gvas[NESTED_MAX_CASES];
	struct agent_result results[NESTED_MAX_CASES];
	bool print; /* a replay: each case is told */
	u32 nr, failed;
};

static struct work work;

void npf_text(u64 info, gpa_t gpa, char *text)
{
	char bits[48];

	error_code_text((u32)info, bits);
	snprintf(text, OUTCOME_TEXT_LEN, "npf(%s%s%s%s) gpa=%#llx", bits,
		 info & NPF_FINAL ? ",final" : "", info & NPF_WALK ? ",walk" : "",
		 info >> 34 ? ",?" : "", (unsigned long long)gpa);
}

static void expected_text(const struct nested_result *e, char text[OUTCOME_TEXT_LEN])
{
	struct walk_result l2 = e->l2;

	if (e->outcome == NESTED_EXIT) {
		npf_text(e->exit.info, e->exit.gpa, text);
		return;
	}
	l2.gpa = e->gpa;
	l2.outcome = e->outcome == NESTED_OK ? WALK_OK : WALK_FAULT;
	walk_result_text(&l2, text);
}

static bool is_npf(const struct agent_result *r)
{
	return r->status == (STATUS_EXIT | STATUS_L2_EXIT | SVM_EXIT_CODE_NPF);
}

static void observed_text(const struct work *w, u32 i, char text[OUTCOME_TEXT_LEN])
{
	const struct agent_result *o = &w->results[i];
	const struct l1_exit *exit = l1_case_exit(w->guest, i);
	struct walk_result l2 = { .outcome = WALK_FAULT, .vector = o->status & 0xff,
				  .error_code = o->error };
	size_t n;

	if (is_npf(o) && exit->count) {
		npf_text(exit->info, exit->gpa, text);
		n = strlen(text);
		if (exit->rip != agent_fault_rip(&w->batch, w->gvas[i]))
			snprintf(text + n, OUTCOME_TEXT_LEN - n, " rip=%#llx",
				 (unsigned long long)exit->rip);
	} else if (o->status & STATUS_EXIT) {
		snprintf(text, OUTCOME_TEXT_LEN, "%s %#x detail=%#llx",
			 o->status & STATUS_L2_EXIT ? "l2-exit" : "exit",
			 o->status & STATUS_EXIT_MASK, (unsigned long long)o->cr2);
	} else if (o->status == STATUS_DONE) {
		l2.outcome = WALK_OK;
		if (guest_page_by_tag(w->guest, o->value, false, &l2.gpa))
			walk_result_text(&l2, text);
		else
			snprintf(text, OUTCOME_TEXT_LEN, "ok value=%#x", o->value);
	} else if (o->status == STATUS_NOT_RUN) {
		snprintf(text, OUTCOME_TEXT_LEN, "not run");
	} else {
		walk_result_text(&l2, text);
		n = strlen(text);
		if (o->cr2 != w->gvas[i])
			snprintf(text + n, OUTCOME_TEXT_LEN - n, " cr2=%#llx",
				 (unsigned long long)o->cr2);
	}
}

static bool exit_as_expected(const struct work *w, u32 i)
{
	const struct l1_exit *exit = l1_case_exit(w->guest, i);
	const struct nested_exit seen = {
		.reason = NESTED_EXIT_NPF,
		.info = exit->info,
		.gpa = exit->gpa,
	};

	return exit->code == SVM_EXIT_CODE_NPF && exit->count == 1 &&
	       nested_result_allows_exit(&w->expected[i], &seen) &&
	       exit->rip == agent_fault_rip(&w->batch, w->gvas[i]);
}

static bool as_expected(const struct work *w, u32 i)
{
	const struct nested_result *e = &w->expected[i];
	const struct agent_result *o = &w->results[i];

	if (is_npf(o))
		return exit_as_expected(w, i);
	if (e->outcome == NESTED_OK)
		return o->status == STATUS_DONE && o->value == agent_tag(w->like->access, e->gpa);
	return e->outcome == NESTED_FAULT && o->status == (u32)(STATUS_FAULT | e->l2.vector) &&
	       o->error == e->l2.error_code && o->cr2 == w->gvas[i] &&
	       o->rip == agent_fault_rip(&w->batch, w->gvas[i]);
}

static const char *ad_text(u8 bits)
{
	return bits & PTE_D ? (bits & PTE_A ? "a,d" : "d") : bits & PTE_A ? "a" : "0";
}

/* ad: NULL, or what to say of a nested entry's A and D, expected and observed. */
static void tell(struct work *w, u32 i, bool good, char ad[2][AD_TEXT_LEN])
{
	char id[NESTED_CASE_ID_LEN];
	char expected[OUTCOME_TEXT_LEN + AD_TEXT_LEN], observed[OUTCOME_TEXT_LEN + AD_TEXT_LEN];
	struct nested_case c = *w->like;
	const struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.engine = nested_how_names[w->like->how],
		.rule = rule_text(w->expected[i].rule)->name,
	};
	int level;

	for (level = 1; level <= nested_top_level(&c.l1); level++)
		c.entry[level] = nested_rig_variants(w->rig, &c.l1, level)
					 ->bits[w->choice[i]->variant[level]];
	nested_case_id(&c, id);
	expected_text(&w->expected[i], expected);
	observed_text(w, i, observed);
	if (ad) {
		strcat(expected, ad[0]);
		strcat(observed, ad[1]);
	}
	if (w->print)
		printf("# expected  %s\n# observed  %s\n# rule      %s\n", expected, observed, f.rule);
	else if (!good)
		report_failure(&f);
}

/* A and D in the nested tables, which the cases of a batch share. */
static void check_ad(struct work *w)
{
	char text[2][AD_TEXT_LEN];
	const struct nested_step *s;
	u8 expected, observed;
	u32 i;

	for (i = 0; i < w->nr && !report_should_stop(); i++) {
		s = nested_rig_wrong_ad(w->rig, &w->expected[i], &expected, &observed);
		if (!s)
			continue;
		snprintf(text[0], AD_TEXT_LEN, " npt-%d=%s", s->level, ad_text(expected));
		snprintf(text[1], AD_TEXT_LEN, " npt-%d=%s", s->level, ad_text(observed));
		w->failed++;
		tell(w, i, false, text);
	}
}

static void run_batch(struct work *w, u64 root)
{
	const struct l1_setup setup = { .state = w->like->l1, .nested = true, .root = root };
	struct vcpu *usual = w->guest->vcpu;
	const char *why = l1_use(w->guest, &setup);
	u32 i;

	TEST_ASSERT(!why, "an L1 needs %s", why);
	w->batch.nr = w->nr;
	w->batch.gvas = w->gvas;
	w->batch.results = w->results;
	if (w->like->how == NESTED_BY_MOVED) {
		why = l1_move(w->guest, &w->batch, nested_rig_other(w->rig));
		TEST_ASSERT(!why, "%s", why);
		w->guest->vcpu = nested_rig_other(w->rig);
	}
	outside[w->like->how]->run(w->guest, &w->batch);
	if (w->guest->vcpu != usual)
		w->guest->state_valid = false;
	w->guest->vcpu = usual;
	for (i = 0; i < w->nr && !report_should_stop(); i++) {
		bool good = as_expected(w, i);

		w->failed += !good;
		nested_rig_note_ad(w->rig, &w->expected[i], good);
		if (!good || w->print)
			tell(w, i, good, NULL);
	}
	check_ad(w);
	report_cases(w->nr);
	w->nr = 0;
}

/* Adds a case to the batch unless it cannot be had. */
static void add_case(struct work *w, const struct nested_choice *choice)
{
	const gpa_t gpa = nested_rig_gpa(w->like, choice);
	const struct nested_l2 l2 = { .regs = guest_walk_regs(w->guest, &w->like->l2) };
	const struct test_case tc = { w->like->l2, w->like->actor, w->like->access, { 0 } };
	struct nested_result *e = &w->expected[w->nr];
	struct walk_access access;

	if (!gpa || (w->like->table && state_modes[w->like->l2.mode].paging == PAGING_NONE))
		return;
	w->gvas[w->nr] = nested_rig_map(w->rig, w->like, w->nr, gpa) +
			 agent_access_offset(w->like->access);
	access = case_access(&tc, w->gvas[w->nr]);
	nested_walk(&w->guest->cpu, &l2, &w->tables, nested_rig_memory(w->rig), &access, e);
	/* What lies behind an address bit that leads away is known of data pages only. */
	if (e->outcome == NESTED_NO_MEMORY ||
	    (e->outcome == NESTED_OK && !vm_gpa2hva(w->guest->vm, e->gpa)))
		return;
	w->choice[w->nr++] = choice;
}

static u64 run_choices(struct nested_rig *rig, const struct nested_case *like,
		       const struct nested_choice *choices, u32 nr, bool print)
{
	const struct agent_batch batch = engine_batch(outside[like->how], &like->l2, &like->actor,
						      like->access, CARE_NONE);
	int top = nested_top_level(&like->l1);
	/* PDEs of L2 are fewer than its PTEs. */
	u32 max = like->table ? 200 : NESTED_MAX_CASES, i;
	u64 total = 0;

	work = (struct work){ .rig = rig, .guest = nested_rig_guest(rig), .like = like,
			      .batch = batch, .print = print };
	work.batch.in_l2 = true;
	for (i = 0; i < nr && !report_should_stop(); i++) {
		u16 v = choices[i].variant[top];
		u64 root = nested_rig_root(rig, &like->l1, like->table, v);

		work.tables = nested_tables_of(&like->l1, root);
		add_case(&work, &choices[i]);
		if (work.nr && (i + 1 == nr || work.nr == max ||
				(top > 2 && choices[i + 1].variant[top] != v))) {
			total += work.nr;
			run_batch(&work, root);
		}
	}
	return total;
}

u64 nested_cases_run(struct nested_rig *rig, const struct nested_case *like,
		     const struct nested_choice *choices, u32 nr)
{
	return run_choices(rig, like, choices, nr, false);
}

static int replay(const void *context)
{
	const struct nested_case *c = context;
	struct nested_rig *rig = nested_rig_create();
	struct nested_choice choice = { { 0 } };
	const char *missing;
	int level, variant;

	replay_begin();
	nested_rig_require(rig, &c->l1, &c->l2);
	missing = nested_how_unsupported(nested_rig_guest(rig), c);
	TEST_REQUIRE(!missing, "engine %s: %s", nested_how_names[c->how], missing);
	for (level = 1; level <= nested_top_level(&c->l1); level++) {
		variant = variant_find(nested_rig_variants(rig, &c->l1, level), c->entry[level]);
		TEST_ASSERT(variant >= 0, "the entry of level %d is none of the suite's", level);
		choice.variant[level] = variant;
	}
	TEST_ASSERT(run_choices(rig, c, &choice, 1, true), "L2 does not reach these entries");
	nested_rig_free(rig);
	return work.failed ? KSFT_FAIL : KSFT_PASS;
}

int nested_case_replay(const struct test_options *options)
{
	const char *error;
	struct nested_case c;

	if (!strncmp(options->case_id, NESTED_ROOT_PREFIX, strlen(NESTED_ROOT_PREFIX)))
		return nested_root_replay(options->case_id);
	error = nested_case_parse(options->case_id, &c);
	c.how = nested_how_find(options->engine);
	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", options->case_id, error);
		return KSFT_USAGE;
	}
	return replay_run(replay, &c, options->case_id);
}
