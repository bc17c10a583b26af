/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry variants: what is tried at each level of each paging mode.
 *
 * A variant is an entry without its address: the bits that differ.  Bits that lie
 * in the address field are part of it too (reserved ones above MAXPHYADDR; below,
 * they move the page to an alias).
 */
#ifndef KMC_VARIANT_H
#define KMC_VARIANT_H

#include "page_table.h"
#include "types.h"

#define MAX_VARIANTS 512

struct variant_list {
	u16 nr;
	u16 nr_rights;      /* the first nr_rights of them permute rights, see below */
	bool ps_is_page;    /* PS = 1 maps a page here (CR4.PSE, 1-GByte pages offered) */
	u64 bits[MAX_VARIANTS];
};

/* Present, all rights, already accessed and dirty: variant 0 of every list. */
#define VARIANT_FULL (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define VARIANT_FULL_INDEX 0

/*
 * Tables are shaped by their format, by what PS means in them, and by how much of the
 * address space code can reach: 4 GiB in compatibility mode.
 */
struct table_shape {
	enum paging_mode mode;
	bool cr4_pse;
	u8 linear_bits;
};

/* The full entry of this level: PAE PDPTEs have no rights and no A/D bits. */
u64 variant_full(enum paging_mode mode, int level);

/*
 * Every variant of a level.  The first ones are the product of P, W, U, NX and, where
 * the level can map a page, PS: these are combined with each other across levels.  The
 * rest are single deviations: each ignored bit, each reserved bit, keys, A and D.
 */
void variants_of(const struct table_shape *shape, int level, const struct cpu_facts *cpu,
		 struct variant_list *list);

/*
 * Do these bits lead a present entry somewhere else than to the suite's page or table?
 * Such an entry cannot be tried: there is nothing known behind it.
 */
bool variant_moves_target(const struct table_shape *shape, int level, u64 bits,
			  const struct cpu_facts *cpu);

/* Index of the variant with exactly these bits, or -1. */
int variant_find(const struct variant_list *list, u64 bits);

/*
 * Under a large page no entry is read, but the linear address still has an index there: with
 * this one it leads to another 4-KByte piece of the page than the first.
 */
static inline u16 variant_piece(const struct variant_list *list)
{
	return list->nr - 1;
}

/* The highest level with more than one reachable slot; it also maps the agent. */
int shape_top_level(const struct table_shape *shape);
/* The first slot of a level that holds a variant, and how many there can be. */
unsigned int variant_first_slot(const struct table_shape *shape, int level);
unsigned int variant_max(const struct table_shape *shape, int level);

#define VARIANT_TEXT_LEN 288 /* all 64 bits by name */
/* "p,w,u,a" ; an entry of no bits is "0". */
void variant_text(enum paging_mode mode, int level, u64 bits, char text[VARIANT_TEXT_LEN]);
/* Parses len characters. Returns NULL, or what is wrong. */
const char *variant_parse(enum paging_mode mode, int level, const char *text, size_t len,
			  u64 *bits);

#endif
