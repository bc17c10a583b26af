/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paging modes as data: one row per mode, one column per level.
 *
 * The row is read by both walkers, by the table builder, by the case generator
 * and by the printer.  Adding a paging mode means adding a row to paging.c.
 *
 * Sources: Intel SDM vol. 3A chapter 4 (4.3 32-bit, 4.4 PAE, 4.5 4-level and
 * 5-level paging, tables 4-2 to 4-20); AMD APM vol. 2 5.2 to 5.3.
 */
#ifndef KMC_PAGE_TABLE_H
#define KMC_PAGE_TABLE_H

#include "types.h"

/* Bits that mean the same in every format that has them. */
#define PTE_P BIT_ULL(0)
#define PTE_W BIT_ULL(1)
#define PTE_U BIT_ULL(2)
#define PTE_PWT BIT_ULL(3)
#define PTE_PCD BIT_ULL(4)
#define PTE_A BIT_ULL(5)
#define PTE_D BIT_ULL(6)
#define PTE_PS BIT_ULL(7) /* in a PDE or PDPTE; in a PTE the same bit is PAT */
#define PTE_G BIT_ULL(8)
#define PTE_PK_SHIFT 59
#define PTE_PK BITS_ULL(62, 59)
#define PTE_NX BIT_ULL(63)

enum paging_mode {
	PAGING_NONE,   /* CR0.PG = 0: linear addresses are physical */
	PAGING_2LEVEL, /* "32-bit paging": CR4.PAE = 0 */
	PAGING_PAE,    /* CR4.PAE = 1, EFER.LMA = 0 */
	PAGING_4LEVEL, /* EFER.LMA = 1, CR4.LA57 = 0 */
	PAGING_5LEVEL, /* EFER.LMA = 1, CR4.LA57 = 1 */
	NR_PAGING_MODES,
};

#define MAX_LEVELS 5

enum vendor { VENDOR_INTEL, VENDOR_AMD };

/*
 * What CPUID says about the CPU a guest sees: facts, not expectations.  They
 * decide which control bits are legal and which entry bits are reserved.
 */
struct cpu_facts {
	enum vendor vendor;
	u8 maxphyaddr; /* bits, CPUID 0x80000008 EAX[7:0] */
	bool lm, nx, gbpages, pse36, smep, smap, pku, la57;
};

/* When bit 7 of an entry makes it map a page. */
enum leaf_when {
	LEAF_NEVER,      /* bit 7 is reserved or the level has no bit 7 */
	LEAF_ALWAYS,     /* level 1 */
	LEAF_PS,         /* PS = 1 */
	LEAF_PS_CR4_PSE, /* PS = 1 and CR4.PSE = 1; else bit 7 is ignored (SDM 4.3) */
	LEAF_PS_1G,      /* PS = 1 where CPUID offers 1-GByte pages; else bit 7 is reserved */
};

struct paging_level {
	const char *name; /* the manuals' name of an entry, "PDPTE" */
	u8 shift;         /* lowest linear-address bit of the index */
	u8 index_bits;
	enum leaf_when leaf;
	bool register_entry; /* PAE PDPTE: in registers; no rights, no A, no D */
	u64 reserved_table;  /* reserved in an entry that references a table */
	u64 reserved_table_amd; /* the same, on AMD only (APM 5.3.3; Intel ignores them) */
	u64 reserved_leaf;   /* reserved in an entry that maps a page (without address bits) */
};

struct paging_format {
	const char *name;  /* "4level" */
	u8 levels;
	u8 entry_bytes;    /* 4 or 8 */
	u8 linear_bits;    /* width of a linear address: 32, 48, 57 */
	bool has_nx;       /* bit 63 is XD/NX when EFER.NX = 1, reserved when 0 */
	bool has_pk;       /* bits 62:59 are a protection key when CR4.PKE = 1 */
	u8 high_reserved;  /* address bits MAXPHYADDR..high_reserved are reserved; 0 = none */
	struct paging_level level[MAX_LEVELS + 1]; /* index 1 = PTE */
};

extern const struct paging_format paging_formats[NR_PAGING_MODES];

/* Address bits of an entry that references a table or maps a page at this level. */
u64 entry_address(enum paging_mode mode, int level, bool leaf, u64 entry,
		  const struct cpu_facts *cpu);

/*
 * Bits of an entry that must be 0.  efer_nx is the register bit of that
 * name (SDM 4.7: RSVD; APM 5.4.1).
 */
u64 entry_reserved_bits(enum paging_mode mode, int level, bool leaf, bool efer_nx,
			const struct cpu_facts *cpu);

/* Does this entry map a page (rather than reference a table)? */
bool entry_is_leaf(enum paging_mode mode, int level, u64 entry, bool cr4_pse,
		   const struct cpu_facts *cpu);

/* Bytes mapped by a leaf at this level. */
static inline u64 level_page_size(enum paging_mode mode, int level)
{
	return 1ULL << paging_formats[mode].level[level].shift;
}

/* Index into the table of this level. */
static inline u32 level_index(enum paging_mode mode, int level, gva_t gva)
{
	const struct paging_level *l = &paging_formats[mode].level[level];

	return (gva >> l->shift) & ((1u << l->index_bits) - 1);
}

/*
 * Name of one bit of an entry, as used in case ids and in printed entries: "w",
 * "nx", ...; NULL for a bit that has no name of its own (written "b52").
 */
const char *entry_bit_name(enum paging_mode mode, int level, bool leaf, int bit);

/* Bit number of a name, or -1. Names are unique within (mode, level, leaf). */
int entry_bit_by_name(enum paging_mode mode, int level, bool leaf, const char *name);

#endif
