// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths over a second vCPU, as live migration takes them: everything that KVM gives out
 * about the vCPU in the new state is read with KVM_GET_* and set with KVM_SET_* on the other
 * one, which was left in whatever state the step before last had.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test_assert.h"
#include "transition.h"
#include "x86.h"

/* The vCPU of the step before; of a second VM, its memory is that of the first. */
struct copy {
	const struct guest *guest;
	struct vm *vm;
	struct vcpu *other;
};

static struct copy copies[2]; /* same VM, second VM */

/* What migration carries besides general and special registers. */
struct vcpu_rest {
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_xcrs xcrs;
	struct kvm_xsave xsave;
	struct kvm_mp_state mp;
};

static void move_ioctl(struct vcpu *vcpu, unsigned long request, void *arg, const char *name)
{
	int err = __vcpu_ioctl(vcpu, request, arg);

	TEST_ASSERT(!err, "%s vcpu %u: %s", name, vcpu->id, strerror(err));
}

/* In the order of QEMU's kvm_arch_put_registers(): the MSRs, with EFER, behind the sregs. */
static void move_state(const struct guest *guest, struct vcpu *from, struct vcpu *to)
{
	struct vcpu_rest rest;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

#define GET(request, field) move_ioctl(from, request, &rest.field, #request)
#define SET(request, field) move_ioctl(to, request, &rest.field, #request)
	vcpu_sregs_get(from, &sregs);
	vcpu_regs_get(from, &regs);
	/* See emulator_quirks(); kvm_amd gives out every TSS as busy. */
	if (!(sregs.efer & X86_EFER_LMA))
		sregs.tr.type = guest->tss32_type;
	GET(KVM_GET_VCPU_EVENTS, events);
	GET(KVM_GET_DEBUGREGS, debug);
	GET(KVM_GET_XCRS, xcrs);
	GET(KVM_GET_XSAVE, xsave);
	GET(KVM_GET_MP_STATE, mp);
	vcpu_sregs_set(to, &sregs);
	vcpu_regs_set(to, &regs);
	SET(KVM_SET_XCRS, xcrs);
	SET(KVM_SET_XSAVE, xsave);
	vcpu_msr_set(to, MSR_EFER, vcpu_msr_get(from, MSR_EFER));
	SET(KVM_SET_VCPU_EVENTS, events);
	SET(KVM_SET_DEBUGREGS, debug);
	SET(KVM_SET_MP_STATE, mp);
#undef GET
#undef SET
}

static void go_copy(struct journey *j, struct copy *copy, bool same_vm, const struct mmu_state *to)
{
	struct vcpu *source = j->vcpu;

	if (copy->guest != j->guest) {
		copy->guest = j->guest;
		copy->vm = same_vm ? j->guest->vm : vm_create_sharing(j->guest->vm);
		copy->other = vm_vcpu_add(copy->vm, same_vm ? 1 : 0);
	}
	journey_enter(j, to);
	move_state(j->guest, source, copy->other);
	j->vcpu = copy->other;
	copy->other = source;
}

static void go_copy_vcpu(struct journey *j, const struct mmu_state *from,
			 const struct mmu_state *to)
{
	(void)from;
	go_copy(j, &copies[0], true, to);
}

static void go_copy_vm(struct journey *j, const struct mmu_state *from,
		       const struct mmu_state *to)
{
	(void)from;
	go_copy(j, &copies[1], false, to);
}

const struct transition_path path_copy_vcpu = {
	.name = "copy-vcpu",
	.does = "KVM_SET_SREGS, then all state by KVM_GET_* and KVM_SET_* to the VM's other vCPU",
	.all_pairs = true,
	.other_vcpu = true,
	.by_vmm = go_copy_vcpu,
};

const struct transition_path path_copy_vm = {
	.name = "copy-vm",
	.does = "the same to a vCPU of a second VM on the same memory",
	.all_pairs = true,
	.other_vcpu = true,
	.by_vmm = go_copy_vm,
};
