/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * L2 under extended page tables of every kind: cases, the tables they need, and their runs.
 *
 * EPT is variant-dense, as L2's own tables are in guest.h: one page per level holds every
 * entry variant of that level, each leads to the same page of the next one, so an
 * L2-physical address is a choice of one variant per level.  L1's memory has few pages behind
 * all those addresses, the targets: the data page, and one table of L2's per level, so that
 * the nested entries under test lie beneath L2's data or beneath L2's own tables.
 *
 * A case is an L2 state, one access, the entries of L2's that vary, and the EPT entries.  Its
 * id continues that of case.h:
 *
 *   4level/wp,nx/cpl0/write/4=p,w,u,a,d/3=p,w,u,a,d,ps/ept4-ad/data/4=r,w,x,a/3=.../2=.../1=...
 *   4level/wp,nx/cpl3/read/2=p,w,u/ept4/table2/4=...
 *
 * state / who / access / L2's entries that vary / levels of EPT, "-ad" with EPTP bit 6 / what
 * lies beneath: "data", or L2's table of that level / the EPT entry of each level.
 *
 * How the access is made (enum nested_how) is not in it: --engine.
 *
 * Besides: "eptp/mt=3" (an EPTP at VM entry), "eptp/pdptes-of-vmcs", "eptp-switch/from/to-ad", and
 * "invept/to-not-present/single" (a change of an entry, and the INVEPT after it).
 *
 * Expected is what nested_walk() (nested.h) says; observed is what L2's access came to, or
 * what L1 was told about the exit.
 */
#ifndef KMC_L2_EPT_H
#define KMC_L2_EPT_H

#include "case.h"
#include "l1.h"
#include "nested.h"
#include "nested_case.h"
#include "nested_variant.h"
#include "report.h"

#define MAX_L2_VARIANTS 12
/* What lies at the address under test: 0, the data page; n, L2's table of level n. */
#define MAX_L2_TABLE 3
#define NR_L2_TARGETS (MAX_L2_TABLE + 1)

/* Entries of L2's that vary: the data page's leaf and the one above it, or a table's entry. */
struct l2_variant {
	u64 top, leaf;
};

struct ept_choice {
	u16 variant[MAX_LEVELS + 1];
};

struct ept_case {
	struct mmu_state state;
	struct actor actor;
	enum agent_access access;
	struct l2_variant l2;
	u8 levels; /* of EPT */
	bool ad;   /* EPTP bit 6 */
	u8 target;
	u64 ept[MAX_LEVELS + 1];
};

#define EPT_CASE_ID_LEN 640
void ept_case_id(const struct ept_case *c, char id[EPT_CASE_ID_LEN]);
/* Returns NULL, or one line that says what is wrong. */
const char *ept_case_parse(const char *id, struct ept_case *c);

/* Levels whose L2 entries vary: *leaf, and *top above it or 0; both 0 without paging. */
void l2_varied_levels(const struct mmu_state *state, u8 target, int *top, int *leaf);
/* Is there such a table in this mode, and can one be tried here? */
bool l2_has_target(const struct mmu_state *state, u8 target);

/* The EPT pages of one target. */
struct ept_dense {
	gpa_t target;             /* what every variant of level 1 leads to */
	gpa_t page[4];            /* by level; 1 to 3 */
	gpa_t root[MAX_VARIANTS]; /* PML4 page by variant of level 4 */
	gpa_t root5;              /* above root[0], where 5 levels are offered */
};

/* L2's tables for a mode and a target. */
struct l2_tables {
	bool made;
	struct l2_variant variant[MAX_L2_VARIANTS];
	u8 nr_variants;
	gpa_t cr3[MAX_L2_VARIANTS];
	u64 pdptr[MAX_L2_VARIANTS][4];
};

