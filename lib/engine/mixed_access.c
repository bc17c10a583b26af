// SPDX-License-Identifier: GPL-2.0-only
/* One access through shared tables: expect, make, compare, report. */
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "compare.h"
#include "mixed_role.h"
#include "report.h"
#include "x86.h"

#define MAX_PRINTED 3

/* What must come of an operation. */
struct expectation {
	struct walk_result walk;
	bool mmio;    /* translated, but there is no memory, or none that can be written */
	u32 value;    /* of a read or fetch */
};

/* An access that is to be described. */
struct described {
	const struct mixed *m;
	const struct seat *seat;
	const struct expectation *expected;
	enum seat_op op;
	gva_t gva;
};

static enum access_kind kind_of(enum seat_op op)
{
	return op == SEAT_READ ? ACCESS_READ : op == SEAT_FETCH ? ACCESS_FETCH : ACCESS_WRITE;
}

/* The entry without its address, as in other case ids. */
static void entry_text(const struct described *d, const struct walk_step *s,
		       char text[VARIANT_TEXT_LEN])
{
	enum paging_mode mode = state_modes[d->seat->state.mode].paging;
	gpa_t address = entry_address(mode, s->level, s->leaf, s->entry,
				      &d->seat->guest->cpu);

	variant_text(mode, s->level, s->entry & ~address, text);
}

static void access_id(const struct described *d, char id[CASE_ID_LEN])
{
	const struct walk_result *w = &d->expected->walk;
	char state[STATE_NAME_LEN], entry[VARIANT_TEXT_LEN];
	int n, i;

	state_name(&d->seat->state, state);
	n = snprintf(id, CASE_ID_LEN, "%s/cpl%u/%s", state, d->seat->cpl, seat_op_names[d->op]);
	for (i = 0; i < w->nr_steps && n < CASE_ID_LEN - VARIANT_TEXT_LEN - 100; i++) {
		entry_text(d, &w->step[i], entry);
		n += snprintf(id + n, CASE_ID_LEN - n, "/%u=%s", w->step[i].level, entry);
	}
	snprintf(id + n, CASE_ID_LEN - n, "/%s/step%u/round%u/vcpu%u/%#llx",
		 d->m->scenario->name, d->m->step, d->m->round, d->seat->nr,
		 (unsigned long long)d->gva);
}

static void registers_text(const struct described *d, char *text, size_t len)
{
	struct walk_regs r = shared_walk_regs(d->m->shared, d->seat);
	int n;

	n = snprintf(text, len, "cr0 %#llx cr3 %#llx cr4 %#llx efer %#llx",
		     (unsigned long long)r.cr0, (unsigned long long)r.cr3,
		     (unsigned long long)r.cr4, (unsigned long long)r.efer);
	if (d->seat->state.mode == MODE_PAE)
		snprintf(text + n, len - n, " pdptr %#llx %#llx %#llx %#llx",
			 (unsigned long long)r.pdptr[0], (unsigned long long)r.pdptr[1],
			 (unsigned long long)r.pdptr[2], (unsigned long long)r.pdptr[3]);
}

static void walk_step_text(const struct described *d, const struct walk_step *s, char *text,
			   size_t len)
{
	enum paging_mode mode = state_modes[d->seat->state.mode].paging;
	char bits[VARIANT_TEXT_LEN];

	entry_text(d, s, bits);
	snprintf(text, len, "%-5s at %#llx: %#llx, bits %.200s",
		 paging_formats[mode].level[s->level].name, (unsigned long long)s->entry_gpa,
		 (unsigned long long)s->entry, bits);
}

static json_t *access_detail(const void *context)
{
	const struct described *d = context;
	const struct walk_result *w = &d->expected->walk;
	json_t *path = json_array();
	char text[256], step[MIXED_STEP_TEXT_LEN];
	int i;

	for (i = 0; i < w->nr_steps; i++) {
		walk_step_text(d, &w->step[i], text, sizeof(text));
		json_array_append_new(path, json_string(text));
	}
	registers_text(d, text, sizeof(text));
	mixed_step_text(&d->m->scenario->steps[d->m->step], step);
	return json_pack("{s:s, s:o, s:s, s:I}", "registers", text, "path", path, "step", step,
			 "seed", (json_int_t)d->m->choice.seed);
}

