// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tours: each ordered pair once, in steps that follow each other, closed; and the parts
 * together are the complete graph.  No KVM is involved.
 */
#include <stdio.h>
#include <string.h>

#include "tour.h"

#define MAX_NODES 64

static unsigned int number, failed;
/* How often the parts under test went from one node to another. */
static unsigned int went[MAX_NODES][MAX_NODES];

static void result(bool good, const char *what, u32 a, u32 b)
{
	printf("%sok %u %s %u %u\n", good ? "" : "not ", ++number, what, a, b);
	failed += !good;
}

/* Follows a circuit whose groups start at these nodes; true if it is closed and complete. */
static bool follow(struct tour *tour, u32 left_at, u32 right_at)
{
	struct tour_stop stop;
	u64 pairs = tour_pairs(tour), steps = 0;
	u32 first = 0, at = 0, node;
	bool started = false;

	while (tour_next(tour, &stop)) {
		node = stop.node + (stop.in_right ? right_at : left_at);
		if (node >= MAX_NODES)
			return false;
		if (started) {
			went[at][node]++;
			steps++;
		} else {
			first = node;
		}
		started = true;
		at = node;
	}
	return steps == pairs && (!started || at == first) && !tour_next(tour, &stop);
}

/* Every pair of different nodes below n was gone through once, and no node to itself. */
static bool complete(u32 n)
{
	u32 a, b;

	for (a = 0; a < MAX_NODES; a++)
		for (b = 0; b < MAX_NODES; b++)
			if (went[a][b] != (a < n && b < n && a != b))
				return false;
	return true;
}

static bool between_complete(u32 left, u32 right)
{
	u32 a, b, n = left + right;

	for (a = 0; a < n; a++)
		for (b = 0; b < n; b++)
			if (went[a][b] != ((a < left) != (b < left)))
				return false;
	return true;
}

/* All parts of a graph whose groups have these sizes. */
static bool parts_complete(const u32 *sizes, u32 nr)
{
	struct tour tour;
	u32 i, j, at, to, n = 0;
	bool good = true;

	memset(went, 0, sizeof(went));
	for (i = 0, at = 0; i < nr; at += sizes[i++]) {
		tour_within(&tour, sizes[i]);
		good &= follow(&tour, at, 0);
		for (j = i + 1, to = at + sizes[i]; j < nr; to += sizes[j++]) {
			tour_between(&tour, sizes[i], sizes[j]);
			good &= follow(&tour, at, to);
		}
		n += sizes[i];
	}
	return good && complete(n);
}

int main(void)
{
	static const u32 groups[] = { 3, 7, 1, 0, 5, 2 };
	struct tour tour;
	u32 n, m;
	bool good;

	printf("KTAP version 1\n1..%u\n", 12 + 36 + 1);
	for (n = 0; n < 12; n++) {
		memset(went, 0, sizeof(went));
		tour_within(&tour, n);
		good = follow(&tour, 0, 0);
		result(good && complete(n), "within", n, n);
	}
	for (n = 0; n < 6; n++)
		for (m = 0; m < 6; m++) {
			memset(went, 0, sizeof(went));
			tour_between(&tour, n, m);
			good = follow(&tour, 0, n);
			result(good && (!n || !m || between_complete(n, m)), "between", n, m);
		}
	result(parts_complete(groups, ARRAY_SIZE(groups)), "parts of a graph of", 6, 18);
	return failed != 0;
}
