// SPDX-License-Identifier: GPL-2.0-only
/* What an access of L2's came to, against what it should have: see include/l2_ept.h. */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "engine.h"
#include "l2_ept.h"
#include "test_assert.h"
#include "vmx.h"
#include "x86.h"

/* L2, as it will run this batch, goes to the other VM's vCPU. */
static void move(struct l2_ept *e, const struct agent_batch *batch)
{
	const char *why;

	if (!e->other) {
		e->other = vm_create_sharing(e->guest->vm);
		vm_vcpu_add(e->other, 0);
	}
	why = l1_move(e->guest, batch, e->other->vcpus);
	TEST_ASSERT(!why, "%s", why);
	e->guest->vcpu = e->other->vcpus;
}

void l2_ept_batch(struct l2_ept *e, enum nested_how how, const struct agent_batch *like,
		  const gva_t *gvas, u32 nr, struct ept_seen *seen)
{
	static struct agent_result results[AGENT_MAX_CASES];
	struct vcpu *usual = e->guest->vcpu;
	struct agent_batch batch = *like;
	u32 i;

	batch.in_l2 = true;
	batch.gvas = gvas;
	batch.nr = nr;
	batch.results = results;
	if (how == NESTED_BY_MOVED)
		move(e, &batch);
	nested_how_engine(how)->run(e->guest, &batch);
	if (e->guest->vcpu != usual)
		e->guest->state_valid = false;
	e->guest->vcpu = usual;
	for (i = 0; i < nr; i++) {
		seen[i].result = results[i];
		seen[i].exit = *l1_case_exit(e->guest, i);
	}
}

/* An exit that L1 noted for the case, not one that ended the batch. */
static bool is_nested_exit(const struct ept_seen *seen)
{
	return seen->result.status & STATUS_L2_EXIT && seen->exit.count;
}

static struct nested_exit exit_of(const struct ept_seen *seen)
{
	return (struct nested_exit){
		.reason = (u16)seen->exit.code == VMX_REASON_EPT_MISCONFIG ?
				  NESTED_EXIT_EPT_MISCONFIG :
				  NESTED_EXIT_EPT_VIOLATION,
		.info = seen->exit.info,
		.gpa = seen->exit.gpa,
		.gva = seen->exit.linear,
	};
}

static bool fault_matches(const struct agent_batch *batch, gva_t gva, const struct walk_result *l2,
			  const struct agent_result *r)
{
	u64 cr2 = state_modes[batch->state.mode].code64 ? gva : (u32)gva;

	return r->status == (u32)(STATUS_FAULT | l2->vector) && r->error == l2->error_code &&
	       r->cr2 == cr2 && r->rip == agent_fault_rip(batch, gva);
}

bool ept_outcome_matches(const struct agent_batch *batch, gva_t gva,
			 const struct nested_result *expected, const struct ept_seen *seen)
{
	struct nested_exit exit;

	if (is_nested_exit(seen)) {
		exit = exit_of(seen);
		return seen->exit.count == 1 && seen->exit.rip == agent_fault_rip(batch, gva) &&
		       nested_result_allows_exit(expected, &exit);
	}
	if (expected->outcome == NESTED_OK)
		return seen->result.status == STATUS_DONE &&
		       seen->result.value == agent_tag(batch->access, expected->gpa);
	return expected->outcome == NESTED_FAULT &&
	       fault_matches(batch, gva, &expected->l2, &seen->result);
}

static void qualification_text(u64 info, char text[64])
{
	static const char *const names[] = { "r", "w", "x", "R", "W", "X", "XU", "gla", "final" };
	int n = 0, bit;

	text[0] = 0;
	for (bit = 0; bit < 64 && n < 56; bit++) {
		if (!(info & BIT_ULL(bit)))
			continue;
		if (bit < (int)ARRAY_SIZE(names))
			n += snprintf(text + n, 64 - n, "%s%s", n ? "," : "", names[bit]);
		else
			n += snprintf(text + n, 64 - n, "%sb%d", n ? "," : "", bit);
	}
}

