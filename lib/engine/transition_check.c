// SPDX-License-Identifier: GPL-2.0-only
/* The accesses of a stop: put into a script, compared with the model, reported. */
#include <string.h>

#include "case_run.h"
#include "outcome_classes.h"
#include "report.h"
#include "transition_internal.h"

void stops_begin(struct journey *j, struct stops *stops)
{
	script_begin(&stops->script, j->guest);
	stops->nr_pairs = stops->nr_probes = 0;
	stops->path = j->path;
	stops->no_software = false;
}

static void add_set(struct journey *j, struct stops *stops, unsigned int set, unsigned int state,
		    unsigned int after)
{
	const struct witness_set *s = &j->sets->set[set];
	u32 i;

	script_add_cases(&stops->script, s->first, s->nr);
	for (i = 0; i < s->nr; i++)
		stops->probe[stops->nr_probes++] = (struct probe){ state, after, stops->path,
								   s->first + i, false };
}

/* The state's set again, by KVM's own walker. */
static void add_software(struct journey *j, struct stops *stops, unsigned int state,
			 unsigned int after)
{
	const struct software_set *s;
	u32 i;

	if (!j->software || stops->no_software)
		return;
	s = &j->software[state];
	script_add_cases(&stops->script, s->first, s->nr);
	for (i = 0; i < s->nr; i++)
		stops->probe[stops->nr_probes++] = (struct probe){
			state, after, stops->path,
			j->software_case[s->first - j->software_first + i], true
		};
}

void stops_add(struct journey *j, struct stops *stops, unsigned int state, unsigned int after,
	       unsigned int next)
{
	const struct mmu_state *s = j->sets->state;

	add_set(j, stops, state, state, after);
	add_software(j, stops, state, after);
	if (next != state && states_share_tables(&s[state], &s[next]))
		add_set(j, stops, next, state, after);
	j->visited[state] = ++j->now;
}

/* A probe as the suite's comparison wants it. */
struct seen {
	struct test_case tc;
	struct agent_batch batch;
	struct walk_access access;
	struct walk_result expected;
	struct agent_result observed;
	struct comparison c;
};

static void expect_in(const struct journey *j, struct seen *s, const struct mmu_state *state)
{
	const struct walk_regs regs = guest_walk_regs(j->guest, state);

	s->batch.state = *state;
	walk(&j->guest->cpu, &regs, &j->guest->memory, &s->access, &s->expected);
}

static void see(const struct journey *j, const struct probe *p, struct seen *s)
{
	const struct witness_case *c = &j->sets->cases[p->wcase];

	s->tc = (struct test_case){ .actor = c->actor, .access = c->access };
	s->batch = script_batch(&j->sets->state[p->state], &c->actor, c->access);
	s->batch.via = p->software ? VIA_FORCED : VIA_NATIVE;
	s->access = case_access(&s->tc, c->gva);
	s->c = (struct comparison){ j->guest, &s->batch, c->gva, &s->expected, &s->observed };
	expect_in(j, s, &j->sets->state[p->state]);
}

/* In which states would this have been right?  Asked again and again: the answers are kept. */
#define MAX_STATES 512
struct right_states {
	struct probe probe;
	u32 status, error, value;
	bool valid;
	u64 state[MAX_STATES / 64];
};

static const struct right_states *right_states(const struct journey *j, const struct probe *p,
					       const struct seen *seen)
{
	static struct right_states kept[1024];
	const struct agent_result *o = &seen->observed;
	struct right_states *r = &kept[(p->wcase * 31 + p->state * 7 + o->status + o->error) % 1024];
	struct seen other = *seen;
	unsigned int i;

	if (r->valid && r->probe.state == p->state && r->probe.wcase == p->wcase &&
	    r->probe.software == p->software &&
	    r->status == o->status && r->error == o->error && r->value == o->value)
		return r;
	*r = (struct right_states){ *p, o->status, o->error, o->value, true, { 0 } };
	other.c.batch = &other.batch;
	other.c.expected = &other.expected;
	for (i = 0; i < j->sets->nr_states && i < MAX_STATES; i++) {
		if (!states_share_tables(&j->sets->state[i], &j->sets->state[p->state]))
			continue;
		expect_in(j, &other, &j->sets->state[i]);
		if (outcome_matches(&other.c))
			r->state[i / 64] |= BIT_ULL(i % 64);
	}
	return r;
}

