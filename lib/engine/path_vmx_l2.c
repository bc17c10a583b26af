// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths in L2, on VMX: the script is L2's.  L1 (l1.h) enters L2 and lets it do as it likes: its
 * control registers but CR0.NE and CR4.VMXE, which VMX operation fixes, its MSRs, and the OUT
 * that ends the script, so that the VMM finds the vCPU in L2.  L2 walks by its own registers
 * alone: those that VM entry loaded, those it has written since, those that KVM_SET_SREGS gave it;
 * behind SMM, too.
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

/* L1 knows the guest's vCPU alone: a path's own takes its place meanwhile. */
static struct vcpu *put_in_place(struct journey *j, struct vcpu *vcpu)
{
	struct vcpu *was = j->guest->vcpu;

	j->guest->vcpu = vcpu;
	return was;
}

void path_vmx_l2_leave(struct journey *j)
{
	struct vcpu *usual = put_in_place(j, j->vcpu);

	/* Also where a script ended badly. */
	if (j->guest->l1)
		l1_quit(j->guest);
	put_in_place(j, usual);
}

/* In SMM, KVM lets CR0.WP be L1's, as if there had been a VM exit: there both have the same. */
static struct mmu_state l1_state(const struct journey *j, const struct mmu_state *l2)
{
	struct mmu_state l1 = l1_usual_state;

	if (j->path == &path_vmx_l2_smm_tdp && !(l2->flags & FLAG_WP))
		l1.flags &= (u8)~FLAG_WP;
	return l1;
}

void path_vmx_l2_enter(struct journey *j, const struct mmu_state *state)
{
	struct kvm_sregs sregs = script_sregs(j->guest, state);
	struct kvm_regs regs = script_regs(state, false);
	struct l1_setup setup = {
		.state = l1_state(j, state), .nested = j->path->tdp, .open_done = true,
	};
	struct vcpu *usual;
	const char *why;

	if (setup.nested)
		setup.root = l1_identity(j->guest, MODE_4LEVEL, 1);
	why = l1_use(j->guest, &setup);
	TEST_ASSERT(!why, "an L1 in its usual state: %s", why);
	path_vmx_l2_leave(j);
	usual = put_in_place(j, j->vcpu);
	l1_enter(j->guest, &sregs, &regs);
	put_in_place(j, usual);
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

static struct vcpu *smm_vcpu(struct journey *j)
{
	struct vcpu *vcpu = path_smm_same.vcpu(j);

	l1_prepare(j->guest, vcpu);
	return vcpu;
}

static const char *smm_lacks(struct journey *j)
{
	const char *missing = lacks(j, true);

	return missing ? missing : path_smm_same.lacks(j);
}

/* SDM 3C 32.14.1: an SMI takes the CPU out of VMX operation, RSM back into L2. */
static void go_smm(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	TEST_ASSERT(vcpu_in_l2(j->vcpu), "KVM_GET_NESTED_STATE: not in L2");
	path_smm_same.by_vmm(j, from, to);
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

const struct transition_path path_vmx_l2_smm_tdp = {
	.name = "vmx-l2-smm-tdp",
	.does = "SMI in L2 on VMX, under EPT, and RSM to it",
	.applies = same_state,
	.lacks = smm_lacks,
	.vcpu = smm_vcpu,
	.by_vmm = go_smm,
	.tdp = true,
	.in_vmx_l2 = true,
};
