/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of steps for shared tables: who maps, edits, flushes and looks, in which order.
 *
 * A scenario is data: the roles of its vCPUs, the linear addresses they look at, and steps.
 * LOOK is where things are compared: each vCPU reads, fetches and writes at each address, at
 * CPL 0 and 3, and every outcome, every value and, in the end, every byte of memory must be
 * what walk() makes of the host's copy of the tables.
 *
 * A program must flush where the manuals want it (SDM 3A 4.10.4, APM2 5.5.2): after an
 * entry lost rights, was cleared or leads somewhere else, an address may be stale until the
 * vCPU itself did INVLPG, MOV to CR3, or MOV to CR4 that changes PGE (4.10.4.1).  In between only TOUCH may be used, which compares
 * nothing.  With CR4.PCIDE=1 what it did must have been for the PCID it looks with: MOV to CR3 with
 * bit 63 flushes nothing, INVLPG and MOV to CR3 only what belongs to the PCID in, or put into, CR3.  An entry that becomes present needs no flush (4.10.4.3), and neither does what
 * the VMM does to memslots: KVM must see to it.
 */
#ifndef KMC_MIXED_ROLE_H
#define KMC_MIXED_ROLE_H

#include "shared_tables.h"

enum mixed_op {
	MIXED_PUT,       /* the VMM writes size bytes of value at gpa */
	MIXED_SET,       /* the vCPU does, through the window */
	MIXED_STORE,     /* the vCPU stores value at linear address gpa: wide, see seat.h */
	MIXED_INVLPG,    /* each vCPU of the mask: INVLPG of gpa */
	MIXED_FLUSH,     /* ... MOV to CR3 of its root */
	MIXED_CR3,       /* ... MOV to CR3 of its root of set value, which it has from now on, and of gpa, the PCID and bit 63 */
	MIXED_PGE,       /* ... MOV to CR4 that changes PGE, and another that changes it back */
	MIXED_PCIDE,     /* ... MOV to CR4 that changes PCIDE; to set it, the PCID must be 0 */
	MIXED_INVPCID,   /* ... INVPCID of type size for PCID value, address gpa */
	MIXED_ROOT,      /* ... has the root of set value from now on, by KVM_SET_SREGS */
	MIXED_LOOK,      /* ... looks at all addresses */
	MIXED_TOUCH,     /* ... reads them, and nothing is compared */
	MIXED_DELETE,    /* region value goes */
	MIXED_ADD,       /* region value comes, contents gpa, size 1: read-only */
	MIXED_MOVE,      /* region value moves to gpa */
	MIXED_LOG,       /* region value: dirty logging on (gpa 1) or off (0) */
	MIXED_CHECK_LOG, /* region value: the log must hold what was written; gpa 1: and mapped */
	MIXED_DROP,      /* the host takes the page's memory: it is zero now */
	MIXED_MIGRATE,   /* the page goes to another NUMA node */
	NR_MIXED_OPS,
};

struct mixed_step {
	u8 op;
	u8 seat;  /* a vCPU's number, or a mask of them */
	u8 size;
	u64 gpa, value;
};

#define EVERYONE 0xff
#define PUT8(table, i, entry) { MIXED_PUT, 0, 8, (table) + 8 * (i), (entry) }
#define PUT4(table, i, entry) { MIXED_PUT, 0, 4, (table) + 4 * (i), (entry) }
#define SET8(vcpu, table, i, entry) { MIXED_SET, vcpu, 8, (table) + 8 * (i), (entry) }
#define SET4(vcpu, table, i, entry) { MIXED_SET, vcpu, 4, (table) + 4 * (i), (entry) }
#define STORE(vcpu, gva, word) { MIXED_STORE, vcpu, 0, (gva), (word) }
#define INVLPG(mask, gva) { MIXED_INVLPG, mask, 0, (gva), 0 }
#define FLUSH(mask) { MIXED_FLUSH, mask, 0, 0, 0 }
#define CR3(mask, set) { MIXED_CR3, mask, 0, 0, set }
#define CR3_PCID(mask, set, pcid) { MIXED_CR3, mask, 0, (pcid), set }
#define CR3_KEEP(mask, set, pcid) { MIXED_CR3, mask, 0, X86_CR3_KEEP | (pcid), set }
#define PCIDE(mask) { MIXED_PCIDE, mask, 0, 0, 0 }
#define INVPCID(mask, type, pcid, gva) { MIXED_INVPCID, mask, INVPCID_##type, (gva), (pcid) }
#define PGE(mask) { MIXED_PGE, mask, 0, 0, 0 }
#define ROOT(mask, set) { MIXED_ROOT, mask, 0, 0, set }
#define LOOK(mask) { MIXED_LOOK, mask, 0, 0, 0 }
#define TOUCH(mask) { MIXED_TOUCH, mask, 0, 0, 0 }
#define DELETE(region) { MIXED_DELETE, 0, 0, 0, region }
#define ADD(region, contents) { MIXED_ADD, 0, 0, contents, region }
#define ADD_READONLY(region, contents) { MIXED_ADD, 0, 1, contents, region }
#define MOVE(region, to) { MIXED_MOVE, 0, 0, to, region }
#define LOG(region, on) { MIXED_LOG, 0, 0, on, region }
#define CHECK_LOG(region) { MIXED_CHECK_LOG, 0, 0, 0, region }
#define CHECK_LOG_MAPPED(region) { MIXED_CHECK_LOG, 0, 0, 1, region }
#define DROP(page) { MIXED_DROP, 0, 0, page, 0 }
#define MIGRATE(page) { MIXED_MIGRATE, 0, 0, page, 0 }

