// SPDX-License-Identifier: GPL-2.0-only
/* Accesses across a page boundary: see include/crossing.h. */
#include <stdio.h>
#include <string.h>

#include "case_run.h"
#include "crossing.h"
#include "rep.h"
#include "report.h"
#include "x86.h"

#define SPLIT 2                   /* bytes of a 4-byte access in the first page */
#define REP_BYTES 8               /* half of them in each page */
#define OTHER_PAGE BIT_ULL(33)    /* an address bit that leads to an alias of the data page */
#define OWN_BYTES (AGENT_PROBE + 0x800) /* memory of the agent's own, for REP MOVSB */
#define TEXT_LEN 200

/* The entries that meet: full, no rights of a kind, not accessed, another page. */
static unsigned int meeting_entries(const struct table_shape *shape, int level,
				    const struct cpu_facts *cpu, u64 entry[8])
{
	unsigned int nr = 0;

	entry[nr++] = VARIANT_FULL;
	entry[nr++] = VARIANT_FULL & ~PTE_P;
	entry[nr++] = VARIANT_FULL & ~PTE_W;
	entry[nr++] = VARIANT_FULL & ~PTE_U;
	entry[nr++] = VARIANT_FULL & ~(PTE_A | PTE_D);
	if (level == 1 && paging_formats[shape->mode].entry_bytes == 8 && cpu->maxphyaddr > 33)
		entry[nr++] = VARIANT_FULL | OTHER_PAGE;
	return nr;
}

/* Variant 0 is full; then every pair, the lower page's entry first. */
static void pair_list(const struct table_shape *shape, int level, const struct cpu_facts *cpu,
		      struct variant_list *list)
{
	u64 entry[8];
	unsigned int nr = meeting_entries(shape, level, cpu, entry), i, k;
	unsigned int max = variant_max(shape, level) - 1;

	list->bits[list->nr++] = variant_full(shape->mode, level);
	list->nr_rights = 1;
	if (paging_formats[shape->mode].level[level].register_entry)
		return;
	for (i = 0; i < nr; i++)
		for (k = 0; k < nr && list->nr + 2u <= max; k++) {
			list->bits[list->nr++] = entry[i];
			list->bits[list->nr++] = entry[k];
		}
}

struct guest *crossing_guest(void)
{
	static struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1];
	struct vm *vm = vm_create_barebones();
	struct vcpu *vcpu = vm_vcpu_add(vm, 0);
	const struct cpu_facts cpu = cpuid_facts(vcpu->cpuid);
	int area, level;

	vm_free(vm);
	memset(lists, 0, sizeof(lists));
	for (area = 0; area < NR_TABLE_AREAS; area++)
		for (level = 1; level <= paging_formats[area_shape(area)->mode].levels; level++)
			pair_list(area_shape(area), level, &cpu, &lists[area][level]);
	/* The last entry of each table below the pair maps the end of the lower page. */
	return guest_create_front(FRONT_USER, lists);
}

/* A boundary: both pages, and what the model says of each half of an access. */
struct crossing {
	struct guest *guest;
	const struct engine *engine;
	struct agent_batch batch;
	const char *what;        /* "read", "rep-target", ... */
	int level;
	u64 entry[2];
	gva_t boundary;          /* first byte of the upper page */
	gva_t at[2];             /* first byte of each half */
	struct walk_result half[2];
};

static bool faults(const struct crossing *x, int half)
{
	return x->half[half].outcome != WALK_OK;
}

static void expect_halves(struct crossing *x, enum agent_access access, u32 bytes)
{
	const struct test_case tc = { x->batch.state, x->batch.actor, access, { 0 } };
	const struct walk_regs regs = guest_walk_regs(x->guest, &x->batch.state);
	int half;

	x->batch.access = access;
	x->at[0] = x->boundary - bytes;
	x->at[1] = x->boundary;
	for (half = 0; half < 2; half++) {
		const struct walk_access a = case_access(&tc, x->at[half]);

		walk(&x->guest->cpu, &regs, &x->guest->memory, &a, &x->half[half]);
	}
}

