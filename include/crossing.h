/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses that cross a page boundary between two entries with different results.
 *
 * What the manuals say.  A fault leaves everything as it was before the instruction (SDM 3A
 * 6.5: faults; APM2 8.1): of a store whose second half faults nothing is stored.  CR2 is the
 * address that could not be translated (SDM 3A 4.7, 6.15): in the second page its first byte.
 * Where both halves fault it is open which is reported, and what a fault leaves of accessed
 * and dirty bits in the half that did not fault is open, too (SDM 3A 4.8: A may be set for
 * accesses that do not complete).  A string instruction with REP is as many accesses as it has
 * bytes: what was moved before the fault stays moved, and RCX, RSI and RDI say how far it got.
 */
#ifndef KMC_CROSSING_H
#define KMC_CROSSING_H

#include "engine.h"

/* Tables in which such entries stand side by side; the caller frees it with guest_free(). */
struct guest *crossing_guest(void);

/*
 * In this state, by an engine whose guest code is plain or forced: every pair of entries at
 * each level, read and written by every actor with one instruction, and as source and target
 * of REP MOVSB.  Reports what differs from the manuals.
 */
void crossing_run(struct guest *guest, const struct engine *engine,
		  const struct mmu_state *state);

#endif
