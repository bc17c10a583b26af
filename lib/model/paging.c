// SPDX-License-Identifier: GPL-2.0-only
/* The paging modes, one row each, and what follows from a row alone. */
#include <stdio.h>
#include <string.h>

#include "page_table.h"
#include "rule.h"

#define PDPTE_PAE_RESERVED (BITS_ULL(2, 1) | BITS_ULL(8, 5)) /* SDM table 4-8 */
#define LARGE_2M_RESERVED BITS_ULL(20, 13)                   /* SDM tables 4-9, 4-17 */
#define LARGE_1G_RESERVED BITS_ULL(29, 13)                   /* SDM table 4-15 */

const struct paging_format paging_formats[NR_PAGING_MODES] = {
	[PAGING_NONE] = { .name = "nopg", .linear_bits = 32 },
	[PAGING_2LEVEL] = {
		.name = "2level", .levels = 2, .entry_bytes = 4, .linear_bits = 32,
		.level = {
			[1] = { "PTE", 12, 10, LEAF_ALWAYS },
			/* bits 21:13 of a 4-MByte PDE depend on PSE-36: see entry_reserved_bits() */
			[2] = { "PDE", 22, 10, LEAF_PS_CR4_PSE },
		},
	},
	[PAGING_PAE] = {
		.name = "pae", .levels = 3, .entry_bytes = 8, .linear_bits = 32,
		.has_nx = true, .high_reserved = 62,
		.level = {
			[1] = { "PTE", 12, 9, LEAF_ALWAYS },
			[2] = { "PDE", 21, 9, LEAF_PS, .reserved_leaf = LARGE_2M_RESERVED },
			[3] = { "PDPTE", 30, 2, LEAF_NEVER, .register_entry = true,
				.reserved_table = PDPTE_PAE_RESERVED | PTE_NX },
		},
	},
	[PAGING_4LEVEL] = {
		.name = "4level", .levels = 4, .entry_bytes = 8, .linear_bits = 48,
		.has_nx = true, .has_pk = true, .high_reserved = 51,
		.level = {
			[1] = { "PTE", 12, 9, LEAF_ALWAYS },
			[2] = { "PDE", 21, 9, LEAF_PS, .reserved_leaf = LARGE_2M_RESERVED },
			[3] = { "PDPTE", 30, 9, LEAF_PS_1G, .reserved_leaf = LARGE_1G_RESERVED },
			[4] = { "PML4E", 39, 9, LEAF_NEVER, .reserved_table = PTE_PS,
				.reserved_table_amd = PTE_G },
		},
	},
	[PAGING_5LEVEL] = {
		.name = "5level", .levels = 5, .entry_bytes = 8, .linear_bits = 57,
		.has_nx = true, .has_pk = true, .high_reserved = 51,
		.level = {
			[1] = { "PTE", 12, 9, LEAF_ALWAYS },
			[2] = { "PDE", 21, 9, LEAF_PS, .reserved_leaf = LARGE_2M_RESERVED },
			[3] = { "PDPTE", 30, 9, LEAF_PS_1G, .reserved_leaf = LARGE_1G_RESERVED },
			[4] = { "PML4E", 39, 9, LEAF_NEVER, .reserved_table = PTE_PS,
				.reserved_table_amd = PTE_G },
			[5] = { "PML5E", 48, 9, LEAF_NEVER, .reserved_table = PTE_PS,
				.reserved_table_amd = PTE_G },
		},
	},
};

/* SDM table 4-4: a 4-MByte page's address bits 39:32 are PDE bits 20:13. */
static u64 pse36_address_bits(const struct cpu_facts *cpu)
{
	int width = cpu->maxphyaddr < 40 ? cpu->maxphyaddr : 40;

	return cpu->pse36 && RULE_HOLDS(RSVD_PSE36) ? BITS_ULL(width - 20, 13) : 0;
}

u64 entry_address(enum paging_mode mode, int level, bool leaf, u64 entry,
		  const struct cpu_facts *cpu)
{
	const struct paging_format *f = &paging_formats[mode];
	int low = leaf ? f->level[level].shift : 12;

	if (f->entry_bytes == 8)
		return entry & BITS_ULL(51, low);
	if (leaf && level == 2)
		return (entry & BITS_ULL(31, 22)) | (entry & pse36_address_bits(cpu)) << 19;
	return entry & BITS_ULL(31, 12);
}

u64 entry_reserved_bits(enum paging_mode mode, int level, bool leaf, bool efer_nx,
			const struct cpu_facts *cpu)
{
	const struct paging_format *f = &paging_formats[mode];
	const struct paging_level *l = &f->level[level];
	u64 rsvd = leaf ? l->reserved_leaf : l->reserved_table;

	if (!RULE_HOLDS(RSVD_LARGE) && leaf)
		rsvd = 0;
	if (!RULE_HOLDS(RSVD_PS_TOP) && !leaf)
		rsvd &= ~PTE_PS;
	if (!leaf && cpu->vendor == VENDOR_AMD && RULE_HOLDS(RSVD_AMD_BIT8))
		rsvd |= l->reserved_table_amd;
	/* Without 1-GByte pages PS is reserved in a PDPTE (SDM table 4-16, note on bit 7). */
	if (l->leaf == LEAF_PS_1G && !cpu->gbpages && RULE_HOLDS(RSVD_NO_1G))
		rsvd |= PTE_PS;
	if (f->high_reserved && RULE_HOLDS(RSVD_MAXPHYADDR))
		rsvd |= BITS_ULL(f->high_reserved, cpu->maxphyaddr);
	if (f->has_nx && !l->register_entry && !efer_nx && RULE_HOLDS(RSVD_NX))
		rsvd |= PTE_NX;
	if (mode == PAGING_2LEVEL && level == 2 && leaf)
		rsvd |= BITS_ULL(21, 13) & ~pse36_address_bits(cpu);
	return rsvd;
}

bool entry_is_leaf(enum paging_mode mode, int level, u64 entry, bool cr4_pse,
		   const struct cpu_facts *cpu)
{
	bool ps = entry & PTE_PS;

	switch (paging_formats[mode].level[level].leaf) {
	case LEAF_ALWAYS:
		return true;
	case LEAF_PS:
		return ps;
	case LEAF_PS_CR4_PSE:
		return ps && (cr4_pse || !RULE_HOLDS(LEAF_CR4_PSE));
	case LEAF_PS_1G:
		return ps && cpu->gbpages;
	case LEAF_NEVER:
		break;
	}
	return false;
}

static const char *const low_names[12] = {
	"p", "w", "u", "pwt", "pcd", "a", "d", "ps", "g",
};

const char *entry_bit_name(enum paging_mode mode, int level, bool leaf, int bit)
{
	const struct paging_format *f = &paging_formats[mode];

	if (bit < 9) {
		if (level == 1 && bit == 7)
			return "pat";
		return low_names[bit];
	}
	if (bit == 12 && level > 1 && leaf)
		return "pat";
	if (bit == 63 && f->has_nx)
		return "nx";
	return NULL;
}

int entry_bit_by_name(enum paging_mode mode, int level, bool leaf, const char *name)
{
	int bits = paging_formats[mode].entry_bytes * 8;
	int bit, end = 0;

	for (bit = 0; bit < bits; bit++) {
		const char *n = entry_bit_name(mode, level, leaf, bit);

		if (n && !strcmp(n, name))
			return bit;
	}
	if (sscanf(name, "b%d%n", &bit, &end) == 1 && !name[end] && bit >= 0 && bit < bits &&
	    !entry_bit_name(mode, level, leaf, bit))
		return bit;
	return -1;
}
