/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Non-canonical addresses with literal answers, from the manuals by hand (SDM vol. 1 3.3.7.1,
 * 3A 4.5.2 and 6.15; APM2 5.3.1, 8.2.13).  "ok" is anything that the walk says further on.
 */
#ifndef KMC_GOLDEN_CANONICAL_H
#define KMC_GOLDEN_CANONICAL_H

#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "x86.h"

static const struct golden_canonical {
	const char *state;
	bool stack;
	u8 size;
	gva_t gva;
	const char *expected;
} golden_canonical[] = {
	{ "4level/-", false, 1, 0x00007fffffffffff, "walks" },
	{ "4level/-", false, 1, 0x0000800000000000, "#GP(0)" },
	{ "4level/-", false, 1, 0xffff7fffffffffff, "#GP(0)" },
	{ "4level/-", false, 1, 0xffff800000000000, "walks" },
	{ "4level/-", false, 4, 0x00007ffffffffffc, "walks" },
	{ "4level/-", false, 4, 0x00007ffffffffffd, "#GP(0)" },
	{ "4level/-", true, 8, 0x00007ffffffffff8, "walks" },
	{ "4level/-", true, 8, 0x00007ffffffffff9, "#SS(0)" },
	{ "4level/-", true, 1, 0x8000000000000000, "#SS(0)" },
	{ "4level/-", false, 1, 0x0080000000000000, "#GP(0)" },
	{ "5level/-", false, 1, 0x0000800000000000, "walks" },
	{ "5level/-", false, 1, 0x00ffffffffffffff, "walks" },
	{ "5level/-", false, 1, 0x0100000000000000, "#GP(0)" },
	{ "5level/-", true, 1, 0xfeffffffffffffff, "#SS(0)" },
	{ "5level/-", false, 1, 0xff00000000000000, "walks" },
	/* Outside 64-bit code the upper half does not count. */
	{ "compat4/-", false, 1, 0x0000800000000000, "walks" },
	{ "2level/-", true, 1, 0x8000000000000000, "walks" },
};

static void golden_canonical_answer(const struct golden_canonical *g, char text[OUTCOME_TEXT_LEN])
{
	const struct walk_access access = { .gva = g->gva, .stack = g->stack, .size = g->size };
	struct guest *guest = guest_create_model(&golden_intel);
	struct walk_result result;
	struct mmu_state state;
	const char *error = state_parse(g->state, strlen(g->state), &state);
	struct walk_regs regs;

	TEST_ASSERT(!error, "%s: %s", g->state, error);
	regs = guest_walk_regs(guest, &state);
	walk(&golden_intel, &regs, &guest->memory, &access, &result);
	if (result.outcome == WALK_FAULT && result.vector != PF_VECTOR)
		walk_result_text(&result, text);
	else
		strcpy(text, "walks");
	guest_free(guest);
}

#endif
