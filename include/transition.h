/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transitions: a live vCPU goes from one register state to another, by some path, and
 * walks there as if it had never been anywhere else.
 *
 * A stop is a state that was arrived in.  There the guest makes the accesses of that
 * state's witness set (where KVM can be made to emulate them once more by KVM's own walker,
 * but for fetches: with EPT and NPT it is this one that a wrong role leads astray), and then those of the next stop's set as far as both states walk
 * the same tables: whatever KVM keeps from here is then there to be found wrong behind the
 * next transition.  Every access at every stop is compared with walk().
 *
 * What may survive a transition.  SDM 3A 4.10.4.1 and APM 2 5.5.2 let translations stay in
 * the TLB over MOV to CR0 that changes WP only, over WRMSR to EFER that changes NXE, and
 * over most of MOV to CR4; so every path by guest instructions that changes the state ends with MOV
 * to CR3, which drops all that is not global (no entry is: CR4.PGE = 0), or with a change
 * of CR0.PG.  KVM_SET_SREGS and its like are KVM's interface, not the CPU's: the state
 * afterwards is a state without history (Documentation/virt/kvm/api.rst has no exception),
 * and nothing is flushed by the suite.  RSM, INIT and a new vCPU leave an empty TLB.
 */
#ifndef KMC_TRANSITION_H
#define KMC_TRANSITION_H

#include "case.h"
#include "report.h"
#include "script.h"
#include "witness_set.h"

struct journey;

/* A way to get from one state to another. */
struct transition_path {
	const char *name;
	const char *does;  /* one line */
	/* Which pairs there are: all, or those that applies() names. */
	bool all_pairs;
	bool (*applies)(const struct mmu_state *from, const struct mmu_state *to);
	/* NULL, or why this host has no such path. */
	const char *(*lacks)(struct journey *journey);
	/* The vCPU that is to be in state from, made when first asked for; NULL: the guest's own. */
	struct vcpu *(*vcpu)(struct journey *journey);
	/* by_vmm exchanges the vCPU: what is kept may be in another VM. */
	bool other_vcpu;
	/*
	 * NULL, or where by_vmm leads to instead of state to: from there the guest goes on by
	 * itself, as on path_guest, behind the accesses of that state.
	 */
	const struct mmu_state *lands_in;
	/*
	 * Nested virtualization: the path begins in L2, with L1 in the state that outer() names,
	 * from where by_guest of into leads to state from; the path itself may lead elsewhere.
	 */
	const struct mmu_state *(*outer)(const struct mmu_state *from, const struct mmu_state *to);
	const struct transition_path *into;
	/*
	 * The way back, by the guest, if a step leads there and back again: from state "to" to
	 * state "from", or, for a path that begins in L2, to L1's state.
	 */
	const struct transition_path *back;
	/*
	 * A way back has it if it is told apart by what happened in L2 before: that path, by which
	 * the VMM leads from L2's state to the same.  A replay does it first.
	 */
	const struct transition_path *meanwhile;
	bool tdp; /* in L2, there is nested paging */
	/* VMX: the script is L2's, which L1 enters at once; it ends in L2. */
	bool in_vmx_l2;
	/*
	 * One of the two.  by_guest adds the operations with which the guest goes by itself.
	 * by_vmm has journey->vcpu, which is in state from, start the interpreter in state to
	 * with its next KVM_RUN; on the way it may exchange the vCPU.
	 */
	void (*by_guest)(struct script *script, const struct mmu_state *from,
			 const struct mmu_state *to);
	void (*by_vmm)(struct journey *journey, const struct mmu_state *from,
		       const struct mmu_state *to);
};

