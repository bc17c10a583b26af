/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The architecture walker: registers, CPUID facts and page tables in; the
 * translation, or the exact fault, out.
 *
 * Written from the manuals alone (Intel SDM vol. 3A chapter 4, AMD APM vol. 2
 * chapter 5); it knows nothing of KVM and is the truth that everything else is
 * compared with.  Pure: no I/O, no allocation, no state.
 */
#ifndef KMC_WALK_H
#define KMC_WALK_H

#include "page_table.h"
#include "rule.h"
#include "types.h"

/* Guest physical memory as the walker sees it: ranges of host memory. */
struct phys_range {
	gpa_t gpa;
	u64 size;       /* bytes */
	const void *host;
};

struct phys_memory {
	const struct phys_range *range;
	unsigned int nr;
};

/* Host address of len bytes at gpa, or NULL when no range holds them all. */
const void *phys_memory_at(const struct phys_memory *memory, gpa_t gpa, u64 len);

struct walk_regs {
	u64 cr0, cr3, cr4, efer;
	u64 pdptr[4];  /* PAE paging only: the PDPTE registers (SDM 4.4.1) */
	u32 pkru;
	bool cs_l;     /* 64-bit code segment: linear addresses are 64 bits wide */
};

enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH, NR_ACCESS_KINDS };

struct walk_access {
	gva_t gva;
	enum access_kind kind;
	u8 cpl;         /* 0 or 3; 1 and 2 count as supervisor (SDM 4.6.1) */
	bool ac;        /* EFLAGS.AC */
	bool implicit;  /* descriptor-table or TSS access: supervisor whatever the CPL */
	bool stack;     /* through the stack segment: RSP or RBP is the base, or PUSH and POP */
	u8 size;        /* bytes, 0 is 1: all must be canonical; the walk is that of the first */
};

enum walk_outcome {
	WALK_OK,
	WALK_FAULT,      /* vector, error_code, cr2 are valid */
	WALK_NO_MEMORY,  /* a table lies outside memory: gpa says where */
};

struct walk_step {
	u8 level;
	bool leaf;
	gpa_t entry_gpa;   /* 0 for a PDPTE register */
	u64 entry;         /* as read */
	u64 must_set;      /* A/D bits this access sets (if not set before) */
	u64 may_set;       /* after a fault: bits it may set or leave, the manuals leave it open */
};

struct walk_result {
	enum walk_outcome outcome;
	enum rule rule;     /* the rule that decided */
	u8 vector;          /* PF_VECTOR; a non-canonical address: GP_VECTOR or SS_VECTOR */
	u32 error_code;     /* PFERR_* */
	u64 cr2;
	gpa_t gpa;          /* of the byte at gva */
	u64 page_size;      /* bytes; 0 with PG = 0 */
	bool writable, user, executable; /* effective rights of the translation */
	u8 pkey;
	u8 nr_steps;
	struct walk_step step[MAX_LEVELS]; /* in walk order, top level first */
};

/* Which paging mode the registers select (SDM 4.1.1). */
enum paging_mode paging_mode(u64 cr0, u64 cr4, u64 efer);

void walk(const struct cpu_facts *cpu, const struct walk_regs *regs,
	  const struct phys_memory *memory, const struct walk_access *access,
	  struct walk_result *result);

/*
 * Loads the PDPTE registers from the table at CR3 (SDM 4.4.1).  Returns false
 * when a present one has a reserved bit set: MOV CR3 then raises #GP(0).
 */
bool walk_load_pdptrs(const struct cpu_facts *cpu, u64 cr3,
		      const struct phys_memory *memory, u64 pdptr[4]);

/* Is gva canonical for this many linear-address bits (SDM vol. 1 3.3.7.1)? */
static inline bool is_canonical(gva_t gva, int bits)
{
	return (u64)((s64)(gva << (64 - bits)) >> (64 - bits)) == gva;
}

/* Fills the dirty and accessed expectations of a walk that ended; shared by both walkers. */
void walk_accessed_dirty(struct walk_result *result, enum paging_mode mode,
			 enum access_kind kind);

#endif
