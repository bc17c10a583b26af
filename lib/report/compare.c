// SPDX-License-Identifier: GPL-2.0-only
/* Expected against observed: see include/compare.h. */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "x86.h"

void expected_ad(const struct comparison *c, u32 *must, u32 *may)
{
	const struct walk_result *r = c->expected;
	enum paging_mode mode = state_modes[c->batch->state.mode].paging;
	int i;

	*must = *may = 0;
	for (i = 0; i < r->nr_steps; i++) {
		const struct walk_step *s = &r->step[i];
		int shift;

		if (paging_formats[mode].level[s->level].register_entry)
			continue;
		shift = 2 * (s->level - 1) - 5; /* PTE_A is bit 5 */
		*must |= shift < 0 ? (s->must_set & ~s->entry) >> -shift :
				     (s->must_set & ~s->entry) << shift;
		*may |= shift < 0 ? (s->may_set & ~s->entry) >> -shift :
				    (s->may_set & ~s->entry) << shift;
	}
}

static bool ad_matches(const struct comparison *c)
{
	u32 must, may;

	if (!agent_reports_ad(c->batch) || c->observed->status & STATUS_EXIT)
		return true;
	expected_ad(c, &must, &may);
	return (c->observed->ad & must) == must && !(c->observed->ad & ~(must | may));
}

/* Outside 64-bit mode linear addresses have 32 bits. */
static u64 expected_cr2(const struct comparison *c)
{
	return state_modes[c->batch->state.mode].code64 ? c->gva : (u32)c->gva;
}

static bool same_kind(const struct comparison *c)
{
	const struct walk_result *e = c->expected;

	if (e->outcome == WALK_OK)
		return c->observed->status == STATUS_DONE;
	return e->outcome == WALK_FAULT && c->observed->status == (u32)(STATUS_FAULT | e->vector);
}

bool outcome_matches(const struct comparison *c)
{
	const struct walk_result *e = c->expected;
	const struct agent_result *o = c->observed;

	if (!same_kind(c) || !ad_matches(c))
		return false;
	if (e->outcome == WALK_OK)
		return o->value == agent_tag(c->batch->access, e->gpa);
	if (c->batch->no_error)
		return true;
	return o->error == e->error_code &&
	       (e->vector != PF_VECTOR || o->cr2 == expected_cr2(c)) &&
	       o->rip == agent_fault_rip(c->batch, c->gva);
}

bool outcome_class(const struct comparison *c, struct outcome_class *class)
{
	const struct walk_result *e = c->expected;
	const struct agent_result *o = c->observed;
	const bool fault = o->status >= STATUS_FAULT;
	u32 may;

	if (o->status >= STATUS_EXIT || e->outcome == WALK_NO_MEMORY)
		return false;
	if (fault && same_kind(c) && !c->batch->no_error &&
	    ((e->vector == PF_VECTOR && o->cr2 != expected_cr2(c)) ||
	     o->rip != agent_fault_rip(c->batch, c->gva)))
		return false;
	memset(class, 0, sizeof(*class));
	if (e->outcome == WALK_OK) {
		class->page = e->gpa & ~0xfffull;
	} else {
		class->vector = e->vector;
		class->error = e->error_code;
	}
	class->access = c->batch->access;
	class->no_error = c->batch->no_error;
	class->status = o->status;
	class->seen = fault ? o->error : o->value;
	if (!ad_matches(c)) {
		expected_ad(c, &class->ad_must, &may);
		class->ad = o->ad;
		class->ad_differs = true;
	}
	return true;
}

void error_code_text(u32 error, char text[48])
{
	static const char *const names[] = { "p", "w", "u", "rsvd", "fetch", "pk" };
	int n = 0, bit;

	for (bit = 0; bit < 32; bit++) {
		if (!(error & 1u << bit) || n > 40)
			continue;
		if (bit < (int)ARRAY_SIZE(names))
			n += snprintf(text + n, 48 - n, "%s%s", n ? "," : "", names[bit]);
		else
			n += snprintf(text + n, 48 - n, "%sb%d", n ? "," : "", bit);
	}
	if (!n)
		snprintf(text, 48, "0");
}

static int fault_text(u32 vector, u32 error, char *text, size_t len)
{
	char bits[48];

	switch (vector) {
	case PF_VECTOR:
		error_code_text(error, bits);
		return snprintf(text, len, "#PF(%s)", bits);
	case GP_VECTOR:
		return snprintf(text, len, "#GP(%#x)", error);
	case SS_VECTOR:
		return snprintf(text, len, "#SS(%#x)", error);
	default:
		return snprintf(text, len, "exception-%u(%#x)", vector, error);
	}
}

