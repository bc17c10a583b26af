/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared tables with chance in them: programs that nobody wrote, and vCPUs that really run at once. */
#ifndef KMC_MIXED_THREADS_H
#define KMC_MIXED_THREADS_H

#include "mixed_role.h"

/*
 * A scenario without steps gets some: scenario->rounds edits of entries that all its roles
 * share, each by any vCPU, flushed by everyone and looked at.  The same seed makes the same.
 */
void mixed_random_edits(struct shared_tables *shared, const struct mixed_scenario *scenario,
			const struct mixed_choice *choice);

/*
 * Four vCPUs in threads read, fetch and write while the VMM toggles dirty logging and deletes
 * and adds a slot, with the one contents and the other.  Each outcome must be one of those
 * that are right before or after; nothing may hang.  race: slots are added, too, while vCPUs
 * run; else these wait for that.
 */
void mixed_threads(struct shared_tables *shared, bool race, const struct mixed_choice *choice);
/* Its roles, and names for its cases: without and with race. */
extern const struct mixed_scenario mixed_threads_scenarios[2];

#endif
