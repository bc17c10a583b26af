// SPDX-License-Identifier: GPL-2.0-only
/*
 * The l2 engines: the agent runs inside L2, where L1 is a few instructions of the suite's (l1.h).
 *
 * l2      without nested paging: L2's CR3 holds an L1-physical address.  Where KVM has NPT
 *         itself, L2 uses it as L1 does; where it shadows, it shadows L2's tables.
 * l2-tdp  with nested paging, NPT or EPT: the CPU walks L2's tables, and KVM shadows the
 *         nested tables that L1 made, which map all memory one to one by 4-KByte pages.
 *
 * An exit to L1 for a nested page fault is no outcome that the cases have: a mismatch.
 */
#include "engine.h"
#include "l1.h"
#include "test_assert.h"

/*
 * The usual L1, but for an L2 with 32-bit paging on a KVM that shadows: INVLPG of such an L2
 * takes the whole host down if the L1 before it had roots that KVM keeps, those of long mode
 * (BUG_ON in shadow_walk_init_using_root(), docs/findings.md).
 */
static struct mmu_state l1_state(const struct guest *guest, const struct mmu_state *l2)
{
	const struct mmu_state pae = { MODE_PAE, FLAG_WP | FLAG_NX };
	enum paging_mode paging = state_modes[l2->mode].paging;

	/* An L1 for VMX is 64-bit code: it has no such L2, l1_cannot(). */
	if (guest->cpu.vendor == VENDOR_AMD && guest->vm->card.tdp != YES && (paging == PAGING_2LEVEL || paging == PAGING_PAE))
		return pae;
	return l1_usual_state;
}

static void run_in_l2(struct guest *guest, const struct agent_batch *batch, bool nested)
{
	struct agent_batch inside = *batch;
	struct l1_setup setup = { .state = l1_state(guest, &batch->state), .nested = nested };
	const char *why;

	if (nested)
		setup.root = l1_identity(guest, setup.state.mode, 1);
	why = l1_use(guest, &setup);
	TEST_ASSERT(!why, "an L1 needs %s", why);
	inside.in_l2 = true;
	agent_run(guest, &inside);
}

static void l2_run(struct guest *guest, const struct agent_batch *batch)
{
	run_in_l2(guest, batch, false);
}

static void l2_tdp_run(struct guest *guest, const struct agent_batch *batch)
{
	run_in_l2(guest, batch, true);
}

static const char *l2_lacks(struct guest *guest)
{
	return l1_lacks(guest, false);
}

static const char *l2_tdp_lacks(struct guest *guest)
{
	return l1_lacks(guest, true);
}

static const char *unsupported(const struct guest *guest, const struct agent_batch *batch,
			       bool nested)
{
	if (batch->access == AGENT_LDT && !batch->careful)
		return "careful batches only";
	return l1_cannot(guest, &batch->state, nested);
}

static const char *l2_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	return unsupported(guest, batch, false);
}

static const char *l2_tdp_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	return unsupported(guest, batch, true);
}

const struct engine engine_l2 = {
	.name = "l2",
	.does = "a nested guest's CPU executes the instruction; no nested paging",
	.via = VIA_NATIVE,
	.host_lacks = l2_lacks,
	.unsupported = l2_unsupported,
	.run = l2_run,
};

const struct engine engine_l2_tdp = {
	.name = "l2-tdp",
	.does = "the same behind nested page tables (NPT, EPT)",
	.via = VIA_NATIVE,
	.host_lacks = l2_tdp_lacks,
	.unsupported = l2_tdp_unsupported,
	.run = l2_tdp_run,
};