static void report(const struct crossing *x, const char *expected, const char *observed)
{
	enum paging_mode mode = state_modes[x->batch.state.mode].paging;
	char state[STATE_NAME_LEN], low[VARIANT_TEXT_LEN], high[VARIANT_TEXT_LEN], id[CASE_ID_LEN];
	const struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.engine = x->engine->name,
		.rule = rule_text(x->half[faults(x, 1)].rule)->name,
	};

	state_name(&x->batch.state, state);
	variant_text(mode, x->level, x->entry[0], low);
	variant_text(mode, x->level, x->entry[1], high);
	snprintf(id, sizeof(id), "%s/%s/%s/%d=%s+%s", state, actor_name(&x->batch.actor), x->what,
		 x->level, low, high);
	report_failure(&f);
}

/*
 * Memory: four bytes on each side of the boundary, in both pages that entries lead to
 */

struct bytes {
	u8 end[2][REP_BYTES / 2], begin[2][REP_BYTES / 2];
};

static u8 *page_at(const struct crossing *x, int alias)
{
	return vm_gpa2hva(x->guest->vm, DATA_PAGE + (alias ? OTHER_PAGE : 0));
}

static void get_bytes(const struct crossing *x, struct bytes *b)
{
	int alias;

	memset(b, 0, sizeof(*b));
	for (alias = 0; alias < 2 && page_at(x, alias); alias++) {
		memcpy(b->end[alias], page_at(x, alias) + 0x1000 - REP_BYTES / 2, REP_BYTES / 2);
		memcpy(b->begin[alias], page_at(x, alias), REP_BYTES / 2);
	}
}

static void put_bytes(const struct crossing *x, const struct bytes *b)
{
	int alias;

	for (alias = 0; alias < 2 && page_at(x, alias); alias++) {
		memcpy(page_at(x, alias) + 0x1000 - REP_BYTES / 2, b->end[alias], REP_BYTES / 2);
		memcpy(page_at(x, alias), b->begin[alias], REP_BYTES / 2);
	}
}

/* The bytes on this side of the boundary, where the walk of that half leads. */
static u8 *half_bytes(const struct crossing *x, struct bytes *b, int half)
{
	bool alias = x->half[half].gpa & OTHER_PAGE;

	return half ? b->begin[alias] : b->end[alias];
}

static const char *what_changed(const struct bytes *before, const struct bytes *now,
				const struct bytes *wanted)
{
	bool low, high;

	if (!memcmp(now, wanted, sizeof(*now)))
		return NULL;
	low = memcmp(now->end, before->end, sizeof(now->end));
	high = memcmp(now->begin, before->begin, sizeof(now->begin));
	return low && high ? "both halves changed" : low ? "lower half changed" :
	       high	   ? "upper half changed" : "nothing changed";
}

static const char *wanted_change(const struct bytes *before, const struct bytes *wanted)
{
	return what_changed(before, wanted, before) ?: "nothing changed";
}

static void compare_bytes(const struct crossing *x, const struct bytes *before,
			  const struct bytes *wanted)
{
	struct bytes now;
	const char *what;

	get_bytes(x, &now);
	what = what_changed(before, &now, wanted);
	if (what)
		report(x, wanted_change(before, wanted), what);
	put_bytes(x, before);
}

/*
 * Accessed and dirty bits
 */

/* must: this half was accessed for sure; else its bits are open. */
static void compare_ad(const struct crossing *x, int half, bool must_be)
{
	u32 must, may, seen = guest_path_ad(x->guest, &x->batch.state, x->at[half]);
	const struct comparison c = { x->guest, &x->batch, x->at[half], &x->half[half], NULL };
	char expected[64], observed[64];

	expected_ad(&c, &must, &may);
	if (!must_be) {
		may |= must;
		must = 0;
	}
	if ((seen & must) == must && !(seen & ~(must | may)))
		return;
	snprintf(expected, sizeof(expected), "%s ad=%#x", half ? "upper" : "lower", must);
	snprintf(observed, sizeof(observed), "%s ad=%#x", half ? "upper" : "lower", seen);
	report(x, expected, observed);
}

/*
 * Outcomes
 */

static void fault_line(u32 vector, u32 error, u64 cr2, u64 boundary, char text[TEXT_LEN])
{
	char bits[48];

	error_code_text(error, bits);
	if (vector != PF_VECTOR)
		snprintf(text, TEXT_LEN, "exception-%u(%#x)", vector, error);
	else
		snprintf(text, TEXT_LEN, "#PF(%s) cr2=boundary%+lld", bits,
			 (long long)(cr2 - boundary));
}