static int ad_text(u32 ad, char *text, size_t len)
{
	int level, n;

	n = snprintf(text, len, " ad=");
	for (level = MAX_LEVELS; level >= 1; level--) {
		u32 bits = ad >> 2 * (level - 1) & 3;

		if (bits)
			n += snprintf(text + n, len - n, "%d%s%s", level, bits & 1 ? "a" : "",
				      bits & 2 ? "d" : "");
	}
	if (n == 4)
		n += snprintf(text + n, len - n, "none");
	if (ad & AD_CORRUPT)
		n += snprintf(text + n, len - n, " entry-corrupt");
	return n;
}

void walk_result_text(const struct walk_result *r, char text[OUTCOME_TEXT_LEN])
{
	if (r->outcome == WALK_OK)
		snprintf(text, OUTCOME_TEXT_LEN, "ok page=%#llx",
			 (unsigned long long)r->gpa & ~0xfffull);
	else if (r->outcome == WALK_FAULT)
		fault_text(r->vector, r->error_code, text, OUTCOME_TEXT_LEN);
	else
		snprintf(text, OUTCOME_TEXT_LEN, "table outside memory at %#llx",
			 (unsigned long long)r->gpa);
}

static void observed_text(const struct comparison *c, char text[OUTCOME_TEXT_LEN])
{
	const struct agent_result *o = c->observed;
	gpa_t page;

	if (o->status == STATUS_NOT_RUN)
		snprintf(text, OUTCOME_TEXT_LEN, "not run");
	else if (o->status & STATUS_L2_EXIT)
		snprintf(text, OUTCOME_TEXT_LEN, "l2-exit %#x gpa=%#llx",
			 o->status & STATUS_EXIT_MASK, (unsigned long long)o->cr2);
	else if (o->status & STATUS_EXIT)
		snprintf(text, OUTCOME_TEXT_LEN, "exit %s %#llx",
			 exit_reason_str(o->status & STATUS_EXIT_MASK), (unsigned long long)o->cr2);
	else if (o->status == (STATUS_FAULT | PF_VECTOR) && c->batch->no_error)
		snprintf(text, OUTCOME_TEXT_LEN, "fault");
	else if (o->status != STATUS_DONE)
		fault_text(o->status & 0xff, o->error, text, OUTCOME_TEXT_LEN);
	else if (guest_page_by_tag(c->guest, o->value, c->batch->access == AGENT_LDT, &page))
		snprintf(text, OUTCOME_TEXT_LEN, "ok page=%#llx", (unsigned long long)page);
	else
		snprintf(text, OUTCOME_TEXT_LEN, "ok value=%#x", o->value);
}

static void add_pair(char *expected, char *observed, const char *name, u64 e, u64 o)
{
	size_t n = strlen(expected), m = strlen(observed);

	snprintf(expected + n, OUTCOME_TEXT_LEN - n, " %s=%#llx", name, (unsigned long long)e);
	snprintf(observed + m, OUTCOME_TEXT_LEN - m, " %s=%#llx", name, (unsigned long long)o);
}

void outcome_texts(const struct comparison *c, char expected[OUTCOME_TEXT_LEN],
		   char observed[OUTCOME_TEXT_LEN])
{
	const struct agent_result *o = c->observed;
	size_t n;

	walk_result_text(c->expected, expected);
	observed_text(c, observed);
	if (o->status >= STATUS_FAULT && o->status < STATUS_EXIT && same_kind(c) &&
	    !c->batch->no_error) {
		u64 rip = agent_fault_rip(c->batch, c->gva);

		if (c->expected->vector == PF_VECTOR && o->cr2 != expected_cr2(c))
			add_pair(expected, observed, "cr2", expected_cr2(c), o->cr2);
		if (o->rip != rip)
			add_pair(expected, observed, "rip", rip, o->rip);
	}
	if (!ad_matches(c)) {
		u32 must, may;

		expected_ad(c, &must, &may);
		n = strlen(expected);
		ad_text(must, expected + n, OUTCOME_TEXT_LEN - n);
		n = strlen(observed);
		ad_text(o->ad, observed + n, OUTCOME_TEXT_LEN - n);
	}
}
