/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested paging as the manuals have it: L2's tables, and L1's nested tables beneath them.
 *
 *   L2 linear address --L2's tables--> L2-physical address --nested tables--> L1-physical
 *
 * L1 is the VMM that runs L2.  Every address that L2's tables hold, and CR3, is
 * L2-physical: each entry of theirs that is read costs a walk of the nested tables, and so
 * does the page in the end.  nested_walk() does all of it and says how it ends: with a
 * translation, with a fault in L2, or with an exit to L1 and what L1 is told about it.
 *
 * Written from the manuals alone: AMD APM vol. 2 15.25 (nested paging; .3 enabling,
 * .4 VMRUN, .5 table walk, .6 faults and their order, .10 legacy PAE); Intel SDM vol. 3C
 * 29.3 (EPT: .2 translation, .3.1 misconfigurations, .3.2 violations, .3.3 priorities,
 * .5 accessed and dirty flags) and table 28-7 (exit qualification; 27-7 in editions where
 * EPT is chapter 28).  L2's own part is walk() of walk.h, used as it is.
 * Pure: no I/O, no allocation, no state.
 *
 * Not modelled, as no KVM offers them to L1: sub-page write permissions, guest-paging
 * verification, EPT paging-write control and supervisor shadow stacks (bits 61, 57, 58 and
 * 60 of an EPT entry: ignored), #VE (bit 63: ignored), page-modification logging.  Not
 * modelled because the text was not at hand: GMET (guest mode execute trap).
 */
#ifndef KMC_NESTED_H
#define KMC_NESTED_H

#include "page_table.h"
#include "rule.h"
#include "types.h"
#include "walk.h"

enum nested_kind { NESTED_NPT, NESTED_EPT };

/* Bits of an EPT entry (SDM tables 29-1 to 29-7). */
#define EPT_R BIT_ULL(0)
#define EPT_W BIT_ULL(1)
#define EPT_X BIT_ULL(2)        /* with MBEC: for supervisor-mode linear addresses */
#define EPT_RWX BITS_ULL(2, 0)
#define EPT_MT_SHIFT 3
#define EPT_MT BITS_ULL(5, 3)   /* memory type, in an entry that maps a page */
#define EPT_IPAT BIT_ULL(6)
#define EPT_PS BIT_ULL(7)       /* in a PDE or PDPTE */
#define EPT_A BIT_ULL(8)        /* with EPTP bit 6; else ignored */
#define EPT_D BIT_ULL(9)        /* the same, in an entry that maps a page */
#define EPT_XU BIT_ULL(10)      /* with MBEC: fetches from user-mode linear addresses */
#define EPT_MT_UC 0
#define EPT_MT_WB 6

/* EPTP (SDM 25.6.11). */
#define EPTP_MT BITS_ULL(2, 0)
#define EPTP_PWL_SHIFT 3
#define EPTP_PWL BITS_ULL(5, 3) /* levels - 1 */
#define EPTP_AD BIT_ULL(6)

/* What IA32_VMX_EPT_VPID_CAP offers L1 (SDM vol. 3D A.10). */
struct ept_caps {
	bool execonly;      /* bit 0: R=0 X=1 is legal */
	bool walk_5;        /* bit 7: 5 levels; 4 are always there (bit 6) */
	bool mt_uc, mt_wb;  /* bits 8, 14: memory types EPTP may have */
	bool page_2m;       /* bit 16 */
	bool page_1g;       /* bit 17 */
	bool ad;            /* bit 21: EPTP bit 6 */
	bool advanced_info; /* bit 22: exit qualification bits 11:9 */
};

/* The nested tables, and all of L1's state that says how they are read. */
struct nested_tables {
	enum nested_kind kind;
	u64 root;             /* nCR3, or EPTP */
	/* NPT: L1's registers as of VMRUN; PSE, PAE, LA57, NX, LMA count.  L1's CR0.PG is 1. */
	u64 l1_cr4, l1_efer;
	struct ept_caps caps; /* EPT */
	bool mbec;            /* EPT: "mode-based execute control" is 1 */
};

/*
 * Formats: NPT has those of ordinary paging (rows of paging.c, chosen by L1's mode), EPT
 * has its own rows in nested_format.c.
 */
enum nested_format_index {
	NESTED_FORMAT_NPT_2LEVEL,
	NESTED_FORMAT_NPT_PAE,
	NESTED_FORMAT_NPT_4LEVEL,
	NESTED_FORMAT_NPT_5LEVEL,
	NESTED_FORMAT_EPT_4LEVEL,
	NESTED_FORMAT_EPT_5LEVEL,
	NR_NESTED_FORMATS,
};

