// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code in front of pages (lib/guest/front.c): for every case of PLAN_FRONT the model says that
 * the actor may execute the page before the tested one, in every state of the mode; and each
 * variant of each level has such a case, as far as its table has room.  Skipped where there is
 * no KVM, which the tables' guest needs.
 */
#include <stdio.h>

#include "case.h"
#include "plan.h"
#include "test_assert.h"

static struct guest *guest;

/* May the actor of these tables fetch from the byte in front of the page? */
static void check_front(const struct mmu_state *state, const u16 choice[MAX_LEVELS + 1])
{
	const struct walk_regs regs = guest_walk_regs(guest, state);
	const struct walk_access access = {
		.gva = guest_gva(guest, state_area(state), choice, 0) - 1,
		.kind = ACCESS_FETCH,
		.cpl = guest->front == FRONT_USER ? 3 : 0,
	};
	struct walk_result r;

	walk(&guest->cpu, &regs, &guest->memory, &access, &r);
	TEST_ASSERT(r.outcome == WALK_OK && (r.gpa & 0xfff) == 0xfff,
		    "no code can run at %#llx", (unsigned long long)access.gva);
}

static void check_state(const struct mmu_state *state)
{
	const struct table_image *t = &guest->area[state_area(state)];
	struct plan plan;
	u32 i;

	plan_make(&plan, PLAN_FRONT, t->shape.mode, t->variants);
	TEST_ASSERT(plan.nr, "no case at all");
	for (i = 0; i < plan.nr; i++)
		check_front(state, plan.choice[i]);
	plan_free(&plan);
}

/* Each variant of the suite's usual lists has a slot behind one that can be executed. */
static void check_lists(enum table_area area)
{
	const struct table_image *t = &guest->area[area];
	struct variant_list usual;
	int level, i, slot;

	for (level = 1; level <= paging_formats[t->shape.mode].levels; level++) {
		if (paging_formats[t->shape.mode].level[level].register_entry ||
		    variant_max(&t->shape, level) < MAX_VARIANTS - 2)
			continue;
		variants_of(&t->shape, level, &guest->cpu, &usual);
		for (i = 0; i < usual.nr; i++) {
			for (slot = 2; slot < t->variants[level].nr; slot += 2)
				if (t->variants[level].bits[slot] == usual.bits[i])
					break;
			TEST_ASSERT(slot < t->variants[level].nr, "area %d level %d: no slot for %#llx",
				    area, level, (unsigned long long)usual.bits[i]);
		}
	}
}

static void run(enum page_front front)
{
	struct mmu_state state;
	unsigned int i;
	int mode;

	guest = guest_create_front(front, NULL);
	for (i = 0; i < NR_TABLE_AREAS; i++)
		check_lists(i);
	for (mode = 0; mode < NR_STATE_MODES; mode++)
		for (i = 0; state_modes[mode].paging != PAGING_NONE && state_nth(mode, i, &state); i++)
			check_state(&state);
	guest_free(guest);
}

int main(void)
{
	static const char *const names[] = { "supervisor's pages in front", "user pages in front" };
	volatile int i, failed = 0;

	printf("KTAP version 1\n1..2\n");
	for (i = 0; i < 2; i++) {
		struct test_scope scope;

		switch (setjmp(*test_scope_enter(&scope))) {
		case 0:
			run(i ? FRONT_USER : FRONT_SUPERVISOR);
			printf("ok %d %s\n", i + 1, names[i]);
			break;
		case TEST_END_SKIP:
			printf("ok %d %s # SKIP %s\n", i + 1, names[i], scope.message);
			break;
		default:
			printf("# %s\nnot ok %d %s\n", scope.message, i + 1, names[i]);
			failed = 1;
			break;
		}
		test_scope_leave(&scope);
	}
	return failed ? KSFT_FAIL : KSFT_PASS;
}
