/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Refusals: what must not be written to CR0, CR3, CR4 and EFER is refused, by the guest's
 * own instructions and through KVM's API, and leaves everything as it was.
 *
 * An attempt is one write (or, with KVM_SET_SREGS, one new state) from one start state.  The
 * model (include/legal_regs.h) says what must come of it.  "Refused" is #GP(0) for an
 * instruction, EINVAL for KVM_SET_SREGS and KVM_SET_SREGS2, and 0 MSRs set for KVM_SET_MSRS.
 * Legal writes are tried, too, as far as the guest can go on behind them: where nothing is
 * accepted, refusing proves nothing.
 *
 * Afterwards the registers are read, by the guest or with KVM_GET_SREGS, and the guest makes
 * accesses that tell its state from others (include/witness_set.h).
 */
#ifndef KMC_REFUSAL_H
#define KMC_REFUSAL_H

#include "legal_regs.h"
#include "script.h"
#include "witness_set.h"

enum refusal_way {
	WAY_SREGS,
	WAY_SREGS2,
	WAY_SET_MSRS,
	WAY_MOV_CR0,
	WAY_MOV_CR3,
	WAY_MOV_CR4,
	WAY_WRMSR,
	NR_REFUSAL_WAYS,
};

struct refusal_way_info {
	const char *name;         /* "mov-cr4": the first part of a case id */
	bool by_guest;
	enum control_reg reg;     /* that is written; KVM_SET_SREGS writes them all */
};

extern const struct refusal_way_info refusal_ways[NR_REFUSAL_WAYS];

static inline bool way_is_sregs(enum refusal_way way)
{
	return way == WAY_SREGS || way == WAY_SREGS2;
}

/* Where the PDPTEs of an attempt lie. */
enum pdpte_use {
	PDPTES_NONE,    /* the suite's own, untouched */
	PDPTES_AT_CR3,  /* in memory at the CR3 to be loaded */
	PDPTES_CHANGED, /* in memory at the present CR3, changed behind the CPU's back */
	PDPTES_GIVEN,   /* in struct kvm_sregs2 */
};

#define NOTHING_HIDDEN (-1)
/* As if one more control bit were hidden: MAXPHYADDR is no more than NARROW_WIDTH bits. */
#define NARROW_CPU 63
#define NARROW_WIDTH 36

struct attempt {
	char name[56];               /* "la57=1": the last part of the case id */
	struct legal_regs from, to;
	int hidden;                  /* index into control_bits, NARROW_CPU or NOTHING_HIDDEN */
	enum pdpte_use pdptes;
	u64 pdpte[4];
	struct legal_verdict verdict;
};

/* PDPTEs of attempts, in memory that nothing else of the guest's uses. */
#define REFUSAL_PDPT 0xf0000
_Static_assert(TABLE_AREAS + NR_TABLE_AREAS * TABLE_AREA_SIZE <= REFUSAL_PDPT &&
		       REFUSAL_PDPT + 0x1000 <= AGENT_CASES,
	       "REFUSAL_PDPT");

/* What the attempts of a state depend on. */
struct attempt_context {
	enum refusal_way way;
	struct mmu_state state;
	struct legal_regs from;             /* registers of the state */
	u64 pdpte[4];                       /* of the state, under PAE paging or for nopg */
	const struct legal_cpu *cpu;        /* of a vCPU with all that KVM supports */
	const struct legal_cpu *hidden;     /* of one without control_bits[i]; [NARROW_CPU] */
	const bool *can_hide;               /* is there such a vCPU? */
	bool lme_needs_pae;                 /* see struct guest */
	unsigned int left_out;              /* attempts that this host would not survive */
};

#define MAX_ATTEMPTS 2048
/* All attempts of a way from a state; returns how many. */
unsigned int attempts_make(struct attempt_context *context, struct attempt list[MAX_ATTEMPTS]);

/* What came of an attempt. */
struct attempt_outcome {
	enum { ATTEMPT_ACCEPTED, ATTEMPT_REFUSED, ATTEMPT_ELSE } how;
	char text[64];            /* ATTEMPT_ELSE: "exit SHUTDOWN 0" */
	struct legal_regs after;  /* registers read afterwards */
	const char *more;         /* NULL, or what else differs from before */
};

#define ATTEMPT_TEXT_LEN 256
/*
 * Is that what the verdict demands?  Both sides as text: "refused => accepted".  mask: the
 * bits of registers that were read.
 */
bool attempt_judge(const struct attempt *attempt, const struct attempt_outcome *outcome, u64 mask,
		   char expected[ATTEMPT_TEXT_LEN], char observed[ATTEMPT_TEXT_LEN]);

struct refusal_rig;

/* The states that attempts start from; they must stay. */
struct refusal_rig *refusal_rig_create(const struct mmu_state *states, unsigned int nr_states);
void refusal_rig_free(struct refusal_rig *rig);
/* NULL, or what the host lacks for this way. */
const char *refusal_way_lacks(struct refusal_rig *rig, enum refusal_way way);

/*
 * Makes all attempts of a way from state nr and reports those that did not end as they must.
 * Returns how many.  only: NULL, or the id of the one that is made, and told of in full.
 * after: NULL, or the last part of the id of one that is made before: what it left behind may
 * be what goes wrong.
 */
unsigned int refusals_run(struct refusal_rig *rig, enum refusal_way way, unsigned int nr,
			  const char *only, const char *after);

#endif
