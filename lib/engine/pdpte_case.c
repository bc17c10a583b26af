// SPDX-License-Identifier: GPL-2.0-only
/* All cases of an event of pdpte_test, and reporting those that end wrong. */
#include <stdio.h>
#include <string.h>

#include "pdpte_cases.h"
#include "report.h"

#define ID_LEN 128
#define MAX_CASES 512

static void case_name(const struct pdpte_rig *rig, const struct pdpte_case *c, char id[ID_LEN])
{
	const struct mmu_state state = pdpte_state(rig, c->event);
	char name[STATE_NAME_LEN], change[PDPTE_CASE_TEXT_LEN];

	state_name(&state, name);
	pdpte_case_text(c, change);
	snprintf(id, ID_LEN, "%s/%s/%s", c->event->name, name, change);
}

/* What a failing case is described by. */
struct described {
	const struct pdpte_rig *rig;
	const struct pdpte_case *c;
};

static json_t *case_detail(const void *context)
{
	const struct described *d = context;
	const struct kvm_sregs s = pdpte_sregs(d->rig, d->c->event);
	char text[128], value[24];

	snprintf(text, sizeof(text), "cr0 %#llx cr3 %#llx cr4 %#llx efer %#llx",
		 (unsigned long long)s.cr0, (unsigned long long)s.cr3, (unsigned long long)s.cr4,
		 (unsigned long long)s.efer);
	snprintf(value, sizeof(value), "%#llx", (unsigned long long)pdpte_value(d->rig, d->c));
	return json_pack("{s:s, s:i, s:s, s:s}", "registers", text, "pdpte", d->c->entry, "changed to",
			 value, "source", d->c->event->source);
}

static void print_case(const struct pdpte_rig *rig, const struct pdpte_case *c, const char *id,
		       const char *expected, const char *observed)
{
	const struct kvm_sregs s = pdpte_sregs(rig, c->event);

	printf("# case      %s\n# registers cr0=%#llx cr3=%#llx cr4=%#llx efer=%#llx\n", id,
	       (unsigned long long)s.cr0, (unsigned long long)s.cr3, (unsigned long long)s.cr4,
	       (unsigned long long)s.efer);
	printf("# pdpte%u    %#llx, changed to %#llx\n# changes   %#llx of the register\n", c->entry,
	       (unsigned long long)rig->good[c->entry], (unsigned long long)pdpte_value(rig, c),
	       (unsigned long long)c->event->toggles);
	printf("# expected  %s\n# observed  %s\n# source    %s\n", expected, observed,
	       c->event->source);
}

/* Judges and reports; false if it went wrong. */
static bool check(const struct pdpte_rig *rig, const struct pdpte_case *c,
		  const struct pdpte_result *result, bool print)
{
	char expected[PDPTE_TEXT_LEN], observed[PDPTE_TEXT_LEN], id[ID_LEN];
	const bool good = pdpte_judge(rig, c, result, expected, observed);
	const struct described d = { rig, c };
	const struct case_failure f = {
		.id = id,
		.expected = expected,
		.observed = observed,
		.rule = "pdpte-registers",
		.detail = case_detail,
		.context = &d,
	};

	case_name(rig, c, id);
	if (print)
		print_case(rig, c, id, expected, observed);
	report_cases(1);
	if (!good)
		report_failure(&f);
	return good;
}

/* Cases that can be looked at, or the one that was asked for. */
static unsigned int select_cases(struct pdpte_rig *rig, const struct pdpte_event *event,
				 const char *only, struct pdpte_case list[MAX_CASES])
{
	const struct cpu_facts *cpu = &rig->guest->cpu;
	unsigned int n, nr = 0;
	struct pdpte_case c;
	char id[ID_LEN];

	for (n = 0; nr < MAX_CASES && pdpte_case_nth(cpu, event, n, &c); n++) {
		case_name(rig, &c, id);
		if (pdpte_fatal(cpu, rig->on_demand, &c, pdpte_value(rig, &c)) ||
		    (only && strcmp(only, id)))
			continue;
		list[nr++] = c;
	}
	return nr;
}

/*
 * One that went wrong in a script, again by itself: what came before must not matter.  Wrong
 * only in company is a failure, too.  But where the CPU marks PDPTEs an interrupt of the host
 * between SCRIPT_CLEAN and the event is enough for one.
 */
static void again(struct pdpte_rig *rig, const struct pdpte_case *c,
		  const struct pdpte_result *before)
{
	char expected[PDPTE_TEXT_LEN], observed[PDPTE_TEXT_LEN];
	struct pdpte_result alone;
	bool good;

	if (before->how == EVENT_ELSE)
		pdpte_rig_renew(rig);
	pdpte_by_guest(rig, c, 1, &alone);
	good = pdpte_judge(rig, c, &alone, expected, observed);
	check(rig, c, good && !rig->guest->marks_pdptes ? before : &alone, false);
	if (alone.how == EVENT_ELSE)
		pdpte_rig_renew(rig);
}

static unsigned int by_guest(struct pdpte_rig *rig, const struct pdpte_case *list, unsigned int nr,
			     const char *only)
{
	struct pdpte_result results[PDPTE_MAX_IN_SCRIPT];
	char expected[PDPTE_TEXT_LEN], observed[PDPTE_TEXT_LEN];
	unsigned int n, i;

	n = nr < PDPTE_MAX_IN_SCRIPT ? nr : PDPTE_MAX_IN_SCRIPT;
	n = pdpte_by_guest(rig, list, n, results);
	for (i = 0; i < n && !report_should_stop(); i++) {
		if (only || pdpte_judge(rig, &list[i], &results[i], expected, observed))
			check(rig, &list[i], &results[i], only);
		else
			again(rig, &list[i], &results[i]);
	}
	return n;
}

unsigned int pdpte_run(struct pdpte_rig *rig, const struct pdpte_event *event, u8 flags,
		       const char *only)
{
	static struct pdpte_case list[MAX_CASES];
	struct pdpte_result result;
	unsigned int nr, i;

	rig->flags = flags;
	nr = select_cases(rig, event, only, list);
	for (i = 0; i < nr && !report_should_stop();) {
		if (event->by != BY_API) {
			i += by_guest(rig, &list[i], nr - i, only);
			continue;
		}
		pdpte_by_api(rig, &list[i], &result);
		check(rig, &list[i++], &result, only);
		if (result.how == EVENT_ELSE)
			pdpte_rig_renew(rig);
	}
	return i;
}
