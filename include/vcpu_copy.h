/* SPDX-License-Identifier: GPL-2.0-only */
/* All of a vCPU's state on another one, as live migration takes it. */
#ifndef KMC_VCPU_COPY_H
#define KMC_VCPU_COPY_H

#include "guest.h"

/* KVM_GET_* of the one, KVM_SET_* of the other; what nested_state.h has is not among it. */
void vcpu_copy(const struct guest *guest, struct vcpu *from, struct vcpu *to);

#endif
