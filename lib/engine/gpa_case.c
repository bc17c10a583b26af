// SPDX-License-Identifier: GPL-2.0-only
/* Running a scenario of gpa_test: expect, make the access, compare, report. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "cpu_offer.h"
#include "gpa_cases.h"
#include "gpa_outcome.h"
#include "report.h"
#include "x86.h"

#define ID_LEN 160
#define TEXT_LEN OUTCOME_TEXT_LEN
/* Only these ways to end an access that nobody can make; see include/gpa_outcome.h. */
#define KVM_EMULATION_FAILED 1
#define KVM_DELIVERY_EVENT 3
#define UD_VECTOR 6

/* One access. */
struct gpa_access {
	struct gpa_rig *rig;
	const struct gpa_place *place;
	enum seat_op op;
	u8 cpl;
	gva_t gva;
	u64 value;                 /* stored */
	char id[ID_LEN];
	/* What must come of it: */
	enum gpa_rule rule;
	struct walk_result walk;
	u32 error;                 /* GPA_RULE_TABLE_NOTHING: W, U, I/D of the error code */
	u32 read;                  /* what is there, or the code's tag */
	/* and what did: */
	struct seat_result result;
	const char *more;          /* NULL, or what else is wrong */
};

/* Reads first: a store may go over what is read and run. */
static const enum seat_op ops[] = { SEAT_READ, SEAT_FETCH, SEAT_STORE, SEAT_STORE_WIDE };
static const enum agent_access place_of[NR_SEAT_OPS] = {
	[SEAT_READ] = AGENT_READ,
	[SEAT_FETCH] = AGENT_FETCH,
	[SEAT_STORE] = AGENT_WRITE,
	[SEAT_STORE_WIDE] = AGENT_WRITE,
};

static enum access_kind kind_of(enum seat_op op)
{
	return op == SEAT_READ ? ACCESS_READ : op == SEAT_FETCH ? ACCESS_FETCH : ACCESS_WRITE;
}

static u32 access_size(const struct gpa_access *a)
{
	return a->op == SEAT_STORE_WIDE && state_modes[a->rig->state.mode].code64 ? 8 : 4;
}

static struct walk_result walk_to(const struct gpa_access *a, gva_t gva, enum access_kind kind)
{
	const struct shared_tables *s = a->rig->shared;
	const struct walk_regs regs = shared_walk_regs(s, a->rig->seat);
	const struct walk_access access = { .gva = gva, .kind = kind, .cpl = a->cpl };
	struct walk_result w = { 0 };

	walk(&s->guest->cpu, &regs, &s->memory, &access, &w);
	return w;
}

static const u8 *memory_at(struct shared_tables *s, gpa_t gpa)
{
	const u8 *p = shared_copy(s, gpa);

	return p ? p : vm_gpa2hva(s->guest->vm, gpa);
}

static enum gpa_target target_of(struct shared_tables *s, gpa_t gpa)
{
	const struct shared_mem *mem = shared_mem_at(s, gpa);

	if (mem)
		return mem->readonly ? GPA_READ_ONLY : GPA_MEMORY;
	return memory_at(s, gpa) ? GPA_MEMORY : GPA_NOTHING;
}

static bool in_read_only(struct shared_tables *s, gpa_t gpa)
{
	return gpa && target_of(s, gpa) == GPA_READ_ONLY;
}

static bool table_read_only(struct gpa_access *a)
{
	int i;

	for (i = 0; i < a->walk.nr_steps; i++)
		if (in_read_only(a->rig->shared, a->walk.step[i].entry_gpa))
			return true;
	return false;
}

