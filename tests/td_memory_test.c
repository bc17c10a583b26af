// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model of a TD's memory (include/td_memory.h): what each step of a few stories must give,
 * written down by hand, at both widths; and that random steps never break what always holds.
 * No KVM is involved.
 *
 * Built with -DSEEDED_FAULTS and run with --seeded, it breaks each of the rules in td_rules.def
 * in turn and demands that a literal expectation fails.
 */
#include <stdio.h>
#include <string.h>

#include "seeded.h"
#include "td_memory.h"

#define BASE 0x50000000ull
#define NR_PAGES 1024
#define NR_RANDOM 200000

struct told {
	enum td_op op;
	bool shared;  /* the address has the shared bit */
	gpa_t gpa;
	u64 size_or_value;
	const char *outcome; /* the same at both widths */
};

#define P false
#define S true

static const struct told stories[] = {
	/* A page that nobody has accepted. */
	{ TD_READ, P, BASE, 0, "#VE(0x50000000)" },
	{ TD_WRITE, P, BASE + 0x400, 5, "#VE(0x50000000)" },
	{ TD_FETCH, P, BASE, 0, "#VE(0x50000000)" },
	{ TD_ACCEPT, P, BASE, 0x1000, "status=0 r11=0" },
	{ TD_READ, P, BASE, 0, "ok value=0" },
	{ TD_WRITE, P, BASE, 0x1234, "ok value=0x1234" },
	{ TD_READ, P, BASE, 0, "ok value=0x1234" },
	{ TD_READ, P, BASE + 0x400, 0, "ok value=0" },
	{ TD_ACCEPT, P, BASE, 0x1000, "status=0xb0a00000000 r11=0" },
	{ TD_READ, P, BASE, 0, "ok value=0x1234" },
	{ TD_WRITE, P, BASE + 0x800, TD_CODE(0x4567), "ok value=0xc300004567b8" },
	{ TD_FETCH, P, BASE + 0x800, 0, "ok value=0x4567" },
	/* To shared memory and back, asked for. */
	{ TD_MAP_GPA, S, BASE, 0x1000, "map(shared,0x50000000+1) status=0 r11=0" },
	{ TD_READ, S, BASE, 0, "ok value=0" },
	{ TD_WRITE, S, BASE, 0x77, "ok value=0x77" },
	{ TD_READ, S, BASE, 0, "ok value=0x77" },
	{ TD_VMM_READ, S, BASE, 0, "ok value=0x77" },
	{ TD_VMM_WRITE, S, BASE + 0x400, 0x88, "ok value=0x88" },
	{ TD_READ, S, BASE + 0x400, 0, "ok value=0x88" },
	{ TD_FETCH, S, BASE, 0, "#PF(p,fetch)" },
	{ TD_MAP_GPA, S, BASE, 0x1000, "map(shared,0x50000000+1) status=0 r11=0" },
	{ TD_READ, S, BASE, 0, "ok value=0x77" },
	{ TD_MAP_GPA, P, BASE, 0x1000, "map(private,0x50000000+1) status=0 r11=0" },
	{ TD_READ, P, BASE, 0, "#VE(0x50000000)" },
	{ TD_ACCEPT, P, BASE, 0x1000, "status=0 r11=0" },
	{ TD_READ, P, BASE, 0, "ok value=0" },
	{ TD_WRITE, P, BASE, 0x99, "ok value=0x99" },
	{ TD_MAP_GPA, P, BASE, 0x1000, "map(private,0x50000000+1) status=0 r11=0" },
	{ TD_READ, P, BASE, 0, "ok value=0x99" },
	/* To shared memory and back by access alone. */
	{ TD_READ, S, BASE, 0, "fault(shared,0x50000000) ok value=0" },
	{ TD_WRITE, S, BASE, 0x55, "ok value=0x55" },
	{ TD_WRITE, P, BASE + 0xc00, 0, "fault(private,0x50000000) #VE(0x50000000)" },
	{ TD_WRITE, S, BASE + 0x400, 6, "fault(shared,0x50000000) ok value=0x6" },
	{ TD_READ, S, BASE, 0, "ok value=0" },
	{ TD_ACCEPT, P, BASE, 0x1000, "fault(private,0x50000000) status=0 r11=0" },
	{ TD_READ, P, BASE, 0, "ok value=0" },
	/* More than one page; parts; later. */
	{ TD_WRITE, P, BASE, 1, "ok value=0x1" },
	{ TD_MAP_GPA, S, BASE, 0x201000,
	  "map(shared,0x50000000+512) map(shared,0x50200000+1) status=0 r11=0" },
	{ TD_READ, S, BASE + 0x200000, 0, "ok value=0" },
	{ TD_WRITE, S, BASE + 0x1ff000, 0x33, "ok value=0x33" },
	{ TD_READ, S, BASE + 0x201000, 0, "fault(shared,0x50201000) ok value=0" },
	{ TD_RETRY_AT, P, 0, 1, "ok value=0" },
	{ TD_MAP_GPA, P, BASE, 0x400000,
	  "map(private,0x50000000+512) map(private,0x50200000+512) status=0x1 r11=0x50200000" },
	{ TD_READ, P, BASE + 0x1ff000, 0, "#VE(0x501ff000)" },
	{ TD_READ, S, BASE + 0x200000, 0, "ok value=0" },
	{ TD_MAP_GPA, P, BASE + 0x200000, 0x200000, "map(private,0x50200000+512) status=0 r11=0" },
	{ TD_READ, P, BASE + 0x200000, 0, "#VE(0x50200000)" },
	{ TD_ACCEPT, P, BASE, 0x200000, "status=0xc0000b0b00000000 r11=0" },
	{ TD_READ, P, BASE, 0, "#VE(0x50000000)" },
	/* What must not be asked for. */
	{ TD_MAP_GPA, P, BASE, 0, "status=0x8000000000000000 r11=0x50000000" },
	{ TD_MAP_GPA, P, BASE, -BASE, "status=0x8000000000000000 r11=0x50000000" },
	{ TD_MAP_GPA, P, BASE + 0x10, 0x1000, "status=0x8000000000000002 r11=0x50000010" },
	{ TD_MAP_GPA, P, BASE, 0x10, "status=0x8000000000000002 r11=0x50000000" },
	{ TD_MAP_GPA, P, BIT_ULL(52) + 1, 0x1000,
	  "status=0x8000000000000000 r11=0x10000000000001" },
	{ TD_MAP_GPA, P, BASE - 0x1000, 0x1000,
	  "map(private,0x4ffff000+1) status=0x8000000000000000 r11=0x4ffff000" },
	{ TD_ACCEPT, S, BASE, 0x1000, "status=0xc000010000000001 r11=0" },
	{ TD_ACCEPT, P, BASE + BIT_ULL(52), 0x1000, "status=0xc000010000000001 r11=0" },
	{ TD_READ, P, BASE + BIT_ULL(52), 0, "#PF(p,rsvd)" },
	{ TD_WRITE, S, BASE + BIT_ULL(52), 0, "#PF(p,w,rsvd)" },
	/* Nothing there. */
	{ TD_READ, P, BASE + 0x400000, 0, "fault(private,0x50400000) stopped" },
	{ TD_WRITE, P, BASE - 1024, 0, "fault(private,0x4ffff000) stopped" },
};

