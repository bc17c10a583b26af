/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small world for the nested walkers: L2's tables, and nested tables in which each of L2's
 * pages has entries of its own at every level, as far as addresses allow.
 *
 * L2's table of level k is "position" k, the page in the end is FINAL.  Position p lies in
 * page p of L1's memory, and at an L2-physical address whose index is p at every nested
 * level; nested large pages have base 0, and aliases put the same page behind them.
 */
#ifndef KMC_NESTED_WORLD_H
#define KMC_NESTED_WORLD_H

#include <string.h>

#include "nested.h"
#include "nested_variant.h"
#include "x86.h"

#define FINAL 6
#define NR_POSITIONS 7 /* 0 is not used */
#define WORLD_PAGES 64
#define FIRST_TABLE 16
#define PAGE 4096ULL

struct world_config {
	const char *name;
	const struct cpu_facts *cpu;
	struct nested_tables tables; /* root: flags only, the address is the world's */
	enum paging_mode l2_mode;
	u64 cr0, cr4, efer;          /* of L2, beyond what the mode needs */
	bool iret, nmi_undefined;
};

struct world {
	struct world_config config;
	enum nested_format_index format;
	struct nested_l2 l2;
	gva_t gva;
	u8 (*page)[PAGE];
	unsigned int nr_pages;       /* used for nested tables: from FIRST_TABLE */
	u8 *l2_entry[MAX_LEVELS + 1];
	u8 *entry[NR_POSITIONS][MAX_LEVELS + 1]; /* nested */
	struct phys_range range[1 + 2 * NR_POSITIONS];
	struct phys_memory memory;
};

static inline bool world_is_wide(const struct world *w)
{
	return nested_formats[w->format].gpa_bits >= 48 && w->config.l2_mode >= PAGING_4LEVEL &&
	       w->config.cpu->maxphyaddr >= 42;
}

/* L2-physical address of a position. */
static inline gpa_t world_gpa(const struct world *w, u64 p)
{
	if (world_is_wide(w))
		return p << 39 | p << 30 | p << 21 | p << 12;
	return (p & 3) << 30 | p << 21 | p << 12;
}

static inline void world_put(u8 *at, int bytes, u64 value)
{
	memcpy(at, &value, bytes);
}

static inline u64 world_get(const u8 *at, int bytes)
{
	u64 value = 0;

	memcpy(&value, at, bytes);
	return value;
}

/* The address part of the full entry stays.  A rule that is broken may take the level away. */
static inline void world_set_nested(struct world *w, int p, int level, u64 bits)
{
	int bytes = nested_formats[w->format].entry_bytes;
	bool large = level > 1 && nested_entry_is_leaf(&w->config.tables, level, bits,
						       w->config.cpu);
	u64 address;

	if (!w->entry[p][level])
		return;
	address = world_get(w->entry[p][level], bytes) & BITS_ULL(17, 12);
	world_put(w->entry[p][level], bytes, (large ? 0 : address) | bits);
}

static inline void world_map(struct world *w, int p)
{
	const struct nested_format *f = &nested_formats[w->format];
	gpa_t gpa = world_gpa(w, p), table = FIRST_TABLE * PAGE;
	int level;

	for (level = f->levels; level >= 1; level--) {
		gpa_t at = nested_entry_gpa(w->format, level, table, gpa);
		u8 *entry = &w->page[at / PAGE][at % PAGE];
		u64 full = nested_variant_full(&w->config.tables, level);
		u64 old = world_get(entry, f->entry_bytes);

		if (!old) {
			table = (level == 1 ? (u64)p : w->nr_pages++) * PAGE;
			world_put(entry, f->entry_bytes, table | full);
		} else {
			table = old & BITS_ULL(17, 12);
		}
		w->entry[p][level] = entry;
	}
}

