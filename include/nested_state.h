/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU in L2, as the VMM sees it (KVM_GET_NESTED_STATE, KVM_SET_NESTED_STATE). */
#ifndef KMC_NESTED_STATE_H
#define KMC_NESTED_STATE_H

#include "vm.h"

/* As KVM gives it out; NULL where it has none.  The caller frees it. */
struct kvm_nested_state *vcpu_nested_state_get(struct vcpu *vcpu);
/* Behind the special registers, which are L2's if the state is in L2. */
void vcpu_nested_state_set(struct vcpu *vcpu, const struct kvm_nested_state *state);
/* Is the vCPU in L2? False where KVM has no nested state. */
bool vcpu_in_l2(struct vcpu *vcpu);
/*
 * Out of L2, without an exit to L1: for a vCPU that stopped wherever it was.  SVM: GIF = 1;
 * VMX: out of VMX operation, too.  Nothing happens where KVM has no nested state.
 */
void vcpu_leave_nested(struct vcpu *vcpu);

#endif