/* How many flags differ; states of one set of tables are of one mode. */
static int distance(const struct mmu_state *a, const struct mmu_state *b)
{
	return __builtin_popcount(a->flags ^ b->flags);
}

/*
 * The state that the outcome may have been kept from: of those visited in which it would have
 * been right the one that differs least, and of several the one visited last; if there is
 * none, the one just left.
 */
static unsigned int kept_from(const struct journey *j, const struct probe *p,
			      const struct seen *seen)
{
	const struct right_states *r = right_states(j, p, seen);
	const struct mmu_state *states = j->sets->state;
	unsigned int i, found = p->after == ENTERED ? p->state : p->after;
	int least = NR_STATE_FLAGS + 1;
	u64 when = 0;

	for (i = 0; i < j->sets->nr_states && i < MAX_STATES; i++) {
		int d = distance(&states[i], &states[p->state]);

		if (!(r->state[i / 64] & BIT_ULL(i % 64)) || !j->visited[i] || d > least ||
		    (d == least && j->visited[i] < when))
			continue;
		when = j->visited[i];
		least = d;
		found = i;
	}
	return found;
}

struct mismatch {
	const struct comparison *c;
	const struct test_case *tc;
	const char *before, *path;
	const struct engine *engine;
};

static json_t *mismatch_detail(const void *context)
{
	const struct mismatch *m = context;
	json_t *detail = case_detail(m->c, m->tc, m->engine);

	json_object_set_new(detail, "came_from", json_string(m->before));
	json_object_set_new(detail, "path_taken", json_string(m->path));
	return detail;
}

static void report_probe(const struct journey *j, const struct probe *p, struct seen *s,
			 const char *expected, const char *observed, unsigned int from)
{
	const struct mmu_state *states = j->sets->state;
	const bool entered = p->after == ENTERED;
	const unsigned int came_from = entered ? p->state : p->after;
	char id[CASE_ID_LEN], before[STATE_NAME_LEN], after[STATE_NAME_LEN];
	const struct engine *engine = p->software ? &engine_forced : &engine_native;
	const char *path = entered ? path_sregs.name : p->path->name;
	struct mismatch m = { &s->c, &s->tc, before, path, engine };
	const struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.after = after,
		.from = entered || from == came_from ? NULL : before,
		.path = path,
		.engine = engine->name,
		.rule = rule_text(s->expected.rule)->name,
		.detail = mismatch_detail,
		.context = &m,
	};

	s->tc = witness_test_case(j->sets, &j->sets->cases[p->wcase], &states[p->state]);
	case_id(&s->tc, id);
	state_name(&states[came_from], before);
	state_name(&states[from], after);
	report_failure(&f);
}

static void check_probe(struct journey *j, const struct probe *p, u32 i)
{
	static struct outcome_classes classes[2];
	struct outcome_classes *seen = &classes[p->software];
	char expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	struct seen s;
	u32 class;

	see(j, p, &s);
	s.observed = script_result(j->guest, i);
	if (outcome_matches(&s.c))
		return;
	class = outcome_class_find(seen, &s.c);
	if (outcome_class_counted(seen, class))
		return;
	outcome_texts(&s.c, expected, observed);
	if (!outcome_class_known(seen, class, expected, observed,
				 (p->software ? &engine_forced : &engine_native)->name))
		report_probe(j, p, &s, expected, observed, kept_from(j, p, &s));
}

/* The script ended before this access, and not by itself. */
static void report_end(struct journey *j, const struct stops *stops, const struct script_end *end)
{
	const struct probe *p = &stops->probe[end->nr_results];
	char observed[EXIT_TEXT_LEN];
	struct seen s;

	see(j, p, &s);
	s.observed = (struct agent_result){ 0 };
	exit_text(end->exit, end->detail, observed);
	report_probe(j, p, &s, "agent runs", observed,
		     p->after == ENTERED ? p->state : p->after);
}

void stops_check(struct journey *j, const struct stops *stops, const struct script_end *end)
{
	u32 i, nr = end->nr_results < stops->nr_probes ? end->nr_results : stops->nr_probes;

	for (i = 0; i < nr && !report_should_stop(); i++) {
		check_probe(j, &stops->probe[i], i);
		j->nr_software += stops->probe[i].software;
	}
	if (!end->done && nr < stops->nr_probes && !report_should_stop())
		report_end(j, stops, end);
	report_cases(i);
	j->probes += i;
}
