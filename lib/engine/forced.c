// SPDX-License-Identifier: GPL-2.0-only
/*
 * The forced engine: the instruction stands behind KVM's forced-emulation prefix (ud2; "kvm"),
 * and KVM's emulator makes the access with KVM's own page walker, also where the CPU walks
 * otherwise (EPT, NPT).
 *
 * KVM obeys the prefix at any CPL while the module parameter kvm.force_emulation_prefix is not
 * 0 (6.1 to 7.3: handle_ud() in arch/x86/kvm/x86.c; bit 1 also clears RFLAGS.RF).
 *
 * Fetches: the emulator fetches instructions in software.  A fault there becomes #UD:
 * x86_emulate_instruction() raises it whenever decoding under EMULTYPE_TRAP_UD_FORCED fails,
 * for whatever reason.  So it is known that the walk faulted, and not how.
 */
#include "case.h"
#include "engine.h"
#include "host.h"
#include "x86.h"

#define PARAMETER "/sys/module/kvm/parameters/force_emulation_prefix"
#define TO_SET_IT "set it with: echo 1 > " PARAMETER

/*
 * KVM's fault is #UD at the prefixed instruction.  A page fault is the CPU's own, in what it
 * fetched itself: behind that instruction when KVM had let it through.
 */
static void judge_fetch(const struct agent_batch *batch, gva_t gva, struct agent_result *r)
{
	if (r->status == (STATUS_FAULT | UD_VECTOR) && r->rip == agent_fault_rip(batch, gva)) {
		r->status = STATUS_FAULT | PF_VECTOR;
	} else if (r->status == (STATUS_FAULT | PF_VECTOR)) {
		r->status = STATUS_DONE;
		r->value = VALUE_NONE;
	}
}

static void forced_run(struct guest *guest, const struct agent_batch *batch)
{
	u32 i;

	agent_run(guest, batch);
	if (batch->access != AGENT_FETCH || !batch->results)
		return;
	for (i = 0; i < batch->nr; i++)
		judge_fetch(batch, batch->gvas[i], &batch->results[i]);
}

/* What a prefixed instruction does says more than a parameter. */
static const char *forced_lacks(struct guest *guest)
{
	static const char *lacks;
	static bool known;
	const struct mmu_state state = { .mode = MODE_4LEVEL };
	const struct agent_batch like = engine_batch(&engine_forced, &state, &all_actors[0],
						     AGENT_READ, CARE_NONE);

	if (known)
		return lacks;
	known = true;
	if (!agent_probe(guest, &like, forced_run))
		return NULL;
	switch (module_parameter("kvm", "force_emulation_prefix")) {
	case UNKNOWN:
		lacks = "this KVM has no kvm.force_emulation_prefix";
		break;
	case NO:
		lacks = "kvm.force_emulation_prefix is 0: " TO_SET_IT;
		break;
	case YES:
		lacks = "kvm.force_emulation_prefix is set, but a prefixed instruction raises an exception";
	}
	return lacks;
}

static const char *forced_unsupported(const struct guest *guest, const struct agent_batch *batch)
{
	if (batch->access == AGENT_LDT && !batch->careful)
		return "careful batches only";
	if (batch->access != AGENT_FETCH)
		return NULL;
	if (state_modes[batch->state.mode].paging == PAGING_NONE)
		return "no fetches without paging";
	return guest->front == (batch->actor.cpl ? FRONT_USER : FRONT_SUPERVISOR) ?
		       NULL : "fetches only where one level deviates";
}

const struct engine engine_forced = {
	.name = "forced",
	.does = "KVM's emulator executes the instruction (kvm.force_emulation_prefix)",
	.via = VIA_FORCED,
	.no_error = 1 << AGENT_FETCH,
	.host_lacks = forced_lacks,
	.unsupported = forced_unsupported,
	.run = forced_run,
};
