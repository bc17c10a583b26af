// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPTPs, legal and not, and what INVEPT is for: see include/l2_ept.h.
 *
 * SDM 3C 27.2.1.1: VM entry checks EPTP.  29.4: guest-physical mappings may be used until
 * INVEPT, also across VM entries; an EPTP's are not used under another EPTP; nothing is
 * cached of an entry that is not present.
 */
#include <stdio.h>
#include <string.h>

#include "l2_ept_internal.h"
#include "test_assert.h"
#include "vmx.h"

static const struct agent_batch reader = { .state = { MODE_4LEVEL, FLAG_WP | FLAG_NX },
					   .access = AGENT_READ };

/* A replay: the one id to run; whether there was such a one, and whether it failed. */
static const char *only;
static bool found, failed;

bool l2_ept_replaying(void)
{
	return only;
}

bool l2_ept_wanted(const char *id)
{
	if (only && strcmp(only, id))
		return false;
	found = true;
	return true;
}

/* The L2-physical address of a page of its own, whose EPT entry no variant is. */
static gpa_t spare_gpa(const struct l2_ept *e)
{
	const struct ept_choice full = { { 0 } };
	gpa_t gpa = 0;

	l2_ept_gpa(e, &reader.state, 0, &full, &gpa);
	return gpa | (u64)L2_EPT_SPARE << 12;
}

gva_t l2_ept_touched(const struct l2_ept *e, const struct agent_batch *batch, gpa_t gpa)
{
	return l2_ept_gva(e, &batch->state, 0, 0, gpa, 0, agent_access_offset(batch->access));
}

static void use(struct l2_ept *e, const struct l1_setup *setup)
{
	const char *why = l1_use(e->guest, setup);

	TEST_ASSERT(!why, "an L1 in the usual state: %s", why);
}

void l2_ept_touch(struct l2_ept *e, const struct agent_batch *batch, gpa_t gpa,
		  struct l1_setup *setup, struct ept_seen *seen)
{
	gva_t gva = l2_ept_touched(e, batch, gpa);

	setup->state = l1_usual_state;
	setup->nested = true;
	setup->l2_cr3 = e->l2[MODE_4LEVEL][0].cr3[0];
	use(e, setup);
	l2_ept_batch(e, NESTED_BY_L2, batch, &gva, 1, seen);
	if (!only)
		report_cases(1);
}

/* One access to the spare slot, by L2 under this EPTP. */
static void touch(struct l2_ept *e, const struct agent_batch *batch, struct l1_setup *setup,
		  struct ept_seen *seen)
{
	l2_ept_touch(e, batch, spare_gpa(e), setup, seen);
}

static bool reached(const struct ept_seen *seen, gpa_t page)
{
	return seen->result.status == STATUS_DONE &&
	       seen->result.value == agent_tag(AGENT_READ, page);
}

void l2_ept_differs(const char *id, const char *expected, const char *observed, enum rule rule)
{
	const struct case_failure f = { .id = id,
					.expected = expected,
					.observed = observed,
					.rule = rule_text(rule)->name };

	failed = true;
	if (only)
		printf("# expected  %s\n# observed  %s\n", expected, observed);
	else
		report_failure(&f);
}

static void fails(struct l2_ept *e, const struct agent_batch *batch, const char *id,
		  const char *expected, const struct ept_seen *seen, enum rule rule)
{
	char o[EPT_TEXT_LEN];

	ept_seen_text(e->guest, batch, 0, seen, o);
	l2_ept_differs(id, expected, o, rule);
}

static void try_root(struct l2_ept *e, const char *name, u64 root)
{
	const u32 refused = STATUS_EXIT | STATUS_L2_EXIT | L1V_FAILED | L1V_STEP_VMLAUNCH << 8 |
			    VMX_ERROR_CONTROLS;
	struct nested_tables tables = { .kind = NESTED_EPT, .caps = e->caps, .root = root };
	enum rule rule = nested_tables_check(&e->guest->cpu, &tables);
	struct l1_setup setup = { .root = root };
	struct ept_seen seen;
	char id[64];

	snprintf(id, sizeof(id), "eptp/%s", name);
	if (!l2_ept_wanted(id))
		return;
	touch(e, &reader, &setup, &seen);
	if (rule == RULE_N_ALLOWED ? reached(&seen, DATA_PAGE) : seen.result.status == refused)
		return;
	fails(e, &reader, id,
	      rule == RULE_N_ALLOWED ? "ok page=0x1000000" : "VM entry fails with error 7", &seen,
	      rule);
}

