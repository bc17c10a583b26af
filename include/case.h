/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A case: a register state, page-table entries and one access.
 *
 * Its id is readable, stable and enough to replay it alone:
 *
 *   4level/wp,nx/cpl0-ac/write/4=p,w,u,a,d/3=p,w,u,a,d/2=p,w,u,a,d/1=p,u,a,d
 *
 * mode / control bits / who (cpl0, cpl3, with -ac for EFLAGS.AC=1) / access (read,
 * write, fetch, ldt = implicit descriptor-table read) / the entry of each level,
 * top level first.  With paging off there are no entries.  In front stands what the CPU
 * is not offered, if anything: see include/cpu_offer.h.
 */
#ifndef KMC_CASE_H
#define KMC_CASE_H

#include "guest.h"
#include "walk.h"

struct test_case {
	struct mmu_state state;
	struct actor actor;
	enum agent_access access;
	u64 entry[MAX_LEVELS + 1]; /* variant bits by level */
};

#define CASE_ID_LEN 640

/* Everyone who makes accesses: both privilege levels, EFLAGS.AC clear and set. */
#define NR_ACTORS 4
extern const struct actor all_actors[NR_ACTORS];

/* "cpl0-ac" */
const char *actor_name(const struct actor *actor);

void case_id(const struct test_case *c, char id[CASE_ID_LEN]);
/* Returns NULL, or one line that says what is wrong. */
const char *case_parse(const char *id, struct test_case *c);

/* The access as the walkers take it. */
struct walk_access case_access(const struct test_case *c, gva_t gva);

#endif
