/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of nested_edit.h share: tables, and what is under way. */
#ifndef KMC_NESTED_EDIT_INTERNAL_H
#define KMC_NESTED_EDIT_INTERNAL_H

#include "nested_case.h"
#include "nested_edit.h"
#include "script.h"

extern const char *const nested_edit_content_names[];

/*
 * In L2-physical memory, where the identity map has nothing: behind the entries.  Of a large page it
 * is not the first one.
 */
#define WINDOW 0xc0003000ull
#define NR_ROOTS 2
#define MAX_LEVEL 3
#define MAX_TABLES 64

/* What an entry is. */
enum content {
	FULL, NOT_PRESENT, READ_ONLY, SUPERVISOR, NO_EXECUTE, RESERVED, FRESH, MOVED, LARGE,
	NR_CONTENTS,
};

/*
 * Tables for one mode of L1's: roots that share what is below.  table[level] has the entry, at
 * the window; its alternative is where a moved entry of the level above leads.
 */
struct mode_tables {
	bool ready;
	gpa_t root[NR_ROOTS];
	gpa_t table[NR_ROOTS][MAX_LEVEL + 1]; /* the same but for the top one, see top */
	gpa_t other[MAX_LEVEL + 1];           /* tables of lower levels that a moved entry leads to */
	int top;                              /* highest level that is edited */
};

struct nested_edits {
	struct nested_rig *rig;
	struct guest *guest;
	struct mode_tables mode[NR_STATE_MODES];
	u32 nr_tables;        /* in use at SCRIPT_TABLES */
	u8 image[MAX_TABLES][0x1000]; /* of these, what should be there... */
	u8 may[MAX_TABLES][0x1000];   /* ...and A and D bits that may, too */
	struct phys_range range[2];
	struct phys_memory memory;    /* what the model walks */
	u32 asid;             /* the last one used */
	u32 nr_asids;
	bool forced;
};

/* A subtest, or a replay. */
struct stage {
	struct nested_edits *e;
	const struct mmu_state *l1, *l2;
	enum nested_edit_flush flush;
	struct mode_tables *t;
	struct nested_tables tables;
	gva_t gva;
	bool entered;         /* L2 has run */
	int level;            /* whose entry is edited */
	enum content from, to;
	bool failed, print;
};

/* The tables for L1's mode, once. */
void nested_edit_make_tables(struct stage *stage);
/* What an entry's content is; the second root has its own at the top. */
u64 nested_edit_content(const struct stage *stage, int level, enum content what, bool second_root);
/* Not all contents say something at each level. */
bool nested_edit_can_be(const struct stage *stage, int level, enum content what);
/* The entry of a level in the table that a root has there. */
gpa_t nested_edit_entry(const struct stage *stage, int level, int root);

/* In nested_edit.c */
#define EDIT_ID_LEN (2 * STATE_NAME_LEN + 96)
#define NR_NATIVE_PROBES 3 /* read, fetch, write */
void nested_edit_id(const struct stage *stage, int root, int probe, char id[EDIT_ID_LEN]);
struct stage nested_edit_stage(struct nested_edits *edits, const struct mmu_state *l1,
			       const struct mmu_state *l2, enum nested_edit_flush flush);
void nested_edit_enter_l1(struct stage *stage);
/* False if L1 did not get to its end. */
bool nested_edit_step(struct stage *stage, enum content from, enum content to);

#endif
