// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths out of L2 that L1 did not ask for, on SVM: INIT, SMI, and the VMM takes EFER.SVME away.
 *
 * INIT and SMI come while L2 runs.  What L1 does not intercept happens at once (for SMI:
 * path_l2.c); what it does becomes #VMEXIT, and, as #VMEXIT clears GIF, stays pending until
 * L1's STGI (APM 2 15.13, 15.17, table 15-10): then L1 takes it.
 */
#include <stdio.h>
#include <string.h>

#include "boot.h"
#include "l1.h"
#include "mixed_role.h"
#include "path_l2.h"
#include "svm.h"
#include "test_assert.h"
#include "x86.h"

/* Within a mode all pairs, between modes those that differ in nothing else. */
static bool may_leave(const struct mmu_state *from, const struct mmu_state *to)
{
	return from->mode == to->mode || from->flags == to->flags;
}

static bool may_exit_tdp(const struct mmu_state *from, const struct mmu_state *to)
{
	return path_l2_to_paging(from, to) && may_leave(from, to);
}

/* Under shadow paging L1 does not survive #VMEXIT from an L2 without paging (docs/findings.md). */
static bool may_exit(const struct mmu_state *from, const struct mmu_state *to)
{
	return state_modes[from->mode].paging != PAGING_NONE && may_exit_tdp(from, to);
}

/*
 * Where L2 had the registers that are to be set, KVM sets none, and the CPU goes on with L1's CR3
 * (docs/findings.md): opt-in only.
 */
static bool may_leave_msr(const struct mmu_state *from, const struct mmu_state *to)
{
	return may_leave(from, to) && (!same_state(from, to) || mixed_opted_in());
}

/*
 * INIT
 */

static struct vcpu *init_vcpu(struct journey *j)
{
	struct vcpu *vcpu = path_init.vcpu(j);

	script_prepare_l1(vcpu);
	return vcpu;
}

static const char *init_lacks(struct journey *j)
{
	const char *missing = path_l2_lacks(j);

	return missing ? missing : path_init.lacks(j);
}

