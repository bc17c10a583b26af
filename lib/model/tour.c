// SPDX-License-Identifier: GPL-2.0-only
/* Tours of a complete graph: see include/tour.h. */
#include "tour.h"

void tour_within(struct tour *tour, u32 n)
{
	*tour = (struct tour){ .left = n, .up = true };
}

void tour_between(struct tour *tour, u32 left, u32 right)
{
	*tour = (struct tour){ .between = true, .left = left, .right = right };
}

u64 tour_pairs(const struct tour *tour)
{
	if (tour->between)
		return 2ull * tour->left * tour->right;
	return tour->left ? (u64)tour->left * (tour->left - 1) : 0;
}

/* Up to the last node; then at each node below: it, and every node above the next and back. */
static bool next_within(struct tour *tour, struct tour_stop *stop)
{
	if (tour->up) {
		if (tour->started)
			tour->node++;
		stop->node = tour->node;
		tour->up = tour->node + 1 < tour->left;
		tour->next = tour->left; /* the last node has none above it */
		return true;
	}
	if (tour->at_next) { /* back from a visit */
		tour->at_next = false;
		tour->next++;
		stop->node = tour->node;
		return true;
	}
	if (tour->next < tour->left) {
		tour->at_next = true;
		stop->node = tour->next;
		return true;
	}
	if (!tour->node)
		return false;
	tour->node--;
	tour->next = tour->node + 2;
	stop->node = tour->node;
	return true;
}

/* From right node 0 to each left node; there to every other right node and back. */
static bool next_between(struct tour *tour, struct tour_stop *stop)
{
	if (!tour->started) {
		tour->at_next = true;
		*stop = (struct tour_stop){ true, 0 };
		return true;
	}
	if (tour->at_next) { /* at a right node: to the left one, which is new after node 0 */
		if (tour->node == tour->left)
			return false;
		tour->at_next = false;
		stop->node = tour->node;
		tour->next++;
		return true;
	}
	tour->at_next = true;
	if (tour->next < tour->right) {
		*stop = (struct tour_stop){ true, tour->next };
		return true;
	}
	tour->node++;
	tour->next = 0;
	*stop = (struct tour_stop){ true, 0 };
	return true;
}

bool tour_next(struct tour *tour, struct tour_stop *stop)
{
	bool more;

	*stop = (struct tour_stop){ 0 };
	if (!tour_pairs(tour))
		return false;
	more = tour->between ? next_between(tour, stop) : next_within(tour, stop);
	tour->started = true;
	return more;
}
