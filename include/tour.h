/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tours: an order in which every ordered pair of states is gone through once.
 *
 * The states are the nodes of a complete directed graph and a tour is an Eulerian circuit
 * of it.  It comes in parts that are closed circuits themselves, so that a part can be run,
 * named and counted alone: the pairs within one group of nodes, and the pairs between two
 * groups in both directions.  All parts together hold each ordered pair of different nodes
 * once.  Pure: no I/O, no allocation.
 *
 * Within 0..n-1, the circuit goes up 0, 1, .. n-1 and then comes down; on its way down
 * each node i visits every node above i + 1 and returns.  Between two groups it visits
 * every left node in turn from right node 0, and each goes to all other right nodes and
 * back.  Either way a node is left for each other one right after it was entered from
 * another: what is kept from A meets all B.
 */
#ifndef KMC_TOUR_H
#define KMC_TOUR_H

#include "types.h"

/* Position in a circuit; a stop is a node's number, counted from 0 in its group. */
struct tour {
	bool between;     /* two groups; else the pairs within one */
	u32 left, right;  /* nodes in the groups; right is 0 within one */
	u32 node, next;   /* where the walk is */
	bool up, at_next, started;
};

struct tour_stop {
	bool in_right;   /* node of the second group */
	u32 node;
};

/* Pairs within a group of n nodes. */
void tour_within(struct tour *tour, u32 n);
/* Pairs between two groups, in both directions. */
void tour_between(struct tour *tour, u32 left, u32 right);
/* How many pairs this circuit goes through. */
u64 tour_pairs(const struct tour *tour);

/*
 * The next stop, or false behind the last one.  The first stop is where the circuit starts;
 * each further one completes a pair with the stop before it.  The last is the first again.
 */
bool tour_next(struct tour *tour, struct tour_stop *stop);

#endif
