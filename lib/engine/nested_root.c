// SPDX-License-Identifier: GPL-2.0-only
/*
 * nCR3, legal and not: see include/nested_case.h.
 *
 * APM2 15.25.4: VMRUN fails with nCR3 bits at and above MAXPHYADDR set.  15.25.3: nCR3 is what
 * CR3 is in L1's paging mode: bits 11:0 (PAE: 4:0) are no address bits, and a PDPT need only be
 * aligned to 32 bytes, so it may end with its page.
 */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "engine.h"
#include "l1.h"
#include "nested_case.h"
#include "replay.h"
#include "test_assert.h"
#include "x86.h"

/* Memory has nothing there, nor at any alias of a data page. */
#define NOWHERE 0x30000000ull
/* VMEXIT_INVALID (APM2 15.5.1, appendix C) */
#define SVM_EXIT_INVALID 0xffffu /* & STATUS_EXIT_MASK */

enum ending { TRANSLATES, REFUSED, NO_TABLE };
static const char *const ending_texts[] = { "ok page=0x1000000", "VMRUN fails", "no translation" };

/* A replay: the one id to run; whether there was such a one, and whether it failed. */
static const char *only;
static bool found, failed;

struct tried {
	struct nested_rig *rig;
	const struct mmu_state *l1;
	u64 good; /* a root that is */
};

/* One read by L2. */
static struct agent_result read_under(const struct tried *t, u64 root)
{
	const struct nested_case like = { .l1 = *t->l1, .l2 = { MODE_4LEVEL, FLAG_WP } };
	const struct nested_choice full = { { 0 } };
	const struct l1_setup setup = { .state = *t->l1, .nested = true, .root = root };
	struct guest *guest = nested_rig_guest(t->rig);
	const gva_t gva = nested_rig_map(t->rig, &like, 0, nested_rig_gpa(&like, &full));
	const char *why = l1_use(guest, &setup);
	struct agent_result result;
	struct agent_batch batch = engine_batch(&engine_native, &like.l2, &like.actor, AGENT_READ,
						CARE_NONE);

	TEST_ASSERT(!why, "an L1 needs %s", why);
	batch.in_l2 = true;
	batch.gvas = &gva;
	batch.nr = 1;
	batch.results = &result;
	agent_run(guest, &batch);
	return result;
}

static bool ends(const struct agent_result *r, enum ending how)
{
	switch (how) {
	case TRANSLATES:
		return r->status == STATUS_DONE && r->value == agent_tag(AGENT_READ, DATA_PAGE);
	case REFUSED:
		return r->status == (STATUS_EXIT | STATUS_L2_EXIT | SVM_EXIT_INVALID);
	default:
		/* What lies outside L1's memory is the VMM's business: any exit will do. */
		return r->status & STATUS_EXIT;
	}
}

static void seen_text(const struct agent_result *r, char text[OUTCOME_TEXT_LEN])
{
	if (r->status & STATUS_EXIT)
		snprintf(text, OUTCOME_TEXT_LEN, "%s %#x detail=%#llx",
			 r->status & STATUS_L2_EXIT ? "l2-exit" : "exit",
			 r->status & STATUS_EXIT_MASK, (unsigned long long)r->cr2);
	else
		snprintf(text, OUTCOME_TEXT_LEN, "status %#x value=%#x", r->status, r->value);
}

static void expect(const struct tried *t, const char *id, u64 root, enum ending how)
{
	const struct agent_result r = read_under(t, root);
	char observed[OUTCOME_TEXT_LEN];
	const struct case_failure f = {
		.id = id,
		.expected = ending_texts[how],
		.observed = observed,
		.engine = nested_how_names[NESTED_BY_L2],
		.rule = rule_text(how == REFUSED ? RULE_N_NPT_ROOT : RULE_N_ALLOWED)->name,
	};

	seen_text(&r, observed);
	if (only)
		printf("# nCR3      %#llx\n# expected  %s\n# observed  %s\n",
		       (unsigned long long)root, f.expected, observed);
	else
		report_cases(1);
	if (ends(&r, how))
		return;
	failed = true;
	if (!only)
		report_failure(&f);
}

/* And a legal one behind it, which must find everything in order. */
static void try_root(const struct tried *t, const char *name, u64 root, enum ending how)
{
	char state[STATE_NAME_LEN], id[STATE_NAME_LEN + 64];

	state_name(t->l1, state);
	snprintf(id, sizeof(id), NESTED_ROOT_PREFIX "%s/%s", state, name);
	if (only && strcmp(only, id))
		return;
	found = true;
	expect(t, id, root, how);
	expect(t, id, t->good, TRANSLATES);
}

/* A PDPT anywhere in its page; bits 4:0 of nCR3 do not count. */
static void try_pdpts(const struct tried *t)
{
	static const u32 at[] = { 0x20, 0x7e0, 0xfe0 };
	static const u32 low[] = { 0, 1, 8, 0x1f };
	const gpa_t page = l1_nested_page(nested_rig_guest(t->rig));
	char name[32];
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		nested_rig_copy(t->rig, page + at[i], t->good, 4 * 8);
		for (k = 0; k < ARRAY_SIZE(low); k++) {
			snprintf(name, sizeof(name), "at=%#x", at[i] + low[k]);
			try_root(t, name, page + at[i] + low[k], TRANSLATES);
		}
	}
}

void nested_roots_run(struct nested_rig *rig, const struct mmu_state *l1)
{
	const struct cpu_facts *cpu = &nested_rig_guest(rig)->cpu;
	const struct tried t = { rig, l1, nested_rig_root(rig, l1, false, 0) };
	char name[32];
	u32 bit;

	try_root(&t, "good", t.good, TRANSLATES);
	for (bit = cpu->maxphyaddr; bit < 64; bit++) {
		snprintf(name, sizeof(name), "b%u", bit);
		try_root(&t, name, t.good | BIT_ULL(bit), REFUSED);
	}
	/* PWT and PCD */
	try_root(&t, "low=0x18", t.good | 0x18, TRANSLATES);
	/* A host's kernel may WARN (docs/findings.md): one with panic_on_warn would be gone. */
	if (only)
		try_root(&t, "nowhere", NOWHERE, NO_TABLE);
	if (l1->mode == MODE_PAE)
		try_pdpts(&t);
}

static int replay(const void *context)
{
	struct nested_rig *rig = nested_rig_create();
	const struct mmu_state *l1 = context;

	replay_begin();
	nested_rig_require(rig, l1, NULL);
	found = failed = false;
	nested_roots_run(rig, l1);
	nested_rig_free(rig);
	if (found)
		return failed ? KSFT_FAIL : KSFT_PASS;
	fprintf(stderr, "--case: there is no such case on this CPU\n");
	return KSFT_USAGE;
}

int nested_root_replay(const char *id)
{
	const char *state = id + strlen(NESTED_ROOT_PREFIX), *name = strrchr(id, '/');
	struct mmu_state l1;
	const char *error = name < state ? "ncr3/L1-STATE/NAME" : state_parse(state, name - state, &l1);

	if (error) {
		fprintf(stderr, "malformed case id '%s': %s\n", id, error);
		return KSFT_USAGE;
	}
	only = id;
	return replay_run(replay, &l1, id);
}
