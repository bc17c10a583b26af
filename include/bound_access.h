/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses in 64-bit code at any linear address, canonical or not, also through the stack
 * segment: the agent's own loops cannot have RSP or RBP anywhere else.
 *
 * A list of cases in guest memory; a driver goes from one to the next.  A case of user code
 * ends in an exception, on a stack of its own: INT3 behind the access, or what the access
 * itself raises.  A branch meets INT3 at its target.  Included by assembly too.
 */
#ifndef KMC_BOUND_ACCESS_H
#define KMC_BOUND_ACCESS_H

#include "agent.h"

/* Guest physical memory, beside that of agent.h; cases and results lie where batches have them. */
#define BOUND_CODE 0x1c000
#define BOUND_CODE_SIZE 0x1000
#define BOUND_IDT 0x1d000
#define BOUND_NOTE_CASE 0x1d800   /* the case under way, its result, how many are left */
#define BOUND_NOTE_RESULT 0x1d808
#define BOUND_NOTE_LEFT 0x1d810

/* What every byte of a data page holds: INT3, so that it can be run from anywhere. */
#define BOUND_FILL 0xcc

/* struct bound_case, byte offsets */
#define BOUND_GVA 0
#define BOUND_STUB 8
#define BOUND_CS 16
#define BOUND_SS 24
#define BOUND_SP 32
#define BOUND_SIZE 40

#ifndef __ASSEMBLER__
#include "guest.h"

enum bound_kind {
	BOUND_READ,        /* MOV from memory, base RBX */
	BOUND_WRITE,
	BOUND_JMP,         /* near branches to the address */
	BOUND_CALL,
	BOUND_RET,
	BOUND_STACK_READ,  /* MOV, base RBP: the stack segment */
	BOUND_STACK_WRITE,
	BOUND_PUSH,        /* with RSP such that the 8 bytes at the address are touched */
	BOUND_POP,
	NR_BOUND_KINDS,
};
extern const char *const bound_kind_names[NR_BOUND_KINDS];

/* As the walkers take it. */
struct walk_access bound_access(enum bound_kind kind, u8 cpl, gva_t gva);

struct bound_case {
	u64 gva, stub, cs, ss, sp;
};

/* Tables of the guest in which every address maps DATA_PAGE; for guest_create(). */
void bound_lists(struct variant_list lists[NR_TABLE_AREAS][MAX_LEVELS + 1]);
/* Puts code and handlers into guest memory and fills DATA_PAGE.  Once per guest. */
void bound_install(struct guest *guest);

/*
 * Makes accesses of one kind in a 64-bit state.  results[i].status is STATUS_DONE,
 * STATUS_FAULT + vector or STATUS_EXIT + reason (or STATUS_NOT_RUN after a hang).
 */
void bound_run(struct guest *guest, const struct mmu_state *state, enum bound_kind kind, u8 cpl,
	       const gva_t *gvas, u32 nr, struct agent_result *results);

/* Where RIP of a fault must point: the instruction that makes the access, or branches. */
u64 bound_fault_rip(enum bound_kind kind, u8 cpl);
/* A branch whose target cannot be fetched reports the target. */
static inline bool bound_is_branch(enum bound_kind kind)
{
	return kind >= BOUND_JMP && kind <= BOUND_RET;
}
#endif

#endif