static inline void world_make_l2(struct world *w)
{
	const struct paging_format *f = &paging_formats[w->config.l2_mode];
	int level;

	w->gva = f->linear_bits == 57 ? BIT_ULL(48) : 0;
	w->gva |= f->linear_bits >= 48 ? 2ULL << 39 | 3ULL << 30 : 0;
	w->gva |= w->config.l2_mode == PAGING_PAE ? 1ULL << 30 : 0;
	w->gva |= w->config.l2_mode == PAGING_2LEVEL ? 3ULL << 22 : 4ULL << 21;
	w->gva |= 5ULL << 12 | 0x128;
	if (w->config.l2_mode == PAGING_NONE)
		w->gva = world_gpa(w, FINAL) | 0x128;
	for (level = f->levels; level >= 1; level--) {
		u32 i = level_index(w->config.l2_mode, level, w->gva);
		u64 full = f->level[level].register_entry ? PTE_P : VARIANT_FULL;

		w->l2_entry[level] = &w->page[level][i * f->entry_bytes];
		world_put(w->l2_entry[level], f->entry_bytes,
			  full | world_gpa(w, level == 1 ? FINAL : level - 1));
	}
}

static inline void world_make_regs(struct world *w)
{
	const struct world_config *c = &w->config;
	struct walk_regs *r = &w->l2.regs;

	*r = (struct walk_regs){ .cr0 = c->cr0, .cr4 = c->cr4, .efer = c->efer };
	if (c->l2_mode != PAGING_NONE) {
		r->cr0 |= X86_CR0_PG;
		r->cr3 = world_gpa(w, paging_formats[c->l2_mode].levels);
	}
	if (c->l2_mode >= PAGING_PAE)
		r->cr4 |= X86_CR4_PAE;
	if (c->l2_mode >= PAGING_4LEVEL) {
		r->efer |= X86_EFER_LMA | X86_EFER_LME;
		r->cs_l = true;
	}
	if (c->l2_mode == PAGING_5LEVEL)
		r->cr4 |= X86_CR4_LA57;
	/* VMX has them in registers; SVM is to read them from memory. */
	if (c->l2_mode == PAGING_PAE && c->tables.kind == NESTED_EPT)
		r->pdptr[1] = world_get(w->l2_entry[3], 8);
	w->l2.iret_unblocks_nmi = c->iret;
	w->l2.nmi_unblock_undefined = c->nmi_undefined;
}

/* Everything maps everything. page: WORLD_PAGES of them. */
static inline void world_make(struct world *w, const struct world_config *config,
			      u8 (*page)[PAGE])
{
	unsigned int p, nr = 0;

	memset(w, 0, sizeof(*w));
	memset(page, 0, WORLD_PAGES * PAGE);
	w->config = *config;
	w->config.tables.root |= FIRST_TABLE * PAGE;
	w->format = nested_format_of(&w->config.tables);
	w->page = page;
	w->nr_pages = FIRST_TABLE + 1;
	for (p = 1; p < NR_POSITIONS; p++)
		world_map(w, p);
	world_make_l2(w);
	world_make_regs(w);
	w->range[nr++] = (struct phys_range){ 0, WORLD_PAGES * PAGE, page };
	for (p = 1; p < NR_POSITIONS; p++) {
		w->range[nr++] = (struct phys_range){ (u64)p << 21 | p << 12, PAGE, page[p] };
		if (p & 1 && p > 1)
			w->range[nr++] = (struct phys_range){ 1ULL << 21 | p << 12, PAGE, page[p] };
	}
	w->memory = (struct phys_memory){ w->range, nr };
}

/* Does this world have that position? */
static inline bool world_has(const struct world *w, int p)
{
	return p == FINAL || (w->l2_entry[p] && !(w->config.l2_mode == PAGING_PAE && p == 3 &&
						  w->config.tables.kind == NESTED_EPT));
}

static inline void world_walk(const struct world *w, const struct walk_access *access,
			      struct nested_result *result)
{
	nested_walk(w->config.cpu, &w->l2, &w->config.tables, &w->memory, access, result);
}

#endif
