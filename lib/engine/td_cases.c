// SPDX-License-Identifier: GPL-2.0-only
/* Stories run and compared: see include/td_cases.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "td_cases.h"
#include "td_internal.h"

#define ID_LEN 128
#define TOLD_BEFORE 12 /* steps that a replay prints in front of the case */

static const char *gpaw_name(unsigned int gpaw)
{
	return gpaw == 52 ? "gpaw52" : gpaw == 48 ? "gpaw48" : "narrow";
}

u32 td_parts(struct td_part parts[TD_NR_PARTS])
{
	static const unsigned int gpaws[] = { 52, 48, TD_GPAW_NARROW };
	u32 kind, g, levels, large, nr = 0;

	for (kind = 0; kind < NR_TD_KINDS; kind++)
		for (g = 0; g < ARRAY_SIZE(gpaws) - (kind == TD_REAL); g++)
			for (levels = 4; levels <= 5; levels++)
				for (large = 0; large < 2; large++) {
					struct td_part *p = &parts[nr++];

					*p = (struct td_part){ kind, gpaws[g], levels, large, "" };
					snprintf(p->name, sizeof(p->name), "%s/%s/%ulevel/%s",
						 td_kind_names[kind], gpaw_name(gpaws[g]), levels,
						 large ? "2m" : "4k");
				}
	return nr;
}

/* The case that is replayed, as all replays tell of theirs. */
static void tell_case(const char *id, const char *expected, const char *observed)
{
	report_note("case %s", id);
	report_note("expected  %s", expected);
	report_note("observed  %s", observed);
}

bool td_case_failed(const struct td_part *part, const char *story, u32 step, const char *rule,
		    const char *expected, const char *observed, const struct td_choice *choice)
{
	char id[ID_LEN];
	const struct case_failure failure = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.rule = rule,
	};

	snprintf(id, sizeof(id), "%s/%s/%u", part->name, story, step);
	if (choice->only && strcmp(choice->only, id))
		return false;
	if (choice->only)
		tell_case(id, expected, observed);
	return report_failure(&failure) == CASE_FAILED;
}

/* What led to the case that is replayed. */
static void tell_steps(const struct td_step *steps, const struct td_seen *seen, u32 at)
{
	char step[TD_STEP_LEN], text[TD_OUTCOME_LEN];
	u32 i;

	for (i = at > TOLD_BEFORE ? at - TOLD_BEFORE : 0; i <= at; i++) {
		td_step_text(&steps[i], step);
		td_seen_text(&seen[i], text);
		report_note("%u: %s: %s", i, step, text);
	}
}

/* An access with one address bit too many faults only if the CPU has no such bit. */
static bool bits_are_enforced(const struct td_guest *td)
{
	return td->kind == TD_REAL || td->vm->card.tdp != YES ||
	       td->vm->card.maxphyaddr == (int)td->layout.gpaw;
}

static bool cannot_be_told(const struct td_guest *td, const struct td_step *step)
{
	return step->op <= TD_FETCH && tdx_gpa_too_wide(td->layout.gpaw, step->gpa) &&
	       !bits_are_enforced(td);
}

/* Story and number of the TD within it: "one-bit-12", or "private". */
static void td_name(const struct td_story *story, u32 nr, char name[32])
{
	if (story->nr_tds == 1)
		snprintf(name, 32, "%s", story->name);
	else
		snprintf(name, 32, "%s-%u", story->name, story->first + nr);
}

/* Is the case that was asked for one of this TD?  Its step's number then. */
static bool holds(const struct td_part *part, const char *name, const char *only, u32 *step)
{
	char prefix[ID_LEN];
	int n = snprintf(prefix, sizeof(prefix), "%s/%s/", part->name, name);
	char *end;

	if (strncmp(only, prefix, n) || !only[n])
		return false;
	if (only[n] < '0' || only[n] > '9' || strlen(only + n) > 5)
		return false;
	*step = strtoul(only + n, &end, 10);
	return !*end;
}

bool td_case_exists(const struct td_part *part, const char *id)
{
	const struct td_layout layout = { TDX_GPAW_4LEVEL, part->levels, part->large };
	static struct td_step steps[TD_MAX_STEPS];
	u32 story, nr, step;
	char name[32];

	if (holds(part, "boot", id, &step))
		return !step;
	if (holds(part, "threads", id, &step))
		return true;
	for (story = 0; story < nr_td_stories; story++)
		for (nr = 0; nr < td_stories[story].nr_tds; nr++) {
			td_name(&td_stories[story], nr, name);
			if (holds(part, name, id, &step))
				return step < td_stories[story].steps(
						      &layout, 1, td_stories[story].first + nr,
						      steps);
		}
	return false;
}

/* The case that was asked for has been made. */
static bool reached;

struct steps_of {
	struct td_step step[TD_MAX_STEPS];
	struct td_seen seen[TD_MAX_STEPS];
	struct td_page page[TD_TEST_PAGES];
};

/* Takes nothing away from the others' numbers: instead of it nothing is done. */
static void leave_out(const struct td_guest *td, struct td_step *steps, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (cannot_be_told(td, &steps[i]))
			steps[i] = (struct td_step){ .op = TD_RETRY_AT, .size = ~0ull };
}

/*
 * KVM before it knew EAGAIN here told a TD of everything that the VMM did not do as
 * INVALID_OPERAND,
 * with the same address: tdx_complete_vmcall_map_gpa(), 6.16.
 */
