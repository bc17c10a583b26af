// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's state on another one: see include/vcpu_copy.h. */
#include <string.h>

#include "guest.h"
#include "test_assert.h"
#include "vcpu_copy.h"
#include "x86.h"

/* What migration carries besides general and special registers. */
struct vcpu_rest {
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_xcrs xcrs;
	struct kvm_xsave xsave;
	struct kvm_mp_state mp;
};

/* In the order of QEMU's kvm_arch_put_registers(): the MSRs, with EFER, behind the sregs. */
void vcpu_copy(const struct guest *guest, struct vcpu *from, struct vcpu *to)
{
	struct vcpu_rest rest;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

#define GET(request, field) vcpu_ioctl(from, request, &rest.field)
#define SET(request, field) vcpu_ioctl(to, request, &rest.field)
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
	vcpu_set_msr(to, MSR_EFER, vcpu_get_msr(from, MSR_EFER));
	SET(KVM_SET_VCPU_EVENTS, events);
	SET(KVM_SET_DEBUGREGS, debug);
	SET(KVM_SET_MP_STATE, mp);
#undef GET
#undef SET
}
