// SPDX-License-Identifier: GPL-2.0-only
/* Random edits of shared tables; see include/mixed_threads.h. */
#include "mixed_threads.h"
#include "test_assert.h"

#define MAX_STEPS 1024
#define STEPS_PER_EDIT 8

static struct mixed_step steps[MAX_STEPS];
static u32 nr_steps;

static void add(struct mixed_step step)
{
	TEST_ASSERT(nr_steps < MAX_STEPS, "more than %d steps", MAX_STEPS);
	steps[nr_steps++] = step;
}

/* What is edited: an entry that leads to one of a few pages, and how it begins. */
struct edited {
	gpa_t gpa;
	u8 size;
	bool pt;     /* leads to data, else to a PT */
	u64 first;
};

static const struct edited edited[] = {
	{ TABLE(0) + 8 * 1, 8, true, DATA(0) | E_RW },
	{ TABLE(0) + 8 * 2, 8, true, DATA(1) | E_RO },
	{ TABLE(4) + 8 * 1, 8, true, DATA(2) | E_RW },
	{ TABLE(4) + 8 * 2, 8, true, DATA(3) | E_SRW },
	{ TABLE(1) + 8 * 0, 8, false, TABLE(0) | E_RW },
	{ TABLE(3) + 8 * 0, 8, false, TABLE(0) | E_RO },
	{ ROOT_PD(0) + 4 * 0x100, 4, false, TABLE(0) | E_RW },
	{ ROOT_PD(0) + 4 * 0x200, 4, false, TABLE(4) | E_RO },
};

static u64 random_entry(struct mixed *m, const struct edited *e)
{
	u64 r = mixed_random(m);
	u64 target = e->pt ? DATA(r & 7) : r & 1 ? TABLE(0) : TABLE(4);
	u64 bits = E_RW;

	r >>= 8;
	/* Mostly present, often with all rights: else there is little to see. */
	if (!(r & 7))
		bits &= ~PTE_P;
	if ((r >> 3 & 3) == 0)
		bits &= ~PTE_W;
	if ((r >> 5 & 3) == 0)
		bits &= ~PTE_U;
	if ((r >> 7 & 3) == 0)
		bits &= ~(PTE_A | (e->pt ? PTE_D : 0));
	if (e->size == 8 && (r >> 9 & 3) == 0)
		bits |= PTE_NX;
	return target | bits;
}

static void add_edit(struct mixed *m, const struct mixed_scenario *scenario)
{
	const struct edited *e = &edited[mixed_random(m) % ARRAY_SIZE(edited)];
	u8 seat = mixed_random(m) % MAX_SEATS;
	const gva_t *gva;

	add((struct mixed_step){ MIXED_SET, seat, e->size, e->gpa, random_entry(m, e) });
	add((struct mixed_step)TOUCH(EVERYONE));
	/* INVLPG drops what leads to the address on all levels, so any edit may use it. */
	if (mixed_random(m) & 1) {
		add((struct mixed_step)FLUSH(EVERYONE));
	} else {
		for (gva = scenario->gvas; *gva; gva++)
			add((struct mixed_step)INVLPG(EVERYONE, *gva));
	}
	add((struct mixed_step)LOOK(EVERYONE));
}

void mixed_random_edits(struct shared_tables *shared, const struct mixed_scenario *scenario,
			const struct mixed_choice *choice)
{
	static const struct mixed_step start[] = {
		MAP_PD,
		PUT8(ROOT_PAE(0), 2, TABLE(3) | E_PAE),
		PUT8(ROOT_PDPT(0), 2, TABLE(3) | E_RO),
	};
	struct mixed_scenario program = *scenario;
	struct mixed m = { .random = choice->seed };
	u32 i;

	nr_steps = 0;
	for (i = 0; i < ARRAY_SIZE(start); i++)
		add(start[i]);
	for (i = 0; i < ARRAY_SIZE(edited); i++)
		add((struct mixed_step){ MIXED_PUT, 0, edited[i].size, edited[i].gpa,
					 edited[i].first });
	add((struct mixed_step)LOOK(EVERYONE));
	for (i = 0; i < scenario->rounds && nr_steps < MAX_STEPS - STEPS_PER_EDIT; i++)
		add_edit(&m, scenario);
	program.steps = steps;
	program.nr_steps = nr_steps;
	program.rounds = 1;
	mixed_run(shared, &program, choice);
}