static void as_older_kvm(const struct td_guest *td, struct td_outcome *expected,
			 const struct td_outcome *seen)
{
	if (td->kind == TD_REAL && expected->rule == RULE_TD_MAP_RETRY &&
	    expected->ending == TD_STATUS && seen->status == TDVMCALL_INVALID_OPERAND)
		expected->status = TDVMCALL_INVALID_OPERAND;
}

static void compare(const struct td_guest *td, const struct td_part *part, const char *name,
		    struct steps_of *s, u32 done, const struct td_choice *choice, u32 only)
{
	char expected[TD_OUTCOME_LEN], observed[TD_OUTCOME_LEN];
	struct td_outcome o;
	struct td_memory m;
	u32 i;

	td_memory_init(&m, td->layout.gpaw, TD_TEST_GPA, s->page, TD_TEST_PAGES);
	for (i = 0; i < done; i++) {
		o = td_memory_step(&m, &s->step[i]);
		as_older_kvm(td, &o, &s->seen[i].outcome);
		td_outcome_text(&o, expected);
		td_seen_text(&s->seen[i], observed);
		if (choice->only && i == only) {
			reached = true;
			tell_steps(s->step, s->seen, i);
			if (!strcmp(expected, observed))
				tell_case(choice->only, expected, observed);
		}
		report_cases(choice->only ? i == only : 1);
		/* What comes behind a failure follows from another state. */
		if (strcmp(expected, observed) &&
		    td_case_failed(part, name, i, rule_text(o.rule)->name, expected, observed,
				   choice))
			return;
	}
}

/* One TD's steps, made and compared. */
static void run_steps(struct td_guest *td, const struct td_part *part, const char *name,
		      struct steps_of *s, u32 nr_steps, const struct td_choice *choice)
{
	u32 only = 0;

	leave_out(td, s->step, nr_steps);
	if (choice->only && holds(part, name, choice->only, &only) && only < nr_steps)
		nr_steps = only + 1;
	nr_steps = td_guest_run(&td->cpu[0], s->step, nr_steps, s->seen);
	compare(td, part, name, s, nr_steps, choice, only);
}

/* Returns the pages converted. */
static u64 run_td(const struct td_part *part, const struct td_layout *layout,
		  const struct td_story *story, u32 nr, const struct td_choice *choice,
		  struct steps_of *s)
{
	struct test_scope scope;
	u32 nr_steps, only;
	char name[32];
	enum test_end how;
	struct td_guest *td;

	td_name(story, nr, name);
	if (choice->only && !holds(part, name, choice->only, &only))
		return 0;
	nr_steps = story->steps(layout, choice->seed, story->first + nr, s->step);
	if (!nr_steps)
		return 0;
	td = td_guest_create(part->kind, layout, 1);
	how = setjmp(*test_scope_enter(&scope));
	if (!how) {
		run_steps(td, part, name, s, nr_steps, choice);
		test_scope_leave(&scope);
	}
	return td_guest_end(td, how, &scope);
}

/* Does the payload come to run at all?  If not, that is the only case. */
static bool boots(const struct td_part *part, const struct td_layout *layout,
		  const struct td_choice *choice)
{
	struct td_guest *td = td_guest_create(part->kind, layout, 1);
	const char *trouble = td_guest_boot(&td->cpu[0]);

	reached = choice->only && strstr(choice->only, "/boot/");
	report_cases(!choice->only || reached);
	if (trouble)
		td_case_failed(part, "boot", 0, "boot", "payload runs", trouble, choice);
	td_guest_free(td);
	return !trouble;
}

static struct td_layout layout_of(const struct td_part *part)
{
	struct td_layout layout = { part->gpaw, part->levels, part->large };
	struct host_card card;
	char why_not[120];

	host_card_read(&card);
	TEST_REQUIRE(!card.kvm_error[0], "%s", card.kvm_error);
	if (part->gpaw == TD_GPAW_NARROW) {
		layout.gpaw = 48;
		TEST_REQUIRE(!td_width_possible(&card, part->kind, &layout, why_not),
			     "48 address bits are possible, no need for fewer");
		layout.gpaw = card.maxphyaddr;
	}
	TEST_REQUIRE(td_width_possible(&card, part->kind, &layout, why_not), "%s", why_not);
	return layout;
}

void td_cases_run(const struct td_part *part, const struct td_choice *choice)
{
	static struct steps_of s;
	const struct td_layout layout = layout_of(part);
	u64 conversions = 0;
	u32 story, nr;

	if (!boots(part, &layout, choice))
		return;
	for (story = 0; story < nr_td_stories; story++)
		for (nr = 0; nr < td_stories[story].nr_tds && !report_should_stop(); nr++)
			conversions += run_td(part, &layout, &td_stories[story], nr, choice, &s);
	if (!choice->only || strstr(choice->only, "/threads/"))
		conversions += td_threads(part, &layout, choice);
	TEST_ASSERT(!choice->only || reached || strstr(choice->only, "/threads/"),
		    "there is no such case, or it cannot be reached: %s", choice->only);
	report_note("%s, GPAW %u%s, seed %llu: %llu pages converted", td_kind_names[part->kind],
		    layout.gpaw,
		    tdx_gpaw_legal(layout.gpaw) ? "" : " (no TD's width: all that this CPU has)",
		    (unsigned long long)choice->seed, (unsigned long long)conversions);
}
