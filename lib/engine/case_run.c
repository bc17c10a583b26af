// SPDX-License-Identifier: GPL-2.0-only
/* Running cases in batches: see include/case_run.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_run.h"
#include "forecast.h"
#include "outcome_classes.h"
#include "report.h"

/* Addresses tried without paging: they are their own translation. */
static const gpa_t flat_pages[] = { DATA_PAGE, DATA_LARGE, DATA_LARGE + 0x5000, DATA_HUGE };

/* A batch under way; one at a time, so the buffers are allocated once. */
struct work {
	struct guest *guest;
	const struct engine *engine;
	const struct plan *plan;
	struct agent_batch batch;
	struct walk_regs regs;
	u32 first;               /* choice that the batch starts with */
	struct forecast *forecast; /* NULL without paging */
	struct expectations expectations;
	const gva_t *gvas;       /* of the batch */
	struct forecast_difference *differences; /* by the forecast's classes */
	u32 *page_writer;        /* by the forecast's pages: which case stored there, or NOBODY */
	u64 last_stored[64];     /* other pages stored to, and by which case of the batch: */
	u32 last_writer[64];
	u32 nr_stored;
	struct outcome_classes *classes; /* of all batches of one cases_run() */
};

#define NOBODY (~0u)

static struct agent_result results[AGENT_MAX_CASES];
/* Cases of the batch that differ: told only when all stores were looked at. */
static struct {
	u32 i;
	u32 class; /* or NO_CLASS */
} mismatched[AGENT_MAX_CASES];

static struct test_case work_case(const struct work *w, u32 i)
{
	struct test_case c = {
		.state = w->batch.state,
		.actor = w->batch.actor,
		.access = w->batch.access,
	};

	if (state_modes[c.state.mode].paging != PAGING_NONE)
		guest_entries(w->guest, &c.state, w->plan->choice[w->first + i], c.entry);
	return c;
}

struct mismatch {
	struct guest *guest;
	const struct comparison *c;
	const struct test_case *tc;
	const struct engine *engine;
};

/* Whether KVM alone is wrong or the CPU, too. */
static void add_native_answer(const struct mismatch *m, json_t *detail)
{
	char expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	struct case_answer a;
	const struct comparison c = { m->guest, &a.batch, m->c->gva, &a.expected, &a.observed };
	const char *says = observed;

	case_answer(m->guest, &engine_native, m->tc, m->c->gva, agent_care(m->c->batch), &a);
	outcome_texts(&c, expected, observed);
	if (a.left_out || a.broken)
		says = a.left_out ? a.left_out : a.broken;
	json_object_set_new(detail, "native", json_pack("{s:s, s:b}", "observed", says, "as_expected",
							a.agrees));
}

static json_t *mismatch_detail(const void *context)
{
	const struct mismatch *m = context;
	json_t *detail = case_detail(m->c, m->tc, m->engine);

	if (m->engine != &engine_native)
		add_native_answer(m, detail);
	return detail;
}

static struct mmu_role shadow_root(const struct guest *guest, const struct mmu_state *state)
{
	const struct role_context context = {
		.rules = kernel_role_rules(),
		.maxphyaddr = guest->cpu.maxphyaddr,
	};
	const struct role_regs regs = state_regs(state);

	return kvm_calc_shadow_mmu_root_page_role(&context, &regs);
}

/*
 * Of the states in which the tables were walked before, the one of which KVM is most likely to
 * have kept something: the last one whose shadow pages are this one's, too, wherever in the
 * order it came; else the one just before.
 */
static const struct mmu_state *state_before(const struct guest *guest,
					    const struct mmu_state *state)
{
	const struct mmu_role own = shadow_root(guest, state);
	int i, last = (int)guest->nr_entered - 2;

	for (i = last; i >= 0; i--) {
		const struct mmu_state *other = &guest->entered[i];
		struct mmu_role role;

		if (!states_share_tables(other, state))
			continue;
		role = shadow_root(guest, other);
		if (!memcmp(&own, &role, sizeof(own)))
			return other;
	}
	return last >= 0 && states_share_tables(&guest->entered[last], state) ?
	       &guest->entered[last] : NULL;
}

