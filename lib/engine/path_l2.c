// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths into L2, in L2, and by #VMEXIT out of it, on SVM: L1 and L2 have one script (script.h),
 * so that one vCPU goes there and back many times between two exits to the VMM.
 *
 * Each path comes without nested paging, where L2's CR3 holds an L1-physical address and KVM
 * walks, or shadows, L2's tables as L1's, and with: nested tables that map all memory one to one.
 * Either way L2 walks by its own registers alone, and behind #VMEXIT L1 by those that VMRUN saved
 * (APM 2 15.5.1, 15.6, 15.25.3).  L2 begins with an empty TLB: VMRUN flushes its ASID's.
 */
#include "l1.h"
#include "nested_state.h"
#include "path_l2.h"
#include "svm.h"
#include "test_assert.h"
#include "transition_internal.h"
#include "x86.h"

const char *path_l2_lacks(struct journey *j)
{
	if (j->guest->cpu.vendor != VENDOR_AMD)
		return "SVM";
	return l1_lacks(j->guest, false) ? "SVM for guests" : NULL;
}

const char *path_l2_lacks_tdp(struct journey *j)
{
	const char *missing = path_l2_lacks(j);

	if (!missing && l1_lacks(j->guest, true))
		missing = "nested paging for guests";
	return missing;
}

struct vcpu *path_l2_vcpu(struct journey *j)
{
	script_prepare_l1(j->guest->vcpu);
	return j->guest->vcpu;
}

/*
 * VMRUN and #VMEXIT
 */

void path_l2_enter(struct script *script, const struct mmu_state *l1, const struct mmu_state *l2,
		   bool tdp, u32 intercepts)
{
	const struct script_l2 how = {
		.l1 = *l1,
		.nested = tdp,
		.root = tdp ? l1_identity(script->guest, l1->mode, 1) : 0,
		.intercepts = intercepts,
	};

	script_add_vmrun(script, &how, l2);
}

static void go_vmrun(struct script *script, const struct mmu_state *from,
		     const struct mmu_state *to)
{
	path_l2_enter(script, from, to, false, 0);
}

static void go_vmrun_tdp(struct script *script, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	path_l2_enter(script, from, to, true, 0);
}

/* Half of the pairs do without EFER.SVME until the next VMRUN: KVM's nested state is made anew. */
static void go_vmexit(struct script *script, const struct mmu_state *from,
		      const struct mmu_state *to)
{
	script_add_vmexit(script, to);
	if ((from->flags ^ to->flags ^ from->mode) & 1)
		script_add(script, SCRIPT_EFER, guest_walk_regs(script->guest, to).efer);
}

/*
 * Nested tables have the format of L1's paging mode; and without paging KVM lets no L1 execute
 * VMRUN (nested_svm_check_permissions()).
 */
static bool from_paging(const struct mmu_state *from, const struct mmu_state *to)
{
	(void)to;
	return state_modes[from->mode].paging != PAGING_NONE;
}

bool path_l2_to_paging(const struct mmu_state *from, const struct mmu_state *to)
{
	return from_paging(to, from);
}

/* L1's state is the one that #VMEXIT leads to. */
const struct mmu_state *path_l2_outer_to(const struct mmu_state *from, const struct mmu_state *to)
{
	(void)from;
	return to;
}

/* L1 for what L2 goes through: 4-level paging, and CR0.WP as L2 had it. */
const struct mmu_state *path_l2_outer_usual(const struct mmu_state *from,
					    const struct mmu_state *to)
{
	static const struct mmu_state usual[] = { { MODE_4LEVEL, 0 }, { MODE_4LEVEL, FLAG_WP } };

	(void)to;
	return &usual[!!(from->flags & FLAG_WP)];
}

/*
 * In L2
 */

/* A guest's EFER.SVME must stay 1 (APM 2 15.5.1). */
static void go_l2_guest(struct script *script, const struct mmu_state *from,
			const struct mmu_state *to)
{
	/* Where KVM emulates the first MOV to CR, it may not have L2's PDPTEs yet. */
	if (from->mode == MODE_PAE && script->guest->marks_pdptes)
		script_add(script, SCRIPT_CLEAN, guest_walk_regs(script->guest, from).cr3);
	path_guest_add(script, from, to, X86_EFER_SVME);
}

void path_l2_must_be(const struct journey *j, bool in_l2)
{
	TEST_ASSERT(vcpu_in_l2(j->vcpu) == in_l2, "KVM_GET_NESTED_STATE: %s L2",
		    in_l2 ? "not in" : "still in");
}

