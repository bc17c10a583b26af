// SPDX-License-Identifier: GPL-2.0-only
/* See lib/engine/io_answers.h. */
#include <string.h>

#include "case.h"
#include "io_answers.h"

#define NR_RECENT 8

static gpa_t recent[NR_RECENT];
static u32 nr_recent;

/* The store under way: nobody has looked where it went. */
static bool pending;
static u32 pending_case, pending_word;
static u32 tags[AGENT_MAX_CASES];

/* Where the model expects the case to end. */
static bool likely_page(const struct guest *guest, const struct agent_batch *batch, u32 i,
			gpa_t *gpa)
{
	const struct test_case tc = { batch->state, batch->actor, batch->access, { 0 } };
	const struct walk_regs regs = guest_walk_regs(guest, &batch->state);
	const struct walk_access access = case_access(&tc, batch->gvas[i]);
	struct walk_result expected;

	walk(&guest->cpu, &regs, &guest->memory, &access, &expected);
	*gpa = expected.gpa & ~0xfffull;
	return expected.outcome == WALK_OK;
}

bool page_candidate(const struct guest *guest, const struct agent_batch *batch, u32 i, u32 n,
		    gpa_t *gpa)
{
	if (!n && likely_page(guest, batch, i, gpa))
		return true;
	n -= n > 0;
	if (n < nr_recent)
		*gpa = recent[n];
	else if (n - nr_recent < guest->nr_frames)
		*gpa = guest->frame[n - nr_recent];
	else
		return false;
	return true;
}

void page_found(gpa_t gpa)
{
	u32 i;

	for (i = 0; i < nr_recent && recent[i] != gpa; i++)
		;
	if (i == nr_recent && nr_recent < NR_RECENT)
		nr_recent++;
	if (i == NR_RECENT)
		i--;
	memmove(recent + 1, recent, i * sizeof(*recent));
	recent[0] = gpa;
}

/* The page becomes what a native batch leaves behind, for those who check what it holds. */
static u32 find_store(struct guest *guest, const struct agent_batch *batch)
{
	u32 n, found, stored = agent_stored_word(batch, pending_case);
	gpa_t gpa;

	for (n = 0; page_candidate(guest, batch, pending_case, n, &gpa); n++) {
		u8 *page = vm_gpa2hva(guest->vm, gpa);

		if (!page)
			continue;
		memcpy(&found, page + DATA_WRITE_OFFSET, sizeof(found));
		if (found != pending_word)
			continue;
		memcpy(page + DATA_WRITE_OFFSET, &stored, sizeof(stored));
		page_found(gpa);
		return guest_page_tag(gpa);
	}
	return 0;
}

static void resolve(struct guest *guest, const struct agent_batch *batch,
		    const struct agent_result *results)
{
	if (pending && agent_result_status(&results[pending_case]) == STATUS_DONE)
		tags[pending_case] = find_store(guest, batch);
	pending = false;
}

void stores_begin(void)
{
	memset(tags, 0, sizeof(tags));
	pending = false;
}

u32 stores_word(struct guest *guest, const struct agent_batch *batch, u32 i)
{
	static u32 count;

	resolve(guest, batch, vm_gpa2hva(guest->vm, AGENT_RESULTS));
	pending = true;
	pending_case = i;
	/* No result's address, as native stores leave. */
	pending_word = 0x40000000 + (count++ & 0x3fffffff);
	return pending_word;
}

void stores_settle(struct guest *guest, const struct agent_batch *batch,
		   struct agent_result *results, u32 first, u32 end)
{
	u32 i;

	resolve(guest, batch, results);
	for (i = first; i < end; i++)
		if (agent_result_status(&results[i]) == STATUS_DONE)
			results[i].value = tags[i];
}
