/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PDPTE registers of PAE paging: what loads them, and what they hold meanwhile.
 *
 * Intel (SDM 3A 4.4.1): the four PDPTEs are loaded into registers by a MOV to CR3 under PAE
 * paging, and by a MOV to CR0 or CR4 that leaves PAE paging in use and changes CR0.CD, CR0.NW,
 * CR0.PG, CR4.PAE, CR4.PGE, CR4.PSE or CR4.SMEP.  A load of a present one with a reserved bit is
 * #GP(0), and nothing changes.  Between two loads memory is not looked at.
 *
 * AMD with nested paging (APM2 15.25.10): they are not loaded but read on demand, by each walk;
 * a bad one is a page fault when it is used, and software cannot rely on anything while memory
 * differs from what was there when CR3 was written.  Without nested paging KVM's own walk does
 * what the SDM says for either vendor (svm_cache_reg(): "updated per SDM when moving to CRs").
 *
 * Pure: no I/O, no allocation.
 */
#ifndef KMC_PDPTE_H
#define KMC_PDPTE_H

#include "mmu_state.h"
#include "walk.h"

enum pdpte_by {
	BY_CR0, BY_CR3, BY_CR4, BY_EFER, BY_LMSW, BY_INVLPG, /* the guest's own instruction */
	BY_API,                                              /* see enum pdpte_api */
};

enum pdpte_api {
	API_RUN,            /* an exit and KVM_RUN */
	API_MEMSLOT,        /* a memslot elsewhere comes and goes */
	API_SREGS,          /* KVM_SET_SREGS of what KVM_GET_SREGS says */
	API_SREGS2,         /* the same with SREGS2, the PDPTEs not given */
	API_SREGS2_GIVEN,   /* changed PDPTEs are given, and memory keeps the old ones */
	API_COPY_SREGS,     /* to another vCPU */
	API_COPY_SREGS2,    /* with the PDPTEs that KVM_GET_SREGS2 says */
};

struct pdpte_event {
	const char *name;
	enum state_mode from;  /* MODE_PAE, or what is left with it */
	enum pdpte_by by;
	u64 prepared;          /* bits of CR0 that are set before */
	u64 toggles;           /* bits of the register that change */
	bool loads;
	enum pdpte_api api;
	const char *source;
};

extern const struct pdpte_event pdpte_events[];
extern const unsigned int nr_pdpte_events;

/* How a PDPTE in memory is changed. */
enum pdpte_change {
	CHANGE_OTHER,       /* to another page directory, as good as the first */
	CHANGE_ABSENT,      /* P = 0 */
	CHANGE_BIT,         /* one reserved bit more */
	CHANGE_ABSENT_BIT,  /* the same with P = 0: nothing is reserved then */
};

struct pdpte_case {
	const struct pdpte_event *event;
	u8 entry;
	enum pdpte_change change;
	u8 bit;
};

/* What the reserved bits are. */
u64 pdpte_reserved(const struct cpu_facts *cpu);
/* The changed PDPTE; good: as it was, other: another good one. */
u64 pdpte_changed(const struct pdpte_case *c, u64 good, u64 other);

enum pdpte_rule {
	PDPTE_LOADED,  /* the event succeeds, and the changed PDPTEs hold */
	PDPTE_REFUSED, /* #GP(0), or EINVAL from KVM_SET_SREGS; registers and PDPTEs stay */
	PDPTE_KEPT,    /* the event succeeds, and the old PDPTEs hold */
	PDPTE_EITHER,  /* on demand: it succeeds, and walks may use either */
	PDPTE_OPEN,    /* on demand and bad: it may be refused, too */
};
extern const char *const pdpte_rule_names[];

enum pdpte_rule pdpte_outcome(const struct cpu_facts *cpu, bool on_demand,
			      const struct pdpte_case *c, u64 value);

/*
 * Would the guest lose its own code by it?  Its code lies behind PDPTE 0.  Such cases cannot be
 * looked at from inside.
 */
bool pdpte_fatal(const struct cpu_facts *cpu, bool on_demand, const struct pdpte_case *c,
		 u64 value);

/* All cases of an event, numbered from 0: false behind the last. */
bool pdpte_case_nth(const struct cpu_facts *cpu, const struct pdpte_event *event, unsigned int n,
		    struct pdpte_case *c);

#define PDPTE_CASE_TEXT_LEN 40
/* "pdpte3,b40=1", "pdpte1,other" */
void pdpte_case_text(const struct pdpte_case *c, char text[PDPTE_CASE_TEXT_LEN]);

#endif