/* The registers of the vCPU are those of what runs: L2's. */
static void go_l2_sregs(struct journey *j, const struct mmu_state *from,
			const struct mmu_state *to)
{
	struct kvm_sregs sregs = script_sregs(j->guest, to);
	const struct kvm_regs regs = script_regs(to, false);

	(void)from;
	path_l2_must_be(j, true);
	sregs.efer |= X86_EFER_SVME;
	script_clean_pdptes(j->guest, to);
	vcpu_sregs_set(j->vcpu, &sregs);
	vcpu_regs_set(j->vcpu, &regs);
	path_l2_must_be(j, true);
}

struct vcpu *path_l2_smm_vcpu(struct journey *j)
{
	struct vcpu *vcpu = path_smm_same.vcpu(j);

	script_prepare_l1(vcpu);
	return vcpu;
}

const char *path_l2_smm_lacks(struct journey *j)
{
	const char *missing = path_l2_lacks(j);

	return missing ? missing : path_smm_same.lacks(j);
}

const char *path_l2_smm_lacks_tdp(struct journey *j)
{
	const char *missing = path_l2_lacks_tdp(j);

	return missing ? missing : path_smm_same.lacks(j);
}

static void go_l2_smm(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	path_l2_must_be(j, true);
	path_smm_same.by_vmm(j, from, to);
}

const struct transition_path path_vmrun = {
	.name = "vmrun",
	.does = "VMRUN by L1 in the old state, and #VMEXIT back to it",
	.applies = from_paging,
	.lacks = path_l2_lacks,
	.vcpu = path_l2_vcpu,
	.by_guest = go_vmrun,
	.back = &path_vmexit,
};

const struct transition_path path_vmrun_tdp = {
	.name = "vmrun-tdp",
	.does = "VMRUN with nested paging by L1 in the old state, and #VMEXIT back to it",
	.applies = from_paging,
	.lacks = path_l2_lacks_tdp,
	.vcpu = path_l2_vcpu,
	.by_guest = go_vmrun_tdp,
	.back = &path_vmexit_tdp,
	.tdp = true,
};

/* Ways back; alone only in a replay. */
const struct transition_path path_vmexit = {
	.name = "vmexit",
	.does = "#VMEXIT to L1, which was in the new state at VMRUN",
	.applies = path_l2_to_paging,
	.lacks = path_l2_lacks,
	.vcpu = path_l2_vcpu,
	.outer = path_l2_outer_to,
	.into = &path_vmrun,
	.by_guest = go_vmexit,
};

const struct transition_path path_vmexit_tdp = {
	.name = "vmexit-tdp",
	.does = "the same with nested paging",
	.applies = path_l2_to_paging,
	.lacks = path_l2_lacks_tdp,
	.vcpu = path_l2_vcpu,
	.outer = path_l2_outer_to,
	.into = &path_vmrun_tdp,
	.by_guest = go_vmexit,
};

/* Behind SMM, with a name of its own: what L1 finds then has been through the save areas. */
static const struct transition_path path_vmexit_smm = {
	.name = "vmexit-smm",
	.does = "#VMEXIT from an L2 that was interrupted by SMM",
	.applies = path_l2_to_paging,
	.lacks = path_l2_smm_lacks,
	.vcpu = path_l2_smm_vcpu,
	.outer = path_l2_outer_to,
	.into = &path_vmrun,
	.meanwhile = &path_l2_smm,
	.by_guest = go_vmexit,
};

static const struct transition_path path_vmexit_smm_tdp = {
	.name = "vmexit-smm-tdp",
	.does = "the same with nested paging",
	.applies = path_l2_to_paging,
	.lacks = path_l2_smm_lacks_tdp,
	.vcpu = path_l2_smm_vcpu,
	.outer = path_l2_outer_to,
	.into = &path_vmrun_tdp,
	.meanwhile = &path_l2_smm_tdp,
	.by_guest = go_vmexit,
};

L2_PATHS(l2_guest, "l2-guest", "MOV to CR0, CR3, CR4 and WRMSR EFER by L2, which L1 lets pass",
	 path_l2_lacks, path_l2_vcpu, path_vmrun, (.back = NULL), (.back = NULL),
	 .outer = path_l2_outer_usual, .all_pairs = true, .by_guest = go_l2_guest);
L2_PATHS(l2_sregs, "l2-sregs", "KVM_SET_SREGS with the vCPU in L2: L2's registers; then #VMEXIT",
	 path_l2_lacks, path_l2_vcpu, path_vmrun, (.back = &path_vmexit),
	 (.back = &path_vmexit_tdp),
	 .outer = path_l2_outer_usual, .all_pairs = true, .by_vmm = go_l2_sregs);
L2_PATHS(l2_smm, "l2-smm", "SMI in L2, and RSM to it; then #VMEXIT",
	 path_l2_smm_lacks, path_l2_smm_vcpu, path_vmrun, (.back = &path_vmexit_smm),
	 (.back = &path_vmexit_smm_tdp),
	 .outer = path_l2_outer_usual, .applies = same_state, .by_vmm = go_l2_smm);
