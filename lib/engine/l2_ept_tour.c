// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tours: long sequences in which L1 edits EPT entries, invalidates or does not, and enters L2
 * under one EPTP or another; after each entry L2 makes one access.  L1 stays in VMX operation,
 * as KVM keeps shadow pages, and roots of earlier EPTPs, no longer than that.
 *
 * SDM 3C 29.4: what was in an entry while L2 ran under tables (their EP4TA, EPTP bits 51:12;
 * with A/D flags or without) may be used until INVEPT of any EPTP of theirs, of all, or an EPT
 * violation at the address; nothing is kept of an entry that is not present or misconfigured.
 * So an access may end as nested_walk() says for the entries as they are, or for any mixture of
 * them with those kept.  Where nothing can be kept, A and D must be set, too.
 */
#include <stdio.h>
#include <string.h>

#include "l2_ept_internal.h"
#include "vmx.h"

#define NR_TOURS 16
#define NR_STEPS 150
#define NR_SETS 2       /* of tables: those above the data page, and above L2's table 1 */
#define NR_LEVELS 3     /* edited */
#define NR_PLACES (NR_SETS * NR_LEVELS)
#define MAX_KEPT 4
/* The slot of the tables of each level that the tour has for itself. */
#define SLOT L2_EPT_SPARE
#define GPA ((u64)SLOT << 30 | (u64)SLOT << 21 | (u64)SLOT << 12)

struct tour {
	struct l2_ept *e;
	u64 random;
	gpa_t place[NR_PLACES];   /* set * NR_LEVELS + level - 1 */
	u64 *image[NR_PLACES];    /* the same in what the model walks */
	u64 now[NR_PLACES];
	u64 kept[NR_SETS][NR_PLACES][MAX_KEPT];
	u8 nr_kept[NR_SETS][NR_PLACES];
};

struct step {
	u8 set;
	bool ad;
	struct agent_batch batch;
	struct l1_setup setup;
	bool fresh;     /* nothing is kept */
	bool violation; /* it ended in one */
	char text[80 + STATE_NAME_LEN];
};

static u32 pick(struct tour *t, u32 nr)
{
	t->random = t->random * 6364136223846793005ull + 1442695040888963407ull;
	return (t->random >> 33) % nr;
}

static u64 root_of(const struct tour *t, u8 set, bool ad)
{
	return l2_ept_tables(t->e, set, 0, 4, ad).root;
}

static void start(struct tour *t, struct l2_ept *e, u32 nr)
{
	int i;

	*t = (struct tour){ .e = e, .random = nr + 1 };
	for (i = 0; i < NR_PLACES; i++) {
		t->place[i] = e->dense[i / NR_LEVELS].page[1 + i % NR_LEVELS] + 8 * SLOT;
		t->image[i] = (u64 *)(e->image + (t->place[i] - L1_NESTED));
		memcpy(&t->now[i], vm_gpa2hva(e->guest->vm, t->place[i]), sizeof(t->now[i]));
	}
}

/*
 * Bits of an entry: all rights more often than others, A and D or not.  Entries above a page
 * that have R and X, or nothing, leave no page without any right: see run_no_right().
 */
static u64 some_bits(struct tour *t, bool above)
{
	static const u64 rights[] = { EPT_RWX, EPT_RWX, EPT_RWX, EPT_R | EPT_X, EPT_W, 0,
				      EPT_R,   EPT_X,	EPT_R | EPT_W };
	const u32 nr = ARRAY_SIZE(rights) - (above ? 3 : 0);

	return rights[pick(t, nr)] | (pick(t, 2) ? EPT_A | EPT_D : 0);
}

static u64 some_entry(struct tour *t, int place)
{
	const int level = 1 + place % NR_LEVELS, set = place / NR_LEVELS;
	u64 bits = some_bits(t, level > 1);

	if (level == 1)
		return bits | (u64)EPT_MT_WB << EPT_MT_SHIFT | (pick(t, 2) ? DATA_PAGE : AGENT_PROBE);
	/* The PT of either set; tables that are nearer to the root stay their own. */
	bits &= ~EPT_D;
	return bits | t->e->dense[level == 2 ? pick(t, NR_SETS) : (u32)set].page[level - 1];
}

/* May be used when the entry is another one already? */
static bool may_be_kept(const struct tour *t, u64 entry)
{
	u64 rights = entry & EPT_RWX;

	return rights & EPT_R || (rights == EPT_X && t->e->caps.execonly);
}

static void forget(struct tour *t, u8 set)
{
	memset(t->nr_kept[set], 0, sizeof(t->nr_kept[set]));
}

/* L2 has run under this set's tables.  False: no room. */
static bool keep(struct tour *t, u8 set)
{
	int i, k;

	for (i = 0; i < NR_PLACES; i++) {
		const u64 entry = t->now[i] & ~(EPT_A | EPT_D);

		for (k = 0; k < t->nr_kept[set][i] && t->kept[set][i][k] != entry; k++)
			;
		if (k < t->nr_kept[set][i] || !may_be_kept(t, entry))
			continue;
		if (k == MAX_KEPT)
			return false;
		t->kept[set][i][t->nr_kept[set][i]++] = entry;
	}
	return true;
}

