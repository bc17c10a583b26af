// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths into L2, in L2 and out of it, on SVM: L1 and L2 have one script (script.h), so that one
 * vCPU goes there and back many times between two exits to the VMM.
 *
 * Each path comes without nested paging, where L2's CR3 holds an L1-physical address and KVM
 * walks, or shadows, L2's tables as L1's, and with: nested tables that map all memory one to one.
 * Either way L2 walks by its own registers alone, and behind #VMEXIT L1 by those that VMRUN saved
 * (APM 2 15.5.1, 15.6, 15.25.3).  L2 begins with an empty TLB: VMRUN flushes its ASID's.
 */
#include "boot.h"
#include "l1.h"
#include "mixed_role.h"
#include "nested_state.h"
#include "svm.h"
#include "test_assert.h"
#include "transition_internal.h"
#include "x86.h"

static const char *l2_lacks(struct journey *j)
{
	if (j->guest->cpu.vendor != VENDOR_AMD)
		return "SVM";
	return l1_lacks(j->guest, false) ? "SVM for guests" : NULL;
}

static const char *l2_lacks_tdp(struct journey *j)
{
	const char *missing = l2_lacks(j);

	if (!missing && l1_lacks(j->guest, true))
		missing = "nested paging for guests";
	return missing;
}

static struct vcpu *l1_vcpu(struct journey *j)
{
	script_prepare_l1(j->guest->vcpu);
	return j->guest->vcpu;
}

/*
 * VMRUN and #VMEXIT
 */

static void go_vmrun(struct script *script, const struct mmu_state *from,
		     const struct mmu_state *to)
{
	const struct script_l2 how = { .l1 = *from };

	script_add_vmrun(script, &how, to);
}