static void report_mismatch(const struct work *w, u32 i, const struct comparison *c,
			    const char *expected, const char *observed)
{
	struct test_case tc = work_case(w, i);
	struct mismatch m = { w->guest, c, &tc, w->engine };
	char id[CASE_ID_LEN], before[STATE_NAME_LEN];
	const struct mmu_state *kept;
	struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.engine = w->engine->name,
		.rule = rule_text(c->expected->rule)->name,
		.detail = mismatch_detail,
		.context = &m,
	};

	case_id(&tc, id);
	kept = state_before(w->guest, &tc.state);
	if (kept) {
		state_name(kept, before);
		f.after = before;
	}
	report_failure(&f);
}

/* The page must hold what the last completed write to it stored. */
static void note_store(struct work *w, u32 i, gpa_t page)
{
	u32 k;

	for (k = 0; w->forecast && k < w->forecast->nr_pages; k++)
		if (w->forecast->pages[k] == page) {
			w->page_writer[k] = i;
			return;
		}
	for (k = 0; k < w->nr_stored; k++)
		if (w->last_stored[k] == page)
			break;
	TEST_ASSERT(k < ARRAY_SIZE(w->last_stored), "writes to more than %zu pages",
		    ARRAY_SIZE(w->last_stored));
	if (k == w->nr_stored)
		w->last_stored[w->nr_stored++] = page;
	w->last_writer[k] = i;
}

/* Where a batch's results are: copied only as far as one is looked at more closely. */
static const struct agent_result *seen_results(const struct work *w)
{
	return w->engine->in_place ? agent_results(w->guest) : results;
}

static void take_result(const struct work *w, u32 i)
{
	results[i] = seen_results(w)[i];
	results[i].status = agent_result_status(&results[i]);
}

static void expect(const struct work *w, u32 i, struct walk_result *expected)
{
	const struct test_case tc = { w->batch.state, w->batch.actor, w->batch.access, { 0 } };
	const struct walk_access access = case_access(&tc, w->gvas[i]);

	walk(&w->guest->cpu, &w->regs, &w->guest->memory, &access, expected);
}

/* As the model says?  If not, class is the way in which it differs. */
static bool compare_one(struct work *w, u32 i, u32 *class)
{
	struct walk_result expected;
	gpa_t page;
	struct comparison c = { w->guest, &w->batch, w->gvas[i], &expected, &results[i] };

	expect(w, i, &expected);
	if (outcome_matches(&c)) {
		if (expected.outcome == WALK_OK && w->batch.access == AGENT_WRITE)
			note_store(w, i, expected.gpa & ~0xfffull);
		return true;
	}
	/* A write that should not have happened did change a page, too. */
	if (w->batch.access == AGENT_WRITE && results[i].status == STATUS_DONE &&
	    guest_page_by_tag(w->guest, results[i].value, false, &page))
		note_store(w, i, page);
	*class = outcome_class_find(w->classes, &c);
	return false;
}

static void note_forecast_store(struct work *w, u32 i)
{
	const struct forecast_case *c = &w->forecast->cases[w->first + i];

	if (w->expectations.of_class[c->class].status == STATUS_DONE)
		w->page_writer[c->page] = i;
}

/* The same for a case that did not simply end as it should. */
static bool compare_closely(struct work *w, u32 i, u32 *class)
{
	struct forecast_difference *d = NULL;
	u16 k = NO_CLASS_OF_TRANSLATION;

	if (w->forecast)
		k = w->forecast->cases[w->first + i].class;
	if (k != NO_CLASS_OF_TRANSLATION)
		d = &w->differences[k];
	if (d && forecast_differs_alike(&w->expectations, w->first + i, &results[i], d)) {
		*class = d->means;
		return false;
	}
	if (compare_one(w, i, class))
		return true;
	if (d && *class != NO_CLASS)
		forecast_note_difference(&w->expectations, w->first + i, &results[i], *class, d);
	return false;
}

/*
 * Compares the batch's cases with the model; keeps those that differ, and returns how many
 * were run.
 */
