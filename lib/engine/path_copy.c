// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paths over a second vCPU, as live migration takes them: everything that KVM gives out
 * about the vCPU in the new state is read with KVM_GET_* and set with KVM_SET_* on the other
 * one, which was left in whatever state the step before last had.
 */
#include <stdlib.h>
#include <string.h>

#include "test_assert.h"
#include "transition.h"
#include "vcpu_copy.h"

/* The vCPU of the step before; of a second VM, its memory is that of the first. */
struct copy {
	const struct guest *guest;
	struct vm *vm;
	struct vcpu *other;
};

static struct copy copies[2]; /* same VM, second VM */

static void go_copy(struct journey *j, struct copy *copy, bool same_vm, const struct mmu_state *to)
{
	struct vcpu *source = j->vcpu;

	if (copy->guest != j->guest) {
		copy->guest = j->guest;
		copy->vm = same_vm ? j->guest->vm : vm_create_sharing(j->guest->vm);
		copy->other = vm_vcpu_add(copy->vm, same_vm ? 1 : 0);
	}
	journey_enter(j, to);
	vcpu_copy(j->guest, source, copy->other);
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