/* False: there is nothing to be said about this access. */
static bool expect(struct gpa_access *a)
{
	struct shared_tables *s = a->rig->shared;
	const enum paging_mode mode = state_modes[a->rig->state.mode].paging;
	const enum access_kind kind = kind_of(a->op);
	const struct walk_result code =
		walk_to(a, seat_fault_rip(a->rig->seat, a->op == SEAT_FETCH ? SEAT_READ : a->op, 0),
			ACCESS_FETCH);
	enum gpa_target target = GPA_MEMORY;
	const u8 *p;

	a->walk = walk_to(a, a->gva, kind);
	a->error = (kind == ACCESS_WRITE ? PFERR_WRITE : 0) | (a->cpl ? PFERR_USER : 0);
	/* SMEP is off. */
	if (kind == ACCESS_FETCH && a->rig->state.flags & FLAG_NX && paging_formats[mode].has_nx)
		a->error |= PFERR_FETCH;
	if (a->walk.outcome == WALK_OK)
		target = target_of(s, a->walk.gpa);
	a->rule = gpa_outcome(&code, &a->walk, kind, target, table_read_only(a));
	if (a->walk.outcome != WALK_OK || target == GPA_NOTHING || a->rule == GPA_RULE_DEAD)
		return true;
	p = memory_at(s, a->walk.gpa);
	if (kind == ACCESS_FETCH)
		return guest_page_code_tag(p, &a->read);
	memcpy(&a->read, p, sizeof(a->read));
	return true;
}

static bool is_fault(const struct gpa_access *a, u8 vector)
{
	return a->result.status == (STATUS_FAULT | vector) && !a->result.nr_mmio &&
	       a->result.rip == seat_fault_rip(a->rig->seat, a->op, a->gva);
}

static bool mmio_is_right(const struct gpa_access *a)
{
	const struct seat_result *r = &a->result;
	const u32 size = access_size(a);
	const bool write = kind_of(a->op) == ACCESS_WRITE;

	if (r->status != STATUS_DONE || r->nr_mmio != 1 || r->mmio_gpa != a->walk.gpa ||
	    r->mmio_write != write || r->mmio_len != size)
		return false;
	return write ? !memcmp(&r->mmio_data, &a->value, size) : r->value == 0xffffffff;
}

static bool as_expected(const struct gpa_access *a)
{
	const struct seat_result *r = &a->result;
	const u32 exit = r->status & STATUS_EXIT ? r->status & STATUS_EXIT_MASK : 0;

	if (a->more)
		return false;
	switch (a->rule) {
	case GPA_RULE_FAULT:
		return is_fault(a, a->walk.vector) && r->error == a->walk.error_code &&
		       (a->walk.vector != PF_VECTOR || r->cr2 == a->walk.cr2);
	case GPA_RULE_MMIO:
	case GPA_RULE_READ_ONLY:
		return mmio_is_right(a);
	case GPA_RULE_FETCH_NOTHING:
		return is_fault(a, UD_VECTOR) ||
		       (exit == KVM_EXIT_INTERNAL_ERROR && r->cr2 == KVM_EMULATION_FAILED);
	case GPA_RULE_TABLE_NOTHING:
		return is_fault(a, PF_VECTOR) && gpa_table_fault_allowed(r->error, a->error) &&
		       r->cr2 == (state_modes[a->rig->state.mode].code64 ? a->gva : (u32)a->gva);
	case GPA_RULE_DEAD:
		return exit == KVM_EXIT_SHUTDOWN ||
		       (exit == KVM_EXIT_INTERNAL_ERROR && r->cr2 == KVM_DELIVERY_EVENT) ||
		       (exit == VCPU_RUN_ERROR && r->cr2 == EINVAL); /* of KVM_SET_SREGS */
	default:
		return r->status == STATUS_DONE && !r->nr_mmio &&
		       (kind_of(a->op) == ACCESS_WRITE || r->value == a->read);
	}
}

static void expected_text(const struct gpa_access *a, char text[TEXT_LEN])
{
	const bool write = kind_of(a->op) == ACCESS_WRITE;

	switch (a->rule) {
	case GPA_RULE_FAULT:
		walk_result_text(&a->walk, text);
		break;
	case GPA_RULE_MMIO:
	case GPA_RULE_READ_ONLY:
		snprintf(text, TEXT_LEN, "exit MMIO %s %#llx len=%u", write ? "write" : "read",
			 (unsigned long long)a->walk.gpa, access_size(a));
		break;
	case GPA_RULE_FETCH_NOTHING:
		snprintf(text, TEXT_LEN, "#UD or exit INTERNAL_ERROR 1");
		break;
	case GPA_RULE_TABLE_NOTHING:
		snprintf(text, TEXT_LEN, "#PF without P, or with P and RSVD");
		break;
	case GPA_RULE_DEAD:
		snprintf(text, TEXT_LEN, "exit SHUTDOWN or INTERNAL_ERROR 3");
		break;
	default:
		if (write)
			snprintf(text, TEXT_LEN, "ok");
		else
			snprintf(text, TEXT_LEN, "ok value=%#x", a->read);
	}
}