/* Addresses that have the bit themselves, or cross it: at one width each. */
static const struct {
	unsigned int gpaw;
	struct td_step step;
	const char *outcome;
} wide[] = {
	{ 52, { TD_READ, 0x8000050400000, 0, 0 }, "#VE(0x8000050400000)" },
	{ 48, { TD_READ, 0x800050400000, 0, 0 }, "#VE(0x800050400000)" },
	{ 52, { TD_READ, 0x800050000000, 0, 0 }, "fault(private,0x800050000000) stopped" },
	{ 48, { TD_READ, 0x8000050000000, 0, 0 }, "#PF(p,rsvd)" },
	{ 48, { TD_MAP_GPA, 0x8000050000000, 0x1000, 0 },
	  "status=0x8000000000000000 r11=0x8000050000000" },
	{ 52, { TD_MAP_GPA, 0x7fffffffff000, 0x2000, 0 },
	  "status=0x8000000000000000 r11=0x7fffffffff000" },
	{ 48, { TD_MAP_GPA, 0x7ffffffff000, 0x2000, 0 },
	  "status=0x8000000000000000 r11=0x7ffffffff000" },
	{ 48, { TD_ACCEPT, 0x8000050000000, 0x1000, 0 }, "status=0xc000010000000001 r11=0" },
	{ 52, { TD_ACCEPT, 0x800050000000, 0x1000, 0 }, "fault(private,0x800050000000) stopped" },
};

static unsigned int number, failed;
static bool quiet;

