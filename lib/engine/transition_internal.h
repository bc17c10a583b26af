/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of transition.h share: stops of a script, and what became of them. */
#ifndef KMC_TRANSITION_INTERNAL_H
#define KMC_TRANSITION_INTERNAL_H

#include "transition.h"

/* One access of a script: whose case it is, where it is made, where the vCPU came from. */
struct probe {
	u16 state, after; /* indices into sets->state; after: or */
#define ENTERED 0xffff    /* by KVM_SET_SREGS, as every script begins */
	u32 wcase;        /* index into sets->cases */
	bool software;    /* made by KVM's emulator */
};

/* A script of stops, and what its results mean. */
struct stops {
	struct script script;
	u32 nr_pairs;     /* transitions in it */
	u32 nr_probes;
	struct probe probe[SCRIPT_MAX_RESULTS];
};

/* Starts an empty script for a vCPU that will be in this state. */
void stops_begin(struct journey *journey, struct stops *stops, unsigned int state);
/*
 * Adds the accesses of a stop: the state's own set, and that of the next stop where both
 * walk the same tables.
 */
void stops_add(struct journey *journey, struct stops *stops, unsigned int state,
	       unsigned int after, unsigned int next);

/* Compares the results of a script that ran; reports what differs. */
void stops_check(struct journey *journey, const struct stops *stops,
		 const struct script_end *end);

#endif