static void observed_text(const struct gpa_access *a, char text[TEXT_LEN])
{
	const struct seat_result *r = &a->result;
	const u32 exit = r->status & STATUS_EXIT_MASK;
	char bits[48], tail[64] = "";
	int n = 0;

	if (r->nr_mmio)
		n = snprintf(text, TEXT_LEN, "exit MMIO %s %#llx len=%u%s, then ",
			     r->mmio_write ? "write" : "read", (unsigned long long)r->mmio_gpa,
			     r->mmio_len, r->nr_mmio > 1 ? " and more" : "");
	if (r->status & STATUS_EXIT) {
		snprintf(text + n, TEXT_LEN - n, "exit %s %#llx", exit_reason_str(exit),
			 (unsigned long long)r->cr2);
	} else if (r->status == STATUS_DONE) {
		if (kind_of(a->op) == ACCESS_WRITE)
			snprintf(text + n, TEXT_LEN - n, "ok");
		else
			snprintf(text + n, TEXT_LEN - n, "ok value=%#x", r->value);
	} else {
		if (r->rip != seat_fault_rip(a->rig->seat, a->op, a->gva))
			snprintf(tail, sizeof(tail), " rip=%#llx", (unsigned long long)r->rip);
		else if ((r->status & 0xff) == PF_VECTOR && r->cr2 != a->gva)
			snprintf(tail, sizeof(tail), " cr2=%#llx", (unsigned long long)r->cr2);
		error_code_text(r->error, bits);
		if ((r->status & 0xff) == PF_VECTOR)
			snprintf(text + n, TEXT_LEN - n, "#PF(%s)%s", bits, tail);
		else
			snprintf(text + n, TEXT_LEN - n, "exception-%u(%#x)%s", r->status & 0xff,
				 r->error, tail);
	}
	n = strlen(text);
	if (a->more)
		snprintf(text + n, TEXT_LEN - n, ", then %s", a->more);
}

static json_t *access_detail(const void *context)
{
	const struct gpa_access *a = context;
	const struct walk_result *w = &a->walk;
	json_t *path = json_array();
	char text[80];
	int i;

	for (i = 0; i < w->nr_steps; i++) {
		snprintf(text, sizeof(text), "level %u at %#llx: %#llx", w->step[i].level,
			 (unsigned long long)w->step[i].entry_gpa,
			 (unsigned long long)w->step[i].entry);
		json_array_append_new(path, json_string(text));
	}
	snprintf(text, sizeof(text), "%#llx", (unsigned long long)a->gva);
	return json_pack("{s:s, s:o, s:{s:s, s:s, s:s}}", "gva", text, "path", path, "rule", "name",
			 gpa_rules[a->rule].name, "says", gpa_rules[a->rule].says, "source",
			 gpa_rules[a->rule].source);
}

static void print_access(const struct gpa_access *a, const char *expected, const char *observed)
{
	const struct walk_regs r = shared_walk_regs(a->rig->shared, a->rig->seat);
	int i;

	printf("# case      %s\n# registers cr0=%#llx cr3=%#llx cr4=%#llx efer=%#llx\n", a->id,
	       (unsigned long long)r.cr0, (unsigned long long)r.cr3, (unsigned long long)r.cr4,
	       (unsigned long long)r.efer);
	printf("# address   %#llx\n", (unsigned long long)a->gva);
	for (i = 0; i < a->walk.nr_steps; i++)
		printf("# level %u   at %#llx: %#llx\n", a->walk.step[i].level,
		       (unsigned long long)a->walk.step[i].entry_gpa,
		       (unsigned long long)a->walk.step[i].entry);
	printf("# expected  %s\n# observed  %s\n# rule      %s: %s\n#           %s\n", expected,
	       observed, gpa_rules[a->rule].name, gpa_rules[a->rule].says, gpa_rules[a->rule].source);
}

