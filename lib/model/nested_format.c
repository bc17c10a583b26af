// SPDX-License-Identifier: GPL-2.0-only
/*
 * The formats of nested tables, one row each, what follows from a row alone, and which
 * roots are legal.  The rows of NPT are those of ordinary paging (paging.c).
 */
#include "nested.h"
#include "x86.h"

#define EPT_TABLE_RESERVED BITS_ULL(6, 3)      /* SDM tables 29-3, 29-5 */
#define EPT_TOP_RESERVED BITS_ULL(7, 3)        /* SDM table 29-1: PS, too */
#define EPT_2M_RESERVED BITS_ULL(20, 12)       /* SDM table 29-4 */
#define EPT_1G_RESERVED BITS_ULL(29, 12)       /* SDM table 29-2 */

#define EPT_LEVELS_1_TO_4                                                             \
	[1] = { "EPT PTE", 12, 9, .may_map = true },                                  \
	[2] = { "EPT PDE", 21, 9, .may_map = true, .reserved_table = EPT_TABLE_RESERVED, \
		.reserved_leaf = EPT_2M_RESERVED },                                   \
	[3] = { "EPT PDPTE", 30, 9, .may_map = true,                                  \
		.reserved_table = EPT_TABLE_RESERVED, .reserved_leaf = EPT_1G_RESERVED }, \
	[4] = { "EPT PML4E", 39, 9, .reserved_table = EPT_TOP_RESERVED }

const struct nested_format nested_formats[NR_NESTED_FORMATS] = {
	[NESTED_FORMAT_NPT_2LEVEL] = { .name = "npt-2level", .kind = NESTED_NPT, .levels = 2,
		.paging = PAGING_2LEVEL, .entry_bytes = 4, .gpa_bits = 32 },
	[NESTED_FORMAT_NPT_PAE] = { .name = "npt-pae", .kind = NESTED_NPT, .levels = 3,
		.paging = PAGING_PAE, .entry_bytes = 8, .gpa_bits = 32 },
	[NESTED_FORMAT_NPT_4LEVEL] = { .name = "npt-4level", .kind = NESTED_NPT, .levels = 4,
		.paging = PAGING_4LEVEL, .entry_bytes = 8, .gpa_bits = 48 },
	[NESTED_FORMAT_NPT_5LEVEL] = { .name = "npt-5level", .kind = NESTED_NPT, .levels = 5,
		.paging = PAGING_5LEVEL, .entry_bytes = 8, .gpa_bits = 57 },
	[NESTED_FORMAT_EPT_4LEVEL] = { .name = "ept-4level", .kind = NESTED_EPT, .levels = 4,
		.entry_bytes = 8, .gpa_bits = 48, .level = { EPT_LEVELS_1_TO_4 } },
	[NESTED_FORMAT_EPT_5LEVEL] = { .name = "ept-5level", .kind = NESTED_EPT, .levels = 5,
		.entry_bytes = 8, .gpa_bits = 57,
		.level = { EPT_LEVELS_1_TO_4,
			   [5] = { "EPT PML5E", 48, 9, .reserved_table = EPT_TOP_RESERVED } } },
};

enum nested_format_index nested_format_of(const struct nested_tables *tables)
{
	bool five = (tables->root & EPTP_PWL) >> EPTP_PWL_SHIFT == 4;

	if (tables->kind == NESTED_EPT)
		return five && RULE_HOLDS(N_EPT_LEVELS) ? NESTED_FORMAT_EPT_5LEVEL :
							  NESTED_FORMAT_EPT_4LEVEL;
	if (!RULE_HOLDS(N_NPT_FORMAT))
		return NESTED_FORMAT_NPT_4LEVEL;
	switch (paging_mode(X86_CR0_PG, tables->l1_cr4, tables->l1_efer)) {
	case PAGING_5LEVEL:
		return NESTED_FORMAT_NPT_5LEVEL;
	case PAGING_4LEVEL:
		return NESTED_FORMAT_NPT_4LEVEL;
	case PAGING_PAE:
		return NESTED_FORMAT_NPT_PAE;
	default:
		return NESTED_FORMAT_NPT_2LEVEL;
	}
}

static void level_shape(enum nested_format_index format, int level, u8 *shift, u8 *index_bits)
{
	const struct nested_format *f = &nested_formats[format];

	if (f->kind == NESTED_EPT) {
		*shift = f->level[level].shift;
		*index_bits = f->level[level].index_bits;
	} else {
		*shift = paging_formats[f->paging].level[level].shift;
		*index_bits = paging_formats[f->paging].level[level].index_bits;
	}
}

gpa_t nested_entry_gpa(enum nested_format_index format, int level, gpa_t table, gpa_t gpa)
{
	u8 shift, index_bits;

	level_shape(format, level, &shift, &index_bits);
	return table + (gpa >> shift & (BIT_ULL(index_bits) - 1)) *
			       nested_formats[format].entry_bytes;
}

u64 nested_page_size(enum nested_format_index format, int level)
{
	u8 shift, index_bits;

	level_shape(format, level, &shift, &index_bits);
	return BIT_ULL(shift);
}

bool nested_entry_is_pdpte(enum nested_format_index format, int level)
{
	return format == NESTED_FORMAT_NPT_PAE && level == 3 && RULE_HOLDS(N_NPT_PDPTE);
}