static u32 compare_all(struct work *w, u32 *nr_mismatched)
{
	const struct agent_result *seen = seen_results(w);
	const struct expectations *x = &w->expectations;
	const bool simple = w->forecast && !w->batch.no_error;
	const bool stores = w->batch.access == AGENT_WRITE;
	u32 i;

	for (i = 0; i < w->batch.nr; i++) {
		if (simple && forecast_agrees(x, w->first + i, &seen[i])) {
			if (stores)
				note_forecast_store(w, i);
			continue;
		}
		take_result(w, i);
		if (results[i].status == STATUS_NOT_RUN)
			break;
		if (!compare_closely(w, i, &mismatched[*nr_mismatched].class))
			mismatched[(*nr_mismatched)++].i = i;
	}
	return i;
}

static void report_one(const struct work *w, u32 i, u32 class)
{
	struct walk_result expected;
	char e[OUTCOME_TEXT_LEN], o[OUTCOME_TEXT_LEN];
	struct comparison c = { w->guest, &w->batch, w->gvas[i], &expected, &results[i] };

	/* One of many that are known: often nothing is left but to count it. */
	if (outcome_class_counted(w->classes, class))
		return;
	expect(w, i, &expected);
	outcome_texts(&c, e, o);
	if (!outcome_class_known(w->classes, class, e, o, w->engine->name))
		report_mismatch(w, i, &c, e, o);
}

static void compare_store(struct work *w, gpa_t gpa, u32 i)
{
	const u8 *page = vm_gpa2hva(w->guest->vm, gpa);
	struct walk_result expected = { .rule = RULE_A_ALLOWED };
	struct comparison c = { w->guest, &w->batch, w->gvas[i], &expected, &results[i] };
	u32 word;

	memcpy(&word, page + DATA_WRITE_OFFSET, sizeof(word));
	if (word == agent_stored_word(&w->batch, i))
		return;
	take_result(w, i);
	report_mismatch(w, i, &c, "stored", "not stored");
}

static void compare_stores(struct work *w)
{
	u32 k;

	for (k = 0; w->forecast && k < w->forecast->nr_pages; k++)
		if (w->page_writer[k] != NOBODY)
			compare_store(w, w->forecast->pages[k], w->page_writer[k]);
	for (k = 0; k < w->nr_stored; k++)
		compare_store(w, w->last_stored[k], w->last_writer[k]);
}

/*
 * Cases left behind by a hang or by too many bad exits failed as well: nobody knows what
 * they would have done.  One record stands for them.
 */
static void report_not_run(const struct work *w, u32 i)
{
	struct walk_result expected = { .rule = RULE_A_ALLOWED };
	struct comparison c = { w->guest, &w->batch, w->gvas[i], &expected, &results[i] };
	char observed[64];

	snprintf(observed, sizeof(observed), "%u cases not run", w->batch.nr - i);
	report_mismatch(w, i, &c, "runs", observed);
}

static void run_batch(struct work *w)
{
	u32 i, k, nr_mismatched = 0;

	w->batch.gvas = w->gvas;
	w->nr_stored = 0;
	for (k = 0; w->forecast && k < w->forecast->nr_pages; k++)
		w->page_writer[k] = NOBODY;
	if (w->forecast && w->batch.access == AGENT_WRITE)
		forecast_prepare_writes(w->forecast, w->guest);
	w->engine->run(w->guest, &w->batch);
	i = compare_all(w, &nr_mismatched);
	/* Before anything is reported: a report may make accesses of its own. */
	compare_stores(w);
	for (k = 0; k < nr_mismatched && !report_should_stop(); k++)
		report_one(w, mismatched[k].i, mismatched[k].class);
	if (i < w->batch.nr && !report_should_stop())
		report_not_run(w, i);
	report_cases(i);
}

bool actor_says_something(const struct actor *actor, enum agent_access access)
{
	return !actor->ac || access == AGENT_LDT || (!actor->cpl && access != AGENT_FETCH);
}

static void run_batches(struct work *w, const gva_t *gvas, u32 total)
{
	for (w->first = 0; w->first < total && !report_should_stop(); w->first += w->batch.nr) {
		w->batch.nr = total - w->first;
		if (w->batch.nr > AGENT_MAX_CASES)
			w->batch.nr = AGENT_MAX_CASES;
		w->gvas = gvas + w->first;
		run_batch(w);
	}
}

