/* SPDX-License-Identifier: GPL-2.0-only */
/* What engines whose accesses exit to the VMM (string.c, mmio.c) share. */
#ifndef KMC_IO_ANSWERS_H
#define KMC_IO_ANSWERS_H

#include "guest.h"

/*
 * Stores.  The VMM hands out a word that is nowhere in memory and later looks which data page
 * holds it: what the guest's own load could tell would come from another walk.
 */
void stores_begin(void);
/* The word that case i stores. */
u32 stores_word(struct guest *guest, const struct agent_batch *batch, u32 i);
/* Puts the tags of the pages that were stored to into the results [first, end) that completed. */
void stores_settle(struct guest *guest, const struct agent_batch *batch,
		   struct agent_result *results, u32 first, u32 end);

/*
 * The n-th page to try when looking for that of case i: the one the model expects, then recently
 * found ones, then all.  What is there is told by memory alone; this saves questions.
 */
bool page_candidate(const struct guest *guest, const struct agent_batch *batch, u32 i, u32 n,
		    gpa_t *gpa);
void page_found(gpa_t gpa);

#endif