struct nested_level {
	const char *name;    /* "EPT PDE" */
	u8 shift;            /* lowest bit of the L2-physical address in the index */
	u8 index_bits;
	bool may_map;        /* where the page size is offered (level 1: always) */
	u64 reserved_table;  /* must be 0 in an entry that references a table */
	u64 reserved_leaf;   /* must be 0 in an entry that maps a page; without MAXPHYADDR */
};

struct nested_format {
	const char *name;         /* "npt-4level", "ept-5level" */
	enum nested_kind kind;
	enum paging_mode paging;  /* NPT: the row of paging_formats[] */
	u8 levels;
	u8 entry_bytes;
	u8 gpa_bits;              /* how much of an L2-physical address the tables translate */
	struct nested_level level[MAX_LEVELS + 1]; /* EPT; index 1 = PTE */
};

extern const struct nested_format nested_formats[NR_NESTED_FORMATS];

enum nested_format_index nested_format_of(const struct nested_tables *tables);
/* L1-physical address of the entry that an L2-physical address selects in a table. */
gpa_t nested_entry_gpa(enum nested_format_index format, int level, gpa_t table, gpa_t gpa);
/* The table that the root points to: in PAE, the four PDPTEs. */
gpa_t nested_root_table(const struct nested_tables *tables);
u64 nested_page_size(enum nested_format_index format, int level);
/* A PAE PDPTE has neither rights nor A and D bits. */
bool nested_entry_is_pdpte(enum nested_format_index format, int level);
/* The next questions are about entries that are present. */
bool nested_entry_is_leaf(const struct nested_tables *tables, int level, u64 entry,
			  const struct cpu_facts *cpu);
/* Bits that must be 0: NPF with RSV, or EPT misconfiguration. */
u64 nested_reserved_bits(const struct nested_tables *tables, int level, bool leaf,
			 const struct cpu_facts *cpu);
gpa_t nested_entry_address(const struct nested_tables *tables, int level, bool leaf, u64 entry,
			   const struct cpu_facts *cpu);
/* Its A and D bits; 0 where there are none. */
u64 nested_accessed_bit(const struct nested_tables *tables, int level);
u64 nested_dirty_bit(const struct nested_tables *tables, int level);

/*
 * May L1 enter L2 with these?  RULE_N_ALLOWED, or the rule that makes VM entry (SDM 26.2.1.1)
 * or VMRUN (APM 15.25.4) fail.
 */
enum rule nested_tables_check(const struct cpu_facts *cpu, const struct nested_tables *tables);

/* L2 as L1 runs it. */
struct nested_l2 {
	struct walk_regs regs;      /* pdptr: VMX only; SVM reads PDPTEs from memory at each walk */
	bool iret_unblocks_nmi;     /* the access is IRET's, and blocking by NMI was in effect */
	bool nmi_unblock_undefined; /* "NMI exiting"=1 and "virtual NMIs"=0, or an event is delivered */
};

enum nested_exit_reason {
	NESTED_EXIT_NPF,           /* exit code SVM_EXIT_NPF */
	NESTED_EXIT_EPT_VIOLATION, /* basic exit reason 48 */
	NESTED_EXIT_EPT_MISCONFIG, /* basic exit reason 49 */
};

#define SVM_EXIT_CODE_NPF 0x400
#define VMX_EXIT_REASON_EPT_VIOLATION 48
#define VMX_EXIT_REASON_EPT_MISCONFIG 49

/* EXITINFO1 of an NPF: PFERR_* of x86.h, and these (APM 15.25.6). */
#define NPF_FINAL BIT_ULL(32) /* at L2's final physical address */
#define NPF_WALK BIT_ULL(33)  /* while L2's tables were walked */

/* Exit qualification of an EPT violation (SDM table 28-7). */
#define EPT_QUAL_READ BIT_ULL(0)
#define EPT_QUAL_WRITE BIT_ULL(1)
#define EPT_QUAL_FETCH BIT_ULL(2)
#define EPT_QUAL_RIGHTS_SHIFT 3        /* bits 5:3: EPT_RWX of all entries, ANDed */
#define EPT_QUAL_RIGHTS BITS_ULL(5, 3)
#define EPT_QUAL_XU BIT_ULL(6)         /* the same of bit 10; undefined without MBEC */
#define EPT_QUAL_GLA_VALID BIT_ULL(7)
#define EPT_QUAL_FINAL BIT_ULL(8)      /* 0: at an entry of L2's tables */
#define EPT_QUAL_USER BIT_ULL(9)       /* user-mode linear address; 11:9 only with 7, 8 and */
#define EPT_QUAL_WRITABLE BIT_ULL(10)  /* advanced information, else undefined */
#define EPT_QUAL_NX BIT_ULL(11)
#define EPT_QUAL_NMI_UNBLOCK BIT_ULL(12)
#define EPT_QUAL_SHADOW_STACK BIT_ULL(13) /* always 0 here */