static void store(struct tour *t, struct step *s, int place, u64 value)
{
	s->setup.store[s->setup.nr_stores++] = (struct l1_store){ t->place[place], value };
	t->now[place] = value;
}

static void choose_flush(struct tour *t, struct step *s, bool must)
{
	static const u8 nothing_kept[NR_PLACES];
	const u8 of = pick(t, NR_SETS);
	int way = must ? 0 : pick(t, 8), i;

	s->setup.flush = L1_FLUSH_NONE;
	if (way == 0) {
		s->setup.flush = L1_FLUSH_ALL;
		for (i = 0; i < NR_SETS; i++)
			forget(t, i);
	} else if (way <= 2) {
		s->setup.flush = L1_FLUSH_ROOT;
		s->setup.flush_root = root_of(t, of, t->e->caps.ad && pick(t, 2));
		forget(t, of);
	}
	s->fresh = !memcmp(t->nr_kept[s->set], nothing_kept, NR_PLACES);
	snprintf(s->text + strlen(s->text), sizeof(s->text) - strlen(s->text), " invept=%s",
		 way == 0 ? "all" : way > 2 ? "none" : of == s->set ? "this" : "other");
}

/* KVM sees each store to a table above the last level, and forgets what it has of it. */
static int some_place(struct tour *t)
{
	return pick(t, 4) ? (int)pick(t, NR_SETS) * NR_LEVELS : (int)pick(t, NR_PLACES);
}

static void choose_step(struct tour *t, struct step *s, u32 nr, bool must_flush)
{
	/* Most often with the usual rules, but L1's registers need not be L2's. */
	static const u8 flags[] = { FLAG_WP | FLAG_NX, FLAG_WP | FLAG_NX, FLAG_WP | FLAG_NX, 0,
				    FLAG_WP | FLAG_SMEP | FLAG_SMAP };
	const int edits = nr ? pick(t, 3) : NR_PLACES;
	char state[STATE_NAME_LEN];
	int i;

	*s = (struct step){ .set = pick(t, NR_SETS), .ad = t->e->caps.ad && pick(t, 2) };
	s->batch = (struct agent_batch){ .state = { MODE_4LEVEL, flags[pick(t, ARRAY_SIZE(flags))] },
					 .access = AGENT_READ + pick(t, 3) };
	s->setup.root = root_of(t, s->set, s->ad);
	s->setup.stay = pick(t, 16);
	state_name(&s->batch.state, state);
	snprintf(s->text, sizeof(s->text), "step %u %s %s eptp=%u%s edits=%d%s", nr, state,
		 agent_access_names[s->batch.access], s->set, s->ad ? "-ad" : "", edits,
		 s->setup.stay ? "" : " vmxoff");
	for (i = 0; i < edits; i++) {
		int place = nr ? some_place(t) : i;

		store(t, s, place, some_entry(t, place));
	}
	choose_flush(t, s, must_flush || !nr);
}

static void expect(struct tour *t, const struct step *s, struct nested_result *expected)
{
	const struct nested_tables tables = l2_ept_tables(t->e, s->set, 0, 4, s->ad);
	const struct test_case tc = { s->batch.state, s->batch.actor, s->batch.access, { 0 } };
	const struct walk_access access = case_access(&tc, l2_ept_touched(t->e, &s->batch, GPA));
	struct nested_l2 l2 = { .regs = guest_walk_regs(t->e->guest, &s->batch.state) };

	l2.regs.cr3 = t->e->l2[MODE_4LEVEL][0].cr3[0];
	nested_walk(&t->e->guest->cpu, &l2, &tables, &t->e->memory, &access, expected);
}

/* Does it end as with one of the entries that may be in use, at this place and those behind it? */
static bool some_mixture(struct tour *t, const struct step *s, const struct ept_seen *seen,
			 int place)
{
	struct nested_result expected;
	bool same;
	int k;

	/* Of the other set's entries the walk can get to those of level 1. */
	while (place < NR_PLACES && place / NR_LEVELS != s->set && place % NR_LEVELS)
		place++;
	if (place == NR_PLACES) {
		expect(t, s, &expected);
		return ept_outcome_matches(&s->batch, l2_ept_touched(t->e, &s->batch, GPA),
					   &expected, seen);
	}
	same = some_mixture(t, s, seen, place + 1);
	for (k = 0; k < t->nr_kept[s->set][place] && !same; k++) {
		*t->image[place] = t->kept[s->set][place][k];
		same = some_mixture(t, s, seen, place + 1);
	}
	*t->image[place] = t->now[place];
	return same;
}

