// SPDX-License-Identifier: GPL-2.0-only
/*
 * canonical_test - non-canonical linear addresses, of 48 and of 57 bits.
 *
 * Proves: at every bound of canonical address space, and with each single bit above it that
 * does not agree, an access raises #GP(0), #SS(0) through the stack segment, with RIP at the
 * instruction (for a branch: at the branch, not its target), at CPL 0 and CPL 3; also where
 * only the last byte is not canonical.  Canonical addresses next to them translate.  With
 * CR4.LA57=1 that is so for 57 bits, and after CR4.LA57=0 for 48 bits again, whether the VMM
 * changed it or the guest by itself.
 *
 * Would catch: the width of linear addresses taken from the CPU and not from CR4.LA57, or
 * kept when that changes; a walk of an address that must not be walked; the wrong exception.
 *
 * Needs: /dev/kvm.  5-level states need LA57.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bound_access.h"
#include "canonical.h"
#include "compare.h"
#include "replay.h"
#include "report.h"
#include "script.h"
#include "transition.h"
#include "x86.h"

static const struct test_about about = {
	.name = "canonical_test",
	.proves = "non-canonical addresses raise #GP(0) or #SS(0), in 4-level and 5-level paging",
	.has_cases = true,
	.paths = "sregs, guest",
	.tags = "walk,canonical,native",
};

#define MAX_PARTS 32
#define NAME_LEN (2 * STATE_NAME_LEN + 16)
#define READ_VALUE 0xccccccccu /* BOUND_FILL */

struct part {
	char name[NAME_LEN];
	struct mmu_state state, before;
	bool has_before; /* the vCPU makes the same accesses in that state first... */
	bool by_guest;   /* ...and gets on by its own instructions, not by KVM_SET_SREGS */
};

struct bound_test_case {
	struct mmu_state state;
	enum bound_kind kind;
	u8 cpl;
	gva_t gva;
};

static struct guest *guest;

static void prepare(void)
{
	static struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1];

	if (guest)
		return;
	bound_lists(lists);
	guest = guest_create(lists);
	bound_install(guest);
	script_install(guest);
	/* Else kvm_intel without EPT may hang on the way (docs/findings.md). */
	guest->pg_off_without_smep = true;
}

static void text_of_id(const struct bound_test_case *c, char *id, size_t len)
{
	char state[STATE_NAME_LEN];

	state_name(&c->state, state);
	snprintf(id, len, "%s/cpl%u/%s/%#llx", state, c->cpl, bound_kind_names[c->kind],
		 (unsigned long long)c->gva);
}

/* NULL, or what is wrong with the id. */
static const char *parse_id(const char *id, struct bound_test_case *c)
{
	char state[STATE_NAME_LEN], flags[STATE_NAME_LEN], name[32];
	const char *error, *digits;
	int end = 0, kind;
	unsigned int cpl;

	if (sscanf(id, "%15[^/]/%31[^/]/cpl%1u/%31[^/]/%n", state, flags, &cpl, name, &end) != 4 ||
	    !end)
		return "STATE/cpl0 or cpl3/ACCESS/ADDRESS, e.g. 4level/-/cpl0/read/0x800000000000";
	strcat(strcat(state, "/"), flags);
	error = state_parse(state, strlen(state), &c->state);
	if (error)
		return error;
	if (!state_modes[c->state.mode].code64)
		return "only 64-bit code can use such addresses: 4level or 5level";
	if (cpl != 0 && cpl != 3)
		return "cpl0 or cpl3";
	c->cpl = cpl;
	for (kind = 0; kind < NR_BOUND_KINDS; kind++)
		if (!strcmp(name, bound_kind_names[kind]))
			break;
	if (kind == NR_BOUND_KINDS)
		return "accesses are read write jmp call ret stack-read stack-write push pop";
	c->kind = kind;
	digits = id + end + 2;
	if (strncmp(id + end, "0x", 2) || !*digits || strlen(digits) > 16 ||
	    strspn(digits, "0123456789abcdef") != strlen(digits))
		return "the address is a hexadecimal number";
	c->gva = strtoull(digits, NULL, 16);
	if (c->gva < AGENT_LINEAR_END)
		return "the agent's own memory is there";
	return NULL;
}

