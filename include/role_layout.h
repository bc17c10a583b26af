/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Role words of a running kernel: where each field lies, and words to roles and back.
 *
 * The layout of union kvm_mmu_page_role differs between kernels and is taken from the
 * kernel's own type information (role_observer.h reads it); nothing is concluded from a
 * version number.  No I/O here: layouts and words may be made by hand.
 */
#ifndef KMC_ROLE_LAYOUT_H
#define KMC_ROLE_LAYOUT_H

#include "role.h"
#include "types.h"

/* A bit-field of the kernel's union, as its type information has it. */
struct role_member {
	char name[32];
	u8 offset, width; /* in bits, of the 32-bit word */
};

#define ROLE_MAX_MEMBERS 32

struct role_layout {
	enum role_rules rules;      /* which rule set computes words of this layout */
	u8 offset[NR_ROLE_FIELDS];
	u8 width[NR_ROLE_FIELDS];   /* 0: not in this kernel's role words */
	/* Members that the model has no field for. */
	struct role_member unknown[ROLE_MAX_MEMBERS];
	unsigned int nr_unknown;
};

/*
 * Maps members to fields.  The rule set follows from the layout: gpte_is_8_bytes is 2021's;
 * has_4_byte_gpte 6.1's or, with cr4_smep in the base role, 7's; the width of access and
 * whether smep_andnot_wp is there have to agree.  Returns NULL, or why no rule set fits:
 * then the layout is not to be used.
 */
const char *role_layout_init(struct role_layout *layout, const struct role_member *members,
			     unsigned int nr);

/* The word of a role; fields that this kernel lacks are left out. */
u32 role_word(const struct role_layout *layout, const struct mmu_role *role);
/* The role of a word; ext fields and such that this kernel lacks are 0. */
struct mmu_role role_from_word(const struct role_layout *layout, u32 word);

/* A field of the role that is not 0 and that this kernel's words cannot say; or NULL. */
const char *role_not_in_layout(const struct role_layout *layout, const struct mmu_role *role);

#define ROLE_TEXT_LEN 320
/*
 * "level=4 direct access=7 efer_nx": fields that are not 0, in the order of ROLE_FIELDS,
 * then members that the model does not know ("shiny=1?"), then bits of no member.
 */
void role_word_text(const struct role_layout *layout, u32 word, char text[ROLE_TEXT_LEN]);

/* The first field, or unknown member, in which two words differ; "reserved" for other bits; NULL: none. */
const char *role_word_differs(const struct role_layout *layout, u32 a, u32 b);
/* "efer_nx is 0, predicted 1; level is 2, predicted 3": every field that differs. */
void role_word_difference(const struct role_layout *layout, u32 seen, u32 predicted,
			  char text[ROLE_TEXT_LEN]);

#endif