static void exit_as_text(const struct nested_exit *exit, char text[EPT_TEXT_LEN])
{
	char bits[64];

	if (exit->reason == NESTED_EXIT_EPT_MISCONFIG) {
		snprintf(text, EPT_TEXT_LEN, "misconfig gpa=%#llx", (unsigned long long)exit->gpa);
		return;
	}
	qualification_text(exit->info & ~exit->open, bits);
	snprintf(text, EPT_TEXT_LEN, "violation(%s) gla=%#llx gpa=%#llx", bits,
		 (unsigned long long)exit->gva, (unsigned long long)exit->gpa);
}

void ept_expected_text(const struct nested_result *expected, char text[EPT_TEXT_LEN])
{
	char bits[48];

	if (expected->outcome == NESTED_EXIT) {
		exit_as_text(&expected->exit, text);
	} else if (expected->outcome == NESTED_OK) {
		snprintf(text, EPT_TEXT_LEN, "ok page=%#llx",
			 (unsigned long long)expected->gpa & ~0xfffull);
	} else if (expected->outcome == NESTED_FAULT) {
		error_code_text(expected->l2.error_code, bits);
		snprintf(text, EPT_TEXT_LEN, "#%s(%s)",
			 expected->l2.vector == PF_VECTOR ? "PF" : "GP", bits);
	} else {
		snprintf(text, EPT_TEXT_LEN, "table outside memory at %#llx",
			 (unsigned long long)expected->gpa);
	}
}

void ept_seen_text(const struct guest *guest, const struct agent_batch *batch, gva_t gva,
		   const struct ept_seen *seen, char text[EPT_TEXT_LEN])
{
	const struct agent_result *r = &seen->result;
	const u64 rip = agent_fault_rip(batch, gva);
	struct nested_exit exit = exit_of(seen);
	char bits[48];
	gpa_t page;
	size_t n;

	if (is_nested_exit(seen)) {
		exit_as_text(&exit, text);
		n = strlen(text);
		if (seen->exit.rip != rip)
			n += snprintf(text + n, EPT_TEXT_LEN - n, " rip=%#llx for %#llx",
				      (unsigned long long)seen->exit.rip, (unsigned long long)rip);
		if (seen->exit.count != 1)
			snprintf(text + n, EPT_TEXT_LEN - n, " %llu times",
				 (unsigned long long)seen->exit.count);
	} else if (r->status == STATUS_NOT_RUN) {
		snprintf(text, EPT_TEXT_LEN, "not run");
	} else if (r->status & STATUS_L2_EXIT) {
		snprintf(text, EPT_TEXT_LEN, "l2-exit %#x gpa=%#llx", r->status & STATUS_EXIT_MASK,
			 (unsigned long long)r->cr2);
	} else if (r->status & STATUS_EXIT) {
		snprintf(text, EPT_TEXT_LEN, "exit %s %#llx",
			 exit_reason_str(r->status & STATUS_EXIT_MASK),
			 (unsigned long long)r->cr2);
	} else if (r->status == STATUS_DONE) {
		if (guest_page_by_tag(guest, r->value, false, &page))
			snprintf(text, EPT_TEXT_LEN, "ok page=%#llx", (unsigned long long)page);
		else
			snprintf(text, EPT_TEXT_LEN, "ok value=%#x", r->value);
	} else {
		error_code_text(r->error, bits);
		snprintf(text, EPT_TEXT_LEN, "exception-%u(%s) cr2=%#llx rip=%#llx",
			 r->status & 0xff, bits, (unsigned long long)r->cr2,
			 (unsigned long long)r->rip);
		if (r->status == (STATUS_FAULT | PF_VECTOR))
			snprintf(text, EPT_TEXT_LEN, "#PF(%s)%s", bits,
				 r->rip == rip ? "" : " elsewhere");
	}
}
