/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to the nested walk: one walk of the nested tables, and how it ends. */
#ifndef KMC_NESTED_TRANSLATE_H
#define KMC_NESTED_TRANSLATE_H

#include "nested.h"

struct nested_walk {
	const struct cpu_facts *cpu;
	const struct nested_l2 *l2;
	const struct nested_tables *tables;
	const struct phys_memory *memory;
	const struct walk_access *access;
	struct nested_result *result;
	/* L2's memory, as far as it was needed: one entry each, and the rights it is under. */
	struct phys_range entry[MAX_LEVELS];
	u64 entry_rights[MAX_LEVELS];
	unsigned int nr_entries;
};

/* One access to an L2-physical address. */
struct nested_lookup {
	gpa_t gpa;
	u8 for_level; /* of L2's entry; 0: the final address */
	bool read, write, fetch;
	bool user_page;  /* of a final address: it is user-mode (SDM 3A 4.6.1) */
	bool pdpte_load; /* by MOV to CR: there is no linear address */
	bool ad_update;  /* a write that sets A or D in L2's entry */
};

struct nested_translation {
	gpa_t gpa; /* L1-physical */
	u64 page_size;
	u64 rights; /* EPT: EPT_RWX and EPT_XU; NPT: PTE_W, PTE_U, and PTE_NX inverted */
	struct nested_exit exit;
};

enum nested_lookup_end { LOOKUP_OK, LOOKUP_EXIT, LOOKUP_NO_MEMORY };

/* The entries read go to result->step[], with what the walk sets in them. */
enum nested_lookup_end nested_translate(const struct nested_walk *w, const struct nested_lookup *l,
					struct nested_translation *t);

/* Fills *exit; rights: of the entries used, ANDed.  Returns LOOKUP_EXIT. */
enum nested_lookup_end nested_ept_violation(const struct nested_walk *w,
					    const struct nested_lookup *l, enum rule rule,
					    u64 rights, struct nested_exit *exit);

#endif
