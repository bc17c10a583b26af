// SPDX-License-Identifier: GPL-2.0-only
/*
 * The l2 engines: the agent runs inside L2, where L1 is a few instructions of the suite's (l1.h).
 *
 * l2      without nested paging: L2's CR3 holds an L1-physical address.  Where KVM has NPT
 *         itself, L2 uses it as L1 does; where it shadows, it shadows L2's tables.
 * l2-tdp  with nested paging, NPT or EPT: the CPU walks L2's tables, and KVM shadows the
 *         nested tables that L1 made, which map all memory one to one by 4-KByte pages.
 *
 * l2-forced, l2-translate, l2-string, l2-mmio: the engines of that name inside L2, with nested
 *         paging where KVM offers it.  KVM walks L2's tables in software, and for each of their
 *         entries, and the page, L1's nested tables.  L1 lets L2's string I/O pass, and its
 *         nested tables lead to the hole: both exits are the VMM's.
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
	if (guest->cpu.vendor == VENDOR_AMD && guest->vm->card.tdp != YES &&
	    (paging == PAGING_2LEVEL || paging == PAGING_PAE))
		return pae;
	return l1_usual_state;
}

/* The batch, for an L2 that runs like this from now on. */
static struct agent_batch in_l2(struct guest *guest, const struct agent_batch *batch, bool nested)
{
	struct agent_batch inside = *batch;
	struct l1_setup setup = { .state = l1_state(guest, &batch->state), .nested = nested };
	const char *why;

	if (nested)
		setup.root = l1_identity(guest, setup.state.mode, 1);
	why = l1_use(guest, &setup);
	TEST_ASSERT(!why, "an L1 needs %s", why);
	inside.in_l2 = true;
	return inside;
}

static void l2_run(struct guest *guest, const struct agent_batch *batch)
{
	const struct agent_batch inside = in_l2(guest, batch, false);

	agent_run(guest, &inside);
}

static void l2_tdp_run(struct guest *guest, const struct agent_batch *batch)
{
	const struct agent_batch inside = in_l2(guest, batch, true);

	agent_run(guest, &inside);
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

/* How the engines that walk in software run L2. */
static bool software_nested(struct guest *guest)
{
	return !l1_lacks(guest, true);
}

static const char *software_lacks(struct guest *guest, const struct engine *outside)
{
	const char *missing = outside->host_lacks(guest);

	return missing ? missing : l1_lacks(guest, false);
}

static const char *software_unsupported(const struct guest *guest,
					const struct agent_batch *batch,
					const struct engine *outside)
{
	const char *why = outside->unsupported(guest, batch);
	/* l1_lacks() changes nothing in the guest. */
	bool nested = software_nested((struct guest *)guest);

	if (!why)
		why = l1_cannot(guest, &batch->state, nested);
	/* SVM: KVM reads them when it walks, and load_pdptrs() refuses them then. */
	if (!why && nested && guest->marks_pdptes && batch->state.mode == MODE_PAE)
		why = "this emulated CPU sets A in L2's PDPTEs, and KVM then has none";
	return why;
}

/* The engine of that name, inside L2. */
#define INSIDE(NAME, VIA, NO_ERROR, DOES)                                                         \
	static const char *NAME##_lacks(struct guest *guest)                                      \
	{                                                                                         \
		return software_lacks(guest, &engine_##NAME);                                     \
	}                                                                                         \
	static const char *NAME##_unsupported(const struct guest *guest,                          \
					      const struct agent_batch *batch)                    \
	{                                                                                         \
		return software_unsupported(guest, batch, &engine_##NAME);                        \
	}                                                                                         \
	static void NAME##_run(struct guest *guest, const struct agent_batch *batch)              \
	{                                                                                         \
		const struct agent_batch inside = in_l2(guest, batch, software_nested(guest));    \
												  \
		engine_##NAME.run(guest, &inside);                                                \
	}                                                                                         \
	const struct engine engine_l2_##NAME = {                                                  \
		.name = "l2-" #NAME,                                                              \
		.does = DOES,                                                                     \
		.via = VIA,                                                                       \
		.no_error = NO_ERROR,                                                             \
		.sampled = true,                                                                  \
		.host_lacks = NAME##_lacks,                                                       \
		.unsupported = NAME##_unsupported,                                                \
		.run = NAME##_run,                                                                \
	}

INSIDE(forced, VIA_FORCED, 1 << AGENT_FETCH, "KVM's emulator executes L2's instruction");
INSIDE(translate, VIA_NATIVE, 1 << AGENT_READ, "KVM_TRANSLATE with the vCPU in L2");
INSIDE(string, VIA_STRING, 0, "OUTS and INS of L2, which KVM emulates");
INSIDE(mmio, VIA_MMIO, 0, "CMPS and MOVS of L2 with a hole in memory, which KVM emulates");
