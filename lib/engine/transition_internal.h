/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of transition.h share: stops of a script, and what became of them. */
#ifndef KMC_TRANSITION_INTERNAL_H
#define KMC_TRANSITION_INTERNAL_H

#include "transition.h"

/* One access of a script: whose case it is, where it is made, where the vCPU came from. */
struct probe {
	u16 state, after; /* indices into sets->state; after: or */
#define ENTERED 0xffff    /* by KVM_SET_SREGS, as every script begins */
	const struct transition_path *path; /* that led here, if it was one */
	u32 wcase;        /* index into sets->cases */
	bool software;    /* made by KVM's emulator */
};

/* A script of stops, and what its results mean. */
struct stops {
	struct script script;
	u32 nr_pairs;     /* transitions in it */
	u32 nr_probes;
	const struct transition_path *path; /* leads to the stops to be added */
	bool no_software; /* at the stops to be added */
	struct probe probe[SCRIPT_MAX_RESULTS];
};

/* Starts an empty script. */
void stops_begin(struct journey *journey, struct stops *stops);
/*
 * Adds the accesses of a stop: the state's own set, and that of the next stop where both
 * walk the same tables.
 */
void stops_add(struct journey *journey, struct stops *stops, unsigned int state,
	       unsigned int after, unsigned int next);

/* As path_guest, with these bits of EFER set all the while. */
void path_guest_add(struct script *script, const struct mmu_state *from,
		    const struct mmu_state *to, u64 efer);

/* An INIT is pending. */
void path_init_latch(struct journey *journey);
/* What the guest noted behind it, in that state (include/boot.h). */
struct boot_notes;
void path_init_check(const struct boot_notes *notes, const struct mmu_state *from);
/* On the way from a state to another by j->path the VMM saw this. */
void journey_report_way(const struct journey *journey, const struct mmu_state *from,
			const struct mmu_state *to, const char *expected, const char *observed);

/* Compares the results of a script that ran; reports what differs. */
void stops_check(struct journey *journey, const struct stops *stops,
		 const struct script_end *end);

/* journey_enter() of a path with in_vmx_l2; out of L2 again, if the vCPU is in it. */
void path_vmx_l2_enter(struct journey *journey, const struct mmu_state *state);
void path_vmx_l2_leave(struct journey *journey);

#endif
