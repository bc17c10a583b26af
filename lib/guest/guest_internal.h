/* SPDX-License-Identifier: GPL-2.0-only */
/* What guest.c, tables.c, agent.c and script.c share. */
#ifndef KMC_GUEST_INTERNAL_H
#define KMC_GUEST_INTERNAL_H

#include "guest.h"
#include "kvm_stats.h"

/*
 * So many windows of guest->timeout_ms without anything finished are a hang.  One proves
 * nothing: the machine itself may have stood still, as emulated ones do.
 */
#define HANG_WINDOWS 2

/* lib/guest/hang.c: the vCPU under a batch, watched in windows of CPU time. */
struct hang {
	u32 *like, bit;         /* of guest->hung: have such batches hung before? */
	const struct kvm_stats *stats; /* if they have, and there are any; or NULL */
	unsigned int window_ms;
	u32 windows, idle;      /* so many without progress are a hang; so far */
	u64 exits;              /* at the last progress */
};

void hang_begin(struct hang *hang, struct guest *guest, const struct agent_batch *batch);
/* A window has passed.  Is it a hang? */
bool hang_seen(struct hang *hang, bool progress);

void tables_init(struct guest *guest, enum table_area area,
		 struct variant_list (*variants)[MAX_LEVELS + 1]);
u32 tables_levels(const struct table_image *t, struct agent_level *levels);
/* CARE_BEHIND, when the batch is over: guest_path_ad() of each case, to its result, which has none yet. */
void tables_tell_ad(const struct guest *guest, const struct agent_batch *batch,
		    struct agent_result *results);

/* lib/guest/front.c: gives each variant of a list a slot before it that may be executed. */
void front_interleave(const struct table_shape *shape, int level, enum page_front front,
		      struct variant_list *list);
/* The entry of a table's last slot, or 0 where that slot is not free. */
u64 front_last_entry(const struct table_image *t, int level, enum page_front front,
		     unsigned int *slot);

/* Descriptor tables and TSSs, written once. */
void descriptors_init(u8 *ram);

/* Guest address of a label of the agent's code (supervisor alias). */
extern const u8 agent_start[], agent_end[];
#define AGENT_ADDR(label) ((u64)((label) - agent_start) + AGENT_CODE)

/* All registers of a state; careful: with the handlers that lead back to a driver. */
struct kvm_sregs state_sregs(const struct guest *guest, const struct mmu_state *state, u8 cpl,
			     bool careful, bool bare);
/* Puts the vCPU into it; PKRU can only be loaded by the guest itself. */
void enter_state(struct guest *guest, const struct kvm_sregs *sregs,
		 const struct mmu_state *state, int *error);
/* The agent's code for one access; what a way does not do is NULL. */
struct agent_code {
	const u8 *loop, *next; /* of a fast batch, and where it goes on behind a fault */
	u8 loop_skip;          /* bytes from loop to the instruction that faults */
	const u8 *careful;     /* the access alone, which a driver jumps to */
	u8 careful_skip;
	bool swapped;          /* faults with DI and BX exchanged */
};

const struct agent_code *agent_code(enum agent_via via, enum agent_access access, bool code64);
/* The code that makes a careful access, and the one that ends it with an exception. */
u64 agent_stub(enum agent_via via, enum agent_access access, bool code64);
u64 agent_return_stub(bool code64);
/* Did the agent itself exit? */
bool agent_is_done(const struct vcpu *vcpu, u32 exit);
/* What is to be known about any other exit. */
u64 agent_exit_detail(struct vcpu *vcpu, u32 exit, int error);

#endif