struct l2_ept {
	struct guest *guest;
	struct vm *other; /* with the same memory, for NESTED_BY_MOVED; once there is one */
	struct ept_caps caps;
	struct variant_list variants[MAX_LEVELS + 1];
	bool high; /* there are L2-physical addresses with bit 39 set */
	struct ept_dense dense[NR_L2_TARGETS];
	struct l2_tables l2[NR_STATE_MODES][NR_L2_TARGETS];
	struct ept_choice *single; /* what L2's tables are placed at: one variant each */
	u32 nr_singles;
	gpa_t first; /* of the pages that are its own, up to guest->l1->next_nested */
	u8 *image;   /* of those pages, as the host wrote them */
	struct phys_range range[NR_TABLE_AREAS + 1];
	struct phys_memory memory;
};

/* Skips where there is no L1 with extended page tables. */
void l2_ept_require(struct guest *guest);
/* All tables, behind l2_ept_require(). */
struct l2_ept *l2_ept_create(struct guest *guest);
void l2_ept_free(struct l2_ept *e);
/* Nested tables with this root; ad: EPTP bit 6. */
struct nested_tables l2_ept_tables(const struct l2_ept *e, u8 target, u16 top_variant, u8 levels,
				   bool ad);
/* Is there a choice of such entries for this state? *gpa: the address that is the choice. */
bool l2_ept_gpa(const struct l2_ept *e, const struct mmu_state *state, u8 target,
		const struct ept_choice *choice, gpa_t *gpa);
/* Linear address of an access; single: the number of the choice among e->single, for tables. */
gva_t l2_ept_gva(const struct l2_ept *e, const struct mmu_state *state, u8 target, u8 l2_variant,
		 gpa_t gpa, u32 single, u32 offset);
/* L1-physical address behind an L2-physical one that L2's tables hold. */
gpa_t l2_ept_behind(const struct l2_ept *e, u8 target, gpa_t gpa);

/* Accesses of an L2 in this state to a target. */
struct l2_ept_plan {
	enum nested_how how;
	const struct mmu_state *state;
	u8 target, levels;
	bool ad;  /* EPTP bit 6 */
	bool all; /* every variant; else a few, for the states beside the first */
};

/* All of them, and what differs is reported. */
void l2_ept_run(struct l2_ept *e, const struct l2_ept_plan *plan);
/* Accessed and dirty bits, in both sets of tables: one access at a time, tables restored. */
void l2_ept_run_careful(struct l2_ept *e, const struct l2_ept_plan *plan);
/* --case: KSFT_* */
int l2_ept_replay(const struct test_options *options);

/* EPTPs that VM entry must refuse, and those that it must take; PDPTEs of the VMCS. */
void l2_ept_run_roots(struct l2_ept *e);
/* What may still be used before INVEPT and must not be used after it; switches of EPTP. */
void l2_ept_run_invept(struct l2_ept *e);
/*
 * Long sequences of edits, INVEPT, switches of EPTP and accesses; id: "tour/NUMBER"; by --case
 * alone "tour/no-right", for which KVM has a WARN.
 */
void l2_ept_run_tour(struct l2_ept *e);

/* What an access came to. */
struct ept_seen {
	struct agent_result result;
	struct l1_exit exit; /* with STATUS_L2_EXIT */
};

#define EPT_TEXT_LEN 200
/* One batch of accesses by L2: as L1 is set up, to addresses; results and exits into seen. */
void l2_ept_batch(struct l2_ept *e, enum nested_how how, const struct agent_batch *like,
		  const gva_t *gvas, u32 nr, struct ept_seen *seen);
bool ept_outcome_matches(const struct agent_batch *batch, gva_t gva,
			 const struct nested_result *expected, const struct ept_seen *seen);
void ept_expected_text(const struct nested_result *expected, char text[EPT_TEXT_LEN]);
void ept_seen_text(const struct guest *guest, const struct agent_batch *batch, gva_t gva,
		   const struct ept_seen *seen, char text[EPT_TEXT_LEN]);

#endif
