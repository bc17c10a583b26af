/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TD, and the VMM that it has here: steps in, outcomes out.
 *
 * Two kinds of TD run the same payload (td_payload.h):
 *
 *   td            a real one: KVM_X86_TDX_VM
 *   emulated-td   an ordinary VM that is made to behave like one.  Test memory is two memslots,
 *                 at its address and at its address with the shared bit, and each page of the side
 *                 that it is not on has no access rights (mprotect) or no private attribute
 *                 (guest_memfd): KVM_RUN fails with EFAULT there, as on a TDX host.  TDCALL traps
 *                 and is answered as the TDX module and KVM would.  What memory does is real,
 *                 what TDCALL says is not: results of it never count as TDX's.
 */
#ifndef KMC_TD_GUEST_H
#define KMC_TD_GUEST_H

#include <pthread.h>

#include "td_memory.h"
#include "td_payload.h"
#include "vm.h"

#define TD_TEST_PAGES (TD_TEST_SIZE / TD_PAGE_SIZE)

enum td_kind { TD_REAL, TD_EMULATED, TD_EMULATED_MEMFD, NR_TD_KINDS };
extern const char *const td_kind_names[NR_TD_KINDS]; /* "td", "emulated-td", "emulated-td-memfd" */

/* What the VMM was told during one operation. */
struct td_log {
	u8 nr;
	u32 faults;
	struct td_exit exit[TD_MAX_EXITS];
};

struct td_vcpu {
	struct td_guest *td;
	struct vcpu *vcpu;
	u32 id;
	struct td_mailbox *box;
	struct td_log log[TD_BOX_MAX_OPS];
	u32 map_at, map_part; /* the operation that maps, and how many parts of it are done */
	bool booted;
	char stopped[160]; /* why the vCPU cannot go on; empty: it can */
	/* TD_EMULATED: a TDCALL that is not finished, a #VE that nobody asked about. */
	bool in_call, call_exited; /* the latter: the instruction itself was an exit, no #UD */
	gpa_t map_next, map_end;
	u32 spurious;
	bool ve_valid;
	u64 ve_gla, ve_gpa;
};

struct td_guest {
	enum td_kind kind;
	struct td_layout layout;
	struct vm *vm;
	u32 nr_vcpus;
	struct td_vcpu cpu[TD_MAX_VCPUS];
	u8 *low; /* TD_EMULATED: its memory from 0 */
	u8 *mailboxes;
	u8 *private_side, *shared_side; /* TD_TEST_SIZE bytes each; private: TD_EMULATED only */
	int gmem_fd;                    /* or -1 */
	pthread_mutex_t lock;           /* of all below */
	bool private[TD_TEST_PAGES];    /* what the VMM has made of a page */
	bool accepted[TD_TEST_PAGES];   /* TD_EMULATED */
	const char *cannot_boot;        /* NULL, or what KVM refused while the TD was made */
	s32 retry_at;
	u64 conversions; /* pages */
};

/* Skips where the host cannot make it; says in words what it lacks. */
struct td_guest *td_guest_create(enum td_kind kind, const struct td_layout *layout, u32 nr_vcpus);
void td_guest_free(struct td_guest *td);

/* A vCPU, from the reset vector to its mailbox.  NULL, or what came instead. */
const char *td_guest_boot(struct td_vcpu *v);

/* What came of a step. */
struct td_seen {
	struct td_outcome outcome;
	char other[160]; /* not empty: something that no outcome says */
};
void td_seen_text(const struct td_seen *seen, char text[TD_OUTCOME_LEN]);

/*
 * A vCPU, booted first if need be, makes nr steps.  Returns how many it came to make: fewer if
 * it cannot go on, and the
 * last one's outcome says so.
 */
u32 td_guest_run(struct td_vcpu *v, const struct td_step *steps, u32 nr, struct td_seen *seen);

/* Address bits that a guest on this host can have, as far as the kind goes; 0: as for any. */
bool td_width_possible(const struct host_card *card, enum td_kind kind,
		       const struct td_layout *layout, char why_not[120]);

#endif