extern const struct transition_path path_sregs, path_sregs2, path_sync_regs, path_set_msr;
extern const struct transition_path path_guest, path_pae_toggle, path_task_switched;
extern const struct transition_path path_guest_forced, path_task_switched_forced;
extern const struct transition_path path_copy_vcpu, path_copy_vm;
extern const struct transition_path path_init, path_init_apic;
extern const struct transition_path path_smm, path_smm_same, path_smm_moved, path_smm32;
extern const struct transition_path path_cpuid, path_cpuid_late;
extern const struct transition_path path_vmrun, path_vmrun_tdp, path_vmexit, path_vmexit_tdp;
extern const struct transition_path path_l2_guest, path_l2_guest_tdp, path_l2_sregs;
extern const struct transition_path path_l2_sregs_tdp, path_l2_smm, path_l2_smm_tdp;
extern const struct transition_path path_vmx_l2_guest, path_vmx_l2_guest_tdp;
extern const struct transition_path path_vmx_l2_sregs, path_vmx_l2_sregs_tdp;
extern const struct transition_path path_vmx_l2_smm_tdp;
extern const struct transition_path path_vmx_l2_init, path_vmx_l2_init_tdp;
extern const struct transition_path path_l2_init, path_l2_init_tdp, path_l2_left, path_l2_left_tdp;
extern const struct transition_path path_l2_init_exit, path_l2_init_exit_tdp;
extern const struct transition_path path_l2_smi_exit, path_l2_smi_exit_tdp;
extern const struct transition_path path_l2_left_msr, path_l2_left_msr_tdp;
/* By name among paths, which end with NULL, or NULL; ways back are found, too. */
const struct transition_path *transition_path_find(const struct transition_path *const *paths,
						   const char *name);
/* Operations of a script for a vCPU in the state that the path begins in, or L1 in outer(). */
void transition_path_start(struct script *script, const struct transition_path *path,
			   const struct mmu_state *from, const struct mmu_state *to);
const struct mmu_state *transition_path_outer(const struct transition_path *path,
					      const struct mmu_state *from,
					      const struct mmu_state *to);

/* A vCPU under way. */
struct journey {
	struct guest *guest;
	struct vcpu *vcpu;
	const struct transition_path *path;
	const struct witness_sets *sets;
	/* The states that this host can run, as indices into sets->state; by mode. */
	unsigned int nr_runnable[NR_STATE_MODES];
	u16 *runnable[NR_STATE_MODES];
	/* When each state was last left (0: never), to find what a mismatch was kept from. */
	u64 *visited, now;
	/*
	 * What KVM's emulator accesses (engine forced), as entries of the guest's list of
	 * accesses; nothing where this host lacks it.
	 */
	struct software_set {
		u32 first, nr;
	} *software;  /* per state */
	u32 *software_case;  /* index into sets->cases of each of them... */
	u32 software_first;  /* ...from this entry on */
	/* Counts since journey_create(); software: probes made by KVM's walker. */
	u64 pairs, probes, nr_software;
};

/* States and their witness sets must stay.  All states count as runnable. */
struct journey *journey_create(struct guest *guest, const struct witness_sets *sets);
void journey_free(struct journey *journey);

/*
 * Enters each state of a mode by KVM_SET_SREGS and makes the accesses of its set; reports
 * what is wrong.  A state in which the guest cannot even run is not runnable from then on.
 * States that the CPU lacks are counted in *missing.
 */
void journey_find_runnable(struct journey *journey, enum state_mode mode, unsigned int *missing);

/*
 * Goes through every ordered pair between two modes (or within one), both directions, on a
 * circuit of include/tour.h; for a path with applies() through the pairs it names, with
 * KVM_SET_SREGS in between where one does not follow the other.  Reports each access that
 * ended differently from the model.  Returns how many pairs were gone through.
 */
u64 journey_tour(struct journey *journey, enum state_mode a, enum state_mode b);

/* Which of its states this is, if it is runnable; else false. */
bool journey_find(const struct journey *journey, const struct mmu_state *state, unsigned int *i);

/* Puts the vCPU into a state: KVM_SET_SREGS and KVM_SET_REGS. */
void journey_enter(struct journey *journey, const struct mmu_state *state);

/*
 * --case ID --after STATE[:FROM] --path NAME --engine NAME: walks the case in its own state, in
 * STATE and in FROM (as far as those walk the same tables), takes the path from the last of them
 * and walks the case again, that time by the engine (native or forced).  Returns an exit code
 * (KSFT_*).
 */
int transition_replay(const struct test_options *options,
		      const struct transition_path *const *paths);

#endif
