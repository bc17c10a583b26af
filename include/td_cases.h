/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases of a TD's memory: stories of steps, each a TD of its own, compared step by step with the
 * model (td_memory.h).  A case is one step in its place; its id is PART/STORY/STEP,
 *
 *   emulated-td/gpaw52/4level/4k/there-and-back/7
 *
 * kind of TD / GPAW / levels and page size of its own tables / story / step, from 0.  To replay it
 * all steps before it are made, too.
 */
#ifndef KMC_TD_CASES_H
#define KMC_TD_CASES_H

#include "td_guest.h"

/* Stands for as many address bits as the host can do where 48 are too many; no TD's width. */
#define TD_GPAW_NARROW 1

struct td_part {
	enum td_kind kind;
	unsigned int gpaw; /* 52, 48 or TD_GPAW_NARROW */
	u8 levels;
	bool large;
	char name[48];
};

struct td_choice {
	u64 seed;         /* of the story "random" and of "threads" */
	const char *only; /* NULL, or the id of the one case that counts and is told in full */
};

#define TD_NR_PARTS (NR_TD_KINDS * 3 * 2 * 2)
/* All parts there are. */
u32 td_parts(struct td_part parts[TD_NR_PARTS]);

/* Is there a case with this id in a part?  Of "threads", any step. */
bool td_case_exists(const struct td_part *part, const char *id);
/* From within a subtest: all stories of a part.  Skips what the host cannot do. */
void td_cases_run(const struct td_part *part, const struct td_choice *choice);

/* The pieces. */
#define TD_MAX_STEPS 4096
struct td_story {
	const char *name;
	/*
	 * Writes steps for this layout; returns how many.  nr: which of the story's TDs, from
	 * first.
	 */
	u32 (*steps)(const struct td_layout *layout, u64 seed, u32 nr, struct td_step *steps);
	u32 nr_tds, first; /* each TD begins anew */
};
extern const struct td_story td_stories[];
extern const u32 nr_td_stories;

/* Three vCPUs that convert, accept and use the same pages at once.  Returns conversions. */
u64 td_threads(const struct td_part *part, const struct td_layout *layout,
	       const struct td_choice *choice);
/* xorshift64*; *state must not be 0. */
u64 td_random(u64 *state);
u32 td_random_steps(const struct td_layout *layout, u64 seed, u32 nr, struct td_step *steps);
/* One more failing case: PART/STORY/STEP. */
bool td_case_failed(const struct td_part *part, const char *story, u32 step, const char *rule,
		    const char *expected, const char *observed, const struct td_choice *choice);

#endif
