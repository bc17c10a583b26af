/* SPDX-License-Identifier: GPL-2.0-only */
/* What guest.c, tables.c and agent.c share. */
#ifndef KMC_GUEST_INTERNAL_H
#define KMC_GUEST_INTERNAL_H

#include "guest.h"

void tables_init(struct guest *guest, enum table_area area,
		 struct variant_list (*variants)[MAX_LEVELS + 1]);
u32 tables_levels(const struct table_image *t, struct agent_level *levels);

/* Descriptor tables and TSSs, written once. */
void descriptors_init(u8 *ram);

/* Guest address of a label of the agent's code (supervisor alias). */
extern const u8 agent_start[], agent_end[];
#define AGENT_ADDR(label) ((u64)((label) - agent_start) + AGENT_CODE)

#endif
