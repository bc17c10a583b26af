// SPDX-License-Identifier: GPL-2.0-only
/*
 * The models of pdpte_test and gpa_test: known answers, one or more for each rule.  No KVM is
 * involved.
 */
#include <stdio.h>
#include <string.h>

#include "gpa_outcome.h"
#include "pdpte.h"
#include "x86.h"

#define GOOD 0x5001ull
#define OTHER 0x9001ull

static const struct cpu_facts intel = { .vendor = VENDOR_INTEL, .maxphyaddr = 40, .nx = true };
static const struct cpu_facts amd = { .vendor = VENDOR_AMD, .maxphyaddr = 48, .nx = true };

static const struct {
	const char *event;
	u8 entry;
	enum pdpte_change change;
	u8 bit;
	enum pdpte_rule intel, on_demand;
	bool fatal_intel, fatal_on_demand;
} answers[] = {
	{ "mov-cr3", 1, CHANGE_OTHER, 0, PDPTE_LOADED, PDPTE_LOADED, false, false },
	{ "mov-cr3", 1, CHANGE_BIT, 1, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "mov-cr3", 3, CHANGE_BIT, 63, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "mov-cr3", 2, CHANGE_ABSENT_BIT, 63, PDPTE_LOADED, PDPTE_LOADED, false, false },
	{ "mov-cr3", 0, CHANGE_ABSENT, 0, PDPTE_LOADED, PDPTE_LOADED, true, true },
	{ "mov-cr3", 0, CHANGE_BIT, 8, PDPTE_REFUSED, PDPTE_OPEN, false, true },
	{ "cr0-pg", 1, CHANGE_OTHER, 0, PDPTE_LOADED, PDPTE_LOADED, false, false },
	{ "cr0-pg", 1, CHANGE_BIT, 5, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "cr0-cd", 1, CHANGE_BIT, 5, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "cr0-nw", 1, CHANGE_OTHER, 0, PDPTE_LOADED, PDPTE_EITHER, false, false },
	{ "cr4-pae", 1, CHANGE_BIT, 6, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "cr4-pge", 1, CHANGE_BIT, 7, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "cr4-pse", 1, CHANGE_OTHER, 0, PDPTE_LOADED, PDPTE_EITHER, false, false },
	{ "cr4-smep", 1, CHANGE_BIT, 48, PDPTE_REFUSED, PDPTE_OPEN, false, false },
	{ "cr4-smap", 1, CHANGE_BIT, 48, PDPTE_KEPT, PDPTE_EITHER, false, false },
	{ "cr4-pke", 0, CHANGE_ABSENT, 0, PDPTE_KEPT, PDPTE_EITHER, false, true },
	{ "cr0-wp", 2, CHANGE_OTHER, 0, PDPTE_KEPT, PDPTE_EITHER, false, false },
	{ "sregs", 2, CHANGE_OTHER, 0, PDPTE_LOADED, PDPTE_EITHER, false, false },
	{ "copy-sregs2", 2, CHANGE_BIT, 1, PDPTE_KEPT, PDPTE_EITHER, false, false },
};

static unsigned int number, failed;

static void result(bool good, const char *what, const char *which)
{
	failed += !good;
	printf("%sok %u %s %s\n", good ? "" : "not ", ++number, what, which);
}

static const struct pdpte_event *event_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_pdpte_events; i++)
		if (!strcmp(pdpte_events[i].name, name))
			return &pdpte_events[i];
	return NULL;
}

static bool answer_is_right(unsigned int i)
{
	const struct pdpte_event *event = event_by_name(answers[i].event);
	const struct pdpte_case c = { event, answers[i].entry, answers[i].change, answers[i].bit };
	const u64 value = pdpte_changed(&c, GOOD, OTHER);

	return event && pdpte_outcome(&intel, false, &c, value) == answers[i].intel &&
	       pdpte_outcome(&amd, true, &c, value) == answers[i].on_demand &&
	       pdpte_fatal(&intel, false, &c, value) == answers[i].fatal_intel &&
	       pdpte_fatal(&amd, true, &c, value) == answers[i].fatal_on_demand;
}

/* Each of the four entries, each reserved bit, with P = 0 and 1, and nothing twice. */
static bool cases_are_complete(const struct cpu_facts *cpu)
{
	const unsigned int bits = 6 + 64 - cpu->maxphyaddr;
	char text[2][PDPTE_CASE_TEXT_LEN] = { "", "" };
	struct pdpte_case c;
	unsigned int n;

	for (n = 0; pdpte_case_nth(cpu, &pdpte_events[0], n, &c); n++) {
		pdpte_case_text(&c, text[n % 2]);
		if (!strcmp(text[0], text[1]))
			return false;
	}
	return n == 4 * (2 + 2 * bits);
}

static bool outcome_is(enum walk_outcome code, enum walk_outcome access, enum access_kind kind,
		       enum gpa_target target, bool table_read_only, enum gpa_rule rule)
{
	const struct walk_result c = { .outcome = code }, a = { .outcome = access };

	return gpa_outcome(&c, &a, kind, target, table_read_only) == rule;
}

int main(void)
{
	unsigned int i;

	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(answers) + 2 + 11);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		result(answer_is_right(i), "pdpte", answers[i].event);
	result(cases_are_complete(&intel), "all cases", "intel");
	result(cases_are_complete(&amd), "all cases", "amd");
	result(outcome_is(WALK_OK, WALK_OK, ACCESS_READ, GPA_MEMORY, false, GPA_RULE_MEMORY), "gpa",
	       "memory");
	result(outcome_is(WALK_OK, WALK_OK, ACCESS_WRITE, GPA_NOTHING, true, GPA_RULE_MMIO), "gpa",
	       "hole");
	result(outcome_is(WALK_OK, WALK_OK, ACCESS_FETCH, GPA_NOTHING, false,
			  GPA_RULE_FETCH_NOTHING), "gpa", "fetch");
	result(outcome_is(WALK_OK, WALK_OK, ACCESS_WRITE, GPA_READ_ONLY, false, GPA_RULE_READ_ONLY),
	       "gpa", "read-only");
	result(outcome_is(WALK_OK, WALK_OK, ACCESS_FETCH, GPA_READ_ONLY, false, GPA_RULE_MEMORY),
	       "gpa", "run read-only");
	result(outcome_is(WALK_OK, WALK_OK, ACCESS_WRITE, GPA_MEMORY, true,
			  GPA_RULE_TABLE_READ_ONLY), "gpa", "read-only table");
	result(outcome_is(WALK_OK, WALK_NO_MEMORY, ACCESS_READ, GPA_MEMORY, false,
			  GPA_RULE_TABLE_NOTHING), "gpa", "table in a hole");
	result(outcome_is(WALK_OK, WALK_FAULT, ACCESS_READ, GPA_NOTHING, false, GPA_RULE_FAULT),
	       "gpa", "fault");
	result(outcome_is(WALK_NO_MEMORY, WALK_OK, ACCESS_READ, GPA_MEMORY, false, GPA_RULE_DEAD),
	       "gpa", "no code");
	result(gpa_table_fault_allowed(PFERR_WRITE, PFERR_WRITE) &&
		       gpa_table_fault_allowed(PFERR_PRESENT | PFERR_RSVD, 0), "gpa", "table faults");
	result(!gpa_table_fault_allowed(PFERR_PRESENT, 0) &&
		       !gpa_table_fault_allowed(PFERR_WRITE, PFERR_USER) &&
		       !gpa_table_fault_allowed(PFERR_RSVD, 0), "gpa", "other faults");
	return failed != 0;
}
