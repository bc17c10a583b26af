// SPDX-License-Identifier: GPL-2.0-only
/* Nested state: see include/nested_state.h. */
#include <stdlib.h>
#include <string.h>

#include "kvm_calls.h"
#include "nested_state.h"
#include "test_assert.h"

struct kvm_nested_state *vcpu_nested_state_get(struct vcpu *vcpu)
{
	int size = vm_check_cap(vcpu->vm, KVM_CAP_NESTED_STATE);
	struct kvm_nested_state *state;

	if (size <= 0)
		return NULL;
	state = calloc(1, size);
	TEST_ASSERT(state, "out of memory");
	state->size = size;
	vmm_nested_get(vcpu->kvm, state);
	return state;
}

void vcpu_nested_state_set(struct vcpu *vcpu, const struct kvm_nested_state *state)
{
	int err = vmm_nested_set(vcpu->kvm, state);

	TEST_ASSERT(!err, "KVM_SET_NESTED_STATE vcpu %u flags %#x: %s", vcpu->id, state->flags,
		    vm_strerror(vcpu->vm, err));
}

bool vcpu_in_l2(struct vcpu *vcpu)
{
	struct kvm_nested_state *state = vcpu_nested_state_get(vcpu);
	bool in_l2 = state && state->flags & KVM_STATE_NESTED_GUEST_MODE;

	free(state);
	return in_l2;
}

void vcpu_leave_nested(struct vcpu *vcpu)
{
	struct kvm_nested_state *state = vcpu_nested_state_get(vcpu);
	struct kvm_nested_state out;

	if (!state)
		return;
	out = (struct kvm_nested_state){ .format = state->format, .size = sizeof(out) };
	if (state->format == KVM_STATE_NESTED_FORMAT_SVM) {
		out.flags = KVM_STATE_NESTED_GIF_SET;
		out.hdr.svm.vmcb_pa = state->hdr.svm.vmcb_pa;
	} else {
		/* Out of VMX operation altogether: the next batch begins with VMXON. */
		out.hdr.vmx.vmxon_pa = ~0ull;
		out.hdr.vmx.vmcs12_pa = ~0ull;
	}
	free(state);
	vcpu_nested_state_set(vcpu, &out);
}