gpa_t nested_root_table(const struct nested_tables *tables)
{
	switch (nested_format_of(tables)) {
	case NESTED_FORMAT_NPT_2LEVEL:
		return tables->root & BITS_ULL(31, 12);
	case NESTED_FORMAT_NPT_PAE:
		return tables->root & (RULE_HOLDS(N_NPT_PDPTE) ? BITS_ULL(31, 5) :
								 BITS_ULL(31, 12));
	default:
		return tables->root & BITS_ULL(51, 12);
	}
}

static bool page_size_offered(const struct ept_caps *caps, int level)
{
	if (level == 3)
		return caps->page_1g || !RULE_HOLDS(N_EPT_RSVD_NO_1G);
	return level == 1 || caps->page_2m || !RULE_HOLDS(N_EPT_RSVD_NO_2M);
}

bool nested_entry_is_leaf(const struct nested_tables *tables, int level, u64 entry,
			  const struct cpu_facts *cpu)
{
	const struct nested_format *f = &nested_formats[nested_format_of(tables)];
	bool pse = !!(tables->l1_cr4 & X86_CR4_PSE) == RULE_HOLDS(N_NPT_PSE);

	if (f->kind == NESTED_NPT)
		return entry_is_leaf(f->paging, level, entry, pse, cpu);
	return level == 1 || (f->level[level].may_map && entry & EPT_PS &&
			      page_size_offered(&tables->caps, level));
}

u64 nested_reserved_bits(const struct nested_tables *tables, int level, bool leaf,
			 const struct cpu_facts *cpu)
{
	const struct nested_format *f = &nested_formats[nested_format_of(tables)];
	bool nx = !!(tables->l1_efer & X86_EFER_NX) == RULE_HOLDS(N_NPT_NX);
	u64 reserved = 0;

	if (f->kind == NESTED_NPT)
		return entry_reserved_bits(f->paging, level, leaf, nx, cpu);
	if (leaf && RULE_HOLDS(N_EPT_RSVD_LARGE))
		reserved = f->level[level].reserved_leaf;
	else if (!leaf && RULE_HOLDS(N_EPT_RSVD_TABLE))
		reserved = f->level[level].reserved_table;
	if (f->level[level].may_map && !page_size_offered(&tables->caps, level))
		reserved |= EPT_PS;
	if (RULE_HOLDS(N_EPT_RSVD_MAXPHYADDR))
		reserved |= BITS_ULL(51, cpu->maxphyaddr);
	return reserved;
}

gpa_t nested_entry_address(const struct nested_tables *tables, int level, bool leaf, u64 entry,
			   const struct cpu_facts *cpu)
{
	const struct nested_format *f = &nested_formats[nested_format_of(tables)];

	if (f->kind == NESTED_NPT)
		return entry_address(f->paging, level, leaf, entry, cpu);
	return entry & BITS_ULL(51, leaf ? f->level[level].shift : 12);
}

u64 nested_accessed_bit(const struct nested_tables *tables, int level)
{
	if (tables->kind == NESTED_EPT)
		return tables->root & EPTP_AD && RULE_HOLDS(N_EPT_ACCESSED) ? EPT_A : 0;
	if (nested_entry_is_pdpte(nested_format_of(tables), level))
		return 0;
	return RULE_HOLDS(N_NPT_ACCESSED) ? PTE_A : 0;
}

u64 nested_dirty_bit(const struct nested_tables *tables, int level)
{
	if (tables->kind == NESTED_EPT)
		return tables->root & EPTP_AD && RULE_HOLDS(N_EPT_DIRTY) ? EPT_D : 0;
	if (nested_entry_is_pdpte(nested_format_of(tables), level))
		return 0;
	return RULE_HOLDS(N_NPT_DIRTY) ? PTE_D : 0;
}

/* SDM 26.2.1.1: checks on EPTP. */
static enum rule eptp_check(const struct cpu_facts *cpu, const struct nested_tables *tables)
{
	const struct ept_caps *caps = &tables->caps;
	u64 type = tables->root & EPTP_MT, levels = (tables->root & EPTP_PWL) >> EPTP_PWL_SHIFT;

	if (!(type == EPT_MT_UC && caps->mt_uc) && !(type == EPT_MT_WB && caps->mt_wb) &&
	    RULE_HOLDS(N_EPTP_MEMTYPE))
		return RULE_N_EPTP_MEMTYPE;
	if (levels != 3 && !(levels == 4 && caps->walk_5) && RULE_HOLDS(N_EPTP_LEVELS))
		return RULE_N_EPTP_LEVELS;
	if (tables->root & EPTP_AD && !caps->ad && RULE_HOLDS(N_EPTP_AD))
		return RULE_N_EPTP_AD;
	if (tables->root & (BITS_ULL(11, 7) | BITS_ULL(63, cpu->maxphyaddr)) &&
	    RULE_HOLDS(N_EPTP_RSVD))
		return RULE_N_EPTP_RSVD;
	return RULE_N_ALLOWED;
}

enum rule nested_tables_check(const struct cpu_facts *cpu, const struct nested_tables *tables)
{
	if (tables->kind == NESTED_EPT)
		return eptp_check(cpu, tables);
	if (tables->root & BITS_ULL(63, cpu->maxphyaddr) && RULE_HOLDS(N_NPT_ROOT))
		return RULE_N_NPT_ROOT;
	return RULE_N_ALLOWED;
}