static void print_described(const struct described *d)
{
	const struct walk_result *w = &d->expected->walk;
	char text[256], step[MIXED_STEP_TEXT_LEN];
	int i;

	mixed_step_text(&d->m->scenario->steps[d->m->step], step);
	report_note("  step:      %s (seed %llu)", step, (unsigned long long)d->m->choice.seed);
	registers_text(d, text, sizeof(text));
	report_note("  registers: %s", text);
	for (i = 0; i < w->nr_steps; i++) {
		walk_step_text(d, &w->step[i], text, sizeof(text));
		report_note("  entry:     %s", text);
	}
}

/* False: there is nothing to be expected, so the access is not made. */
static bool expect(struct shared_tables *shared, const struct seat *seat, enum seat_op op,
		   gva_t gva, struct expectation *e)
{
	struct walk_regs regs = shared_walk_regs(shared, seat);
	struct walk_access access = { .gva = gva, .kind = kind_of(op), .cpl = seat->cpl };
	const struct shared_mem *mem;

	*e = (struct expectation){ 0 };
	walk(&shared->guest->cpu, &regs, &shared->memory, &access, &e->walk);
	if (e->walk.outcome == WALK_NO_MEMORY)
		return false;
	if (e->walk.outcome == WALK_FAULT)
		return true;
	mem = shared_mem_at(shared, e->walk.gpa);
	e->mmio = !mem || (mem->readonly && access.kind == ACCESS_WRITE);
	/* KVM cannot run code that is not in memory, and this page may not hold any. */
	if (op == SEAT_FETCH)
		return mem && guest_page_code_tag(shared_copy(shared, e->walk.gpa), &e->value);
	if (op == SEAT_READ && mem)
		memcpy(&e->value, shared_copy(shared, e->walk.gpa), sizeof(e->value));
	return true;
}

static bool as_expected(const struct described *d, const struct seat_result *r)
{
	const struct walk_result *w = &d->expected->walk;

	if (w->outcome == WALK_FAULT)
		return !r->nr_mmio && r->status == (STATUS_FAULT | w->vector) &&
		       r->error == w->error_code && r->rip == seat_fault_rip(d->seat, d->op, d->gva) &&
		       (w->vector != PF_VECTOR || r->cr2 == w->cr2);
	if (r->status != STATUS_DONE)
		return false;
	if (d->expected->mmio)
		return r->nr_mmio == 1 && r->mmio_gpa == w->gpa &&
		       r->mmio_write == (kind_of(d->op) == ACCESS_WRITE);
	return !r->nr_mmio && (kind_of(d->op) == ACCESS_WRITE || r->value == d->expected->value);
}

static void expected_text(const struct described *d, char text[OUTCOME_TEXT_LEN])
{
	const struct expectation *e = d->expected;
	size_t n;

	if (e->mmio)
		snprintf(text, OUTCOME_TEXT_LEN, "exit MMIO %#llx",
			 (unsigned long long)e->walk.gpa);
	else
		walk_result_text(&e->walk, text);
	n = strlen(text);
	if (e->walk.outcome == WALK_OK && !e->mmio && kind_of(d->op) != ACCESS_WRITE)
		snprintf(text + n, OUTCOME_TEXT_LEN - n, " value=%#x", e->value);
}

