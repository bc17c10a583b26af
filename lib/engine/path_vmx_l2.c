// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths in L2, on VMX: the script is L2's.  L1 (l1.h) enters L2 and lets it do as it likes: its
 * control registers but CR0.NE and CR4.VMXE, which VMX operation fixes, its MSRs, and the OUT
 * that ends the script, so that the VMM finds the vCPU in L2.  L2 walks by its own registers
 * alone: those that VM entry loaded, those it has written since, those that KVM_SET_SREGS gave it;
 * behind SMM, too.  INIT ends L2: there L1 walks by its own again.
 *
 * L1 is 64-bit code under 4-level paging, and has of CR0.WP, EFER.NXE, CR4.SMEP and SMAP those that
 * L2 does not have at the start.
 */
#include "boot.h"
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
	struct mmu_state l1 = l1_unlike(j->guest, l2);

	if (j->path == &path_vmx_l2_smm_tdp)
		l1.flags ^= FLAG_WP;
	return l1;
}

/* L1's registers as VM entry finds them. */
static struct kvm_sregs l1_own;

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
	l1_own = sregs;
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

static struct vcpu *init_vcpu(struct journey *j)
{
	struct vcpu *vcpu = path_init.vcpu(j);

	l1_prepare(j->guest, vcpu);
	return vcpu;
}

static const char *init_lacks(struct journey *j)
{
	const char *missing = plain_lacks(j);

	return missing ? missing : path_init.lacks(j);
}

static const char *init_lacks_tdp(struct journey *j)
{
	const char *missing = tdp_lacks(j);

	return missing ? missing : path_init.lacks(j);
}

/* By KVM's walker: L2, if it has paging, maps the last of these elsewhere. */
static void must_walk_as_l1(const struct journey *j)
{
	static const u64 addresses[] = { L1_CODE, L1_SCRATCH, BOOT_ALIAS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct kvm_translation t = { .linear_address = addresses[i] };

		vcpu_ioctl(j->vcpu, KVM_TRANSLATE, &t);
		TEST_ASSERT(t.valid && t.physical_address == addresses[i],
			    "KVM_TRANSLATE in L1 of %#llx: valid %u, %#llx",
			    (unsigned long long)addresses[i], t.valid,
			    (unsigned long long)t.physical_address);
	}
}

static void must_have_own_registers(const struct journey *j)
{
	struct kvm_sregs s;

	vcpu_sregs_get(j->vcpu, &s);
	/* Of these VMXOFF leaves CR4.VMXE, too. */
	TEST_ASSERT(s.cr0 == l1_own.cr0 && s.cr3 == l1_own.cr3 && s.cr4 == l1_own.cr4 &&
		    s.efer == l1_own.efer,
		    "L1 behind INIT in L2: CR0 %#llx CR3 %#llx CR4 %#llx EFER %#llx, not %#llx %#llx %#llx %#llx",
		    (unsigned long long)s.cr0, (unsigned long long)s.cr3,
		    (unsigned long long)s.cr4, (unsigned long long)s.efer,
		    (unsigned long long)l1_own.cr0, (unsigned long long)l1_own.cr3,
		    (unsigned long long)l1_own.cr4, (unsigned long long)l1_own.efer);
}

/*
 * SDM 3C 26.2: in VMX non-root operation INIT causes a VM exit and is gone, as nothing of the CPU's
 * state is changed by it.  L1 notes the exit, which takes VMREADs to memory, is out of VMX operation
 * and tells; then L2 starts anew, in the new state.
 */
static void go_init(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	struct agent_result result = { 0 };
	struct vcpu *usual;
	int error = 0;
	u32 exit;

	(void)from;
	TEST_ASSERT(vcpu_in_l2(j->vcpu), "KVM_GET_NESTED_STATE: not in L2");
	path_init_latch(j);
	exit = script_run_other(j->guest, j->vcpu, &error);
	TEST_ASSERT(exit == KVM_EXIT_IO && j->vcpu->run->io.port == L1_EXIT_PORT,
		    "INIT in L2: exit %s, errno %d", exit_reason_str(exit), error);
	vcpu_run_complete_io(j->vcpu);
	TEST_ASSERT(!vcpu_in_l2(j->vcpu), "KVM_GET_NESTED_STATE: still in L2");
	must_have_own_registers(j);
	must_walk_as_l1(j);
	usual = put_in_place(j, j->vcpu);
	l1_leave(j->guest, exit, &result);
	put_in_place(j, usual);
	TEST_ASSERT((result.status & STATUS_EXIT_MASK) == VMX_REASON_INIT,
		    "exit reason %u behind INIT in L2", result.status & STATUS_EXIT_MASK);
	path_vmx_l2_enter(j, to);
}

/* Without nested paging L2 is in L1's mode: CR0.PG must be 1, and an L1 is 64-bit code (l1.h). */
static bool both_4level(const struct mmu_state *from, const struct mmu_state *to)
{
	return !same_state(from, to) && state_modes[from->mode].paging == PAGING_4LEVEL &&
	       from->mode == to->mode;
}

/* What INIT does has little to do with where L2 goes next. */
static bool next_4level(const struct mmu_state *from, const struct mmu_state *to)
{
	return from->mode == MODE_4LEVEL && to->mode == MODE_4LEVEL &&
	       (same_state(from, to) || !from->flags || !to->flags);
}

static bool next_mode(const struct mmu_state *from, const struct mmu_state *to)
{
	return same_state(from, to) || (from->mode != to->mode && from->flags == to->flags);
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

const struct transition_path path_vmx_l2_init = {
	.name = "vmx-l2-init",
	.does = "INIT in L2 on VMX: L1 gets a VM exit, and enters L2 anew",
	.applies = next_4level,
	.lacks = init_lacks,
	.vcpu = init_vcpu,
	.by_vmm = go_init,
	.in_vmx_l2 = true,
};

const struct transition_path path_vmx_l2_init_tdp = {
	.name = "vmx-l2-init-tdp",
	.does = "the same under EPT",
	.applies = next_mode,
	.lacks = init_lacks_tdp,
	.vcpu = init_vcpu,
	.by_vmm = go_init,
	.tdp = true,
	.in_vmx_l2 = true,
};