static const char *init_lacks_tdp(struct journey *j)
{
	const char *missing = path_l2_lacks_tdp(j);

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

static void go_init(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	path_l2_must_be(j, true);
	if (state_modes[from->mode].paging == PAGING_NONE)
		init_unpaged(j, from, to);
	else
		path_init.by_vmm(j, from, to);
	path_l2_must_be(j, false);
}

/* L1 was told why L2 ended, and ran with GIF=0 before what was pending came. */
static void check_exit(const struct journey *j, u64 expected)
{
	bool ran;
	u64 code = script_vmrun_exit(j->guest, &ran);

	TEST_ASSERT(code == expected, "EXITCODE %#llx, not %#llx", (unsigned long long)code,
		    (unsigned long long)expected);
	TEST_ASSERT(ran, "L1 with GIF=0 did not run behind EXITCODE %#llx",
		    (unsigned long long)code);
}

/*
 * L1's STGI lets INIT through.  With virtual GIF KVM does not see the STGI, and INIT stays where it is
 * (docs/findings.md): then KVM_SET_VCPU_EVENTS has KVM look for it.
 */
static void boot_behind_stgi(struct journey *j, const struct mmu_state *from,
			     const struct mmu_state *to)
{
	const struct boot_notes *notes = boot_prepare(j->guest);
	int error = 0;
	u32 exit = script_run_other(j->guest, j->vcpu, &error);

	TEST_ASSERT(exit == KVM_EXIT_IO && j->vcpu->run->io.port == BOOT_PORT,
		    "INIT in L2: exit %s, errno %d", exit_reason_str(exit), error);
	if (notes->cr0 != NOTE_NONE) {
		path_init_check(notes, from);
		return;
	}
	vcpu_run_complete_io(j->vcpu);
	journey_report_way(j, from, to, "INIT behind STGI", "L1 goes on");
	path_init.by_vmm(j, from, to);
}

static void go_init_exit(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	path_l2_must_be(j, true);
	path_init_latch(j);
	boot_behind_stgi(j, from, to);
	path_l2_must_be(j, false);
	check_exit(j, SVM_EXIT_INIT);
}

/*
 * SMI
 */

/* L2 is not gone on with: the registers that the script is to have are L1's. */
static void go_smi_exit(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	const struct kvm_regs regs = script_regs(to, true);
	int error = 0;
	u32 exit;

	(void)from;
	path_l2_must_be(j, true);
	/* #VMEXIT loads them. */
	script_clean_pdptes(j->guest, to);
	path_smm_same.by_vmm(j, to, to);
	check_exit(j, SVM_EXIT_SMI);
	exit = script_run_other(j->guest, j->vcpu, &error);
	TEST_ASSERT(exit == KVM_EXIT_IO && j->vcpu->run->io.port == L1_EXIT_PORT,
		    "behind RSM to L1: exit %s, errno %d", exit_reason_str(exit), error);
	vcpu_run_complete_io(j->vcpu);
	path_l2_must_be(j, false);
	vcpu_regs_set(j->vcpu, &regs);
}

/*
 * By the VMM
 */

#define REGISTERS_LEN 160

static void registers_text(const struct kvm_sregs *s, char text[REGISTERS_LEN])
{
	snprintf(text, REGISTERS_LEN,
		 "IDTR %#llx/%#x GDTR %#llx/%#x CR0 %#llx CR3 %#llx CR4 %#llx EFER %#llx",
		 (unsigned long long)s->idt.base, s->idt.limit, (unsigned long long)s->gdt.base,
		 s->gdt.limit, (unsigned long long)s->cr0, (unsigned long long)s->cr3,
		 (unsigned long long)s->cr4, (unsigned long long)s->efer);
}

/* What KVM_SET_SREGS was given is what the vCPU has.  If not, it gets it a second time. */
static void check_registers(struct journey *j, const struct mmu_state *from,
			    const struct mmu_state *to)
{
	const struct kvm_sregs given = script_sregs(j->guest, to);
	char expected[REGISTERS_LEN], observed[REGISTERS_LEN];
	struct kvm_sregs has;

	vcpu_sregs_get(j->vcpu, &has);
	registers_text(&given, expected);
	registers_text(&has, observed);
	if (!strcmp(expected, observed))
		return;
	journey_report_way(j, from, to, expected, observed);
	script_clean_pdptes(j->guest, to);
	vcpu_sregs_set(j->vcpu, &given);
}

static void go_left(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	path_l2_must_be(j, true);
	journey_enter(j, to);
	path_l2_must_be(j, false);
	check_registers(j, from, to);
}

static void go_left_msr(struct journey *j, const struct mmu_state *from,
			const struct mmu_state *to)
{
	struct kvm_sregs sregs;

	path_l2_must_be(j, true);
	vcpu_sregs_get(j->vcpu, &sregs);
	vcpu_set_msr(j->vcpu, MSR_EFER, sregs.efer & ~(u64)X86_EFER_SVME);
	path_l2_must_be(j, false);
	journey_enter(j, to);
	check_registers(j, from, to);
}

/* VMRUN of an L2 that exits for INIT or SMI; in no list: what they lead to tells. */
static void go_in_init(struct script *script, const struct mmu_state *from,
		       const struct mmu_state *to)
{
	path_l2_enter(script, from, to, false, SVM_INTERCEPT_INIT);
}

static void go_in_init_tdp(struct script *script, const struct mmu_state *from,
			   const struct mmu_state *to)
{
	path_l2_enter(script, from, to, true, SVM_INTERCEPT_INIT);
}

static void go_in_smi(struct script *script, const struct mmu_state *from,
		      const struct mmu_state *to)
{
	path_l2_enter(script, from, to, false, SVM_INTERCEPT_SMI);
}

static void go_in_smi_tdp(struct script *script, const struct mmu_state *from,
			  const struct mmu_state *to)
{
	path_l2_enter(script, from, to, true, SVM_INTERCEPT_SMI);
}

static const struct transition_path path_in_init = { .by_guest = go_in_init };
static const struct transition_path path_in_init_tdp = { .by_guest = go_in_init_tdp };
static const struct transition_path path_in_smi = { .by_guest = go_in_smi };
static const struct transition_path path_in_smi_tdp = { .by_guest = go_in_smi_tdp };

L2_PATHS(l2_init, "l2-init", "INIT in L2, which L1 does not intercept; the guest boots",
	 init_lacks, init_vcpu, path_vmrun, (.applies = may_init),
	 (.applies = may_init),
	 .outer = path_l2_outer_usual, .lands_in = &boot_state, .by_vmm = go_init);
L2_PATHS(l2_init_exit, "l2-init-exit", "INIT in L2, #VMEXIT for it, STGI; the guest boots",
	 init_lacks, init_vcpu, path_in_init, (.applies = same_state),
	 (.applies = same_state),
	 .outer = path_l2_outer_usual, .lands_in = &boot_state, .by_vmm = go_init_exit);
L2_PATHS(l2_smi_exit, "l2-smi-exit", "SMI in L2, #VMEXIT for it to L1 in the new state, STGI, RSM",
	 path_l2_smm_lacks, path_l2_smm_vcpu, path_in_smi, (.applies = may_exit),
	 (.applies = may_exit_tdp),
	 .outer = path_l2_outer_to, .by_vmm = go_smi_exit);
L2_PATHS(l2_left, "l2-left", "KVM_SET_SREGS in L2 that clears EFER.SVME",
	 path_l2_lacks, path_l2_vcpu, path_vmrun, (.applies = may_leave),
	 (.applies = may_leave),
	 .outer = path_l2_outer_usual, .by_vmm = go_left);
L2_PATHS(l2_left_msr, "l2-left-msr", "KVM_SET_MSRS in L2 that clears EFER.SVME, KVM_SET_SREGS",
	 path_l2_lacks, path_l2_vcpu, path_vmrun, (.applies = may_leave_msr),
	 (.applies = may_leave_msr),
	 .outer = path_l2_outer_usual, .by_vmm = go_left_msr);