static void observed_text(const struct described *d, const struct seat_result *r,
			  char text[OUTCOME_TEXT_LEN])
{
	char bits[48];

	error_code_text(r->error, bits);
	if (r->nr_mmio)
		snprintf(text, OUTCOME_TEXT_LEN, "exit MMIO%s %#llx", r->mmio_write ? " write" : "",
			 (unsigned long long)r->mmio_gpa);
	else if (r->status == STATUS_DONE && kind_of(d->op) == ACCESS_WRITE)
		snprintf(text, OUTCOME_TEXT_LEN, "ok");
	else if (r->status == STATUS_DONE)
		snprintf(text, OUTCOME_TEXT_LEN, "ok value=%#x", r->value);
	else if (r->status & STATUS_EXIT)
		exit_text(r->status & STATUS_EXIT_MASK, r->cr2, text);
	else if ((r->status & 0xff) != PF_VECTOR)
		snprintf(text, OUTCOME_TEXT_LEN, "exception-%u(%#x)", r->status & 0xff, r->error);
	else if (r->cr2 != d->gva || r->rip != seat_fault_rip(d->seat, d->op, d->gva))
		snprintf(text, OUTCOME_TEXT_LEN, "#PF(%s) cr2=%#llx rip=%#llx", bits,
			 (unsigned long long)r->cr2, (unsigned long long)r->rip);
	else
		snprintf(text, OUTCOME_TEXT_LEN, "#PF(%s)", bits);
}

static void print_alone(const struct described *d, const char *id, const char *expected,
			const char *observed)
{
	const struct rule_text *rule = rule_text(d->expected->walk.rule);

	report_note("case      %s", id);
	print_described(d);
	report_note("expected  %s\nobserved  %s", expected, observed);
	report_note("rule      %s: %s", rule->name, rule->says);
}

static void report(struct mixed *m, const struct described *d, const char *expected,
		   const char *observed)
{
	char id[CASE_ID_LEN];
	struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.rule = rule_text(d->expected->walk.rule)->name,
		.detail = access_detail,
		.context = d,
	};

	access_id(d, id);
	m->failed++;
	if (!mixed_wants(m, id))
		return;
	if (m->choice.only)
		print_alone(d, id, expected, observed);
	if (report_failure(&f) == CASE_FAILED && !m->choice.only && m->printed++ < MAX_PRINTED)
		print_described(d);
}

/* The case that is replayed, and nothing is wrong with it. */
static void show(struct mixed *m, const struct described *d, const struct seat_result *r)
{
	char id[CASE_ID_LEN], expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];

	access_id(d, id);
	if (m->reached || !mixed_wants(m, id))
		return;
	expected_text(d, expected);
	observed_text(d, r, observed);
	print_alone(d, id, expected, observed);
}

/* Memory follows what the guest did; the store itself must be there. */
static void follow(struct mixed *m, const struct described *d, u64 value, u8 bytes)
{
	const struct walk_result *w = &d->expected->walk;

	shared_note_access(m->shared, w, kind_of(d->op));
	if (w->outcome != WALK_OK || d->expected->mmio || kind_of(d->op) != ACCESS_WRITE)
		return;
	shared_follow(m->shared, w->gpa, value, bytes);
	if (memcmp(shared_host(m->shared, w->gpa), shared_copy(m->shared, w->gpa), bytes))
		report(m, d, "stored", "not stored");
}

void mixed_access(struct mixed *m, struct seat *seat, u8 cpl, enum seat_op op, gva_t gva,
		  u64 value, bool compare)
{
	bool code64 = state_modes[seat->state.mode].code64;
	struct expectation e;
	struct described d = { m, seat, &e, op, gva };
	char expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	struct seat_result r;

	shared_clean_pdptes(m->shared);
	if (seat_enter(seat, cpl))
		shared_load_pdptrs(m->shared, seat);
	if (!expect(m->shared, seat, op, gva, &e))
		return;
	seat_run(seat, op, gva, value, &r);
	if (!compare)
		return;
	report_cases(1);
	if (as_expected(&d, &r)) {
		follow(m, &d, value, op == SEAT_STORE_WIDE && code64 ? 8 : 4);
		if (m->choice.only)
			show(m, &d, &r);
		return;
	}
	expected_text(&d, expected);
	observed_text(&d, &r, observed);
	report(m, &d, expected, observed);
}