/*
 * Where CR3 leads there are no PDPTEs, but data with reserved bits: VM entry loads those of the
 * VMCS (SDM 27.3.2.4) and does not look there.
 */
static void try_pdptes(struct l2_ept *e)
{
	static const char id[] = "eptp/pdptes-of-vmcs";
	const struct agent_batch batch = { .state = { MODE_PAE, FLAG_WP | FLAG_NX },
					   .access = AGENT_READ };
	const struct l2_tables *l2 = &e->l2[MODE_PAE][0];
	const struct ept_choice full = { { 0 } };
	struct l1_setup setup = {
		.state = l1_usual_state, .nested = true,
		.root = l2_ept_tables(e, 0, 0, 4, false).root, .l2_cr3 = DATA_PAGE,
	};
	struct ept_seen seen;
	gpa_t gpa = 0;
	gva_t gva;

	if (!l2_ept_wanted(id))
		return;
	memcpy(setup.l2_pdptr, l2->pdptr[0], sizeof(setup.l2_pdptr));
	l2_ept_gpa(e, &batch.state, 0, &full, &gpa);
	gva = l2_ept_gva(e, &batch.state, 0, 0, gpa, 0, 0);
	use(e, &setup);
	l2_ept_batch(e, NESTED_BY_L2, &batch, &gva, 1, &seen);
	if (!only)
		report_cases(1);
	if (!reached(&seen, DATA_PAGE))
		fails(e, &batch, id, "ok page=0x1000000", &seen, RULE_N_ALLOWED);
}

void l2_ept_run_roots(struct l2_ept *e)
{
	const u64 good = l2_ept_tables(e, 0, 0, 4, false).root;
	char name[32];
	u64 i;

	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "mt=%llu", (unsigned long long)i);
		try_root(e, name, (good & ~EPTP_MT) | i);
	}
	for (i = 0; i < 8; i++) {
		u64 root = i == 4 && e->caps.walk_5 ? l2_ept_tables(e, 0, 0, 5, false).root : good;

		snprintf(name, sizeof(name), "levels=%llu", (unsigned long long)i + 1);
		try_root(e, name, (root & ~EPTP_PWL) | i << EPTP_PWL_SHIFT);
	}
	for (i = 6; i < 64; i++) {
		if (i >= 12 && i < e->guest->cpu.maxphyaddr)
			continue;
		snprintf(name, sizeof(name), "b%llu", (unsigned long long)i);
		try_root(e, name, good | BIT_ULL(i));
	}
	try_pdptes(e);
}

/* A change of the entry that maps the spare slot. */
static const struct change {
	const char *name;
	u64 from, to; /* page and bits */
	enum agent_access access;
	bool cached; /* may what was before be used until INVEPT? */
} changes[] = {
#define WB ((u64)EPT_MT_WB << EPT_MT_SHIFT | EPT_A | EPT_D)
	{ "to-not-present", DATA_PAGE | WB | EPT_RWX, 0, AGENT_READ, true },
	{ "to-other-page", DATA_PAGE | WB | EPT_RWX, AGENT_PROBE | WB | EPT_RWX, AGENT_READ, true },
	{ "to-read-only", DATA_PAGE | WB | EPT_RWX, DATA_PAGE | WB | EPT_R, AGENT_WRITE, true },
	{ "to-no-fetch", DATA_PAGE | WB | EPT_RWX, DATA_PAGE | WB | EPT_R | EPT_W, AGENT_FETCH,
	  true },
	{ "to-misconfigured", DATA_PAGE | WB | EPT_RWX, DATA_PAGE | WB | EPT_W, AGENT_READ, true },
	{ "from-not-present", 0, DATA_PAGE | WB | EPT_RWX, AGENT_READ, false },
	{ "from-misconfigured", DATA_PAGE | WB | EPT_W, DATA_PAGE | WB | EPT_RWX, AGENT_READ,
	  false },
#undef WB
};

static const struct flush {
	const char *name;
	enum l1_flush flush;
	bool other; /* of another EPTP */
} flushes[] = {
	{ "all", L1_FLUSH_ALL, false },
	{ "single", L1_FLUSH_ROOT, false },
	{ "single-other", L1_FLUSH_ROOT, true },
	{ "none", L1_FLUSH_NONE, false },
};