/* The PD TABLE(1) at 0x40000000, with PAE paging and in long mode; with a PT, TABLE(0), there. */
#define MAP_PD PUT8(ROOT_PAE(0), 1, TABLE(1) | E_PAE), PUT8(ROOT_PDPT(0), 1, TABLE(1) | E_RW)
#define MAP_PD_AND_PT MAP_PD, PUT8(TABLE(1), 0, TABLE(0) | E_RW)

struct mixed_role {
	const char *state; /* include/mmu_state.h */
	u8 set;            /* of roots */
};

struct mixed_scenario {
	const char *name;
	struct mixed_role role[MAX_SEATS];   /* up to the first without a state */
	const gva_t *gvas;                   /* page-aligned, ends with 0 */
	const struct mixed_step *steps;
	u32 nr_steps;
	bool pcid;       /* needs a CPU with PCIDs */
	u32 rounds;      /* the first in natural order, the others shuffled; 0: one */
	const char *opt_in; /* NULL, or what it endangers: only with KMC_DANGEROUS=1 */
};

#define MIXED_STEPS(array) .steps = array, .nr_steps = ARRAY_SIZE(array)

/* What is asked for. */
struct mixed_choice {
	u64 seed;         /* of orders and edits that are left to chance */
	/*
	 * NULL, or the id of the one case that counts and is told of in full: the scenario
	 * runs up to it as it always does, and what else goes wrong is not reported.
	 */
	const char *only;
};

/* A scenario under way. */
struct mixed {
	struct shared_tables *shared;
	const struct mixed_scenario *scenario;
	struct mixed_choice choice;
	bool reached; /* the case that was asked for */
	u32 step, round;
	u32 stored;   /* each store has a word of its own */
	u64 random;
	u32 failed, printed;
};

/* From within a subtest.  Skips without two vCPUs that can run in their roles. */
void mixed_run(struct shared_tables *shared, const struct mixed_scenario *scenario,
	       const struct mixed_choice *choice);
/* Has a case this id if it is the scenario's? */
bool mixed_holds_case(const struct mixed_scenario *scenario, const char *id);

/* PCIDs and INVPCID? */
bool mixed_offers_pcid(const struct guest *guest);
/* One of the steps that flush: INVLPG to INVPCID (lib/engine/mixed_flush.c). */
void mixed_flush(struct mixed *m, const struct mixed_step *step);
/* The parts of it: roles assigned and probed, round begun, one step. */
void mixed_begin(struct mixed *m, struct shared_tables *shared,
		 const struct mixed_scenario *scenario, const struct mixed_choice *choice);
void mixed_begin_round(struct mixed *m);
void mixed_do(struct mixed *m, const struct mixed_step *step);
void mixed_end_round(struct mixed *m);
u64 mixed_random(struct mixed *m);
/* Is this case to be reported?  Then, if it is the only one, there is nothing more to do. */
bool mixed_wants(struct mixed *m, const char *id);
bool mixed_should_stop(const struct mixed *m);
/* May the host be endangered? KMC_DANGEROUS=1 in the environment. */
bool mixed_opted_in(void);

/* One operation of a vCPU, expected, made and (compare) compared.  value: what is stored. */
void mixed_access(struct mixed *m, struct seat *seat, u8 cpl, enum seat_op op, gva_t gva,
		  u64 value, bool compare);
/* Something that is no access went wrong; id_fmt makes the end of its id. */
void mixed_failure(struct mixed *m, const char *what, const char *expected,
		   const char *observed);
/* "SET vcpu 1 0x3040028 = 0x30c0067" */
#define MIXED_STEP_TEXT_LEN 96
void mixed_step_text(const struct mixed_step *step, char text[MIXED_STEP_TEXT_LEN]);

#endif