/* Without paging an address is its own translation: nothing to be said once for many. */
static u32 run_flat(struct work *w)
{
	gva_t gvas[ARRAY_SIZE(flat_pages)];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(gvas); i++)
		gvas[i] = flat_pages[i] + agent_access_offset(w->batch.access);
	run_batches(w, gvas, ARRAY_SIZE(gvas));
	return ARRAY_SIZE(gvas);
}

static u32 run_plan(struct work *w)
{
	const struct plan *plan = w->plan;
	struct forecast *f = forecast_of(w->guest, &w->batch.state, plan);
	struct expectation *of_class = zeroed(f->nr_classes, sizeof(*of_class));

	w->forecast = f;
	w->page_writer = zeroed(f->nr_pages, sizeof(*w->page_writer));
	w->differences = zeroed(f->nr_classes, sizeof(*w->differences));
	forecast_expect(f, w->guest, plan, &w->batch, of_class, &w->expectations);
	run_batches(w, w->expectations.gvas, plan->nr);
	free(w->page_writer);
	free(w->differences);
	free(of_class);
	if (!plan->forecasts)
		forecast_free(f);
	return plan->nr;
}

u64 cases_run(struct guest *guest, const struct engine *engine, const struct mmu_state *state,
	       const struct actor *actor, enum agent_access access, enum agent_care care,
	       const struct plan *plan)
{
	bool flat = state_modes[state->mode].paging == PAGING_NONE;
	struct outcome_classes classes = { .nr = 0 };
	struct work w = {
		.guest = guest,
		.engine = engine,
		.plan = plan,
		.batch = engine_batch(engine, state, actor, access, care),
		.regs = guest_walk_regs(guest, state),
		.classes = &classes,
	};
	u32 total;

	if (engine->unsupported(guest, &w.batch))
		return 0;
	w.batch.keeps_fixed = true;
	w.batch.results = engine->in_place ? NULL : results;
	report_engine(engine->name);
	total = flat ? run_flat(&w) : run_plan(&w);
	return w.first < total ? w.first : total;
}

static json_t *probe_detail(const void *context)
{
	(void)context;
	return json_pack("{s:s}", "note",
			 "the agent cannot do this in this state, not even to memory of its own");
}

bool cases_probe(struct guest *guest, const struct engine *engine, const struct mmu_state *state,
		 const struct actor *actor, enum agent_access access, enum agent_care care)
{
	const struct agent_batch like = engine_batch(engine, state, actor, access, care);
	const char *what = agent_probe(guest, &like, engine->run);
	enum paging_mode mode = state_modes[state->mode].paging;
	struct test_case tc = { .state = *state, .actor = *actor, .access = access };
	char id[CASE_ID_LEN];
	struct case_failure f = {
		.id = id,
		.expected = like.careful ? "agent runs (careful)" : "agent runs",
		.engine = engine->name,
		.rule = rule_text(RULE_A_ALLOWED)->name,
	};
	int level;

	report_cases(1);
	if (!what)
		return true;
	for (level = 1; level <= paging_formats[mode].levels; level++)
		tc.entry[level] = variant_full(mode, level);
	case_id(&tc, id);
	f.observed = what;
	f.detail = probe_detail;
	report_failure(&f);
	return false;
}

static json_t *memory_detail(const void *context)
{
	return json_pack("{s:s}", "note", context);
}

void cases_check_memory(struct guest *guest, const struct mmu_state *state)
{
	const char *what = guest_check_memory(guest, state);
	char id[STATE_NAME_LEN + 16];
	struct case_failure f = {
		.id = id,
		.expected = "memory as the host wrote it",
		.observed = what,
		.rule = rule_text(RULE_A_ACCESSED)->name,
		.detail = memory_detail,
		.context = "found after all cases of the state; no single case to replay",
	};

	report_cases(1);
	if (!what)
		return;
	state_name(state, id);
	strcat(id, "/memory");
	report_failure(&f);
}