static struct walk_result expect(const struct bound_test_case *c)
{
	const struct walk_regs regs = guest_walk_regs(guest, &c->state);
	const struct walk_access access = bound_access(c->kind, c->cpl, c->gva);
	struct walk_result result;

	walk(&guest->cpu, &regs, &guest->memory, &access, &result);
	return result;
}

/* A page fault of a branch is that of the target's fetch; #GP is the branch's own. */
static u64 expected_rip(const struct bound_test_case *c, const struct walk_result *e)
{
	return e->vector == PF_VECTOR && bound_is_branch(c->kind) ?
		       c->gva : bound_fault_rip(c->kind, c->cpl);
}

static bool reads(enum bound_kind kind)
{
	return kind == BOUND_READ || kind == BOUND_STACK_READ || kind == BOUND_POP;
}

static bool is_right(const struct bound_test_case *c, const struct walk_result *e,
		     const struct agent_result *o)
{
	if (e->outcome == WALK_OK)
		return o->status == STATUS_DONE && (!reads(c->kind) || o->value == READ_VALUE);
	return e->outcome == WALK_FAULT && o->status == (u32)(STATUS_FAULT | e->vector) &&
	       o->error == e->error_code && o->rip == expected_rip(c, e) &&
	       (e->vector != PF_VECTOR || o->cr2 == c->gva);
}

static void fault_text(u32 vector, u32 error, char text[OUTCOME_TEXT_LEN])
{
	const struct walk_result as_walk = { .outcome = WALK_FAULT, .vector = vector,
					     .error_code = error };

	walk_result_text(&as_walk, text);
}

static void observed_text(const struct bound_test_case *c, const struct agent_result *o,
			  char text[OUTCOME_TEXT_LEN])
{
	size_t n;

	if (o->status == STATUS_NOT_RUN) {
		snprintf(text, OUTCOME_TEXT_LEN, "not run");
	} else if (o->status & STATUS_EXIT) {
		exit_text(o->status & STATUS_EXIT_MASK, o->cr2, text);
	} else if (o->status == STATUS_DONE) {
		snprintf(text, OUTCOME_TEXT_LEN, "ok");
		if (reads(c->kind) && o->value != READ_VALUE)
			snprintf(text, OUTCOME_TEXT_LEN, "ok value=%#x", o->value);
	} else {
		fault_text(o->status & 0xff, o->error, text);
		n = strlen(text);
		if (o->rip == bound_fault_rip(c->kind, c->cpl))
			return;
		if (o->rip == c->gva)
			snprintf(text + n, OUTCOME_TEXT_LEN - n, " rip=target");
		else
			snprintf(text + n, OUTCOME_TEXT_LEN - n, " rip=%#llx",
				 (unsigned long long)o->rip);
	}
}

static void texts(const struct bound_test_case *c, const struct walk_result *e,
		  const struct agent_result *o, char expected[OUTCOME_TEXT_LEN],
		  char observed[OUTCOME_TEXT_LEN])
{
	size_t n;

	if (e->outcome == WALK_OK)
		snprintf(expected, OUTCOME_TEXT_LEN, "ok");
	else
		walk_result_text(e, expected);
	if (e->outcome == WALK_FAULT && expected_rip(c, e) == c->gva)
		strcat(expected, " rip=target");
	observed_text(c, o, observed);
	n = strlen(observed);
	if (e->outcome == WALK_FAULT && e->vector == PF_VECTOR && o->cr2 != c->gva &&
	    o->status == (STATUS_FAULT | PF_VECTOR))
		snprintf(observed + n, OUTCOME_TEXT_LEN - n, " cr2=%#llx",
			 (unsigned long long)o->cr2);
}