/* What an access comes to with this entry: 48 or 49, the page it reaches, else. */
static bool is_as_entry(const struct agent_batch *batch, u64 entry, const struct ept_seen *seen)
{
	static const u64 needs[] = {
		[AGENT_READ] = EPT_R, [AGENT_WRITE] = EPT_W, [AGENT_FETCH] = EPT_X
	};
	u64 rights = entry & EPT_RWX;
	u16 reason = rights && !(rights & EPT_R) ? VMX_REASON_EPT_MISCONFIG :
						   VMX_REASON_EPT_VIOLATION;

	if (rights & EPT_R && rights & needs[batch->access])
		return seen->result.status == STATUS_DONE &&
		       seen->result.value == agent_tag(batch->access, entry & BITS_ULL(51, 12));
	return seen->result.status & STATUS_L2_EXIT && seen->exit.count == 1 &&
	       (u16)seen->exit.code == reason;
}

static void run_change(struct l2_ept *e, const struct change *c, const struct flush *f)
{
	const gpa_t entry = e->dense[0].page[1] + 8 * L2_EPT_SPARE;
	const u64 root = l2_ept_tables(e, 0, 0, 4, false).root;
	const u64 other = l2_ept_tables(e, 1, 0, 4, false).root;
	struct l1_setup setup = {
		.root = root, .stay = true, .nr_stores = 1, .store = { { entry, c->from } }
	};
	struct agent_batch batch = reader;
	struct ept_seen seen;
	bool stale = c->cached && (f->flush == L1_FLUSH_NONE || f->other);
	char id[64];

	snprintf(id, sizeof(id), "invept/%s/%s", c->name, f->name);
	if (!l2_ept_wanted(id))
		return;
	batch.access = c->access;
	touch(e, &batch, &setup, &seen);
	if (!is_as_entry(&batch, c->from, &seen))
		fails(e, &batch, id, "as the first entry says", &seen, RULE_N_ALLOWED);
	setup.store[0].value = c->to;
	setup.flush = f->flush;
	setup.flush_root = f->other ? other : root;
	touch(e, &batch, &setup, &seen);
	if (!is_as_entry(&batch, c->to, &seen) && !(stale && is_as_entry(&batch, c->from, &seen)))
		fails(e, &batch, id,
		      stale ? "as the first entry says, or the second" : "as the second entry says",
		      &seen, RULE_N_ALLOWED);
	setup.nr_stores = 0;
	setup.flush = L1_FLUSH_ALL;
	touch(e, &batch, &setup, &seen);
	if (!is_as_entry(&batch, c->to, &seen))
		fails(e, &batch, id, "after INVEPT: as the second entry says", &seen,
		      RULE_N_ALLOWED);
	setup.nr_stores = 1;
	setup.store[0].value = DATA_PAGE | e->variants[1].bits[0];
	touch(e, &reader, &setup, &seen);
	if (!reached(&seen, DATA_PAGE))
		fails(e, &reader, id, "the first page again", &seen, RULE_N_ALLOWED);
	l1_quit(e->guest);
}

/* Two sets of tables that differ in where the spare slot leads: each EPTP has its own. */
static void run_switches(struct l2_ept *e, bool ad, bool other_ad)
{
	const u64 root[] = { l2_ept_tables(e, 0, 0, 4, ad).root,
			     l2_ept_tables(e, 1, 0, 4, other_ad).root };
	const gpa_t page[] = { DATA_PAGE, AGENT_PROBE };
	struct ept_seen seen;
	char id[64];
	int i;

	snprintf(id, sizeof(id), "eptp-switch%s%s", ad ? "/from-ad" : "/from",
		 other_ad ? "/to-ad" : "/to");
	if (!l2_ept_wanted(id))
		return;
	for (i = 0; i < 4; i++) {
		struct l1_setup setup = { .root = root[i & 1], .flush = L1_FLUSH_NONE,
					  .stay = true };

		touch(e, &reader, &setup, &seen);
		if (!reached(&seen, page[i & 1]))
			fails(e, &reader, id,
			      i & 1 ? "the second EPTP's page" : "the first EPTP's page", &seen,
			      RULE_N_ALLOWED);
	}
	l1_quit(e->guest);
}

void l2_ept_run_invept(struct l2_ept *e)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(changes); i++)
		for (k = 0; k < ARRAY_SIZE(flushes); k++)
			run_change(e, &changes[i], &flushes[k]);
	for (i = 0; i < (e->caps.ad ? 4 : 1); i++)
		run_switches(e, i & 1, i & 2);
}

bool l2_ept_replay_root(struct l2_ept *e, const char *id, bool *good)
{
	only = id;
	found = failed = false;
	l2_ept_run_roots(e);
	l2_ept_run_invept(e);
	l2_ept_run_tour(e);
	only = NULL;
	*good = !failed;
	return found;
}
