// SPDX-License-Identifier: GPL-2.0-only
/* Paths that the VMM takes: registers set through /dev/kvm. */
#include <errno.h>
#include <string.h>

#include "test_assert.h"
#include "transition_internal.h"
#include "x86.h"

static void set_regs(struct journey *j, const struct mmu_state *to, bool again)
{
	const struct kvm_regs regs = script_regs(to, again);

	vcpu_regs_set(j->vcpu, &regs);
}

void journey_enter(struct journey *j, const struct mmu_state *state)
{
	const struct kvm_sregs sregs = script_sregs(j->guest, state);

	if (j->path->in_vmx_l2) {
		path_vmx_l2_enter(j, state);
		return;
	}
	script_clean_pdptes(j->guest, state);
	vcpu_sregs_set(j->vcpu, &sregs);
	set_regs(j, state, false);
}

static void go_sregs(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	(void)from;
	journey_enter(j, to);
}

const struct transition_path path_sregs = {
	.name = "sregs",
	.does = "KVM_SET_SREGS",
	.all_pairs = true,
	.by_vmm = go_sregs,
};

static const char *sregs2_lacks(struct journey *j)
{
	return vm_check_cap(j->guest->vm, KVM_CAP_SREGS2) > 0 ? NULL : "KVM_CAP_SREGS2";
}

/* The PDPTEs come along under PAE paging; KVM then does not read them from memory. */
static void go_sregs2(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	const struct kvm_sregs s = script_sregs(j->guest, to);
	const struct walk_regs w = guest_walk_regs(j->guest, to);
	int err = __vcpu_sregs2_set(j->vcpu, &s, to->mode == MODE_PAE ? w.pdptr : NULL);

	(void)from;
	TEST_ASSERT(!err, "KVM_SET_SREGS2 cr0 %#llx cr4 %#llx efer %#llx: %s", s.cr0, s.cr4,
		    s.efer, strerror(err));
	set_regs(j, to, false);
}

const struct transition_path path_sregs2 = {
	.name = "sregs2",
	.does = "KVM_SET_SREGS2, with the PDPTEs under PAE paging",
	.all_pairs = true,
	.lacks = sregs2_lacks,
	.by_vmm = go_sregs2,
};

static const char *sync_regs_lacks(struct journey *j)
{
	int caps = vm_check_cap(j->guest->vm, KVM_CAP_SYNC_REGS);

	return caps > 0 && caps & KVM_SYNC_X86_SREGS ? NULL : "KVM_SYNC_X86_SREGS";
}

/* KVM loads them when it is next run. */
static void go_sync_regs(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	struct kvm_run *run = j->vcpu->run;

	(void)from;
	script_clean_pdptes(j->guest, to);
	run->s.regs.sregs = script_sregs(j->guest, to);
	run->s.regs.regs = script_regs(to, false);
	run->kvm_dirty_regs = KVM_SYNC_X86_SREGS | KVM_SYNC_X86_REGS;
}

const struct transition_path path_sync_regs = {
	.name = "sync-regs",
	.does = "KVM_SYNC_X86_SREGS through struct kvm_run",
	.all_pairs = true,
	.lacks = sync_regs_lacks,
	.by_vmm = go_sync_regs,
};

static bool only_nx(const struct mmu_state *from, const struct mmu_state *to)
{
	return from->mode == to->mode && (from->flags ^ to->flags) == FLAG_NX;
}

static void go_set_msr(struct journey *j, const struct mmu_state *from, const struct mmu_state *to)
{
	(void)from;
	vcpu_set_msr(j->vcpu, MSR_EFER, state_regs(to).efer);
	set_regs(j, to, true);
}

const struct transition_path path_set_msr = {
	.name = "set-msr",
	.does = "KVM_SET_MSRS of EFER where only NX changes (nothing else may, with CR0.PG=1)",
	.applies = only_nx,
	.by_vmm = go_set_msr,
};
