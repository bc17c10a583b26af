// SPDX-License-Identifier: GPL-2.0-only
/*
 * When does a vCPU hang?  Not while it finishes cases.  One window without any proves nothing: the
 * machine itself may have stood still, as emulated ones do; two do.  Where batches made alike were seen
 * to hang, windows are shorter, and so many exits in which nothing is finished will do, too: with shadow
 * paging every state with SMAP has such batches (known issue kvm-shadow-smap-implicit-ac-hang), and
 * waiting for them was a third of walk_test's time.
 */
#include "guest_internal.h"

/* No case takes a tenth of that, and a machine that stands still makes no exits. */
#define MANY_EXITS 300
/* The second time windows are so many times shorter, and there are so many times more. */
#define AGAIN_SHORTER 25
#define AGAIN_MORE 5

static u64 exits_so_far(const struct hang *h)
{
	u64 exits = 0;

	return !h->stats || kvm_stats_get(h->stats, "exits", &exits) ? 0 : exits;
}

void hang_begin(struct hang *h, struct guest *guest, const struct agent_batch *batch)
{
	char why[STATS_WHY_LEN];

	*h = (struct hang){
		.like = &guest->hung[batch->via],
		/* Batches that are made alike but for the state hang alike. */
		.bit = 1u << (batch->access * 8 + (batch->careful ? 4 : 0) +
			      (batch->actor.cpl ? 2 : 0) + batch->actor.ac),
		.window_ms = guest->timeout_ms,
		.windows = HANG_WINDOWS,
	};
	if (!(*h->like & h->bit))
		return;
	if (!guest->stats)
		guest->stats = vcpu_stats_open(guest->vcpu, why);
	h->stats = guest->stats;
	h->window_ms /= AGAIN_SHORTER;
	h->windows *= AGAIN_MORE;
	h->exits = exits_so_far(h);
}

bool hang_seen(struct hang *h, bool progress)
{
	const u64 exits = exits_so_far(h);

	if (progress) {
		h->idle = 0;
		h->exits = exits;
		return false;
	}
	h->idle++;
	if (h->idle < h->windows && exits < h->exits + MANY_EXITS)
		return false;
	*h->like |= h->bit;
	return true;
}