struct nested_exit {
	enum nested_exit_reason reason;
	enum rule rule;  /* the rule that decided */
	u64 info;        /* EXITINFO1, or exit qualification */
	u64 open;        /* bits of info that the manuals leave undefined or open: any value goes */
	gpa_t gpa;       /* EXITINFO2, or guest-physical address: exact, with page offset */
	gva_t gva;       /* guest-linear address: an EPT violation that has EPT_QUAL_GLA_VALID */
};

enum nested_outcome {
	NESTED_OK,        /* gpa and page_size are valid */
	NESTED_FAULT,     /* L2 gets the fault of result.l2 */
	NESTED_EXIT,      /* L1 gets result.exit */
	NESTED_NO_MEMORY, /* a table lies outside memory: gpa (L1-physical) says where */
};

/* One entry of the nested tables, as it was read. */
struct nested_step {
	u8 for_level;     /* the level of L2's entry that was wanted; 0: the final address */
	u8 level;
	bool leaf;
	gpa_t entry_gpa;  /* L1-physical */
	u64 entry;
	u64 must_set;     /* A/D bits this access sets (if not set before) */
	u64 may_set;      /* after an exit: bits it may set or leave, the manuals leave it open */
};

/* A walk for each level of L2's tables, and the final one. */
#define MAX_NESTED_STEPS ((MAX_LEVELS + 1) * MAX_LEVELS)
/* One for each of L2's entries, and the final address. */
#define MAX_NESTED_ALSO (MAX_LEVELS + 1)

struct nested_result {
	enum nested_outcome outcome;
	enum rule rule;            /* the rule that decided: L2's, or exit.rule, or N_ALLOWED */
	/*
	 * L2's walk, as far as it went: with NESTED_OK and NESTED_FAULT as walk() fills it
	 * in (its gpa is L2-physical, entry_gpa of its steps too); with NESTED_EXIT the steps
	 * are those that were read, and may_set is valid.
	 */
	struct walk_result l2;
	gpa_t gpa;                 /* L1-physical address of the byte */
	u64 page_size;             /* of the nested page; the smaller of both is what a TLB holds */
	struct nested_exit exit;
	/*
	 * Exits that may come instead of the outcome, as the manuals do not order them: without
	 * A/D flags for EPT, setting A or D in L2's tables is a write of its own (SDM 29.3.3.2).
	 */
	u8 nr_also;
	struct nested_exit also[MAX_NESTED_ALSO];
	u8 nr_steps;
	struct nested_step step[MAX_NESTED_STEPS]; /* in walk order */
};

/*
 * As from a cold TLB: what a CPU still holds from earlier is not modelled.  tables must pass
 * nested_tables_check().  cpu: what CPUID says in L1; L2 has the same MAXPHYADDR and page
 * sizes.  memory: L1-physical.
 */
void nested_walk(const struct cpu_facts *cpu, const struct nested_l2 *l2,
		 const struct nested_tables *tables, const struct phys_memory *memory,
		 const struct walk_access *access, struct nested_result *result);

/*
 * L2 executes MOV to CR3 (or to CR0, CR4) that loads PDPTEs.  EPT: they are read through the
 * nested tables: an exit, NESTED_FAULT with #GP(0), or OK and pdptr is filled.  NPT: nothing
 * is read until a walk needs it (APM 15.25.10), OK; pdptr is left alone.
 */
void nested_load_pdptrs(const struct cpu_facts *cpu, const struct nested_l2 *l2,
			const struct nested_tables *tables, const struct phys_memory *memory,
			u64 cr3, u64 pdptr[4], struct nested_result *result);

/* Is what L1 saw this exit?  Bits that are open are not compared, nor is an undefined gva. */
bool nested_exit_matches(const struct nested_exit *expected, const struct nested_exit *seen);
/* Is it one that this result allows: its own, or one of those that may come instead? */
bool nested_result_allows_exit(const struct nested_result *result,
			       const struct nested_exit *seen);

#endif