static void compare(const struct bound_test_case *c, const struct agent_result *o,
		    const struct part *part)
{
	char id[128], after[STATE_NAME_LEN], expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	const struct walk_result e = expect(c);
	struct case_failure f = { .id = id, .expected = expected, .observed = observed,
				  .rule = rule_text(e.rule)->name };

	if (is_right(c, &e, o))
		return;
	text_of_id(c, id, sizeof(id));
	texts(c, &e, o, expected, observed);
	if (part->has_before) {
		state_name(&part->before, after);
		f.after = after;
		f.path = part->by_guest ? "guest" : "sregs";
	}
	report_failure(&f);
}

/* The guest goes from one state to another: what bound_run() sets again is then set already. */
static void go_by_guest(const struct mmu_state *from, const struct mmu_state *to)
{
	const struct kvm_sregs sregs = script_sregs(guest, from);
	const struct kvm_regs regs = script_regs(from, false);
	struct script script;
	struct script_end end;
	char text[EXIT_TEXT_LEN];

	vcpu_sregs_set(guest->vcpu, &sregs);
	vcpu_regs_set(guest->vcpu, &regs);
	script_begin(&script, guest);
	script_add_start(&script, from);
	path_guest.by_guest(&script, from, to);
	end = script_run(&script, guest->vcpu);
	exit_text(end.exit, end.detail, text);
	TEST_ASSERT(end.done, "the guest does not get there by itself: %s", text);
}

/* Is the vCPU's state one that it can run in?  It also loads PKRU. */
static const char *enter(const struct mmu_state *state)
{
	const struct agent_batch like = { .state = *state, .access = AGENT_READ };

	return agent_probe(guest, &like, agent_run);
}

/* Reports a state in which even the agent's own memory cannot be read. */
static bool runs_in(const struct mmu_state *state)
{
	const char *what = enter(state);
	gva_t gvas[MAX_CANONICAL_ADDRESSES];
	struct bound_test_case c = { .state = *state };
	char id[128];
	const struct case_failure f = { .id = id, .expected = "agent runs", .observed = what,
					.rule = rule_text(RULE_A_ALLOWED)->name };

	report_cases(1);
	if (!what)
		return true;
	/* No case of an address, but any of the state's replays it. */
	canonical_addresses(gvas);
	c.gva = gvas[0];
	text_of_id(&c, id, sizeof(id));
	report_failure(&f);
	return false;
}

/* Those at which an access of this kind does not wrap around the end of the address space. */
static unsigned int addresses_for(enum bound_kind kind, gva_t gvas[MAX_CANONICAL_ADDRESSES])
{
	unsigned int nr = canonical_addresses(gvas);

	while (nr && gvas[nr - 1] + bound_access(kind, 0, 0).size - 1 < gvas[nr - 1])
		nr--;
	return nr;
}

/* Every access of both privilege levels at all addresses. */
static void make_accesses(const struct mmu_state *state, const struct part *part, bool quiet)
{
	static gva_t gvas[MAX_CANONICAL_ADDRESSES];
	static struct agent_result results[MAX_CANONICAL_ADDRESSES];
	struct bound_test_case c = { .state = *state };
	unsigned int i, nr;
	int kind;

	for (c.cpl = 0; c.cpl <= 3; c.cpl += 3)
		for (kind = 0; kind < NR_BOUND_KINDS && !report_should_stop(); kind++) {
			nr = addresses_for(kind, gvas);
			bound_run(guest, state, kind, c.cpl, gvas, nr, results);
			c.kind = kind;
			for (i = 0; i < nr && !quiet; i++) {
				c.gva = gvas[i];
				compare(&c, &results[i], part);
			}
			if (!quiet)
				report_cases(nr);
		}
}

static void run_part(const struct subtest *self)
{
	const struct part *part = self->data;
	const struct mmu_state *states[] = { &part->before, &part->state };
	int i;

	prepare();
	/* Before the guest tries to get there. */
	if (part->by_guest && !state_missing(&part->state, &guest->cpu) && !runs_in(&part->state))
		return;
	for (i = !part->has_before; i <= 1; i++) {
		const char *what = state_missing(states[i], &guest->cpu);

		TEST_REQUIRE(!what, "the CPU offers no %s", what);
		if (i && part->by_guest)
			go_by_guest(&part->before, &part->state);
		else if (!runs_in(states[i]))
			return;
		make_accesses(states[i], part, !i);
	}
}