static void report(struct gpa_access *a, bool good, bool print)
{
	char expected[TEXT_LEN], observed[TEXT_LEN];
	const struct case_failure f = {
		.id = a->id,
		.expected = expected,
		.observed = observed,
		.rule = gpa_rules[a->rule].name,
		.detail = access_detail,
		.context = a,
	};

	report_cases(1);
	if (good && !print)
		return;
	expected_text(a, expected);
	observed_text(a, observed);
	if (print)
		print_access(a, expected, observed);
	if (!good)
		report_failure(&f);
}

/* The copy follows what a good access does to memory, and nothing else may have changed. */
static void follow(struct gpa_access *a)
{
	struct shared_tables *s = a->rig->shared;
	struct walk_result w = a->walk;
	int i;

	if (w.outcome == WALK_NO_MEMORY || a->rule == GPA_RULE_DEAD)
		return;
	for (i = 0; i < w.nr_steps; i++)
		if (in_read_only(s, w.step[i].entry_gpa))
			w.step[i].must_set = w.step[i].may_set = 0;
	shared_note_access(s, &w, kind_of(a->op));
	if (kind_of(a->op) == ACCESS_WRITE && a->walk.outcome == WALK_OK &&
	    shared_mem_at(s, w.gpa) && a->rule != GPA_RULE_READ_ONLY)
		shared_follow(s, w.gpa, a->value, access_size(a));
}

static void memory_is_right(struct gpa_access *a)
{
	static char text[64];
	struct shared_tables *s = a->rig->shared;
	gpa_t gpa;
	int i;

	for (i = 0; i < a->walk.nr_steps && a->walk.outcome != WALK_NO_MEMORY; i++) {
		gpa = a->walk.step[i].entry_gpa;
		if (!gpa || !shared_copy(s, gpa) ||
		    !memcmp(shared_copy(s, gpa), shared_host(s, gpa), 4))
			continue;
		snprintf(text, sizeof(text), "entry of level %u changed", a->walk.step[i].level);
		a->more = text;
		/* One failure, not one for each access that follows. */
		memcpy(shared_copy(s, gpa), shared_host(s, gpa), 8);
	}
	if (a->walk.outcome != WALK_OK || !shared_copy(s, a->walk.gpa) ||
	    !memcmp(shared_copy(s, a->walk.gpa), shared_host(s, a->walk.gpa), access_size(a)))
		return;
	a->more = "other data in memory";
	memcpy(shared_copy(s, a->walk.gpa), shared_host(s, a->walk.gpa), 8);
}

static void make_access(struct gpa_access *a)
{
	struct seat *seat = a->rig->seat;
	int err = 0;

	a->result = (struct seat_result){ 0 };
	shared_clean_pdptes(a->rig->shared);
	if (!seat->entered || seat->cpl != a->cpl) {
		err = __seat_enter(seat, a->cpl);
		if (!err)
			shared_load_pdptrs(a->rig->shared, seat);
	}
	seat->cpl = a->cpl;
	if (err) {
		a->result.status = STATUS_EXIT | (VCPU_RUN_ERROR & STATUS_EXIT_MASK);
		a->result.cr2 = err;
	}
}

static void one(struct gpa_access *a, const char *only)
{
	struct gpa_rig *rig = a->rig;
	const bool print = only && !strcmp(only, a->id);

	make_access(a);
	if (!expect(a))
		return;
	/* What is left of a slot's contents is no code any more. */
	if (!a->result.status)
		seat_run(rig->seat, a->op, a->gva, a->value, &a->result);
	a->more = NULL;
	if (as_expected(a)) {
		follow(a);
		memory_is_right(a);
	}
	if (!only || print)
		report(a, as_expected(a), print);
}