static void go_vmrun_tdp(struct script *script, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	const struct script_l2 how = { .l1 = *from, .nested = true,
				       .root = l1_identity(script->guest, from->mode, 1) };

	script_add_vmrun(script, &how, to);
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

static bool to_paging(const struct mmu_state *from, const struct mmu_state *to)
{
	return from_paging(to, from);
}

/* L1's state is the one that #VMEXIT leads to. */
static const struct mmu_state *outer_to(const struct mmu_state *from, const struct mmu_state *to)
{
	(void)from;
	return to;
}

/* L1 for what L2 goes through: 4-level paging, and CR0.WP as L2 had it. */
static const struct mmu_state *outer_usual(const struct mmu_state *from,
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

static void must_be_in_l2(const struct journey *j, bool in_l2)
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
	must_be_in_l2(j, true);
	sregs.efer |= X86_EFER_SVME;
	script_clean_pdptes(j->guest, to);
	vcpu_sregs_set(j->vcpu, &sregs);
	vcpu_regs_set(j->vcpu, &regs);
	must_be_in_l2(j, true);
}

static struct vcpu *smm_vcpu(struct journey *j)
{
	struct vcpu *vcpu = path_smm_same.vcpu(j);

	script_prepare_l1(vcpu);
	return vcpu;
}

static const char *smm_lacks(struct journey *j)
{
	const char *missing = l2_lacks(j);

	return missing ? missing : path_smm_same.lacks(j);
}

static const char *smm_lacks_tdp(struct journey *j)
{
	const char *missing = l2_lacks_tdp(j);

	return missing ? missing : path_smm_same.lacks(j);
}

static void go_l2_smm(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	must_be_in_l2(j, true);
	path_smm_same.by_vmm(j, from, to);
}

/*
 * Out of L2, and no #VMEXIT
 */

static struct vcpu *init_vcpu(struct journey *j)
{
	struct vcpu *vcpu = path_init.vcpu(j);

	script_prepare_l1(vcpu);
	return vcpu;
}

static const char *init_lacks(struct journey *j)
{
	const char *missing = l2_lacks(j);

	return missing ? missing : path_init.lacks(j);
}

static const char *init_lacks_tdp(struct journey *j)
{
	const char *missing = l2_lacks_tdp(j);

	return missing ? missing : path_init.lacks(j);
}

/*
 * KVM loses an L2 without paging there, and the guest executes whatever it comes upon, with memory
 * of the tests at its mercy (docs/findings.md): opt-in only.  The script goes on in any case.
 */
static bool may_init(const struct mmu_state *from, const struct mmu_state *to)
{
	return same_state(from, to) &&
	       (state_modes[from->mode].paging != PAGING_NONE || mixed_opted_in());
}

static void init_unpaged(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	char text[EXIT_TEXT_LEN];
	int error = 0;
	u32 exit;

	path_init_latch(j);
	boot_prepare(j->guest);
	exit = script_run_other(j->guest, j->vcpu, &error);
	if (exit == KVM_EXIT_IO && j->vcpu->run->io.port == BOOT_PORT)
		return;
	exit_text(exit, exit == KVM_EXIT_IO ? j->vcpu->run->io.port : 0, text);
	if (exit == KVM_EXIT_IO || exit == KVM_EXIT_MMIO)
		vcpu_run_complete_io(j->vcpu);
	journey_report_way(j, from, to, "the guest boots", text);
	vcpu_events_clear(j->vcpu);
	journey_enter(j, &boot_state);
}

static void go_l2_init(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	must_be_in_l2(j, true);
	if (state_modes[from->mode].paging == PAGING_NONE)
		init_unpaged(j, from, to);
	else
		path_init.by_vmm(j, from, to);
	must_be_in_l2(j, false);
}

/*
 * Of 4-level paging: without paging on one side the vCPU shuts down later, and it is not known yet
 * whose mistake that is.
 */
static bool may_leave(const struct mmu_state *from, const struct mmu_state *to)
{
	return from->mode == MODE_4LEVEL && to->mode == MODE_4LEVEL && !same_state(from, to);
}

/* KVM_SET_MSRS may come first; both take EFER.SVME away. */
static void go_l2_left(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	struct kvm_sregs sregs;

	must_be_in_l2(j, true);
	if ((from->flags ^ to->flags ^ from->mode) & 1) {
		vcpu_sregs_get(j->vcpu, &sregs);
		vcpu_set_msr(j->vcpu, MSR_EFER, sregs.efer & ~(u64)X86_EFER_SVME);
		must_be_in_l2(j, false);
	}
	journey_enter(j, to);
	must_be_in_l2(j, false);
}

static bool same(const struct mmu_state *from, const struct mmu_state *to)
{
	return same_state(from, to);
}

const struct transition_path path_vmrun = {
	.name = "vmrun",
	.does = "VMRUN by L1 in the old state, and #VMEXIT back to it",
	.applies = from_paging,
	.lacks = l2_lacks,
	.vcpu = l1_vcpu,
	.by_guest = go_vmrun,
	.back = &path_vmexit,
};

const struct transition_path path_vmrun_tdp = {
	.name = "vmrun-tdp",
	.does = "VMRUN with nested paging by L1 in the old state, and #VMEXIT back to it",
	.applies = from_paging,
	.lacks = l2_lacks_tdp,
	.vcpu = l1_vcpu,
	.by_guest = go_vmrun_tdp,
	.back = &path_vmexit_tdp,
	.tdp = true,
};

/* Ways back; alone only in a replay. */
const struct transition_path path_vmexit = {
	.name = "vmexit",
	.does = "#VMEXIT to L1, which was in the new state at VMRUN",
	.applies = to_paging,
	.lacks = l2_lacks,
	.vcpu = l1_vcpu,
	.outer = outer_to,
	.into = &path_vmrun,
	.by_guest = go_vmexit,
};

const struct transition_path path_vmexit_tdp = {
	.name = "vmexit-tdp",
	.does = "the same with nested paging",
	.applies = to_paging,
	.lacks = l2_lacks_tdp,
	.vcpu = l1_vcpu,
	.outer = outer_to,
	.into = &path_vmrun_tdp,
	.by_guest = go_vmexit,
};

/* Behind SMM, with a name of its own: what L1 finds then has been through the save areas. */
static const struct transition_path path_vmexit_smm = {
	.name = "vmexit-smm",
	.does = "#VMEXIT from an L2 that was interrupted by SMM",
	.applies = to_paging,
	.lacks = smm_lacks,
	.vcpu = smm_vcpu,
	.outer = outer_to,
	.into = &path_vmrun,
	.meanwhile = &path_l2_smm,
	.by_guest = go_vmexit,
};

static const struct transition_path path_vmexit_smm_tdp = {
	.name = "vmexit-smm-tdp",
	.does = "the same with nested paging",
	.applies = to_paging,
	.lacks = smm_lacks_tdp,
	.vcpu = smm_vcpu,
	.outer = outer_to,
	.into = &path_vmrun_tdp,
	.meanwhile = &path_l2_smm_tdp,
	.by_guest = go_vmexit,
};

#define BACK_none NULL
#define BACK_none_tdp NULL
#define BACK_vmexit (&path_vmexit)
#define BACK_vmexit_tdp (&path_vmexit_tdp)
#define BACK_vmexit_smm (&path_vmexit_smm)
#define BACK_vmexit_smm_tdp (&path_vmexit_smm_tdp)

/* Both kinds of a path that begins in L2; BACK: the end of it. */
#define L2_PATHS(VARIABLE, NAME, DOES, LACKS, VCPU, BACK, ...)                                    \
	const struct transition_path path_##VARIABLE = {                                          \
		.name = NAME,                                                                     \
		.does = DOES,                                                                     \
		.lacks = LACKS,                                                                   \
		.vcpu = VCPU,                                                                     \
		.outer = outer_usual,                                                             \
		.into = &path_vmrun,                                                              \
		.back = BACK_##BACK,                                                              \
		__VA_ARGS__                                                                       \
	};                                                                                        \
	const struct transition_path path_##VARIABLE##_tdp = {                                    \
		.name = NAME "-tdp",                                                              \
		.does = DOES ", with nested paging",                                              \
		.lacks = LACKS##_tdp,                                                             \
		.vcpu = VCPU,                                                                     \
		.outer = outer_usual,                                                             \
		.into = &path_vmrun_tdp,                                                          \
		.back = BACK_##BACK##_tdp,                                                        \
		.tdp = true,                                                                      \
		__VA_ARGS__                                                                       \
	}

L2_PATHS(l2_guest, "l2-guest", "MOV to CR0, CR3, CR4 and WRMSR EFER by L2, which L1 lets pass",
	 l2_lacks, l1_vcpu, none, .all_pairs = true, .by_guest = go_l2_guest);
L2_PATHS(l2_sregs, "l2-sregs", "KVM_SET_SREGS with the vCPU in L2: L2's registers; then #VMEXIT",
	 l2_lacks, l1_vcpu, vmexit, .all_pairs = true, .by_vmm = go_l2_sregs);
L2_PATHS(l2_smm, "l2-smm", "SMI in L2, and RSM to it; then #VMEXIT",
	 smm_lacks, smm_vcpu, vmexit_smm, .applies = same, .by_vmm = go_l2_smm);
L2_PATHS(l2_init, "l2-init", "INIT in L2, which L1 does not intercept; the guest boots",
	 init_lacks, init_vcpu, none, .applies = may_init, .lands_in = &boot_state,
	 .by_vmm = go_l2_init);
L2_PATHS(l2_left, "l2-left", "KVM_SET_SREGS in L2 that clears EFER.SVME, or KVM_SET_MSRS before it",
	 l2_lacks, l1_vcpu, none, .applies = may_leave, .by_vmm = go_l2_left);