/* A and D as they are in memory now.  False: not as they must be. */
static bool see_bits(struct tour *t, const struct step *s, const struct nested_result *expected,
		     char text[EPT_TEXT_LEN])
{
	const u64 ad = EPT_A | EPT_D;
	u64 must, may, set;
	bool good = true;
	int i, k;

	for (i = 0; i < NR_PLACES; i++) {
		for (k = 0, must = may = 0; k < expected->nr_steps; k++) {
			if (expected->step[k].entry_gpa != t->place[i])
				continue;
			must |= expected->step[k].must_set;
			may |= must | expected->step[k].may_set;
		}
		memcpy(&set, vm_gpa2hva(t->e->guest->vm, t->place[i]), sizeof(set));
		set ^= t->now[i];
		t->now[i] ^= set;
		if (!(set & ~ad) && (!s->fresh || (!(must & ~t->now[i]) && !(set & ~may))))
			continue;
		snprintf(text, EPT_TEXT_LEN, "level %d of tables %d: %#llx set of %#llx",
			 1 + i % NR_LEVELS, i / NR_LEVELS, (unsigned long long)set,
			 (unsigned long long)must);
		good = false;
	}
	return good;
}

static void entries_text(const struct tour *t, u8 set, char text[EPT_TEXT_LEN])
{
	int n = 0, i, k;

	for (i = 0; i < NR_PLACES && n < EPT_TEXT_LEN; i++) {
		if (i / NR_LEVELS != set && i % NR_LEVELS)
			continue;
		n += snprintf(text + n, EPT_TEXT_LEN - n, " %d.%d=%#llx", i / NR_LEVELS,
			      1 + i % NR_LEVELS, (unsigned long long)t->now[i]);
		for (k = 0; k < t->nr_kept[set][i] && n < EPT_TEXT_LEN; k++)
			n += snprintf(text + n, EPT_TEXT_LEN - n, ",%#llx",
				      (unsigned long long)t->kept[set][i][k]);
	}
}

/* False: it went wrong, and is told. */
static bool make_step(struct tour *t, struct step *s, const char *id)
{
	char e[3 * EPT_TEXT_LEN], o[EPT_TEXT_LEN], entries[EPT_TEXT_LEN] = "";
	struct nested_result expected;
	struct ept_seen seen;
	bool same, bits;
	int i;

	for (i = 0; i < NR_PLACES; i++)
		*t->image[i] = t->now[i];
	l2_ept_touch(t->e, &s->batch, GPA, &s->setup, &seen);
	expect(t, s, &expected);
	same = some_mixture(t, s, &seen, 0);
	s->violation = seen.exit.count && (u16)seen.exit.code == VMX_REASON_EPT_VIOLATION;
	ept_seen_text(t->e->guest, &s->batch, l2_ept_touched(t->e, &s->batch, GPA), &seen, o);
	ept_expected_text(&expected, e);
	entries_text(t, s->set, entries);
	bits = see_bits(t, s, &expected, same ? o : entries);
	if (same && bits)
		return true;
	snprintf(e + strlen(e), sizeof(e) - strlen(e), "%s, %s:%s", s->fresh ? "" : ", or as before",
		 s->text, entries);
	l2_ept_differs(id, e, o, expected.rule);
	return false;
}

static void run_tour(struct l2_ept *e, u32 nr)
{
	bool must_flush = true, good = true;
	struct tour t;
	struct step s;
	char id[32];
	u32 i;

	snprintf(id, sizeof(id), "tour/%u", nr);
	if (!l2_ept_wanted(id))
		return;
	start(&t, e, nr);
	for (i = 0; i < NR_STEPS && good; i++) {
		choose_step(&t, &s, i, must_flush);
		good = make_step(&t, &s, id);
		if (good && s.violation)
			forget(&t, s.set);
		must_flush = !keep(&t, s.set);
	}
	l1_quit(e->guest);
}

/*
 * Beside the page, the first of the eight entries that KVM maps in advance has R, and the one above
 * both has X: KVM maps a page without any right, and has a WARN for that (docs/findings.md).  A
 * host with panic_on_warn would be gone: --case alone tries it.
 */
static void run_no_right(struct l2_ept *e)
{
	static const char id[] = "tour/no-right";
	const u64 page = DATA_PAGE | (u64)EPT_MT_WB << EPT_MT_SHIFT | EPT_A | EPT_D;
	struct tour t;
	struct step s = { .batch = { .state = { MODE_4LEVEL, FLAG_WP | FLAG_NX },
				     .access = AGENT_FETCH } };

	if (!l2_ept_replaying() || !e->caps.execonly || !l2_ept_wanted(id))
		return;
	start(&t, e, 0);
	s.setup = (struct l1_setup){ .root = root_of(&t, 0, false), .stay = true, .nr_stores = 1 };
	s.setup.store[0] = (struct l1_store){ t.place[0] - SLOT % 8 * 8, page | EPT_R };
	store(&t, &s, 2, e->dense[0].page[2] | EPT_RWX);
	store(&t, &s, 1, e->dense[0].page[1] | EPT_X);
	store(&t, &s, 0, page | EPT_RWX);
	make_step(&t, &s, id);
	l1_quit(e->guest);
}

void l2_ept_run_tour(struct l2_ept *e)
{
	u32 i;

	for (i = 0; i < NR_TOURS && !report_should_stop(); i++)
		run_tour(e, i);
	run_no_right(e);
}