/* All operations at a place; where only one case is wanted, that one in every phase before. */
static unsigned int try_place(struct gpa_rig *rig, const struct gpa_place *p, const char *head,
			      const char *phase, const char *only)
{
	const char *last = only ? strrchr(only, '/') : NULL;
	struct gpa_access a = { .rig = rig, .place = p };
	unsigned int i, made = 0;
	size_t tail;

	for (i = 0; i < 2 * ARRAY_SIZE(ops) && !report_should_stop(); i++) {
		a.op = ops[i / 2];
		/* As the vCPU is first: KVM_SET_SREGS might hide what KVM has kept. */
		a.cpl = i % 2 ? 3 - rig->seat->cpl : rig->seat->cpl;
		snprintf(a.id, sizeof(a.id), "%s/%s/%s/cpl%u/%s", head, p->name, phase, a.cpl,
			 seat_op_names[a.op]);
		tail = strlen(a.id) - strlen(seat_op_names[a.op]) - strlen("cplN/");
		if (only && !rig->whole && (last - only < 5 || strcmp(last - 4, a.id + tail)))
			continue;
		a.gva = p->gva;
		if (!(a.gva & 0xfff))
			a.gva += agent_access_offset(place_of[a.op]);
		a.value = 0x1122334455667701ull + 0x0101010100ull * (a.op + 4 * a.cpl);
		one(&a, only);
		made += !only || !strcmp(only, a.id);
		/* A hang takes a second or ten, and more of the kind would hang, too. */
		if (a.result.status == (STATUS_EXIT | (VCPU_TIMEOUT & STATUS_EXIT_MASK))) {
			report_note("%s: hangs, the rest is not run", a.id);
			rig->hangs = true;
			break;
		}
	}
	return made;
}

/* Is it this place that the id is about? */
static bool place_asked_for(const char *only, const char *head, const struct gpa_place *p)
{
	char text[ID_LEN];

	snprintf(text, sizeof(text), "%s/%s/", head, p->name);
	return !only || !strncmp(only, text, strlen(text));
}

/* Does the agent run in this mode at all?  Where not, that is the one failure there is. */
static bool agent_runs(struct gpa_rig *rig, const char *head)
{
	char id[ID_LEN], observed[TEXT_LEN];
	const struct case_failure f = { .id = id, .expected = "agent runs", .observed = observed };
	struct seat_result r = { 0 };
	int err = __seat_enter(rig->seat, 0);

	if (!err)
		seat_run(rig->seat, SEAT_READ, AGENT_PROBE, 0, &r);
	if (!err && r.status == STATUS_DONE && r.value == agent_tag(AGENT_READ, AGENT_PROBE))
		return true;
	snprintf(id, sizeof(id), "%s/probe", head);
	if (err)
		snprintf(observed, sizeof(observed), "KVM_SET_SREGS: %s", strerror(err));
	else
		snprintf(observed, sizeof(observed), "exit %s %#llx",
			 exit_reason_str(r.status & STATUS_EXIT_MASK), (unsigned long long)r.cr2);
	report_cases(1);
	report_failure(&f);
	return false;
}

/* The VM there is, if its CPU is the one that is wanted. */
static void make_vm(struct gpa_rig *rig, u8 wider)
{
	const struct cpu_offer offer = { .wider = wider };

	if (rig->shared && rig->wider == wider)
		return;
	shared_free(rig->shared);
	rig->shared = NULL;
	cpu_offer_use(&offer);
	rig->shared = shared_create();
	rig->seat = shared_add_seat(rig->shared);
	rig->wider = wider;
}

unsigned int gpa_run(struct gpa_rig *rig, const struct gpa_scenario *scenario,
		     enum state_mode mode, const char *only)
{
	const struct gpa_phase *phase;
	unsigned int i, made = 0;
	char head[48];

	snprintf(head, sizeof(head), "%s/%s", scenario->name, state_modes[mode].name);
	make_vm(rig, scenario->wider);
	shared_reset(rig->shared);
	rig->state = gpa_state(mode);
	rig->root = shared_root(&rig->state, 0);
	rig->nr_tables = rig->nr_places = 0;
	rig->hangs = false;
	rig->whole = scenario->remembers;
	seat_assign(rig->seat, &rig->state, rig->root);
	if (!agent_runs(rig, head))
		return 1;
	/* Nothing of what the probe walked is kept. */
	shared_reset(rig->shared);
	scenario->set_up(rig);
	seat_assign(rig->seat, &rig->state, rig->root);
	for (phase = scenario->phase; phase->name && !report_should_stop(); phase++) {
		if (phase->begin)
			phase->begin(rig);
		for (i = 0; i < rig->nr_places && !rig->hangs; i++)
			if (rig->whole || place_asked_for(only, head, &rig->place[i]))
				made += try_place(rig, &rig->place[i], head, phase->name, only);
	}
	return made;
}
