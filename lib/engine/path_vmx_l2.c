// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths in L2, on VMX: the script is L2's.  L1 (l1.h) enters L2 and lets it do as it likes: its
 * control registers but CR0.NE and CR4.VMXE, which VMX operation fixes, its MSRs, and the OUT
 * that ends the script, so that the VMM finds the vCPU in L2.  L2 walks by its own registers
 * alone: those that VM entry loaded, those it has written since, those that KVM_SET_SREGS gave it.
 *
 * L1 stays in its usual state, 64-bit code with CR0.WP and EFER.NXE; so L2's is another one in
 * most states.
 */
#include "l1.h"
#include "nested_state.h"
#include "test_assert.h"
#include "transition_internal.h"
#include "vmx.h"
#include "x86.h"

static const char *lacks(struct journey *j, bool tdp)
{
	static const struct mmu_state no_paging = { MODE_NOPG, 0 };

	if (j->guest->cpu.vendor != VENDOR_INTEL)
		return "VMX";
	if (l1_lacks(j->guest, tdp))
		return tdp ? "EPT for guests" : "VMX for guests";
	if (tdp && l1_cannot(j->guest, &no_paging, true))
		return "\"unrestricted guest\" for guests";
	return NULL;
}

static const char *plain_lacks(struct journey *j)
{
	return lacks(j, false);
}

static const char *tdp_lacks(struct journey *j)
{
	return lacks(j, true);
}

void path_vmx_l2_leave(struct journey *j)
{
	/* Also where a script ended badly. */
	l1_quit(j->guest);
}

void path_vmx_l2_enter(struct journey *j, const struct mmu_state *state)
{
	struct kvm_sregs sregs = script_sregs(j->guest, state);
	struct kvm_regs regs = script_regs(state, false);
	struct l1_setup setup = {
		.state = l1_usual_state, .nested = j->path->tdp, .open_done = true,
	};
	const char *why;

	if (setup.nested)
		setup.root = l1_identity(j->guest, MODE_4LEVEL, 1);
	why = l1_use(j->guest, &setup);
	TEST_ASSERT(!why, "an L1 in its usual state: %s", why);
	path_vmx_l2_leave(j);
	l1_enter(j->guest, &sregs, &regs);
	vcpu_sregs_set(j->vcpu, &sregs);
	vcpu_regs_set(j->vcpu, &regs);
}

static void go_guest(struct script *script, const struct mmu_state *from,
		     const struct mmu_state *to)
{
	path_guest.by_guest(script, from, to);
}

static void go_sregs(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	struct kvm_sregs sregs = script_sregs(j->guest, to);
	const struct kvm_regs regs = script_regs(to, false);

	(void)from;
	TEST_ASSERT(vcpu_in_l2(j->vcpu), "KVM_GET_NESTED_STATE: not in L2");
	sregs.cr0 |= X86_CR0_NE;
	sregs.cr4 |= X86_CR4_VMXE;
	vcpu_sregs_set(j->vcpu, &sregs);
	vcpu_regs_set(j->vcpu, &regs);
	TEST_ASSERT(vcpu_in_l2(j->vcpu), "KVM_GET_NESTED_STATE: no longer in L2");
}

/* Without nested paging L2 is in L1's mode: CR0.PG must be 1, and an L1 is 64-bit code (l1.h). */
static bool both_4level(const struct mmu_state *from, const struct mmu_state *to)
{
	return !same_state(from, to) && state_modes[from->mode].paging == PAGING_4LEVEL &&
	       from->mode == to->mode;
}

const struct transition_path path_vmx_l2_guest = {
	.name = "vmx-l2-guest",
	.does = "MOV to CR0, CR3, CR4 and WRMSR EFER by L2 on VMX, which L1 lets pass",
	.applies = both_4level,
	.lacks = plain_lacks,
	.by_guest = go_guest,
	.in_vmx_l2 = true,
};

const struct transition_path path_vmx_l2_guest_tdp = {
	.name = "vmx-l2-guest-tdp",
	.does = "the same under EPT, between all modes",
	.all_pairs = true,
	.lacks = tdp_lacks,
	.by_guest = go_guest,
	.tdp = true,
	.in_vmx_l2 = true,
};

const struct transition_path path_vmx_l2_sregs = {
	.name = "vmx-l2-sregs",
	.does = "KVM_SET_SREGS with the vCPU in L2 on VMX: L2's registers",
	.applies = both_4level,
	.lacks = plain_lacks,
	.by_vmm = go_sregs,
	.in_vmx_l2 = true,
};

const struct transition_path path_vmx_l2_sregs_tdp = {
	.name = "vmx-l2-sregs-tdp",
	.does = "the same under EPT, between all modes",
	.all_pairs = true,
	.lacks = tdp_lacks,
	.by_vmm = go_sregs,
	.tdp = true,
	.in_vmx_l2 = true,
};