static bool is_fault_of(const struct crossing *x, int half, u32 vector, u32 error, u64 cr2)
{
	const struct walk_result *r = &x->half[half];

	return r->outcome == WALK_FAULT && vector == r->vector && error == r->error_code &&
	       cr2 == r->cr2;
}

/* One of the halves that fault: where both do, either may be told. */
static void compare_fault(const struct crossing *x, u32 vector, u32 error, u64 cr2, u64 rip,
			  u64 right_rip)
{
	int half = faults(x, 0) ? 0 : 1;
	char expected[TEXT_LEN], observed[TEXT_LEN];
	u64 boundary = x->half[half].cr2 - x->at[half] + x->boundary;

	if (!is_fault_of(x, 0, vector, error, cr2) && !is_fault_of(x, 1, vector, error, cr2)) {
		fault_line(x->half[half].vector, x->half[half].error_code, x->half[half].cr2,
			   boundary, expected);
		fault_line(vector, error, cr2, boundary, observed);
		report(x, expected, observed);
	} else if (rip != right_rip) {
		report(x, "rip of the instruction", "another rip");
	}
}

static void compare_split(const struct crossing *x, const struct agent_result *r,
			  const struct bytes *before)
{
	char observed[TEXT_LEN], expected[TEXT_LEN];
	u32 value, right;

	if (r->status & STATUS_EXIT || r->status == STATUS_NOT_RUN) {
		exit_text(r->status & STATUS_EXIT_MASK, r->cr2, observed);
		report(x, "an outcome", observed);
	} else if (!faults(x, 0) && !faults(x, 1)) {
		struct bytes b = *before;

		memcpy(&right, half_bytes(x, &b, 0) + REP_BYTES / 2 - SPLIT, SPLIT);
		memcpy((u8 *)&right + SPLIT, half_bytes(x, &b, 1), sizeof(right) - SPLIT);
		value = x->batch.access == AGENT_READ ? r->value : right;
		snprintf(expected, sizeof(expected), "ok value=%#x", right);
		if (r->status != STATUS_DONE)
			fault_line(r->status & 0xff, r->error, r->cr2, x->boundary, observed);
		else
			snprintf(observed, sizeof(observed), "ok value=%#x", value);
		if (r->status != STATUS_DONE || value != right)
			report(x, expected, observed);
	} else if (r->status == STATUS_DONE) {
		int half = faults(x, 0) ? 0 : 1;

		fault_line(x->half[half].vector, x->half[half].error_code, x->at[half],
			   x->boundary, expected);
		report(x, expected, "ok");
	} else {
		compare_fault(x, r->status & 0xff, r->error, r->cr2, r->rip,
			      agent_fault_rip(&x->batch, x->at[0]));
	}
}

static void run_split(struct crossing *x, enum agent_access access)
{
	struct agent_result result;
	struct bytes before, wanted;
	bool ok;
	u32 word;

	expect_halves(x, access, SPLIT);
	x->what = agent_access_names[access];
	x->batch.gvas = x->at;
	x->batch.nr = 1;
	x->batch.span = SPLIT;
	x->batch.results = &result;
	get_bytes(x, &before);
	report_engine(x->engine->name);
	x->engine->run(x->guest, &x->batch);
	ok = !faults(x, 0) && !faults(x, 1);
	compare_split(x, &result, &before);
	compare_ad(x, 0, ok);
	compare_ad(x, 1, ok);
	wanted = before;
	word = agent_stored_word(&x->batch, 0);
	if (ok && access == AGENT_WRITE) {
		memcpy(half_bytes(x, &wanted, 0) + REP_BYTES / 2 - SPLIT, &word, SPLIT);
		memcpy(half_bytes(x, &wanted, 1), (u8 *)&word + SPLIT, sizeof(word) - SPLIT);
	}
	compare_bytes(x, &before, &wanted);
	report_cases(1);
}

/*
 * REP MOVSB
 */

static void restore_entries(struct crossing *x)
{
	struct agent_batch restore = x->batch;
	struct agent_result result;

	restore.gvas = x->at;
	restore.nr = 1;
	restore.span = x->boundary - x->at[0];
	restore.only_restore = true;
	restore.results = &result;
	agent_run(x->guest, &restore);
}