static bool is(struct td_memory *m, const struct td_step *step, const char *outcome)
{
	const struct td_outcome o = td_memory_step(m, step);
	char text[TD_OUTCOME_LEN], what[TD_STEP_LEN];

	td_outcome_text(&o, text);
	if (!strcmp(text, outcome))
		return true;
	td_step_text(step, what);
	if (!quiet)
		printf("# gpaw%u %s: %s, not %s (%s)\n", m->gpaw, what, text, outcome,
		       rule_text(o.rule)->name);
	return false;
}

static bool stories_hold(unsigned int gpaw)
{
	static struct td_page page[NR_PAGES];
	struct td_memory m;
	bool good = true;
	size_t i;

	td_memory_init(&m, gpaw, BASE, page, NR_PAGES);
	for (i = 0; i < ARRAY_SIZE(stories); i++) {
		const struct told *t = &stories[i];
		const struct td_step step = {
			t->op, t->shared ? t->gpa | 1ull << (gpaw - 1) : t->gpa,
			t->size_or_value, t->size_or_value,
		};

		good &= is(&m, &step, t->outcome);
	}
	return good;
}

static bool wide_hold(unsigned int gpaw)
{
	static struct td_page page[NR_PAGES];
	struct td_memory m;
	bool good = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wide); i++) {
		if (wide[i].gpaw != gpaw)
			continue;
		td_memory_init(&m, gpaw, BASE, page, NR_PAGES);
		good &= is(&m, &wide[i].step, wide[i].outcome);
	}
	return good;
}

static u64 next_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/*
 * Written from the definition of the two sides, without the model's functions: a value that is
 * read was written on that side, to that word, since the page came there.
 */
static bool sides_stay_apart(unsigned int gpaw)
{
	static const enum td_op ops[] = { TD_READ, TD_WRITE, TD_MAP_GPA, TD_ACCEPT };
	static struct td_page page[4];
	u64 last[2][4][TD_WORDS] = { 0 }, state = 88172645463325252ull, i, r;
	int on[4] = { 0 }; /* the side of the page */
	struct td_memory m;

	td_memory_init(&m, gpaw, BASE, page, 4);
	for (i = 1; i < NR_RANDOM; i++) {
		struct td_step step = { 0 };
		struct td_outcome o;
		u32 p, w;
		int side;

		r = next_random(&state);
		p = r >> 8 & 3;
		w = r >> 10 & 3;
		side = r >> 12 & 1;
		step.op = ops[r >> 16 & 3];
		step.gpa = BASE + p * 4096 + (step.op <= TD_WRITE ? w * TD_WORD_STRIDE : 0);
		if (side)
			step.gpa |= 1ull << (gpaw - 1);
		step.size = 4096;
		step.value = i;
		o = td_memory_step(&m, &step);
		if ((step.op != TD_ACCEPT || !side) && on[p] != side) {
			memset(last[on[p]][p], 0, sizeof(last[0][0]));
			on[p] = side;
			if (!o.nr_exits)
				return false;
		}
		if (o.ending != TD_DONE)
			continue;
		if (step.op == TD_WRITE)
			last[side][p][w] = i;
		if (o.value != last[side][p][w])
			return false;
	}
	return true;
}

static void result(bool good, const char *what, const char *which)
{
	failed += !good;
	printf("%sok %u %s%s\n", good ? "" : "not ", ++number, what, which);
}

#ifdef SEEDED_FAULTS
static const enum rule td_rules[] = {
#define RULE(id, says, manual, kernel) RULE_##id,
#include "td_rules.def"
#undef RULE
};

static void run_seeded(void)
{
	size_t i;

	quiet = true;
	for (i = 0; i < ARRAY_SIZE(td_rules); i++) {
		bool noticed;

		seeded_fault = td_rules[i];
		noticed = !stories_hold(52) || !stories_hold(48) || !wide_hold(52) ||
			  !wide_hold(48);
		seeded_fault = -1;
		result(noticed, "broken: ", rule_text(td_rules[i])->name);
	}
}
#else
static const enum rule td_rules[0];

static void run_seeded(void)
{
}
#endif

int main(int argc, char **argv)
{
	const bool seeded = seeded_asked_for(argc, argv);

	printf("KTAP version 1\n1..%zu\n", 6 + (seeded ? ARRAY_SIZE(td_rules) : 0));
	result(stories_hold(52), "stories at gpaw", "52");
	result(stories_hold(48), "stories at gpaw", "48");
	result(wide_hold(52), "wide addresses at gpaw", "52");
	result(wide_hold(48), "wide addresses at gpaw", "48");
	result(sides_stay_apart(52), "sides stay apart at gpaw", "52");
	result(sides_stay_apart(48), "sides stay apart at gpaw", "48");
	if (seeded)
		run_seeded();
	return failed != 0;
}
