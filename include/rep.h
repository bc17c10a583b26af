/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * REP MOVSB, natively or behind the forced-emulation prefix: an instruction that may fault
 * half-way, and what is in the registers then: they are such that the instruction goes on where
 * it was stopped when it is executed again (SDM 2B REP).
 */
#ifndef KMC_REP_H
#define KMC_REP_H

#include "guest.h"

struct rep_end {
	bool done;        /* all bytes moved; else: */
	u32 exit;         /* the agent's own (KVM_EXIT_IO) behind an exception, or what else */
	u32 vector, error;
	u64 rip, cr2;     /* RIP: of the instruction as the exception reports it */
	u64 cx, si, di;   /* in either case */
};

/* In the state, as the actor and by the via of a batch. */
void rep_movsb(struct guest *guest, const struct agent_batch *how, gva_t from, gva_t to,
	       u32 count, struct rep_end *end);
/* RIP of the instruction itself: what a fault reports. */
u64 rep_rip(const struct agent_batch *how);

#endif
