/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of refusals share. */
#ifndef KMC_REFUSAL_INTERNAL_H
#define KMC_REFUSAL_INTERNAL_H

#include "refusal.h"

#define MAX_CONTROL_BITS (NARROW_CPU + 1)
#define MAX_WITNESSES 32

struct refusal_rig {
	struct guest *guest;
	const struct mmu_state *states;
	unsigned int nr_states;
	bool tdp;
	struct witness_sets *sets;
	struct kvm_cpuid2 *cpuid;
	struct legal_cpu cpu;
	/* vCPUs to which control_bits[i] is not offered, [NARROW_CPU]; made when first used. */
	struct vcpu *hidden[MAX_CONTROL_BITS];
	struct legal_cpu hidden_cpu[MAX_CONTROL_BITS];
	bool can_hide[MAX_CONTROL_BITS];
	bool ran;                   /* a script has run since KVM_SET_SREGS */

	/* The state under way. */
	struct mmu_state state;
	unsigned int nr;            /* its number */
	struct legal_regs regs;
	bool runs;                  /* the guest can run there at all */
	char why_not[EXIT_TEXT_LEN];
	unsigned int nr_witnesses;  /* those that are right without any attempt */
	u32 witness[MAX_WITNESSES]; /* indices into sets->cases */

	/* The subtest under way. */
	enum refusal_way way;
	struct attempt list[MAX_ATTEMPTS];
};

/* Accesses after each attempt, of the many that are made at the end of a list of them. */
#define FEW_WITNESSES 3

/*
 * Turns to a state, and finds out which accesses are right there.  Where that does not work,
 * it is tried again in a new VM.  0, an errno, or ENODATA if KVM_SET_SREGS accepts the state
 * and KVM_GET_SREGS tells of another one.
 */
int rig_go(struct refusal_rig *rig, unsigned int nr);
/* The vCPU that an attempt is made on. */
struct vcpu *rig_vcpu(struct refusal_rig *rig, const struct attempt *attempt);
/* Puts it into the attempt's start state, PDPTEs in memory included; 0 or an errno. */
int rig_enter(struct refusal_rig *rig, struct vcpu *vcpu, const struct attempt *attempt);
/*
 * Writes PDPTEs to the page at REFUSAL_PDPT, to where the attempt's CR3 says, and nothing
 * else there; with NULL good ones to its start.
 */
void rig_set_pdptes(struct refusal_rig *rig, const struct attempt *attempt);
/* Is this a legal write after which the same tables are walked? */
bool attempt_walks_on(const struct attempt *attempt);
/* The registers of interest. */
struct legal_regs rig_regs(const struct kvm_sregs *sregs);

/* Adds accesses of the state to a script: the first few witnesses, or all. */
unsigned int rig_add_witnesses(struct refusal_rig *rig, struct script *script, bool all);
/* NULL, or the first of the results from this one on that is wrong, as text. */
const char *rig_check_witnesses(struct refusal_rig *rig, u32 result, unsigned int nr);
/* Starts a script in the state, and at code of the state's size. */
void rig_begin(struct refusal_rig *rig, struct script *script);

/* What became of an attempt. */
struct made {
	struct attempt_outcome outcome;
	u64 mask;               /* of registers read */
	const char *walk;       /* NULL, or the access that was wrong afterwards */
};

/* By ioctl; the vCPU is in the start state, and is in it again if the state is unchanged. */
void refusal_by_api(struct refusal_rig *rig, struct vcpu *vcpu, const struct attempt *attempt,
		    struct made *made);
/* The guest goes on where it is and makes a few accesses: NULL, or the one that was wrong. */
const char *refusal_walk(struct refusal_rig *rig, struct vcpu *vcpu);
/*
 * By the guest, n attempts in one script, as far as each leaves everything as it was.  Returns
 * how many have an outcome.
 */
#define MAX_IN_SCRIPT 48
unsigned int refusal_by_guest(struct refusal_rig *rig, struct vcpu *vcpu,
			      const struct attempt *attempts, unsigned int n, struct made *made);

#endif
