/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases of nested paging: L1's registers, L2's registers, one access of L2, and the entries
 * of the nested tables that lead to what it needs.
 *
 *   4level/wp,nx/over/pae/nx/cpl0/read/page/4=p,w,u,a,d/3=p,w,u,a,d/2=p,u,a,d/1=p,w,u,a,d
 *
 * L1's state / over / L2's state / who / access / what lies behind these nested entries: the
 * page that L2 accesses, or the page table that maps it (table) / entry of each level.
 *
 * As everywhere, tables are variant-dense: one page per level holds every variant, and each
 * leads to the same page of the next level.  MAXPHYADDR leaves room for one slot of the top
 * level only, and an entry of that level is in front of all of L2's memory: each variant
 * there has a root of its own.  L2's own entries have all rights.
 */
#ifndef KMC_NESTED_CASE_H
#define KMC_NESTED_CASE_H

#include "case.h"
#include "nested.h"
#include "nested_variant.h"
#include "report.h"

/* How the access is made; an engine's name, as --engine has it. */
enum nested_how {
	NESTED_BY_L2,     /* "l2-tdp": L2's CPU */
	NESTED_BY_MOVED,  /* "l2-moved": the same, in a VM that the vCPU was moved to while in L2 */
	NESTED_BY_FORCED, /* "l2-forced", "l2-string": KVM's emulator, for L2 */
	NESTED_BY_STRING,
	NR_NESTED_HOWS,
};

extern const char *const nested_how_names[NR_NESTED_HOWS];
/* All of them: test_about.engines. */
#define NESTED_HOWS "l2-tdp, l2-moved, l2-forced, l2-string"

/* The engine whose accesses they are, but for L2. */
struct engine;
const struct engine *nested_how_engine(enum nested_how how);
/* By name, or NESTED_BY_L2. */
enum nested_how nested_how_find(const char *name);

struct nested_case {
	struct mmu_state l1, l2;
	enum nested_how how;
	struct actor actor;
	enum agent_access access;
	bool table; /* the entries lead to a table of L2's */
	u64 entry[MAX_LEVELS + 1];
};

#define NESTED_CASE_ID_LEN (CASE_ID_LEN + STATE_NAME_LEN)
void nested_case_id(const struct nested_case *c, char id[NESTED_CASE_ID_LEN]);
/* Returns NULL, or one line that says what is wrong. */
const char *nested_case_parse(const char *id, struct nested_case *c);

/* What L1 in this state makes of nested tables; root is the caller's. */
struct nested_tables nested_tables_of(const struct mmu_state *l1, u64 root);

/* Highest level whose entries are varied: not a PML5E, which all of L2's memory is behind. */
int nested_top_level(const struct mmu_state *l1);

/* NULL, or why this access cannot be made so, here. */
const char *nested_how_unsupported(struct guest *guest, const struct nested_case *like);

/* The guest, its nested tables, and the memory that the model walks. */
struct nested_rig;
struct nested_rig *nested_rig_create(void);
void nested_rig_free(struct nested_rig *rig);
struct guest *nested_rig_guest(struct nested_rig *rig);
/* Another VM's vCPU, with the same memory, for NESTED_BY_MOVED. */
struct vcpu *nested_rig_other(struct nested_rig *rig);
/* Skips what cannot be run here: nested NPT, an L1 and, unless it is NULL, an L2 in this state. */
void nested_rig_require(struct nested_rig *rig, const struct mmu_state *l1,
			const struct mmu_state *l2);
/* What is tried at a level. */
const struct variant_list *nested_rig_variants(struct nested_rig *rig, const struct mmu_state *l1,
					       int level);

/* A choice of variants: index by level, 0 is full. */
struct nested_choice {
	u16 variant[MAX_LEVELS + 1];
};

/*
 * Makes accesses of one kind through each of these choices, and reports those that end
 * otherwise than the model says.  like: all but the entries.  What L2 cannot address and
 * what leads to nothing known is left out.  Returns how many were made.
 */
u64 nested_cases_run(struct nested_rig *rig, const struct nested_case *like,
		     const struct nested_choice *choices, u32 nr);
/*
 * A and D in nested tables after accesses with this result, and after all that went before.
 * First note those of a batch; known: the access ended so, and its bits are known.
 */
void nested_rig_note_ad(struct nested_rig *rig, const struct nested_result *result, bool known);
/* NULL, or an entry of this walk with other bits, which then are taken as they are. */
const struct nested_step *nested_rig_wrong_ad(struct nested_rig *rig,
					      const struct nested_result *result, u8 *expected,
					      u8 *observed);

/*
 * nCR3 of an L1, legal ones and not: "ncr3/pae/wp,nx/at=0xfe8", "ncr3/4level/wp/b52" (a bit set),
 * "ncr3/4level/wp/nowhere" (outside memory; by --case alone, as a host's kernel may WARN).
 */
#define NESTED_ROOT_PREFIX "ncr3/"
void nested_roots_run(struct nested_rig *rig, const struct mmu_state *l1);
/* --case ncr3/...: an exit code. */
int nested_root_replay(const char *id);

/* --case: an exit code. */
int nested_case_replay(const struct test_options *options);

/* For nested_case.c: tables of one side for one L1 mode. */
#define NESTED_MAX_CASES 1024
u64 nested_rig_root(struct nested_rig *rig, const struct mmu_state *l1, bool table, u16 top);
/* L2-physical address of a choice, or 0 if this L2 cannot reach it. */
gpa_t nested_rig_gpa(const struct nested_case *like, const struct nested_choice *choice);
/* L2's own entries to that address; returns L2's linear address of case i, without offset. */
gva_t nested_rig_map(struct nested_rig *rig, const struct nested_case *like, u32 i, gpa_t gpa);
/* Copies what the host wrote, to the guest and to what the model walks. */
void nested_rig_copy(struct nested_rig *rig, gpa_t to, gpa_t from, u32 bytes);
const struct phys_memory *nested_rig_memory(const struct nested_rig *rig);

/* "npf(p,w,final) gpa=0x1000", of EXITINFO1 and EXITINFO2 (APM2 15.25.6); text: OUTCOME_TEXT_LEN. */
void npf_text(u64 info, gpa_t gpa, char *text);

#endif
