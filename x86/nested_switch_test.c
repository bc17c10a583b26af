// SPDX-License-Identifier: GPL-2.0-only
/*
 * nested_switch_test - L1 and L2 in turn on one vCPU, each in a role of its own.
 *
 * Proves: behind VMRUN a vCPU walks by L2's registers and behind #VMEXIT by L1's again, for each
 * pair of states that differ in any role bit, with nested paging and without; so it does behind
 * changes of L2's registers, by L2's own instructions or by the VMM, behind SMM that L2 was
 * interrupted for, INIT in L2, either intercepted by L1 too, EFER.SVME off and on again, and when
 * the VMM takes the vCPU out of L2.  At every stop the accesses that tell this state from the others
 * are made by the CPU and, where KVM can be made to emulate them, but for fetches, by KVM's own
 * walker.  On VMX, where L1 is always 64-bit code: behind VM entry, changes of L2's registers, SMM,
 * and INIT, which exits to L1.
 *
 * Would catch: L1's role in L2's walk or the reverse, an MMU context that is not set up, reset or
 * left at VMRUN, #VMEXIT, SMI, RSM, INIT or KVM_SET_SREGS, shadow pages or translations of
 * one side that the other gets.
 *
 * Needs: /dev/kvm, SVM or VMX offered to guests.  States: those with no role bit set, with one, with all
 * but one, with all.  What the CPU lacks is left out, and said so.
 */
#include "transition_run.h"

static const struct transition_path *const paths[] = {
	&path_vmrun, &path_vmrun_tdp, &path_l2_guest, &path_l2_guest_tdp, &path_l2_sregs,
	&path_l2_sregs_tdp, &path_l2_smm, &path_l2_smm_tdp, &path_l2_init, &path_l2_init_tdp,
	&path_l2_init_exit, &path_l2_init_exit_tdp, &path_l2_smi_exit, &path_l2_smi_exit_tdp,
	&path_l2_left, &path_l2_left_tdp, &path_l2_left_msr, &path_l2_left_msr_tdp,
	&path_vmx_l2_guest, &path_vmx_l2_guest_tdp, &path_vmx_l2_sregs,
	&path_vmx_l2_sregs_tdp, &path_vmx_l2_smm_tdp, &path_vmx_l2_init, &path_vmx_l2_init_tdp,
	NULL,
};

static bool wanted(const struct mmu_state *state)
{
	const u8 used = state_modes[state->mode].used;

	return __builtin_popcount(state->flags) <= 1 ||
	       (!(state->flags & ~used) && __builtin_popcount(used & ~state->flags) <= 1);
}

static const struct transition_test test = {
	.about = {
		.name = "nested_switch_test",
		.proves = "behind VMRUN walks are by L2's registers, behind #VMEXIT by L1's again",
		.tags = "role,transition,native,nested",
	},
	.paths = paths,
	.wanted = wanted,
};

int main(int argc, char **argv)
{
	return transition_test_main(&test, argc, argv);
}
