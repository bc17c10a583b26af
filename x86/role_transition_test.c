// SPDX-License-Identifier: GPL-2.0-only
/*
 * role_transition_test - every change of register state, by every path.
 *
 * Proves: a vCPU that comes from any state A to any other state B walks as the manuals say
 * for B, whatever it did in A.  One vCPU lives through all of it and goes through each
 * ordered pair of states once per path; at every stop it makes the accesses that tell B
 * from all other states, after the same accesses were made in A.  Where KVM can be made to
 * emulate them (kvm.force_emulation_prefix) it makes them again, but for fetches, by KVM's own
 * walker; the last line says how many of the probes these were.
 *
 * Would catch: a role that is not computed anew, or too late, or from half of the
 * registers; shadow pages, TLB entries and PDPTEs that survive a change which ends them;
 * a path that forgets what another one does.
 *
 * Needs: /dev/kvm.  States that the CPU lacks are left out, and said so.
 */
#include "transition_run.h"

static const struct transition_path *const paths[] = {
	&path_sregs, &path_sregs2, &path_sync_regs, &path_set_msr, &path_guest,
	&path_guest_forced, &path_pae_toggle, &path_task_switched, &path_task_switched_forced,
	&path_copy_vcpu, &path_copy_vm, &path_init, &path_init_apic, &path_smm, &path_smm_same,
	&path_smm_moved, &path_smm32, &path_cpuid, &path_cpuid_late, NULL,
};

static const struct transition_test test = {
	.about = {
		.name = "role_transition_test",
		.proves = "after every change of register state, by every path, walks are those of the new one",
		.tags = "role,transition,native",
	},
	.paths = paths,
};

int main(int argc, char **argv)
{
	return transition_test_main(&test, argc, argv);
}
