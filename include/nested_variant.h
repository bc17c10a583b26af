/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry variants of nested tables: what is tried at each level of each format.
 *
 * As in variant.h, a variant is an entry without its address, and the lists are made for
 * variant-dense tables: one page per level holds them all, and each leads to the same page
 * of the next level.  NPT has the variants of ordinary paging, and of a PDPTE the reserved
 * bits, too (they are met at the walk, not at a load).
 */
#ifndef KMC_NESTED_VARIANT_H
#define KMC_NESTED_VARIANT_H

#include "nested.h"
#include "variant.h"

/*
 * An entry that gives all rights, already accessed and dirty: variant 0 of every list.
 * Maps a page (EPT: write-back) at level 1, references a table above.
 */
u64 nested_variant_full(const struct nested_tables *tables, int level);

/*
 * Every variant of a level.  list->nr_rights: the first are the product of the rights, and
 * where the level can map a page, of PS; the rest are single deviations, each ignored bit,
 * each reserved bit, each memory type, A and D, and combinations that show which check comes
 * first.  EPT: legal and illegal ones (write-only, execute-only) are all there.
 */
void nested_variants_of(const struct nested_tables *tables, int level,
			const struct cpu_facts *cpu, struct variant_list *list);

/* Does a present entry with these bits lead somewhere else than to the suite's page? */
bool nested_variant_moves_target(const struct nested_tables *tables, int level, u64 bits,
				 const struct cpu_facts *cpu);

/*
 * "r,w,x,a,d,mt6" (EPT: r w x xu mt0..mt7 ipat ps a d sve, or bN; the memory type is
 * left out if 0), or as variant_text() (NPT).  "0": no bits.
 */
void nested_variant_text(const struct nested_tables *tables, int level, u64 bits,
			 char text[VARIANT_TEXT_LEN]);
/* Parses len characters. Returns NULL, or what is wrong. */
const char *nested_variant_parse(const struct nested_tables *tables, int level,
				 const char *text, size_t len, u64 *bits);

#endif
