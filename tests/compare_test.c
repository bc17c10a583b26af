// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeded faults in observations: an outcome that is right must match, and the same outcome
 * with any one thing wrong in it must not.  No KVM is involved.
 */
#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "x86.h"

static unsigned int number, failed;

static void result(bool good, const char *what, const char *id)
{
	printf("%sok %u %s: %s\n", good ? "" : "not ", ++number, what, id);
	failed += !good;
}

/* What a right CPU would have the agent report. */
static struct agent_result right_result(const struct comparison *c, const struct walk_result *e)
{
	struct agent_result r = { .status = STATUS_DONE };
	int i;

	if (e->outcome == WALK_OK) {
		r.value = agent_tag(c->batch->access, e->gpa);
	} else {
		r.status = STATUS_FAULT | e->vector;
		r.error = e->error_code;
		r.cr2 = e->cr2;
		r.rip = agent_fault_rip(c->batch, c->gva);
	}
	for (i = 0; e->outcome == WALK_OK && i < e->nr_steps; i++) {
		u64 set = e->step[i].must_set & ~e->step[i].entry;

		if (set & PTE_A)
			r.ad |= 1u << 2 * (e->step[i].level - 1);
		if (set & PTE_D)
			r.ad |= 2u << 2 * (e->step[i].level - 1);
	}
	return r;
}

/* Classes of a case's observations so far: two that are equal must have the same texts. */
static struct {
	struct outcome_class class;
	char expected[OUTCOME_TEXT_LEN], observed[OUTCOME_TEXT_LEN];
} seen[64];
static unsigned int nr_seen;

static bool class_agrees(const struct comparison *c)
{
	char e[OUTCOME_TEXT_LEN], o[OUTCOME_TEXT_LEN];
	struct outcome_class class;
	unsigned int i;
	bool same = true;

	if (!outcome_class(c, &class))
		return true;
	outcome_texts(c, e, o);
	for (i = 0; i < nr_seen; i++)
		if (!memcmp(&seen[i].class, &class, sizeof(class)))
			same &= !strcmp(seen[i].expected, e) && !strcmp(seen[i].observed, o);
	if (nr_seen < ARRAY_SIZE(seen)) {
		seen[nr_seen].class = class;
		strcpy(seen[nr_seen].expected, e);
		strcpy(seen[nr_seen++].observed, o);
	}
	return same;
}

/* Each wrong observation of one case; what does not apply to its outcome is left out. */
static void seed(struct comparison *c, const struct walk_result *e, const char *id)
{
	struct agent_result right = right_result(c, e), wrong;
	char a[OUTCOME_TEXT_LEN], b[OUTCOME_TEXT_LEN];
	int bit;

#define WRONG(what, change)                                                         \
	do {                                                                        \
		wrong = right;                                                      \
		change;                                                             \
		outcome_texts(c, a, b);                                             \
		result(!outcome_matches(c) && strcmp(a, b) && class_agrees(c), what, id); \
	} while (0)

	nr_seen = 0;
	c->observed = &right;
	result(outcome_matches(c) && class_agrees(c), "right", id);
	c->observed = &wrong;
	WRONG("not run", wrong.status = STATUS_NOT_RUN);
	WRONG("shutdown", wrong.status = STATUS_EXIT | KVM_EXIT_SHUTDOWN);
	WRONG("A/D corrupt", wrong.ad |= AD_CORRUPT);
	if (e->outcome == WALK_OK) {
		WRONG("fault instead", wrong.status = STATUS_FAULT | PF_VECTOR);
		WRONG("other page", wrong.value = agent_tag(c->batch->access, e->gpa + 0x1000));
		for (bit = 0; bit < 10; bit += 2)
			if (right.ad >> bit & 1)
				WRONG("lost A", wrong.ad &= ~(1u << bit));
		if (right.ad & 2)
			WRONG("lost D", wrong.ad &= ~2u);
		if (c->batch->access == AGENT_READ && e->nr_steps)
			WRONG("D from a read", wrong.ad |= 2u);
		return;
	}
	WRONG("no fault", (wrong.status = STATUS_DONE, wrong.value = 1));
	WRONG("other vector", wrong.status ^= 1);
	for (bit = 0; bit < 6; bit++)
		WRONG("error code bit", wrong.error ^= 1u << bit);
	if (e->vector == PF_VECTOR)
		WRONG("other CR2", wrong.cr2 ^= 0x1000);
	WRONG("other RIP", wrong.rip++);
	if (c->batch->access == AGENT_WRITE && e->vector == PF_VECTOR)
		WRONG("D after a fault", wrong.ad |= 2u);
#undef WRONG
}

/* An engine that tells of a fault only that there was one. */
static void seed_no_error(struct comparison *c, const struct walk_result *e, const char *id)
{
	struct agent_result r = right_result(c, e);
	bool ok = e->outcome == WALK_OK;

	c->observed = &r;
	if (!ok) {
		r.error ^= 1;
		r.cr2 = r.rip = 0;
	}
	result(outcome_matches(c), "right without details", id);
	r.status = ok ? STATUS_FAULT | PF_VECTOR : STATUS_DONE;
	result(!outcome_matches(c), ok ? "fault instead, without details" :
					 "no fault, without details", id);
}

static void seed_case(const struct golden *g)
{
	struct golden_walk w;
	struct agent_batch batch = { .careful = true };
	struct comparison c = { .batch = &batch, .expected = &w.result };

	golden_walk(g, &w);
	batch.state = w.tc.state;
	batch.actor = w.tc.actor;
	batch.access = w.tc.access;
	c.guest = w.guest;
	c.gva = w.gva;
	seed(&c, &w.result, g->id);
	batch.no_error = true;
	seed_no_error(&c, &w.result, g->id);
	guest_free(w.guest);
}

int main(void)
{
	unsigned int i;

	printf("KTAP version 1\n");
	for (i = 0; i < ARRAY_SIZE(golden_cases); i++)
		seed_case(&golden_cases[i]);
	printf("1..%u\n", number);
	return failed ? KSFT_FAIL : KSFT_PASS;
}
