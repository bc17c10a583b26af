// SPDX-License-Identifier: GPL-2.0-only
/* Steps that nobody wrote, made along the model so that none runs what is no code. */
#include <stdlib.h>

#include "td_cases.h"
#include "test_assert.h"

#define NR_STEPS 1500
#define NR_HOT 6 /* pages that most steps meet */

u64 td_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static gpa_t random_page(u64 *state)
{
	static const u32 hot[NR_HOT] = { 0, 1, 511, 512, 777, 1023 };
	const u64 r = td_random(state);

	return TD_TEST_GPA +
	       TD_PAGE_SIZE * (r % 8 ? hot[(r >> 8) % NR_HOT] : (r >> 8) % TD_TEST_PAGES);
}

static struct td_step random_access(const struct td_memory *m, u64 *state)
{
	static const enum td_op ops[] = { TD_READ,  TD_WRITE,    TD_READ,     TD_WRITE,
					  TD_FETCH, TD_VMM_READ, TD_VMM_WRITE };
	const u64 r = td_random(state);
	struct td_step step = { .op = ops[r % ARRAY_SIZE(ops)] };
	const struct td_page *page;
	const u32 word = (r >> 8) % TD_WORDS;

	step.gpa = random_page(state);
	page = td_memory_page(m, step.gpa);
	step.value = r >> 16 & 1 ? TD_CODE(r >> 32) : td_random(state);
	/* Mostly to the side that the page is on. */
	if ((page->state == TD_PAGE_SHARED) != !(r >> 20 & 7))
		step.gpa = tdx_gpa_to_shared(m->gpaw, step.gpa);
	if ((step.op == TD_VMM_READ || step.op == TD_VMM_WRITE)) {
		if (page->state != TD_PAGE_SHARED)
			step.op = TD_READ;
		else
			step.gpa = tdx_gpa_to_shared(m->gpaw, step.gpa);
	}
	if (step.op == TD_FETCH && page->state == TD_PAGE_PRIVATE &&
	    !td_is_code(page->word[0][word]))
		step.op = TD_WRITE;
	step.gpa += word * TD_WORD_STRIDE;
	return step;
}

/* A range that begins at a page and may reach over a 2-MByte bound or behind all memory. */
static struct td_step random_map(const struct td_memory *m, u64 *state)
{
	const u64 r = td_random(state);
	struct td_step step = { .op = TD_MAP_GPA, .gpa = random_page(state) };

	step.size = (r & 3 ? 1 + (r >> 8) % 4 : 1 + (r >> 8) % TD_TEST_PAGES) * TD_PAGE_SIZE;
	if (r >> 4 & 1)
		step.gpa = tdx_gpa_to_shared(m->gpaw, step.gpa);
	return step;
}

u32 td_random_steps(const struct td_layout *layout, u64 seed, u32 nr, struct td_step *steps)
{
	struct td_page *pages = calloc(TD_TEST_PAGES, sizeof(*pages));
	u64 state = (seed + nr) * 0x9e3779b97f4a7c15ull | 1;
	struct td_memory m;
	u32 i, kind;

	TEST_ASSERT(pages, "out of memory");
	td_memory_init(&m, layout->gpaw, TD_TEST_GPA, pages, TD_TEST_PAGES);
	for (i = 0; i < NR_STEPS; i++) {
		kind = td_random(&state) % 16;
		if (kind < 4) {
			steps[i] = random_map(&m, &state);
		} else if (kind < 7) {
			steps[i] =
				(struct td_step){ TD_ACCEPT, random_page(&state), TD_PAGE_SIZE, 0 };
		} else if (kind == 7 && i + 1 < NR_STEPS) {
			steps[i] = (struct td_step){ .op = TD_RETRY_AT, .size = 0 };
			td_memory_step(&m, &steps[i++]);
			steps[i] = random_map(&m, &state);
		} else {
			steps[i] = random_access(&m, &state);
		}
		td_memory_step(&m, &steps[i]);
	}
	free(pages);
	return NR_STEPS;
}