/* How many bytes were moved; rcx, rsi and rdi must agree. */
static u32 compare_registers(const struct crossing *x, const struct rep_end *end, gva_t from,
			     gva_t to, u32 moved)
{
	char expected[TEXT_LEN], observed[TEXT_LEN];

	if (end->cx == REP_BYTES - moved && end->si == from + moved && end->di == to + moved)
		return moved;
	snprintf(expected, sizeof(expected), "rcx=%u rsi+%u rdi+%u", REP_BYTES - moved, moved,
		 moved);
	snprintf(observed, sizeof(observed), "rcx=%lld rsi+%lld rdi+%lld", (long long)end->cx,
		 (long long)(end->si - from), (long long)(end->di - to));
	report(x, expected, observed);
	return moved;
}

static void compare_rep(const struct crossing *x, const struct rep_end *end)
{
	char observed[TEXT_LEN];

	if (end->exit != KVM_EXIT_IO) {
		exit_text(end->exit, 0, observed);
		report(x, "an outcome", observed);
	} else if (!faults(x, 0) && !faults(x, 1)) {
		fault_line(end->vector, end->error, end->cr2, x->boundary, observed);
		if (!end->done)
			report(x, "ok", observed);
	} else if (end->done) {
		report(x, "a fault", "ok");
	} else {
		compare_fault(x, end->vector, end->error, end->cr2, end->rip, rep_rip(&x->batch));
	}
}

static void run_rep(struct crossing *x, bool target)
{
	static const u8 pattern[REP_BYTES] = { 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58 };
	const gva_t own = OWN_BYTES + (x->batch.actor.cpl ? AGENT_USER_ALIAS : 0);
	struct bytes before, wanted;
	struct rep_end end;
	gva_t from, to;
	u32 moved;

	expect_halves(x, target ? AGENT_WRITE : AGENT_READ, REP_BYTES / 2);
	x->what = target ? "rep-target" : "rep-source";
	restore_entries(x);
	memcpy(vm_gpa2hva(x->guest->vm, OWN_BYTES), pattern, sizeof(pattern));
	get_bytes(x, &before);
	from = target ? own : x->at[0];
	to = target ? x->at[0] : own;
	if (!state_modes[x->batch.state.mode].code64) {
		from = (u32)from;
		to = (u32)to;
	}
	rep_movsb(x->guest, &x->batch, from, to, REP_BYTES, &end);
	moved = faults(x, 0) ? 0 : faults(x, 1) ? REP_BYTES / 2 : REP_BYTES;
	compare_rep(x, &end);
	compare_registers(x, &end, from, to, moved);
	compare_ad(x, 0, moved > 0);
	compare_ad(x, 1, moved == REP_BYTES);
	wanted = before;
	if (target && moved)
		memcpy(half_bytes(x, &wanted, 0), pattern, REP_BYTES / 2);
	if (target && moved == REP_BYTES)
		memcpy(half_bytes(x, &wanted, 1), pattern + REP_BYTES / 2, REP_BYTES / 2);
	compare_bytes(x, &before, &wanted);
	report_cases(1);
}

static void run_pair(struct crossing *x, u32 upper)
{
	const struct table_image *t = &x->guest->area[state_area(&x->batch.state)];
	u16 choice[MAX_LEVELS + 1] = { 0 };

	choice[x->level] = upper;
	x->boundary = guest_gva(x->guest, state_area(&x->batch.state), choice, 0);
	x->entry[0] = t->variants[x->level].bits[upper - 1];
	x->entry[1] = t->variants[x->level].bits[upper];
	run_split(x, AGENT_READ);
	run_split(x, AGENT_WRITE);
	run_rep(x, true);
	run_rep(x, false);
}

void crossing_run(struct guest *guest, const struct engine *engine, const struct mmu_state *state)
{
	const struct table_image *t = &guest->area[state_area(state)];
	struct crossing x = { .guest = guest, .engine = engine };
	unsigned int i;
	u32 upper;

	for (i = 0; i < NR_ACTORS; i++) {
		if (!actor_says_something(&all_actors[i], AGENT_READ))
			continue;
		x.batch = engine_batch(engine, state, &all_actors[i], AGENT_READ, CARE_EACH);
		if (!cases_probe(guest, engine, state, &all_actors[i], AGENT_READ, CARE_EACH))
			continue;
		for (x.level = 1; x.level <= paging_formats[t->shape.mode].levels; x.level++)
			for (upper = 2; upper < t->variants[x.level].nr; upper += 2)
				if (!report_should_stop())
					run_pair(&x, upper);
	}
	cases_check_memory(guest, state);
}