static bool replay_in(const struct bound_test_case *c, const struct mmu_state *by_guest_from,
		      bool quiet)
{
	struct agent_result o;
	char expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
	const char *what = state_missing(&c->state, &guest->cpu);
	const struct walk_result e = expect(c);

	TEST_REQUIRE(!what, "the CPU offers no %s", what);
	what = by_guest_from ? NULL : enter(&c->state);
	TEST_ASSERT(!what, "the agent does not run there: %s", what);
	if (by_guest_from)
		go_by_guest(by_guest_from, &c->state);
	bound_run(guest, &c->state, c->kind, c->cpl, &c->gva, 1, &o);
	texts(c, &e, &o, expected, observed);
	if (!quiet)
		printf("# expected  %s\n# observed  %s\n# rule      %s: %s\n#           %s\n",
		       expected, observed, rule_text(e.rule)->name, rule_text(e.rule)->says,
		       rule_text(e.rule)->manual);
	return is_right(c, &e, &o);
}

/* What a replay needs, from the command line. */
struct bound_replay {
	struct bound_test_case c, first;
	bool after, by_guest;
};

static int replay(const void *context)
{
	const struct bound_replay *r = context;

	prepare();
	replay_begin();
	if (r->after)
		replay_in(&r->first, NULL, true);
	return replay_in(&r->c, r->by_guest ? &r->first.state : NULL, false) ? KSFT_PASS :
									       KSFT_FAIL;
}

static int replay_case(const struct test_options *options)
{
	const char *id = options->case_id, *after = options->after;
	struct bound_replay r = {
		.after = after,
		.by_guest = options->path && !strcmp(options->path, "guest"),
	};
	const char *error = parse_id(id, &r.c);

	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", id, error);
		return KSFT_USAGE;
	}
	r.first = r.c;
	if (after) {
		error = state_parse(after, strlen(after), &r.first.state);
		if (!error && !state_modes[r.first.state.mode].code64)
			error = "only 64-bit code can use such addresses: 4level or 5level";
		if (error) {
			fprintf(stderr, "--after '%s': %s\n", after, error);
			return KSFT_USAGE;
		}
	}
	return replay_run(replay, &r, id);
}

static struct part parts[MAX_PARTS];
static struct subtest subtests[MAX_PARTS];
static unsigned int nr_parts;

static void add_part(const struct mmu_state *state, const struct mmu_state *before, bool by_guest)
{
	struct part *p = &parts[nr_parts];

	*p = (struct part){ .state = *state };
	state_name(state, p->name);
	if (before) {
		p->before = *before;
		p->has_before = true;
		p->by_guest = by_guest;
		strcat(p->name, by_guest ? "-by-guest-from-" : "-after-");
		state_name(before, p->name + strlen(p->name));
	}
	subtests[nr_parts] = (struct subtest){ p->name, run_part, p };
	nr_parts++;
}

int main(int argc, char **argv)
{
	/* SMAP and SMEP turn supervisor accesses to these pages into page faults: canonical comes first. */
	static const u8 flags[] = { 0, FLAG_WP | FLAG_NX, FLAG_WP | FLAG_NX | FLAG_SMEP | FLAG_SMAP };
	struct test_options options;
	unsigned int i;
	int code;

	test_options_parse(&about, argc, argv, &options);
	if (options.case_id)
		return replay_case(&options);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct mmu_state four = { MODE_4LEVEL, flags[i] }, five = { MODE_5LEVEL, flags[i] };

		add_part(&four, NULL, false);
		add_part(&five, NULL, false);
		add_part(&four, &five, false);
		add_part(&five, &four, false);
		add_part(&four, &five, true);
		add_part(&five, &four, true);
	}
	code = report_run(&about, &options, subtests, nr_parts);
	guest_free(guest);
	return code;
}
