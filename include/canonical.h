/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linear addresses at and around the bounds of canonical address space, for 48 and for 57
 * bits (SDM vol. 1 3.3.7.1, APM2 5.3.1).  is_canonical() is in walk.h.
 */
#ifndef KMC_CANONICAL_H
#define KMC_CANONICAL_H

#include "types.h"

#define MAX_CANONICAL_ADDRESSES 256

/*
 * Fills the list, in ascending order and without duplicates; returns how many.  Around each
 * bound: the last and first bytes on both sides, also those where an access of 4 or 8 bytes
 * straddles it; and each single bit above it that does not agree with the others.
 */
unsigned int canonical_addresses(gva_t list[MAX_CANONICAL_ADDRESSES]);

#endif
